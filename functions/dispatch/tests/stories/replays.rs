//! Events of a time range, sent again.

use crate::support::{Memory, Thing, busy};
use dispatch::handle;
use jiff::{SignedDuration, Timestamp};
use kernel::Result;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use store::{Caller, Record, Scope};
use testkit::{Tenant, World};
use web::Queue;

/// Things made one a minute from now on; every third one is `named`. Returns when the first was made.
async fn things(tenant: &Tenant, count: u64) -> Timestamp {
    let (store, first) = (tenant.store().await, tenant.world.clock.now());
    for step in 0..count {
        let record = Record::new(tenant.world.clock.now(), Thing { step, due: None });
        let kind = if step.is_multiple_of(3) { "thing.named" } else { "thing.moved" };
        store
            .commit()
            .create(&record)
            .emit(json!({"type": kind, "data": {"step": step}}))
            .run()
            .await
            .unwrap();
        tenant.world.clock.advance(SignedDuration::from_mins(1));
    }
    let platform = tenant.world.app.vault().open(Scope::Platform, Caller::default()).await.unwrap();
    platform.begin_nights(tenant.scope()).await.unwrap();
    first
}

fn steps(bus: &Memory) -> Vec<u64> {
    let taken = bus.taken.lock().unwrap();
    let mut steps: Vec<u64> = taken.iter().map(|e| e.data["step"].as_u64().unwrap()).collect();
    steps.sort_unstable();
    steps
}

async fn replay(world: &World, bus: &Memory, wanted: Value) -> Result<Value> {
    handle(&world.app, bus, &json!({"replay": wanted})).await
}

#[tokio::test]
async fn a_range_of_one_tenant_is_sent_again_and_nothing_beside_it() {
    let (world, bus) = (World::with(vec![]).await, Memory::kind());
    let (grace, other) = (world.hospital("grace").await, world.clinic("other").await);
    things(&other, 3).await;
    let first = things(&grace, 30).await;
    let (from, to) = (first + SignedDuration::from_mins(10), first + SignedDuration::from_mins(20));
    let wanted = json!({"from": from, "to": to, "tenant": grace.id.prefix()});
    let told = replay(&world, &bus, wanted).await.unwrap();
    assert_eq!(told, json!({"sent": 10, "read": 10, "next": null}));
    assert_eq!(steps(&bus), (10..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn without_a_tenant_it_is_everybodys_and_types_choose() {
    let (world, bus) = (World::with(vec![]).await, Memory::kind());
    let (grace, other) = (world.hospital("grace").await, world.clinic("other").await);
    let first = things(&other, 5).await;
    things(&grace, 4).await;
    let wanted = json!({"from": first, "to": world.clock.now(), "types": ["thing.named"]});
    let told = replay(&world, &bus, wanted).await.unwrap();
    assert_eq!((&told["sent"], &told["next"]), (&json!(4), &Value::Null));
    let tenants: BTreeSet<String> = bus.taken.lock().unwrap().iter().map(|e| e.tenant.clone()).collect();
    assert_eq!(tenants, BTreeSet::from([grace.id.prefix(), other.id.prefix()]));
}

#[tokio::test]
async fn a_long_range_goes_on_where_the_call_before_ended_and_sends_each_once() {
    let (world, bus) = (World::with(vec![]).await, Memory::kind());
    let (grace, other) = (world.hospital("grace").await, world.clinic("other").await);
    world.clock.set("2026-11-28T23:30:00Z".parse().unwrap());
    let first = things(&grace, 45).await;
    things(&other, 5).await;
    let mut wanted = json!({"from": first, "to": world.clock.now(), "most": 7});
    let mut calls = 0;
    loop {
        let told = replay(&world, &bus, wanted.clone()).await.unwrap();
        calls += 1;
        if told["next"].is_null() {
            break;
        }
        wanted["cursor"] = told["next"].clone();
    }
    let ids: BTreeSet<String> = bus.ids().into_iter().collect();
    assert_eq!((bus.ids().len(), ids.len()), (50, 50));
    assert!(calls > 3, "{calls} calls");
}

#[tokio::test]
async fn a_bus_that_does_not_take_it_stops_the_replay_at_a_place_to_go_on_from() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    let first = things(&grace, 12).await;
    let bus = Memory::saying(|_, call| if call < 5 { busy() } else { None });
    let mut wanted = json!({"from": first, "to": world.clock.now(), "tenant": grace.id.prefix()});
    let told = replay(&world, &bus, wanted.clone()).await.unwrap();
    assert!(told["stopped"].is_string(), "{told}");
    wanted["cursor"] = told["next"].clone();
    assert_eq!(replay(&world, &bus, wanted).await.unwrap()["next"], Value::Null);
    assert_eq!(steps(&bus), (0..12).collect::<Vec<_>>());
}

#[tokio::test]
async fn one_queue_alone_may_be_told() {
    let (world, bus) = (World::with(vec![]).await, Memory::kind());
    let grace = world.hospital("grace").await;
    let first = things(&grace, 4).await;
    let wanted = json!({"from": first, "to": world.clock.now(), "tenant": grace.id.prefix(), "to_queue": "scheduling"});
    replay(&world, &bus, wanted).await.unwrap();
    let sent = world.letters.take(Queue::Scheduling);
    assert_eq!((sent.len(), bus.ids().len()), (4, 0));
    assert!(matches!(web::Message::read(&sent[0].to_string()), Ok(web::Message::Event(_))));
}

#[tokio::test]
async fn what_consumers_have_forgotten_is_sent_only_if_that_is_said() {
    let (world, bus) = (World::with(vec![]).await, Memory::kind());
    let grace = world.hospital("grace").await;
    let first = things(&grace, 2).await;
    world.clock.advance(SignedDuration::from_hours(20 * 24));
    let mut wanted = json!({"from": first, "to": world.clock.now(), "tenant": grace.id.prefix()});
    assert!(replay(&world, &bus, wanted.clone()).await.is_err());
    wanted["forgotten"] = true.into();
    assert_eq!(replay(&world, &bus, wanted).await.unwrap()["sent"], 2);
    let backwards = json!({"from": world.clock.now(), "to": first});
    assert!(replay(&world, &bus, backwards).await.is_err());
    let unknown = json!({"from": world.clock.now(), "to": first, "unknown": 1});
    assert!(replay(&world, &bus, unknown).await.is_err());
}
