//! Conditions that tenants write: CEL, through the crate `cel`, wrapped so that no text can hurt. What does not stop
//! by itself is bounded before and after parsing; what fails while it runs is false, with the reason.
//!
//! ```
//! use rules::{Condition, Known};
//! use serde_json::json;
//! let falls = Condition::compile("event.data.kind == 'fall' && event.data.severity in ['high']", &Known::events());
//! let outcome = falls.unwrap().test(&json!({"event": {"data": {"kind": "fall", "severity": "high"}}}));
//! assert!(outcome.matched);
//! ```
//!
//! Times are text (RFC 3339), as they arrive; `time(text)` makes seconds of one, so that they can be compared and
//! subtracted. Money is `{"amount": "…", "currency": "…"}`; `money(m)` makes minor units of it.

mod bounds;
mod functions;
mod known;
mod parts;
mod value;

pub use bounds::{BYTES, DEPTH, LOOPS, NODES};
pub use known::Known;

use cel::Program;
use serde_json::Value;
use std::sync::Arc;

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In characters, from 1; 0 where the whole text is meant.
    pub column: usize,
    pub detail: String,
}

impl Fault {
    fn new(column: usize, detail: impl Into<String>) -> Self {
        Self { column, detail: detail.into() }
    }
}

/// What a condition says of an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    pub matched: bool,
    /// Why it could not be answered; it is false then.
    pub why: Option<String>,
}

/// A text that was checked once and is cheap to ask many times.
#[derive(Clone)]
pub struct Condition(Arc<Compiled>);

struct Compiled {
    text: String,
    program: Program,
    known: Known,
}

impl std::fmt::Debug for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Condition({})", self.0.text)
    }
}

impl Condition {
    /// Parses a text and looks at everything that it names.
    pub fn compile(text: &str, known: &Known) -> Result<Self, Fault> {
        let program = bounds::parse(text, known)?;
        Ok(Self(Arc::new(Compiled { text: text.into(), program, known: known.clone() })))
    }

    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Whether the input meets it. An error (a missing key, another type, a division by zero) is false.
    pub fn test(&self, input: &Value) -> Outcome {
        match self.value(input) {
            Ok(Value::Bool(matched)) => Outcome { matched, why: None },
            Ok(other) => {
                let why = format!("the condition gives {}, not true or false", value::sort(&other));
                Outcome { matched: false, why: Some(why) }
            }
            Err(why) => Outcome { matched: false, why: Some(why) },
        }
    }

    /// What the text gives for an input: for values that are computed.
    pub fn value(&self, input: &Value) -> Result<Value, String> {
        let size = value::size(input);
        if size > value::LARGEST {
            return Err(format!("the input holds {size} bytes; at most {} are looked at", value::LARGEST));
        }
        let context = functions::context(&self.0.known, input);
        let result = self.0.program.execute(&context).map_err(|e| value::cut(&e.to_string()))?;
        value::to_json(&result)
    }

    /// The conditions that this one joins with `&&` and `||`, each for itself: for showing which of them said no.
    pub fn parts(&self) -> Vec<Condition> {
        let parts = parts::split(&self.0.text);
        let read = parts.iter().map(|text| Self::compile(text, &self.0.known)).collect::<Result<Vec<_>, _>>();
        read.unwrap_or_else(|_| vec![self.clone()])
    }

    /// Every path that is read of the variables, dotted: `event.data.kind`.
    pub fn paths(&self) -> Vec<String> {
        bounds::paths(self.0.program.expression())
    }
}

#[cfg(test)]
mod tests;
