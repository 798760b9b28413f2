//! Slots: rules − blocks − claims, computed and never stored. Pure; what is read for it is in [`diary`].

mod api;
pub mod claim;
pub mod diary;
pub mod period;

pub use api::{at_site, routes};
pub use claim::{Claim, Taken};
pub use diary::Diary;
pub use period::{Period, Span, period};

use crate::{availability::Mode, host::Host};
use jiff::{SignedDuration, Timestamp};
use kernel::{DepartmentId, Error, PractitionerId, Result, SiteId};
use schemars::JsonSchema;
use serde::Serialize;

/// The smallest piece of time that can be sold, in minutes.
pub const UNIT: u32 = 5;

/// Something that can be booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Slot {
    pub start: Timestamp,
    pub minutes: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub practitioner: Option<PractitionerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<DepartmentId>,
    pub site: SiteId,
    /// Patients that still fit: of a slot's lanes, or of a session's seats.
    pub remaining: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
}

/// What somebody wants to book.
#[derive(Clone, Debug)]
pub struct Wish {
    pub start: Timestamp,
    /// Else the grid's own length.
    pub minutes: Option<u32>,
    pub kind: String,
    /// Outside rules, blocks and capacity.
    pub overbook: bool,
}

/// Where it fits: the free lanes (or seats), best first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub mode: Mode,
    pub lanes: Vec<u16>,
    pub minutes: u32,
    pub room: Option<String>,
}

/// Lanes that overbooking may use beyond the capacity.
const OVERBOOKED: u16 = 20;

/// Everything that is free of these periods for a length and type, earliest first.
pub fn free(host: Host, periods: &[Period], blocks: &[Span], taken: &Taken, wanted: &Wanted) -> Vec<Slot> {
    let mut slots: Vec<Slot> = periods
        .iter()
        .filter(|p| p.offers(wanted.kind.as_deref()))
        .flat_map(|p| p.starts.iter().map(move |start| (p, *start)))
        .filter(|(_, start)| *start >= wanted.from && *start < wanted.to)
        .filter_map(|(p, start)| {
            let minutes = p.length(wanted.minutes);
            let span = Span::of(start, minutes);
            let open = p.holds(span) && !blocks.iter().any(|b| b.meets(span));
            let remaining = taken.lanes(p, start, minutes).len() as u16;
            (open && remaining > 0).then(|| Slot {
                start,
                minutes,
                practitioner: host.practitioner(),
                department: host.department(),
                site: p.site,
                remaining,
                room: p.room.clone(),
            })
        })
        .collect();
    slots.sort_by_key(|s| s.start);
    slots
}

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    pub from: Timestamp,
    pub to: Timestamp,
    pub minutes: Option<u32>,
    pub kind: Option<String>,
}

/// Where a wish fits, or the one reason why not.
pub fn place(wish: &Wish, periods: &[Period], blocks: &[Span], taken: &Taken, default: u32) -> Result<Place> {
    if wish.start.as_second() % (i64::from(UNIT) * 60) != 0 || wish.start.subsec_nanosecond() != 0 {
        return Err(Error::field("not-a-slot", "/start", "appointments begin on a full five minutes"));
    }
    if wish.overbook {
        let minutes = wish.minutes.unwrap_or(default);
        let lanes = taken.free_lanes(Span::of(wish.start, minutes), OVERBOOKED);
        return Ok(Place { mode: Mode::Slots, lanes, minutes, room: None });
    }
    let outside =
        || Error::field("outside-availability", "/start", "nobody can be booked there at this time");
    let at = |p: &&Period| p.start <= wish.start && wish.start < p.end;
    let period = periods.iter().find(at).ok_or_else(outside)?;
    if !period.starts.contains(&wish.start) {
        let detail = "this is no start of a slot; GET /v1/scheduling/slots lists them";
        let inside = !period.breaks.iter().any(|b| b.meets(Span::of(wish.start, UNIT)));
        return Err(if inside { Error::field("not-a-slot", "/start", detail) } else { outside() });
    }
    if !period.offers(Some(&wish.kind)) {
        return Err(Error::field("type-not-offered", "/type", "this type is not offered at this time"));
    }
    let minutes = period.length(wish.minutes);
    let span = Span::of(wish.start, minutes);
    if !period.holds(span) {
        return Err(outside());
    }
    if blocks.iter().any(|b| b.meets(span)) {
        return Err(Error::conflict("practitioner-away", "the practitioner is away at this time"));
    }
    let lanes = taken.lanes(period, wish.start, minutes);
    Ok(Place { mode: period.mode, lanes, minutes, room: period.room.clone() })
}

/// The three free slots nearest to a time.
pub fn nearest(mut slots: Vec<Slot>, to: Timestamp) -> Vec<Slot> {
    let distance = |s: &Slot| -> SignedDuration { s.start.duration_since(to).abs() };
    slots.sort_by_key(|s| (distance(s), s.start));
    slots.truncate(3);
    slots
}

#[cfg(test)]
mod tests;
