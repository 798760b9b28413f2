//! A rule on one local day, as instants. Local times that do not exist (spring forward) are skipped, those
//! that come twice (autumn) are offered once, the first time.

use super::UNIT;
use crate::availability::{Availability, Mode};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time},
    tz::{AmbiguousOffset, TimeZone},
};
use kernel::{AvailabilityId, SiteId};
use serde::{Deserialize, Serialize};

/// From one instant to before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Span {
    pub fn of(start: Timestamp, minutes: u32) -> Self {
        Self { from: start, to: start + SignedDuration::from_mins(i64::from(minutes)) }
    }
    pub fn meets(&self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }
    pub fn holds(&self, other: Self) -> bool {
        self.from <= other.from && other.to <= self.to
    }
    /// The five-minute units it touches, by their starts.
    pub fn units(self) -> impl Iterator<Item = Timestamp> {
        let unit = i64::from(UNIT) * 60;
        let first = self.from.as_second().div_euclid(unit) * unit;
        (first..self.to.as_second()).step_by(unit as usize).filter_map(|s| Timestamp::from_second(s).ok())
    }
}

#[derive(Clone, Debug)]
pub struct Period {
    pub rule: Option<AvailabilityId>,
    pub site: SiteId,
    pub start: Timestamp,
    pub end: Timestamp,
    pub mode: Mode,
    pub capacity: u16,
    /// Where appointments can begin.
    pub starts: Vec<Timestamp>,
    pub breaks: Vec<Span>,
    pub types: Vec<String>,
    pub room: Option<String>,
    /// Minutes of one slot, and what is kept free after each.
    pub slot_minutes: u32,
    pub buffer: u32,
}

/// The instant of a local time; none if the clocks jump over it, the first if they pass it twice.
pub fn instant(at: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    let ambiguous = zone.to_ambiguous_zoned(at);
    match ambiguous.offset() {
        AmbiguousOffset::Gap { .. } => None,
        _ => ambiguous.compatible().ok().map(|z| z.timestamp()),
    }
}

/// The edge of a period: a time the clocks jump over stands for the moment of the jump.
fn edge(at: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_zoned(at).compatible().ok().map(|z| z.timestamp())
}

/// The rule on one day, if it holds there. `slot` = minutes where the rule names none, `buffer` = minutes kept
/// free after each appointment.
pub fn period(
    id: Option<AvailabilityId>,
    rule: &Availability,
    day: Date,
    zone: &TimeZone,
    slot: u32,
    buffer: u32,
) -> Option<Period> {
    if !rule.occurs(day) {
        return None;
    }
    let slot_minutes = rule.slot_minutes.unwrap_or(slot);
    let on = |time: Time| day.to_datetime(time);
    let breaks = rule.breaks.iter();
    let breaks =
        breaks.filter_map(|b| Some(Span { from: edge(on(b.start), zone)?, to: edge(on(b.end), zone)? }));
    let mut made = Period {
        rule: id,
        site: rule.site,
        start: edge(on(rule.start), zone)?,
        end: edge(on(rule.end), zone)?,
        mode: rule.mode,
        capacity: rule.capacity,
        starts: vec![],
        breaks: breaks.collect(),
        types: rule.types.clone(),
        room: rule.room.clone(),
        slot_minutes,
        buffer,
    };
    made.starts = match rule.mode {
        Mode::Session => vec![made.start],
        Mode::Slots => {
            let minute =
                |t: Time| u32::from(t.hour().unsigned_abs()) * 60 + u32::from(t.minute().unsigned_abs());
            let step = (slot_minutes + buffer).max(UNIT) as usize;
            let last = minute(rule.end).saturating_sub(slot_minutes);
            let times = (minute(rule.start)..=last).step_by(step);
            let times = times.filter_map(|m| Time::new((m / 60) as i8, (m % 60) as i8, 0, 0).ok());
            let starts = times.filter_map(|t| instant(on(t), zone));
            starts.filter(|s| made.holds(Span::of(*s, slot_minutes))).collect()
        }
    };
    Some(made)
}

impl Period {
    /// Minutes of an appointment: those asked for, else the slot's.
    pub fn length(&self, asked: Option<u32>) -> u32 {
        asked.unwrap_or(self.slot_minutes)
    }
    /// Inside, and over no break.
    pub fn holds(&self, span: Span) -> bool {
        Span { from: self.start, to: self.end }.holds(span) && !self.breaks.iter().any(|b| b.meets(span))
    }
    pub fn offers(&self, kind: Option<&str>) -> bool {
        self.types.is_empty() || kind.is_none_or(|k| self.types.iter().any(|t| t == k))
    }
}
