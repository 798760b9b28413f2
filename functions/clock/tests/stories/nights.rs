//! Nights and weeks: each tenant's at its own place, each day told, none twice.

use clock::Clock;
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, FollowUpId, Id, Result};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use store::{Caller, Key, Scope};
use testkit::{Tenant, World};
use web::{Beat, Ctx, Module, Queue, Task};

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// A world at this time with one tenant in this zone, whom the clock knows of.
async fn place(world: &World, now: &str, zone: &str) -> Tenant {
    world.clock.set(at(now));
    let tenant = world.hospital("grace").await;
    tenant.change_gate(|gate| gate.time_zone = zone.into()).await;
    let platform = world.app.vault().open(Scope::Platform, Caller::default()).await.unwrap();
    platform.begin_nights(tenant.scope()).await.unwrap();
    tenant
}

/// Beats at this time; what the audit module is told, as `beat.night 2026-11-29`.
async fn told(world: &World, clock: &Clock, now: &str) -> Vec<String> {
    world.clock.set(at(now));
    clock.beat(&world.app, &json!({"beat": "minute"})).await.unwrap();
    let sent = world.letters.take(Queue::Audit);
    let words =
        |m: &Value| format!("{} {}", m["type"].as_str().unwrap(), m["day"].as_str().unwrap_or_default());
    sent.iter().map(words).collect()
}

#[tokio::test]
async fn a_day_is_told_once_in_the_night_after_it_and_a_week_with_its_sunday() {
    let (world, clock) = (World::with(vec![]).await, Clock::default());
    let grace = place(&world, "2026-11-28T10:00:00Z", "Africa/Lagos").await;
    assert!(told(&world, &clock, "2026-11-28T10:01:00Z").await.is_empty(), "the day is not over");
    assert!(told(&world, &clock, "2026-11-29T01:29:00Z").await.is_empty(), "02:29 in Lagos");
    assert_eq!(told(&world, &clock, "2026-11-29T01:30:00Z").await, ["beat.night 2026-11-28"]);
    assert!(told(&world, &clock, "2026-11-29T01:30:30Z").await.is_empty(), "the beat came twice");
    assert!(told(&world, &Clock::default(), "2026-11-29T01:31:00Z").await.is_empty());
    world.clock.set(at("2026-11-30T01:30:00Z"));
    let sent = clock.beat(&world.app, &json!({"beat": "minute"})).await.unwrap();
    assert_eq!(sent["nights"], 20);
    for queue in [Queue::Tenants, Queue::Audit, Queue::Workflow] {
        let messages = world.letters.take(queue);
        let last: Vec<&Value> = messages.iter().filter(|m| m["day"] == "2026-11-29").collect();
        assert_eq!(last.len(), 2, "{messages:?}");
        assert_eq!((&last[0]["type"], &last[1]["type"]), (&json!("beat.night"), &json!("beat.week")));
        assert_eq!(last[0]["tenant"], grace.id.prefix());
        let beaten = Beat::read(last[0]).unwrap().at.round(jiff::Unit::Second).unwrap();
        assert_eq!(beaten, at("2026-11-30T01:30:00Z"));
    }
}

#[tokio::test]
async fn nights_come_at_each_tenants_own_place() {
    let (world, clock) = (World::with(vec![]).await, Clock::default());
    let lagos = place(&world, "2026-07-01T10:00:00Z", "Africa/Lagos").await;
    let york = place(&world, "2026-07-01T10:00:00Z", "America/New_York").await;
    told(&world, &clock, "2026-07-01T10:01:00Z").await;
    let mut heard = vec![];
    for hour in 0..8 {
        world.clock.set(at("2026-07-02T00:00:00Z") + SignedDuration::from_hours(hour));
        clock.beat(&world.app, &json!({"beat": "minute"})).await.unwrap();
        let told = world.letters.take(Queue::Audit);
        heard.extend(told.iter().map(|m| (hour, m["tenant"].as_str().unwrap().to_string())));
    }
    assert_eq!(heard, [(2, lagos.id.prefix()), (7, york.id.prefix())]);
}

#[tokio::test]
async fn days_missed_by_an_outage_are_told_one_by_one_also_when_there_are_many() {
    let (world, clock) = (World::with(vec![]).await, Clock::default());
    place(&world, "2026-03-20T10:00:00Z", "Europe/London").await;
    told(&world, &clock, "2026-03-20T10:01:00Z").await;
    let nights = told(&world, &clock, "2026-03-31T10:00:00Z").await;
    let wanted: Vec<String> = (20..31).map(|day| format!("beat.night 2026-03-{day}")).collect();
    assert_eq!(nights.iter().filter(|n| n.starts_with("beat.night")).cloned().collect::<Vec<_>>(), wanted);
    assert_eq!(nights.iter().filter(|n| n.starts_with("beat.week")).count(), 2);
    let mut later = vec![];
    for minute in 0..3 {
        later.extend(told(&world, &clock, &format!("2026-05-31T10:0{minute}:00Z")).await);
    }
    later.retain(|n| n.starts_with("beat.night"));
    assert_eq!(
        (later.len(), later[0].as_str(), later[60].as_str()),
        (61, "beat.night 2026-03-31", "beat.night 2026-05-30")
    );
}

#[tokio::test]
async fn where_clocks_turn_every_day_of_the_year_is_told_once() {
    let (world, clock) = (World::with(vec![]).await, Clock::default());
    place(&world, "2026-03-27T10:00:00Z", "Europe/Berlin").await;
    told(&world, &clock, "2026-03-27T10:01:00Z").await;
    let mut heard = vec![];
    for half_hours in 0..(4 * 48) {
        let now = at("2026-03-27T10:00:00Z") + SignedDuration::from_mins(30 * half_hours);
        heard.extend(told(&world, &clock, &now.to_string()).await);
    }
    heard.retain(|n| n.starts_with("beat.night"));
    assert_eq!(heard, [27, 28, 29, 30].map(|day| format!("beat.night 2026-03-{day}")));
}

#[tokio::test]
async fn a_tenant_that_moves_to_another_zone_misses_no_day_and_hears_of_none_twice() {
    let (world, clock) = (World::with(vec![]).await, Clock::default());
    let grace = place(&world, "2026-06-01T10:00:00Z", "America/New_York").await;
    told(&world, &clock, "2026-06-01T10:01:00Z").await;
    assert_eq!(told(&world, &clock, "2026-06-02T07:00:00Z").await, ["beat.night 2026-06-01"]);
    grace.change_gate(|gate| gate.time_zone = "Asia/Tokyo".into()).await;
    assert_eq!(told(&world, &clock, "2026-06-03T07:00:00Z").await, ["beat.night 2026-06-02"]);
    assert_eq!(told(&world, &clock, "2026-06-03T18:00:00Z").await, ["beat.night 2026-06-03"]);
    grace.change_gate(|gate| gate.time_zone = "America/New_York".into()).await;
    assert!(told(&world, &clock, "2026-06-04T18:00:00Z").await.is_empty(), "in New York it is still the 4th");
    assert_eq!(told(&world, &clock, "2026-06-05T07:00:00Z").await, ["beat.night 2026-06-04"]);
}

#[tokio::test]
async fn a_clock_that_dies_while_it_tells_begins_again_a_few_minutes_later() {
    let (world, clock) = (World::with(vec![]).await, Clock::default());
    place(&world, "2026-11-24T10:00:00Z", "Africa/Lagos").await;
    told(&world, &clock, "2026-11-24T10:01:00Z").await;
    world.letters.down(true);
    assert!(told(&world, &clock, "2026-11-25T01:30:00Z").await.is_empty());
    world.letters.down(false);
    assert!(told(&world, &clock, "2026-11-25T01:31:00Z").await.is_empty(), "another may still be at it");
    assert_eq!(told(&world, &clock, "2026-11-25T01:36:00Z").await, ["beat.night 2026-11-24"]);
}

#[tokio::test]
async fn a_tenant_without_a_key_is_waited_for_and_one_that_is_no_more_is_left() {
    let (world, clock) = (World::with(vec![]).await, Clock::default());
    world.clock.set(at("2026-11-24T10:00:00Z"));
    let ghost: kernel::TenantId = kernel::Id::at(world.clock.now());
    let platform = world.app.vault().open(Scope::Platform, Caller::default()).await.unwrap();
    platform.begin_nights(Scope::Tenant(ghost)).await.unwrap();
    told(&world, &clock, "2026-11-24T10:02:00Z").await;
    let far = at("2030-01-01T00:00:00Z");
    assert_eq!(platform.nights(far, None).await.unwrap().data.len(), 1, "it may be being set up");
    told(&world, &clock, "2026-12-30T10:01:00Z").await;
    assert!(platform.nights(far, None).await.unwrap().data.is_empty());
}

#[tokio::test]
async fn a_due_time_that_was_never_announced_is_found_in_the_night() {
    let (world, clock) = (World::with(vec![]).await, Clock::default());
    let grace = place(&world, "2026-11-24T10:00:00Z", "Africa/Lagos").await;
    told(&world, &clock, "2026-11-24T10:01:00Z").await;
    let now = world.clock.now();
    let record = store::Record::new(now, super::beats::Reminder { first: now, second: now });
    grace.store().await.commit().create(&record).run().await.unwrap();
    told(&world, &clock, "2026-11-24T11:00:00Z").await;
    assert!(world.letters.take(Queue::Scheduling).is_empty());
    told(&world, &clock, "2026-11-25T01:30:00Z").await;
    told(&world, &clock, "2026-11-25T01:31:00Z").await;
    let rung = world.letters.take(Queue::Scheduling);
    assert_eq!(rung.iter().filter(|m| m["type"] == "due.flw.first").count(), 1);
}

/// A module that writes one line a night, and fails the first time.
fn diary(fails: Arc<Mutex<u32>>) -> Module {
    let nightly = Task::nightly("diary", move |ctx: Ctx, beat: Beat| {
        let fails = fails.clone();
        async move { write(ctx, beat, &fails).await }
    });
    Module::new("diary", vec![]).does(vec![nightly])
}

async fn write(ctx: Ctx, beat: Beat, fails: &Mutex<u32>) -> Result<()> {
    let key = Key::item("diary", FollowUpId::KIND, beat.day);
    let commit = ctx.once_for(ctx.commit().add(&key, "lines", 1), "diary", &beat.id());
    commit.run().await?;
    let mut left = fails.lock().unwrap();
    *left = left.saturating_sub(1);
    if *left > 0 { Err(Error::internal("died after the effect")) } else { Ok(()) }
}

#[tokio::test]
async fn a_modules_night_is_done_once_whatever_comes_twice() {
    let world = World::with(vec![diary(Arc::new(Mutex::new(2)))]).await;
    let grace = world.hospital("grace").await;
    let message = json!({"type": "beat.night", "tenant": grace.id.prefix(), "day": "2026-11-29", "at": "2026-11-30T01:30:00Z"});
    for _ in 0..4 {
        let message = web::Message::read(&message.to_string()).unwrap();
        let _ = web::consume(&world.modules[0], &world.app, &message).await;
    }
    grace.night("2026-11-30").await;
    let key = |day: &str| Key::item("diary", FollowUpId::KIND, day);
    let store = grace.store().await;
    for day in ["2026-11-29", "2026-11-30"] {
        let lines: Option<Value> = store.read(&key(day)).await.unwrap();
        assert_eq!(lines, Some(json!({"lines": 1})), "{day}");
    }
}
