//! Rights over what `audit` keeps.
use crate::rule::{Column, Row, Table};

#[rustfmt::skip]
pub(crate) const TABLE: Table<1> = Table {
    module: "audit",
    columns: [Column::Roles(&["tenant_admin"])],
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<1>] = &[];
