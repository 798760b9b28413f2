//! TEN-4: what a plan allows, counted exactly. Each counted limit is a few items `left` that commits take from;
//! a plan change moves the difference in one commit.

use crate::plan::{Plan, catalogue};
use authz::Edition;
use axum::{http::Method, routing::get};
use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{Commit, Key, Store, When, facts};
use web::{
    Answer, Ctx, Route,
    gate::{Calls, MONTHLY},
    ok, route,
};

/// Absent = unlimited.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<u64>,
    /// Patients, service users or beneficiaries, by edition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patients: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doctors: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receptionists: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sites: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_gb: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_calls_month: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms_month: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ai_tokens_month: Option<u64>,
}

/// A limit that commits take from, spread over items so that none of them is hot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    pub name: &'static str,
    pub shards: u32,
}

const fn quota(name: &'static str, shards: u32) -> Quota {
    Quota { name, shards }
}

pub const SITES: Quota = quota("sites", 1);
/// Storage is counted in bytes.
pub const QUOTAS: &[Quota] = &[
    quota("users", 1),
    quota("doctors", 1),
    quota("receptionists", 1),
    SITES,
    quota("patients", 16),
    quota("storage", 4),
];

/// What an unlimited quota holds, so that use stays countable and a later limit exact.
const UNLIMITED: i64 = 1_000_000_000_000_000;
const GB: u64 = 1 << 30;

impl Limits {
    pub fn named(&self) -> [(&'static str, Option<u64>); 9] {
        let Self {
            users,
            patients,
            doctors,
            receptionists,
            sites,
            storage_gb,
            api_calls_month,
            sms_month,
            ai_tokens_month,
        } = self;
        [
            ("users", *users),
            ("patients", *patients),
            ("doctors", *doctors),
            ("receptionists", *receptionists),
            ("sites", *sites),
            ("storage_gb", *storage_gb),
            ("api_calls_month", *api_calls_month),
            ("sms_month", *sms_month),
            ("ai_tokens_month", *ai_tokens_month),
        ]
    }

    pub fn map(&self) -> BTreeMap<String, u64> {
        self.named().into_iter().filter_map(|(name, most)| Some((name.to_string(), most?))).collect()
    }

    fn of(&self, name: &str) -> Option<u64> {
        self.named().into_iter().find(|(n, _)| *n == name)?.1
    }

    /// What a quota starts with.
    fn allowed(&self, quota: &Quota) -> i64 {
        let most = match quota.name {
            "storage" => self.storage_gb.map(|gb| gb.saturating_mul(GB)),
            name => self.of(name),
        };
        most.and_then(|m| i64::try_from(m).ok()).map_or(UNLIMITED, |m| m.min(UNLIMITED))
    }

    /// These limits where `special` says nothing else.
    pub fn with(&self, special: &Limits) -> Limits {
        Limits {
            users: special.users.or(self.users),
            patients: special.patients.or(self.patients),
            doctors: special.doctors.or(self.doctors),
            receptionists: special.receptionists.or(self.receptionists),
            sites: special.sites.or(self.sites),
            storage_gb: special.storage_gb.or(self.storage_gb),
            api_calls_month: special.api_calls_month.or(self.api_calls_month),
            sms_month: special.sms_month.or(self.sms_month),
            ai_tokens_month: special.ai_tokens_month.or(self.ai_tokens_month),
        }
    }

    /// Limits that are narrower in `other`: name, now, then.
    pub fn lost_to(&self, other: &Limits) -> Vec<(&'static str, Option<u64>, u64)> {
        let pairs = self.named().into_iter().zip(other.named());
        pairs
            .filter_map(|((name, now), (_, then))| {
                then.filter(|t| now.is_none_or(|n| *t < n)).map(|t| (name, now, t))
            })
            .collect()
    }
}

/// A shard's part; the first ones take the remainder.
fn share(allowed: i64, shards: u32, shard: u32) -> i64 {
    let (n, at) = (i64::from(shards), i64::from(shard));
    allowed / n + i64::from(at < allowed % n)
}

/// The quotas of a new organisation, of which its main site has taken one. A second run changes nothing.
pub fn found(mut commit: Commit, limits: &Limits) -> Commit {
    for quota in QUOTAS {
        for shard in 0..quota.shards {
            let left = share(limits.allowed(quota), quota.shards, shard) - i64::from(*quota == SITES);
            let exists = |_| Error::conflict("exists", "the limits were set before");
            commit = commit.put_if(
                &Key::quota(quota.name, shard),
                &serde_json::json!({"left": left}),
                When::Absent,
                exists,
            );
        }
    }
    commit
}

/// Moves the difference between two sets of limits. What is already used beyond the new limit stays, and
/// nothing more can be taken until use has fallen.
pub fn moved(mut commit: Commit, from: &Limits, to: &Limits) -> Commit {
    for quota in QUOTAS {
        for shard in 0..quota.shards {
            let of = |limits: &Limits| share(limits.allowed(quota), quota.shards, shard);
            let difference = of(to) - of(from);
            if difference != 0 {
                commit = commit.add(&Key::quota(quota.name, shard), "left", difference);
            }
        }
    }
    commit
}

/// One limit as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Use {
    pub limit: &'static str,
    /// Null = unlimited.
    pub allowed: Option<i64>,
    pub used: i64,
}

/// What of each quota is used, under the limits that hold now.
pub async fn uses(store: &Store, limits: &Limits) -> Result<Vec<Use>> {
    let keys: Vec<Key> =
        QUOTAS.iter().flat_map(|q| (0..q.shards).map(|shard| Key::quota(q.name, shard))).collect();
    let mut found = store.read_many(&keys).await?.into_iter();
    let mut all = vec![];
    for quota in QUOTAS {
        let shards = found.by_ref().take(quota.shards as usize);
        let left: i64 = shards.map(|item| item.and_then(|i| i["left"].as_i64()).unwrap_or_default()).sum();
        let allowed = limits.allowed(quota);
        let shown = (allowed != UNLIMITED).then_some(allowed);
        all.push(Use { limit: quota.name, allowed: shown, used: allowed - left });
    }
    Ok(all)
}

/// Limits that are used beyond what `to` allows.
pub fn exceeded<'a>(uses: &'a [Use], to: &Limits) -> Vec<(&'a Use, i64)> {
    let allowed = |u: &Use| QUOTAS.iter().find(|q| q.name == u.limit).map_or(UNLIMITED, |q| to.allowed(q));
    uses.iter().map(|u| (u, allowed(u))).filter(|(u, most)| u.used > *most).collect()
}

/// By limit and module: the plans among `plans` that allow more, or give it.
pub fn lifted_by(
    limits: &Limits,
    licensed: &[String],
    edition: Edition,
    plans: &[Plan],
) -> BTreeMap<String, Vec<String>> {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for plan in plans.iter().filter(|p| p.editions.contains(&edition)) {
        for (name, most) in limits.named() {
            if let Some(most) = most
                && plan.limits.of(name).is_none_or(|more| more > most)
            {
                all.entry(name.into()).or_default().push(plan.name.clone());
            }
        }
        for module in catalogue::modules_of(edition)
            .iter()
            .filter(|m| !licensed.contains(m) && plan.modules.contains(m))
        {
            all.entry(module.clone()).or_default().push(plan.name.clone());
        }
    }
    all
}

#[derive(Serialize, JsonSchema)]
struct Standing {
    data: Vec<Use>,
}

pub fn routes() -> Vec<Route> {
    let path = "/v1/tenants/self/limits";
    vec![
        route(Method::GET, path, "subscription.view", "limit.list", get(standing))
            .gives::<Standing>(200)
            .trips(1)
            .says("What the plan allows, and how much of it is used"),
    ]
}

async fn standing(ctx: Ctx) -> Answer {
    let limits = serde_json::to_value(&ctx.tenant()?.limits).map_err(Error::internal)?;
    let limits: Limits = serde_json::from_value(limits).map_err(Error::internal)?;
    let calls = ctx.store().fact::<Calls>(facts::API_CALLS, "self");
    let (mut data, calls) = futures::try_join!(uses(ctx.store(), &limits), calls)?;
    // What integrations publishes: a hundredth of it may be on its way.
    let allowed = limits.api_calls_month.and_then(|most| i64::try_from(most).ok());
    let used = calls.map_or(0, |calls| calls.of_month(ctx.now()));
    data.push(Use { limit: MONTHLY, allowed, used: i64::try_from(used).unwrap_or(i64::MAX) });
    ok(&Standing { data })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_hold_exactly_what_is_allowed() {
        for allowed in [0, 1, 15, 16, 17, 5000, UNLIMITED] {
            assert_eq!((0..16).map(|n| share(allowed, 16, n)).sum::<i64>(), allowed);
        }
        assert_eq!(share(17, 16, 0), 2);
        assert_eq!(share(17, 16, 15), 1);
    }

    #[test]
    fn an_override_beats_the_plan_and_leaves_the_rest() {
        let plan = Limits { users: Some(25), patients: Some(5000), ..Limits::default() };
        let special = Limits { users: Some(40), ..Limits::default() };
        let both = plan.with(&special);
        assert_eq!((both.users, both.patients, both.doctors), (Some(40), Some(5000), None));
        assert_eq!(both.lost_to(&plan), [("users", Some(40), 25)]);
    }

    #[test]
    fn use_beyond_a_smaller_plan_is_told_with_numbers() {
        let uses =
            [Use { limit: "users", allowed: None, used: 30 }, Use { limit: "sites", allowed: None, used: 1 }];
        let basic = Limits { users: Some(25), sites: Some(1), ..Limits::default() };
        let over = exceeded(&uses, &basic);
        assert_eq!(
            over.iter().map(|(u, most)| (u.limit, u.used, *most)).collect::<Vec<_>>(),
            [("users", 30, 25)]
        );
    }

    #[test]
    fn the_shards_are_those_that_other_modules_take_from() {
        for (name, shards) in testkit::SHARDS {
            assert!(QUOTAS.contains(&quota(name, *shards)), "{name}");
        }
    }
}
