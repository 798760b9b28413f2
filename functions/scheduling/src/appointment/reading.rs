//! Reading appointments of a host over time.

use super::{Appointment, Status, is_of};
use crate::{
    availability::{Availability, Mode},
    host::Host,
    kinds,
    place::site,
    slot::period,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use kernel::{AppointmentId, Error, Result};
use std::collections::BTreeMap;
use store::{Entity, Record, Wanted, stamp};
use web::Ctx;

/// An appointment is two hours long at most: one that runs into a span began no earlier before it.
const LONGEST: SignedDuration = SignedDuration::from_hours(2);

/// Appointments of a host that are booked in a span and still to come, by their start.
pub async fn between(
    ctx: &Ctx,
    host: Host,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Record<Appointment>>> {
    let early = from.checked_sub(LONGEST).unwrap_or(from);
    let mut wanted = Wanted { from: Some(stamp(early)), ..Wanted::by(&[&host], 100) };
    if to < Timestamp::MAX {
        wanted.to = Some(stamp(to));
    }
    let mut found = ctx.store().list_all(&Appointment::LISTS[0], wanted).await?;
    found.retain(|r| r.body.start < to && r.body.end() > from && r.body.is_upcoming());
    Ok(found)
}

/// 409 `capacity-sold` while a rule has sold more than it would have room for.
pub async fn refuse_if_sold(ctx: &Ctx, rule: &Record<Availability>) -> Result<()> {
    let Some(host) = rule.body.host() else { return Ok(()) };
    let zone = site(ctx, rule.body.site).await?.zone(ctx);
    let sold = between(ctx, host, ctx.now(), Timestamp::MAX).await?;
    let ids = beyond(rule, &zone, kinds::slot_minutes(ctx), &sold);
    if ids.is_empty() {
        return Ok(());
    }
    let detail =
        "more is sold than this would leave: move these, or let the rule end and begin another one later";
    Err(Error::conflict("capacity-sold", detail).with("appointments", ids))
}

/// Appointments of a rule for which its capacity has no room: those in higher lanes of a slot, and the last
/// ones of a session.
fn beyond(
    rule: &Record<Availability>,
    zone: &TimeZone,
    slot: u32,
    sold: &[Record<Appointment>],
) -> Vec<AppointmentId> {
    let mut seats: BTreeMap<Timestamp, u16> = BTreeMap::new();
    let mut ids = vec![];
    for appointment in sold.iter().filter(|a| a.body.status != Status::Held) {
        let day = appointment.body.start.to_zoned(zone.clone()).date();
        let Some(period) = period(Some(rule.id), &rule.body, day, zone, slot, 0) else { continue };
        if !is_of(rule.id, &period, &appointment.body) {
            continue;
        }
        let seat = seats.entry(appointment.body.start).or_default();
        *seat += 1;
        let over = match rule.body.mode {
            Mode::Slots => appointment.body.lane >= rule.body.capacity,
            Mode::Session => *seat > rule.body.capacity,
        };
        ids.extend(over.then_some(appointment.id));
    }
    ids
}
