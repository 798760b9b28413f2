//! TSK-4: sequences.

use crate::stage::{Stage, id, made};
use serde_json::{Value, json};
use store::facts;
use testkit::Actor;

/// Somebody who joins or leaves, with a login and a manager.
struct Office {
    s: Stage,
    carer: Actor,
}

impl Office {
    async fn open() -> Self {
        let s = Stage::set().await;
        let carer = s.grace.staff_at("nurse", &[0]);
        s.grace.present(&carer).await;
        let manager = json!({"manager": s.doctor.user()});
        s.grace.store().await.commit().fact(facts::MANAGER, carer.user(), &manager).run().await.unwrap();
        Self { s, carer }
    }
    async fn run(&self) -> Value {
        let path = format!("/v1/workflow/sequences/runs?subject={}", self.carer.user());
        self.s.admin.get(&path).await.ok()["data"][0].clone()
    }
    async fn steps(&self) -> Vec<Value> {
        self.run().await["steps"].as_array().unwrap().clone()
    }
    async fn step(&self, key: &str) -> Value {
        let step = self.steps().await.into_iter().find(|s| s["key"] == key).unwrap();
        self.s.shows(&step["task"]).await
    }
    /// The step's task, done by whoever has to.
    async fn does(&self, who: &Actor, key: &str) {
        let task = self.step(key).await;
        if task["assignee"]["kind"] == "role" {
            self.s.gives(who, &task, "claim", json!({})).await.ok();
        }
        let evidence = json!({"evidence": [made("doc", 1)]});
        self.s.gives(who, &task, "complete", evidence).await.ok();
        self.s.world.deliver().await;
    }
    async fn hears(&self, kind: &str, data: Value) {
        self.s.later(1);
        self.s.hears(kind, &made("rec", 1), data).await;
    }
    async fn gate(&self, key: &str) -> Option<Value> {
        self.s.grace.store().await.fact(facts::GATE, format!("{}~{key}", self.carer.user())).await.unwrap()
    }
    async fn named(&self, kind: &str) -> Vec<events::Envelope> {
        self.s.world.events().await.into_iter().filter(|e| e.kind == kind).collect()
    }
}

/// Story 16.
#[tokio::test]
async fn a_carer_joins_in_fourteen_steps_and_the_last_gate_opens_the_first_shift() {
    let o = Office::open().await;
    let me = o.carer.user();
    let hired = json!({"candidate": made("cnd", 1), "user": me, "first_day": "2027-01-04"});
    o.hears("candidate.hired", hired.clone()).await;
    o.hears("candidate.hired", hired).await;
    let run = o.run().await;
    assert_eq!(
        (&run["status"], &run["total"], &run["anchor_on"]),
        (&json!("running"), &json!(14), &json!("2027-01-04"))
    );
    assert_eq!(o.named("sequence.started").await.len(), 1, "heard twice, begun once");
    let status = |key: &'static str| async { o.step(key).await["status"].as_str().unwrap().to_string() };
    assert_eq!(
        (status("contract").await, status("account").await, status("shadow_shift").await),
        ("open".into(), "waiting".into(), "waiting".into())
    );
    assert_eq!(o.step("welcome").await["assignee"]["value"], o.s.doctor.user(), "the manager's");
    assert_eq!(o.step("bank").await["assignee"]["value"], me, "the carer's own");
    let due = o.step("training").await["due_at"].clone();
    assert_eq!(due, "2027-01-04T16:00:00Z", "ten days before the first day, and ten to do it");

    o.hears("signature.completed", json!({"signature": made("sig", 1), "subject": made("usr", 9)})).await;
    assert_eq!(status("contract").await, "open", "somebody else's");
    o.hears("signature.completed", json!({"signature": made("sig", 1), "subject": me})).await;
    assert_eq!(status("contract").await, "done");
    assert_eq!(status("policies").await, "waiting", "its day has not come");
    o.hears("check.cleared", json!({"person": me})).await;
    assert_eq!(status("shadow_shift").await, "waiting", "the training is missing");
    o.s.at("2026-12-30T08:00:00Z");
    o.s.world.ring().await;
    o.s.world.deliver().await;
    assert_eq!((status("policies").await, status("training").await), ("open".into(), "open".into()));
    o.hears("training.completed", json!({"user": me})).await;
    o.hears("policy.acknowledged", json!({"user": me})).await;
    o.hears("reference.received", json!({"person": me})).await;
    o.s.at("2027-01-04T08:00:00Z");
    o.s.world.ring().await;
    o.s.world.deliver().await;
    assert_eq!(status("shadow_shift").await, "open", "both are done");
    o.does(&o.s.hr, "right_to_work").await;
    assert!(o.gate("first_shift").await.is_none());
    o.does(&o.s.doctor, "shadow_shift").await;
    assert_eq!(status("sign_off").await, "open");
    o.does(&o.s.doctor, "sign_off").await;
    assert!(o.gate("first_shift").await.is_some(), "the gate is open");
    let done = o.run().await;
    assert_eq!((&done["done"], &done["status"]), (&json!(8), &json!("running")));
}

/// Story 17.
#[tokio::test]
async fn a_leaver_is_taken_through_every_office_and_access_off_closes_its_step() {
    let o = Office::open().await;
    let me = o.carer.user();
    o.hears("offboarding.started", json!({"employee": made("emp", 1), "user": me, "last_day": "2026-12-04"}))
        .await;
    let path = format!("/v1/workflow/sequences/runs?subject={me}");
    let run = o.s.admin.get(&path).await.ok()["data"][0].clone();
    assert_eq!((&run["kind"], &run["total"]), (&json!("offboarding"), &json!(8)));
    let mut offices: Vec<String> = vec![];
    for key in ["letter", "final_pay", "access_off", "records", "assets"] {
        offices.push(o.step(key).await["category"].as_str().unwrap().into());
    }
    assert_eq!(offices, ["hr", "payroll", "it", "compliance", "general"]);
    o.s.at("2026-12-04T17:00:01Z");
    o.s.world.ring().await;
    o.s.grace.gone(&o.carer).await;
    o.hears("user.disabled", json!({"user": me})).await;
    assert_eq!(o.step("access_off").await["status"], "done");
    assert_eq!(
        o.step("exit_interview").await["assignee"]["value"],
        o.s.doctor.user(),
        "the leaver's own goes to the manager"
    );
    assert_eq!(o.run().await["status"], "running", "leaving does not suspend leaving");
    o.hears("asset.returned", json!({"person": me})).await;
    o.s.at("2026-12-07T08:00:00Z");
    o.s.world.ring().await;
    o.s.world.deliver().await;
    for (who, key) in [
        (&o.s.hr, "letter"),
        (&o.s.hr, "leave"),
        (&o.s.finance, "final_pay"),
        (&o.s.hr, "records"),
        (&o.s.doctor, "handover"),
    ] {
        o.does(who, key).await;
    }
    let interview = o.step("exit_interview").await;
    o.s.gives(&o.s.hr, &interview, "cancel", json!({"reason": "declined"})).await.ok();
    o.s.world.deliver().await;
    let run = o.run().await;
    assert_eq!(
        (&run["percent"], &run["status"], &run["total"]),
        (&json!(100), &json!("completed"), &json!(7))
    );
    assert_eq!(o.named("sequence.completed").await.len(), 1);
}

async fn published(s: &Stage, steps: Value) -> Value {
    let body = json!({"code": "audit_round", "name": "Audit", "kind": "audit", "anchor": "first_day", "steps": steps});
    let draft = s.admin.post("/v1/workflow/sequences", body).await.created();
    s.admin.post(&format!("/v1/workflow/sequences/{}/publish", id(&draft)), json!({})).await.ok()
}

fn step(key: &str, more: Value) -> Value {
    let mut one = json!({"key": key, "title": key, "category": "quality", "assignee": {"kind": "role", "value": "nurse"}});
    crate::stage::merge(&mut one, more);
    one
}

/// Story 18.
#[tokio::test]
async fn another_first_day_moves_what_is_open_and_not_what_is_done() {
    let o = Office::open().await;
    let steps = json!([
        step("one", json!({"offset_days": 2, "due_days": 3})),
        step("two", json!({"offset_days": 4})),
        step("three", json!({"from": "start", "due_days": 9})),
    ]);
    let template = published(&o.s, steps).await;
    let new = json!({"template": id(&template), "subject": o.carer.user(), "anchor_on": "2026-11-21"});
    let run = o.s.admin.post("/v1/workflow/sequences/runs", new.clone()).await.created();
    o.s.admin.post("/v1/workflow/sequences/runs", new).await.refused(409, "run-exists");
    o.s.world.deliver().await;
    assert_eq!(o.step("one").await["due_at"], "2026-11-26T16:00:00Z");
    o.does(&o.s.nurse, "one").await;
    let shift = format!("/v1/workflow/sequences/runs/{}/shift", id(&run));
    let late = json!({"anchor_on": "2026-12-05"});
    o.s.hr.post(&shift, late.clone()).await.refused(422, "reason-required");
    o.s.nurse.post(&shift, late.clone()).await.refused(403, "forbidden");
    o.s.hr.call("POST", &shift).because("ill").body(late).send().await.ok();
    let due = |key: &'static str| async { o.step(key).await["due_at"].clone() };
    assert_eq!(
        (due("one").await, due("two").await, due("three").await),
        (json!("2026-11-26T16:00:00Z"), json!("2026-12-09T16:00:00Z"), json!("2026-12-02T16:00:00Z"),)
    );
    assert_eq!(o.run().await["anchor_on"], "2026-12-05");
}

#[tokio::test]
async fn a_circle_is_refused_with_its_way_and_what_is_published_stands() {
    let s = Stage::set().await;
    let path = "/v1/workflow/sequences";
    let with = |steps: Value| json!({"code": "round", "name": "x", "kind": "custom", "anchor": "first_day", "steps": steps});
    let circle = json!([
        step("one", json!({"depends_on": ["three"]})),
        step("two", json!({"depends_on": ["one"]})),
        step("three", json!({"from": {"step": "two"}})),
    ]);
    let refused = s.admin.post(path, with(circle)).await.refused(422, "sequence-cycle");
    assert_eq!(refused["path"], json!(["one", "three", "two", "one"]));
    let unknown = json!([step("one", json!({"depends_on": ["four"]}))]);
    s.admin.post(path, with(unknown)).await.refused(422, "sequence-cycle");
    let template = published(&s, json!([step("one", json!({}))])).await;
    let one = format!("{path}/{}", id(&template));
    s.admin.patch(&one, json!({"name": "y"})).await.refused(409, "frozen");
    s.nurse.get(&one).await.refused(403, "forbidden");
    s.admin.post(&format!("{path}/adopt"), json!({"code": "onboarding", "publish": true})).await.created();
    s.admin.post(&format!("{path}/adopt"), json!({"code": "nothing"})).await.refused(422, "not-shipped");
    assert_eq!(s.admin.get(&format!("{path}/shipped")).await.ok()["data"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_worker_died_goes_on_and_makes_nothing_twice() {
    let s = Stage::contended().await;
    let steps: Vec<Value> = (0..25).map(|n| step(&format!("s{n}"), json!({}))).collect();
    let template = published(&s, json!(steps)).await;
    let new = json!({"template": id(&template), "subject": s.other.user(), "anchor_on": "2026-11-23"});
    let admin = s.admin.clone();
    let worker = tokio::spawn(async move { admin.post("/v1/workflow/sequences/runs", new).await });
    let started = loop {
        let all = s.world.events().await;
        match all.into_iter().find(|e| e.kind == "sequence.started") {
            Some(started) => break started,
            None => tokio::task::yield_now().await,
        }
    };
    worker.abort();
    let _ = worker.await;
    let one = || {
        let (world, started) = (s.world.clone(), started.clone());
        tokio::spawn(async move { world.hand_over(&started).await })
    };
    for heard in futures::future::join_all((0..3).map(|_| one())).await {
        heard.unwrap();
    }
    let run = &started.record;
    let tasks = s.admin.get(&format!("/v1/workflow/tasks?run={run}&limit=100")).await.ok();
    assert_eq!(tasks["data"].as_array().unwrap().len(), 25);
    let shown = s.admin.get(&format!("/v1/workflow/sequences/runs/{run}")).await.ok();
    assert_eq!((&shown["status"], &shown["total"]), (&json!("running"), &json!(25)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_two_steps_done_at_once_release_what_waited_for_both() {
    let s = Stage::contended().await;
    let steps = json!([
        step("a", json!({})),
        step("b", json!({})),
        step("c", json!({"depends_on": ["a", "b"], "blocks": "ready"}))
    ]);
    let template = published(&s, steps).await;
    let new = json!({"template": id(&template), "subject": s.other.user(), "anchor_on": "2026-11-23"});
    let run = s.admin.post("/v1/workflow/sequences/runs", new).await.created();
    s.world.deliver().await;
    let tasks: Vec<Value> = run["steps"].as_array().unwrap().iter().map(|x| x["task"].clone()).collect();
    for task in &tasks[..2] {
        s.gives(&s.nurse, task, "claim", json!({})).await.ok();
        s.gives(&s.nurse, task, "complete", json!({})).await.ok();
    }
    let done: Vec<_> = s.world.events().await.into_iter().filter(|e| e.kind == "task.completed").collect();
    let one = |event: events::Envelope| {
        let world = s.world.clone();
        tokio::spawn(async move { world.hand_over(&event).await })
    };
    for heard in futures::future::join_all(done.into_iter().map(one)).await {
        heard.unwrap();
    }
    assert_eq!(s.shows(&tasks[2]).await["status"], "open");
    let released =
        s.events_of(&json!({"id": tasks[2]})).await.into_iter().filter(|e| e == "task.released").count();
    assert_eq!(released, 1);
}

#[tokio::test]
async fn who_leaves_midway_suspends_the_run_and_cancelling_ends_its_steps() {
    let o = Office::open().await;
    let template =
        published(&o.s, json!([step("a", json!({})), step("b", json!({"depends_on": ["a"]}))])).await;
    let new = json!({"template": id(&template), "subject": o.carer.user(), "anchor_on": "2026-11-23"});
    let run = o.s.admin.post("/v1/workflow/sequences/runs", new).await.created();
    o.s.world.deliver().await;
    o.s.grace.gone(&o.carer).await;
    o.hears("user.disabled", json!({"user": o.carer.user()})).await;
    assert_eq!(o.run().await["status"], "suspended");
    let told = o.s.hr.get("/v1/workflow/tasks?role=hr").await.ok();
    assert_eq!((&told["data"][0]["record"], told["data"].as_array().unwrap().len()), (&run["id"], 1));
    o.does(&o.s.nurse, "a").await;
    assert_eq!(o.step("b").await["status"], "waiting", "suspended: nothing is released");
    let one = format!("/v1/workflow/sequences/runs/{}", id(&run));
    o.s.hr.post(&format!("{one}/resume"), json!({})).await.ok();
    assert_eq!(o.step("b").await["status"], "open");
    let task = o.step("b").await;
    o.s.gives(&o.s.admin, &task, "cancel", json!({"reason": "x"})).await.refused(409, "step-needed");
    o.s.hr.post(&format!("{one}/cancel"), json!({"reason": "she has left"})).await.ok();
    assert_eq!(
        (&o.step("a").await["status"], &o.step("b").await["status"]),
        (&json!("done"), &json!("cancelled"))
    );
}

#[tokio::test]
async fn a_rule_begins_a_sequence() {
    let o = Office::open().await;
    let template = published(&o.s, json!([step("a", json!({}))])).await;
    let rule = json!({
        "code": "moves", "name": "Moves", "on": ["user.activated"], "when": "has(event.data.user)",
        "then": [{"kind": "start_sequence", "sequence": id(&template), "subject": "=event.data.user"}],
    });
    let rule = o.s.admin.post("/v1/workflow/rules", rule).await.created();
    o.s.admin.post(&format!("/v1/workflow/rules/{}/activate", id(&rule)), json!({})).await.ok();
    o.hears("user.activated", json!({"user": o.carer.user()})).await;
    assert_eq!(o.run().await["code"], "audit_round");
    let firings = o.s.admin.get(&format!("/v1/workflow/firings?rule={}", id(&rule))).await.ok();
    let firing = o.s.admin.get(&format!("/v1/workflow/firings/{}", id(&firings["data"][0]))).await.ok();
    assert_eq!(
        (&firing["acted"][0]["status"], &firing["acted"][0]["done"]),
        (&json!("done"), &o.run().await["id"])
    );
}
