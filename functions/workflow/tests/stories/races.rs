//! What must hold however many do it at once, where transactions contend as they do in the cloud.

use crate::stage::{Stage, id};
use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use testkit::{Actor, Reply};

/// All at once, each on a task of its own.
pub async fn together(calls: Vec<(Actor, String, Value)>) -> Vec<Reply> {
    let one =
        |(who, path, body): (Actor, String, Value)| tokio::spawn(async move { who.post(&path, body).await });
    join_all(calls.into_iter().map(one)).await.into_iter().map(|r| r.expect("an answer")).collect()
}

pub fn outcomes(replies: &[Reply]) -> BTreeMap<(u16, String), usize> {
    let mut counts = BTreeMap::new();
    for reply in replies {
        let code = if reply.status < 400 { "" } else { reply.code() };
        *counts.entry((reply.status, code.to_string())).or_default() += 1;
    }
    counts
}

/// Story 1.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nurses_claim_together_and_one_of_them_has_it() {
    let s = Stage::contended().await;
    let task = s
        .task(&s.admin, json!({"assignee": {"kind": "role_at_site", "value": "nurse"}, "site": s.site}))
        .await;
    let path = format!("/v1/workflow/tasks/{}/claim", id(&task));
    let replies =
        together(vec![(s.nurse.clone(), path.clone(), json!({})), (s.other.clone(), path, json!({}))]).await;
    let wanted = BTreeMap::from([((200, String::new()), 1), ((409, "already-claimed".into()), 1)]);
    assert_eq!(outcomes(&replies), wanted);
    let lost = replies.iter().find(|r| r.status == 409).unwrap();
    let won = replies.iter().find(|r| r.status == 200).unwrap();
    assert_eq!((&lost.body["by"], lost.body["at"].is_string()), (&won.body["claimed_by"], true));
    let queue = format!("/v1/workflow/tasks?role=nurse&site={}", s.site);
    assert!(s.nurse.get(&queue).await.ok()["data"].as_array().unwrap().is_empty(), "it has left the queue");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_delivered_ten_times_at_once_makes_one_task() {
    let s = Stage::contended().await;
    let wish = s.event(
        "task.requested",
        "doc_01ARZ3NDEKTSV4RRFFQ69G5FA1",
        json!({"title_code": "document_verify", "category": "hr", "assignee": "role~hr", "key": "once"}),
    );
    let one = || {
        let (world, wish) = (s.world.clone(), wish.clone());
        tokio::spawn(async move { world.hand_over(&wish).await })
    };
    for done in join_all((0..10).map(|_| one())).await {
        done.unwrap();
    }
    assert_eq!(s.hr.get("/v1/workflow/tasks?role=hr").await.ok()["data"].as_array().unwrap().len(), 1);
}
