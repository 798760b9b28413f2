//! The patient: who is treated here.

pub mod age;
pub mod api;
pub mod card;
pub mod check;
pub mod duplicates;
pub mod edit;
pub mod emergency;
pub mod facts;
pub mod guards;
pub mod index;
pub mod life;
pub mod newborn;
pub mod number;
pub mod parts;
pub mod register;
pub mod search;

pub use parts::*;

use crate::matching::{Document, Number, Person};
use jiff::{Timestamp, civil::Date};
use kernel::{DocumentId, Error, Lifecycle, PatientId, SiteId, Step, Ulid, identifier::Scheme};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use store::{Due, Entity, List, Record, Row, Token};
use web::{Actor, Ctx, Noun, Reach};

/// What people tell about themselves and staff write down: everything that an edit may change.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Demographics {
    /// Given by hand where the numbering of hospital numbers is `manual`; unique.
    #[schemars(length(min = 1, max = 20))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hospital_number: Option<String>,
    /// Numbers of earlier systems.
    #[schemars(length(max = 5))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legacy_numbers: Vec<LegacyNumber>,
    #[schemars(length(min = 1, max = 60))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_names: Option<Sealed<String>>,
    #[schemars(length(min = 1, max = 60))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub middle_names: Option<Sealed<String>>,
    /// Required, except of an unidentified person.
    #[schemars(length(min = 1, max = 60))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family_name: Option<Sealed<String>>,
    /// Somebody with one name only: it stands in `family_name`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub single_name: bool,
    #[schemars(length(min = 1, max = 60))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_name: Option<Sealed<String>>,
    /// Names borne before; searchable.
    #[schemars(length(max = 5))]
    #[serde(default, skip_serializing_if = "none_sealed")]
    pub previous_names: Sealed<Vec<String>>,
    #[schemars(length(min = 1, max = 30))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Sealed<String>>,
    /// `YYYY-MM-DD`, between 1900 and today in the organisation's zone.
    #[schemars(length(min = 1, max = 20))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<Sealed<String>>,
    #[serde(default)]
    pub birth_date_precision: Precision,
    /// `HH:MM`, for newborns.
    #[schemars(length(min = 5, max = 8))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_time: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multiple_birth: Option<MultipleBirth>,
    pub gender: Gender,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blood_group: Option<Sealed<BloodGroup>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blood_group_source: Option<Source>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genotype: Option<Sealed<Genotype>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub genotype_source: Option<Source>,
    /// As dialled at home or with the country's code; kept as E.164. Families share numbers.
    #[schemars(length(max = 3))]
    #[serde(default, skip_serializing_if = "none_sealed")]
    pub phones: Sealed<Vec<Phone>>,
    /// Why there is no telephone, where there is none.
    #[schemars(length(min = 1, max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_phone_reason: Option<String>,
    #[schemars(length(min = 3, max = 254))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Sealed<Address>>,
    #[schemars(length(max = 6))]
    #[serde(default, skip_serializing_if = "none_sealed")]
    pub identifiers: Sealed<Vec<Identifier>>,
    /// ISO 3166.
    #[schemars(length(min = 2, max = 2))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nationality: Option<Sealed<String>>,
    /// BCP 47.
    #[schemars(length(min = 2, max = 35))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Sealed<String>>,
    #[schemars(length(min = 1, max = 60))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub religion: Option<Sealed<String>>,
    #[schemars(length(min = 1, max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occupation: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marital_status: Option<Sealed<MaritalStatus>>,
    /// Code of the state (`LA`); the national insurance asks for it.
    #[schemars(length(min = 2, max = 2))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_of_origin: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photo_document_id: Option<DocumentId>,
    #[serde(default)]
    pub confidentiality: Confidentiality,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_preference: Option<ContactPreference>,
    #[serde(default)]
    pub registration: Registration,
    /// Fields of the organisation's own.
    #[schemars(extend("maxProperties" = 30))]
    #[serde(default, skip_serializing_if = "no_custom")]
    pub custom: Sealed<Map<String, Value>>,
}

fn none_sealed<T>(list: &Sealed<Vec<T>>) -> bool {
    list.0.is_empty()
}
fn no_custom(map: &Sealed<Map<String, Value>>) -> bool {
    map.0.is_empty()
}

/// A patient as the table keeps it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Patient {
    /// Never edited, never reused.
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub number: String,
    #[serde(flatten)]
    pub person: Demographics,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub status: Status,
    /// When the status was reached, by its source's time: older news never moves it.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_at: Option<Timestamp>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub inpatient: bool,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deceased: Option<Deceased>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub allergy_status: AllergyStatus,
    /// Who asserted the state of allergies, and when.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allergy_asserted: Option<Asserted>,
    /// Mirror of the active covers, by which duplicates are found.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "none_sealed")]
    pub members: Sealed<Vec<Membership>>,
    /// Member number of the active national insurance.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nhis_number: Option<Sealed<String>>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mother_id: Option<PatientId>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub registered_by: String,
    /// The organisation's local day.
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub registration_date: Date,
    /// The registrar's site.
    #[schemars(extend("readOnly" = true))]
    #[serde(default = "nowhere")]
    pub site_id: SiteId,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<PatientId>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<PatientId>,
    /// Records that somebody decided to be other people.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_same_as: Vec<PatientId>,
    /// Another record holds the guard of this very name, date, telephone and sex.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shares_guard: bool,
    /// A visit, a note or another record names this patient: it is not deleted any more.
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub has_records: bool,
    /// When somebody is reminded to find out who this is.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminder_at: Option<Timestamp>,
}

fn nowhere() -> SiteId {
    kernel::Id::of(Ulid::nil())
}

impl Entity for Patient {
    type Id = PatientId;
    const NOUN: &'static str = "patient";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[
        List::<Self>::by("site", &["site"], |r| vec![Row::new(&[&r.body.site_id], &[&r.body.status, &r.id])])
            .then(&["status"])
            .range(),
        List::newest().range(),
    ];

    fn due(record: &Record<Self>) -> Vec<Due> {
        record.body.reminder_at.into_iter().map(|at| Due { at, what: "identity" }).collect()
    }
    fn tokens(&self) -> Vec<Token> {
        index::tokens(self)
    }
}

impl Noun for Patient {
    const BREAK_GLASS: bool = true;
    /// Restricted and very restricted records need a care relation, whatever the site.
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        match (reach, record.body.person.confidentiality) {
            (Reach::All, _) => true,
            (Reach::Site | Reach::Team, Confidentiality::N) => actor.sites.has(&record.body.site_id),
            _ => false,
        }
    }
    /// A patient under the caller's care is within reach of staff at any site.
    async fn proven(ctx: &Ctx, record: &Record<Self>) -> kernel::Result<bool> {
        match ctx.reach() {
            Reach::Assigned | Reach::Team | Reach::Site => {
                crate::care::has(ctx, &record.body.ids(record.id)).await
            }
            _ => Ok(false),
        }
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        life::actions(record, ctx)
    }
}

impl Lifecycle for Patient {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] = &[Step::<Self>::of(
        "discharge",
        "patient.discharge",
        &[Status::InDiagnosis, Status::Treatment],
        Status::Discharged,
    )
    .guard(|p, _| match p.inpatient {
        true => Err(Error::conflict("still-admitted", "this patient is admitted: discharge the admission")),
        false => Ok(()),
    })];
}

impl Patient {
    /// Its own id and those of the records merged into it.
    pub fn ids(&self, own: PatientId) -> Vec<PatientId> {
        std::iter::once(own).chain(self.aliases.iter().copied()).collect()
    }
    /// Whether new records may name this patient.
    pub fn live(&self) -> bool {
        self.merged_into.is_none() && self.deceased.is_none()
    }
    /// Given and family name, as a sentence would say it.
    pub fn full_name(&self) -> String {
        self.person.full_name()
    }
}

impl Demographics {
    pub fn given(&self) -> &str {
        self.given_names.as_ref().map_or("", |n| n.0.as_str())
    }
    pub fn family(&self) -> &str {
        self.family_name.as_ref().map_or("", |n| n.0.as_str())
    }
    pub fn full_name(&self) -> String {
        [self.given(), self.family()].into_iter().filter(|n| !n.is_empty()).collect::<Vec<_>>().join(" ")
    }
    /// After the check it is a date.
    pub fn born(&self) -> Option<Date> {
        self.birth_date.as_ref()?.0.parse().ok()
    }
    pub fn estimated(&self) -> bool {
        self.birth_date_precision == Precision::Estimated
    }
    /// Nobody knows who this is: names and dates are placeholders that say nothing.
    pub fn unidentified(&self) -> bool {
        self.registration == Registration::Unidentified
    }

    /// As the comparison sees this person.
    pub fn compared(&self, members: &[Membership]) -> Person {
        use crate::spelling::name;
        let words = |text: &str| {
            name(text).split(' ').filter(|w| !w.is_empty()).map(String::from).collect::<Vec<_>>()
        };
        let lower = |text: &Option<String>| text.as_deref().map(|t| t.trim().to_lowercase().replace(' ', ""));
        let address = self.address.as_ref().map(|a| &a.0);
        let document = |i: &Identifier| Document {
            scheme: i.scheme,
            issuer: i.issuer.clone().unwrap_or_default().to_lowercase(),
            value: i.value.clone(),
        };
        let known = !self.unidentified();
        Person {
            family: if known { name(self.family()) } else { String::new() },
            given: if known { words(self.given()) } else { vec![] },
            middle: self.middle_names.as_ref().map(|n| words(n)).unwrap_or_default(),
            previous: self.previous_names.iter().map(|n| name(n)).collect(),
            birth: self.born(),
            precision: Some(self.birth_date_precision),
            gender: Some(self.gender),
            phones: self
                .phones
                .iter()
                .map(|p| Number { number: p.number.clone(), relative: p.owner == PhoneOwner::Relative })
                .collect(),
            email: self.email.as_ref().map(|e| e.0.clone()),
            documents: self.identifiers.iter().filter(|i| i.scheme != Scheme::Other).map(document).collect(),
            members: members.iter().map(Membership::compared).collect(),
            postcode: address.and_then(|a| lower(&a.postcode)),
            lga: address.and_then(|a| lower(&a.lga)),
            city: address.and_then(|a| lower(&a.city)),
        }
    }
}
