//! TSK-3: commands that need two people, in a module of the test's own: payroll runs and refunds.

use crate::{
    races::{outcomes, together},
    stage::{Stage, id},
};
use axum::{
    http::Method,
    routing::{get, patch, post},
};
use kernel::{Error, JobId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::{Entity, List, Record};
use testkit::{Actor, World};
use web::{
    Answer, At, Body, Ctx, Module, Noun, Reach,
    noun::{self, Hooks},
    route,
};

/// A payroll run, as far as approving one goes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Run {
    total: Value,
    #[serde(default)]
    approved: bool,
    #[serde(default)]
    refunded: u32,
}

impl Entity for Run {
    type Id = JobId;
    const NOUN: &'static str = "payroll_run";
    const LISTS: &'static [List<Self>] = &[List::newest()];
}
impl Noun for Run {
    fn within(_: &Record<Self>, reach: Reach, _: &web::Actor) -> bool {
        reach > Reach::None
    }
}
impl Hooks for Run {}

#[derive(Deserialize, JsonSchema)]
struct Nothing {}
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only policies read it")]
struct Refund {
    amount: Value,
}

async fn approve(ctx: Ctx, At(id): At<JobId>, _: Body<Nothing>) -> Answer {
    let old = ctx.change::<Run>(id).await?;
    if old.body.approved {
        return Err(Error::State { command: "approve", state: "approved".into() }.into());
    }
    let mut new = old.next(ctx.now());
    new.body.approved = true;
    let shown = ctx.shown(200, &new)?;
    ctx.settle(ctx.commit().update("approve", &old, &new), shown).await
}

async fn refund(ctx: Ctx, At(id): At<JobId>, _: Body<Refund>) -> Answer {
    let old = ctx.change::<Run>(id).await?;
    let mut new = old.next(ctx.now());
    new.body.refunded += 1;
    let shown = ctx.shown(200, &new)?;
    ctx.settle(ctx.commit().update("refund", &old, &new), shown).await
}

// `task.create` stands for the rights of a module that is not built yet: finance and administrators hold it.
fn payroll() -> Module {
    let (path, right) = ("/v1/patients/runs", "sequence_run.view");
    let one = format!("{path}/{{id}}");
    let routes = vec![
        route(Method::POST, path, right, "run.create", post(noun::create::<Run>)).takes::<Run>(),
        route(Method::GET, one.as_str(), right, "run.show", get(noun::show::<Run>)),
        route(Method::GET, format!("{one}/history"), right, "run.history", get(noun::history::<Run>)),
        route(Method::PATCH, one.as_str(), right, "run.update", patch(noun::amend::<Run>)).patches::<Run>(),
        route(Method::POST, format!("{one}/approve"), right, "run.approve", post(approve))
            .takes::<Nothing>()
            .approvable("payroll_run.approve"),
        route(Method::POST, format!("{one}/refund"), right, "run.refund", post(refund))
            .takes::<Refund>()
            .approvable("payment.refund"),
    ];
    Module::new("patients", routes)
}

struct Office {
    s: Stage,
    a: Actor,
    b: Actor,
    run: String,
}

impl Office {
    async fn open() -> Self {
        Self::on(Stage::with(vec![payroll()]).await).await
    }
    async fn contended() -> Self {
        Self::on(Stage::on(World::contended(vec![workflow::module(), payroll()]).await).await).await
    }
    async fn on(s: Stage) -> Self {
        let (a, b) = (s.grace.staff("finance"), s.grace.staff("finance"));
        s.grace.present(&a).await;
        s.grace.present(&b).await;
        let total = json!({"amount": "18400000.00", "currency": "NGN"});
        let run = id(&a.post("/v1/patients/runs", json!({"total": total})).await.created());
        Self { s, a, b, run }
    }
    fn path(&self, command: &str) -> String {
        format!("/v1/patients/runs/{}/{command}", self.run)
    }
    async fn asks(&self) -> Value {
        self.a.post(&self.path("approve"), json!({})).await.refused(428, "approval-required")
    }
    fn decides(asked: &Value, how: &str) -> String {
        format!("/v1/patients/approvals/{}/{how}", asked["approval"].as_str().unwrap())
    }
    async fn shows(&self) -> Value {
        self.a.get(&format!("/v1/patients/runs/{}", self.run)).await.ok()
    }
}

/// Story 13.
#[tokio::test]
async fn a_payroll_run_takes_two_people_of_finance_and_the_second_gets_the_run() {
    let o = Office::open().await;
    let first = o.a.post(&o.path("approve"), json!({})).await;
    assert_eq!(first.headers["location"], Office::decides(&first.body, "x").trim_end_matches("/x"));
    let asked = first.refused(428, "approval-required");
    assert_eq!((&asked["needed"], asked["expires_at"].is_string()), (&json!(1), true));
    assert_eq!(o.asks().await["approval"], asked["approval"], "the same wish is the same approval");
    assert_eq!(o.shows().await["approved"], false);
    o.a.post(&Office::decides(&asked, "approve"), json!({})).await.refused(403, "own-request");
    let waiting = o.b.get("/v1/workflow/approvals?role=finance").await.ok();
    assert_eq!(waiting["data"][0]["actions"], json!(["approve", "reject"]));
    let answer = o.b.post(&Office::decides(&asked, "approve"), json!({"note": "checked"})).await.ok();
    assert_eq!(
        (&answer["id"], &answer["approved"]),
        (&json!(o.run), &json!(true)),
        "the command's own answer"
    );
    let history = o.a.get(&o.path("history")).await.ok();
    let last = &history["data"][0];
    assert_eq!((&last["by"], &last["on_behalf"]), (&json!(o.b.user()), &json!(o.a.user())), "both names");
    let path = format!("/v1/patients/approvals/{}", asked["approval"].as_str().unwrap());
    let kept = o.b.get(&path).await.ok();
    assert_eq!((&kept["status"], &kept["decisions"][0]["user"]), (&json!("executed"), &json!(o.b.user())));
    let by: String = o.s.events_of(&json!({"id": asked["approval"]})).await.join(" ");
    assert_eq!(by, "approval.requested approval.executed");
}

async fn policy(o: &Office, body: Value) -> Value {
    o.s.admin.post("/v1/workflow/approval_policies", body).await.created()
}

/// Story 14.
#[tokio::test]
async fn a_refund_waits_above_an_amount_and_passes_below_it() {
    let o = Office::open().await;
    let refund = |amount: &str| {
        let body = json!({"amount": {"amount": amount, "currency": "NGN"}});
        let (path, a) = (o.path("refund"), o.a.clone());
        async move { a.post(&path, body).await }
    };
    refund("90000.00").await.ok();
    let when = "money(request.body.amount) > money({'amount':'50000.00','currency':'NGN'})";
    let approvers = json!({"roles": ["finance"]});
    policy(&o, json!({"command": "payment.refund", "when": when, "approvers": approvers, "needed": 1, "expires_hours": 72})).await;
    refund("50000.00").await.ok();
    let asked = refund("50000.01").await.refused(428, "approval-required");
    assert!(!o.s.grace.dump().await.contains("50000.01"), "the request is sealed");
    assert_eq!(o.shows().await["refunded"], 2);
    o.b.post(&Office::decides(&asked, "approve"), json!({})).await.ok();
    assert_eq!(o.shows().await["refunded"], 3);
    let unclear = o.a.post(&o.path("refund"), json!({"amount": "many"})).await;
    unclear.refused(428, "approval-required");
}

/// Story 15.
#[tokio::test]
async fn a_run_that_was_edited_meanwhile_is_not_paid_and_what_nobody_decides_expires() {
    let o = Office::open().await;
    let asked = o.asks().await;
    o.b.patch(&format!("/v1/patients/runs/{}", o.run), json!({"refunded": 7})).await.ok();
    o.b.post(&Office::decides(&asked, "approve"), json!({})).await.refused(409, "superseded");
    assert_eq!(o.shows().await["approved"], false, "nothing paid");
    o.b.post(&Office::decides(&asked, "approve"), json!({})).await.refused(409, "superseded");
    let again = o.asks().await;
    assert_ne!(again["approval"], asked["approval"], "a new request");
    let mut said = vec![];
    for hours in [35, 2, 12, 24] {
        o.s.later(hours * 60);
        o.s.world.ring().await;
        said.push(o.s.events_of(&json!({"id": again["approval"]})).await.len());
    }
    assert_eq!(said, [1, 2, 3, 4]);
    let last = o.s.events_of(&json!({"id": again["approval"]})).await.pop();
    assert_eq!(last.as_deref(), Some("approval.expired"), "the requester is told");
    o.b.post(&Office::decides(&again, "approve"), json!({})).await.refused(410, "approval-expired");
    let third = o.asks().await;
    o.s.later(72 * 60 + 1);
    o.b.post(&Office::decides(&third, "approve"), json!({})).await.refused(410, "approval-expired");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_approvers_at_the_same_instant_do_it_once() {
    let o = Office::contended().await;
    let c = o.s.grace.staff("finance");
    for _ in 0..3 {
        let asked = o.a.post(&o.path("refund"), json!({"amount": {}})).await;
        assert_eq!(asked.status, 200, "no policy yet");
    }
    policy(&o, json!({"command": "payment.refund", "needed": 1, "expires_hours": 72})).await;
    let asked = o.a.post(&o.path("refund"), json!({"amount": {}})).await.refused(428, "approval-required");
    let path = Office::decides(&asked, "approve");
    let replies = together(vec![(o.b.clone(), path.clone(), json!({})), (c, path, json!({}))]).await;
    let wanted = BTreeMap::from([((200, String::new()), 1), ((409, "already-decided".into()), 1)]);
    assert_eq!(
        outcomes(&replies),
        wanted,
        "{:?}",
        replies.iter().map(|r| r.body.to_string()).collect::<Vec<_>>()
    );
    assert_eq!(o.shows().await["refunded"], 4, "once");
}

#[tokio::test]
async fn two_of_two_are_needed_and_nobody_counts_twice() {
    let o = Office::open().await;
    policy(
        &o,
        json!({"command": "payment.refund", "needed": 2, "expires_hours": 24, "reason_required": true}),
    )
    .await;
    o.a.post(&o.path("refund"), json!({"amount": {}})).await.refused(422, "reason-required");
    let path = o.path("refund");
    let asked = o.a.call("POST", &path).because("a complaint").body(json!({"amount": {}})).send().await;
    let asked = asked.refused(428, "approval-required");
    let approve = Office::decides(&asked, "approve");
    let pending = o.b.post(&approve, json!({})).await.ok();
    assert_eq!((&pending["status"], pending["decisions"].as_array().unwrap().len()), (&json!("pending"), 1));
    o.b.post(&approve, json!({})).await.refused(409, "already-decided");
    assert_eq!(o.s.hr.post(&approve, json!({})).await.ok()["refunded"], 1);
}

#[tokio::test]
async fn rejecting_withdrawing_and_a_requester_who_has_left() {
    let o = Office::open().await;
    let asked = o.asks().await;
    o.b.post(&Office::decides(&asked, "reject"), json!({})).await.refused(422, "reason-required");
    o.b.post(&Office::decides(&asked, "reject"), json!({"reason": "wrong month"})).await.ok();
    o.b.post(&Office::decides(&asked, "approve"), json!({})).await.refused(409, "already-decided");
    let second = o.asks().await;
    let withdraw = format!("/v1/workflow/approvals/{}/withdraw", second["approval"].as_str().unwrap());
    o.b.post(&withdraw, json!({})).await.refused(403, "not-yours");
    o.a.post(&withdraw, json!({})).await.ok();
    let third = o.asks().await;
    o.s.grace.gone(&o.a).await;
    o.b.post(&Office::decides(&third, "approve"), json!({})).await.refused(409, "requester-lost-right");
    assert_eq!(o.b.get(&format!("/v1/patients/runs/{}", o.run)).await.ok()["approved"], false);
    o.s.grace.present(&o.a).await;
    let fourth = o.asks().await;
    o.s.hears("user.disabled", &o.a.user(), json!({"user": o.a.user()})).await;
    let path = Office::decides(&fourth, "x");
    let kept = o.b.get(path.trim_end_matches("/x")).await.ok();
    assert_eq!(
        (&kept["status"], &kept["result"]["problem"]),
        (&json!("failed"), &json!("requester-lost-right"))
    );
}

#[tokio::test]
async fn a_policy_is_checked_switched_off_and_taken_from_the_shipped_ones() {
    let o = Office::open().await;
    let path = "/v1/workflow/approval_policies";
    let bad = json!({"command": "payment.refund", "when": "request.bdy.amount > 1 && reqest.x", "needed": 1, "expires_hours": 72});
    o.s.admin.post(path, bad).await.refused(422, "rule-invalid");
    let shipped = o.s.admin.get(&format!("{path}/shipped")).await.ok();
    let payroll =
        shipped["data"].as_array().unwrap().iter().find(|p| p["command"] == "payroll_run.approve").unwrap();
    assert_eq!(payroll["on"], true);
    let off =
        o.s.admin
            .post(&format!("{path}/adopt"), json!({"command": "payroll_run.approve", "active": false}))
            .await
            .created();
    assert_eq!(o.a.post(&o.path("approve"), json!({})).await.ok()["approved"], true, "switched off");
    o.s.admin
        .post(&format!("{path}/adopt"), json!({"command": "payroll_run.approve"}))
        .await
        .refused(409, "duplicate");
    o.s.finance
        .patch(&format!("{path}/{}", id(&off)), json!({"active": true}))
        .await
        .refused(403, "forbidden");
}

#[tokio::test]
async fn a_retried_approval_is_answered_as_it_was_and_what_fails_now_is_said() {
    let o = Office::open().await;
    let asked = o.asks().await;
    let path = Office::decides(&asked, "approve");
    let first = o.b.call("POST", &path).body(json!({})).key("once").send().await;
    let again = o.b.call("POST", &path).body(json!({})).key("once").send().await;
    assert_eq!((first.status, &first.bytes), (200, &again.bytes));
    let late = o.a.post(&o.path("approve"), json!({})).await;
    late.refused(422, "state");
}

#[tokio::test]
async fn a_policy_names_who_decides_and_nobody_decides_about_themselves() {
    let o = Office::open().await;
    let approvers = json!({"users": [o.s.hr.user()], "roles": ["quality"]});
    policy(
        &o,
        json!({"command": "payment.refund", "approvers": approvers, "needed": 1, "expires_hours": 24}),
    )
    .await;
    let asked = o.a.post(&o.path("refund"), json!({"amount": {}})).await.refused(428, "approval-required");
    let approve = Office::decides(&asked, "approve");
    let refused = o.b.post(&approve, json!({})).await.refused(403, "not-an-approver");
    assert_eq!(refused["roles"], json!(["quality"]));
    o.s.nurse.post(&approve, json!({})).await.missing();
    let elsewhere = approve.replace("/v1/patients/", "/v1/workflow/");
    let told = o.s.hr.post(&elsewhere, json!({})).await.refused(409, "other-module");
    assert_eq!(told["module"], "patients", "it is decided where its command lives");
    let path = approve.trim_end_matches("/approve");
    let shown = o.s.hr.get(path).await.ok();
    assert_eq!(
        (&shown["actions"], &shown["request"]),
        (&json!(["approve", "reject"]), &json!({"amount": {}}))
    );
    assert_eq!(o.a.get(path).await.ok()["actions"], json!(["withdraw"]));
    assert_eq!(o.s.hr.post(&approve, json!({})).await.ok()["refunded"], 1);
}
