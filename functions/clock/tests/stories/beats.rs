//! What a beat sends, and whom it leaves alone.

use clock::Clock;
use jiff::{SignedDuration, Timestamp};
use kernel::FollowUpId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Caller, Due, Entity, List, Record, Scope};
use testkit::{Tenant, World};
use web::Queue;

/// A noun with two due dates.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Reminder {
    pub first: Timestamp,
    pub second: Timestamp,
}

impl Entity for Reminder {
    type Id = FollowUpId;
    const NOUN: &'static str = "reminder";
    const LISTS: &'static [List<Self>] = &[];
    fn due(r: &Record<Self>) -> Vec<Due> {
        vec![Due { at: r.body.first, what: "first" }, Due { at: r.body.second, what: "second" }]
    }
}

async fn remind(tenant: &Tenant, in_hours: i64) -> Record<Reminder> {
    let now = tenant.world.clock.now();
    let at = |h| now + SignedDuration::from_hours(h);
    let record = Record::new(now, Reminder { first: at(in_hours), second: at(in_hours + 1) });
    let store = tenant.store().await;
    store.commit().create(&record).run().await.unwrap();
    let platform = tenant.world.app.vault().open(Scope::Platform, Caller::default()).await.unwrap();
    platform.lower_next_due(tenant.scope(), &store::stamp(record.body.first)).await.unwrap();
    record
}

#[tokio::test]
async fn what_is_due_is_sent_to_its_owner_and_the_rest_waits() {
    let world = World::with(vec![]).await;
    let (grace, other) = (world.hospital("grace").await, world.clinic("other").await);
    let soon = remind(&grace, 2).await;
    remind(&other, 48).await;
    let minute = json!({"beat": "minute"});
    assert_eq!(clock::beat(&world.app, &minute).await.unwrap()["tenants"], 0);
    world.clock.advance(SignedDuration::from_hours(2));
    assert_eq!(
        clock::beat(&world.app, &minute).await.unwrap(),
        json!({"beat": "minute", "tenants": 1, "sent": 1, "nights": 0})
    );
    let sent = world.letters.take(Queue::Scheduling);
    assert_eq!(
        (&sent[0]["type"], &sent[0]["id"], &sent[0]["tenant"]),
        (&json!("due.flw.first"), &json!(soon.id), &json!(grace.id.prefix()))
    );
    // The row stands until its module moves it: a missed message comes again.
    assert_eq!(clock::beat(&world.app, &minute).await.unwrap()["sent"], 1);
    world.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(clock::beat(&world.app, &minute).await.unwrap()["sent"], 2);
}

#[tokio::test]
async fn a_tenant_with_nothing_left_is_not_read_again() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    let reminder = remind(&grace, 1).await;
    world.clock.advance(SignedDuration::from_hours(3));
    let store = grace.store().await;
    let old = store.fresh::<Reminder>(reminder.id).await.unwrap();
    let mut gone = old.next(world.clock.now());
    gone.deleted_at = Some(world.clock.now());
    store.commit().update("delete", &old, &gone).run().await.unwrap();
    let minute = json!({"beat": "minute"});
    assert_eq!(
        clock::beat(&world.app, &minute).await.unwrap(),
        json!({"beat": "minute", "tenants": 1, "sent": 0, "nights": 0})
    );
    assert_eq!(
        clock::beat(&world.app, &minute).await.unwrap(),
        json!({"beat": "minute", "tenants": 0, "sent": 0, "nights": 0})
    );
}

#[tokio::test]
async fn an_hour_is_told_to_every_module() {
    let world = World::with(vec![]).await;
    clock::beat(&world.app, &json!({"beat": "hour"})).await.unwrap();
    for queue in Queue::ALL.iter().filter(|q| ![Queue::Access, Queue::DispatchDead].contains(q)) {
        assert_eq!(world.letters.take(*queue)[0]["type"], "beat.hour");
    }
    assert!(clock::beat(&world.app, &json!({})).await.is_err());
}

#[tokio::test]
async fn a_beat_that_comes_twice_sends_once_and_what_stands_is_rung_again_later() {
    let world = World::with(vec![]).await;
    let (grace, clock) = (world.hospital("grace").await, Clock::default());
    remind(&grace, 1).await;
    world.clock.advance(SignedDuration::from_mins(61));
    let minute = json!({"beat": "minute"});
    let (one, two) =
        (clock.beat(&world.app, &minute).await.unwrap(), clock.beat(&world.app, &minute).await.unwrap());
    assert_eq!((&one["sent"], &two["sent"]), (&json!(1), &json!(0)));
    world.clock.advance(SignedDuration::from_mins(3));
    assert_eq!(clock.beat(&world.app, &minute).await.unwrap()["sent"], 1, "it was not moved");
    // Another environment does not know what this one sent; the module does not mind.
    assert_eq!(clock::beat(&world.app, &minute).await.unwrap()["sent"], 1);
}

#[tokio::test]
async fn a_queue_that_does_not_accept_loses_nothing() {
    let world = World::with(vec![]).await;
    let (grace, clock) = (world.hospital("grace").await, Clock::default());
    remind(&grace, 1).await;
    world.clock.advance(SignedDuration::from_hours(3));
    let minute = json!({"beat": "minute"});
    world.letters.down(true);
    assert_eq!(clock.beat(&world.app, &minute).await.unwrap()["sent"], 0);
    world.letters.down(false);
    assert_eq!(clock.beat(&world.app, &minute).await.unwrap()["sent"], 2);
}

#[tokio::test]
async fn a_tenant_that_was_erased_is_forgotten_by_the_clock() {
    let world = World::with(vec![]).await;
    let ghost: kernel::TenantId = kernel::Id::at(world.clock.now());
    let platform = world.app.vault().open(Scope::Platform, Caller::default()).await.unwrap();
    platform.lower_next_due(Scope::Tenant(ghost), &store::stamp(world.clock.now())).await.unwrap();
    let minute = json!({"beat": "minute"});
    assert_eq!(clock::beat(&world.app, &minute).await.unwrap()["tenants"], 1);
    assert_eq!(clock::beat(&world.app, &minute).await.unwrap()["tenants"], 0);
}

#[tokio::test]
async fn more_rows_than_one_page_holds_are_all_rung_in_one_beat() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    let (store, now) = (grace.store().await, world.clock.now());
    for _ in 0..55 {
        let mut commit = store.commit();
        for _ in 0..20 {
            commit = commit.create(&Record::new(now, Reminder { first: now, second: now }));
        }
        commit.run().await.unwrap();
    }
    let platform = world.app.vault().open(Scope::Platform, Caller::default()).await.unwrap();
    platform.lower_next_due(grace.scope(), &store::stamp(now)).await.unwrap();
    assert_eq!(clock::beat(&world.app, &json!({"beat": "minute"})).await.unwrap()["sent"], 2200);
    let sent = world.letters.take(Queue::Scheduling);
    let ids: std::collections::BTreeSet<String> =
        sent.iter().map(|m| format!("{} {}", m["id"], m["type"])).collect();
    assert_eq!(ids.len(), 2200);
}

#[tokio::test]
async fn a_tenant_that_cannot_be_opened_keeps_no_other_from_its_beat() {
    let world = World::with(vec![]).await;
    let (broken, grace) = (world.clinic("broken").await, world.hospital("grace").await);
    remind(&broken, 1).await;
    remind(&grace, 1).await;
    let (table, name) = world.table();
    let wrapped = store::sdk::types::AttributeValue::B(store::sdk::primitives::Blob::new(vec![1, 2, 3]));
    let key = |text: String| store::sdk::types::AttributeValue::S(text);
    let update = table
        .update_item()
        .table_name(name)
        .update_expression("SET #w = :w")
        .expression_attribute_names("#w", "wrapped");
    let update = update.expression_attribute_values(":w", wrapped);
    let update = update
        .key("pk", key(format!("{}#key#default", broken.id.prefix())))
        .key("sk", key("0000000001".into()));
    update.send().await.unwrap();
    world.app.vault().forget(broken.scope());
    world.clock.advance(SignedDuration::from_hours(3));
    let minute = json!({"beat": "minute"});
    assert_eq!(
        clock::beat(&world.app, &minute).await.unwrap(),
        json!({"beat": "minute", "tenants": 2, "sent": 2, "nights": 0})
    );
    let sent = world.letters.take(Queue::Scheduling);
    assert!(sent.iter().all(|message| message["tenant"] == grace.id.prefix()));
}
