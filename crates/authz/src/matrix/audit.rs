//! Rights over the trail: changes, access entries, digests, verifications, exports.
use crate::rule::{__, A, Column, L, O, Only::*, P, Row, Scope::Metadata, Scope::Personal, Table, row};

#[rustfmt::skip]
pub(crate) const TABLE: Table<9> = Table {
    module: "audit",
    columns: [
        Column::Roles(&["tenant_admin"]), Column::Roles(&["auditor"]), Column::Roles(&["quality"]),
        Column::Roles(&["hr"]), Column::Roles(&["finance"]),
        Column::Roles(&["platform_admin", "platform_support"]),
        // Those who are served, and who act for them: who looked at their own record. EAP contacts see nothing.
        Column::Roles(&["patient", "client", "beneficiary"]), Column::Roles(&["guardian", "family"]),
        Column::OtherStaff,
    ],
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<9>] = &[
    //                                    admin auditor quality hr finance platform served kin staff
    row("change", "view",                [A, A, A.only(NonClinical), A.only(PeopleKinds), A.only(MoneyKinds), P, __, __, O]).lent(Personal),
    row("access", "view",                [A, A, __, __, __, __, O, L, O]).lent(Personal),
    // The digests carry no personal data. Operators verify the platform's own trail, and see a customer's in a context.
    row("verification", "create",        [A, A, __, __, __, P, __, __, __]),
    row("verification digest", "view",   [A, A, A,  __, __, P, __, __, __]).lent(Metadata),
    // With a reason, which comes in the body and is kept.
    row("audit_export", "create view",   [A, A, __, __, __, __, __, __, __]),
];
