//! What a text may name.

use std::{borrow::Cow, collections::BTreeSet};

/// Variables and functions that a text may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    variables: BTreeSet<Cow<'static, str>>,
}

/// Of the language itself.
const LANGUAGE: &[&str] = &[
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "matches",
    "int",
    "uint",
    "double",
    "string",
    "bool",
    "dyn",
];
/// Ours.
const OURS: &[&str] = &[
    "local",
    "time",
    "days_between",
    "age_hours",
    "in_hours",
    "working_day",
    "has_role",
    "changed",
    "money",
];
/// Rewritten while parsing; named here for the nearest name.
const MACROS: &[&str] = &["has", "all", "exists", "exists_one", "map", "filter"];

impl Known {
    pub fn new(variables: &[&'static str]) -> Self {
        Self { variables: variables.iter().map(|v| Cow::Borrowed(*v)).collect() }
    }
    /// Of rules and notifications: what happened, and by whom.
    pub fn events() -> Self {
        Self::new(&["event", "change", "actor", "tenant", "now"])
    }
    /// Of approval policies: what is asked for, and of which record.
    pub fn approvals() -> Self {
        Self::new(&["request", "record", "actor", "tenant", "now"])
    }
    /// Names that the texts of one place add.
    pub fn with(mut self, variables: &[String]) -> Self {
        self.variables.extend(variables.iter().map(|v| Cow::Owned(v.clone())));
        self
    }

    pub(crate) fn has_variable(&self, name: &str) -> bool {
        self.variables.contains(name)
    }
    pub(crate) fn has_function(&self, name: &str) -> bool {
        LANGUAGE.contains(&name) || OURS.contains(&name)
    }
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|v| v.as_ref())
    }
    /// Every function that a text may call.
    pub fn functions() -> impl Iterator<Item = &'static str> {
        LANGUAGE.iter().chain(OURS).chain(MACROS).copied()
    }

    pub(crate) fn nearest_variable(&self, name: &str) -> String {
        said(name, self.variables().map(Into::into).collect())
    }
    pub(crate) fn nearest_function(&self, name: &str) -> String {
        said(name, Self::functions().map(Into::into).collect())
    }
}

fn said(name: &str, known: Vec<String>) -> String {
    let like = |k: &&String| strsim::normalized_damerau_levenshtein(name, k);
    let nearest = known.iter().max_by(|a, b| like(a).total_cmp(&like(b))).filter(|k| like(k) > 0.5);
    let nearest = nearest.map(|n| format!(" (did you mean {n}?)")).unwrap_or_default();
    format!("{nearest}; known are {}", known.join(", "))
}
