//! Rights over what `documents` keeps. The kinds of documents that a role reaches ("people kinds", "clinical
//! results", "money") are the module's (`functions/documents/src/rights.rs`): here stands how far at most.
//!
//! Decided beside the table: categories are seen by everybody who may file a document under one; `template.view` by
//! whoever may generate from one; retention is edited by those who propose it, within the bounds of the module;
//! `signature.view` is everybody's for the requests that name them. `document.verify` of tutors, finance and the care
//! coordinator reaches their kinds only.
use crate::rule::{__, A, Column, G, L, O, Only::*, Row, S, Scope::Personal, Table, row};

#[rustfmt::skip]
pub(crate) const TABLE: Table<18> = Table {
    module: "documents",
    columns: [
        Column::Roles(&["tenant_admin"]), Column::Roles(&["hr"]), Column::Roles(&["quality"]),
        Column::Roles(&["auditor"]), Column::Roles(&["doctor", "nurse", "pharmacist"]),
        Column::Roles(&["lab_technician"]), Column::Roles(&["receptionist"]), Column::Roles(&["care_coordinator"]),
        Column::Roles(&["carer"]), Column::Roles(&["tutor", "assessor"]), Column::Roles(&["iqa", "eqa"]),
        Column::Roles(&["finance"]), Column::Roles(&["eap_manager"]), Column::Roles(&["eap_provider"]),
        Column::Roles(&["patient", "client", "beneficiary"]), Column::Roles(&["guardian", "family"]),
        Column::Roles(&["eap_client_contact"]),
        // No column in the table; a key may name these as scopes.
        Column::Roles(&["partner"]),
    ],
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<18>] = &[
    //                                          admin hr qual audit clin lab recep coord carer tutor iqa fin eapm prov pat fam contact partner
    row("document", "view",                    [A,  A,  A,  A,  A,  A,  S,  A,  G,  G,  A,  A,  A,  G,  O,  L,  O,  A.only(Scope)]).lent(Personal),
    row("document", "create",                  [A,  A,  A,  __, A,  A,  S,  A,  G,  G,  __, A,  A,  G,  O,  L,  __, A.only(Scope)]),
    row("document", "edit renew",              [A,  A,  A,  __, O,  O,  O,  A,  O,  O,  __, O,  A,  O,  __, __, __, __]),
    row("document", "verify reject",           [A,  A,  A,  __, __, __, __, A,  __, G,  __, A,  A,  __, __, __, __, __]),
    row("document", "delete",                  [A,  A,  A,  __, __, __, __, __, __, __, __, __, A,  __, __, __, __, __]),
    row("category", "view",                    [A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A,  A.only(Scope)]),
    row("category", "create edit delete",      [A,  A,  A,  __, __, __, __, __, __, __, __, __, A,  __, __, __, __, __]),
    row("template", "view",                    [A,  A,  A,  A,  A,  __, A,  A,  __, A,  __, A,  A,  A,  __, __, __, __]),
    row("template", "create edit publish delete", [A,  A,  A,  __, __, __, __, __, __, __, __, __, A,  __, __, __, __, __]),
    row("signature", "create cancel",          [A,  A,  A,  __, G,  __, __, A,  __, __, __, A,  A,  O,  __, __, __, __]),
    row("signature", "view",                   [A,  A,  A,  A,  G,  O,  O,  A,  O,  O,  O,  A,  A,  O,  O,  O,  O,  __]),
    row("signature", "sign decline",           [O,  O,  O,  O,  O,  O,  O,  O,  O,  O,  O,  O,  O,  O,  O,  L,  O,  __]),
    row("share", "create revoke",              [A,  A,  A,  __, G,  __, __, A,  __, __, __, A,  A,  __, O,  __, __, __]),
    row("retention", "view",                   [A,  A,  A,  A,  __, __, __, __, __, __, __, __, A,  __, __, __, __, __]),
    row("retention", "edit",                   [A,  A,  A,  __, __, __, __, __, __, __, __, __, A,  __, __, __, __, __]),
    row("hold", "view",                        [A,  A,  A,  A,  __, __, __, __, __, __, __, __, A,  __, __, __, __, __]),
    row("hold", "create release",              [A,  __, __, __, __, __, __, __, __, __, __, __, A,  __, __, __, __, __]),
    row("disposal", "view",                    [A,  A,  A,  A,  __, __, __, __, __, __, __, __, A,  __, __, __, __, __]),
    row("disposal", "edit",                    [A,  A,  A,  __, __, __, __, __, __, __, __, __, A,  __, __, __, __, __]),
    row("disposal", "approve",                 [A,  __, __, __, __, __, __, __, __, __, __, __, A,  __, __, __, __, __]),
];
