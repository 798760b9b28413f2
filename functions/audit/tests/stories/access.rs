//! AUD-2: who looked at what, and who was turned away.

use crate::stage::Stage;
use jiff::SignedDuration;
use serde_json::{Value, json};
use web::Queue;

/// Story 3.
#[tokio::test]
async fn a_nurse_who_opens_a_patient_leaves_one_entry_and_a_list_leaves_one_too() {
    let s = Stage::set().await;
    let ada = s.patient("Ada", "0803 123 4567").await;
    s.world.letters.take(Queue::Access);
    s.nurse.call("GET", &format!("/v1/patients/{ada}")).because("round").send().await.ok();
    assert_eq!(s.entries().await, 1);
    let page = s.auditor.get(&format!("/v1/audit/access?record={ada}")).await.ok();
    let [entry] = &page["data"].as_array().unwrap()[..] else { panic!("{page:#}") };
    let wanted = json!({
        "by": s.nurse.user(), "action": "patient.show", "kind": "pat", "records": [ada], "subject": ada, "outcome": "asked",
        "roles": ["nurse"], "reach": "site", "count": 1, "ip": "196.6.103.10", "purpose": "round",
    });
    for (name, value) in wanted.as_object().unwrap() {
        assert_eq!(entry[name], *value, "{name} of {entry:#}");
    }
    for n in 1..25 {
        s.patient(&format!("Ngozi{}", (b'a' + n) as char), &format!("0803 123 46{n:02}")).await;
    }
    s.world.letters.take(Queue::Access);
    s.desk.get("/v1/patients?q=okonkwo&limit=25").await.ok();
    let sent = s.world.letters.take(Queue::Access);
    assert_eq!((sent.len(), sent[0]["ids"].as_array().unwrap().len()), (1, 25));
}

/// Story 4.
#[tokio::test]
async fn while_access_cannot_be_recorded_nothing_of_a_patient_is_answered() {
    let s = Stage::set().await;
    let ada = s.patient("Ada", "0803 123 4567").await;
    let path = format!("/v1/patients/{ada}");
    s.world.letters.down(true);
    for asked in [
        path.clone(),
        format!("{path}/history"),
        format!("{path}/history/1"),
        format!("{path}?at=2026-05-04T12:00:00Z"),
    ] {
        let reply = s.nurse.get(&asked).await;
        assert_eq!(reply.retry_after.as_deref(), Some("2"), "{asked}");
        let bytes = String::from_utf8_lossy(&reply.bytes).to_string();
        for secret in ["Ada", "Okonkwo", "0803", "1990"] {
            assert!(!bytes.contains(secret), "{asked}: {bytes}");
        }
        reply.refused(503, "access-not-recorded");
    }
    s.desk.patch(&path, json!({"occupation": "baker"})).await.ok();
    s.auditor.get("/v1/audit/changes").await.refused(503, "access-not-recorded");
    s.nurse.get("/v1/patients/pat_01J00000000000000000000000").await;
    s.world.letters.down(false);
    assert_eq!(s.nurse.get(&path).await.ok()["occupation"], "baker");
}

/// Story 5.
#[tokio::test]
async fn who_was_turned_away_and_what_failed_leave_entries_with_their_outcome() {
    let s = Stage::set().await;
    let ada = s.patient("Ada", "0803 123 4567").await;
    let path = format!("/v1/patients/{ada}");
    s.world.letters.take(Queue::Access);
    let elsewhere = s.grace.staff_at("receptionist", &[1]);
    let stranger = s.grace.staff("cashier");
    stranger.patch(&path, json!({"occupation": "x"})).await.refused(403, "forbidden");
    s.desk
        .call("PATCH", &path)
        .if_match(9)
        .body(json!({"occupation": "x"}))
        .send()
        .await
        .refused(412, "stale");
    elsewhere.get("/v1/patients/pat_01J00000000000000000000000").await.missing();
    s.world.stranger().get(&path).await.refused(401, "not-signed-in");
    s.entries().await;
    let page = s.auditor.get(&format!("/v1/audit/access?record={ada}")).await.ok();
    let told: Vec<(Value, Value, Value)> = page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| (e["outcome"].clone(), e["status"].clone(), e["problem"].clone()))
        .collect();
    let wanted =
        [(json!("failed"), json!(412), json!("stale")), (json!("refused"), json!(403), json!("forbidden"))];
    assert!(wanted.iter().all(|w| told.contains(w)) && told.len() == 2, "{told:?}");
    let mine = s.auditor.get(&format!("/v1/audit/access?user={}", elsewhere.user())).await.ok();
    // Both entries of that read bear the same time: asked, and refused.
    let refused = |e: &Value| (&e["outcome"], &e["status"]) == (&json!("refused"), &json!(404));
    assert!(mine["data"].as_array().unwrap().iter().any(refused), "{mine}");
    // Turned away also while the queue is down: a "no" tells nothing.
    s.world.letters.down(true);
    stranger.patch(&path, json!({"occupation": "x"})).await.refused(403, "forbidden");
}

#[tokio::test]
async fn an_ended_session_and_a_suspended_organisation_leave_their_refusals() {
    let s = Stage::set().await;
    s.world.letters.take(Queue::Access);
    let idle = s.desk.clone().seen(s.world.clock.now() - SignedDuration::from_hours(2), 15);
    idle.get("/v1/patients?q=oko").await.refused(401, "session-idle");
    s.grace.change_gate(|gate| gate.status = web::gate::Status::Closed).await;
    let locked = s.desk.get("/v1/patients?q=oko").await;
    assert_eq!(locked.status, 423, "{:#}", locked.body);
    let sent = s.world.letters.take(Queue::Access);
    let told: Vec<(&Value, &Value)> = sent.iter().map(|e| (&e["outcome"], &e["status"])).collect();
    assert_eq!(told, [(&json!("refused"), &json!(401)), (&json!("refused"), &json!(423))]);
}

#[tokio::test]
async fn an_entry_delivered_three_times_is_there_once_and_equal_refusals_are_counted() {
    let s = Stage::set().await;
    let ada = s.patient("Ada", "0803 123 4567").await;
    s.world.letters.take(Queue::Access);
    s.nurse.get(&format!("/v1/patients/{ada}")).await.ok();
    let sent = s.world.letters.take(Queue::Access);
    for _ in 0..3 {
        s.world.hand_over_other(&sent[0]).await;
    }
    let stranger = s.grace.staff("cashier");
    for _ in 0..4 {
        stranger.patch(&format!("/v1/patients/{ada}"), json!({})).await.refused(403, "forbidden");
    }
    let refused = s.world.letters.take(Queue::Access);
    s.world.batch("audit", &refused).await;
    let page = s.auditor.get(&format!("/v1/audit/access?record={ada}")).await.ok();
    let counts: Vec<&Value> = page["data"].as_array().unwrap().iter().map(|e| &e["count"]).collect();
    assert_eq!(counts, [&json!(4), &json!(1)]);
}

/// Story 15: the portal is not there yet; the fact that links a login to a person is.
#[tokio::test]
async fn a_patient_sees_who_looked_without_where_they_sat_and_nobody_elses() {
    let s = Stage::set().await;
    let (ada, bo) = (s.patient("Ada", "0803 123 4567").await, s.patient("Bo", "0803 123 4568").await);
    let herself = s.grace.staff("patient");
    let store = s.grace.store().await;
    let contact = json!({"name": "Nurse Joy"});
    let link = json!({"scopes": ["record"]});
    store
        .commit()
        .fact(store::facts::CONTACT, s.nurse.user(), &contact)
        .fact(store::facts::LINKED, format!("{}~{ada}", herself.user()), &link)
        .run()
        .await
        .unwrap();
    s.nurse.get(&format!("/v1/patients/{ada}")).await.ok();
    s.entries().await;
    let page = herself.get(&format!("/v1/audit/access?subject={ada}")).await.ok();
    let entry = &page["data"][0];
    let told = (&entry["by_name"], &entry["roles"], &entry["kind"]);
    assert_eq!(told, (&json!("Nurse Joy"), &json!(["nurse"]), &json!("pat")));
    for hidden in ["ip", "agent", "request", "purpose"] {
        assert!(entry.get(hidden).is_none(), "{hidden}");
    }
    herself.get(&format!("/v1/audit/access?subject={bo}")).await.missing();
    herself.get(&format!("/v1/audit/access?record={ada}")).await.refused(403, "own-acts-only");
}

/// Story 16.
#[tokio::test]
async fn who_touches_more_than_two_hundred_persons_in_an_hour_is_told_of_once() {
    let s = Stage::set().await;
    let store = s.grace.store().await;
    let nurse = store.acting(store::Caller {
        by: s.nurse.user(),
        roles: vec!["nurse".into()],
        request: "req-1".into(),
        ..Default::default()
    });
    let look = |n: u64| {
        let sight = web::access::Sight {
            action: "patient.show".into(),
            of: "pat".into(),
            ids: vec![format!("pat_{}", kernel::Ulid::from_parts(1, u128::from(n)))],
            ..Default::default()
        };
        serde_json::to_value(web::access::Looked::by(&nurse, sight)).unwrap()
    };
    let hand = async |messages: Vec<Value>| s.world.batch("audit", &messages).await;
    let surges = async || s.world.events().await.iter().filter(|e| e.kind == "access.surged").count();
    hand((0..200).map(look).collect()).await;
    hand((0..50).map(look).collect()).await;
    assert_eq!(surges().await, 0, "the same persons again");
    hand(vec![look(200)]).await;
    hand((201..230).map(look).collect()).await;
    assert_eq!(surges().await, 1);
    let page = s.admin.get("/v1/audit/surges").await.ok();
    assert_eq!(
        (&page["data"][0]["user"], &page["data"][0]["persons"]),
        (&json!(s.nurse.user()), &json!(201))
    );
}

#[tokio::test]
async fn a_worker_that_dies_between_the_table_and_the_lock_leaves_one_entry_anchored_once() {
    let s = Stage::set().await;
    let ada = s.patient("Ada", "0803 123 4567").await;
    s.anchors().await;
    s.world.letters.take(Queue::Access);
    s.nurse.get(&format!("/v1/patients/{ada}")).await.ok();
    let sent = s.world.letters.take(Queue::Access);
    s.world.files.down(true);
    assert_eq!(s.world.failing("audit", &sent).await, ["0"], "the message comes again");
    s.world.files.down(false);
    for _ in 0..2 {
        s.world.batch("audit", &sent).await;
    }
    let page = s.auditor.get(&format!("/v1/audit/access?record={ada}")).await.ok();
    assert_eq!(page["data"].as_array().unwrap().len(), 1);
    s.world.letters.take(Queue::Access);
    s.night("2026-05-05").await;
    let day = s.auditor.get("/v1/audit/digests/2026-05-04").await.ok();
    assert_eq!((&day["access"]["count"], &day["mismatches"]), (&json!(1), &json!([])));
    assert_eq!(s.verified().await["status"], "intact");
}
