//! Tiers of partner keys: how fast, how much a day, how many keys (`data/tiers.json`; the template's usage plans say
//! the same, which a test compares).

use serde::Deserialize;
use std::{collections::BTreeMap, sync::LazyLock};

kernel::words! {
    /// Narrowest first.
    pub enum Tier { Basic = "basic", Professional = "professional", Enterprise = "enterprise" }
}

kernel::words! {
    pub enum Environment { Live = "live", Sandbox = "sandbox" }
}

/// What a usage plan allows.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Allowed {
    pub per_second: f64,
    pub burst: f64,
    pub per_day: u64,
    /// Keys that an organisation may hold; none for the sandbox, which is no organisation's tier.
    pub keys: Option<i64>,
}

#[derive(Deserialize)]
struct File {
    tiers: BTreeMap<String, Allowed>,
}

static TIERS: LazyLock<BTreeMap<String, Allowed>> = LazyLock::new(|| {
    let file: File = serde_json::from_str(include_str!("../data/tiers.json")).expect("tested");
    file.tiers
});

/// Every usage plan by its name.
pub fn all() -> &'static BTreeMap<String, Allowed> {
    &TIERS
}

impl Tier {
    /// The tier of a subscription: a plan made for one organisation gets the widest.
    pub fn of_plan(plan: &str) -> Self {
        plan.to_lowercase().parse().unwrap_or(Self::Enterprise)
    }
    /// The usage plan that a key of this tier lies in.
    pub fn usage_plan(self, environment: Environment) -> &'static str {
        match environment {
            Environment::Live => self.as_str(),
            Environment::Sandbox => environment.as_str(),
        }
    }
    pub fn allowed(self, environment: Environment) -> Allowed {
        TIERS[self.usage_plan(environment)]
    }
    /// Keys that an organisation of this tier may hold.
    pub fn keys(self) -> i64 {
        TIERS[self.as_str()].keys.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tier_and_the_sandbox_are_in_the_file() {
        for tier in Tier::ALL {
            assert!(tier.allowed(Environment::Live).per_day > 0 && tier.keys() > 0, "{tier}");
        }
        assert_eq!(Tier::Enterprise.allowed(Environment::Sandbox).per_day, 1000);
        assert!(
            Tier::Basic.keys() < Tier::Professional.keys()
                && Tier::Professional.keys() < Tier::Enterprise.keys()
        );
    }

    #[test]
    fn a_plan_of_ones_own_is_of_the_widest_tier() {
        assert_eq!(Tier::of_plan("Basic"), Tier::Basic);
        assert_eq!(Tier::of_plan("Professional"), Tier::Professional);
        assert_eq!(Tier::of_plan("Custom:grace"), Tier::Enterprise);
    }
}
