//! What is told of one try: the sentence that the next one is compared with, and whether it stands.

use crate::{Reply, proof::likeness};
use kernel::Result;

/// What came of one try.
pub(crate) struct Told {
    /// The sentence to compare.
    pub words: String,
    pub stands: Stands,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    Done,
    /// Kept until a second person approves: that is done, and what was asked for is not.
    Waits,
    /// Nobody knows, or later: it has to be tried again.
    Again,
    Refused,
}

/// What the name of an operation ends with where it was kept for a second person.
pub const WAITS: &str = " (kept for a second person)";

impl Stands {
    /// By which name it is tried; none if nothing was done.
    pub fn named(self, name: &str) -> Option<String> {
        match self {
            Self::Done => Some(name.into()),
            Self::Waits => Some(format!("{name}{WAITS}")),
            Self::Again | Self::Refused => None,
        }
    }
}

/// What is told of a consumed message.
pub(crate) fn consumed(outcome: &Result<()>) -> Told {
    match outcome {
        Ok(()) => Told { words: "done".into(), stands: Stands::Done },
        Err(error) => Told { words: error.to_string(), stands: Stands::Again },
    }
}

/// What is told of an answer.
pub(crate) fn answered(reply: &Reply) -> Told {
    let stands = match reply.status {
        428 => Stands::Waits,
        429 | 500 | 502 | 503 => Stands::Again,
        400.. => Stands::Refused,
        _ => Stands::Done,
    };
    Told { words: format!("{} {}", reply.status, likeness::of_body(&reply.body)), stands }
}
