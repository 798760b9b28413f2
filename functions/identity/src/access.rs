//! The fact `access#self`: what takes or gives rights between two tokens. One item per organisation, written
//! only here: read, changed and put back on the condition that nobody wrote it meanwhile, else all again.

use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use std::{
    future::Future,
    time::{Duration, Instant},
};
use store::{Commit, Key, Store, When, facts};
use web::{
    Answer, Ctx, Shown,
    gate::{AccessGate, AccessRule, Elevated, Revoked},
};

/// Longer than any token of a person lives (10 minutes): an older entry names no token any more.
const KEPT: SignedDuration = SignedDuration::from_mins(20);
/// The same for machines, whose tokens live 12 hours.
const KEPT_OF_MACHINES: SignedDuration = SignedDuration::from_hours(13);
/// More revocations than this become one for everybody.
const MOST: usize = 1000;
/// Somebody else wrote it first; never seen outside of [`retried`].
const CHANGED: &str = "access-changed";
/// How long a change waits for others of the same organisation.
const PATIENCE: Duration = Duration::from_secs(15);

#[derive(Serialize, Deserialize, Default)]
struct Stored {
    #[serde(default)]
    version: u64,
    #[serde(flatten)]
    gate: AccessGate,
}

/// The fact as it was read.
pub struct Access {
    stored: Stored,
    /// What holds of the item as long as it is the one that was read.
    unchanged: When,
    now: Timestamp,
}

impl Access {
    pub async fn read(store: &Store) -> Result<Self> {
        let found: Option<Stored> = store.fact(facts::ACCESS, "self").await?;
        let unchanged = unchanged(found.as_ref());
        Ok(Self { stored: found.unwrap_or_default(), unchanged, now: store.now() })
    }

    pub fn gate(&self) -> &AccessGate {
        &self.stored.gate
    }

    /// Tokens of older generations have ended; with `ended`, there is no new one either.
    pub fn revoke(mut self, user: impl ToString, generation: u64, ended: bool) -> Self {
        let entry = Revoked { generation, at: self.now, ended };
        self.stored.gate.revoked.insert(user.to_string(), entry);
        self
    }

    /// One session has ended: its tokens share the id that its first one got.
    pub fn end_session(mut self, origin: &str, until: Timestamp) -> Self {
        self.stored.gate.sessions.insert(origin.into(), until);
        self
    }

    pub fn lend(mut self, elevated: Elevated) -> Self {
        self.stored.gate.elevated.retain(|e| e.elevation != elevated.elevation);
        self.stored.gate.elevated.push(elevated);
        self
    }

    pub fn take_back(mut self, elevation: impl ToString) -> Self {
        let elevation = elevation.to_string();
        self.stored.gate.elevated.retain(|e| e.elevation != elevation);
        self
    }

    pub fn set_override(mut self, change: authz::Override) -> Self {
        self = self.drop_override(&change.role, &change.permission);
        self.stored.gate.overrides.push(change);
        self
    }

    pub fn drop_override(mut self, role: &str, permission: &str) -> Self {
        self.stored.gate.overrides.retain(|o| (o.role.as_str(), o.permission.as_str()) != (role, permission));
        self
    }

    pub fn set_role(mut self, role: authz::CustomRole) -> Self {
        self = self.drop_role(&role.slug);
        self.stored.gate.custom.push(role);
        self
    }

    pub fn drop_role(mut self, slug: &str) -> Self {
        self.stored.gate.custom.retain(|r| r.slug != slug);
        self
    }

    /// One rule per role.
    pub fn set_rule(mut self, rule: AccessRule) -> Self {
        self = self.drop_rule(&rule.role);
        self.stored.gate.rules.push(rule);
        self
    }

    pub fn drop_rule(mut self, role: &str) -> Self {
        self.stored.gate.rules.retain(|r| r.role != role);
        self
    }

    /// Puts it into the commit of the record that it follows from.
    pub fn write(mut self, commit: Commit) -> Commit {
        prune(&mut self.stored.gate, self.now);
        self.stored.version += 1;
        let changed = |_| Error::conflict(CHANGED, "rights were changed by somebody else at the same moment");
        commit.put_if(&Key::fact(facts::ACCESS, "self"), &self.stored, self.unchanged, changed)
    }
}

/// In the platform's own part the tenants module writes the fact too (operators' networks and tokens), without a
/// version: there, what it writes is compared.
fn unchanged(found: Option<&Stored>) -> When {
    match found {
        None => When::Absent,
        Some(Stored { version: 0, gate }) => {
            let same = store::is("rules", &gate.rules).and(store::is("revoked", &gate.revoked));
            When::Without("version").and(same)
        }
        Some(stored) => store::is("version", stored.version),
    }
}

/// Drops what names nothing any more.
fn prune(gate: &mut AccessGate, now: Timestamp) {
    let kept = |user: &str| if user.starts_with("pky_") { KEPT_OF_MACHINES } else { KEPT };
    gate.revoked.retain(|user, r| now.duration_since(r.at) < kept(user));
    gate.sessions.retain(|_, until| now < *until);
    gate.elevated.retain(|e| now < e.until);
    gate.overrides.retain(|o| o.is_live(now));
    if gate.revoked.len() > MOST {
        // A machine's token does not say when its holder signed in: its entry stays.
        gate.revoked.retain(|user, _| user.starts_with("pky_"));
        gate.not_before = Some(now);
    }
}

/// Does the whole work (reading included) again while others write the fact at the same moment.
pub async fn retried<T, F, Fut>(mut work: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T>>,
{
    let end = Instant::now() + PATIENCE;
    let mut most = 20;
    loop {
        match work().await {
            Err(Error::Refused(r)) if r.code == CHANGED => {}
            other => return other,
        }
        let pause = Duration::from_millis(rand::random_range(0..=most));
        if Instant::now() + pause > end {
            return Err(Error::Busy);
        }
        tokio::time::sleep(pause).await;
        most = 400.min(most * 2);
    }
}

/// Runs a commit that holds the fact, and lets this environment see it at once.
pub async fn settle(ctx: &Ctx, commit: Commit, shown: Shown) -> Result<axum::response::Response> {
    let answer: Answer = ctx.settle(commit, shown).await;
    ctx.app().gates().forget(ctx.scope());
    answer.map_err(|refused| refused.0)
}

/// The same for reactions and tasks.
pub async fn run(ctx: &Ctx, commit: Commit) -> Result<()> {
    commit.run().await?;
    ctx.app().gates().forget(ctx.scope());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        "2026-11-20T09:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minute)
    }
    fn empty(now: Timestamp) -> Access {
        Access { stored: Stored::default(), unchanged: When::Absent, now }
    }

    #[test]
    fn a_revocation_is_kept_longer_than_any_token_lives_and_then_dropped() {
        let access = empty(at(0)).revoke("usr_1", 2, false);
        let mut gate = access.stored.gate;
        prune(&mut gate, at(19));
        assert!(gate.revoked.contains_key("usr_1"));
        prune(&mut gate, at(20));
        assert!(gate.revoked.is_empty());
    }

    #[test]
    fn a_machines_revocation_outlives_its_tokens_of_twelve_hours() {
        let mut gate = empty(at(0)).revoke("pky_1", 0, true).stored.gate;
        prune(&mut gate, at(12 * 60 + 1));
        assert!(gate.revoked.contains_key("pky_1"));
        prune(&mut gate, at(13 * 60));
        assert!(gate.revoked.is_empty());
    }

    #[test]
    fn more_revocations_than_the_fact_holds_end_everybodys_tokens() {
        let mut access = empty(at(0));
        for n in 0..=MOST {
            access = access.revoke(format!("usr_{n}"), 2, false);
        }
        prune(&mut access.stored.gate, at(0));
        assert!(access.stored.gate.revoked.is_empty());
        assert_eq!(access.stored.gate.not_before, Some(at(0)));
    }

    #[test]
    fn what_has_run_out_is_dropped_with_the_next_writing() {
        let lent = |id: &str, until| Elevated {
            elevation: id.into(),
            user: "usr_1".into(),
            role: "tenant_admin".into(),
            from: at(0),
            until,
        };
        let access = empty(at(0)).lend(lent("elv_1", at(60))).lend(lent("elv_2", at(120)));
        let mut gate = access.end_session("abc", at(90)).stored.gate;
        prune(&mut gate, at(90));
        assert_eq!(gate.elevated.len(), 1);
        assert_eq!(gate.elevated[0].elevation, "elv_2");
        assert!(gate.sessions.is_empty());
    }

    #[test]
    fn an_override_is_one_per_role_and_permission() {
        let over = |reach| authz::Override {
            role: "receptionist".into(),
            permission: "user.view".into(),
            reach,
            expires: None,
        };
        let access =
            empty(at(0)).set_override(over(authz::Reach::Site)).set_override(over(authz::Reach::None));
        assert_eq!(access.gate().overrides, vec![over(authz::Reach::None)]);
    }
}
