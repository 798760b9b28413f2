//! Cases (EAP-5): somebody brings an issue to a counsellor. What the table keeps of a case openly is its head (where it
//! stands, whose it is to work on, what it counts against); who it is about and why lies in parts beside it, sealed
//! under the clinical label, each written once and never changed.

pub mod alarm;
pub mod api;
pub mod ask;
mod command;
pub mod course;
pub mod file;
mod open;
mod parts;
mod past;
pub mod person;
pub mod rank;
mod renewal;

pub use alarm::tasks;
pub use person::has_case_of;
pub use renewal::reactions;

use crate::{cap, contract::Contract};
use events::eap::CaseSaid;
use jiff::{SignedDuration, Timestamp, civil::Date};
use kernel::{ClientOrgId, EapCaseId, EapContractId, EapProviderId, EapServiceId, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Due, Entity, Key, Label, List, Record, Row, Unique};
use web::{Actor, Ctx, Noun, Reach};

kernel::words! {
    #[derive(Default)]
    pub enum Status { #[default] Intake = "intake", Open = "open", InProgress = "in_progress", Closed = "closed" }
}
kernel::words! {
    pub enum Closure {
        GoalsMet = "goals_met", ReferredOn = "referred_on", Declined = "declined", NoContact = "no_contact",
        CapReached = "cap_reached", Ineligible = "ineligible", Other = "other",
    }
}

/// Somebody on call is being looked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Alarm {
    pub step: u32,
    /// When the next one is told.
    pub at: Timestamp,
    /// Who was told so far: users, or `role~eap_manager` for all managers.
    pub told: Vec<String>,
    /// The rota was empty: all managers were told at once.
    #[serde(default)]
    pub nobody_on_call: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EapCase")]
pub struct Case {
    /// Random, `K7QF-2M9D`: a sequence would tell how many there are.
    pub reference: String,
    /// The person, under the clinical index key; never shown.
    pub person_ref: String,
    /// Whose count of sessions it is: the person's, or the household's.
    pub pool_ref: String,
    /// The person and the issue, under the same key.
    pub issue_key: String,
    /// What the sessions of an issue are counted by: of a household's pool, the same for all of its persons.
    pub cap_issue: String,
    pub client: ClientOrgId,
    pub contract: EapContractId,
    /// The contract that an issue's count began with.
    pub cap_root: EapContractId,
    pub service: EapServiceId,
    /// Code of the service's category, and whether that is clinical.
    pub category: String,
    pub clinical: bool,
    /// Beside another open case of the same issue.
    #[serde(default)]
    pub separate: bool,
    #[serde(default)]
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<EapProviderId>,
    /// The provider's login, or of whoever took the intake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_user: Option<String>,
    /// The person's own login: of who opened it themselves, or was let in by the counsellor. Whose login a person on the
    /// list has is known by what their employer knows too, so that alone opens no case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portal_user: Option<String>,
    pub opened_at: Timestamp,
    /// The day on which it was opened, where the organisation is.
    pub opened_on: Date,
    /// Sessions that were held.
    #[serde(default)]
    pub held: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_contact_at: Option<Timestamp>,
    /// Until when somebody has to have met the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_by: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closure_reason: Option<Closure>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<Alarm>,
}

/// How long a closed case can be opened again, and when its outcome is asked for.
pub const AFTER: SignedDuration = SignedDuration::from_hours(90 * 24);

impl Case {
    pub fn said(&self, case: EapCaseId) -> CaseSaid {
        CaseSaid { case, contract: self.contract, category: self.category.clone() }
    }
    pub fn is_open(&self) -> bool {
        self.status != Status::Closed
    }
    /// Where sessions of this case on that day are counted.
    pub fn cap_key(&self, contract: &Record<Contract>, day: Date) -> Key {
        cap::key(&self.pool_ref, &cap::place(self.cap_root, contract, &self.cap_issue, day))
    }
    /// One of its lists, by name.
    pub fn list(name: &str) -> &'static List<Self> {
        Self::LISTS.iter().find(|l| l.name == name).expect("a declared list")
    }
    fn of_counsellor(&self, user: &str) -> bool {
        self.provider_user.as_deref() == Some(user)
    }
}

impl Entity for Case {
    type Id = EapCaseId;
    const NOUN: &'static str = "eap_case";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[
        List::<Self>::by("counsellor", &["counsellor"], |r| {
            let row = |user: &String| Row::new(&[user], &[&r.body.status, &r.id]);
            r.body.provider_user.iter().map(row).collect()
        })
        .then(&["status"]),
        List::by("who", &["who"], |r| vec![Row::new(&[&r.body.person_ref], &[&r.id])]),
        List::by("status", &["status"], |r| vec![Row::new(&[&r.body.status], &[&r.id])]),
        List::by("person", &["person"], |r| {
            r.body.portal_user.iter().map(|user| Row::new(&[user], &[&r.id])).collect()
        }),
        List::by("contract", &["contract"], |r| {
            let row = Row::new(&[&r.body.contract], &[&r.id]);
            Some(row).filter(|_| r.body.is_open()).into_iter().collect()
        }),
    ];
    const UNIQUE: &'static [Unique<Self>] = &[
        Unique::of("reference", "duplicate", |c| vec![c.reference.clone()]),
        Unique::of("issue", "case-open", |c| {
            Some(c.issue_key.clone()).filter(|_| c.is_open() && !c.separate).into_iter().collect()
        }),
    ];
    fn due(record: &Record<Self>) -> Vec<Due> {
        let c = &record.body;
        let contact = c.contact_by.filter(|_| c.is_open() && c.first_contact_at.is_none());
        let alarm = c.alarm.as_ref().map(|a| a.at);
        let all = [(contact, "contact"), (alarm, "alarm"), (c.follow_up_at, "follow_up")];
        all.into_iter().filter_map(|(at, what)| Some(Due { at: at?, what })).collect()
    }
}

impl Noun for Case {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        match reach {
            Reach::All => true,
            Reach::Assigned => record.body.of_counsellor(&actor.user),
            Reach::Own => record.body.portal_user.as_deref() == Some(actor.user.as_str()),
            _ => false,
        }
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let (clinical, assigns) = (ctx.may("eap_case.view"), ctx.may("eap_case.assign"));
        let counsellor = clinical == Reach::Assigned && record.body.of_counsellor(&ctx.actor().user);
        let all: &[(&'static str, bool, &[Status])] = &[
            ("triage", counsellor, &[Status::Intake, Status::Open, Status::InProgress]),
            ("assign", assigns > Reach::None, &[Status::Intake, Status::Open, Status::InProgress]),
            ("extend", assigns > Reach::None, &[Status::Intake, Status::Open, Status::InProgress]),
            ("close", counsellor, &[Status::Open, Status::InProgress]),
            ("let_in", counsellor, &[Status::Open, Status::InProgress]),
            ("reopen", counsellor, &[Status::Closed]),
        ];
        let may =
            |(_, may, from): &&(&'static str, bool, &[Status])| *may && from.contains(&record.body.status);
        all.iter().filter(may).map(|(command, ..)| *command).collect()
    }
}

/// The clinical store: of the caller, who holds the right to cases, or of the module itself, for a rule that shows
/// nothing of what it reads.
pub async fn clinical(ctx: &Ctx) -> Result<store::Store> {
    ctx.under(Label::EapClinical).await
}

/// The module reading for a rule: whoever asked is answered with yes or no.
pub async fn by_itself(ctx: &Ctx) -> Result<Ctx> {
    Ctx::system(ctx.app(), ctx.scope(), crate::place::MODULE, &ctx.store().caller().request).await
}

/// The commit goes on only while the case is open.
pub fn require_open(commit: store::Commit, case: EapCaseId) -> store::Commit {
    let open = store::When::not("status", Status::Closed).and(store::When::Present);
    commit.check(&Key::record(case), open, |_| Error::State { command: "book", state: "closed".into() })
}

/// Sessions of a case that are booked and not over: closing waits for them.
pub fn open_sessions(case: EapCaseId) -> Key {
    Key::part(case, "open", "sessions")
}
