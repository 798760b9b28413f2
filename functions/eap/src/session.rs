//! Sessions (EAP-5): a counsellor's time for somebody's case. Booking takes one of what the contract covers and the
//! counsellor's five-minute steps in one transaction; what ends a session uses what was taken, or gives it back.

pub mod api;
mod book;
mod end;
mod link;
mod reminder;

pub use reminder::{reactions, tasks};

use crate::{cap, case::Case, words::Mode};
use events::eap::SessionSaid;
use jiff::{SignedDuration, Timestamp, civil::Date};
use kernel::{
    ClientOrgId, EapCaseId, EapContractId, EapProviderId, EapServiceId, EapSessionId, Error, Result,
    money::Money,
};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Commit, Due, Entity, Key, List, Record, Row, When, stamp};
use web::{Actor, Ctx, Noun, Reach};

kernel::words! {
    #[derive(Default)]
    pub enum Status {
        #[default] Booked = "booked", Confirmed = "confirmed", Completed = "completed", NoShow = "no_show",
        Cancelled = "cancelled", LateCancelled = "late_cancelled",
    }
}

/// The contract's rules as they were when the session was booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Terms {
    pub late_cancel_hours: u8,
    pub no_show_counts: bool,
    pub late_cancel_counts: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EapSession")]
pub struct Session {
    pub case: EapCaseId,
    pub client: ClientOrgId,
    pub contract: EapContractId,
    pub service: EapServiceId,
    pub category: String,
    pub clinical: bool,
    pub provider: EapProviderId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_user: Option<String>,
    /// As of the case; never shown.
    pub person_ref: String,
    /// Where it counts, if it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool_ref: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap_place: Option<String>,
    pub starts_at: Timestamp,
    /// The day where the client is.
    pub day: Date,
    pub minutes: u16,
    pub mode: Mode,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Sealed<String>>,
    /// Of a video session: where the call is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Sealed<String>>,
    #[serde(default)]
    pub status: Status,
    #[serde(default)]
    pub crisis: bool,
    pub terms: Terms,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Money>,
    /// Of the reminders a day and two hours before, how many are over.
    #[serde(default)]
    pub reminded: u8,
}

/// The smallest piece of a counsellor's time, in minutes.
pub const UNIT: u16 = 5;
/// Minutes; a transaction holds a hundred items, and each five minutes are one.
pub const LONGEST: u16 = 360;
/// Before the start.
const REMINDERS: [(SignedDuration, &str); 2] =
    [(SignedDuration::from_hours(24), "day_before"), (SignedDuration::from_hours(2), "hours_before")];

impl Session {
    pub fn said(&self, session: EapSessionId) -> SessionSaid {
        SessionSaid {
            session,
            case: self.case,
            contract: self.contract,
            category: self.category.clone(),
            mode: self.mode.to_string(),
        }
    }
    pub fn is_open(&self) -> bool {
        matches!(self.status, Status::Booked | Status::Confirmed)
    }
    /// Whether the client pays for it.
    pub fn is_charged(&self) -> bool {
        match self.status {
            Status::Completed => true,
            Status::NoShow => self.terms.no_show_counts,
            Status::LateCancelled => self.terms.late_cancel_counts,
            _ => false,
        }
    }
    pub fn cap_key(&self) -> Option<Key> {
        Some(cap::key(self.pool_ref.as_ref()?, self.cap_place.as_ref()?))
    }
    /// What a cancellation at that moment is.
    pub fn cancelled_at(&self, now: Timestamp) -> Status {
        let late = SignedDuration::from_hours(i64::from(self.terms.late_cancel_hours));
        if self.starts_at.duration_since(now) < late { Status::LateCancelled } else { Status::Cancelled }
    }
}

/// Takes the counsellor's time from a start on, or 409 where any of it is another session's.
pub fn take_time(
    mut commit: Commit,
    provider: EapProviderId,
    start: Timestamp,
    minutes: u16,
    id: EapSessionId,
) -> Commit {
    for (key, end) in steps(provider, start, minutes) {
        let gone = end + SignedDuration::from_hours(24);
        commit = commit.put_until(&key, &serde_json::json!({"session": id}), gone, When::Absent, |_| {
            Error::conflict(
                "slot-taken",
                "the counsellor has another session at this time: take another start",
            )
        });
    }
    commit
}

pub fn free_time(mut commit: Commit, provider: EapProviderId, start: Timestamp, minutes: u16) -> Commit {
    for (key, _) in steps(provider, start, minutes) {
        commit = commit.delete(&key);
    }
    commit
}

/// Each five minutes, with their end.
fn steps(provider: EapProviderId, start: Timestamp, minutes: u16) -> impl Iterator<Item = (Key, Timestamp)> {
    (0..minutes.div_ceil(UNIT)).map(move |n| {
        let at = start + SignedDuration::from_mins(i64::from(n * UNIT));
        (Key::item("eslot", provider, stamp(at)), at + SignedDuration::from_mins(i64::from(UNIT)))
    })
}

impl Entity for Session {
    type Id = EapSessionId;
    const NOUN: &'static str = "eap_session";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[
        List::<Self>::by("counsellor", &["counsellor"], |r| {
            let row = |user: &String| Row::new(&[user], &[&stamp(r.body.starts_at), &r.id]);
            r.body.provider_user.iter().map(row).collect()
        })
        .range()
        .oldest_first(),
        List::<Self>::by("case", &["case"], |r| {
            vec![Row::new(&[&r.body.case], &[&stamp(r.body.starts_at), &r.id])]
        })
        .range(),
    ];
    fn due(record: &Record<Self>) -> Vec<Due> {
        let s = &record.body;
        let next = REMINDERS.get(usize::from(s.reminded)).filter(|_| s.is_open());
        next.map(|(before, what)| Due { at: s.starts_at - *before, what }).into_iter().collect()
    }
}

impl Noun for Session {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        let own = record.body.provider_user.as_deref() == Some(actor.user.as_str());
        reach == Reach::All || (reach == Reach::Assigned && own)
    }
    /// Those of a case within reach: given to the counsellor, or the person's own.
    async fn proven(ctx: &Ctx, record: &Record<Self>) -> Result<bool> {
        if ctx.reach() == Reach::None {
            return Ok(false);
        }
        let case = ctx.store().get::<Case>(record.body.case).await?;
        Ok(Case::within(&case, ctx.reach(), ctx.actor()))
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        if !record.body.is_open() {
            return vec![];
        }
        let (books, ends) = (ctx.may("eap_session.book"), ctx.may("eap_session.complete"));
        let begun = record.body.starts_at <= ctx.now();
        let all = [
            ("confirm", books > Reach::None && record.body.status == Status::Booked && !begun),
            ("cancel", books > Reach::None && !begun),
            ("complete", ends > Reach::None && begun),
            ("no_show", ends > Reach::None && begun),
            ("link", ends > Reach::None && record.body.mode == Mode::Video),
        ];
        all.into_iter().filter(|(_, may)| *may).map(|(command, _)| command).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Id;

    fn session(start: &str) -> Session {
        let now = Timestamp::UNIX_EPOCH;
        Session {
            case: EapCaseId::at(now),
            client: ClientOrgId::at(now),
            contract: EapContractId::at(now),
            service: EapServiceId::at(now),
            category: "counselling".into(),
            clinical: true,
            provider: EapProviderId::at(now),
            provider_user: None,
            person_ref: "p".into(),
            pool_ref: None,
            cap_place: None,
            starts_at: start.parse().unwrap(),
            day: Date::constant(2026, 11, 29),
            minutes: 50,
            mode: Mode::Video,
            place: None,
            link: None,
            status: Status::Booked,
            crisis: false,
            terms: Terms { late_cancel_hours: 24, no_show_counts: true, late_cancel_counts: false },
            fee: None,
            reminded: 0,
        }
    }

    #[test]
    fn a_cancellation_is_late_from_the_contracts_hours_on() {
        let s = session("2026-11-30T09:00:00Z");
        let at = |text: &str| s.cancelled_at(text.parse().unwrap());
        assert_eq!(at("2026-11-29T09:00:00Z"), Status::Cancelled);
        assert_eq!(at("2026-11-29T09:00:01Z"), Status::LateCancelled);
    }

    #[test]
    fn what_is_charged_follows_the_terms_it_was_booked_under() {
        let of = |status| Session { status, ..session("2026-11-30T09:00:00Z") }.is_charged();
        assert_eq!(
            Status::ALL.iter().copied().filter(|s| of(*s)).collect::<Vec<_>>(),
            [Status::Completed, Status::NoShow]
        );
    }

    #[test]
    fn an_hour_is_twelve_steps_and_no_two_sessions_share_one() {
        let (epv, start) =
            (EapProviderId::at(Timestamp::UNIX_EPOCH), "2026-11-30T09:00:00Z".parse::<Timestamp>().unwrap());
        let keys = |start, minutes| steps(epv, start, minutes).map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(keys(start, 60).len(), 12);
        let next = start + SignedDuration::from_mins(60);
        assert!(keys(next, 60).iter().all(|k| !keys(start, 60).contains(k)));
        assert!(keys(start + SignedDuration::from_mins(55), 60).iter().any(|k| keys(start, 60).contains(k)));
    }
}
