//! Claims: one item per five minutes of a practitioner (and lane), one per five minutes of a patient, one per
//! seat of a session. Keys are UTC, so that daylight saving and two sites in two zones cannot collide.

use super::{Period, Span};
use crate::{availability::Mode, host::Host};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use kernel::{AppointmentId, Error, PatientId, Result};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};
use store::{Key, Store};

/// Who holds a piece of time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claim {
    pub apt: AppointmentId,
    /// Seconds since 1970; a hold that has ended counts as free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<i64>,
}

/// UTC day and time of an instant, as keys write them.
fn place(at: Timestamp) -> (Date, String) {
    let utc = at.to_zoned(TimeZone::UTC);
    (utc.date(), format!("{:02}{:02}", utc.hour(), utc.minute()))
}

fn day(of: impl Display, date: Date) -> String {
    format!("{of}~{date}")
}

pub fn lane_key(host: Host, at: Timestamp, lane: u16) -> Key {
    let (date, time) = place(at);
    Key::item("slt", day(host, date), format!("{time}#{lane}"))
}

pub fn seat_key(host: Host, start: Timestamp, seat: u16) -> Key {
    let (date, time) = place(start);
    Key::item("slt", day(host, date), format!("S{time}#{seat:03}"))
}

pub fn patient_key(patient: PatientId, at: Timestamp) -> Key {
    let (date, time) = place(at);
    Key::item("slt", day(patient, date), time)
}

/// What is taken of a host's time.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    /// Per unit: which appointment has which lane.
    pub lanes: BTreeMap<Timestamp, BTreeMap<u16, AppointmentId>>,
    /// Per session start: which appointment has which seat.
    pub seats: BTreeMap<Timestamp, BTreeMap<u16, AppointmentId>>,
}

/// Claims of one UTC day: 288 units in up to 20 lanes.
const MOST: i32 = 6_000;

impl Taken {
    /// The claims of some UTC days, each in one query, all at once. Ended holds are left out.
    pub async fn read(store: &Store, host: Host, days: &[Date], own: Option<AppointmentId>) -> Result<Self> {
        let queries = days.iter().map(|d| {
            let key = Key::item("slt", day(host, *d), "");
            async move { store.under::<Claim>(&key, "", MOST).await.map(|found| (*d, found)) }
        });
        let mut taken = Self::default();
        let now = store.now().as_second();
        for (date, found) in futures::future::try_join_all(queries).await? {
            let live = found.into_iter().filter(|(_, c)| c.held_until.is_none_or(|until| until >= now));
            for (sk, claim) in live.filter(|(_, c)| Some(c.apt) != own) {
                taken.add(date, &sk, claim.apt)?;
            }
        }
        Ok(taken)
    }

    fn add(&mut self, date: Date, sk: &str, apt: AppointmentId) -> Result<()> {
        let odd = || Error::internal(format!("a claim at {sk}"));
        let (time, number) = sk.split_once('#').ok_or_else(odd)?;
        let (time, session) = (time.trim_start_matches('S'), time.starts_with('S'));
        let part = |range: std::ops::Range<usize>| {
            time.get(range).and_then(|t| t.parse::<i8>().ok()).ok_or_else(odd)
        };
        let at =
            date.at(part(0..2)?, part(2..4)?, 0, 0).to_zoned(TimeZone::UTC).map_err(|_| odd())?.timestamp();
        let all = if session { &mut self.seats } else { &mut self.lanes };
        all.entry(at).or_default().insert(number.parse().map_err(|_| odd())?, apt);
        Ok(())
    }

    /// Lanes below `capacity` in which the whole span is free.
    pub fn free_lanes(&self, span: Span, capacity: u16) -> Vec<u16> {
        let used: BTreeSet<u16> =
            span.units().filter_map(|u| self.lanes.get(&u)).flat_map(|l| l.keys().copied()).collect();
        (0..capacity).filter(|lane| !used.contains(lane)).collect()
    }

    /// Lanes or seats of a period that are free for an appointment there, its buffer included.
    pub fn lanes(&self, period: &Period, start: Timestamp, minutes: u32) -> Vec<u16> {
        match period.mode {
            Mode::Slots => self.free_lanes(Span::of(start, minutes + period.buffer), period.capacity),
            Mode::Session => {
                let used = self.seats.get(&start);
                (0..period.capacity).filter(|seat| used.is_none_or(|u| !u.contains_key(seat))).collect()
            }
        }
    }

    /// Appointments that begin or run within a span.
    pub fn appointments(&self, within: Span) -> BTreeSet<AppointmentId> {
        let all = self.lanes.range(within.from..within.to).chain(self.seats.range(within.from..within.to));
        all.flat_map(|(_, by)| by.values().copied()).collect()
    }
}
