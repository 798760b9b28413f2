//! Broken glass: a clinician opens a record that is outside their reach, says why, and is asked about it later
//! (IDN-8). It lasts four hours; a review is due within three days and escalates daily.

pub mod api;
pub mod due;

use jiff::{SignedDuration, Timestamp};
use kernel::BreakGlassId;
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Due, Entity, Fact, List, Record, Row, facts};
use web::{Actor, Ctx, Noun, Reach};

/// How long it stays open.
pub const OPEN: SignedDuration = SignedDuration::from_hours(4);
/// When the review is due, from the opening.
pub const REVIEW: SignedDuration = SignedDuration::from_hours(72);

/// Kinds of records that may be opened so, the fact that says there is such a record, and who may; a person's other
/// records follow the person's.
pub const KINDS: &[(&str, Fact, &str)] =
    &[("pat", facts::PATIENT, "break_glass.patient"), ("ecs", facts::EAP_CASE, "eap_case.glass")];

kernel::words! { pub enum Status { Open = "open", Closed = "closed", Reviewed = "reviewed" } }
kernel::words! {
    pub enum ReasonCode { Emergency = "emergency", Cover = "cover", Safeguarding = "safeguarding", Other = "other" }
}
kernel::words! { pub enum Outcome { Justified = "justified", Unjustified = "unjustified" } }

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Review {
    pub by: String,
    pub outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed<String>>,
    pub at: Timestamp,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("readOnly" = true))]
pub struct BreakGlass {
    /// `usr_…`
    pub user: String,
    pub record: String,
    pub reason_code: ReasonCode,
    pub reason: Sealed<String>,
    pub status: Status,
    pub opened_at: Timestamp,
    pub expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
    /// When the review has to be done; a day later each time it was not.
    pub review_due: Timestamp,
    #[serde(default)]
    pub escalations: u32,
}

impl Entity for BreakGlass {
    type Id = BreakGlassId;
    const NOUN: &'static str = "break_glass";
    const LISTS: &'static [List<Self>] = &[
        List::newest(),
        List::by("status", &["status"], |r| vec![Row::new(&[&r.body.status], &[&r.id])]),
        List::by("user", &["user"], |r| vec![Row::new(&[&r.body.user], &[&r.id])]),
    ];

    fn due(record: &Record<Self>) -> Vec<Due> {
        let end = Due { at: record.body.expires_at, what: "end" };
        let review = Due { at: record.body.review_due, what: "review" };
        match record.body.status {
            Status::Open => vec![end, review],
            Status::Closed => vec![review],
            Status::Reviewed => vec![],
        }
    }
}

impl Noun for BreakGlass {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        reach == Reach::All || (reach > Reach::None && record.body.user == actor.user)
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let own = record.body.user == ctx.actor().user;
        match record.body.status {
            Status::Open if own => vec!["close"],
            Status::Closed if !own && ctx.may("break_glass.review") > Reach::None => vec!["review"],
            _ => vec![],
        }
    }
}
