//! Events of the `patients` module: ids and codes only.

use jiff::Timestamp;
use kernel::{AllergyId, CoverageId, FlagId, MergeId, PatientId, SiteId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum PatientEvent {
    #[serde(rename = "patient.registered")]
    Registered {
        patient: PatientId,
        number: String,
        site: SiteId,
        registration: String,
        /// Records that the registrar decided to be other people: a task for the records officer.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        overridden: Vec<PatientId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mother: Option<PatientId>,
    },
    #[serde(rename = "patient.updated")]
    Updated { patient: PatientId, fields: Vec<String> },
    #[serde(rename = "patient.identity_completed")]
    IdentityCompleted { patient: PatientId, fields: Vec<String> },
    /// An unidentified or provisional registration that nobody has completed for a day (and each day after).
    #[serde(rename = "patient.identity_overdue")]
    IdentityOverdue { patient: PatientId, site: SiteId, registered_by: String, registration: String },
    #[serde(rename = "patient.merged")]
    Merged { survivor: PatientId, duplicate: PatientId, merge: MergeId },
    #[serde(rename = "patient.unmerged")]
    Unmerged { survivor: PatientId, duplicate: PatientId, merge: MergeId },
    #[serde(rename = "patient.discharged")]
    Discharged { patient: PatientId, site: SiteId },
    #[serde(rename = "patient.deceased")]
    Deceased { patient: PatientId, at: Timestamp, precision: String, source: String },
    #[serde(rename = "patient.death_reversed")]
    DeathReversed { patient: PatientId, status: String },
    #[serde(rename = "allergy.recorded")]
    AllergyRecorded {
        allergy: AllergyId,
        patient: PatientId,
        code: Option<String>,
        category: String,
        criticality: String,
    },
    #[serde(rename = "allergy.changed")]
    AllergyChanged { allergy: AllergyId, patient: PatientId, clinical: String, verification: String },
    #[serde(rename = "flag.raised")]
    FlagRaised { flag: FlagId, patient: PatientId, code: String, severity: String },
    #[serde(rename = "flag.ended")]
    FlagEnded { flag: FlagId, patient: PatientId, code: String },
    #[serde(rename = "coverage.added")]
    CoverageAdded { coverage: CoverageId, patient: PatientId, payer_type: String, payer: Option<String> },
    #[serde(rename = "coverage.changed")]
    CoverageChanged { coverage: CoverageId, patient: PatientId, status: String },
    #[serde(rename = "coverage.expired")]
    CoverageExpired { coverage: CoverageId, patient: PatientId },
}
