//! The numbers that other modules name: each with a default and the bounds a tenant may choose within.

use super::{Part, Section};
use kernel::{Fault, Result, country::Country, error::faultless};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::LazyLock};
use web::gate::TenantGate;

#[derive(Deserialize)]
struct Table {
    policies: Vec<Policy>,
}

/// A policy as the product knows it.
#[derive(Clone, Debug, Deserialize)]
pub struct Policy {
    pub name: String,
    pub default: i64,
    pub min: i64,
    pub max: i64,
    pub says: String,
}

static POLICIES: LazyLock<Vec<Policy>> = LazyLock::new(|| {
    let table: Table =
        serde_json::from_str(include_str!("../../data/policies.json")).expect("read by this crate's tests");
    table.policies
});

pub fn all() -> &'static [Policy] {
    &POLICIES
}

/// What this organisation has chosen; what is not named is the default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Policies(pub BTreeMap<String, i64>);

fn fault(name: &str, value: i64) -> Option<Fault> {
    let at = format!("/{name}");
    let Some(policy) = all().iter().find(|p| p.name == name) else {
        let near =
            all().iter().min_by_key(|p| strsim::damerau_levenshtein(&p.name, name)).map(|p| p.name.as_str());
        return Some(Fault::new(
            at,
            "unknown",
            format!("no such policy; did you mean {}?", near.unwrap_or_default()),
        ));
    };
    let fits = (policy.min..=policy.max).contains(&value);
    (!fits).then(|| Fault::new(at, "range", format!("{} to {}: {}", policy.min, policy.max, policy.says)))
}

impl Part for Policies {
    const SECTION: Section = Section::Policies;
    fn first(_: Country) -> Self {
        Self::default()
    }
    fn check(&mut self, _: &Self, _: &TenantGate) -> Result<()> {
        faultless(self.0.iter().filter_map(|(name, value)| fault(name, *value)).collect())
    }
    fn publish(&self, gate: &mut TenantGate) {
        for policy in all() {
            match self.0.get(&policy.name) {
                Some(value) => gate.policies.insert(policy.name.clone(), (*value).into()),
                None => gate.policies.remove(&policy.name),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_lies_within_its_own_bounds() {
        for policy in all() {
            assert!((policy.min..=policy.max).contains(&policy.default), "{}", policy.name);
            assert_eq!(fault(&policy.name, policy.default), None);
            assert_eq!(fault(&policy.name, policy.max + 1).unwrap().code, "range");
        }
    }

    #[test]
    fn an_unknown_policy_is_told_its_nearest_neighbour() {
        let fault = fault("patients.probabel", 70).unwrap();
        assert!(fault.detail.contains("patients.probable?"), "{}", fault.detail);
    }
}
