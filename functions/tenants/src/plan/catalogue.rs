//! The shipped plans and the modules of each edition, as data files.

use super::{Plan, Status};
use authz::Edition;
use serde::Deserialize;
use std::{collections::BTreeMap, sync::LazyLock};

#[derive(Deserialize)]
struct Modules {
    core: Vec<String>,
    editions: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Plans {
    plans: Vec<Plan>,
}

static MODULES: LazyLock<Modules> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/modules.json")).expect("read by this crate's tests")
});

/// Modules that are never switched off.
pub fn core() -> &'static [String] {
    &MODULES.core
}

/// Modules with a feature for this edition, without the core.
pub fn modules_of(edition: Edition) -> &'static [String] {
    MODULES.editions.get(edition.as_str()).map_or(&[], Vec::as_slice)
}

pub fn is_module(name: &str) -> bool {
    MODULES.core.iter().chain(MODULES.editions.values().flatten()).any(|m| m == name)
}

/// Basic, Professional and Enterprise as they are sold today.
pub fn shipped() -> Vec<Plan> {
    let read: Plans =
        serde_json::from_str(include_str!("../../data/plans.json")).expect("read by this crate's tests");
    read.plans.into_iter().map(|plan| Plan { status: Status::Published, ..plan }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::country::Region;
    use web::Noun;

    #[test]
    fn every_shipped_plan_can_be_sold_in_both_regions() {
        let plans = shipped();
        assert_eq!(
            plans.iter().map(|p| p.code.as_str()).collect::<Vec<_>>(),
            ["Basic", "Professional", "Enterprise"]
        );
        for plan in &plans {
            assert_eq!(plan.check(), vec![], "{}", plan.code);
            assert!(plan.sellable(Region::Africa).is_ok() && plan.sellable(Region::Europe).is_ok());
        }
    }

    #[test]
    fn a_dearer_plan_never_takes_a_module_or_lowers_a_limit() {
        for pair in shipped().windows(2) {
            for edition in Edition::ALL {
                let (small, large) = (pair[0].licensed(*edition), pair[1].licensed(*edition));
                assert!(small.iter().all(|m| large.contains(m)), "{edition}");
            }
            assert!(pair[0].limits.lost_to(&pair[1].limits).is_empty());
        }
    }

    #[test]
    fn the_gates_core_and_the_catalogues_are_one() {
        assert_eq!(core(), web::gate::CORE.iter().map(|m| m.to_string()).collect::<Vec<_>>());
    }

    #[test]
    fn training_is_no_part_of_basic() {
        let basic = &shipped()[0];
        assert!(!basic.licensed(Edition::Hospital).contains(&"training".to_string()));
        assert!(basic.licensed(Edition::Hospital).contains(&"patients".to_string()));
        assert!(!basic.licensed(Edition::Eap).contains(&"patients".to_string()));
    }
}
