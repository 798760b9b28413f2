//! What follows from a user for everybody else: facts, membership, limits, and that one administrator stays.
//! All in the commit that changes the user.

use super::{Status, User};
use authz::Edition;
use kernel::Error;
use seal::Sealed;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeSet;
use store::{Commit, Key, Record, When, facts};

/// Limits of the plan, and the role that counts for each (`users`: everybody).
const LIMITS: &[(&str, Option<&str>)] =
    &[("users", None), ("doctors", Some("doctor")), ("receptionists", Some("receptionist"))];

/// How messages reach a person.
#[derive(Serialize)]
struct Contact<'a> {
    name: Sealed<String>,
    email: Option<&'a Sealed<String>>,
    phone: Option<&'a Sealed<String>>,
    language: &'a str,
    zone: &'a str,
    preferred: super::profile::Channel,
    do_not_contact: bool,
}

/// Administrators who can sign in now; the item is counted in the commits that make and unmake them.
pub fn administrators() -> Key {
    Key::item("count", "admins", ".")
}

/// Everything that a user's new state means beyond the record itself.
pub fn follow(commit: Commit, old: Option<&Record<User>>, new: &Record<User>) -> Commit {
    let commit = limits(commit, old, new);
    let commit = keep_an_administrator(commit, old, new);
    let commit = membership(commit, old, new);
    let commit = led(commit, old, new);
    publish(commit, old, new)
}

fn live(record: &Record<User>) -> bool {
    record.deleted_at.is_none()
}

fn counted(record: &Record<User>, role: Option<&str>) -> bool {
    live(record) && record.body.status.counts() && role.is_none_or(|role| record.body.has(role))
}

fn limits(mut commit: Commit, old: Option<&Record<User>>, new: &Record<User>) -> Commit {
    for (limit, role) in LIMITS {
        let was = old.is_some_and(|old| counted(old, *role));
        commit = match (was, counted(new, *role)) {
            (false, true) => commit.take(limit, 1, new.id),
            (true, false) => commit.give(limit, 1, new.id),
            _ => commit,
        };
    }
    commit
}

fn administers(record: &Record<User>) -> bool {
    live(record) && record.body.status == Status::Active && record.body.has("tenant_admin")
}

fn keep_an_administrator(commit: Commit, old: Option<&Record<User>>, new: &Record<User>) -> Commit {
    match (old.is_some_and(administers), administers(new)) {
        (false, true) => commit.add(&administrators(), "value", 1),
        // Their login begins anew (`renew-login`): they stay the administrator, and may be the last.
        (true, false) if live(new) && new.body.status == Status::Invited => {
            commit.add(&administrators(), "value", -1)
        }
        (true, false) => commit.add_if(&administrators(), "value", -1, When::Above("value", 1), |_| {
            Error::conflict("last-administrator", "this is the last administrator: appoint another one first")
        }),
        _ => commit,
    }
}

fn roles_held(record: &Record<User>) -> BTreeSet<&str> {
    match live(record) && record.body.status.works() {
        true => record.body.roles.iter().map(String::as_str).collect(),
        false => BTreeSet::new(),
    }
}

fn membership(mut commit: Commit, old: Option<&Record<User>>, new: &Record<User>) -> Commit {
    let was = old.map(roles_held).unwrap_or_default();
    let is = roles_held(new);
    let key = |role: &str| Key::member(facts::MEMBERS, format!("role~{role}"), new.id);
    for role in is.difference(&was) {
        commit = commit.put(&key(role), &json!({"user": new.id}));
    }
    for role in was.difference(&is) {
        commit = commit.delete(&key(role));
    }
    commit
}

/// Kept also of whoever works no more: their work goes to the manager then.
fn led(commit: Commit, old: Option<&Record<User>>, new: &Record<User>) -> Commit {
    let manager = |record: &Record<User>| record.body.manager.filter(|_| live(record));
    match (old.and_then(manager), manager(new)) {
        (_, Some(manager)) => commit.fact(facts::MANAGER, new.id, &json!({"manager": manager})),
        (Some(_), None) => commit.drop_fact(facts::MANAGER, new.id),
        (None, None) => commit,
    }
}

/// Somebody may be led by an active user other than themselves.
pub fn require_manager(commit: Commit, old: Option<&User>, new: &Record<User>) -> kernel::Result<Commit> {
    let wanted = new.body.manager.filter(|m| old.is_none_or(|old| old.manager != Some(*m)));
    match wanted {
        None => Ok(commit),
        Some(manager) if manager == new.id => {
            Err(Error::field("own-manager", "/manager", "nobody leads themselves: name another user"))
        }
        Some(manager) => Ok(commit.require(facts::ACTIVE_USER, manager, || {
            Error::field("manager-unknown", "/manager", "there is no such active user in this organisation")
        })),
    }
}

fn publish(commit: Commit, old: Option<&Record<User>>, new: &Record<User>) -> Commit {
    let works = |record: &Record<User>| live(record) && record.body.status.works();
    let body = &new.body;
    match (old.is_some_and(works), works(new)) {
        (_, true) => {
            let contact = Contact {
                name: body.called().into(),
                email: body.email.as_ref(),
                phone: body.phone.as_ref(),
                language: &body.language,
                zone: &body.time_zone,
                preferred: body.contact_preference.channel,
                do_not_contact: false,
            };
            let active = json!({"status": body.status, "roles": body.roles, "sites": body.sites});
            commit.fact(facts::ACTIVE_USER, new.id, &active).fact(facts::CONTACT, new.id, &contact)
        }
        (true, false) => commit.drop_fact(facts::ACTIVE_USER, new.id).drop_fact(facts::CONTACT, new.id),
        (false, false) => commit,
    }
}

/// Whether the role asks for a second factor in this organisation; custom roles as what they are based on.
pub fn needs_mfa(roles: &[String], custom: &[authz::CustomRole], edition: Option<Edition>) -> bool {
    let base = |slug: &String| {
        let custom = custom.iter().find(|c| c.slug == *slug).map(|c| c.based_on.as_str());
        authz::role(slug).or_else(|| authz::role(custom?))
    };
    roles.iter().filter_map(base).any(|role| role.needs_mfa(edition))
}
