//! Blocks: time in which nobody is booked. A practitioner's blocks stand in one fact per UTC day, which every
//! booking of that day requires unchanged; those of a site or department are read, never required, so that a
//! whole site's bookings do not contend on one item.

mod api;
mod sweep;
pub use api::{block_for_leave, end_leave, routes};
pub use sweep::{sweep, sweep_practitioner};

use crate::{host::Host, practitioner};
use events::SchedulingEvent;
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use kernel::{BlockId, DepartmentId, Error, Fault, PractitionerId, Result, SiteId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt::Display;
use store::{Due, Entity, Key, List, Record, Row, facts, stamp};
use web::{Actor, Ctx, Noun, Reach};

kernel::words! {
    pub enum Kind {
        Leave = "leave", Sick = "sick", Meeting = "meeting", Theatre = "theatre", Holiday = "holiday",
        Emergency = "emergency", Closed = "closed",
    }
}
kernel::words! {
    /// What becomes of appointments that are there already.
    pub enum Policy {
        Keep = "keep",
        /// 409 while there are any; one that raced with it is marked as for `rebook`.
        Refuse = "refuse",
        /// They are marked for the desk to move, now and once more a minute later.
        Rebook = "rebook",
    }
}
kernel::words! { pub enum Source { Manual = "manual", Leave = "leave" } }

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Block {
    /// One of practitioner, site and department.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub practitioner_id: Option<PractitionerId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub department_id: Option<DepartmentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteId>,
    pub from: Timestamp,
    pub to: Timestamp,
    pub kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500))]
    pub reason: Option<Sealed<String>>,
    #[serde(default = "keep")]
    pub policy: Policy,
    #[serde(default = "manual")]
    #[schemars(extend("readOnly" = true))]
    pub source: Source,
    /// The leave it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 60), extend("readOnly" = true))]
    pub leave: Option<String>,
    /// When appointments are looked for once more: a booking may have raced with the block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("readOnly" = true))]
    pub sweep_at: Option<Timestamp>,
}

fn keep() -> Policy {
    Policy::Keep
}
fn manual() -> Source {
    Source::Manual
}

/// UTC days that one commit can write; longer absences are several blocks.
pub const LONGEST_DAYS: usize = 60;
/// After this the bookings that raced with a block have ended, one way or the other.
pub const SETTLED: SignedDuration = SignedDuration::from_secs(60);

impl Block {
    /// Whose day items it writes: the host's, or the site's.
    pub fn of(&self) -> Option<Of> {
        match (self.practitioner_id, self.department_id, self.site) {
            (Some(p), None, None) => Some(Of::Host(Host::Practitioner(p))),
            (None, Some(d), None) => Some(Of::Host(Host::Department(d))),
            (None, None, Some(s)) => Some(Of::Site(s)),
            _ => None,
        }
    }
    /// UTC days it touches, one more than can be written if it is too long.
    pub fn days(&self) -> Vec<Date> {
        let utc = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
        let last = utc(self.to - SignedDuration::from_nanos(1));
        utc(self.from).series(1.day()).take_while(|d| *d <= last).take(LONGEST_DAYS + 1).collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Host(Host),
    Site(SiteId),
}

impl Display for Of {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Host(host) => host.fmt(f),
            Self::Site(site) => site.fmt(f),
        }
    }
}

/// `fact#day#<prc>~<utc date>`: what is blocked of a day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Day {
    /// 0 = nothing was ever blocked there.
    pub rev: u64,
    pub intervals: Vec<Interval>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub from: Timestamp,
    pub to: Timestamp,
    pub block: BlockId,
}

impl Day {
    pub fn key(of: impl Display, day: Date) -> Key {
        Key::fact(facts::DAY, format!("{of}~{day}"))
    }
    pub fn of(fact: Option<Value>) -> Result<Self> {
        fact.map_or_else(|| Ok(Self::default()), |f| serde_json::from_value(f).map_err(Error::internal))
    }
}

impl Entity for Block {
    type Id = BlockId;
    const NOUN: &'static str = "block";
    const LISTS: &'static [List<Self>] = &[
        List::<Self>::by("of", &["of"], |r| {
            r.body.of().iter().map(|o| Row::new(&[o], &[&stamp(r.body.from), &r.id])).collect()
        })
        .range()
        .oldest_first(),
        List::<Self>::by("leave", &["leave"], |r| {
            r.body.leave.iter().map(|l| Row::new(&[l], &[&r.id])).collect()
        })
        .oldest_first(),
    ];
    fn due(record: &Record<Self>) -> Vec<Due> {
        record.body.sweep_at.iter().map(|at| Due { at: *at, what: "sweep" }).collect()
    }
}

impl Noun for Block {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        match (reach, record.body.site) {
            (Reach::All, _) => true,
            (Reach::Site | Reach::Team, Some(site)) => actor.sites.has(&site),
            _ => false,
        }
    }
    /// A practitioner's own block, or that of a practitioner at the caller's sites.
    async fn proven(ctx: &Ctx, record: &Record<Self>) -> Result<bool> {
        if ctx.reach() < Reach::Site {
            return practitioner::is_caller(ctx, record.body.practitioner_id).await;
        }
        practitioner::is_near(ctx, record.body.practitioner_id).await
    }
    fn check(&self) -> Vec<Fault> {
        let mut faults = vec![];
        if self.of().is_none() {
            faults.push(Fault::new(
                "/practitioner_id",
                "host",
                "name one of practitioner, department and site",
            ));
        }
        if self.to <= self.from {
            faults.push(Fault::new("/to", "order", "after from"));
        } else if self.days().len() > LONGEST_DAYS {
            faults.push(Fault::new(
                "/to",
                "too-long",
                "at most 60 days; make several blocks of a longer absence",
            ));
        }
        faults
    }
}

/// What the events of a block say.
fn said(record: &Record<Block>) -> events::scheduling::Block {
    let b = &record.body;
    events::scheduling::Block { block: record.id, policy: b.policy.to_string(), from: b.from, to: b.to }
}
pub(crate) fn created(record: &Record<Block>) -> SchedulingEvent {
    SchedulingEvent::BlockCreated(said(record))
}
pub(crate) fn removed(record: &Record<Block>) -> SchedulingEvent {
    SchedulingEvent::BlockRemoved(said(record))
}
