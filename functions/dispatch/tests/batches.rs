//! What a batch of the stream becomes.

use dispatch::{Bus, dispatch};
use events::Envelope;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use std::sync::Mutex;
use testkit::World;

/// A bus that refuses what it is told to.
#[derive(Default)]
struct Memory {
    taken: Mutex<Vec<String>>,
    refuses: Option<&'static str>,
}

impl Bus for Memory {
    fn put<'a>(&'a self, events: &'a [Envelope]) -> BoxFuture<'a, kernel::Result<Vec<usize>>> {
        Box::pin(async move {
            let mut failed = vec![];
            for (n, event) in events.iter().enumerate() {
                if Some(event.kind.as_str()) == self.refuses {
                    failed.push(n);
                } else {
                    self.taken.lock().unwrap().push(event.id.clone());
                }
            }
            Ok(failed)
        })
    }
}

fn record(n: u32, tenant: &str, event: Option<&str>, due: Option<&str>) -> Value {
    let mut image = json!({
        "pk": {"S": format!("{tenant}#chg#pat#pat_{n}")}, "sk": {"S": "v#0000000001"}, "kind": {"S": "pat"},
        "id": {"S": format!("pat_{n}")}, "version": {"N": "1"}, "at": {"S": "2026-01-01T00:00:00.000Z"}, "by": {"S": "usr_1"},
    });
    if let Some(event) = event {
        image["event"] = json!({"M": {"type": {"S": event}}});
    }
    if let Some(due) = due {
        image["due"] = json!({"S": due});
    }
    json!({"eventName": "INSERT", "dynamodb": {"SequenceNumber": format!("{n}"), "NewImage": image}})
}

#[tokio::test]
async fn changes_with_an_event_go_to_the_bus_and_others_do_not() {
    let world = World::with(vec![]).await;
    let bus = Memory::default();
    let mut records: Vec<Value> =
        (0..25).map(|n| record(n, "t", (n % 2 == 0).then_some("patient.updated"), None)).collect();
    records[0]["eventName"] = "MODIFY".into();
    let answer = dispatch(&world.app, &bus, &json!({"Records": records})).await;
    assert_eq!(answer, json!({"batchItemFailures": []}));
    assert_eq!(bus.taken.lock().unwrap().len(), 12);
}

#[tokio::test]
async fn the_first_refused_event_is_named_so_that_it_comes_again() {
    let world = World::with(vec![]).await;
    let bus = Memory { refuses: Some("patient.merged"), ..Memory::default() };
    let kind = |n| if n == 13 || n == 21 { "patient.merged" } else { "patient.updated" };
    let records: Vec<Value> = (0..25).map(|n| record(n, "t", Some(kind(n)), None)).collect();
    let answer = dispatch(&world.app, &bus, &json!({"Records": records})).await;
    assert_eq!(answer, json!({"batchItemFailures": [{"itemIdentifier": "13"}]}));
}

#[tokio::test]
async fn the_earliest_due_time_of_a_tenant_is_remembered() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    let tenant = grace.id.prefix();
    let records = ["2026-05-02", "2026-05-01", "2026-05-03"]
        .iter()
        .enumerate()
        .map(|(n, day)| record(n as u32, &tenant, None, Some(&format!("{day}T00:00:00.000Z"))));
    let batch = json!({"Records": records.collect::<Vec<_>>()});
    dispatch(&world.app, &Memory::default(), &batch).await;
    let platform = world.app.vault().open(store::Scope::Platform, store::Caller::default()).await.unwrap();
    let due = |at: &str| at.parse::<jiff::Timestamp>().unwrap();
    assert!(platform.tenants_due(due("2026-04-30T23:59:59Z"), None).await.unwrap().data.is_empty());
    let found = platform.tenants_due(due("2026-05-01T00:00:00Z"), None).await.unwrap().data;
    assert_eq!((found.len(), found[0].scope), (1, grace.scope()));
}

#[tokio::test]
async fn every_change_is_anchored_whether_anybody_hears_of_it_or_not() {
    let world = World::with(vec![]).await;
    let mut records: Vec<Value> = (0..6)
        .map(|n| record(n, if n < 4 { "t" } else { "u" }, (n == 2).then_some("patient.updated"), None))
        .collect();
    for record in &mut records {
        record["dynamodb"]["NewImage"]["hash"] = json!({"S": "ab"});
    }
    dispatch(&world.app, &Memory::default(), &json!({"Records": records})).await;
    let told = world.letters.take(web::Queue::Audit);
    let counted: Vec<_> =
        told.iter().map(|m| (m["tenant"].clone(), m["changes"].as_array().unwrap().len())).collect();
    assert_eq!(counted, [(json!("t"), 4), (json!("u"), 2)]);
    let first = json!({"record": "pat_0", "version": 1, "at": "2026-01-01T00:00:00.000Z", "hash": "ab", "id": "pat#pat_0#1"});
    assert_eq!(told[0]["changes"][0], first);
    world.letters.down(true);
    let answer =
        dispatch(&world.app, &Memory::default(), &json!({"Records": [record(7, "t", None, None)]})).await;
    assert_eq!(
        answer,
        json!({"batchItemFailures": [{"itemIdentifier": "7"}]}),
        "and comes again until it is"
    );
}
