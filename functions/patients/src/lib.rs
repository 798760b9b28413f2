//! The register of patients: who is treated here, what everybody who meets them has to know, and what has
//! happened with them.
//!
//! Waits for its own issue: the portal and proxies (PAT-6). Their routes (`/v1/patients/me`,
//! `/v1/patients/proxies`, `/v1/patients/{id}/portal`), the kind `prx` and the facts `linked` and `circle` are
//! theirs; until then nobody reaches a patient as themselves or as a relative.

pub mod allergy;
mod approval;
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
        approval::routes(),
        timeline::routes(),
    ];
    let tasks = vec![patient::emergency::reminder(), flag::ending(), coverage::expiry()];
    Module::new("patients", routes.into_iter().flatten().collect()).reacts(reactions::all()).does(tasks)
}
