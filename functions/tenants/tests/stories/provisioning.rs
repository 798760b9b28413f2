//! TEN-1, TEN-2: a decision, and the organisation that comes of it.

use crate::common::scene;
use jiff::SignedDuration;
use serde_json::{Value, json};
use web::{Message, consume, gate::Status};

#[tokio::test]
async fn an_approved_organisation_is_prepared_answered_opened_and_invited() {
    let scene = scene().await;
    let grace = scene.submits("grace", "Professional").await;
    let approved = scene.approves(&grace).await;
    assert_eq!(approved["status"], "approved");
    let run = format!("/v1/tenants/provisionings/pvn_{}", &grace.id[4..]);
    let names = scene.world.deliver().await;
    for name in ["signup.submitted", "tenant.approved", "tenant.prepared", "site.opened"] {
        assert!(names.contains(&name.to_string()), "{name} in {names:?}");
    }
    assert!(!names.contains(&"tenant.provisioned".to_string()), "not before identity has answered");
    assert_eq!(scene.admin.get(&run).await.ok()["status"], "waiting");
    let home = crate::common::Home { scene: &scene, id: grace.tenant, applicant: grace };
    home.staff("tenant_admin").get("/v1/tenants/self/organisation").await.refused(423, "tenant-not-ready");
    scene.answers(home.id, "user.prepared").await;
    assert_eq!(scene.world.deliver().await, ["tenant.provisioned"]);
    let entry = home.entry().await;
    assert_eq!((&entry["status"], &entry["slug"]), (&json!("trial"), &json!("grace")));
    scene.answers(home.id, "user.invited").await;
    let run = scene.admin.get(&run).await.ok();
    assert_eq!(run["status"], "done");
    let parts: Vec<&String> = run["parts"].as_object().unwrap().keys().collect();
    assert_eq!(parts, ["invited", "key", "open", "records", "user.prepared"]);
    let admin = home.staff("tenant_admin");
    assert_eq!(admin.get("/v1/tenants/self/organisation").await.ok()["name"], "grace Hospital");
    let sites = admin.get("/v1/tenants/sites").await.ok();
    assert_eq!((sites["data"].as_array().unwrap().len(), &sites["data"][0]["code"]), (1, &json!("MAIN")));
    let gate = home.gate().await;
    assert_eq!(gate.policies["numbering.patient"]["format"], "PT-{YYYY}-{SEQ:5}");
    assert_eq!(
        (gate.country.as_str(), gate.time_zone.as_str(), gate.currency.as_str()),
        ("NG", "Africa/Lagos", "NGN")
    );
    assert!(gate.licensed.contains(&"patients".into()) && gate.licensed.contains(&"training".into()));
}

#[tokio::test]
async fn the_first_administrator_is_handed_over_sealed() {
    let scene = scene().await;
    let grace = scene.prepares("grace", "Basic").await;
    let store = scene.store(store::Scope::Tenant(grace.tenant)).await;
    let admin: Value =
        store.read(&store::Key::item("admin", "first", ".")).await.unwrap().expect("handed over");
    assert_eq!((&admin["given_name"], &admin["email"]), (&json!("Adaeze"), &json!("ada@grace.example")));
    let prefix = grace.tenant.prefix();
    for item in scene.world.scan().await {
        let text = item.to_string();
        let open = ["Adaeze", "ada@grace.example", "+2348039876543", "12 Marina"]
            .into_iter()
            .find(|s| text.contains(s));
        assert!(
            open.is_none() || !item["pk"].as_str().unwrap().starts_with(&prefix),
            "{open:?} lies open in {}",
            item["pk"]
        );
    }
}

#[tokio::test]
async fn the_key_service_fails_three_times_and_there_is_still_one_organisation() {
    let scene = scene().await;
    let grace = scene.submits("grace", "Basic").await;
    scene.approves(&grace).await;
    let approved =
        scene.world.events().await.into_iter().find(|e| e.kind == "tenant.approved").expect("approved");
    scene.world.refuse_keys(3);
    let module = &scene.world.modules[0];
    for _ in 0..3 {
        let tried = consume(module, &scene.world.app, &Message::Event(approved.clone())).await;
        assert!(tried.is_err(), "a failure goes back to the queue");
    }
    let run = format!("/v1/tenants/provisionings/pvn_{}", &grace.id[4..]);
    let shown = scene.admin.get(&run).await.ok();
    assert_eq!(
        (&shown["attempts"], &shown["trouble"], &shown["status"]),
        (&json!(3), &json!("internal"), &json!("running"))
    );
    // And once more than needed: the queue delivers at least once.
    for _ in 0..2 {
        consume(module, &scene.world.app, &Message::Event(approved.clone())).await.expect("prepared");
    }
    let items = scene.world.scan().await;
    let count = |part: &str| {
        items
            .iter()
            .filter(|i| {
                i["pk"].as_str().unwrap().starts_with(&format!("{}#{part}", grace.tenant.prefix()))
                    && i["sk"] != "l#all"
            })
            .count()
    };
    assert_eq!(count("key#"), 1, "one key");
    assert_eq!(
        items.iter().filter(|i| i["pk"].as_str().unwrap().contains("#org#") && i["sk"] == ".").count(),
        1
    );
    assert_eq!(
        items.iter().filter(|i| i["pk"].as_str().unwrap().contains("#admin#first")).count(),
        1,
        "one administrator"
    );
    let gate: web::gate::TenantGate = scene
        .store(store::Scope::Tenant(grace.tenant))
        .await
        .fact(store::facts::TENANT, "self")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(gate.status, Status::Provisioning);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_at_once_make_one_organisation() {
    let scene = crate::common::contended().await;
    let grace = scene.submits("grace", "Basic").await;
    scene.approves(&grace).await;
    let approved =
        scene.world.events().await.into_iter().find(|e| e.kind == "tenant.approved").expect("approved");
    let message = Message::Event(approved);
    let module = &scene.world.modules[0];
    let both = tokio::join!(
        consume(module, &scene.world.app, &message),
        consume(module, &scene.world.app, &message)
    );
    assert!(both.0.is_ok() || both.1.is_ok(), "{both:?}");
    consume(module, &scene.world.app, &message).await.expect("the loser comes again and finds it done");
    let records = |kind: &str| {
        let (prefix, kind) = (grace.tenant.prefix(), kind.to_string());
        move |i: &&Value| {
            i["pk"].as_str().unwrap().starts_with(&format!("{prefix}#{kind}#")) && i["sk"] == "."
        }
    };
    let items = scene.world.scan().await;
    assert_eq!(items.iter().filter(records("org")).count(), 1);
    assert_eq!(
        items.iter().filter(records("sit")).filter(|i| !i["pk"].as_str().unwrap().ends_with("tree")).count(),
        1
    );
}

#[tokio::test]
async fn an_answer_that_was_lost_on_its_way_makes_nothing_twice() {
    let scene = scene().await;
    let grace = scene.submits("grace", "Basic").await;
    scene.approves(&grace).await;
    let approved =
        scene.world.events().await.into_iter().find(|e| e.kind == "tenant.approved").expect("approved");
    let message = Message::Event(approved);
    for lost in 1..4 {
        scene.world.lose_answers(lost);
        let _ = consume(&scene.world.modules[0], &scene.world.app, &message).await;
    }
    scene.world.lose_answers(0);
    consume(&scene.world.modules[0], &scene.world.app, &message).await.expect("prepared in the end");
    let run = format!("/v1/tenants/provisionings/pvn_{}", &grace.id[4..]);
    assert_eq!(scene.admin.get(&run).await.ok()["status"], "waiting");
    let prepared = scene.world.events().await.into_iter().filter(|e| e.kind == "tenant.prepared").count();
    assert_eq!(prepared, 1);
}

#[tokio::test]
async fn a_decision_is_made_once_and_never_by_the_applicant() {
    let scene = scene().await;
    let grace = scene.submits("grace", "Basic").await;
    let approve = format!("/v1/tenants/signups/{}/approve", grace.id);
    let reject = format!("/v1/tenants/signups/{}/reject", grace.id);
    scene.admin.post(&approve, json!({})).await.refused(422, "reason-required");
    grace.who.post(&approve, json!({"reason": "mine"})).await.refused(401, "not-signed-in");
    let own = json!({"username": "ada", "email": "ada@grace.example", "first_name": "Ada", "last_name": "O", "roles": ["platform_admin"]});
    let own = scene.admin.post("/v1/tenants/operators", own).await.created();
    let own = scene.world.operator(own["id"].as_str().unwrap(), "platform_admin");
    own.post(&approve, json!({"reason": "looks fine"})).await.refused(403, "own-request");
    let support = scene.world.operator("opr_01J00000000000000000000009", "platform_support");
    support.post(&approve, json!({"reason": "x"})).await.refused(403, "tenant-context-required");
    let no_record = scene.world.operator("opr_01J00000000000000000000009", "platform_admin");
    no_record.post(&approve, json!({"reason": "x"})).await.refused(403, "flag-missing");
    let first = scene.approves(&grace).await;
    assert_eq!(scene.approves(&grace).await, first, "approved twice: the same answer");
    scene.admin.post(&reject, json!({"reason": "late"})).await.refused(422, "state");
    let runs = scene.admin.get("/v1/tenants/provisionings").await.ok();
    assert_eq!(runs["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_rejected_organisation_is_told_and_its_name_is_free_again() {
    let scene = scene().await;
    let grace = scene.submits("grace", "Basic").await;
    let reject = format!("/v1/tenants/signups/{}/reject", grace.id);
    assert_eq!(
        scene.admin.post(&reject, json!({"reason": "no such clinic"})).await.ok()["status"],
        "rejected"
    );
    scene.world.deliver().await;
    let letters = scene.world.letters.letters("ada@grace.example");
    assert!(letters.last().unwrap().text.contains("was not accepted"));
    scene.submits("grace", "Basic").await;
}

#[tokio::test]
async fn a_plan_without_approval_lets_everybody_in() {
    let scene = scene().await;
    let mut plan = scene.plans[0].clone();
    for system in ["id", "version", "created_at", "updated_at", "revision", "status"] {
        plan.as_object_mut().unwrap().remove(system);
    }
    (plan["code"], plan["name"], plan["approval"], plan["trial_days"]) =
        ("Starter".into(), "Starter".into(), "none".into(), 0.into());
    let made = scene.admin.post("/v1/tenants/plans", plan).await.created();
    let id = made["id"].as_str().unwrap();
    scene.admin.post(&format!("/v1/tenants/plans/{id}/publish"), json!({})).await.ok();
    let mut form = scene.form("grace", "Basic");
    form["plan"] = id.into();
    let grace = scene.begins(form).await;
    grace.post("verify-email", json!({"code": scene.code("ada@grace.example")})).await.ok();
    grace.post("submit", json!({})).await.ok();
    let names = scene.world.deliver().await;
    assert!(names.contains(&"tenant.prepared".to_string()), "{names:?}");
    scene.answers(grace.tenant, "user.prepared").await;
    let entry = scene.admin.get(&format!("/v1/tenants/{}", grace.tenant)).await.ok();
    assert_eq!((&entry["status"], entry.get("trial_ends_on")), (&json!("active"), None), "no trial");
}

#[tokio::test]
async fn a_run_that_does_not_end_is_told_resumed_or_given_up() {
    let scene = scene().await;
    let grace = scene.prepares("grace", "Basic").await;
    let run = format!("/v1/tenants/provisionings/pvn_{}", &grace.id[4..]);
    scene.world.clock.advance(SignedDuration::from_mins(61));
    assert!(scene.world.ring().await.contains(&"due.pvn.stuck".to_string()));
    let stuck = scene.admin.get(&run).await.ok();
    assert_eq!((&stuck["status"], &stuck["actions"]), (&json!("stuck"), &json!(["resume", "abandon"])));
    assert_eq!(scene.admin.post(&format!("{run}/resume"), json!({})).await.ok()["status"], "waiting");
    scene.admin.post(&format!("{run}/abandon"), json!({})).await.refused(422, "reason-required");
    let gone = scene.admin.post(&format!("{run}/abandon"), json!({"reason": "a mistake"})).await.ok();
    assert_eq!(gone["status"], "abandoned");
    scene.admin.get(&format!("/v1/tenants/{}", grace.tenant)).await.missing();
    scene.answers(grace.tenant, "user.prepared").await;
    assert_eq!(scene.admin.get(&run).await.ok()["status"], "abandoned", "a late answer opens nothing");
    let home = crate::common::Home { scene: &scene, id: grace.tenant, applicant: grace };
    home.staff("tenant_admin").get("/v1/tenants/self/organisation").await.refused(423, "tenant-closed");
    scene.submits("grace", "Basic").await;
}

#[tokio::test]
async fn a_run_whose_answer_was_lost_goes_on_when_it_is_resumed() {
    let scene = scene().await;
    let grace = scene.prepares("grace", "Basic").await;
    let resume = format!("/v1/tenants/provisionings/pvn_{}/resume", &grace.id[4..]);
    assert_eq!(scene.admin.post(&resume, json!({})).await.ok()["status"], "waiting");
    assert_eq!(scene.world.deliver().await, ["tenant.prepared"], "the others are asked again");
    // Identity made the user, and its answer never came.
    let store = scene.store(store::Scope::Tenant(grace.tenant)).await;
    let appointed = json!({"user": "usr_01J00000000000000000000001"});
    store.commit().put(&store::Key::item("admin", "first", "."), &appointed).run().await.unwrap();
    assert_eq!(scene.admin.post(&resume, json!({})).await.ok()["status"], "open");
    assert_eq!(scene.admin.get(&format!("/v1/tenants/{}", grace.tenant)).await.ok()["status"], "trial");
}

#[tokio::test]
async fn seeding_twice_changes_nothing() {
    let scene = scene().await;
    let before = scene.world.scan().await;
    crate::common::first_operator(&scene.world).await;
    let first =
        json!({"username": "other", "email": "other@lumina.example", "first_name": "O", "last_name": "O"});
    scene.world.hand_over_other(&json!({"type": "platform.seed", "first_operator": first})).await;
    assert_eq!(scene.world.scan().await.len(), before.len());
    let codes: Vec<&str> =
        scene.plans.as_array().unwrap().iter().map(|p| p["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["Basic", "Enterprise", "Professional"]);
}
