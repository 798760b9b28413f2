//! Before a password is checked (pre-authentication): counts the attempt, and refuses while the account is locked.

use crate::{Event, reading::Asked, refusal::refuse};
use events::IdentityEvent;
use identity::{
    lock::{ATTEMPTS, ATTEMPTS_OF_OPERATORS, Lock},
    user::User,
};
use kernel::{Result, UserId};
use store::Scope;
use web::App;

/// A name that nobody has passes: the pool refuses it like a wrong password.
pub async fn answer(app: &App, event: Event) -> Result<Event> {
    let Ok(asked) = Asked::of(app, &event).await else { return Ok(event) };
    let store = &asked.store;
    let key = Lock::key(&asked.user);
    let lock: Lock = store.read(&key).await?.unwrap_or_default();
    if lock.is_locked(store.now()) {
        return Err(refuse(&asked, "locked").await);
    }
    let most = if store.scope() == Scope::Platform { ATTEMPTS_OF_OPERATORS } else { ATTEMPTS };
    let lock = lock.attempt(store.now(), most);
    let mut commit = store.commit().put(&key, &lock);
    if let (Some(until), Ok(user)) = (lock.until, asked.user.parse::<UserId>()) {
        let old = store.fresh::<User>(user).await?;
        let mut new = old.next(store.now());
        (new.body.locked_until, new.body.failed_attempts) = (Some(until), lock.attempts);
        commit = commit.update("lock", &old, &new).emit(IdentityEvent::UserLocked { user });
    }
    commit.run().await?;
    Ok(event)
}
