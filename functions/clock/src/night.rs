//! Nights and weeks, each tenant's in its own zone.

use crate::{TOLD, open};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use kernel::{Error, Id, Result};
use store::{Night, Scope, Store, facts};
use web::{App, Beat, gate::TenantGate};

/// Local time of a night: late enough that the UTC day of the same date is over too (for zones up to UTC+2),
/// and after the hour that London turns its clocks in.
const AT: (i8, i8) = (2, 30);
/// While one clock tells the modules, another that was woken too leaves the tenant alone; if the first dies, the
/// next beat after this begins again.
const LEASE: SignedDuration = SignedDuration::from_mins(5);
/// Missed days told at one beat; the next beat goes on.
const DAYS: usize = 31;
/// A tenant that has no key yet is being set up: looked at again after this…
const UNMADE: SignedDuration = SignedDuration::from_hours(1);
/// … and given up this long after its id was made.
const GIVEN_UP: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Tells every module of the days that are over at this tenant's place. Returns the messages sent.
pub(crate) async fn night(app: &App, platform: &Store, night: Night, now: Timestamp) -> Result<usize> {
    let store = match open(app, night.scope).await {
        Err(Error::Missing) => return absent(platform, &night, now).await.map(|()| 0),
        opened => opened?,
    };
    let zone = zone(&store).await?;
    let Some(mut day) = night.day else {
        let today = now.to_zoned(zone.clone()).date();
        platform.move_night(&night, over(today, &zone)?, Some(today)).await?;
        return Ok(0);
    };
    let Some(leased) = platform.move_night(&night, now + LEASE, Some(day)).await? else { return Ok(0) };
    let mut sent = 0;
    for _ in 0..DAYS {
        if over(day, &zone)? > now {
            break;
        }
        sent += tell(app, night.scope, day, now).await?;
        day = day.tomorrow().map_err(Error::internal)?;
    }
    platform.move_night(&leased, over(day, &zone)?, Some(day)).await?;
    // A due time that was never announced (a stream's record lost, a table restored) is found here at the latest.
    if let Some(at) = store.first_due().await? {
        platform.lower_next_due(night.scope, &at).await?;
    }
    Ok(sent)
}

/// When a local day is told of. A time that the zone leaves out is the one an hour later, of a doubled one it is
/// the first.
fn over(day: Date, zone: &TimeZone) -> Result<Timestamp> {
    let night = day.tomorrow().map_err(Error::internal)?.at(AT.0, AT.1, 0, 0);
    Ok(night.to_zoned(zone.clone()).map_err(Error::internal)?.timestamp())
}

async fn tell(app: &App, scope: Scope, day: Date, now: Timestamp) -> Result<usize> {
    let beat = |name: &str| {
        let beat = Beat { name: name.into(), tenant: scope.to_string(), day, at: now };
        serde_json::to_string(&beat).map_err(Error::internal)
    };
    let mut bodies = vec![beat(Beat::NIGHT)?];
    if day.weekday() == Weekday::Sunday {
        bodies.push(beat(Beat::WEEK)?);
    }
    let sending = TOLD.map(|queue| app.post().send_all(queue, bodies.clone()));
    stream::iter(sending).buffer_unordered(TOLD.len()).try_collect::<Vec<()>>().await?;
    Ok(TOLD.len() * bodies.len())
}

async fn zone(store: &Store) -> Result<TimeZone> {
    let gate: Option<TenantGate> = store.fact(facts::TENANT, "self").await?;
    Ok(gate.map_or(TimeZone::UTC, |gate| gate.zone()))
}

/// No key: a tenant that is no more has no nights; one that is not there yet gets them later.
async fn absent(platform: &Store, night: &Night, now: Timestamp) -> Result<()> {
    let made = night.scope.tenant().map_or(0, |id| id.ulid().timestamp_ms() as i64);
    let young = now.as_millisecond() - made < GIVEN_UP.as_millis() as i64;
    if night.day.is_none() && young {
        return platform.move_night(night, now + UNMADE, None).await.map(drop);
    }
    platform.end_nights(night).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(day: &str, zone: &str) -> String {
        over(day.parse().unwrap(), &TimeZone::get(zone).unwrap()).unwrap().to_string()
    }

    #[test]
    fn a_day_is_over_at_half_past_two_of_its_own_place() {
        assert_eq!(told("2026-11-29", "Africa/Lagos"), "2026-11-30T01:30:00Z");
        assert_eq!(told("2026-11-29", "Europe/London"), "2026-11-30T02:30:00Z");
        assert_eq!(told("2026-07-01", "Europe/London"), "2026-07-02T01:30:00Z");
        assert_eq!(told("2026-12-31", "Africa/Lagos"), "2027-01-01T01:30:00Z");
    }

    #[test]
    fn when_clocks_turn_a_day_is_told_once_and_days_stay_in_order() {
        // London: forward on 29 March at 01:00, back on 25 October at 02:00.
        assert_eq!(told("2026-03-28", "Europe/London"), "2026-03-29T01:30:00Z");
        assert_eq!(told("2026-10-24", "Europe/London"), "2026-10-25T02:30:00Z");
        // Berlin leaves out 02:30 on 29 March (03:30 it is) and has it twice on 25 October (the first counts).
        assert_eq!(told("2026-03-28", "Europe/Berlin"), "2026-03-29T01:30:00Z");
        assert_eq!(told("2026-10-24", "Europe/Berlin"), "2026-10-25T00:30:00Z");
        for zone in ["Africa/Lagos", "Europe/London", "Europe/Berlin", "America/New_York", "Africa/Cairo"] {
            let zone = TimeZone::get(zone).unwrap();
            let days = jiff::civil::date(2026, 1, 1).series(jiff::Span::new().days(1)).take(730);
            let times: Vec<i64> = days.map(|day| over(day, &zone).unwrap().as_second()).collect();
            assert!(times.windows(2).all(|pair| (22..=26).contains(&((pair[1] - pair[0]) / 3600))));
        }
    }
}
