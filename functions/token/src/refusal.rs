//! A refusal leaves a record in the organisation that it happened in, and no token.

use crate::reading::Asked;
use events::IdentityEvent;
use identity::attempt::{Attempt, Outcome};
use jiff::SignedDuration;
use kernel::{Error, Result};
use store::{Key, Record};

/// Refusals within ten minutes that the audit is told of.
const MANY: u64 = 5;

/// What the person sees; the record says more.
pub fn sentence(code: &'static str) -> &'static str {
    match code {
        "tenant-not-open" => "this organisation is not open",
        "session-idle" => "this session was idle for too long; sign in again",
        "session-ended" => "this session has ended; sign in again",
        "locked" => "this account is locked after too many attempts; try again later",
        "user-not-active" => "this account is not active; ask your administrator",
        _ => "this sign-in is not possible here",
    }
}

/// Writes the record and gives the error to answer with.
pub async fn refuse(asked: &Asked, code: &'static str) -> Error {
    let outcome = if code == "locked" { Outcome::Locked } else { Outcome::Refused };
    if let Err(error) = note(asked, outcome, code).await {
        tracing::error!(%error, code, "a refused sign-in could not be recorded");
    }
    Error::forbidden(code, sentence(code))
}

async fn note(asked: &Asked, outcome: Outcome, code: &str) -> Result<()> {
    let store = &asked.store;
    let now = store.now();
    let record = Record::new(now, asked.attempt(outcome, Some(code.into())));
    let window = now.as_second() / 600;
    let key = Key::item("refused", &asked.user, window);
    let count = store.count(&key, now + SignedDuration::from_hours(1)).await?;
    let commit = store.commit().create::<Attempt>(&record);
    match asked.user.parse() {
        Ok(user) if count == MANY => commit.emit(IdentityEvent::LoginRefused { user }),
        _ => commit,
    }
    .run()
    .await
}
