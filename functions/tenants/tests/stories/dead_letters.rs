//! What a module gave up: operators see it with its reason, and send it again once the cause is mended.

use crate::common::{Scene, on};
use kernel::Error;
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};
use testkit::World;
use web::{App, Module, Queue, Task};

const PATH: &str = "/v1/tenants/dead_letters";

/// A module that cannot do a thing until it is mended.
async fn scene() -> (Scene, Arc<AtomicBool>) {
    let mended = Arc::new(AtomicBool::new(false));
    let flag = mended.clone();
    let task = Task::on("due.flw.expiry", move |_: App, _| {
        let mended = flag.load(SeqCst);
        async move { if mended { Ok(()) } else { Err(Error::internal("no such calendar")) } }
    });
    let patients = Module::new("patients", vec![]).does(vec![task]);
    (on(World::with(vec![tenants::module(), patients]).await).await, mended)
}

async fn delivered(scene: &Scene, times: u32, body: &str) -> Value {
    let record =
        json!({"messageId": "m", "body": body, "attributes": {"ApproximateReceiveCount": times.to_string()}});
    web::batch(&scene.world.modules[1], &scene.world.app, &json!({"Records": [record]})).await
}

fn due(id: &str) -> String {
    json!({"type": "due.flw.expiry", "tenant": "01JD0000000000000000HARM0N", "id": id, "at": "2026-01-01T00:00:00Z"})
        .to_string()
}

async fn letters(scene: &Scene) -> Vec<Value> {
    let page = scene.admin.get(&format!("{PATH}?queue=patients")).await.ok();
    page["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_message_that_failed_for_the_last_time_is_listed_with_its_reason_and_sent_again() {
    let (scene, mended) = scene().await;
    for times in 1..=4 {
        assert_eq!(
            delivered(&scene, times, &due("flw_1")).await["batchItemFailures"][0]["itemIdentifier"],
            "m"
        );
        assert!(letters(&scene).await.is_empty(), "it comes again");
    }
    for _ in 0..2 {
        delivered(&scene, 5, &due("flw_1")).await;
    }
    let found = letters(&scene).await;
    assert_eq!(found.len(), 1, "the same message is one: {found:?}");
    let letter = &found[0];
    assert_eq!((&letter["message"], &letter["subject"]), (&json!("due.flw.expiry"), &json!("flw_1")));
    assert_eq!((&letter["reason"], &letter["body"]), (&json!("no such calendar"), &Value::Null));
    mended.store(true, SeqCst);
    scene.world.rounds();
    let resend = format!("{PATH}/{}/resend", letter["id"].as_str().unwrap());
    scene.admin.post(&resend, json!({})).await.ok();
    scene.world.spends(2, "resend");
    let sent = scene.world.letters.take(Queue::Patients);
    assert_eq!(sent, [serde_json::from_str::<Value>(&due("flw_1")).unwrap()]);
    assert!(letters(&scene).await.is_empty());
    scene.admin.post(&resend, json!({})).await.refused(404, "not-found");
}

#[tokio::test]
async fn what_succeeds_at_the_last_time_leaves_no_letter_and_what_ends_the_function_leaves_one() {
    let (scene, mended) = scene().await;
    mended.store(true, SeqCst);
    assert_eq!(delivered(&scene, 5, &due("flw_1")).await, json!({"batchItemFailures": []}));
    assert!(letters(&scene).await.is_empty());
    let stuck = Task::on("due.flw.stuck", |_: App, _| std::future::pending());
    let module = Module::new("patients", vec![]).does(vec![stuck]);
    let body = due("flw_2").replace("expiry", "stuck");
    let record = json!({"messageId": "m", "body": body, "attributes": {"ApproximateReceiveCount": "5"}});
    let event = json!({"Records": [record]});
    let short = std::time::Duration::from_millis(500);
    assert!(tokio::time::timeout(short, web::batch(&module, &scene.world.app, &event)).await.is_err());
    assert_eq!(letters(&scene).await[0]["reason"], "the function ended before it was handled");
}

#[tokio::test]
async fn letters_come_page_by_page_and_an_unknown_queue_is_named() {
    let (scene, _) = scene().await;
    for n in 0..5 {
        delivered(&scene, 5, &due(&format!("flw_{n}"))).await;
    }
    delivered(&scene, 5, "not json").await;
    let mut path = format!("{PATH}?queue=patients&limit=4");
    let first = scene.admin.get(&path).await.ok();
    path += &format!("&cursor={}", first["next"].as_str().unwrap());
    let second = scene.admin.get(&path).await.ok();
    let count = |page: &Value| page["data"].as_array().unwrap().len();
    assert_eq!((count(&first), count(&second), &second["next"]), (4, 2, &Value::Null));
    scene.admin.get(&format!("{PATH}?queue=nobody")).await.refused(400, "validation");
    scene.admin.get(&format!("{PATH}?queue=dispatch")).await.ok();
}

#[tokio::test]
async fn customers_do_not_see_what_was_given_up() {
    let (scene, _) = scene().await;
    let grace = scene.world.hospital("grace").await;
    grace.staff("tenant_admin").get(&format!("{PATH}?queue=patients")).await.refused(403, "forbidden");
}
