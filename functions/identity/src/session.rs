//! A session: from a sign-in to its end. The record changes when the session is recognised and when it ends;
//! how long ago it was last used lies beside it, since that changes every minute.
//!
//! The user pool tells its token trigger which user and which app client ask for a token, not which session:
//! idleness is therefore judged per user and app client when a token is refreshed, and per session on every
//! request by what the functions have seen of it.

pub mod api;
pub mod seen;

use jiff::{SignedDuration, Timestamp};
use kernel::SessionId;
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Entity, Key, List, Row};
use web::Noun;

kernel::words! {
    pub enum Client { Web = "web", Mobile = "mobile", Platform = "platform", Sso = "sso", Machine = "machine" }
}

impl Client {
    /// Hours after which a session ends however active it is (`spec/identity.md` §7).
    pub fn absolute_hours(self) -> i64 {
        match self {
            Self::Mobile => 30 * 24,
            _ => 12,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("readOnly" = true))]
pub struct Session {
    /// `usr_…` or `opr_…`
    pub user: String,
    pub client: Client,
    pub client_id: String,
    /// What all its tokens share; known with the first request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    pub started_at: Timestamp,
    /// When the second factor was given; none if there was none yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<String>,
}

impl Entity for Session {
    type Id = SessionId;
    const NOUN: &'static str = "session";
    const LISTS: &'static [List<Self>] =
        &[List::newest(), List::by("user", &["user"], |r| vec![Row::new(&[&r.body.user], &[&r.id])])];
}

impl Noun for Session {
    fn within(record: &store::Record<Self>, reach: web::Reach, actor: &web::Actor) -> bool {
        reach == web::Reach::All || (reach > web::Reach::None && record.body.user == actor.user)
    }
}

/// The last sign-in of a user by one app client, and when it was last used.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Alive {
    pub session: SessionId,
    pub started_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa_at: Option<Timestamp>,
    /// Unix seconds, so that the table can compare.
    pub seen: i64,
}

impl Alive {
    pub fn key(user: &str, client_id: &str) -> Key {
        Key::item("alive", user, store::segment(client_id))
    }
    pub fn last(&self) -> Timestamp {
        Timestamp::from_second(self.seen).unwrap_or(self.started_at).max(self.started_at)
    }
    /// Why there is no further token, if so.
    pub fn over(&self, now: Timestamp, idle_minutes: i64, absolute_hours: i64) -> Option<&'static str> {
        if now.duration_since(self.started_at) >= SignedDuration::from_hours(absolute_hours) {
            return Some("session-ended");
        }
        (now.duration_since(self.last()) > SignedDuration::from_mins(idle_minutes)).then_some("session-idle")
    }
}

/// That a session has asked to set up a second factor: its next tokens carry `enrol`.
pub fn enrolling(user: &str) -> Key {
    Key::item("enrol", user, ".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_by_idleness_or_by_age() {
        let start: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let after = |m: i64| start + SignedDuration::from_mins(m);
        let mut alive = Alive {
            session: kernel::Id::at(start),
            started_at: start,
            mfa_at: None,
            seen: start.as_second(),
        };
        assert_eq!(alive.over(after(15), 15, 12), None);
        assert_eq!(alive.over(after(16), 15, 12), Some("session-idle"));
        alive.seen = after(719).as_second();
        assert_eq!(alive.over(after(719), 15, 12), None);
        assert_eq!(alive.over(after(720), 15, 12), Some("session-ended"));
    }
}
