//! Caps: how much an organisation sends by each way a minute, a day and a month, and how often one person is
//! written to. Counted in the commit that takes the delivery, so that they hold whatever runs at the same time.

pub mod api;

use crate::{
    delivery::Delivery,
    ids,
    preferences::quiet,
    words::{Channel, Priority},
};
use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};
use kernel::{Error, money::Money};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::LazyLock};
use store::{Commit, Key, When};
use web::gate::TenantGate;

#[derive(Deserialize)]
struct Caps {
    reserve_percent: u64,
    recipient: BTreeMap<Window, u64>,
    plans: BTreeMap<String, u64>,
    basic: BTreeMap<String, BTreeMap<Window, u64>>,
    sms_prices: BTreeMap<String, Money>,
}

static CAPS: LazyLock<Caps> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/caps.json")).expect("read by this crate's tests")
});

kernel::words! {
    pub enum Window { Minute = "minute", Hour = "hour", Day = "day", Month = "month" }
}

/// Above this many a minute a counter is spread.
const HOT: u64 = 600;
const SHARDS: u64 = 4;

/// What the organisation may send in a window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cap {
    pub channel: Channel,
    pub window: Window,
    pub most: u64,
}

pub fn of(gate: &TenantGate, channel: Channel) -> Vec<Cap> {
    let factor = CAPS.plans.get(&gate.plan).copied().unwrap_or(1);
    let windows = CAPS.basic.get(channel.as_str()).into_iter().flatten();
    windows.map(|(window, most)| Cap { channel, window: *window, most: most * factor }).collect()
}

/// What one SMS of one part costs there, for showing before it is sent.
pub fn price(country: &str) -> Money {
    *CAPS.sms_prices.get(country).or(CAPS.sms_prices.get("*")).expect("there is a price for elsewhere")
}

impl Window {
    /// The window's name in a key, in the organisation's zone.
    fn stamp(self, now: Timestamp, zone: &TimeZone) -> String {
        let format = match self {
            Self::Minute => "%Y-%m-%dT%H:%M",
            Self::Hour => "%Y-%m-%dT%H",
            Self::Day => "%Y-%m-%d",
            Self::Month => "%Y-%m",
        };
        now.to_zoned(zone.clone()).strftime(format).to_string()
    }
    /// When the next one begins.
    fn next(self, now: Timestamp, zone: &TimeZone) -> Timestamp {
        let local = now.to_zoned(zone.clone());
        let later = match self {
            Self::Minute => return now + SignedDuration::from_secs(60 - now.as_second().rem_euclid(60)),
            Self::Hour => return now + SignedDuration::from_secs(3600 - now.as_second().rem_euclid(3600)),
            Self::Day => local.date().tomorrow(),
            Self::Month => local.date().first_of_month().checked_add(1.month()),
        };
        let start = later.and_then(|day| day.to_zoned(zone.clone())).map(|z| z.timestamp());
        start.unwrap_or(now + SignedDuration::from_hours(24))
    }
    /// Those that wait for a day or a month come over its first minutes, not all in its first second.
    fn spread(self, key: &str) -> SignedDuration {
        match self {
            Self::Minute | Self::Hour => SignedDuration::ZERO,
            Self::Day | Self::Month => quiet::spread(ids::share(&[key])),
        }
    }
    /// Counters end some time after their window.
    fn kept(self) -> SignedDuration {
        match self {
            Self::Minute => SignedDuration::from_hours(1),
            Self::Hour => SignedDuration::from_hours(3),
            Self::Day => SignedDuration::from_hours(72),
            Self::Month => SignedDuration::from_hours(70 * 24),
        }
    }
}

pub const REACHED: &str = "cap-reached";

/// One counter that a delivery is counted on.
struct Counter {
    place: String,
    window: Window,
    most: u64,
    amount: u32,
}

/// What is critical is never held up by a minute or by how often somebody is written to, and takes from a reserve of
/// the day and the month.
fn counters(gate: &TenantGate, delivery: &Delivery, key: &str, parts: u32) -> Vec<Counter> {
    let critical = delivery.priority == Priority::Critical;
    let channel = delivery.channel;
    let of_channel = of(gate, channel).into_iter().filter(|cap| !critical || cap.window > Window::Hour);
    let mut all: Vec<Counter> = of_channel
        .map(|cap| {
            let most = if critical { cap.most * (100 + CAPS.reserve_percent) / 100 } else { cap.most };
            let hot = cap.window == Window::Minute && most > HOT;
            let shard = if hot { (ids::share(&[key]) * SHARDS as f64) as u64 % SHARDS } else { 0 };
            let most = if hot { most / SHARDS } else { most };
            let place = format!("cap~{channel}~{}~{shard}", cap.window);
            Counter { place, window: cap.window, most, amount: parts }
        })
        .collect();
    if !critical {
        all.extend(CAPS.recipient.iter().map(|(window, most)| Counter {
            place: format!("cap~to~{}~{window}", delivery.recipient),
            window: *window,
            most: *most,
            amount: 1,
        }));
    }
    all
}

/// Counts the delivery (an SMS by its parts) in every window that caps it; a full one refuses with [`REACHED`], the
/// `window` and `until` when.
pub fn count(
    commit: Commit,
    gate: &TenantGate,
    delivery: &Delivery,
    key: &str,
    parts: u32,
    now: Timestamp,
) -> Commit {
    let zone = gate.zone();
    counters(gate, delivery, key, parts).into_iter().fold(commit, |commit, counter| {
        let Counter { place, window, most, amount } = counter;
        let room = i64::try_from(most).unwrap_or(i64::MAX) - i64::from(amount) + 1;
        let when = When::Without("count").or(When::Below("count", room));
        let until = window.next(now, &zone) + window.spread(key);
        let full = move |_| {
            let detail = format!("no more can be sent this {window}");
            Error::conflict(REACHED, detail).with("until", until).with("window", window)
        };
        let item = Key::item("metric", place, window.stamp(now, &zone));
        commit.count_if(&item, "count", i64::from(amount), now + window.kept(), when, full)
    })
}

/// The longest window of a channel that this delivery takes past four fifths, as far as its own counter tells.
pub fn neared(
    gate: &TenantGate,
    channel: Channel,
    parts: u32,
    counted: impl Fn(Window) -> Option<u64>,
) -> Option<Window> {
    let past = |cap: &Cap| {
        let mark = cap.most * 4 / 5;
        counted(cap.window).is_some_and(|before| before < mark && before + u64::from(parts) >= mark)
    };
    of(gate, channel).into_iter().filter(past).map(|cap| cap.window).max()
}

/// The windows of a channel, with their counters.
pub fn windows(gate: &TenantGate, channel: Channel, now: Timestamp) -> Vec<(Window, Key)> {
    let zone = gate.zone();
    let longer = of(gate, channel).into_iter().filter(|cap| cap.window > Window::Minute);
    longer.map(|cap| (cap.window, counter(channel, cap.window, now, &zone))).collect()
}

/// Where the organisation's counter of a window stands.
pub fn counter(channel: Channel, window: Window, now: Timestamp, zone: &TimeZone) -> Key {
    Key::item("metric", format!("cap~{channel}~{window}~0"), window.stamp(now, zone))
}

/// The same event of a window is told once.
pub fn told(channel: Channel, window: Window, percent: u8, now: Timestamp, zone: &TimeZone) -> String {
    format!("{channel}~{window}~{percent}~{}", window.stamp(now, zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight_of_the_organisation() {
        let lagos = TimeZone::get("Africa/Lagos").unwrap();
        let now: Timestamp = "2026-11-20T22:59:30Z".parse().unwrap();
        assert_eq!(Window::Day.stamp(now, &lagos), "2026-11-20");
        assert_eq!(Window::Day.next(now, &lagos).to_string(), "2026-11-20T23:00:00Z");
        assert_eq!(Window::Minute.next(now, &lagos).to_string(), "2026-11-20T23:00:00Z");
        assert_eq!(Window::Month.next(now, &lagos).to_string(), "2026-11-30T23:00:00Z");
    }

    #[test]
    fn plans_multiply_what_basic_has() {
        assert_eq!(CAPS.basic["sms"][&Window::Day], 200);
        assert_eq!((CAPS.plans["Professional"], CAPS.plans["Enterprise"]), (5, 25));
        assert_eq!(price("NG").currency().code(), "NGN");
        assert_eq!(price("FR"), price("*"));
    }
}
