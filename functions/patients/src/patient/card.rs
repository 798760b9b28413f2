//! The card: enough to know whom one has in front of oneself, and no more.

use super::{Confidentiality, Gender, Patient, Status, age};
use jiff::civil::Date;
use kernel::{DocumentId, PatientId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::Record;
use web::{Actor, Noun, Reach};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Card {
    pub id: PatientId,
    pub number: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hospital_number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_name: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<age::Age>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<Gender>,
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo_document_id: Option<DocumentId>,
    /// Flags that all staff may see; only where the card was looked up, not in plain lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<Vec<String>>,
    /// The record is restricted: who may not identify this person sees the number alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restricted: bool,
    /// The record that was found has been merged into this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_from: Option<PatientId>,
}

impl Card {
    pub fn of(record: &Record<Patient>, today: Date) -> Self {
        let p = &record.body;
        Self {
            id: record.id,
            number: p.number.clone(),
            hospital_number: p.person.hospital_number.clone(),
            name: Some(Sealed(p.full_name())),
            preferred_name: p.person.preferred_name.clone(),
            age: p.person.born().map(|born| age::age(born, today)),
            gender: Some(p.person.gender),
            status: p.status,
            photo_document_id: p.person.photo_document_id,
            flags: None,
            restricted: false,
            merged_from: None,
        }
    }

    /// What somebody sees who may know that there is a record, and not whose.
    pub fn masked(record: &Record<Patient>) -> Self {
        let p = &record.body;
        Self {
            id: record.id,
            number: p.number.clone(),
            hospital_number: None,
            name: None,
            preferred_name: None,
            age: None,
            gender: None,
            status: p.status,
            photo_document_id: None,
            flags: None,
            restricted: true,
            merged_from: None,
        }
    }

    /// As a caller with this reach of `patient.identify` may see it: whole; masked, at the caller's site but
    /// restricted; or not at all.
    pub fn seen(record: &Record<Patient>, reach: Reach, actor: &Actor, today: Date) -> Option<Self> {
        if Patient::within(record, reach, actor) {
            return Some(Self::of(record, today));
        }
        let here = reach >= Reach::Site && actor.sites.has(&record.body.site_id);
        let restricted = record.body.person.confidentiality != Confidentiality::N;
        (here && restricted).then(|| Self::masked(record))
    }
}
