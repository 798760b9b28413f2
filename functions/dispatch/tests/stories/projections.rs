//! What a consumer keeps of others' records, where nothing keeps its order.

use crate::support::Thing;
use events::Envelope;
use kernel::Error;
use serde_json::{Value, json};
use store::{Commit, Key, Record, SUPERSEDED};
use testkit::{Tenant, World};
use web::{Ctx, Message, Module, Reaction};

fn place() -> Key {
    Key::item("mirror", "thing", ".")
}

async fn kept(tenant: &Tenant) -> Value {
    tenant.store().await.read(&place()).await.unwrap().unwrap_or_default()
}

#[tokio::test]
async fn a_projection_is_written_only_over_a_lower_version() {
    let world = World::with(vec![]).await;
    let (grace, store) = (world.hospital("grace").await, world.hospital("other").await.store().await);
    let own = grace.store().await;
    let put =
        |commit: Commit, version: u64| commit.put_newer(&place(), version, &json!({"step": version})).run();
    put(own.commit(), 3).await.unwrap();
    assert_eq!(kept(&grace).await, json!({"step": 3, "version": 3}));
    for late in [1, 3] {
        let refused = put(own.commit(), late).await.unwrap_err();
        assert!(matches!(refused, Error::Refused(r) if r.code == SUPERSEDED), "version {late}");
    }
    put(own.commit(), 4).await.unwrap();
    put(store.commit(), 1).await.unwrap();
    assert_eq!(kept(&grace).await, json!({"step": 4, "version": 4}));
}

#[tokio::test]
async fn of_a_commit_that_came_too_late_nothing_is_done() {
    let world = World::with(vec![]).await;
    let store = world.hospital("grace").await.store().await;
    let count = Key::item("count", "thing", ".");
    for version in [2, 1, 2] {
        let commit = store.commit().add(&count, "times", 1);
        let _ = commit.put_newer(&place(), version, &json!({})).run().await;
    }
    assert_eq!(store.read::<Value>(&count).await.unwrap(), Some(json!({"times": 1})));
}

/// Hears of a thing and writes down every step that it has not seen.
fn diary() -> Module {
    let hears = Reaction::on("thing.moved", |ctx: Ctx, event: Envelope| async move {
        let known: Value = ctx.store().read(&place()).await?.unwrap_or_default();
        let mut steps: Vec<u64> = serde_json::from_value(known["steps"].clone()).unwrap_or_default();
        let missed = ctx.steps(&event, known["version"].as_u64().unwrap_or_default()).await?;
        steps.extend(missed.iter().filter_map(|step| step.data["step"].as_u64()));
        ctx.commit().put_newer(&place(), event.version, &json!({"steps": steps})).run().await
    });
    Module::new("diary", vec![]).reacts(vec![hears])
}

#[tokio::test]
async fn a_consumer_that_needs_every_step_reads_the_gap_and_is_done_when_it_is_late() {
    let world = World::with(vec![diary()]).await;
    let grace = world.hospital("grace").await;
    let store = grace.store().await;
    let mut thing = Record::new(world.clock.now(), Thing { step: 1, due: None });
    for step in 1..=130 {
        let event = json!({"type": "thing.moved", "data": {"step": step}});
        let commit = match step {
            1 => store.commit().create(&thing),
            _ => {
                let mut new = thing.next(world.clock.now());
                new.body.step = step;
                store.commit().update("move", &thing, &new)
            }
        };
        commit.emit(event).run().await.unwrap();
        thing = store.fresh(thing.id).await.unwrap();
    }
    let events = world.events().await;
    let told = async |version: u64| {
        let event = events.iter().find(|e| e.version == version).unwrap().clone();
        web::consume(&world.modules[0], &world.app, &Message::Event(event)).await.unwrap();
    };
    told(2).await;
    assert_eq!(kept(&grace).await, json!({"steps": [1, 2], "version": 2}));
    told(130).await;
    for late in [1, 3, 77, 130] {
        told(late).await;
    }
    assert_eq!(kept(&grace).await["steps"], json!((1..=130).collect::<Vec<u64>>()));
}

#[tokio::test]
async fn a_reaction_that_fails_does_not_keep_another_from_its_work() {
    let poison = Reaction::on("thing.moved", |_: Ctx, _| async { Err(Error::internal("on purpose")) });
    let mut module = diary();
    module.reactions.insert(0, poison);
    let world = World::with(vec![module]).await;
    let grace = world.hospital("grace").await;
    let thing = Record::new(world.clock.now(), Thing { step: 1, due: None });
    let event = json!({"type": "thing.moved", "data": {"step": 1}});
    grace.store().await.commit().create(&thing).emit(event).run().await.unwrap();
    let event = world.events().await.remove(0);
    assert!(web::consume(&world.modules[0], &world.app, &Message::Event(event)).await.is_err());
    assert_eq!(kept(&grace).await["steps"], json!([1]));
}

#[test]
fn a_message_that_is_neither_an_event_nor_has_a_type_is_not_taken_for_done() {
    assert!(Message::read("{}").is_err());
    assert!(Message::read("{").is_err());
    let by_bus = json!({"detail-type": "thing.moved", "detail": {"type": "thing.moved", "tenant": "t"}});
    assert!(Message::read(&by_bus.to_string()).is_err(), "an event without its id");
    assert!(matches!(Message::read(r#"{"type": "due.flw.expiry"}"#), Ok(Message::Other(_))));
}
