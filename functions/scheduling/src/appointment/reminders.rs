//! When a patient is reminded: a day and two hours before, unless the tenant says otherwise; never in quiet
//! hours, for which a reminder moves earlier, never later.

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Time, tz::TimeZone};
use serde_json::Value;
use web::Ctx;

/// Minutes before the start (`scheduling.reminder_offsets_minutes`).
const OFFSETS: &[i64] = &[24 * 60, 2 * 60];
const MOST: usize = 4;
/// Local quiet hours (`notifications.quiet_from`, `notifications.quiet_to`).
const QUIET: (Time, Time) = (Time::constant(21, 0, 0, 0), Time::constant(7, 0, 0, 0));

/// The reminders of an appointment that are still to come, earliest first.
pub fn reminders(ctx: &Ctx, start: Timestamp, zone: &TimeZone) -> Vec<Timestamp> {
    let policies = ctx.tenant().map(|t| t.policies.clone()).unwrap_or_default();
    let set = policies.get("scheduling.reminder_offsets_minutes").and_then(Value::as_array);
    let offsets: Vec<i64> = match set {
        Some(all) => all.iter().filter_map(Value::as_i64).filter(|m| *m > 0).take(MOST).collect(),
        None => OFFSETS.to_vec(),
    };
    let time = |name: &str, or: Time| {
        policies.get(name).and_then(Value::as_str).and_then(|t| t.parse().ok()).unwrap_or(or)
    };
    let quiet = (time("notifications.quiet_from", QUIET.0), time("notifications.quiet_to", QUIET.1));
    times(start, &offsets, quiet, zone, ctx.now())
}

fn times(
    start: Timestamp,
    offsets: &[i64],
    quiet: (Time, Time),
    zone: &TimeZone,
    now: Timestamp,
) -> Vec<Timestamp> {
    let at = |minutes: &i64| earlier(start - SignedDuration::from_mins(*minutes), quiet, zone);
    let mut times: Vec<Timestamp> = offsets.iter().map(at).filter(|t| *t > now).collect();
    times.sort();
    times.dedup();
    times
}

/// The same moment, or the last minute before the quiet hours it falls into.
fn earlier(at: Timestamp, (from, to): (Time, Time), zone: &TimeZone) -> Timestamp {
    let local = at.to_zoned(zone.clone());
    let (time, over_midnight) = (local.time(), from > to);
    let quiet = if over_midnight { time >= from || time < to } else { from <= time && time < to };
    if !quiet {
        return at;
    }
    let since_yesterday = over_midnight && time < to;
    let day = if since_yesterday { local.date().yesterday().unwrap_or(local.date()) } else { local.date() };
    let begins = day.to_datetime(from).to_zoned(zone.clone());
    begins.and_then(|z| z.checked_sub(1.minute())).map_or(at, |z| z.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(start: &str, now: &str) -> Vec<String> {
        let lagos = TimeZone::get("Africa/Lagos").unwrap();
        let times = times(start.parse().unwrap(), OFFSETS, QUIET, &lagos, now.parse().unwrap());
        times.iter().map(|t| t.to_zoned(lagos.clone()).strftime("%d %H:%M").to_string()).collect()
    }

    #[test]
    fn a_day_and_two_hours_before() {
        assert_eq!(of("2026-11-21T09:00:00Z", "2026-11-19T09:00:00Z"), ["20 10:00", "21 08:00"]);
    }

    #[test]
    fn a_reminder_moves_before_the_quiet_hours_never_into_them() {
        // 08:00 in Lagos: two hours before is 06:00, which is quiet since 21:00 of the day before.
        assert_eq!(of("2026-11-21T07:00:00Z", "2026-11-19T09:00:00Z"), ["20 08:00", "20 20:59"]);
        // 22:30: the day before at 22:30 is quiet too.
        assert_eq!(of("2026-11-21T21:30:00Z", "2026-11-19T09:00:00Z"), ["20 20:59", "21 20:30"]);
    }

    #[test]
    fn what_is_past_already_is_left_out() {
        assert_eq!(of("2026-11-21T09:00:00Z", "2026-11-20T09:00:00Z"), ["21 08:00"]);
        assert!(of("2026-11-21T09:00:00Z", "2026-11-21T07:30:00Z").is_empty());
    }
}
