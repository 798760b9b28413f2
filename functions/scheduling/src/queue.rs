//! The queue of one practitioner (or department), site and local day. Its id is derived from these three, so
//! that every check-in of the day finds it; it is made by the first one. Its counter lies beside it and is
//! advanced only in the commit that uses the number: no gap, no token twice.

mod api;
mod board;
mod clock;
pub mod estimate;
pub mod order;
mod page;

pub use api::{Room, routes};
pub use clock::tasks;
pub use page::{Page, pace};

use crate::host::Host;
use events::SchedulingEvent;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use kernel::{
    DepartmentId, Error, Id, Lifecycle, PractitionerId, QueueId, Result, SiteId, Step, Ulid, UserId,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Commit, Due, Entity, Key, List, Record, Row};
use web::{Actor, Ctx, Noun, Reach, noun::Hooks};

kernel::words! { pub enum Status { Open = "open", Paused = "paused", Closed = "closed" } }

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Queue {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub practitioner_id: Option<PractitionerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub practitioner_user: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub department_id: Option<DepartmentId>,
    #[schemars(extend("readOnly" = true))]
    pub site: SiteId,
    /// The site's local day.
    #[schemars(extend("readOnly" = true))]
    pub date: Date,
    /// Before the token numbers.
    #[schemars(extend("readOnly" = true))]
    pub prefix: String,
    #[schemars(extend("readOnly" = true))]
    pub status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 40))]
    pub room: Option<String>,
    #[schemars(extend("readOnly" = true))]
    pub opened_at: Timestamp,
    /// 23:59 local: whoever still waits then did not stay.
    #[schemars(extend("readOnly" = true))]
    pub ends_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub closed_at: Option<Timestamp>,
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    pub swept: bool,
}

/// The id of a queue: its day in the time part, the digest of whose and where in the rest.
pub fn id(host: Host, site: SiteId, date: Date) -> QueueId {
    let day = date.to_zoned(TimeZone::UTC).map_or(0, |z| z.timestamp().as_millisecond());
    let digest = seal::sha256(format!("{host}~{site}~{date}").as_bytes());
    let random = digest.iter().take(10).fold(0u128, |n, b| n << 8 | u128::from(*b));
    QueueId::of(Ulid::from_parts(u64::try_from(day).unwrap_or_default(), random))
}

/// The last number given, and whether there will be another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counter {
    pub last_token: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<bool>,
}

impl Counter {
    pub fn key(queue: QueueId) -> Key {
        Key::part(queue, "last", "token")
    }
}

/// The item that makes a number given: one token, one visit.
pub fn token_key(queue: QueueId, token: u32) -> Key {
    Key::part(queue, "tok", format!("{token:05}"))
}

impl Queue {
    pub fn host(&self) -> Result<Host> {
        Host::named(self.practitioner_id, self.department_id)
    }
}

/// `A-012`
pub fn label(prefix: &str, token: u32) -> String {
    format!("{prefix}-{token:03}")
}

impl Entity for Queue {
    type Id = QueueId;
    const NOUN: &'static str = "queue";
    const LISTS: &'static [List<Self>] = &[List::<Self>::by("site", &["site", "date"], |r| {
        vec![Row::new(&[&r.body.site, &r.body.date], &[&r.body.prefix, &r.id])]
    })
    .oldest_first()];
    fn due(record: &Record<Self>) -> Vec<Due> {
        let open = (!record.body.swept).then_some(Due { at: record.body.ends_at, what: "day_end" });
        open.into_iter().collect()
    }
}

impl Lifecycle for Queue {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] = &[
        Step::of("pause", "queue.pause", &[Status::Open], Status::Paused),
        Step::of("resume", "queue.resume", &[Status::Paused], Status::Open),
    ];
}

impl Noun for Queue {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        match reach {
            Reach::All => true,
            Reach::Site | Reach::Team => actor.sites.has(&record.body.site),
            Reach::Assigned => record.body.practitioner_user.is_some_and(|u| u.to_string() == actor.user),
            _ => false,
        }
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let mut actions = web::noun::possible(record, ctx);
        if record.body.status != Status::Closed && ctx.may("queue.close") > Reach::None {
            actions.push("close");
        }
        if record.body.status == Status::Open && ctx.may("patient_visit.call") > Reach::None {
            actions.push("call_next");
        }
        actions
    }
}

impl Hooks for Queue {}

/// The next version of a closed queue, and the commit that ends its numbers too.
pub fn close(ctx: &Ctx, old: &Record<Queue>, waiting: u32, ended: bool) -> (Record<Queue>, Commit) {
    let mut new = old.next(ctx.now());
    new.body.status = Status::Closed;
    new.body.closed_at = Some(new.body.closed_at.unwrap_or(ctx.now()));
    new.body.swept = ended;
    let (site, date) = (new.body.site, new.body.date);
    let event = SchedulingEvent::QueueClosed { queue: new.id, site, date, waiting };
    let commit = ctx.commit().update("close", old, &new).emit(event);
    let closed = [("closed", serde_json::Value::Bool(true))];
    let there = store::When::Present;
    let commit = commit
        .set_if(&Counter::key(new.id), &closed, there, |_| Error::internal("a queue without a counter"));
    (new, commit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_found_by_whose_where_and_when() {
        let host = Host::Practitioner(PractitionerId::of(Ulid::from_parts(1, 1)));
        let (a, b) = (SiteId::of(Ulid::from_parts(1, 1)), SiteId::of(Ulid::from_parts(1, 2)));
        let day = jiff::civil::date(2026, 11, 20);
        assert_eq!(id(host, a, day), id(host, a, day));
        assert_ne!(id(host, a, day), id(host, b, day));
        assert_ne!(id(host, a, day), id(host, a, day.tomorrow().unwrap()));
        assert!(id(host, a, day).to_string() < id(host, a, day.tomorrow().unwrap()).to_string());
        assert_eq!(label("A", 12), "A-012");
    }
}
