//! What the register publishes about a patient: written in the commit of the change, read and required by
//! every module that writes about the person.

use super::{Confidentiality, Gender, Patient, Status};
use kernel::{PatientId, SiteId};
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Commit, Record, facts};

/// `fact#patient#<pat>`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PatientFact {
    /// New records may name this patient.
    pub live: bool,
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<PatientId>,
    #[serde(default)]
    pub aliases: Vec<PatientId>,
    pub gender: Gender,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<Sealed<String>>,
    pub site: SiteId,
    pub confidentiality: Confidentiality,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

/// `fact#contact#<pat>`, for people without a login.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ContactFact {
    name: Sealed<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Sealed<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<Sealed<String>>,
    language: Option<Sealed<String>>,
    preferred: Option<String>,
    do_not_contact: bool,
}

fn patient_fact(record: &Record<Patient>) -> PatientFact {
    let p = &record.body;
    PatientFact {
        live: p.live() && record.deleted_at.is_none(),
        status: p.status,
        merged_into: p.merged_into,
        aliases: p.aliases.clone(),
        gender: p.person.gender,
        birth_date: p.person.birth_date.clone(),
        site: p.site_id,
        confidentiality: p.person.confidentiality,
        user_id: p.user_id.clone(),
    }
}

fn contact_fact(p: &Patient) -> ContactFact {
    let person = &p.person;
    let phone = person.phones.iter().find(|n| n.primary).or(person.phones.first());
    let preference = person.contact_preference.clone();
    let named = preference.as_ref().and_then(|c| c.language.clone()).map(Sealed);
    ContactFact {
        name: Sealed(p.full_name()),
        email: person.email.clone(),
        phone: phone.map(|n| Sealed(n.number.clone())),
        language: named.or(person.language.clone()),
        preferred: preference.as_ref().and_then(|c| c.channel).map(|c| c.to_string()),
        do_not_contact: p.deceased.is_some()
            || p.merged_into.is_some()
            || preference.is_some_and(|c| c.do_not_contact),
    }
}

/// Writes what differs from the version before.
pub fn publish(mut commit: Commit, old: Option<&Record<Patient>>, new: &Record<Patient>) -> Commit {
    if old.is_none_or(|o| patient_fact(o) != patient_fact(new)) {
        commit = commit.fact(facts::PATIENT, new.id, &patient_fact(new));
    }
    if old.is_none_or(|o| contact_fact(&o.body) != contact_fact(&new.body)) {
        commit = commit.fact(facts::CONTACT, new.id, &contact_fact(&new.body));
    }
    let died = |r: &Record<Patient>| r.body.deceased.as_ref().map(|d| d.at);
    match (old.and_then(died), died(new)) {
        (was, Some(at)) if was != Some(at) => commit.fact(facts::DECEASED, new.id, &json!({"at": at})),
        (Some(_), None) => commit.drop_fact(facts::DECEASED, new.id),
        _ => commit,
    }
}
