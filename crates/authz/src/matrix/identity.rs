//! Rights over users, roles, sessions and elevations (IDN-1..5, 8..10). `device.*` comes with device keys
//! (IDN-6), `idp.*` and `scim.*` with single sign-on (IDN-7, 11).
use crate::rule::{__, A, Column, O, Only::*, Row, S, Scope as Context, Table, row};

#[rustfmt::skip]
pub(crate) const TABLE: Table<11> = Table {
    module: "identity",
    columns: [
        Column::Roles(&["tenant_admin"]), Column::Roles(&["hr"]), Column::Roles(&["care_coordinator"]),
        Column::Roles(&["eap_manager"]), Column::Roles(&["receptionist"]), Column::Roles(&["quality"]),
        Column::Roles(&["auditor"]), Column::OtherStaff,
        // Guardians are patients' people, and a client organisation's contact is no staff of ours either.
        Column::Roles(&["patient", "guardian", "client", "family", "eap_client_contact", "beneficiary"]),
        Column::Roles(&["partner"]),
        // Not in the table: operators have a login of their own and see it, as everybody does.
        Column::Roles(&["platform_admin", "platform_support", "platform_billing"]),
    ],
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<11>] = &[
    //                                   admin hr     coord  eap_m  recept quality auditor staff served partner operators
    row("user", "view",                 [A, A,                S,                A,                S.only(Names),    A.only(Names), A, S.only(Names), O, A.only(Scope), __]).lent(Context::Personal),
    // The receptionist's list of roles to grant is `patient`, the table's "create patient S".
    row("user", "create",               [A, S.only(MayGrant), S.only(MayGrant), A.only(MayGrant), S.only(MayGrant), __, __, __, __, __, __]),
    // The table's "O profile" of people served is `profile.edit`, below.
    row("user", "edit suspend disable", [A, S.only(MayGrant), S.only(MayGrant), A.only(MayGrant), __,               __, __, __, __, __, __]),
    // By the table of states, removal and restoring are the administrator's.
    row("user", "bar delete",           [A, __, __, __, __, __, __, __, __, __, __]),
    // The table's row has `O` for bar as well; nobody bars themselves.
    row("user", "reset_mfa",            [A, __, __, __, __, __, __, O,  O,  __, __]),
    // The invitation goes to the person's own address; lent, since after a restore no administrator may have a login.
    row("user", "renew_login",          [A, __, __, __, __, __, __, __, __, __, __]).lent(Context::Configuration),
    row("user", "signout",              [A, S,  __, __, __, __, __, O,  O,  __, __]),
    row("role override", "view",        [A, A,  __, __, __, A,  A,  __, __, __, __]).lent(Context::Configuration),
    row("role override", "edit",        [A, __, __, __, __, __, __, __, __, __, __]).signed(),
    row("team", "view",                 [A, A,  S,  A,  __, __, A,  O,  __, __, __]).lent(Context::Personal),
    row("team", "edit",                 [A, A,  S,  A,  __, __, __, __, __, __, __]),
    row("elevation", "request",         [O, O,  O,  O,  O,  O,  __, O,  __, __, __]),
    row("elevation", "approve",         [A.only(NotOwn), S.only(NotOwn), S.only(NotOwn), A.only(NotOwn), __, __, __, __, __, __, __]),
    // Who approves sees what waits; who asks sees their own.
    row("elevation", "view",            [A, S,  S,  A,  O,  O,  __, O,  __, __, __]),
    // Whoever may open any kind of record; which kind, is said below and by `eap_case.glass`.
    row("break_glass", "open",          [O, __, O,  O, __, __, O,  __, __, __, __]).also(OPENERS),
    row("break_glass", "patient",       [__, __, O,  O, __, __, __, __, __, __, __]).also(CLINICAL),
    row("break_glass", "review",        [A.only(NotOwn), __, __, __, __, A.only(NotOwn), __, __, __, __, __]),
    row("break_glass", "view",          [A, __, O,  O,  __, A,  A,  __, __, __, __]).also(OPENERS),
    // The table leaves some staff without these; their own sign-ins and sessions they see all the same,
    // since `/me/sessions` and `/me/logins` are there for everybody.
    row("login session", "view",        [A, O,  O,  O,  O,  O,  A,  O,  O,  __, O]).lent(Context::Personal),
    row("session", "end",               [A, O,  O,  O,  O,  O,  O,  O,  O,  __, O]),
    row("access_rule", "view",          [A, __, __, __, __, __, A,  __, __, __, __]).lent(Context::Configuration),
    row("access_rule", "edit",          [A, __, __, __, __, __, __, __, __, __, __]).signed(),
    // The table's `explain`, which names no noun.
    row("permission", "explain",        [A, S,  S,  A,  O,  A,  A,  O,  O,  O,  O]),
];

const CLINICAL: &[(&str, crate::rule::Cell)] =
    &[("doctor", O), ("nurse", O), ("pharmacist", O), ("lab_technician", O)];

/// Finance opens no patient, and a case of employee assistance only so.
const OPENERS: &[(&str, crate::rule::Cell)] =
    &[("doctor", O), ("nurse", O), ("pharmacist", O), ("lab_technician", O), ("finance", O)];

/// What everybody may do with their own account, second factor not yet enrolled included.
#[rustfmt::skip]
pub(crate) const SELF: Table<2> = Table {
    module: "identity",
    columns: [Column::People, Column::Roles(&["partner"])],
    rows: &[
        row("me", "view",           [O, O]),
        row("profile", "view edit", [O, __]),
        row("mfa", "enrol",         [O, __]),
    ],
};

#[rustfmt::skip]
pub(crate) const PUBLIC: Table<1> = Table {
    module: "identity",
    columns: [Column::Roles(&["public"])],
    rows: &[
        row("discovery recovery", "create", [O]),
        row("invitation", "view accept",    [O]),
    ],
};
