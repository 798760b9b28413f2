//! Conditions of a commit, as values.

use crate::item::to_value;
use aws_sdk_dynamodb::types::AttributeValue as Av;
use serde::Serialize;
use std::collections::HashMap;

/// What must hold of an item at the moment of the commit.
#[derive(Clone, Debug, PartialEq)]
pub enum When {
    /// The item does not exist.
    Absent,
    /// It exists.
    Present,
    /// It exists and the attribute has this value.
    Is(&'static str, Av),
    Not(&'static str, Av),
    /// The attribute is missing (or the item is).
    Without(&'static str),
    Below(&'static str, i64),
    Above(&'static str, i64),
    Any(Vec<When>),
    All(Vec<When>),
}

/// `is("status", "open")`.
pub fn is(attribute: &'static str, value: impl Serialize) -> When {
    When::Is(attribute, to_value(&value))
}

impl When {
    pub fn or(self, other: When) -> When {
        When::Any(vec![self, other])
    }
    pub fn and(self, other: When) -> When {
        When::All(vec![self, other])
    }
    /// Nobody has written it since it was read with this `rev`; 0: it was not there.
    pub fn unmoved(rev: u64) -> When {
        if rev == 0 { When::Absent } else { is("rev", rev) }
    }
    pub fn not(attribute: &'static str, value: impl Serialize) -> When {
        When::Not(attribute, to_value(&value))
    }
}

/// A condition in the database's words.
#[derive(Default)]
pub(crate) struct Expression {
    pub text: String,
    pub names: HashMap<String, String>,
    pub values: HashMap<String, Av>,
}

impl Expression {
    pub fn of(when: &When) -> Self {
        let mut e = Self::default();
        e.text = e.write(when);
        e
    }
    fn name(&mut self, attribute: &str) -> String {
        let name = format!("#{attribute}");
        self.names.insert(name.clone(), attribute.into());
        name
    }
    fn value(&mut self, value: Av) -> String {
        let name = format!(":c{}", self.values.len());
        self.values.insert(name.clone(), value);
        name
    }
    fn compare(&mut self, attribute: &str, sign: &str, value: Av) -> String {
        let (name, value) = (self.name(attribute), self.value(value));
        format!("{name} {sign} {value}")
    }
    fn write(&mut self, when: &When) -> String {
        let number = |n: &i64| Av::N(n.to_string());
        match when {
            When::Absent => "attribute_not_exists(pk)".into(),
            When::Present => "attribute_exists(pk)".into(),
            When::Without(a) => format!("attribute_not_exists({})", self.name(a)),
            When::Is(a, v) => self.compare(a, "=", v.clone()),
            When::Not(a, v) => self.compare(a, "<>", v.clone()),
            When::Below(a, n) => self.compare(a, "<", number(n)),
            When::Above(a, n) => self.compare(a, ">", number(n)),
            When::Any(all) => self.join(all, " OR "),
            When::All(all) => self.join(all, " AND "),
        }
    }
    fn join(&mut self, all: &[When], word: &str) -> String {
        let parts: Vec<_> = all.iter().map(|w| self.write(w)).collect();
        format!("({})", parts.join(word))
    }
}
