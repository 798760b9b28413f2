//! Sign-ins that happened, and those that were refused: append-only, kept for whoever has to look back.

use jiff::Timestamp;
use kernel::LoginId;
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Entity, List, Row};
use web::{Actor, Noun, Reach};

kernel::words! {
    pub enum Outcome {
        Success = "success",
        Failed = "failed",
        Locked = "locked",
        Refused = "refused",
        Logout = "logout",
    }
}

/// One attempt to sign in, or to go on with a session.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    pub user: String,
    pub outcome: Outcome,
    /// The code of the refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// `password`, `refresh`, `recovery`
    pub method: String,
    pub client_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<Sealed<String>>,
    pub at: Timestamp,
}

impl Entity for Attempt {
    type Id = LoginId;
    const NOUN: &'static str = "login";
    const LISTS: &'static [List<Self>] =
        &[List::newest(), List::by("user", &["user"], |r| vec![Row::new(&[&r.body.user], &[&r.id])])];
}

impl Noun for Attempt {
    fn within(record: &store::Record<Self>, reach: Reach, actor: &Actor) -> bool {
        reach == Reach::All || (reach > Reach::None && record.body.user == actor.user)
    }
}
