//! The register of patients: who is treated here, what everybody who meets them has to know, and what has
//! happened with them.
//!
//! Waits for its own issue: the portal and proxies (PAT-6). Their routes (`/v1/patients/me`,
//! `/v1/patients/proxies`, `/v1/patients/{id}/portal`), the kind `prx` and the facts `linked` and `circle` are
//! theirs; until then nobody reaches a patient as themselves or as a relative.

pub mod allergy;
mod background;
mod care;
mod chart;
pub mod coverage;
pub mod flag;
pub mod matching;
mod merge;
pub mod patient;
mod reactions;
pub mod related_person;
pub mod spelling;
pub mod timeline;

use web::Module;

/// What the function is, for the cloud, the laptop and the tests alike.
pub fn module() -> Module {
    let routes = [
        patient::api::routes(),
        related_person::routes(),
        allergy::routes(),
        flag::routes(),
        background::routes(),
        coverage::routes(),
        merge::routes(),
        timeline::routes(),
    ];
    let tasks = vec![patient::emergency::reminder(), flag::ending(), coverage::expiry()];
    Module::new("patients", routes.into_iter().flatten().collect()).reacts(reactions::all()).does(tasks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::reserved_fields;

    #[test]
    fn no_field_of_a_noun_collides_with_the_tables_own() {
        let all = [
            reserved_fields::<patient::Patient>(),
            reserved_fields::<related_person::RelatedPerson>(),
            reserved_fields::<allergy::Allergy>(),
            reserved_fields::<flag::Flag>(),
            reserved_fields::<background::Background>(),
            reserved_fields::<coverage::Coverage>(),
            reserved_fields::<merge::Merge>(),
        ];
        assert_eq!(all.concat(), [] as [String; 0]);
    }

    #[test]
    fn every_event_of_the_specification_is_heard_once() {
        let mut all: Vec<&str> = module().reactions.iter().map(|r| r.event).collect();
        all.sort_unstable();
        let count = all.len();
        all.dedup();
        assert_eq!(all.len(), count);
        for event in [
            "patient_visit.checked_in",
            "appointment.no_show",
            "encounter.signed",
            "admission.died",
            "payment.received",
        ] {
            assert!(all.contains(&event), "{event}");
        }
    }
}
