//! Rights over what `documents` keeps.
use crate::rule::{Column, Row, Table};

#[rustfmt::skip]
pub(crate) const TABLE: Table<1> = Table {
    module: "documents",
    columns: [Column::Roles(&["tenant_admin"])],
    rows: ROWS,
};

#[rustfmt::skip]
const ROWS: &[Row<1>] = &[];
