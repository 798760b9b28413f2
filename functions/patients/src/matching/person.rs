//! A person as the comparison sees them: everything normalised.

use crate::{
    patient::{Gender, Precision},
    spelling,
};
use jiff::civil::Date;
use kernel::identifier::Scheme;

#[derive(Clone, Debug, Default)]
pub struct Person {
    pub family: String,
    /// Words of the given names, the first one first.
    pub given: Vec<String>,
    pub middle: Vec<String>,
    pub previous: Vec<String>,
    pub birth: Option<Date>,
    pub precision: Option<Precision>,
    pub gender: Option<Gender>,
    pub phones: Vec<Number>,
    pub email: Option<String>,
    pub documents: Vec<Document>,
    pub members: Vec<Member>,
    pub postcode: Option<String>,
    pub lga: Option<String>,
    pub city: Option<String>,
}

/// A telephone number in the form of E.164.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    pub number: String,
    /// It is a relative's, not the person's own.
    pub relative: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub scheme: Scheme,
    /// Empty for schemes that need none.
    pub issuer: String,
    pub value: String,
}

/// A membership of a payer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub payer: String,
    pub number: String,
    pub relation: String,
    pub ordinal: u8,
}

impl Person {
    pub fn first_given(&self) -> &str {
        self.given.first().map_or("", String::as_str)
    }
    pub fn estimated(&self) -> bool {
        self.precision == Some(Precision::Estimated)
    }
    pub fn sound(&self) -> String {
        spelling::sound(&self.family)
    }
}
