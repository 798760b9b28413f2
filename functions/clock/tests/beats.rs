//! What a beat sends, and whom it leaves alone.

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
struct Reminder {
    first: Timestamp,
    second: Timestamp,
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
        json!({"beat": "minute", "tenants": 1, "sent": 1})
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
        json!({"beat": "minute", "tenants": 1, "sent": 0})
    );
    assert_eq!(
        clock::beat(&world.app, &minute).await.unwrap(),
        json!({"beat": "minute", "tenants": 0, "sent": 0})
    );
}

#[tokio::test]
async fn a_longer_beat_is_told_to_every_module() {
    let world = World::with(vec![]).await;
    clock::beat(&world.app, &json!({"beat": "night"})).await.unwrap();
    for queue in [Queue::Tenants, Queue::Identity, Queue::Patients, Queue::Scheduling] {
        assert_eq!(world.letters.take(queue)[0]["type"], "beat.night");
    }
    assert!(clock::beat(&world.app, &json!({})).await.is_err());
}
