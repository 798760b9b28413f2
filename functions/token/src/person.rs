//! A person's token: the decision, what a sign-in writes, and the answer.

use crate::{
    Event, claims,
    reading::{Asked, Found, Registered, find, registered},
    refusal::refuse,
};
use events::IdentityEvent;
use identity::{
    attempt::Outcome,
    lock::Lock,
    session::{Alive, Client, Session},
    user::{Status, User, standing},
};
use kernel::{Result, UserId};
use store::{Commit, Record, Scope};
use web::{App, gate::Status as Open};

pub async fn answer(app: &App, event: Event) -> Result<Event> {
    let asked = Asked::of(app, &event).await?;
    let (client, found) = futures::join!(registered(app, &asked.client_id), find(&asked));
    let (client, found) = (client?, found?);
    if let Some(code) = refusal(&asked, client.as_ref(), &found) {
        return Err(refuse(&asked, code).await);
    }
    let kind = kind(&asked, client.as_ref());
    let alive = match (&found.alive, asked.refreshes) {
        (Some(alive), true) => alive.clone(),
        _ => sign_in(&asked, &found, kind).await?,
    };
    if found.person.record.as_ref().is_some_and(|r| r.body.status == Status::Invited) {
        app.gates().forget(asked.store.scope());
    }
    Ok(event.answered(claims::of_person(&asked, &found, &alive, kind)))
}

fn kind(asked: &Asked, client: Option<&Registered>) -> Client {
    match (client, asked.store.scope()) {
        (Some(client), _) => client.kind,
        (None, Scope::Platform) => Client::Platform,
        (None, Scope::Tenant(_)) => Client::Web,
    }
}

/// The first reason against it (`spec/identity.md` §5.3).
fn refusal(asked: &Asked, client: Option<&Registered>, found: &Found) -> Option<&'static str> {
    let now = asked.store.now();
    let Found { tenant, access, person, alive, lock, .. } = found;
    let open = match (asked.store.scope(), tenant) {
        (Scope::Platform, _) => true,
        (_, Some(tenant)) => matches!(tenant.status, Open::Trial | Open::Active | Open::PastDue),
        (_, None) => false,
    };
    let theirs =
        client.is_none_or(|c| c.tenant.as_ref().is_none_or(|t| *t == asked.store.scope().to_string()));
    if person.sub.as_deref() != Some(asked.sub.as_str()) {
        return Some("no-user");
    }
    if !theirs || client.is_some_and(|c| c.kind == Client::Machine) {
        return Some("client-of-another");
    }
    if !open {
        return Some("tenant-not-open");
    }
    if !person.active {
        return Some("user-not-active");
    }
    if !asked.refreshes {
        return None;
    }
    // A sign-in has passed the lock before its password; a session that goes on has not.
    if lock.is_locked(now) {
        return Some("locked");
    }
    let Some(alive) = alive else { return Some("session-ended") };
    let kind = kind(asked, client);
    let hours = claims::absolute_hours(&person.roles, access, kind);
    alive.over(now, claims::idle_minutes(&person.roles, access), hours)
}

/// The session, the record of the sign-in and, the first time, the user's activation: one commit.
async fn sign_in(asked: &Asked, found: &Found, kind: Client) -> Result<Alive> {
    let store = &asked.store;
    let now = store.now();
    let mfa_at = found.person.mfa.enabled_at.filter(|at| *at <= now).map(|_| now);
    let session = Record::new(
        now,
        Session {
            user: asked.user.clone(),
            client: kind,
            client_id: asked.client_id.clone(),
            origin: None,
            started_at: now,
            mfa_at,
            ip: None,
            agent: None,
            ended_at: None,
            end_reason: None,
        },
    );
    let alive = Alive { session: session.id, started_at: now, mfa_at, seen: now.as_second() };
    let attempt = Record::new(now, asked.attempt(Outcome::Success, None));
    let mut commit = store.commit().create(&session);
    if let Ok(user) = asked.user.parse::<UserId>() {
        commit = commit.emit(IdentityEvent::UserSignedIn { user, client: kind.to_string() });
    }
    commit = commit.create(&attempt).put(&Alive::key(&asked.user, &asked.client_id), &alive);
    if found.lock != Lock::default() {
        commit = commit.delete(&Lock::key(&asked.user));
    }
    welcome(commit, found, now).run().await?;
    Ok(alive)
}

/// What changes on the user's own record: only the first sign-in, and one that ends a lock.
fn welcome(commit: Commit, found: &Found, now: jiff::Timestamp) -> Commit {
    let Some(old) = &found.person.record else { return commit };
    let first = old.body.status == Status::Invited;
    if !first && old.body.locked_until.is_none() {
        return commit;
    }
    let mut new: Record<User> = old.next(now);
    (new.body.locked_until, new.body.failed_attempts, new.body.last_login_at) = (None, 0, Some(now));
    if !first {
        return commit.update("unlock", old, &new).emit(IdentityEvent::UserChanged { user: new.id });
    }
    (new.body.status, new.body.joined_at) = (Status::Active, Some(now));
    let event = IdentityEvent::UserActivated { user: new.id, person: new.body.person.clone() };
    standing::follow(commit.update("activate", old, &new).emit(event), Some(old), &new)
}
