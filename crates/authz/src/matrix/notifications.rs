//! Rights over notifications, their rules, texts and deliveries (NOT-1..4). An address is always shown masked; the
//! counts that platform support sees come with the platform's health page.
use crate::rule::{__, A, Column, L, O, Only::*, Row, S, Scope::Configuration, Table, row};

#[rustfmt::skip]
pub(crate) const TABLE: Table<4> = Table {
    module: "notifications",
    columns: [
        Column::Roles(&["tenant_admin"]), Column::Roles(&["hr", "care_coordinator", "eap_manager", "quality"]),
        Column::Roles(&["auditor"]), Column::Others,
    ],
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<4>] = &[
    //                                              admin          hr, coordinator, eap, quality  auditor         everyone else
    row("notification", "view read archive ack",   [O,             O,                             O,              O]).also(&[("guardian", L)]),
    row("preference", "view edit",                 [O,             O,                             O,              O]),
    row("push", "view register",                   [O,             O,                             O,              O]),
    row("notification_rule message_template", "view", [A,             A.only(Categories),            A,              __]).lent(Configuration),
    row("notification_rule message_template", "edit", [A,             A.only(Categories),            __,             __]),
    row("suppression", "view",                     [A,             A.only(Categories),            A,              __]),
    row("suppression", "edit",                     [A,             A.only(Categories),            __,             __]),
    row("cap", "view",                             [A,             __,                            A,              __]).lent(Configuration),
    // Everybody sees what became of the messages to themselves.
    row("delivery", "view",                        [A,             A.only(Categories),            A.only(Reason), O]),
    row("delivery", "resend cancel",               [A,             A.only(Categories),            __,             __]),
    row("broadcast", "view",                       [A,             S,                             A,              __]),
    row("broadcast", "create",                     [A,             S,                             __,             __]),
    row("broadcast", "approve",                    [A.only(NotOwn), __,                           __,             __]),
];
