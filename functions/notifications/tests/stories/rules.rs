//! Rules: the product's, changed; the organisation's own; what cannot be switched off.

use crate::stage::{Stage, words};
use serde_json::{Value, json};

const PATH: &str = "/v1/notifications/rules";

async fn rule(admin: &testkit::Actor, code: &str) -> Value {
    let all = admin.get(PATH).await.ok();
    all["data"].as_array().unwrap().iter().find(|r| r["code"] == code).expect("a rule").clone()
}

async fn expires(stage: &Stage, of: &testkit::Actor) {
    let data = json!({"document": "doc_1", "category": "licence", "subject": of.user(), "days": 30, "expires_on": "2026-12-20"});
    stage.happens(&stage.event("document.expiring", data)).await;
}

#[tokio::test]
async fn an_organisation_changes_the_ways_of_a_rule_and_pauses_it() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let admin = stage.grace.staff("tenant_admin");
    let shipped = rule(&admin, "document_expiring").await;
    assert_eq!((shipped["built_in"].clone(), shipped["channels"].clone()), (json!(true), json!(["email"])));
    let path = format!("{PATH}/{}", shipped["id"].as_str().unwrap());
    admin.patch(&path, json!({"channels": ["sms"]})).await.refused(422, "reason-required");
    let change =
        || admin.call("PATCH", &path).body(json!({"channels": ["sms"]})).because("letters are not read here");
    let changed = change().send().await.ok();
    assert_eq!((changed["version"].clone(), changed["id"].clone()), (json!(1), shipped["id"].clone()));
    expires(&stage, &ada).await;
    assert_eq!((stage.sms.all().len(), stage.email.all().len()), (1, 0));
    admin.post(&format!("{path}/pause"), json!({"reason": "for the holidays"})).await.ok();
    expires(&stage, &ada).await;
    assert_eq!(stage.inbox(&ada).await.len(), 1, "paused");
    admin.post(&format!("{path}/resume"), json!({"reason": "back again"})).await.ok();
    expires(&stage, &ada).await;
    assert_eq!(stage.inbox(&ada).await.len(), 2);
    assert_eq!(rule(&admin, "document_expiring").await["version"], 3);
}

#[tokio::test]
async fn what_protects_people_can_be_widened_and_not_switched_off() {
    let stage = Stage::set().await;
    let admin = stage.grace.staff("tenant_admin");
    let critical = rule(&admin, "critical_value_stat").await;
    let path = format!("{PATH}/{}", critical["id"].as_str().unwrap());
    admin
        .post(&format!("{path}/pause"), json!({"reason": "too loud"}))
        .await
        .refused(422, "protected-notification");
    for narrowed in [
        json!({"channels": ["push"]}),
        json!({"priority": "high"}),
        json!({"recipients": [{"kind": "role", "value": "nurse"}]}),
        json!({"escalate_to": []}),
        json!({"active": false}),
    ] {
        let refused = admin.call("PATCH", &path).body(narrowed).because("x").send().await;
        refused.refused(422, "protected-notification");
    }
    let wider = json!({"channels": ["push", "sms", "email"]});
    admin.call("PATCH", &path).body(wider).because("letters too").send().await.ok();
    let other =
        admin.call("PATCH", &path).body(json!({"event": "document.expiring"})).because("x").send().await;
    other.refused(422, "built-in-rule");
    let hidden = admin.call("PATCH", &path).body(json!({"protected": false})).because("x").send().await;
    assert_eq!(hidden.faults(), [("/protected".into(), "read-only".into())]);
}

fn own(event: &str, more: Value) -> Value {
    let mut rule = json!({
        "code": "own_rule", "name": "Our own", "event": event, "recipients": [{"kind": "role", "value": "nurse"}],
        "category": "documents", "priority": "normal", "template": "document_expired",
    });
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rule
}

#[tokio::test]
async fn an_organisation_writes_a_rule_of_its_own() {
    let stage = Stage::set().await;
    let (ada, admin) = (stage.staff("Ada Okafor", "nurse").await, stage.grace.staff("tenant_admin"));
    let when = json!({"when": [{"field": "category", "one_of": ["licence"]}], "throttle_seconds": 3600});
    admin.post(PATH, own("document.expired", when)).await.created();
    let expired = |category: &str| {
        let mut event = stage.event("document.expired", json!({"document": "doc_1", "category": category, "subject": "usr_x", "expires_on": "2026-11-19"}));
        event.record = "doc_01J00000000000000000000000".into();
        event
    };
    stage.happens(&expired("contract")).await;
    assert_eq!(stage.inbox(&ada).await.len(), 0, "the condition does not hold");
    let first = expired("licence");
    for event in [&first, &first, &expired("licence"), &expired("licence")] {
        stage.happens(event).await;
    }
    let inbox = stage.inbox(&ada).await;
    assert_eq!((inbox.len(), inbox[0]["times"].clone()), (1, json!(3)), "three occasions, told once");
    stage.later(61);
    stage.happens(&expired("licence")).await;
    assert_eq!(stage.inbox(&ada).await.len(), 2);
}

#[tokio::test]
async fn a_condition_in_cel_decides_and_one_that_does_not_read_is_refused_with_its_column() {
    let stage = Stage::set().await;
    let (ada, admin) = (stage.staff("Ada Okafor", "nurse").await, stage.grace.staff("tenant_admin"));
    let condition = |text: &str| own("document.expiring", json!({"condition": text}));
    let wrong = admin.post(PATH, condition("event.data.days >")).await.refused(422, "rule-invalid");
    assert_eq!(wrong["errors"][0]["pointer"], "/condition");
    admin.post(PATH, condition("patient.name == 'x'")).await.refused(422, "rule-invalid");
    admin.post(PATH, condition("event.data.days < 10 && tenant.country == 'NG'")).await.created();
    for days in [30, 9] {
        let data = json!({"document": "doc_1", "category": "licence", "subject": "usr_x", "days": days, "expires_on": "2026-12-20"});
        stage.happens(&stage.event("document.expiring", data)).await;
    }
    assert_eq!(stage.inbox(&ada).await.len(), 1);
}

#[tokio::test]
async fn a_rule_that_cannot_work_is_refused_with_what_would() {
    let stage = Stage::set().await;
    let admin = stage.grace.staff("tenant_admin");
    let refused = |body: Value| {
        let admin = admin.clone();
        async move { admin.post(PATH, body).await }
    };
    let unknown = refused(own("document.expring", json!({}))).await.refused(422, "unknown-event");
    assert!(unknown["detail"].as_str().unwrap().contains("nearest: document.expiring"), "{unknown}");
    let field = own("document.expired", json!({"when": [{"field": "categry", "given": true}]}));
    let field = refused(field).await.refused(422, "rule-invalid");
    assert!(field["detail"].as_str().unwrap().contains("nearest: category"), "{field}");
    let role = own("document.expired", json!({"recipients": [{"kind": "role", "value": "nurze"}]}));
    let role = refused(role).await.refused(422, "unknown-role");
    assert!(role["detail"].as_str().unwrap().contains("nearest: nurse"), "{role}");
    refused(own("notification.created", json!({}))).await.refused(422, "unknown-event");
    let twice = json!({"code": "document_expired"});
    refused(own("document.expired", twice)).await.refused(422, "duplicate");
    let empty = own("document.expired", json!({"when": [{"field": "category"}]}));
    assert_eq!(refused(empty).await.faults(), [("/when/0".into(), "empty".into())]);
    let steps =
        json!({"escalate_to": [{"after_minutes": 20, "recipients": [{"kind": "role", "value": "hr"}]}]});
    assert_eq!(
        refused(own("document.expired", steps)).await.faults(),
        [("/needs_ack".into(), "required".into())]
    );
    let channel = refused(own("document.expired", json!({"channels": ["pigeon"]}))).await;
    assert_eq!(channel.status, 400);
    refused(own("document.expired", json!({}))).await.created();
    refused(own("document.expired", json!({}))).await.refused(409, "duplicate");
}

#[tokio::test]
async fn a_role_sees_and_sets_the_rules_of_its_own_work() {
    let stage = Stage::set().await;
    let (admin, hr) = (stage.grace.staff("tenant_admin"), stage.grace.staff("hr"));
    let seen = words(&hr.get(PATH).await.ok()["data"], "category");
    assert!(seen.contains(&"training".into()) && !seen.contains(&"clinical".into()), "{seen:?}");
    let critical = rule(&admin, "critical_value_stat").await;
    hr.get(&format!("{PATH}/{}", critical["id"].as_str().unwrap())).await.missing();
    let training = rule(&admin, "training_overdue").await;
    let path = format!("{PATH}/{}", training["id"].as_str().unwrap());
    hr.call("PATCH", &path).body(json!({"channels": []})).because("the inbox is enough").send().await.ok();
    let foreign = own("lab_result.approved", json!({"category": "clinical"}));
    hr.post(PATH, foreign).await.refused(403, "not-your-category");
    for role in ["nurse", "patient", "family"] {
        stage.grace.staff(role).get(PATH).await.refused(403, "forbidden");
    }
    let auditor = stage.grace.staff("auditor");
    auditor.get(PATH).await.ok();
    auditor.post(PATH, own("document.expired", json!({}))).await.refused(403, "forbidden");
}

/// What a rule of the workflow asks for, of a fall that a nurse has reported.
fn asked(stage: &Stage, n: u8, with: Value) -> (Value, events::Envelope) {
    let made = |kind: &str| format!("{kind}_01ARZ3NDEKTSV4RRFFQ69G5FA{n}");
    let mut data = json!({"rule": made("wfr"), "firing": made("frn"), "action": made("wfa"),
        "owner": made("usr"), "event": "incident.reported", "record": made("inc")});
    data.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    (data["action"].clone(), stage.event("rule.notify_requested", data))
}

/// What the rules have heard of it.
async fn answers(stage: &Stage, action: &Value) -> Vec<(String, Value)> {
    let all = stage.world.events().await.into_iter().filter(|e| e.data["action"] == *action);
    all.map(|e| (e.kind, e.data)).collect()
}

#[tokio::test]
async fn a_rule_of_the_workflow_asks_that_somebody_be_told_and_hears_once_that_they_were() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let with = json!({"recipients": [{"kind": "user", "value": ada.user()}, {"kind": "role", "value": "hr"}],
        "channels": ["email"], "body": "A fall: please look at it today.", "priority": "high"});
    let (action, event) = asked(&stage, 1, with);
    for _ in 0..2 {
        stage.happens(&event).await;
    }
    let inbox = stage.inbox(&ada).await;
    assert_eq!(
        (inbox.len(), inbox[0]["title"].clone(), inbox[0]["priority"].clone()),
        (1, json!("A fall: please look at it today."), json!("high"))
    );
    assert_eq!(stage.email.all().len(), 1);
    let heard = answers(&stage, &action).await;
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!((heard[0].0.as_str(), &heard[0].1["done"]), ("rule.action_done", &inbox[0]["id"]));
}

#[tokio::test]
async fn whom_an_event_names_is_found_by_what_they_are_to_it() {
    let stage = Stage::set().await;
    let (ada, ben) = (stage.staff("Ada Okafor", "nurse").await, stage.staff("Ben Eze", "doctor").await);
    let (chi, dee) = (stage.staff("Chi Obi", "hr").await, stage.staff("Dee Ade", "quality").await);
    let fact = json!({"manager": chi.user()});
    let store = stage.grace.store().await;
    store.commit().fact(store::facts::MANAGER, ada.user(), &fact).run().await.unwrap();
    let data = json!({"subject": ada.user(), "assignee": format!("user~{}", ben.user())});
    let kinds = ["subject", "assignee", "manager", "actor"].map(|kind| json!({"kind": kind}));
    let with = json!({"recipients": kinds, "body": "Look", "data": data, "actor": dee.user()});
    let (action, event) = asked(&stage, 2, with);
    stage.happens(&event).await;
    for who in [&ada, &ben, &chi, &dee] {
        assert_eq!(stage.inbox(who).await.len(), 1, "{}", who.user());
    }
    assert_eq!(answers(&stage, &action).await[0].0, "rule.action_done");
}

#[tokio::test]
async fn a_rule_hears_in_words_why_nobody_was_told() {
    let stage = Stage::set().await;
    stage.staff("Ada Okafor", "nurse").await;
    let kinds = json!([{"kind": "subject"}, {"kind": "manager"}, {"kind": "role", "value": "eap_manager"}]);
    let (action, event) = asked(&stage, 3, json!({"recipients": kinds, "body": "Look", "data": {}}));
    for _ in 0..2 {
        stage.happens(&event).await;
    }
    let heard = answers(&stage, &action).await;
    assert_eq!((heard.len(), heard[0].0.as_str()), (1, "rule.action_failed"));
    assert_eq!(
        heard[0].1["problem"],
        "the event names nobody whom it is about; no manager is known of whom the event is about; \
         nobody has the role eap_manager"
    );
    for (n, with, why) in [
        (4, json!({"recipients": [{"kind": "role", "value": "nurse"}], "template": "no_such"}), "no_such"),
        (5, json!({"recipients": [], "channels": ["pigeon"]}), "does not read"),
    ] {
        let (action, event) = asked(&stage, n, with);
        stage.happens(&event).await;
        let heard = answers(&stage, &action).await;
        let problem = heard[0].1["problem"].as_str().unwrap();
        assert!(heard.len() == 1 && problem.contains(why), "{problem}");
    }
    stage.grace.change_gate(|gate| gate.status = web::gate::Status::Suspended).await;
    let nurses = json!({"recipients": [{"kind": "role", "value": "nurse"}], "body": "Look"});
    let (action, event) = asked(&stage, 6, nurses);
    stage.happens(&event).await;
    assert!(answers(&stage, &action).await[0].1["problem"].as_str().unwrap().contains("suspended"));
}

#[tokio::test]
async fn somebody_outside_is_told_by_letter_until_their_address_is_deleted() {
    let stage = Stage::set().await;
    let admin = stage.grace.staff("tenant_admin");
    let path = "/v1/notifications/outside_addresses";
    let nowhere = admin.post(path, json!({"name": "Council"})).await;
    assert_eq!(nowhere.faults(), [("/email".into(), "required".into())]);
    let wrong = admin.post(path, json!({"name": "Council", "email": "council", "phone": "12345"})).await;
    assert_eq!(wrong.faults().len(), 2);
    stage.grace.staff("nurse").get(path).await.refused(403, "forbidden");
    let desk =
        json!({"name": "Safeguarding desk", "email": "desk@council.example.org", "phone": "0803 123 4567"});
    let made = admin.post(path, desk).await.created();
    assert_eq!(made["phone"], "+2348031234567");
    assert!(!stage.grace.dump().await.contains("council"), "addresses are sealed");
    let to = |id: &Value| json!([{"kind": "address", "value": id}]);
    let tell = |n: u8| {
        asked(&stage, n, json!({"recipients": to(&made["id"]), "channels": ["email"], "body": "A fall"}))
    };
    let (action, event) = tell(7);
    stage.happens(&event).await;
    assert_eq!(stage.email.to("desk@council.example.org").len(), 1);
    assert_eq!(answers(&stage, &action).await[0].0, "rule.action_done");
    let by_name = own("document.expired", json!({"recipients": to(&json!("desk@council.example.org"))}));
    assert_eq!(admin.post(PATH, by_name).await.faults(), [("/recipients/0/value".into(), "format".into())]);
    admin.post(PATH, own("document.expired", json!({"recipients": to(&made["id"])}))).await.created();
    admin.delete(&format!("{path}/{}", made["id"].as_str().unwrap())).await.done();
    let (action, event) = tell(8);
    stage.happens(&event).await;
    assert_eq!(stage.email.to("desk@council.example.org").len(), 1);
    let problem = &answers(&stage, &action).await[0].1["problem"];
    assert_eq!(problem, "the outside address is not known, or was deleted");
}
