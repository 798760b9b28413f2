//! How much two descriptions of a person have in common. Pure: people in, points and their reasons out.

mod person;
mod points;
#[cfg(test)]
mod tests;

pub use person::{Document, Member, Number, Person};
pub use points::{Factor, Options, Score, score};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

kernel::words! {
    /// How sure it is that two records are of one person.
    pub enum Band { Possible = "possible", Probable = "probable", Certain = "certain" }
}

/// From how many points on a band begins; settings of the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Thresholds {
    pub probable: i64,
    pub certain: i64,
}

/// Below it nothing is shown.
const POSSIBLE: i64 = 45;

impl Thresholds {
    /// Probable within 60–95, certain never below it.
    pub fn new(probable: i64, certain: i64) -> Self {
        let probable = probable.clamp(60, 95);
        Self { probable, certain: certain.clamp(probable, 100) }
    }

    pub fn band(self, score: &Score) -> Option<Band> {
        match score.points {
            _ if score.strong => Some(Band::Certain),
            p if p >= self.certain => Some(Band::Certain),
            p if p >= self.probable => Some(Band::Probable),
            p if p >= POSSIBLE => Some(Band::Possible),
            _ => None,
        }
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        Self::new(70, 95)
    }
}
