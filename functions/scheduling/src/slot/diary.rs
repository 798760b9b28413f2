//! What has to be known of somebody's days before anything is booked there: profile, rules, blocks, claims. Read
//! in one wave.

use super::{Period, Place, Slot, Span, Taken, Wanted, Wish, free, nearest, period, place};
use crate::{
    availability::{self, Availability},
    block::Day,
    host::Host,
    kinds,
    place::Site,
    practitioner::{self, Practitioner},
};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use kernel::{AppointmentId, Error, Result, SiteId};
use serde_json::Value;
use std::collections::BTreeMap;
use store::{Key, Record, facts};
use web::Ctx;

pub struct Diary {
    pub host: Host,
    pub site: SiteId,
    pub zone: TimeZone,
    pub practitioner: Option<Record<Practitioner>>,
    pub rules: Vec<Record<Availability>>,
    /// The host's own blocks by UTC day, with the revision that a booking requires.
    pub days: BTreeMap<Date, Day>,
    /// Blocks of the whole site or department.
    pub closed: Vec<Span>,
    pub taken: Taken,
    slot_minutes: u32,
}

/// UTC days that a local day in any zone can touch.
pub fn utc_days(from: Date, to: Date) -> Vec<Date> {
    let first = from.checked_sub(1.day()).unwrap_or(from);
    let last = to.checked_add(1.day()).unwrap_or(to);
    first.series(1.day()).take_while(|d| *d <= last).collect()
}

impl Diary {
    /// `days` are days in any zone near the site's: the days before and after are read too. The claims of `own`
    /// count as free: one's own hold, or what is being moved.
    pub async fn read(
        ctx: &Ctx,
        host: Host,
        site: SiteId,
        days: (Date, Date),
        own: Option<AppointmentId>,
    ) -> Result<Self> {
        let days = utc_days(days.0, days.1);
        let practitioner = async {
            match host.practitioner() {
                Some(id) => practitioner::known(ctx.store().get(id).await).map(Some),
                None => Ok(None),
            }
        };
        let first = days.first().copied().unwrap_or_default();
        let (practitioner, rules, facts, taken) = futures::join!(
            practitioner,
            availability::of_host(ctx, host, first),
            facts_of(ctx, host, site, &days),
            Taken::read(ctx.store(), host, &days, own),
        );
        let practitioner = practitioner?;
        let Facts { site: fact, own: blocked, closed } = facts?;
        let zone = Site::of(fact)?.zone(ctx);
        let (rules, taken) = (rules?, taken?);
        let slot_minutes = kinds::slot_minutes(ctx);
        Ok(Self { host, site, zone, practitioner, rules, days: blocked, closed, taken, slot_minutes })
    }

    pub fn profile(&self) -> Option<&Practitioner> {
        self.practitioner.as_ref().map(|p| &p.body)
    }
    /// Minutes of a slot where the rule names none.
    pub fn slot_minutes(&self) -> u32 {
        self.profile().and_then(|p| p.default_slot_minutes).unwrap_or(self.slot_minutes.min(120))
    }
    pub fn buffer(&self) -> u32 {
        self.profile().map_or(0, |p| p.buffer_minutes)
    }
    pub fn local_day(&self, at: Timestamp) -> Date {
        at.to_zoned(self.zone.clone()).date()
    }
    /// A local day as instants.
    pub fn span_of(&self, day: Date) -> Span {
        let start = |d: Date| d.to_zoned(self.zone.clone()).map(|z| z.timestamp());
        let from = start(day).unwrap_or(Timestamp::MIN);
        let to = day.checked_add(1.day()).and_then(start).unwrap_or(Timestamp::MAX);
        Span { from, to }
    }
    pub fn blocks(&self) -> Vec<Span> {
        let own =
            self.days.values().flat_map(|d| d.intervals.iter().map(|i| Span { from: i.from, to: i.to }));
        own.chain(self.closed.iter().copied()).collect()
    }

    /// The periods of local days at this site.
    pub fn periods(&self, from: Date, to: Date) -> Vec<Period> {
        let days = from.series(1.day()).take_while(|d| *d <= to);
        let rules = self.rules.iter().filter(|r| r.body.site == self.site);
        let rules: Vec<_> = rules.collect();
        days.flat_map(|day| {
            let one = |r: &&Record<Availability>| {
                period(Some(r.id), &r.body, day, &self.zone, self.slot_minutes(), self.buffer())
            };
            rules.iter().filter_map(one).collect::<Vec<_>>()
        })
        .collect()
    }

    /// What is free on local days, from now on.
    pub fn slots(&self, from: Date, to: Date, wanted: &Wanted) -> Vec<Slot> {
        free(self.host, &self.periods(from, to), &self.blocks(), &self.taken, wanted)
    }

    /// Where a wish fits; emergencies alone may run over local midnight.
    pub fn place(&self, wish: &Wish) -> Result<Place> {
        let day = self.local_day(wish.start);
        let found = place(wish, &self.periods(day, day), &self.blocks(), &self.taken, self.slot_minutes())?;
        let end = wish.start + SignedDuration::from_mins(i64::from(found.minutes));
        if self.span_of(day).to < end && wish.kind != "emergency" {
            let detail = "an appointment ends before midnight, unless it is an emergency";
            return Err(Error::field("crosses-midnight", "/minutes", detail));
        }
        if found.lanes.is_empty() {
            return Err(self.taken_refusal(wish));
        }
        Ok(found)
    }

    /// 409 with the three nearest free slots of the day.
    pub fn taken_refusal(&self, wish: &Wish) -> Error {
        let day = self.local_day(wish.start);
        let Span { from, to } = self.span_of(day);
        let wanted = Wanted { from, to, minutes: wish.minutes, kind: Some(wish.kind.clone()) };
        let mut slots = self.slots(day, day, &wanted);
        slots.retain(|s| s.start != wish.start);
        let detail = "this slot is taken; the nearest free ones are in `alternatives`";
        Error::conflict("slot-taken", detail).with("alternatives", nearest(slots, wish.start))
    }
}

struct Facts {
    site: Option<Value>,
    own: BTreeMap<Date, Day>,
    closed: Vec<Span>,
}

/// One batch: the site, and the blocks of host and site for each day.
async fn facts_of(ctx: &Ctx, host: Host, site: SiteId, days: &[Date]) -> Result<Facts> {
    let mut keys = vec![Key::fact(facts::SITE, site)];
    keys.extend(days.iter().map(|d| Day::key(host, *d)));
    keys.extend(days.iter().map(|d| Day::key(site, *d)));
    let mut found = ctx.store().read_many(&keys).await?.into_iter();
    let mut next = || found.next().flatten();
    let site = next();
    let own = days.iter().map(|d| Ok((*d, Day::of(next())?))).collect::<Result<_>>()?;
    let mut closed = vec![];
    for _ in days {
        closed.extend(Day::of(next())?.intervals.iter().map(|i| Span { from: i.from, to: i.to }));
    }
    Ok(Facts { site, own, closed })
}
