//! What a batch of the stream becomes.

use crate::support::{Memory, busy, record};
use dispatch::{Refused, dispatch};
use serde_json::{Value, json};
use store::{Caller, Scope};
use testkit::World;
use web::{Queue, dead::DeadLetter};

fn change(n: u32, tenant: &str, event: Option<&str>, due: Option<&str>) -> Value {
    let mut image = json!({
        "pk": {"S": format!("{tenant}#chg#pat#pat_{n}")}, "sk": {"S": "v#0000000001"}, "version": {"N": "1"},
        "trailsk": {"S": format!("2026-01-01T00:00:00.000Z#pat_{n}#0000000001")}, "by": {"S": "usr_1"},
        "hash": {"B": "qw=="},
    });
    if let Some(event) = event {
        image["event"] = json!({"M": {"type": {"S": event}}});
    }
    if let Some(due) = due {
        image["due"] = json!({"S": due});
    }
    record(&n.to_string(), image)
}

async fn platform(world: &World) -> store::Store {
    world.app.vault().open(Scope::Platform, Caller::default()).await.unwrap()
}

const TENANT: &str = "01JD0000000000000000HARM0N";

#[tokio::test]
async fn changes_with_an_event_go_to_the_bus_and_others_do_not() {
    let (world, bus) = (World::with(vec![]).await, Memory::kind());
    let mut records: Vec<Value> =
        (0..25).map(|n| change(n, TENANT, (n % 2 == 0).then_some("patient.updated"), None)).collect();
    records[0]["eventName"] = "MODIFY".into();
    let answer = dispatch(&world.app, &bus, &json!({"Records": records})).await;
    assert_eq!(answer, json!({"batchItemFailures": []}));
    assert_eq!(bus.ids().len(), 12);
}

#[tokio::test]
async fn the_first_event_that_is_not_taken_now_is_named_and_nothing_behind_its_call_is_tried() {
    let world = World::with(vec![]).await;
    let bus = Memory::saying(|event, _| if event.kind == "patient.merged" { busy() } else { None });
    let kind = |n| if n == 13 || n == 27 { "patient.merged" } else { "patient.updated" };
    let records: Vec<Value> = (0..30).map(|n| change(n, TENANT, Some(kind(n)), None)).collect();
    let answer = dispatch(&world.app, &bus, &json!({"Records": records})).await;
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "13"}]}));
    assert_eq!(bus.ids().len(), 19, "ten, and nine of the second call; the third comes with the next batch");
}

#[tokio::test]
async fn a_bus_that_is_busy_for_a_moment_is_asked_again_for_what_it_did_not_take_alone() {
    let world = World::with(vec![]).await;
    let bus = Memory::saying(|event, call| if call < 3 && event.record == "pat_3" { busy() } else { None });
    let records: Vec<Value> = (0..10).map(|n| change(n, TENANT, Some("patient.updated"), None)).collect();
    let answer = dispatch(&world.app, &bus, &json!({"Records": records})).await;
    assert_eq!(answer, json!({"batchItemFailures": []}));
    let mut ids = bus.ids();
    ids.sort();
    ids.dedup();
    assert_eq!((bus.ids().len(), ids.len()), (10, 10), "none was sent twice");
}

#[tokio::test]
async fn what_can_never_be_sent_goes_to_the_dead_letters_with_its_reason_and_holds_nobody_up() {
    let world = World::with(vec![]).await;
    let never =
        |kind: &str| Refused { at: 0, reason: format!("the bus: MalformedDetail {kind}"), forever: true };
    let bus = Memory::saying(move |e, _| (e.kind == "patient.merged").then(|| never(&e.kind)));
    let mut records: Vec<Value> = (0..8).map(|n| change(n, TENANT, Some("patient.updated"), None)).collect();
    records[1] = change(1, TENANT, Some("patient.merged"), None);
    records[3]["dynamodb"]["NewImage"]["event"] = json!({"M": {"data": {"M": {}}}});
    records[5] = change(5, "nobody", Some("patient.updated"), None);
    records[6]["dynamodb"]["NewImage"] = json!({});
    let answer = dispatch(&world.app, &bus, &json!({"Records": records})).await;
    assert_eq!(answer, json!({"batchItemFailures": []}));
    assert_eq!(bus.ids().len(), 4);
    let dead = world.letters.take(Queue::DispatchDead);
    let told: Vec<(&str, &str)> =
        dead.iter().map(|d| (d["sequence"].as_str().unwrap(), d["reason"].as_str().unwrap())).collect();
    let wanted = [
        ("1", "the bus: MalformedDetail patient.merged"),
        ("3", "its event cannot be read"),
        ("5", "it is of no tenant"),
        ("6", "the stream brought no image of it"),
    ];
    assert_eq!(told, wanted);
    let notes = DeadLetter::latest(&platform(&world).await, "dispatch", "", 10).await.unwrap();
    let mut reasons: Vec<&str> = notes.iter().map(|n| n.reason.0.as_str()).collect();
    reasons.sort_unstable();
    assert_eq!(
        reasons,
        [
            "it is of no tenant",
            "its event cannot be read",
            "the bus: MalformedDetail patient.merged",
            "the stream brought no image of it"
        ]
    );
}

#[tokio::test]
async fn poison_that_cannot_be_given_up_now_comes_again() {
    let world = World::with(vec![]).await;
    let mut records: Vec<Value> = (0..4).map(|n| change(n, TENANT, Some("patient.updated"), None)).collect();
    records[2]["dynamodb"]["NewImage"]["event"] = json!({"M": {}});
    world.letters.shut(Queue::DispatchDead);
    let answer = dispatch(&world.app, &Memory::kind(), &json!({"Records": records})).await;
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "2"}]}));
}

#[tokio::test]
async fn the_earliest_due_time_of_a_tenant_is_remembered() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    let tenant = grace.id.prefix();
    let records = ["2026-05-02", "2026-05-01", "2026-05-03"]
        .iter()
        .enumerate()
        .map(|(n, day)| change(n as u32, &tenant, None, Some(&format!("{day}T00:00:00.000Z"))));
    let batch = json!({"Records": records.collect::<Vec<_>>()});
    dispatch(&world.app, &Memory::kind(), &batch).await;
    let platform = platform(&world).await;
    let due = |at: &str| at.parse::<jiff::Timestamp>().unwrap();
    assert!(platform.tenants_due(due("2026-04-30T23:59:59Z"), None).await.unwrap().data.is_empty());
    let found = platform.tenants_due(due("2026-05-01T00:00:00Z"), None).await.unwrap().data;
    assert_eq!((found.len(), found[0].scope), (1, grace.scope()));
}

#[tokio::test]
async fn a_tenant_of_the_register_has_nights_from_its_first_change_on() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    let mut record = change(1, "platform", None, None);
    let image = &mut record["dynamodb"]["NewImage"];
    image["pk"] = json!({"S": format!("platform#chg#ten#{}", grace.id)});
    for _ in 0..2 {
        dispatch(&world.app, &Memory::kind(), &json!({"Records": [record]})).await;
    }
    let nights = platform(&world).await.nights(world.clock.now(), None).await.unwrap().data;
    assert_eq!((nights.len(), nights[0].scope, nights[0].day), (1, grace.scope(), None));
}

#[tokio::test]
async fn every_change_is_anchored_whether_anybody_hears_of_it_or_not() {
    let (world, other) = (World::with(vec![]).await, "01JD00000000000000000GRACE");
    let records: Vec<Value> = (0..6)
        .map(|n| change(n, if n < 4 { TENANT } else { other }, (n == 2).then_some("patient.updated"), None))
        .collect();
    dispatch(&world.app, &Memory::kind(), &json!({"Records": records})).await;
    let told = world.letters.take(Queue::Audit);
    let mut counted: Vec<_> =
        told.iter().map(|m| (m["tenant"].clone(), m["changes"].as_array().unwrap().len())).collect();
    counted.sort_by_key(|(_, n)| *n);
    assert_eq!(counted, [(json!(other), 2), (json!(TENANT), 4)]);
    let first = json!({"record": "pat_0", "version": 1, "at": "2026-01-01T00:00:00.000Z", "hash": "ab", "id": "pat#pat_0#1"});
    let of_tenant = told.iter().find(|m| m["tenant"] == TENANT).unwrap();
    assert_eq!(of_tenant["changes"][0], first);
    world.letters.down(true);
    let answer =
        dispatch(&world.app, &Memory::kind(), &json!({"Records": [change(7, TENANT, None, None)]})).await;
    assert_eq!(
        answer,
        json!({"batchItemFailures": [{"itemIdentifier": "7"}]}),
        "and comes again until it is"
    );
}
