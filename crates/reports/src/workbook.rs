//! What becomes a spreadsheet: sheets of typed columns. A cell is what its type says; no text can become a formula.
use jiff::civil::{Date, DateTime};
use kernel::money::Money;

use crate::{Colour, Error, Language};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Workbook {
    pub title: String,
    /// The organisation.
    pub author: String,
    pub language: Language,
    pub accent: Colour,
    pub sheets: Vec<Sheet>,
}

/// Names are cut to 31 characters and told apart where two are the same; signs that Excel refuses become spaces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sheet {
    pub name: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Value>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub title: String,
    pub kind: Kind,
    /// In characters; measured when absent.
    pub width: Option<f32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    Decimal,
    Money,
    Date,
    DateTime,
    Percent,
    YesNo,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Empty,
    /// Cut, with an ellipsis, behind the 32,767 characters that a cell can hold.
    Text(String),
    /// Beyond fifteen digits, which is all that spreadsheets keep, written as text.
    Integer(i64),
    Decimal(f64),
    Money(Money),
    Date(Date),
    /// Of the zone that the column's title names.
    DateTime(DateTime),
    /// 0.125 is 12.5 %.
    Percent(f64),
    YesNo(bool),
}

impl Column {
    pub fn new(title: impl Into<String>, kind: Kind) -> Self {
        Self { title: title.into(), kind, width: None }
    }
    pub fn text(title: impl Into<String>) -> Self {
        Self::new(title, Kind::Text)
    }
    pub fn wide(mut self, characters: f32) -> Self {
        self.width = Some(characters);
        self
    }
}

impl Value {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    fn kind(&self) -> Option<Kind> {
        Some(match self {
            Self::Empty => return None,
            Self::Text(_) => Kind::Text,
            Self::Integer(_) => Kind::Integer,
            Self::Decimal(_) => Kind::Decimal,
            Self::Money(_) => Kind::Money,
            Self::Date(_) => Kind::Date,
            Self::DateTime(_) => Kind::DateTime,
            Self::Percent(_) => Kind::Percent,
            Self::YesNo(_) => Kind::YesNo,
        })
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

macro_rules! values {
    ($($from:ty => $to:ident),* $(,)?) => {
        $(impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$to(value.into())
            }
        })*
    };
}

values! { &str => Text, String => Text, i64 => Integer, Money => Money, Date => Date, DateTime => DateTime, bool => YesNo }

impl Workbook {
    /// Everything that a spreadsheet could not hold, said before it is written.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.sheets.is_empty() {
            return Err(Error::Workbook("a workbook has at least one sheet"));
        }
        for sheet in &self.sheets {
            if sheet.columns.is_empty() || sheet.columns.len() > 16_384 {
                return Err(Error::Workbook("a sheet has 1 to 16,384 columns"));
            }
            if sheet.rows.len() > 1_048_575 {
                return Err(Error::Workbook("a sheet has at most 1,048,575 rows"));
            }
            for row in &sheet.rows {
                if row.len() > sheet.columns.len() {
                    return Err(Error::Workbook("a row has more cells than its sheet has columns"));
                }
                let strays =
                    |(column, value): (&Column, &Value)| value.kind().is_some_and(|kind| kind != column.kind);
                if sheet.columns.iter().zip(row).any(strays) {
                    return Err(Error::Workbook("a cell is not of its column's type"));
                }
            }
        }
        Ok(())
    }
}
