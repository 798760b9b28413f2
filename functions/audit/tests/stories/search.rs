//! AUD-1, AUD-3, AUD-5: the change itself, history, and search.

use crate::stage::{Stage, digest};
use serde_json::{Value, json};
use web::Queue;

fn words(page: &Value, name: &str) -> Vec<String> {
    page["data"].as_array().unwrap().iter().map(|l| l[name].to_string().replace('"', "")).collect()
}

/// Story 1.
#[tokio::test]
async fn a_changed_number_stands_with_old_and_new_sealed_and_the_record_names_the_change() {
    let s = Stage::set().await;
    let ada = s.patient("Ada", "0803 123 4567").await;
    let path = format!("/v1/patients/{ada}");
    s.desk.patch(&path, json!({"occupation": "baker"})).await.ok();
    let change = s.item(&format!("chg#pat#{ada}"), "v#0000000002").await;
    let record = s.item(&format!("pat#{ada}"), ".").await;
    assert_eq!(digest(record["head"].as_s().unwrap()), change["hash"]);
    assert!(change["patch"].is_b() && change["context"].is_b(), "sealed");
    assert!(!s.grace.dump().await.contains("baker"));
    let history = s.nurse.get(&format!("{path}/history")).await.ok();
    let newest = &history["data"][0];
    assert_eq!((&newest["ip"], &newest["version"]), (&json!("196.6.103.10"), &json!(2)));
    let session = format!("ses-{}", s.desk.user());
    assert_eq!((&newest["route"], &newest["session"]), (&json!("patient.update"), &json!(session)));
    s.anchors().await;
    assert_eq!(s.findings(&ada).await, Vec::<String>::new(), "route and session are part of what is hashed");
    s.change(&format!("chg#pat#{ada}"), "v#0000000002", |i| {
        i.insert("route".into(), store::sdk::types::AttributeValue::S("patient.merge".into()));
    })
    .await;
    assert_eq!(s.findings(&ada).await, ["altered 2 form"]);
}

/// Story 6.
#[tokio::test]
async fn a_record_as_it_stood_names_its_version_and_says_why_it_cannot_be_told() {
    let s = Stage::set().await;
    s.at("2026-05-04T11:00:00Z");
    let ada = s.versions("Ada", "0803 123 4567", 4).await;
    let path = format!("/v1/patients/{ada}");
    let history = s.nurse.get(&format!("{path}/history")).await.ok();
    let then = |version: usize| format!("{path}?at={}", history["data"][4 - version]["at"].as_str().unwrap());
    let reply = s.nurse.get(&then(3)).await;
    assert_eq!(reply.headers["content-location"], format!("{ada}/history/3"));
    let stood = reply.ok();
    assert_eq!((&stood["occupation"], &stood["actions"]), (&json!("trade 3"), &json!([])));
    s.nurse.get(&format!("{path}?at=2026-05-04T10:59:59Z")).await.refused(404, "not-yet-created");
    // An erasure takes what a change carried and leaves its digests.
    s.change(&format!("chg#pat#{ada}"), "v#0000000003", |i| {
        i.remove("patch");
    })
    .await;
    s.nurse.get(&then(3)).await.refused(410, "erased");
    assert_eq!(s.nurse.get(&then(2)).await.ok()["occupation"], "trade 2");
}

/// Story 6.
#[tokio::test]
async fn any_version_and_what_two_differ_in_can_be_read() {
    let s = Stage::set().await;
    let ada = s.versions("Ada", "0803 123 4567", 8).await;
    let path = format!("/v1/patients/{ada}");
    let three = s.nurse.get(&format!("{path}/history/3")).await.ok();
    assert_eq!(three["record"]["occupation"], "trade 3");
    assert_eq!((&three["change"]["version"], &three["change"]["by"]), (&json!(3), &json!(s.desk.user())));
    let one = s.nurse.get(&format!("{path}/history/1")).await.ok();
    assert!(one["record"].get("occupation").is_none());
    let diff = s.nurse.get(&format!("{path}/history/diff?from=3&to=7")).await.ok();
    assert_eq!(
        diff["data"],
        json!([{"path": "/occupation", "from": "trade 3", "to": "trade 7"}]),
        "net of the steps"
    );
    let first = s.nurse.get(&format!("{path}/history/diff?from=1&to=2")).await.ok();
    assert_eq!(first["data"][0]["from"], Value::Null);
    for odd in ["9", "0", "x"] {
        s.nurse.get(&format!("{path}/history/{odd}")).await.missing();
    }
    s.nurse.get(&format!("{path}/history/diff?from=7&to=3")).await.refused(422, "bad-range");
    s.nurse.get(&format!("{path}?at=2027-01-01T00:00:00Z")).await.refused(422, "in-the-future");
    s.nurse.get(&format!("{path}?at=yesterday")).await.refused(400, "validation");
    let lab = s.grace.staff("cashier");
    s.world.letters.take(Queue::Access);
    assert!(lab.get(&format!("{path}/history/diff?from=1&to=2")).await.status >= 400);
}

#[tokio::test]
async fn changes_are_found_by_record_by_user_by_action_and_by_time() {
    let s = Stage::set().await;
    let ada = s.versions("Ada", "0803 123 4567", 3).await;
    s.at("2026-05-05T09:00:00Z");
    let bo = s.patient("Bo", "0803 123 4568").await;
    s.nurse.patch(&format!("/v1/patients/{bo}"), json!({"occupation": "baker"})).await;
    let get = async |query: &str| s.auditor.get(&format!("/v1/audit/changes?{query}")).await.ok();
    assert_eq!(words(&get(&format!("record={ada}")).await, "version"), ["3", "2", "1"]);
    let page = get(&format!("record={ada}&action=pat.update")).await;
    assert_eq!(words(&page, "version"), ["3", "2"]);
    assert_eq!(page["data"][0]["changed"], json!(["/occupation"]));
    assert!(!page.to_string().contains("trade"), "values are the record's own to show");
    let of_desk = get(&format!("user={}", s.desk.user())).await;
    assert!(words(&of_desk, "record").contains(&bo) && of_desk["data"].as_array().unwrap().len() >= 4);
    let created = get("action=pat.create").await;
    assert_eq!(words(&created, "record"), [bo.clone(), ada.clone()]);
    let day = get("from=2026-05-04T00:00:00Z&to=2026-05-04T23:59:59Z").await;
    assert!(words(&day, "record").iter().all(|r| *r != bo) && words(&day, "record").contains(&ada));
    // Page after page, the same as at once.
    let all = get("limit=100").await;
    let (mut paged, mut cursor) = (vec![], String::new());
    loop {
        let page = get(&format!("limit=2{cursor}")).await;
        paged.extend(words(&page, "hash"));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, words(&all, "hash"));
}

#[tokio::test]
async fn each_role_sees_the_part_of_the_trail_that_is_theirs() {
    let s = Stage::set().await;
    let ada = s.patient("Ada", "0803 123 4567").await;
    let quality = s.grace.staff("quality");
    let page = quality.get("/v1/audit/changes?limit=100").await.ok();
    assert!(words(&page, "record").iter().all(|r| !r.starts_with("pat_")), "nothing clinical");
    let own = s.desk.get("/v1/audit/changes").await.ok();
    assert!(words(&own, "by").iter().all(|by| *by == s.desk.user()) && !words(&own, "by").is_empty());
    s.desk.get(&format!("/v1/audit/changes?user={}", s.nurse.user())).await.refused(403, "own-acts-only");
    s.desk.get(&format!("/v1/audit/changes?record={ada}")).await.refused(403, "own-acts-only");
    s.grace.staff("patient").get("/v1/audit/changes").await.refused(403, "forbidden");
    s.desk.get("/v1/audit/verifications").await.refused(403, "forbidden");
    let other = s.world.clinic("mercy").await;
    let there = other.staff("auditor").get(&format!("/v1/audit/changes?record={ada}")).await.ok();
    assert_eq!(there["data"], json!([]), "another organisation's records are nobody's here");
}

#[tokio::test]
async fn a_search_of_the_trail_is_itself_in_the_trail() {
    let s = Stage::set().await;
    let ada = s.patient("Ada", "0803 123 4567").await;
    s.world.letters.take(Queue::Access);
    s.auditor
        .call("GET", &format!("/v1/audit/changes?record={ada}"))
        .because("complaint 7")
        .send()
        .await
        .ok();
    assert_eq!(s.entries().await, 1);
    let mine = s.admin.get(&format!("/v1/audit/access?user={}", s.auditor.user())).await.ok();
    let entry = &mine["data"][0];
    assert_eq!((&entry["action"], &entry["records"]), (&json!("change.list"), &json!([ada])));
    assert_eq!(entry["purpose"], "complaint 7");
}
