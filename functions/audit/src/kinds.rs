//! Which kinds of records are clinical, about people, about money: data, not code.

use authz::Only;
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Deserialize)]
pub struct Kinds {
    clinical: Vec<String>,
    people: Vec<String>,
    money: Vec<String>,
    persons: Vec<String>,
    /// Fields that name the person a record is about, in this order.
    pub about: Vec<String>,
}

pub static KINDS: LazyLock<Kinds> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/kinds.json")).expect("the file is checked by a test")
});

impl Kinds {
    /// Whether a right that is restricted like this covers the kind.
    pub fn covers(&self, only: Option<Only>, kind: &str) -> bool {
        let is = |of: &[String]| of.iter().any(|k| k == kind);
        match only {
            Some(Only::NonClinical) => !is(&self.clinical),
            Some(Only::PeopleKinds) => is(&self.people),
            Some(Only::MoneyKinds) => is(&self.money),
            _ => true,
        }
    }
    /// Whether a record of this kind is a person.
    pub fn is_person(&self, kind: &str) -> bool {
        self.persons.iter().any(|k| k == kind)
    }
}

/// The kind of a record's id.
pub fn kind_of(record: &str) -> Option<&'static str> {
    let (kind, ulid) = record.split_once('_')?;
    let (kind, _) = kernel::KINDS.iter().find(|(known, _)| *known == kind)?;
    kernel::Ulid::from_string(ulid).is_ok_and(|u| u.to_string() == ulid).then_some(*kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_in_the_file_is_one_of_the_products() {
        let Kinds { clinical, people, money, persons, .. } = &*KINDS;
        for kind in clinical.iter().chain(people).chain(money).chain(persons) {
            assert!(kernel::KINDS.iter().any(|(known, _)| known == kind), "{kind}");
        }
    }

    #[test]
    fn a_narrow_right_covers_its_own_kinds_and_no_others() {
        assert!(KINDS.covers(None, "pat") && !KINDS.covers(Some(Only::NonClinical), "pat"));
        assert!(KINDS.covers(Some(Only::PeopleKinds), "usr") && !KINDS.covers(Some(Only::MoneyKinds), "usr"));
        assert_eq!(kind_of("pat_01J00000000000000000000000"), Some("pat"));
        assert_eq!((kind_of("pat_1"), kind_of("xyz_01J00000000000000000000000")), (None, None));
    }
}
