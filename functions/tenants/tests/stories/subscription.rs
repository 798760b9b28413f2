//! TEN-3, TEN-4: what a plan allows, counted exactly, and moving to another.

use crate::common::scene;
use kernel::{Id, PatientId, UserId};
use serde_json::{Value, json};

/// Takes as other modules' commits do.
async fn takes(
    home: &crate::common::Home<'_>,
    name: &'static str,
    shards: u32,
    count: usize,
) -> (usize, Vec<String>) {
    let store = home.store().await;
    let now = home.scene.world.clock.now();
    let tries = (0..count).map(|_| {
        let store = store.clone();
        async move {
            match name {
                "patients" => store.commit().take(name, shards, PatientId::at(now)).run().await,
                _ => store.commit().take(name, shards, UserId::at(now)).run().await,
            }
        }
    });
    let done = futures::future::join_all(tries).await;
    let codes = done.iter().filter_map(|r| r.as_ref().err()).map(|e| e.code().to_string()).collect();
    (done.iter().filter(|r| r.is_ok()).count(), codes)
}

#[tokio::test]
async fn plans_are_shown_to_everybody_and_drafts_to_nobody() {
    let scene = scene().await;
    assert_eq!(scene.plans.as_array().unwrap().len(), 3);
    let basic = scene.plans.as_array().unwrap().iter().find(|p| p["code"] == "Basic").unwrap();
    assert_eq!(
        (&basic["limits"]["users"], &basic["limits"]["patients"], &basic["rate"]["rps"]),
        (&json!(25), &json!(5000), &json!(5))
    );
    let id = scene.plan("Basic");
    let path = format!("/v1/tenants/plans/{id}");
    scene.admin.patch(&path, json!({"trial_days": 30})).await.refused(409, "plan-published");
    let next = scene.admin.post(&format!("{path}/revise"), json!({})).await.created();
    assert_eq!((&next["revision"], &next["status"]), (&json!(2), &json!("draft")));
    let two = format!("/v1/tenants/plans/{}", next["id"].as_str().unwrap());
    scene.admin.patch(&two, json!({"trial_days": 30, "prices": []})).await.ok();
    scene.admin.post(&format!("{two}/publish"), json!({})).await.refused(422, "price-missing");
    scene.admin.patch(&two, json!({"prices": basic["prices"]})).await.ok();
    scene.admin.post(&format!("{two}/publish"), json!({})).await.ok();
    let sold = scene.world.stranger().get("/v1/tenants/plans").await.ok();
    let revisions: Vec<(&Value, &Value)> =
        sold["data"].as_array().unwrap().iter().map(|p| (&p["code"], &p["revision"])).collect();
    assert!(
        revisions.contains(&(&json!("Basic"), &json!(2)))
            && !revisions.contains(&(&json!("Basic"), &json!(1)))
    );
    let mut odd = basic.clone();
    for system in ["id", "version", "created_at", "updated_at", "revision", "status"] {
        odd.as_object_mut().unwrap().remove(system);
    }
    (odd["code"], odd["modules"]) = ("Odd".into(), json!(["patients", "teleportation"]));
    let refusal = scene.admin.post("/v1/tenants/plans", odd).await;
    assert_eq!(refusal.faults(), [("/modules/1".to_string(), "unknown".to_string())]);
    let support = scene.world.operator("opr_01J00000000000000000000009", "platform_support");
    support.patch(&two, json!({"trial_days": 1})).await.refused(403, "tenant-context-required");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_users_at_once_with_three_left_are_exactly_three() {
    let scene = crate::common::contended().await;
    let home = scene.opens("grace", "Basic").await;
    let (first, _) = takes(&home, "users", 1, 22).await;
    assert_eq!(first, 22);
    let (done, codes) = takes(&home, "users", 1, 40).await;
    assert_eq!(done, 3, "{codes:?}");
    assert!(codes.iter().all(|c| c == "limit-reached"), "{codes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_patients_at_once_with_a_hundred_and_fifty_left_are_exactly_that() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let terms = json!({"limits_override": {"patients": 150}});
    let path = format!("/v1/tenants/{}", home.id);
    scene.admin.call("PATCH", &path).body(terms).because("a pilot").send().await.ok();
    let (done, codes) = takes(&home, "patients", 16, 200).await;
    assert_eq!((done, codes.len()), (150, 50));
    assert!(codes.iter().all(|c| c == "limit-reached"));
}

#[tokio::test]
async fn a_reached_limit_names_the_plans_that_lift_it() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let admin = home.staff("tenant_admin");
    // Basic has one site, and the main one is it.
    let refusal = admin
        .post("/v1/tenants/sites", json!({"name": "Branch A", "code": "BRA", "type": "branch"}))
        .await
        .refused(409, "limit-reached");
    assert_eq!(
        (&refusal["limit"], &refusal["used"], &refusal["allowed"]),
        (&json!("sites"), &json!(1), &json!(1))
    );
    assert_eq!(refusal["lifted_by"], json!(["Enterprise", "Professional"]));
    let standing = admin.get("/v1/tenants/self/limits").await.ok();
    let sites = standing["data"].as_array().unwrap().iter().find(|u| u["limit"] == "sites").unwrap().clone();
    assert_eq!(sites, json!({"limit": "sites", "allowed": 1, "used": 1}));
    let change = json!({"plan": scene.plan("Professional")});
    admin.post("/v1/tenants/self/subscription", change).await.ok();
    admin
        .post("/v1/tenants/sites", json!({"name": "Branch A", "code": "BRA", "type": "branch"}))
        .await
        .created();
}

#[tokio::test]
async fn a_dry_run_shows_and_does_nothing() {
    let scene = scene().await;
    let home = scene.opens("grace", "Professional").await;
    let admin = home.staff("tenant_admin");
    let change = json!({"plan": scene.plan("Basic"), "period": "year"});
    let before = home.gate().await;
    let shown = admin.post("/v1/tenants/self/subscription?dry_run=true", change).await.ok();
    assert_eq!(
        (&shown["applied"], &shown["from"], &shown["to"]),
        (&json!(false), &json!("Professional"), &json!("Basic"))
    );
    assert!(shown["modules_off"].as_array().unwrap().contains(&json!("training")));
    assert!(
        shown["limits_lost"].as_array().unwrap().contains(&json!({"limit": "users", "from": 150, "to": 25}))
    );
    assert_eq!(shown["price"]["price"], json!({"amount": "1500000.00", "currency": "NGN"}));
    assert_eq!(home.gate().await, before);
}

#[tokio::test]
async fn a_downgrade_below_what_is_used_is_refused_with_numbers() {
    let scene = scene().await;
    let home = scene.opens("grace", "Professional").await;
    assert_eq!(takes(&home, "users", 1, 30).await.0, 30);
    let admin = home.staff("tenant_admin");
    let to = |code: &str| json!({"plan": scene.plan(code)});
    let refusal =
        admin.post("/v1/tenants/self/subscription", to("Basic")).await.refused(409, "limit-exceeded-by-use");
    assert_eq!(refusal["exceeded"], json!([{"limit": "users", "used": 30, "allowed": 25}]));
    assert_eq!(home.gate().await.plan, "Professional");
    admin.post("/v1/tenants/self/subscription", to("Enterprise")).await.ok();
    let standing = admin.get("/v1/tenants/self/limits").await.ok();
    let users = standing["data"].as_array().unwrap().iter().find(|u| u["limit"] == "users").unwrap().clone();
    assert_eq!(
        users,
        json!({"limit": "users", "allowed": null, "used": 30}),
        "use is known where nothing limits it"
    );
    admin.post("/v1/tenants/self/subscription", to("Professional")).await.ok();
    assert_eq!(takes(&home, "users", 1, 121).await.0, 120, "150 less the 30, exactly");
    let names = scene.world.deliver().await;
    assert_eq!(names.iter().filter(|n| *n == "tenant.plan_changed").count(), 2);
}

#[tokio::test]
async fn a_repeated_change_of_plan_is_answered_as_the_first_was() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let admin = home.staff("tenant_admin");
    let path = "/v1/tenants/self/subscription";
    let ask = || admin.call("POST", path).key("k1").body(json!({"plan": scene.plan("Enterprise")}));
    let (one, two) = (ask().send().await, ask().send().await);
    assert_eq!((one.status, &one.bytes), (200, &two.bytes));
    let receptionist = home.staff("receptionist");
    receptionist.post(path, json!({"plan": scene.plan("Basic")})).await.refused(403, "forbidden");
    admin
        .post(&format!("/v1/tenants/{}/subscription", home.id), json!({"plan": scene.plan("Basic")}))
        .await
        .refused(403, "platform-only");
    let by_platform = format!("/v1/tenants/{}/subscription", home.id);
    scene
        .admin
        .post(&by_platform, json!({"plan": scene.plan("Basic")}))
        .await
        .refused(422, "reason-required");
    scene.admin.post(&by_platform, json!({"plan": scene.plan("Basic"), "reason": "by contract"})).await.ok();
    assert_eq!(home.gate().await.plan, "Basic");
}
