//! Coverage (FHIR Coverage): who pays for the patient. What a payer covers is billing's.

mod due;
mod fact;

pub use due::expiry;
pub use fact::{CoverageFact, add_all};

use crate::{
    chart::{self, Command, Entry, Written},
    patient::{Membership, Patient, check::Desk, facts as published},
};
use events::PatientEvent;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use kernel::{CoverageId, DocumentId, Error, Fault, PatientId, Result, identifier};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Commit, Due, Entity, Fact, List, Record, Row, Unique, facts};
use web::{Ctx, Noun, Reach, Route};

kernel::words! {
    pub enum PayerType {
        Nhia = "nhia", Hmo = "hmo", Private = "private", Corporate = "corporate", Payer = "self",
    }
}
kernel::words! {
    pub enum Relation { Principal = "principal", Spouse = "spouse", Child = "child", Dependant = "dependant" }
}
kernel::words! {
    #[derive(Default)]
    pub enum State { #[default] Active = "active", Expired = "expired", Suspended = "suspended", Cancelled = "cancelled" }
}
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Verified {
    pub at: Timestamp,
    #[schemars(length(min = 1, max = 100))]
    pub by: String,
    #[schemars(length(min = 1, max = 100))]
    pub source: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    #[schemars(extend("readOnly" = true))]
    #[serde(default = "chart::nobody")]
    pub patient_id: PatientId,
    pub payer_type: PayerType,
    /// The payer in billing's register.
    #[schemars(length(min = 1, max = 40))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_id: Option<String>,
    #[schemars(length(min = 1, max = 80))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    #[schemars(length(min = 1, max = 40))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member_number: Option<Sealed<String>>,
    pub relation: Relation,
    /// Which dependant of the principal.
    #[schemars(range(min = 0, max = 9))]
    #[serde(default)]
    pub ordinal: u8,
    #[schemars(length(min = 1, max = 120))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal_name: Option<Sealed<String>>,
    pub valid_from: Date,
    /// The last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Date>,
    #[schemars(length(min = 1, max = 120))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_facility: Option<String>,
    #[serde(default)]
    pub authorisation_needed: bool,
    /// Bills go here first; one at a time.
    #[serde(default)]
    pub primary: bool,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<Verified>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_document_id: Option<DocumentId>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub status: State,
}

impl Coverage {
    pub fn payer(&self) -> String {
        self.payer_id.clone().unwrap_or_else(|| self.payer_type.to_string())
    }
    /// As duplicates are compared; nothing for those who pay themselves.
    pub fn membership(&self) -> Option<Membership> {
        let number = self.member_number.as_ref()?.0.clone();
        let payer = self.payer();
        Some(Membership { payer, number, relation: self.relation.to_string(), ordinal: self.ordinal })
    }
}

/// What one person alone has at a payer.
pub fn seat(m: &Membership) -> String {
    format!("{}|{}|{}|{}", m.payer, identifier::comparable(&m.number), m.relation, m.ordinal)
}

/// The member number of the national insurance among these.
pub fn nhis_number(members: &[Membership]) -> Option<String> {
    members.iter().find(|m| m.payer.starts_with("nhia")).map(|m| m.number.clone())
}

impl Entity for Coverage {
    type Id = CoverageId;
    const NOUN: &'static str = "coverage";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] =
        &[List::by("patient", &["patient"], |r| vec![Row::new(&[&r.body.patient_id], &[&r.id])])];
    const UNIQUE: &'static [Unique<Self>] = &[
        Unique::of("member", "coverage-taken", |c| match (c.status, c.membership()) {
            (State::Active | State::Suspended, Some(m)) => vec![seat(&m)],
            _ => vec![],
        }),
        Unique::of("primary", "primary-taken", |c| {
            if c.primary && c.status == State::Active { vec![c.patient_id.to_string()] } else { vec![] }
        }),
    ];
    /// The day after the last one begins.
    fn due(record: &Record<Self>) -> Vec<Due> {
        let c = &record.body;
        let live = matches!(c.status, State::Active | State::Suspended);
        let end =
            c.valid_to.filter(|_| live).and_then(|day| day.tomorrow().ok()?.to_zoned(TimeZone::UTC).ok());
        end.map(|end| Due { at: end.timestamp(), what: "expiry" }).into_iter().collect()
    }
}

impl Noun for Coverage {
    fn within(_: &Record<Self>, reach: Reach, _: &web::Actor) -> bool {
        reach == Reach::All
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        if ctx.may(Self::EDIT) == Reach::None {
            return vec![];
        }
        match record.body.status {
            State::Active => vec!["verify", "suspend", "cancel"],
            State::Suspended => vec!["resume", "cancel"],
            State::Expired | State::Cancelled => vec![],
        }
    }
}

fn step(c: &mut Coverage, command: &'static str, from: &[State], to: State) -> Result<()> {
    if !from.contains(&c.status) {
        return Err(Error::State { command, state: c.status.to_string() });
    }
    c.status = to;
    Ok(())
}

impl Entry for Coverage {
    const PATH: &'static str = "coverages";
    const VIEW: &'static str = "coverage.view";
    const EDIT: &'static str = "coverage.edit";
    const MOST: usize = 20;
    const FACT: Option<Fact> = Some(facts::COVERAGE);
    const COMMANDS: &'static [Command<Self>] = &[
        Command {
            name: "verify",
            reason: true,
            says: "The payer confirmed the cover; the reason names the source",
            run: |c, ctx, why| {
                step(c, "verify", &[State::Active], State::Active)?;
                c.verified = Some(Verified {
                    at: ctx.now(),
                    by: ctx.actor().user.clone(),
                    source: why.unwrap_or("desk").chars().take(100).collect(),
                });
                Ok(())
            },
        },
        Command {
            name: "suspend",
            reason: true,
            says: "The payer does not pay for the time being",
            run: |c, _, _| step(c, "suspend", &[State::Active], State::Suspended),
        },
        Command {
            name: "resume",
            reason: false,
            says: "The payer pays again",
            run: |c, _, _| step(c, "resume", &[State::Suspended], State::Active),
        },
        Command {
            name: "cancel",
            reason: true,
            says: "The cover has ended for good",
            run: |c, _, _| step(c, "cancel", &[State::Active, State::Suspended], State::Cancelled),
        },
    ];

    fn patient(&self) -> PatientId {
        self.patient_id
    }
    fn belongs(&mut self, patient: PatientId) {
        self.patient_id = patient;
    }
    fn normalise(&mut self, _: Desk) -> Vec<Fault> {
        let mut faults = vec![];
        match (&mut self.member_number, self.payer_type) {
            (Some(number), PayerType::Nhia) => match identifier::nhia_member_number(number) {
                Ok(kept) => number.0 = kept,
                Err(e) => faults.push(e.fault("/member_number")),
            },
            (Some(number), _) => number.0 = number.trim().to_ascii_uppercase(),
            (None, PayerType::Payer) => {}
            (None, _) => {
                faults.push(Fault::new("/member_number", "required", "a payer knows its members by number"))
            }
        }
        if self.valid_to.is_some_and(|to| to < self.valid_from) {
            faults.push(Fault::new("/valid_to", "range", "ends before it begins"));
        }
        faults
    }

    fn commit(ctx: &Ctx, w: Written<'_, Self>) -> Result<Commit> {
        if w.old.is_none() {
            chart::standing(w.patient)?;
        }
        let event = match w.old {
            None => added(w.new),
            Some(_) => PatientEvent::CoverageChanged {
                coverage: w.new.id,
                patient: w.new.body.patient_id,
                status: w.new.body.status.to_string(),
            },
        };
        let read: CoverageFact = w.seen()?;
        let fact = read.with(w.new);
        let commit = w.begin(ctx).emit(event);
        let commit = chart::fact_at(commit, facts::COVERAGE, w.patient.id, read.rev, &fact);
        Ok(mirror(ctx, commit, w.patient, &fact))
    }
}

pub(crate) fn added(record: &Record<Coverage>) -> PatientEvent {
    let c = &record.body;
    PatientEvent::CoverageAdded {
        coverage: record.id,
        patient: c.patient_id,
        payer_type: c.payer_type.to_string(),
        payer: c.payer_id.clone(),
    }
}

/// The patient mirrors the member numbers by which duplicates are found.
pub(crate) fn mirror(ctx: &Ctx, commit: Commit, patient: &Record<Patient>, fact: &CoverageFact) -> Commit {
    let members = fact.members();
    if patient.body.members.0 == members {
        return chart::require_live(commit, patient.id, true);
    }
    let mut next = patient.next(ctx.now());
    next.body.nhis_number = nhis_number(&members).map(Sealed);
    next.body.members = Sealed(members);
    published::publish(commit.update("coverage", patient, &next), Some(patient), &next)
}

pub fn routes() -> Vec<Route> {
    chart::routes::<Coverage>()
}
