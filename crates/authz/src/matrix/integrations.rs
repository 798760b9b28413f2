//! Rights over what `integrations` keeps. `connector`, `import`, `fhir` and `extension` come with their features.
use crate::rule::{__, A, Column, O, Only::*, Row, Table, row};

#[rustfmt::skip]
pub(crate) const TABLE: Table<3> = Table {
    module: "integrations",
    columns: [Column::Roles(&["tenant_admin"]), Column::Roles(&["auditor"]), Column::Roles(&["partner"])],
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<3>] = &[
    //                                                 admin auditor partner
    row("partner_key", "view",                        [A,  A,  O]),
    row("partner_key", "create",                      [A,  __, __]),
    row("partner_key", "rotate",                      [A,  __, O]),
    row("partner_key", "revoke",                      [A,  __, __]),
    // A machine keeps its own endpoints only if its key says so: they tell it what happens.
    row("webhook", "view",                            [A,  A,  O.only(Scope)]),
    row("webhook", "edit replay",                     [A,  __, O.only(Scope)]),
    row("warehouse", "view",                          [A,  A,  __]),
    row("warehouse", "edit",                          [A,  __, __]),
];
