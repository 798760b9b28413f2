//! When a command waits: the organisation's policies of it, published by workflow as a fact and cached; the shipped
//! ones where it has none of its own.

use crate::Ctx;
use kernel::{Error, Result};
use rules::{Condition, Known};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
    time::{Duration, Instant},
};
use store::{Plain, Scope, facts};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Approvers {
    /// One of these roles; roles lent for a while do not count.
    #[serde(default)]
    #[schemars(length(max = 10))]
    pub roles: Vec<String>,
    #[serde(default)]
    #[schemars(length(max = 20))]
    pub users: Vec<String>,
    /// They work at the record's site.
    #[serde(default)]
    pub same_site: bool,
}

/// `fact#approval_policy#<command>` holds these, in their order; the first that applies decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// `apy_…` with its version, or `shipped`.
    pub id: String,
    #[serde(default)]
    pub when: Option<String>,
    #[serde(default)]
    pub approvers: Approvers,
    pub needed: u8,
    pub expires_hours: u32,
    #[serde(default)]
    pub reason_required: bool,
}

/// The fact itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicyFact {
    #[serde(default)]
    pub policies: Vec<Policy>,
}

/// A policy that the product ships.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
pub struct Shipped {
    pub command: String,
    /// Holds where the organisation says nothing.
    pub on: bool,
    /// Editions in which it is on; all, if empty.
    #[serde(default)]
    pub editions: Vec<String>,
    #[serde(default)]
    pub when: Option<String>,
    #[serde(default)]
    pub approvers: Approvers,
    pub needed: u8,
    pub expires_hours: u32,
    #[serde(default)]
    pub reason_required: bool,
    pub says: String,
}

/// Hours after which a request that the command itself made wait is over.
pub(crate) const HOURS: u32 = 72;

/// What is shipped, from `data/approval_policies.json`.
pub fn shipped() -> &'static [Shipped] {
    static ALL: LazyLock<Vec<Shipped>> = LazyLock::new(|| {
        serde_json::from_str(include_str!("../../data/approval_policies.json"))
            .expect("read by this crate's tests")
    });
    &ALL
}

/// The variables that a policy's `when` may name.
pub fn known() -> Known {
    Known::approvals()
}

pub(crate) struct Ready {
    pub policy: Policy,
    when: Option<std::result::Result<Condition, String>>,
}

type Kept = HashMap<(Scope, &'static str), (Instant, Arc<Vec<Ready>>)>;

/// Policies of this environment, kept for a minute.
#[derive(Default)]
pub struct Policies(Mutex<Kept>);

const KEPT: Duration = Duration::from_secs(60);

impl Policies {
    /// Forgets what is cached of an organisation: workflow need not wait for itself.
    pub fn forget(&self, scope: Scope) {
        self.0.lock().expect("never poisoned").retain(|(s, _), _| *s != scope);
    }

    /// As a new process begins.
    pub(crate) fn forget_all(&self) {
        self.0.lock().expect("never poisoned").clear();
    }

    async fn of(&self, ctx: &Ctx, command: &'static str) -> Result<Arc<Vec<Ready>>> {
        let key = (ctx.scope(), command);
        let cached = self.0.lock().expect("never poisoned").get(&key).cloned();
        if let Some((until, ready)) = cached
            && until > Instant::now()
        {
            return Ok(ready);
        }
        let fact: Option<PolicyFact> = ctx.store().fact(facts::APPROVAL_POLICY, command).await?;
        let policies = fact.map_or_else(|| of_the_product(ctx, command), |f| f.policies);
        let ready = |policy: Policy| {
            let when = policy.when.as_ref().map(|text| {
                Condition::compile(text, &known()).map_err(|f| format!("column {}: {}", f.column, f.detail))
            });
            Ready { policy, when }
        };
        let ready = Arc::new(policies.into_iter().map(ready).collect::<Vec<_>>());
        self.0.lock().expect("never poisoned").insert(key, (Instant::now() + KEPT, ready.clone()));
        Ok(ready)
    }
}

fn of_the_product(ctx: &Ctx, command: &str) -> Vec<Policy> {
    let edition = ctx.gate().tenant.as_ref().map(|t| t.edition.to_string()).unwrap_or_default();
    let holds = |s: &&Shipped| {
        s.on && s.command == command && (s.editions.is_empty() || s.editions.contains(&edition))
    };
    shipped().iter().filter(holds).map(Shipped::policy).collect()
}

impl Shipped {
    pub fn policy(&self) -> Policy {
        Policy {
            id: "shipped".into(),
            when: self.when.clone(),
            approvers: self.approvers.clone(),
            needed: self.needed,
            expires_hours: self.expires_hours,
            reason_required: self.reason_required,
        }
    }
}

/// The policy that makes this command wait, if one does, and the record as it stands. A condition that cannot be
/// answered waits too: whoever broke it does not let money pass.
pub(crate) async fn applying(ctx: &Ctx, command: &'static str) -> Result<Option<(Policy, Option<Plain>)>> {
    let ready = ctx.app().policies().of(ctx, command).await?;
    if ready.is_empty() {
        return Ok(None);
    }
    let record = super::ask::record(ctx).await?;
    let input = input(ctx, record.as_ref())?;
    for Ready { policy, when } in ready.iter() {
        let applies = match when {
            None => true,
            Some(Err(fault)) => {
                tracing::error!(command, fault, "an approval policy cannot be read: the command waits");
                true
            }
            Some(Ok(condition)) => {
                let outcome = condition.test(&input);
                if let Some(why) = &outcome.why {
                    tracing::warn!(
                        command,
                        why,
                        "an approval policy could not be answered: the command waits"
                    );
                }
                outcome.matched || outcome.why.is_some()
            }
        };
        if applies {
            return Ok(Some((policy.clone(), record)));
        }
    }
    Ok(None)
}

fn input(ctx: &Ctx, record: Option<&Plain>) -> Result<Value> {
    let sent = ctx.sent().ok_or_else(|| Error::internal("a command that waits without its request"))?;
    let body: Value = serde_json::from_slice(&sent.body).unwrap_or(Value::Null);
    Ok(json!({
        "request": {"body": body, "method": sent.method, "path": sent.path},
        "record": record.map(|r| r.body.clone()),
        "actor": crate::conditions::actor(ctx),
        "tenant": crate::conditions::tenant(ctx),
        "now": ctx.now(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_policy_can_be_read_and_stands_once() {
        let mut seen = vec![];
        for policy in shipped() {
            assert!((1..=3).contains(&policy.needed), "{}", policy.command);
            assert!(!seen.contains(&policy.command), "{}", policy.command);
            seen.push(policy.command.clone());
            if let Some(when) = &policy.when {
                Condition::compile(when, &known()).unwrap_or_else(|f| panic!("{}: {f:?}", policy.command));
            }
        }
    }
}
