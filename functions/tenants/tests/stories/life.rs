//! TEN-5: trial, active, past due, suspended, closing, closed.

use crate::common::{Home, scene};
use jiff::{Timestamp, civil::Date};
use kernel::Lifecycle;
use serde_json::{Value, json};
use tenants::tenant::{Status, Tenant};

/// A moment in Lagos.
fn lagos(day: Date, hour: i8, minute: i8) -> Timestamp {
    day.at(hour, minute, 0, 0).in_tz("Africa/Lagos").unwrap().timestamp()
}
fn day(value: &Value) -> Date {
    value.as_str().expect("a day").parse().expect("a day")
}
fn plus(day: Date, days: i64) -> Date {
    tenants::tenant::time::plus(day, days)
}

#[tokio::test]
async fn a_trial_is_told_of_and_ends_at_midnight_in_lagos() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let end = day(&home.entry().await["trial_ends_on"]);
    let letters = || scene.world.letters.letters("desk@grace.example").len();
    assert_eq!(letters(), 0);
    for (before, sent) in [(8, 0), (7, 1), (3, 2), (2, 2), (1, 3)] {
        scene.world.clock.set(lagos(plus(end, -before), 9, 1));
        scene.world.ring().await;
        scene.world.ring().await;
        assert_eq!(letters(), sent, "{before} days before");
    }
    scene.world.clock.set(lagos(end, 23, 59));
    scene.world.ring().await;
    assert_eq!(home.entry().await["status"], "trial");
    let nurse = home.staff("tenant_admin");
    nurse.get("/v1/tenants/sites").await.ok();
    scene.world.clock.set(lagos(plus(end, 1), 0, 0));
    scene.world.ring().await;
    let entry = home.entry().await;
    assert_eq!((&entry["status"], &entry["status_reason"]), (&json!("suspended"), &json!("trial_expired")));
    nurse.get("/v1/tenants/sites").await.refused(423, "tenant-suspended");
    assert_eq!(scene.world.ring().await, Vec::<String>::new(), "nothing is due any more");
    assert!(scene.world.deliver().await.contains(&"tenant.suspended".to_string()));
    let until = plus(end, 31);
    home.command("reactivate", json!({"reason": "paid", "paid_until": until.to_string()})).await.ok();
    nurse.get("/v1/tenants/sites").await.ok();
    assert_eq!(home.entry().await["status"], "active");
}

#[tokio::test]
async fn an_unpaid_organisation_keeps_full_service_for_three_weeks() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let today = scene.world.clock.now().in_tz("Africa/Lagos").unwrap().date();
    let until = plus(today, 30);
    home.command("activate", json!({})).await.refused(422, "paid-until-required");
    home.command("activate", json!({"paid_until": plus(today, -1).to_string()}))
        .await
        .refused(422, "paid-until-past");
    home.command("activate", json!({"paid_until": until.to_string()})).await.ok();
    scene.world.clock.set(lagos(plus(until, 1), 0, 0));
    scene.world.ring().await;
    let entry = home.entry().await;
    assert_eq!((&entry["status"], day(&entry["suspend_on"])), (&json!("past_due"), plus(until, 1 + 21)));
    home.staff("tenant_admin").get("/v1/tenants/sites").await.ok();
    let due = plus(until, 1);
    for (days, sent) in [(1, 1), (3, 2), (7, 3), (13, 3), (14, 4)] {
        scene.world.clock.set(lagos(plus(due, days), 9, 1));
        scene.world.ring().await;
        assert_eq!(scene.world.letters.letters("desk@grace.example").len(), sent, "day {days}");
    }
    home.command("extend", json!({"days": 31})).await.refused(400, "validation");
    let extended = home.command("extend", json!({"days": 10})).await.ok();
    assert_eq!(day(&extended["suspend_on"]), plus(due, 31));
    home.command("extend", json!({"days": 1})).await.ok();
    home.command("extend", json!({"days": 1})).await.refused(409, "extended-already");
    scene.world.clock.set(lagos(plus(due, 32), 0, 0));
    scene.world.ring().await;
    let entry = home.entry().await;
    assert_eq!((&entry["status"], &entry["status_reason"]), (&json!("suspended"), &json!("payment")));
    let names = scene.world.deliver().await;
    assert!(
        names.contains(&"tenant.overdue".into()) && names.contains(&"tenant.suspended".into()),
        "{names:?}"
    );
}

#[tokio::test]
async fn suspension_answers_423_to_every_role_and_reactivation_loses_nothing() {
    let scene = scene().await;
    let home = scene.opens("grace", "Professional").await;
    let admin = home.staff("tenant_admin");
    let site = admin
        .post("/v1/tenants/sites", json!({"name": "Branch A", "code": "BRA", "type": "branch"}))
        .await
        .created();
    let before = admin.get("/v1/tenants/self/limits").await.ok();
    let calls = json!({"limit": "api_calls_month", "allowed": 2_000_000, "used": 0});
    assert!(before["data"].as_array().unwrap().contains(&calls), "{before}");
    home.command("suspend", json!({"reason_code": "security"})).await.refused(422, "reason-required");
    home.command("suspend", json!({"reason_code": "payment", "reason": "unpaid"}))
        .await
        .refused(409, "notice-period");
    home.command("suspend", json!({"reason_code": "boredom", "reason": "x"}))
        .await
        .refused(400, "validation");
    let told = json!({"reason_code": "security", "reason": "stolen password", "notify": true});
    home.command("suspend", told).await.ok();
    assert_eq!(scene.world.letters.letters("desk@grace.example").len(), 1);
    for role in ["tenant_admin", "doctor", "receptionist", "auditor", "patient"] {
        let refusal =
            home.staff(role).get("/v1/tenants/self/organisation").await.refused(423, "tenant-suspended");
        assert!(refusal.get("name").is_none());
    }
    home.command("suspend", json!({"reason_code": "legal", "reason": "again"})).await.refused(422, "state");
    home.command("reactivate", json!({"reason": "password changed"})).await.ok();
    assert_eq!(home.entry().await["status"], "trial", "the trial goes on where it was");
    assert_eq!(admin.get("/v1/tenants/self/limits").await.ok(), before);
    let path = format!("/v1/tenants/sites/{}", site["id"].as_str().unwrap());
    assert_eq!(admin.get(&path).await.ok()["version"], site["version"]);
}

#[tokio::test]
async fn every_step_that_is_not_in_the_table_is_refused() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let today = scene.world.clock.now().in_tz("Africa/Lagos").unwrap().date();
    let bodies = [
        ("activate", json!({"paid_until": plus(today, 30).to_string()})),
        ("suspend", json!({"reason_code": "legal", "reason": "a court says so"})),
        ("reactivate", json!({"reason": "settled", "paid_until": plus(today, 30).to_string()})),
        ("extend", json!({"days": 1})),
        ("close", json!({"reason": "they leave"})),
        ("cancel-closing", json!({"reason": "they stay"})),
    ];
    let store = scene.store(store::Scope::Platform).await;
    for state in [
        Status::Provisioning,
        Status::Trial,
        Status::Active,
        Status::PastDue,
        Status::Suspended,
        Status::Closing,
        Status::Closed,
    ] {
        let old = store.fresh::<Tenant>(home.id).await.unwrap();
        let mut new = old.next(store.now());
        new.body.status = state;
        store.commit().update("test", &old, &new).run().await.unwrap();
        for (command, body) in &bodies {
            let step = Tenant::STEPS.iter().find(|s| s.command == *command).unwrap();
            if !step.from.contains(&state) {
                home.command(command, body.clone()).await.refused(422, "state");
            }
        }
    }
}

#[tokio::test]
async fn closing_leaves_reading_open_and_can_be_called_off() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let admin = home.staff("tenant_admin");
    home.command("close", json!({"reason": "moving to another system"})).await.ok();
    admin.get("/v1/tenants/sites").await.ok();
    admin.post("/v1/tenants/departments", json!({})).await.refused(423, "tenant-closing");
    home.command("cancel-closing", json!({"reason": "they stay"})).await.ok();
    assert_eq!(home.entry().await["status"], "trial", "what it was before");
    home.command("close", json!({"reason": "now for good"})).await.ok();
    scene.world.clock.advance(jiff::SignedDuration::from_hours(30 * 24 + 1));
    scene.world.ring().await;
    let entry = home.entry().await;
    let today = scene.world.clock.now().in_tz("Africa/Lagos").unwrap().date();
    assert_eq!((&entry["status"], day(&entry["erase_after"])), (&json!("closed"), plus(today, 90)));
    admin.get("/v1/tenants/sites").await.refused(423, "tenant-closed");
    let names = scene.world.deliver().await;
    assert!(names.contains(&"tenant.closing".into()) && names.contains(&"tenant.closed".into()), "{names:?}");
}

#[tokio::test]
async fn an_operator_without_the_flag_or_with_another_role_suspends_nobody() {
    let scene = scene().await;
    let home: Home<'_> = scene.opens("grace", "Basic").await;
    let body = json!({"username": "timid", "email": "timid@lumina.example", "first_name": "T", "last_name": "T", "roles": ["platform_admin"], "can_suspend_tenants": false});
    let timid = scene.admin.post("/v1/tenants/operators", body).await.created();
    let timid = scene.world.operator(timid["id"].as_str().unwrap(), "platform_admin");
    let path = format!("/v1/tenants/{}/suspend", home.id);
    let why = json!({"reason_code": "security", "reason": "stolen password"});
    timid.post(&path, why.clone()).await.refused(403, "flag-missing");
    scene
        .world
        .operator("opr_01J00000000000000000000009", "platform_billing")
        .post(&path, why.clone())
        .await
        .refused(403, "tenant-context-required");
    home.staff("tenant_admin").post(&path, why).await.refused(403, "forbidden");
    scene.admin.get("/v1/tenants/ten_01J00000000000000000000000").await.missing();
}

#[tokio::test]
async fn the_register_lists_by_status_and_plan() {
    let scene = scene().await;
    scene.opens("grace", "Basic").await;
    scene.opens("mercy", "Enterprise").await;
    let slugs = |page: Value| -> Vec<String> {
        page["data"].as_array().unwrap().iter().map(|t| t["slug"].as_str().unwrap().to_string()).collect()
    };
    let list = async |query: &str| slugs(scene.admin.get(&format!("/v1/tenants{query}")).await.ok());
    assert_eq!(list("").await, ["mercy", "grace"]);
    assert_eq!(list("?status=trial").await.len(), 2);
    assert_eq!(list("?status=active").await, Vec::<String>::new());
    assert_eq!(list("?plan=Enterprise").await, ["mercy"]);
}

#[tokio::test]
async fn an_organisation_closes_itself_when_two_administrators_agree() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let (one, two) = (home.staff("tenant_admin"), home.staff("tenant_admin"));
    home.present(&one).await;
    let close = "/v1/tenants/self/close";
    one.post(close, json!({})).await.refused(422, "reason-required");
    home.staff("receptionist").post(close, json!({"reason": "x"})).await.refused(403, "forbidden");
    let asked =
        one.post(close, json!({"reason": "we merge with Mercy"})).await.refused(428, "approval-required");
    let again =
        one.post(close, json!({"reason": "we merge with Mercy"})).await.refused(428, "approval-required");
    assert_eq!(asked["approval"], again["approval"], "the same wish is the same approval");
    let approval = format!("/v1/tenants/approvals/{}", asked["approval"].as_str().unwrap());
    assert_eq!(two.get(&approval).await.ok()["actions"], json!(["approve", "reject"]));
    one.post(&format!("{approval}/approve"), json!({})).await.refused(403, "own-request");
    assert_eq!(home.entry().await["status"], "trial", "nothing has happened yet");
    // What the command itself would have answered, in the name of both.
    let closing = two.post(&format!("{approval}/approve"), json!({})).await.ok();
    assert_eq!((&closing["status"], &closing["id"]), (&json!("closing"), &json!(home.id)));
    let said = two.get(&approval).await.ok();
    assert_eq!((&said["status"], &said["decisions"][0]["user"]), (&json!("executed"), &json!(two.user())));
    let events = scene.world.events().await;
    let told = events.iter().find(|e| e.kind == "tenant.closing").unwrap();
    assert_eq!(told.by, two.user());
    assert_eq!(home.entry().await["status"], "closing");
    two.get("/v1/tenants/sites").await.ok();
    two.post(close, json!({"reason": "again"})).await.refused(423, "tenant-closing");
    home.command("cancel-closing", json!({"reason": "they stay"})).await.ok();
    two.post(&format!("{approval}/approve"), json!({})).await.refused(409, "already-decided");
    let asked = one.post(close, json!({"reason": "now really"})).await.refused(428, "approval-required");
    let approval = format!("/v1/tenants/approvals/{}", asked["approval"].as_str().unwrap());
    two.post(&format!("{approval}/reject"), json!({"reason": "not yet"})).await.ok();
    let asked = one.post(close, json!({"reason": "now really"})).await.refused(428, "approval-required");
    let approval = format!("/v1/tenants/approvals/{}", asked["approval"].as_str().unwrap());
    scene.world.clock.advance(jiff::SignedDuration::from_hours(7 * 24 + 1));
    two.post(&format!("{approval}/approve"), json!({})).await.refused(410, "approval-expired");
}

/// Two people are not a choice here, as they are elsewhere.
#[tokio::test]
async fn no_policy_lets_one_administrator_close_an_organisation_alone() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let (one, two) = (home.staff("tenant_admin"), home.staff("tenant_admin"));
    home.present(&one).await;
    let none = json!({"policies": []});
    home.store()
        .await
        .commit()
        .fact(store::facts::APPROVAL_POLICY, "tenant.close", &none)
        .run()
        .await
        .unwrap();
    let asked = one.post("/v1/tenants/self/close", json!({"reason": "we leave"})).await;
    let asked = asked.refused(428, "approval-required");
    let approval = format!("/v1/tenants/approvals/{}", asked["approval"].as_str().unwrap());
    one.post(&format!("{approval}/approve"), json!({})).await.refused(403, "own-request");
    assert_eq!(two.post(&format!("{approval}/approve"), json!({})).await.ok()["status"], "closing");
}

#[tokio::test]
async fn who_is_no_administrator_any_more_closes_nothing() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let (one, two) = (home.staff("tenant_admin"), home.staff("tenant_admin"));
    let asked = one.post("/v1/tenants/self/close", json!({"reason": "out of spite"})).await;
    let asked = asked.refused(428, "approval-required");
    let approve = format!("/v1/tenants/approvals/{}/approve", asked["approval"].as_str().unwrap());
    let refused = two.post(&approve, json!({})).await;
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert!(refused.body.to_string().contains("requester-lost-right"), "{}", refused.body);
    assert_eq!(home.entry().await["status"], "trial");
}
