//! TSK-2: rules.

use crate::stage::{Stage, id, made, merge};
use axum::{
    http::Method,
    routing::{get, post},
};
use events::PatientEvent;
use kernel::{PatientId, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::{Commit, Entity, List, Record};
use testkit::{Reply, World};
use web::{
    Ctx, Module, Noun, Reach, Settable,
    noun::{self, Hooks, Written},
    route,
};

/// A patient, as far as rules may see and set of one.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Patient {
    #[serde(default)]
    custom: Map<String, Value>,
    secret: seal::Sealed<String>,
}

impl Entity for Patient {
    type Id = PatientId;
    const NOUN: &'static str = "patient";
    const LISTS: &'static [List<Self>] = &[List::newest()];
}
impl Noun for Patient {
    fn within(_: &Record<Self>, reach: Reach, _: &web::Actor) -> bool {
        reach > Reach::None
    }
}
impl Hooks for Patient {
    async fn on_write(
        _: &Ctx,
        Written { old, new, .. }: Written<'_, Self>,
        commit: Commit,
    ) -> Result<Commit> {
        if old.is_none() {
            return Ok(commit);
        }
        Ok(commit.emit(PatientEvent::Updated { patient: new.id, fields: vec!["custom".into()] }))
    }
}

fn register() -> Module {
    let (path, right) = ("/v1/patients", "task.create");
    let one = "/v1/patients/{id}";
    let routes = vec![
        route(Method::POST, path, right, "patient.create", post(noun::create::<Patient>)).takes::<Patient>(),
        route(Method::GET, one, right, "patient.show", get(noun::show::<Patient>)),
        route(
            Method::GET,
            "/v1/patients/{id}/history",
            right,
            "patient.history",
            get(noun::history::<Patient>),
        ),
        route(Method::PATCH, one, right, "patient.update", axum::routing::patch(noun::amend::<Patient>))
            .patches::<Patient>(),
    ];
    let settable = web::settable(vec![Settable::of::<Patient>(&["custom.*"])]);
    Module::new("patients", routes).reacts(vec![settable])
}

pub struct Desk {
    pub s: Stage,
}

impl Desk {
    pub async fn open() -> Self {
        Self { s: Stage::with(vec![register()]).await }
    }
    pub async fn contended() -> Self {
        Self { s: Stage::on(World::contended(vec![workflow::module(), register()]).await).await }
    }
    pub fn falls(more: Value) -> Value {
        let mut body = json!({
            "code": "falls", "name": "Falls", "on": ["incident.reported"],
            "when": "event.data.severity in ['high','critical'] && event.data.kind == 'fall'",
            "then": [
                {"kind": "task", "title": "Look into a {{ event.data.kind }}", "category": "quality",
                 "assignee": {"kind": "role", "value": "hr"}, "due_in": {"count": 24, "unit": "hours"}},
                {"kind": "notify", "recipients": [{"kind": "role", "value": "doctor"}], "channels": ["push"],
                 "text": "A fall of severity {{ event.data.severity }}"},
            ],
        });
        merge(&mut body, more);
        body
    }
    pub async fn rule(&self, body: Value) -> Value {
        self.s.admin.post("/v1/workflow/rules", body).await.created()
    }
    pub async fn does(&self, rule: &Value, command: &str, body: Value) -> Reply {
        self.s.admin.post(&format!("/v1/workflow/rules/{}/{command}", id(rule)), body).await
    }
    pub async fn active(&self, body: Value) -> Value {
        let rule = self.rule(body).await;
        self.does(&rule, "activate", json!({"reason": "wanted"})).await.ok()
    }
    pub async fn shows(&self, rule: &Value) -> Value {
        self.s.admin.get(&format!("/v1/workflow/rules/{}", id(rule))).await.ok()
    }
    pub async fn firings(&self, rule: &Value) -> Vec<Value> {
        let page = self.s.admin.get(&format!("/v1/workflow/firings?rule={}&limit=100", id(rule))).await.ok();
        page["data"].as_array().unwrap().clone()
    }
    pub async fn firing(&self, firing: &Value) -> Value {
        self.s.admin.get(&format!("/v1/workflow/firings/{}", id(firing))).await.ok()
    }
    pub async fn patient(&self) -> String {
        let new = json!({"secret": "Ngozi", "custom": {"a": 0, "b": 0}});
        id(&self.s.admin.post("/v1/patients", new).await.created())
    }
    pub async fn sets(&self, patient: &str, custom: Value) {
        self.s.admin.patch(&format!("/v1/patients/{patient}"), json!({"custom": custom})).await.ok();
    }
    pub async fn asked(&self, kind: &str) -> Vec<events::Envelope> {
        self.s.world.events().await.into_iter().filter(|e| e.kind == kind).collect()
    }
}

pub fn fall() -> Value {
    json!({"severity": "high", "kind": "fall", "person": made("pat", 9)})
}

/// Story 6.
#[tokio::test]
async fn a_fall_makes_a_task_and_a_push_once_however_often_it_is_delivered() {
    let d = Desk::open().await;
    let rule = d.active(Desk::falls(json!({}))).await;
    let incident = d.s.event("incident.reported", &made("inc", 1), fall());
    for _ in 0..3 {
        d.s.world.hand_over(&incident).await;
    }
    d.s.hears("incident.reported", &made("inc", 2), json!({"severity": "low", "kind": "fall"})).await;
    let firings = d.firings(&rule).await;
    let results: Vec<&Value> = firings.iter().map(|f| &f["result"]).collect();
    assert_eq!(results, ["not_matched", "matched"], "a young rule's misses are kept");
    let fired = d.firing(&firings[1]).await;
    let (task, push) = (&fired["acted"][0], &fired["acted"][1]);
    assert_eq!((&task["kind"], &task["status"]), (&json!("task"), &json!("done")));
    assert_eq!((&push["kind"], &push["status"]), (&json!("notify"), &json!("pending")));
    let made = d.s.shows(&task["ref"]).await;
    assert_eq!(made["title"], "Look into a fall");
    assert!(made["due_at"].as_str().unwrap().starts_with("2026-11-24T08:00:0"), "in 24 hours");
    assert_eq!((&made["source"]["of"], &made["created_by"]), (&rule["id"], &json!(d.s.admin.user())));
    let asked = d.asked("rule.notify_requested").await;
    assert_eq!((asked.len(), &asked[0].data["body"]), (1, &json!("A fall of severity high")));
    assert_eq!(asked[0].by, format!("rule:{}", id(&rule)));
    let said = &asked[0].data;
    assert_eq!(
        (&said["recipients"], &said["channels"]),
        (&json!([{"kind": "role", "value": "doctor"}]), &json!(["push"]))
    );
    assert_eq!((&said["data"]["kind"], &said["rule"]), (&json!("fall"), &rule["id"]));
    let done = json!({"action": push["ref"], "done": "ntf_1"});
    d.s.hears("rule.action_done", &id(&push["ref"]), done).await;
    assert_eq!(d.firing(&firings[1]).await["acted"][1]["status"], "done");
}

/// Story 7.
#[tokio::test]
async fn a_dry_run_shows_everything_and_writes_nothing() {
    let d = Desk::open().await;
    let patient = d.patient().await;
    for n in 0..12 {
        d.s.later(90);
        d.sets(&patient, json!({"a": n})).await;
    }
    let rule = d
        .rule(json!({
            "code": "watch", "name": "Watch", "on": ["patient.updated"],
            "when": "changed('custom') && change.after.custom.a >= 9 && has(change.before.custom)",
            "then": [
                {"kind": "set_field", "field": "patient.custom.b", "value": "=change.after.custom.a * 2"},
                {"kind": "webhook", "endpoint": made("whe", 1), "fields": {"of": "=event.record", "by": "{{ actor.kind }}"}},
            ],
        }))
        .await;
    d.s.later(1);
    let (before, events) = (d.s.grace.dump().await, d.s.world.events().await.len());
    let (from, to) = ("2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z");
    let report = d.does(&rule, "dry_run", json!({"from": from, "to": to})).await.ok();
    assert_eq!(
        (&report["events"], &report["matches"], &report["next"]),
        (&json!(12), &json!(3), &json!(null))
    );
    let then = &report["tried"][2]["then"];
    assert_eq!((&then[0]["value"], &then[1]["fields"]), (&json!(22), &json!({"of": patient, "by": "user"})));
    assert!(!report.to_string().contains("Ngozi"), "what is sealed is not seen");
    let asked =
        json!({"events": [{"type": "patient.updated", "record": patient, "data": {"patient": patient}}]});
    let sample = d.does(&rule, "dry_run", asked).await.ok();
    let parts = sample["tried"][0]["parts"].as_array().unwrap();
    assert_eq!((parts.len(), &parts[0]["matched"]), (3, &json!(false)));
    let last = format!("pat#{patient}#13");
    let named = d.does(&rule, "dry_run", json!({"changes": [last]})).await.ok();
    assert_eq!(named["events"], 1);
    d.does(&rule, "dry_run", json!({"changes": ["pat#pat_1#1"]})).await.refused(422, "no-such-change");
    d.does(&rule, "dry_run", json!({"from": to, "to": from})).await.refused(400, "validation");
    assert_eq!(
        (d.s.grace.dump().await == before, d.s.world.events().await.len()),
        (true, events),
        "unchanged"
    );
}

#[tokio::test]
async fn a_dry_run_renders_what_would_be_done() {
    let d = Desk::open().await;
    let rule = d.rule(Desk::falls(json!({}))).await;
    let sample = json!({"events": [{"type": "incident.reported", "record": made("inc", 1), "data": fall()}]});
    let report = d.does(&rule, "dry_run", sample).await.ok();
    let then = &report["tried"][0]["then"];
    assert_eq!(then[0]["title"], "Look into a fall");
    assert!(then[0]["due_at"].as_str().unwrap().starts_with("2026-11-24T08:00:0"));
    assert_eq!(then[1]["text"], "A fall of severity high");
    assert_eq!(d.s.hr.get("/v1/workflow/tasks?role=hr").await.ok()["data"], json!([]));
}

/// Story 8.
#[tokio::test]
async fn rules_that_lead_to_one_another_are_refused_unless_it_is_wanted_and_then_fire_once_per_root() {
    let d = Desk::open().await;
    let set = |code: &str, field: &str, more: Value| {
        let value = format!("={}", "size(string(event.at))");
        let mut body = json!({
            "code": code, "name": code, "on": ["patient.updated"], "when": "true",
            "then": [{"kind": "set_field", "field": format!("patient.custom.{field}"), "value": value}],
            "max_per_record": {"count": 50, "seconds": 3600},
        });
        merge(&mut body, more);
        body
    };
    let alone = d.rule(set("rule_a", "a", json!({}))).await;
    let refused = d.does(&alone, "activate", json!({})).await.refused(422, "rule-cycle");
    assert_eq!(refused["cycle"], json!(["rule_a", "patient.updated", "rule_a"]));
    d.does(&alone, "check", json!({})).await.ok();
    let a = d.rule(set("rule_b", "a", json!({"allow_cycle": true}))).await;
    d.does(&a, "activate", json!({})).await.refused(422, "reason-required");
    d.does(&a, "activate", json!({"reason": "they settle"})).await.ok();
    let b = d.active(set("rule_c", "b", json!({"allow_cycle": true, "priority": 1}))).await;
    let patient = d.patient().await;
    d.sets(&patient, json!({"c": 1})).await;
    d.s.world.deliver().await;
    for rule in [&a, &b] {
        let fired = d.firings(rule).await;
        // Once on the first change; and each once on what the other one made of it.
        assert!(fired.len() <= 2 && !fired.is_empty(), "{} fired {}", rule["code"], fired.len());
        let chains: Vec<usize> = fired.iter().map(|f| f["chain"].as_array().unwrap().len()).collect();
        assert!(chains.iter().all(|c| *c <= 1), "{chains:?}");
    }
    let now = d.s.admin.get(&format!("/v1/patients/{patient}")).await.ok();
    assert_eq!((&now["custom"]["a"], &now["custom"]["b"]), (&json!(24), &json!(24)));
}

/// Story 9.
#[tokio::test]
async fn a_missing_key_is_false_and_said_and_twenty_five_of_them_pause_the_rule() {
    let d = Desk::open().await;
    let rule = d.active(Desk::falls(json!({"when": "event.data.absent == 'x'"}))).await;
    for n in 0..25 {
        let state = d.shows(&rule).await["status"].clone();
        assert_eq!(state, "active", "after {n}");
        d.s.later(1);
        d.s.hears("incident.reported", &made("inc", n % 10), fall()).await;
    }
    let halted = d.shows(&rule).await;
    assert_eq!((&halted["status"], &halted["halted"]), (&json!("paused"), &json!("errors")));
    let firings = d.firings(&rule).await;
    assert!(firings.iter().all(|f| f["result"] == "error" && f["why"].as_str().unwrap().contains("absent")));
    let told = d.asked("rule.paused").await;
    assert_eq!((told.len(), &told[0].data["owner"]), (1, &json!(d.s.admin.user())));
    d.s.hears("incident.reported", &made("inc", 1), fall()).await;
    assert_eq!(d.firings(&rule).await.len(), 25, "it does not fire any more");
}

/// Story 10.
#[tokio::test]
async fn a_rule_sets_a_custom_field_as_itself_and_no_other_field() {
    let d = Desk::open().await;
    let set = |field: &str| {
        json!({
            "code": "vip", "name": "VIP", "on": ["payment.received"], "when": "true",
            "then": [{"kind": "set_field", "field": field, "value": true, "record": "=event.data.patient"}],
        })
    };
    let refused =
        d.s.admin
            .post("/v1/workflow/rules", set("patient.diagnosis"))
            .await
            .refused(422, "field-not-settable");
    assert_eq!(refused["allowed"], json!(["patient.custom.*"]));
    let rule = d.active(set("patient.custom.vip")).await;
    let patient = d.patient().await;
    d.s.hears("payment.received", &made("pay", 1), json!({"patient": patient})).await;
    let history = d.s.admin.get(&format!("/v1/patients/{patient}/history")).await.ok();
    let last = &history["data"][0];
    assert_eq!((&last["action"], &last["by"]), (&json!("set_field"), &json!(format!("rule:{}", id(&rule)))));
    assert_eq!((&last["on_behalf"], &last["cause"][1]), (&json!(d.s.admin.user()), &rule["id"]));
    let firing = d.firing(&d.firings(&rule).await[0]).await;
    assert_eq!(firing["acted"][0]["status"], "done");
    d.s.later(2);
    d.s.hears("payment.received", &made("pay", 2), json!({"patient": made("pat", 1)})).await;
    let refused = d.firing(&d.firings(&rule).await[0]).await;
    assert_eq!(
        (&refused["acted"][0]["status"], &refused["acted"][0]["error"]),
        (&json!("failed"), &json!("not-found"))
    );
}

/// Story 11.
#[tokio::test]
async fn what_would_hurt_is_refused_with_its_place() {
    let d = Desk::open().await;
    let nested = format!("{}true{}", "(".repeat(400), ")".repeat(400));
    let loops = "[1].exists(a, [1].exists(b, [1].exists(c, true)))";
    let long = format!("event.name == '{}'", "x".repeat(1990));
    for when in [nested.as_str(), loops, &long, "event.name ==", "evnt.name == 'x'", "sleep(1)"] {
        let refused = d.s.admin.post("/v1/workflow/rules", Desk::falls(json!({"when": when}))).await;
        refused.refused(422, "rule-invalid");
    }
    let refused =
        d.s.admin.post("/v1/workflow/rules", Desk::falls(json!({"when": "evnt.name == 'x'"}))).await.body;
    assert_eq!((&refused["column"], &refused["errors"][0]["pointer"]), (&json!(1), &json!("/when")));
    assert!(refused["detail"].as_str().unwrap().contains("did you mean event?"));
    let field = Desk::falls(json!({"on": ["patient.updated"], "when": "event.data.patent == 'x'"}));
    let refused = d.s.admin.post("/v1/workflow/rules", field).await.refused(422, "rule-invalid");
    assert!(refused["detail"].as_str().unwrap().contains("did you mean patient?"), "{refused}");
    let event = Desk::falls(json!({"on": ["incident.reportd"]}));
    let refused = d.s.admin.post("/v1/workflow/rules", event).await.refused(422, "rule-invalid");
    assert!(refused["detail"].as_str().unwrap().contains("incident.reported"), "{refused}");
    d.s.admin
        .post("/v1/workflow/rules", Desk::falls(json!({"on": ["rule.fired"]})))
        .await
        .refused(422, "rule-invalid");
    let text = json!([{"kind": "task", "title": "{{ broken", "category": "hr", "assignee": {"kind": "role", "value": "hr"}}]);
    d.s.admin
        .post("/v1/workflow/rules", Desk::falls(json!({"then": text})))
        .await
        .refused(422, "rule-invalid");
    let nobody = json!([{"kind": "notify", "recipients": [{"kind": "role"}], "text": "x"}]);
    d.s.admin
        .post("/v1/workflow/rules", Desk::falls(json!({"then": nobody})))
        .await
        .refused(422, "rule-invalid");
    d.s.hr.post("/v1/workflow/rules", Desk::falls(json!({}))).await.refused(403, "forbidden");
    d.s.admin.get("/v1/workflow/rules/catalogue").await.ok();
}
