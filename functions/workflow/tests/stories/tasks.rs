//! TSK-1: tasks.

use crate::stage::{Stage, id, made};
use serde_json::{Value, json};
use store::{Key, facts};

/// Story 2.
#[tokio::test]
async fn what_is_due_on_friday_is_reminded_twice_then_overdue_then_climbs_until_it_is_done() {
    let s = Stage::set().await;
    let (lead, manager) = (s.doctor.user(), s.hr.user());
    let to = |user: &str| json!({"kind": "user", "value": user});
    let made = s
        .task(
            &s.admin,
            json!({
                "assignee": to(&s.nurse.user()), "due_on": "2026-11-27",
                "escalation": [
                    {"after_minutes": 60, "to": to(&lead)},
                    {"after_minutes": 240, "to": to(&manager), "raise_priority": true},
                ],
            }),
        )
        .await;
    assert_eq!(made["due_at"], "2026-11-27T16:00:00Z", "17:00 in Lagos");
    for (at, rings) in [
        ("2026-11-26T15:59:00Z", 0),
        ("2026-11-26T16:00:01Z", 1),
        ("2026-11-26T16:05:00Z", 0),
        ("2026-11-27T14:00:01Z", 1),
        ("2026-11-27T16:00:01Z", 1),
        ("2026-11-27T17:00:01Z", 1),
    ] {
        s.at(at);
        let rang = s.world.ring().await;
        assert_eq!(rang.len(), rings, "{at}: {rang:?}");
    }
    assert_eq!(
        s.events_of(&made).await,
        ["task.assigned", "task.due_soon", "task.due_soon", "task.overdue", "task.escalated"]
    );
    let now = s.shows(&made).await;
    assert_eq!(
        (&now["overdue"], &now["watchers"], &now["priority"]),
        (&json!(true), &json!([lead]), &json!("normal"))
    );
    s.later(30);
    s.gives(&s.nurse, &made, "complete", json!({})).await.ok();
    s.at("2026-11-28T10:00:00Z");
    assert!(s.world.ring().await.is_empty(), "the rest is not said");
    assert!(!s.events_of(&made).await.contains(&"task.escalated2".to_string()));
}

/// The clock fires twice, the queue delivers three times: it is said once.
#[tokio::test]
async fn a_row_that_rings_three_times_is_said_once_and_a_late_clock_skips_what_is_over() {
    let s = Stage::set().await;
    let made = s.task(&s.admin, json!({"due_in": {"count": 3, "unit": "hours"}})).await;
    assert_eq!(made["reminded"], 1, "a day before is over already");
    let row = json!({"type": "due.tsk.next", "tenant": s.grace.id.prefix(), "id": made["id"], "at": ""});
    s.later(61);
    for _ in 0..3 {
        s.world.hand_over_other(&row).await;
    }
    assert_eq!(s.events_of(&made).await, ["task.assigned", "task.due_soon"]);
    s.later(24 * 60);
    s.world.ring().await;
    assert_eq!(s.events_of(&made).await, ["task.assigned", "task.due_soon", "task.overdue"]);
    let late = s.task(&s.admin, json!({"due_in": {"count": 3, "unit": "hours"}})).await;
    s.later(24 * 60);
    s.world.ring().await;
    assert_eq!(s.events_of(&late).await, ["task.assigned", "task.overdue"], "nobody is reminded of the past");
}

/// Story 3.
#[tokio::test]
async fn a_task_is_done_when_its_list_and_its_evidence_are() {
    let s = Stage::set().await;
    let check = |n: u8| json!({"text": format!("step {n}"), "required": n < 4});
    let list: Vec<Value> = (0..6).map(check).collect();
    let task = s
        .task(&s.admin, json!({
            "assignee": {"kind": "user", "value": s.nurse.user()}, "checklist": list, "requires": {"evidence": true},
        }))
        .await;
    for n in 0..3 {
        s.gives(&s.nurse, &task, "check", json!({"n": n})).await.ok();
    }
    let open = s.gives(&s.nurse, &task, "complete", json!({})).await.refused(422, "checklist-open");
    let said: Vec<&str> =
        open["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
    assert_eq!((said, &open["errors"][0]["detail"]), (vec!["/checklist/3", "/evidence"], &json!("step 3")));
    s.gives(&s.nurse, &task, "check", json!({"n": 3, "evidence": made("doc", 1)})).await.ok();
    s.gives(&s.nurse, &task, "check", json!({"n": 9})).await.refused(422, "no-such-check");
    s.gives(&s.nurse, &task, "complete", json!({})).await.refused(422, "requirement-open");
    let done = s.gives(&s.nurse, &task, "complete", json!({"evidence": [made("doc", 2)]})).await.ok();
    assert_eq!((&done["status"], &done["outcome"]), (&json!("done"), &json!("done")));
    s.gives(&s.nurse, &task, "complete", json!({})).await.refused(422, "state");
    assert!(!s.grace.dump().await.contains("step 3"), "texts are sealed");
}

#[tokio::test]
async fn completing_twice_with_one_key_is_answered_twice_alike() {
    let s = Stage::set().await;
    let task = s.task(&s.admin, json!({"assignee": {"kind": "user", "value": s.nurse.user()}})).await;
    let path = format!("/v1/workflow/tasks/{}/complete", id(&task));
    let once = || s.nurse.call("POST", &path).body(json!({})).key("k1");
    let first = once().send().await;
    assert_eq!((first.status, once().send().await.bytes), (200, first.bytes));
}

/// Story 4.
#[tokio::test]
async fn the_tasks_of_somebody_who_was_disabled_go_back_or_to_the_manager() {
    let s = Stage::set().await;
    let mut hers = vec![];
    for _ in 0..5 {
        hers.push(s.task(&s.admin, json!({"assignee": {"kind": "user", "value": s.nurse.user()}})).await);
    }
    for _ in 0..2 {
        let queued = s.task(&s.admin, json!({})).await;
        s.gives(&s.nurse, &queued, "claim", json!({})).await.ok();
        hers.push(queued);
    }
    assert_eq!(s.mine(&s.nurse).await.len(), 7);
    let store = s.grace.store().await;
    let manager = json!({"manager": s.doctor.user()});
    store.commit().fact(facts::MANAGER, s.nurse.user(), &manager).run().await.unwrap();
    s.grace.gone(&s.nurse).await;
    let gone = s.event("user.disabled", &s.nurse.user(), json!({"user": s.nurse.user()}));
    for _ in 0..2 {
        s.world.hand_over(&gone).await;
    }
    assert_eq!((s.mine(&s.nurse).await.len(), s.mine(&s.doctor).await.len()), (0, 5));
    let queue = s.other.get("/v1/workflow/tasks?role=nurse").await.ok();
    assert_eq!(queue["data"].as_array().unwrap().len(), 2);
    assert_eq!(queue["data"][0]["status"], "open");
    for task in &hers {
        let moved = s.events_of(task).await.into_iter().filter(|e| e == "task.reassigned").count();
        assert_eq!(moved, 1, "each with one change");
    }
}

#[tokio::test]
async fn a_second_person_looks_at_what_needs_one() {
    let s = Stage::set().await;
    let task = s.task(&s.admin, json!({"requires": {"second_person": true, "note": true}})).await;
    s.gives(&s.nurse, &task, "claim", json!({})).await.ok();
    s.gives(&s.nurse, &task, "complete", json!({})).await.refused(422, "requirement-open");
    let review = s.gives(&s.nurse, &task, "complete", json!({"note": "all counted"})).await.ok();
    assert_eq!(review["status"], "in_review");
    s.gives(&s.nurse, &task, "confirm", json!({})).await.refused(403, "second-person-needed");
    s.gives(&s.other, &task, "return", json!({})).await.refused(422, "reason-required");
    s.gives(&s.other, &task, "return", json!({"reason": "two are missing"})).await.ok();
    s.gives(&s.nurse, &task, "complete", json!({"note": "now all"})).await.ok();
    let done = s.gives(&s.other, &task, "confirm", json!({})).await.ok();
    assert_eq!((&done["status"], &done["confirmed_by"]), (&json!("done"), &json!(s.other.user())));
    s.gives(&s.nurse, &task, "reopen", json!({"reason": "x"})).await.refused(403, "not-yours");
    s.gives(&s.admin, &task, "reopen", json!({"reason": "miscounted"})).await.ok();
    assert_eq!(s.events_of(&task).await.last().unwrap(), "task.reopened");
}

#[tokio::test]
async fn a_task_asked_for_by_a_module_is_made_once_and_closed_by_its_event() {
    let s = Stage::set().await;
    let (record, patient) = (made("doc", 1), made("pat", 1));
    let wish = json!({
        "title_code": "document_verify", "category": "quality", "assignee": "role~hr", "record": record,
        "subject": patient, "close_on": ["document.verified"], "key": "verify~1",
    });
    s.hears("task.requested", &record, wish.clone()).await;
    s.later(1);
    s.hears("task.requested", &record, wish).await;
    let list = s.hr.get("/v1/workflow/tasks?role=hr").await.ok();
    assert_eq!(list["data"].as_array().unwrap().len(), 1);
    let task = list["data"][0].clone();
    assert_eq!(task["title"], "Look at a document and verify it");
    assert_eq!(
        s.hr.get(&format!("/v1/workflow/tasks?record={record}")).await.ok()["data"][0]["id"],
        task["id"]
    );
    s.hears("document.verified", &made("doc", 2), json!({"document": made("doc", 2)})).await;
    assert_eq!(s.shows(&task).await["status"], "open", "another document");
    s.hears("document.verified", &record, json!({"document": record})).await;
    let closed = s.shows(&task).await;
    assert_eq!((&closed["status"], &closed["completed_by"]), (&json!("done"), &json!("system:workflow")));
    s.hears(
        "task.requested",
        &record,
        json!({
            "title_code": "never_heard", "category": "odd", "assignee": "role~nobody", "key": "k2",
        }),
    )
    .await;
    let last = s.admin.get("/v1/workflow/tasks?role=tenant_admin").await.ok();
    assert_eq!(
        last["data"][0]["title"], "Never heard",
        "a task for nobody is nobody's: the last resort has it"
    );
}

#[tokio::test]
async fn what_comes_again_is_made_when_it_is_done_or_when_it_was_due() {
    let s = Stage::set().await;
    let weekly = json!({
        "assignee": {"kind": "user", "value": s.nurse.user()}, "due_on": "2026-11-27", "recurrence": "FREQ=WEEKLY",
        "checklist": [{"text": "count"}],
    });
    let first = s.task(&s.admin, weekly).await;
    s.gives(&s.nurse, &first, "check", json!({"n": 0})).await.ok();
    s.gives(&s.nurse, &first, "complete", json!({})).await.ok();
    let next = s.mine(&s.nurse).await.remove(0);
    assert_eq!((&next["due_at"], &next["source"]["of"]), (&json!("2026-12-04T16:00:00Z"), &first["id"]));
    assert!(next["checklist"][0].get("done_at").is_none());
    let daily = s
        .task(
            &s.admin,
            json!({"due_at": "2026-11-23T12:00:00Z", "recurrence": "FREQ=DAILY", "recur_on": "due"}),
        )
        .await;
    s.at("2026-11-23T12:00:01Z");
    s.world.ring().await;
    s.world.ring().await;
    let queue = s.other.get("/v1/workflow/tasks?role=nurse").await.ok();
    let dues: Vec<&Value> = queue["data"].as_array().unwrap().iter().map(|t| &t["due_at"]).collect();
    assert_eq!(dues, [&daily["due_at"], &json!("2026-11-24T12:00:00Z")]);
    let wrong = json!({"title": "x", "category": "general", "assignee": {"kind": "role", "value": "nurse"}, "recurrence": "FREQ=SECONDLY"});
    let refused = s.admin.post("/v1/workflow/tasks", wrong).await;
    assert_eq!(refused.faults()[1].0, "/recurrence");
}

#[tokio::test]
async fn who_may_give_what_to_whom() {
    let s = Stage::set().await;
    let to = |kind: &str, value: &str| json!({"title": "x", "category": "hr", "assignee": {"kind": kind, "value": value}});
    let path = "/v1/workflow/tasks";
    s.nurse.post(path, to("user", &s.nurse.user())).await.created();
    s.nurse.post(path, to("role", "nurse")).await.created();
    s.nurse.post(path, to("user", &s.doctor.user())).await.refused(403, "assignee-not-yours");
    s.admin.post(path, to("role", "pharmacist")).await.refused(422, "assignee-invalid");
    s.admin.post(path, to("user", &made("usr", 1))).await.refused(422, "assignee-invalid");
    let auditor = s.grace.staff("auditor");
    auditor.post(path, to("role", "nurse")).await.refused(403, "forbidden");
    let theirs = s.admin.post(path, to("user", &s.doctor.user())).await.created();
    let one = format!("{path}/{}", id(&theirs));
    s.nurse.get(&one).await.missing();
    s.hr.get(&one).await.ok();
    s.finance.get(&one).await.missing();
    s.gives(&s.hr, &theirs, "complete", json!({})).await.refused(403, "not-yours");
    s.gives(&s.doctor, &theirs, "reassign", json!({"to": {"kind": "role", "value": "nurse"}}))
        .await
        .refused(403, "assignee-not-yours");
    let moved =
        s.gives(&s.hr, &theirs, "reassign", json!({"to": {"kind": "role", "value": "nurse"}})).await.ok();
    assert_eq!(moved["assignee"]["value"], "nurse");
    assert_eq!(s.nurse.get(&one).await.ok()["actions"], json!(["claim"]));
}

#[tokio::test]
async fn blocking_snoozing_notes_and_the_end() {
    let s = Stage::set().await;
    let task = s
        .task(
            &s.admin,
            json!({"assignee": {"kind": "user", "value": s.nurse.user()}, "due_on": "2026-11-25"}),
        )
        .await;
    s.gives(&s.nurse, &task, "block", json!({"reason": "no key"})).await.ok();
    s.gives(&s.nurse, &task, "start", json!({})).await.refused(422, "state");
    s.gives(&s.nurse, &task, "unblock", json!({})).await.ok();
    s.gives(&s.nurse, &task, "snooze", json!({"until": "2026-12-20T08:00:00Z"}))
        .await
        .refused(422, "snooze-range");
    s.gives(&s.nurse, &task, "snooze", json!({"until": "2026-11-26T08:00:00Z"}))
        .await
        .refused(422, "reason-required");
    s.gives(&s.nurse, &task, "snooze", json!({"until": "2026-11-25T10:00:00Z"})).await.ok();
    s.at("2026-11-24T20:00:00Z");
    assert!(s.world.ring().await.is_empty(), "the reminder of a day before waits for the end of the snooze");
    s.at("2026-11-25T10:00:01Z");
    assert_eq!(s.world.ring().await.len(), 1);
    let notes = format!("/v1/workflow/tasks/{}/notes", id(&task));
    s.nurse.post(&notes, json!({"text": "the key is with the matron"})).await.created();
    assert_eq!(s.admin.get(&notes).await.ok()["data"][0]["by"], s.nurse.user());
    assert!(!s.grace.dump().await.contains("matron"), "sealed");
    let one = format!("/v1/workflow/tasks/{}", id(&task));
    s.admin.patch(&one, json!({"due_at": "2026-12-01T16:00:00Z"})).await.refused(422, "reason-required");
    let later = s
        .admin
        .call("PATCH", &one)
        .because("the key")
        .body(json!({"due_at": "2026-12-01T16:00:00Z"}))
        .send()
        .await
        .ok();
    assert_eq!(later["reminded"], 0);
    s.gives(&s.nurse, &task, "cancel", json!({"reason": "x"})).await.refused(403, "not-yours");
    s.gives(&s.admin, &task, "cancel", json!({})).await.refused(422, "reason-required");
    assert_eq!(
        s.gives(&s.admin, &task, "cancel", json!({"reason": "over"})).await.ok()["status"],
        "cancelled"
    );
    assert!(s.mine(&s.nurse).await.is_empty());
}

#[tokio::test]
async fn a_team_claims_what_was_given_to_it() {
    let s = Stage::set().await;
    let team = made("tem", 1);
    let key = Key::member(facts::MEMBERS, format!("team~{team}"), s.nurse.user());
    s.grace.store().await.commit().put(&key, &json!({"user": s.nurse.user()})).run().await.unwrap();
    let task = s.task(&s.admin, json!({"assignee": {"kind": "team", "value": team}})).await;
    let queue = format!("/v1/workflow/tasks?team={team}");
    assert_eq!(s.nurse.get(&queue).await.ok()["data"][0]["id"], task["id"]);
    assert!(s.other.get(&queue).await.ok()["data"].as_array().unwrap().is_empty());
    s.gives(&s.other, &task, "claim", json!({})).await.missing();
    s.gives(&s.nurse, &task, "claim", json!({})).await.ok();
    s.gives(&s.nurse, &task, "complete", json!({})).await.ok();
}

/// Story 5.
#[tokio::test]
async fn what_a_model_proposes_is_nobodys_work_until_somebody_accepts_it() {
    let s = Stage::set().await;
    let wish = |n: u8| {
        json!({
            "title_code": "call_the_family", "category": "care", "assignee": "role~nurse", "key": format!("k{n}"),
            "due_at": "2026-11-24T08:00:00Z", "subject": made("pat", 1),
        })
    };
    s.hears("ai.task_proposed", &made("aid", 1), wish(1)).await;
    s.hears("ai.task_proposed", &made("aid", 1), wish(1)).await;
    s.hears("ai.task_proposed", &made("aid", 2), wish(2)).await;
    let list = s.nurse.get("/v1/workflow/tasks?role=nurse").await.ok()["data"].clone();
    assert_eq!(
        (list.as_array().unwrap().len(), &list[0]["status"], &list[0]["source"]["kind"]),
        (2, &json!("proposed"), &json!("ai"))
    );
    s.gives(&s.nurse, &list[0], "claim", json!({})).await.refused(422, "state");
    s.at("2026-11-24T09:00:00Z");
    assert!(s.world.ring().await.is_empty(), "nobody is reminded of a proposal");
    s.gives(&s.nurse, &list[0], "dismiss", json!({})).await.refused(422, "reason-required");
    s.gives(&s.nurse, &list[0], "dismiss", json!({"reason": "they were here"})).await.ok();
    s.hears("ai_decision.settled", &made("aid", 2), json!({"outcome": "accepted"})).await;
    assert_eq!(s.shows(&list[1]).await["status"], "open");
}

#[tokio::test]
async fn a_calendar_shows_ones_own_tasks_until_one_has_left() {
    let s = Stage::set().await;
    let to = json!({"kind": "user", "value": s.nurse.user()});
    s.task(
        &s.admin,
        json!({"assignee": to, "title": "Bring the badge, please", "category": "it", "due_on": "2026-11-25"}),
    )
    .await;
    s.task(&s.admin, json!({"assignee": to, "title": "Call Mrs Bello"})).await;
    let feed = s.nurse.post("/v1/workflow/tasks/feed", json!({})).await.created();
    let path = feed["path"].as_str().unwrap();
    let calendar = s.world.stranger().get(path).await;
    let text = String::from_utf8(calendar.bytes.clone()).unwrap();
    assert_eq!(
        (calendar.status, calendar.headers["content-type"].as_str()),
        (200, "text/calendar; charset=utf-8")
    );
    assert!(text.contains("SUMMARY:Bring the badge\\, please\r\nDUE:20261125T160000Z"), "{text}");
    assert!(!text.contains("Bello"), "what is about patients is a number");
    s.world.stranger().get("/v1/workflow/tasks.ics?key=nobodysnobodysnobodys").await.missing();
    s.grace.gone(&s.nurse).await;
    s.world.stranger().get(path).await.missing();
}
