//! Rights over what `workflow` keeps (TSK-1..4). Of tasks `site` is a team lead's, `team` the categories of an office
//! (HR, finance, quality) and `assigned` what names the caller: as assignee, by role or team, as watcher or maker.
//! Who decides about an approval is its policy's, beside the command's own permission.
use crate::rule::{__, A, Column, G, O, Only::Scope, Row, S, T, Table, row};

#[rustfmt::skip]
pub(crate) const TABLE: Table<10> = Table {
    module: "workflow",
    columns: [
        Column::Roles(&["tenant_admin"]), Column::Roles(&["hr"]), Column::Roles(&["quality"]),
        Column::Roles(&["finance"]), Column::Roles(&["care_coordinator", "eap_manager"]),
        Column::Roles(&["tutor", "assessor", "iqa"]), Column::Roles(&["auditor"]),
        Column::Roles(&["patient", "guardian", "client", "family", "beneficiary", "eqa"]),
        Column::Roles(&["partner"]), Column::OtherStaff,
    ],
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<10>] = &[
    //                                        admin hr quality finance lead tutor auditor served partner staff
    row("task", "view",                      [A, T,  T,  T,  S,  G,  A,  O,  A.only(Scope), G]),
    row("task", "create",                    [A, A,  A,  A,  S,  G,  __, __, A.only(Scope), G]),
    row("task", "edit",                      [A, T,  T,  T,  S,  G,  __, __, G.only(Scope), G]),
    row("task", "complete",                  [G, G,  G,  G,  S,  G,  __, O,  __, G]),
    row("rule", "view",                      [A, A,  A,  A,  A,  __, A,  __, __, __]),
    row("rule", "edit",                      [A, __, __, __, __, __, __, __, __, __]),
    row("rule", "dry_run",                   [A, A,  A,  __, __, __, __, __, __, __]),
    row("firing", "view",                    [A, A,  A,  __, __, __, A,  __, __, __]),
    row("approval_policy", "view",           [A, A,  A,  A,  A,  __, A,  __, __, __]),
    row("approval_policy", "edit",           [A, __, __, __, __, __, __, __, __, __]),
    row("approval", "view",                  [A, G,  G,  G,  G,  G,  A,  __, __, G]),
    row("approval", "approve reject",        [A, A,  A,  A,  A,  A,  __, __, __, A]),
    row("sequence_template", "view",         [A, A,  A,  A,  A,  __, A,  __, __, __]),
    row("sequence_template", "edit",         [A, A,  __, __, __, __, __, __, __, __]),
    row("sequence_run", "view",              [A, A,  A,  A,  S,  __, A,  __, __, __]),
    row("sequence_run", "start",             [A, A,  __, __, S,  __, __, __, __, __]),
    row("sequence_run", "edit",              [A, A,  __, __, __, __, __, __, __, __]),
];
