//! Flags (FHIR Flag): what everybody who meets the patient has to know at once.

use crate::{
    chart::{self, Audience, Command, Entry, Written},
    patient::{Genotype, Patient, check::Desk},
};
use events::PatientEvent;
use jiff::Timestamp;
use kernel::{DocumentId, Error, Fault, FlagId, PatientId, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Commit, Due, Entity, Fact, List, Record, Row, Scope, Unique, facts};
use web::{App, Ctx, Noun, Reach, Route, Task};

kernel::words! {
    pub enum Code {
        SickleCell = "sickle_cell", G6pd = "g6pd", Pregnant = "pregnant", Diabetic = "diabetic", Epilepsy = "epilepsy",
        Pacemaker = "pacemaker", Anticoagulated = "anticoagulated", Mrsa = "mrsa", Infectious = "infectious",
        FallRisk = "fall_risk", Violent = "violent", Safeguarding = "safeguarding", ProxyBlock = "proxy_block",
        Dnacpr = "dnacpr", BloodRefusal = "blood_refusal", Interpreter = "interpreter",
        LearningDisability = "learning_disability", Vip = "vip", Other = "other",
    }
}
kernel::words! { pub enum Severity { Info = "info", Warning = "warning", Danger = "danger" } }
kernel::words! {
    /// Who sees the flag on the card: everybody at the desk, clinical staff, or the named care team.
    pub enum Visibility { AllStaff = "all_staff", Clinical = "clinical", Named = "named" }
}
kernel::words! {     #[derive(Default)]
pub enum State { #[default] Active = "active", Ended = "ended" } }
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Flag {
    #[schemars(extend("readOnly" = true))]
    #[serde(default = "chart::nobody")]
    pub patient_id: PatientId,
    pub code: Code,
    #[schemars(length(min = 1, max = 500))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Sealed<String>>,
    pub severity: Severity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts: Option<Timestamp>,
    /// Ends by itself then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends: Option<Timestamp>,
    /// Required for `dnacpr` and `blood_refusal`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_document_id: Option<DocumentId>,
    pub visibility: Visibility,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub status: State,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

/// `fact#flags#<pat>`
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct FlagFact {
    pub rev: u64,
    pub codes: Vec<Code>,
    pub active: Vec<Active>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Active {
    pub id: FlagId,
    pub code: Code,
    pub visibility: Visibility,
}

impl FlagFact {
    /// With this flag as it stands now.
    pub fn with(&self, record: &Record<Flag>) -> Self {
        let mut active: Vec<Active> = self.active.iter().filter(|a| a.id != record.id).cloned().collect();
        let Flag { code, visibility, status, .. } = record.body;
        if status == State::Active {
            active.push(Active { id: record.id, code, visibility });
        }
        Self::of(active, self.rev + 1)
    }
    pub fn union(&self, other: &Self) -> Self {
        let mut active = self.active.clone();
        active.extend(other.active.iter().filter(|o| !self.active.iter().any(|a| a.id == o.id)).cloned());
        Self::of(active, self.rev + 1)
    }
    /// Undoes a union: what is ours, and what of theirs is still active.
    pub fn part(&self, theirs: &Self) -> (Self, Self) {
        let (back, ours): (Vec<Active>, Vec<Active>) =
            self.active.iter().cloned().partition(|a| theirs.active.iter().any(|t| t.id == a.id));
        (Self::of(ours, self.rev + 1), Self::of(back, theirs.rev + 1))
    }
    fn of(active: Vec<Active>, rev: u64) -> Self {
        let mut codes: Vec<Code> = active.iter().map(|a| a.code).collect();
        codes.sort();
        codes.dedup();
        Self { rev, codes, active }
    }
    /// What the card shows to everybody.
    pub fn on_card(&self) -> Vec<String> {
        self.active
            .iter()
            .filter(|a| a.visibility == Visibility::AllStaff)
            .map(|a| a.code.to_string())
            .collect()
    }
}

impl Entity for Flag {
    type Id = FlagId;
    const NOUN: &'static str = "flag";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] =
        &[List::by("patient", &["patient"], |r| vec![Row::new(&[&r.body.patient_id], &[&r.id])])];
    /// One active flag per code.
    const UNIQUE: &'static [Unique<Self>] =
        &[Unique::of("code", "flag-raised", |f| match (f.status, f.code) {
            (State::Active, code) if code != Code::Other => vec![format!("{}~{code}", f.patient_id)],
            _ => vec![],
        })];
    fn due(record: &Record<Self>) -> Vec<Due> {
        let active = record.body.status == State::Active;
        record.body.ends.filter(|_| active).map(|at| Due { at, what: "end" }).into_iter().collect()
    }
}

impl Noun for Flag {
    fn within(_: &Record<Self>, reach: Reach, _: &web::Actor) -> bool {
        reach == Reach::All
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let open = record.body.status == State::Active && ctx.may(Self::EDIT) > Reach::None;
        if open { vec!["end"] } else { vec![] }
    }
}

impl Entry for Flag {
    const PATH: &'static str = "flags";
    const VIEW: &'static str = "flag.view";
    const EDIT: &'static str = "flag.edit";
    const MOST: usize = 100;
    const REASONED: &'static [&'static str] = &["create"];
    const FACT: Option<Fact> = Some(facts::FLAGS);
    const COMMANDS: &'static [Command<Self>] = &[Command {
        name: "end",
        reason: true,
        says: "The flag no longer holds",
        run: |f, ctx, _| match f.status {
            State::Active => {
                (f.status, f.ended_at) = (State::Ended, Some(ctx.now()));
                Ok(())
            }
            State::Ended => Err(Error::State { command: "end", state: f.status.to_string() }),
        },
    }];

    fn patient(&self) -> PatientId {
        self.patient_id
    }
    fn belongs(&mut self, patient: PatientId) {
        self.patient_id = patient;
    }
    fn normalise(&mut self, _: Desk) -> Vec<Fault> {
        let mut faults = vec![];
        if matches!(self.code, Code::Dnacpr | Code::BloodRefusal) && self.evidence_document_id.is_none() {
            let detail = "this flag needs the signed document: evidence_document_id";
            faults.push(Fault::new("/evidence_document_id", "evidence-required", detail));
        }
        if let (Some(from), Some(to)) = (self.starts, self.ends)
            && to <= from
        {
            faults.push(Fault::new("/ends", "range", "ends before it starts"));
        }
        faults
    }
    fn begin(&mut self, ctx: &Ctx) {
        self.starts.get_or_insert(ctx.now());
    }

    fn audience(&self) -> Audience {
        match self.visibility {
            Visibility::AllStaff => Audience::Everybody,
            Visibility::Clinical => Audience::Clinical,
            Visibility::Named => Audience::Team,
        }
    }

    fn commit(ctx: &Ctx, w: Written<'_, Self>) -> Result<Commit> {
        if w.action == "create" {
            chart::standing(w.patient)?;
        }
        let read: FlagFact = w.seen()?;
        let commit = w.begin(ctx);
        let commit = match (w.old.map(|o| o.body.status), w.new.body.status) {
            (None, _) => commit.emit(raised(w.new)),
            (Some(State::Active), State::Ended) => commit.emit(ended(w.new)),
            _ => commit,
        };
        let commit = chart::fact_at(commit, facts::FLAGS, w.patient.id, read.rev, &read.with(w.new));
        Ok(chart::require_live(commit, w.patient.id, w.action != "create"))
    }
}

fn raised(record: &Record<Flag>) -> PatientEvent {
    let Flag { patient_id, code, severity, .. } = &record.body;
    PatientEvent::FlagRaised {
        flag: record.id,
        patient: *patient_id,
        code: code.to_string(),
        severity: severity.to_string(),
    }
}
fn ended(record: &Record<Flag>) -> PatientEvent {
    let Flag { patient_id, code, .. } = &record.body;
    PatientEvent::FlagEnded { flag: record.id, patient: *patient_id, code: code.to_string() }
}

/// Genotypes that mean sickle cell disease raise their flag in the commit that records them.
pub fn raise_for_genotype(ctx: &Ctx, commit: Commit, patient: &Record<Patient>, seen: &FlagFact) -> Commit {
    let genotype = patient.body.person.genotype.as_ref().map(|g| g.0);
    let sickle = matches!(genotype, Some(Genotype::SS | Genotype::SC));
    if !sickle || seen.codes.contains(&Code::SickleCell) {
        return commit;
    }
    let flag = Flag {
        patient_id: patient.id,
        code: Code::SickleCell,
        text: None,
        severity: Severity::Danger,
        starts: Some(ctx.now()),
        ends: None,
        evidence_document_id: None,
        visibility: Visibility::AllStaff,
        status: State::Active,
        ended_at: None,
    };
    let new = Record::new(ctx.now(), flag);
    let commit = commit.create(&new).emit(raised(&new));
    chart::fact_at(commit, facts::FLAGS, patient.id, seen.rev, &seen.with(&new))
}

pub fn routes() -> Vec<Route> {
    chart::routes::<Flag>()
}

/// A flag ends when its time has come.
pub fn ending() -> Task {
    Task::on("due.flg.end", |app, message| async move { end(&app, &message).await })
}

async fn end(app: &App, message: &Value) -> Result<()> {
    let text = |name: &str| {
        message[name].as_str().ok_or_else(|| Error::internal(format!("a due row without {name}")))
    };
    let scope =
        Scope::from_claim(text("tenant")?).ok_or_else(|| Error::internal("a due row of no tenant"))?;
    let id: FlagId = text("id")?.parse()?;
    let ctx = Ctx::system(app, scope, "patients", text("at")?).await?;
    let old = ctx.store().fresh::<Flag>(id).await?;
    let due = old.body.status == State::Active && old.body.ends.is_some_and(|at| at <= ctx.now());
    if !due || old.deleted_at.is_some() {
        return Ok(());
    }
    let mut new = old.next(ctx.now());
    (new.body.status, new.body.ended_at) = (State::Ended, Some(ctx.now()));
    let read: FlagFact = ctx.store().fact(facts::FLAGS, old.body.patient_id).await?.unwrap_or_default();
    let commit = ctx.store().commit().update("end", &old, &new).emit(ended(&new));
    chart::fact_at(commit, facts::FLAGS, old.body.patient_id, read.rev, &read.with(&new)).run().await
}
