//! Allergies and intolerances (FHIR AllergyIntolerance), and the assertion that there are none.

mod api;
mod fact;

pub use api::routes;
pub use fact::{AllergyFact, add_all};

use crate::{
    chart::{self, Command, Entry, Written},
    patient::{AllergyStatus, Asserted, Patient, check::Desk, facts as published},
};
use authz::Only;
use events::PatientEvent;
use kernel::{AllergyId, Error, Fault, PatientId, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Commit, Entity, Fact, List, Record, Row, Unique, facts};
use web::{Ctx, Noun, Reach};

kernel::words! {
    pub enum System { Atc = "atc", Rxnorm = "rxnorm", Ingredient = "ingredient", Class = "class", Text = "text" }
}
kernel::words! {
    pub enum Category { Medication = "medication", Food = "food", Environment = "environment", Biologic = "biologic" }
}
kernel::words! { pub enum Kind { Allergy = "allergy", Intolerance = "intolerance" } }
kernel::words! {
    pub enum Criticality { Low = "low", High = "high", UnableToAssess = "unable_to_assess" }
}
kernel::words! { pub enum Severity { Mild = "mild", Moderate = "moderate", Severe = "severe" } }
kernel::words! {     #[derive(Default)]
pub enum Clinical { #[default] Active = "active", Inactive = "inactive", Resolved = "resolved" } }
kernel::words! {
    #[derive(Default)]
    pub enum Verification {
        #[default] Unconfirmed = "unconfirmed", Confirmed = "confirmed", Refuted = "refuted", EnteredInError = "entered_in_error",
    }
}
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Substance {
    pub system: System,
    /// In the system's spelling; needed unless the system is `text`.
    #[schemars(length(min = 1, max = 40))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[schemars(length(min = 1, max = 200))]
    pub text: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Reaction {
    #[schemars(length(min = 1, max = 40))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[schemars(length(min = 1, max = 300))]
    pub manifestation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onset: Option<jiff::civil::Date>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Allergy {
    #[schemars(extend("readOnly" = true))]
    #[serde(default = "chart::nobody")]
    pub patient_id: PatientId,
    pub substance: Substance,
    pub category: Category,
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criticality: Option<Criticality>,
    #[schemars(length(max = 20))]
    #[serde(default)]
    pub reactions: Sealed<Vec<Reaction>>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub clinical_status: Clinical,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub verification_status: Verification,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub recorded_by: String,
    /// Who said so: the patient, a relative, a letter.
    #[schemars(length(min = 1, max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asserter: Option<Sealed<String>>,
    #[schemars(length(min = 1, max = 2000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed<String>>,
}

impl Allergy {
    /// Whether prescribers have to heed it.
    pub fn active(&self) -> bool {
        let believed =
            matches!(self.verification_status, Verification::Unconfirmed | Verification::Confirmed);
        believed && self.clinical_status == Clinical::Active
    }
    fn code(&self) -> Option<String> {
        self.substance.code.clone()
    }
}

impl Entity for Allergy {
    type Id = AllergyId;
    const NOUN: &'static str = "allergy";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] =
        &[List::by("patient", &["patient"], |r| vec![Row::new(&[&r.body.patient_id], &[&r.id])])];
    /// One active allergy per substance.
    const UNIQUE: &'static [Unique<Self>] =
        &[Unique::of("substance", "allergy-listed", |a| match (a.active(), &a.substance.code) {
            (true, Some(code)) => vec![format!("{}~{}:{code}", a.patient_id, a.substance.system)],
            _ => vec![],
        })];
}

impl Noun for Allergy {
    fn within(_: &Record<Self>, reach: Reach, _: &web::Actor) -> bool {
        reach == Reach::All
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        if ctx.may(Self::EDIT) == Reach::None || !record.body.active() {
            return vec![];
        }
        Self::COMMANDS.iter().map(|c| c.name).collect()
    }
}

fn open(a: &Allergy, command: &'static str) -> Result<()> {
    match a.active() {
        true => Ok(()),
        false => Err(Error::State {
            command,
            state: format!("{} and {}", a.clinical_status, a.verification_status),
        }),
    }
}

impl Entry for Allergy {
    const PATH: &'static str = "allergies";
    const VIEW: &'static str = "allergy.view";
    const EDIT: &'static str = "allergy.edit";
    const MOST: usize = 100;
    const COMMANDS: &'static [Command<Self>] = &[
        Command {
            name: "confirm",
            reason: false,
            says: "The allergy has been confirmed",
            run: |a, _, _| open(a, "confirm").map(|()| a.verification_status = Verification::Confirmed),
        },
        Command {
            name: "refute",
            reason: true,
            says: "Tests or history speak against the allergy",
            run: |a, _, _| open(a, "refute").map(|()| a.verification_status = Verification::Refuted),
        },
        Command {
            name: "resolve",
            reason: true,
            says: "The allergy no longer exists",
            run: |a, _, _| open(a, "resolve").map(|()| a.clinical_status = Clinical::Resolved),
        },
        Command {
            name: "entered_in_error",
            reason: true,
            says: "The entry was a mistake",
            run: |a, _, _| {
                open(a, "entered_in_error").map(|()| a.verification_status = Verification::EnteredInError)
            },
        },
    ];

    fn patient(&self) -> PatientId {
        self.patient_id
    }
    fn belongs(&mut self, patient: PatientId) {
        self.patient_id = patient;
    }
    fn normalise(&mut self, _: Desk) -> Vec<Fault> {
        if let Some(code) = &mut self.substance.code {
            *code = code.trim().to_ascii_uppercase();
        }
        let coded = self.substance.system == System::Text
            || self.substance.code.as_ref().is_some_and(|c| !c.is_empty());
        let missing =
            || Fault::new("/substance/code", "code-required", "name the code, or use the system `text`");
        if coded { vec![] } else { vec![missing()] }
    }
    fn begin(&mut self, ctx: &Ctx) {
        self.recorded_by = ctx.actor().user.clone();
    }

    const FACT: Option<Fact> = Some(facts::ALLERGIES);
    /// The desk knows what to keep away from the patient, not what happened.
    fn qualified(&mut self, only: Only) {
        if only == Only::Names {
            self.reactions = Sealed(vec![]);
            (self.note, self.asserter) = (None, None);
        }
    }

    fn commit(ctx: &Ctx, w: Written<'_, Self>) -> Result<Commit> {
        chart::standing(w.patient)?;
        let a = &w.new.body;
        let event = match w.old {
            None => recorded(w.new),
            Some(_) => PatientEvent::AllergyChanged {
                allergy: w.new.id,
                patient: a.patient_id,
                clinical: a.clinical_status.to_string(),
                verification: a.verification_status.to_string(),
            },
        };
        let read: AllergyFact = w.seen()?;
        let commit = w.begin(ctx).emit(event);
        let commit = chart::fact_at(commit, facts::ALLERGIES, w.patient.id, read.rev, &read.with(w.new));
        Ok(mirror(commit, w.patient, restated(ctx, w.patient, AllergyStatus::Listed).as_ref()))
    }
}

pub(crate) fn recorded(record: &Record<Allergy>) -> PatientEvent {
    let a = &record.body;
    PatientEvent::AllergyRecorded {
        allergy: record.id,
        patient: a.patient_id,
        code: a.code(),
        category: a.category.to_string(),
        criticality: a.criticality.unwrap_or(Criticality::UnableToAssess).to_string(),
    }
}

/// The patient with another state of allergies; nothing, if it has that state.
pub(crate) fn restated(
    ctx: &Ctx,
    patient: &Record<Patient>,
    status: AllergyStatus,
) -> Option<Record<Patient>> {
    if patient.body.allergy_status == status {
        return None;
    }
    let mut next = patient.next(ctx.now());
    next.body.allergy_status = status;
    let asserted = || Asserted { by: ctx.actor().user.clone(), at: next.updated_at };
    next.body.allergy_asserted = (status == AllergyStatus::NoneKnown).then(asserted);
    Some(next)
}

/// The patient carries the state; where it stays as it is, the patient only has to be live.
pub(crate) fn mirror(commit: Commit, patient: &Record<Patient>, next: Option<&Record<Patient>>) -> Commit {
    match next {
        None => chart::require_live(commit, patient.id, false),
        Some(next) => published::publish(commit.update("allergy_status", patient, next), Some(patient), next),
    }
}
