//! Rights over tenants, plans, settings, sites and operators (TEN-1..7, 9..11). `usage.view` comes with
//! metering (TEN-8).
use crate::rule::{__, A, Column, O, Only::*, P, Row, S, Scope::Configuration, Table, row};

#[rustfmt::skip]
pub(crate) const TABLE: Table<7> = Table {
    module: "tenants",
    columns: [
        Column::Roles(&["platform_admin"]), Column::Roles(&["platform_support"]), Column::Roles(&["platform_billing"]),
        Column::Roles(&["tenant_admin"]), Column::Roles(&["hr", "finance", "quality"]), Column::Roles(&["auditor"]),
        Column::Others,
    ],
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<7>] = &[
    //                                        admin                support            billing  tenant_admin       hr…  auditor everyone else
    row("tenant", "view",                    [P,                   P,                 P,       __,                __,  __,     __]),
    row("tenant", "create reject",           [P.only(OperatorFlag), __,               __,      __,                __,  __,     __]),
    row("tenant", "approve",                 [P.only(OperatorFlag), __,               __,      __,                __,  __,     __]).signed(),
    // Not in the table, but TEN-7 lets operators edit: limits, domain, region basis. Same flag as create.
    row("tenant", "edit",                    [P.only(OperatorFlag), __,               __,      __,                __,  __,     __]).signed(),
    row("tenant", "suspend reactivate",      [P.only(OperatorFlag), __,               __,      __,                __,  __,     __]).signed(),
    // `activate` (trial → active) is billing's by the table of states, so it goes with `extend`.
    row("tenant", "extend activate",         [P,                   __,                P,       __,                __,  __,     __]),
    row("tenant", "close",                   [P,                   __,                __,      A.only(Approval),  __,  __,     __]).signed(),
    row("tenant", "erase",                   [P.only(OperatorFlag), __,               __,      __,                __,  __,     __]).signed(),
    row("organisation", "view",              [P,                   P,                 P,       A,                 A,   A,      A.only(Card)]),
    row("organisation", "edit",              [__,                  __,                __,      A,                 __,  __,     __]),
    // Published plans are shown to strangers who are about to sign up.
    row("plan", "view",                      [P,                   P,                 P,       A.only(Published), __,  __,     __])
        .also(&[("public", A.only(Published))]),
    row("plan", "create edit publish",       [P,                   __,                P,       __,                __,  __,     __]).signed(),
    row("subscription", "change",            [P,                   __,                P,       A,                 __,  __,     __]),
    // The table's "finance A view" and "auditor A view" of the same row.
    row("subscription", "view",              [P,                   __,                P,       A,                 __,  A,      __])
        .also(&[("finance", A)]),
    row("settings", "view",                  [__,                  __,                __,      A,                 A,   A,      A.only(Basics)]).lent(Configuration),
    row("settings", "edit",                  [__,                  __,                __,      A,                 __,  __,     __]).lent(Configuration),
    row("site department", "view",           [__,                  __,                __,      A,                 A,   A,      S]).lent(Configuration),
    row("site department", "edit",           [__,                  __,                __,      A,                 __,  __,     __]).lent(Configuration),
    row("operator", "view",                  [P,                   O,                 O,       __,                __,  __,     __]),
    row("operator", "create edit suspend",   [P,                   __,                __,      __,                __,  __,     __]).signed(),
    row("operator", "delete",                [P.only(OperatorFlag), __,               __,      __,                __,  __,     __]).signed(),
    row("context", "open",                   [P,                   P.only(Approval),  __,      __,                __,  __,     __]).signed(),
    row("context", "approve",                [P,                   __,                __,      __,                __,  __,     __]).signed(),
    row("context", "revoke",                 [P,                   O,                 __,      A,                 __,  __,     __]),
    // Who may open or end a context may see it; the customer's consent is the administrator's.
    row("context", "view",                   [P,                   O,                 __,      A,                 __,  A,      __]),
    row("context", "allow",                  [__,                  __,                __,      A,                 __,  __,     __]),
    // Sign-ups and runs are part of the register, which all operators see; only an administrator mends a run.
    row("signup provisioning", "view",       [P,                   P,                 P,       __,                __,  __,     __]),
    row("provisioning", "resume abandon",    [P,                   __,                __,      __,                __,  __,     __]),
    // What a module gave up: ids, codes and the reason, no more of a customer than that.
    row("dead_letter", "view resend",        [P,                   P,                 __,      __,                __,  __,     __]),
];

/// What nobody signed in may do: their own sign-up by its token, one record by a personal link.
#[rustfmt::skip]
pub(crate) const PUBLIC: Table<1> = Table {
    module: "tenants",
    columns: [Column::Roles(&["public"])],
    rows: &[
        // Its own draft is answered to every change of it.
        row("signup", "create edit", [O]),
        row("slug", "view",          [A]),
        row("link", "open",          [O]),
        row("health docs", "view",   [A]),
    ],
};
