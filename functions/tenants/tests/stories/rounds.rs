//! Every noun is shown, listed, changed, told of, deleted and brought back, as far as its routes say; and the commands
//! that no other story gives.

use crate::common::{Home, Scene, scene};
use serde_json::{Value, json};
use testkit::Actor;

fn id(record: &Value) -> &str {
    record["id"].as_str().expect("an id")
}

async fn operator(scene: &Scene, name: &str, more: Value) -> (Value, Actor) {
    let mut body = json!({"username": name, "email": format!("{name}@lumina.example"), "first_name": name, "last_name": "O"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = scene.admin.post("/v1/tenants/operators", body).await.created();
    let actor = scene.world.operator(id(&made), made["roles"][0].as_str().unwrap());
    (made, actor)
}

async fn asks(home: &Home<'_>, who: &Actor) -> Value {
    let wish = json!({"reason": "numbers of patients are not given out since noon", "ticket": "SUP-17", "scope": "configuration"});
    who.post(&format!("/v1/tenants/{}/contexts", home.id), wish).await.created()
}

#[tokio::test]
async fn an_organisation_its_sign_up_and_its_run_make_their_rounds() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let admin = &scene.admin;
    let round = admin.round("/v1/tenants", &home.id.to_string());
    round.patch(json!({"domain": "grace.example"})).because("they have one now").await;

    // The applicant's own view of it is another one, behind a token.
    let signups = "/v1/tenants/signups";
    admin.round(signups, &home.applicant.id).apart("show").apart("patch").await;
    let seen = admin.get(&format!("{signups}/{}/review", home.applicant.id)).await.ok();
    assert_eq!((&seen["status"], &seen["slug"]), (&json!("approved"), &json!("grace")));
    home.staff("tenant_admin")
        .get(&format!("{signups}/{}/review", home.applicant.id))
        .await
        .refused(403, "forbidden");

    admin.round("/v1/tenants/provisionings", &format!("pvn_{}", &home.applicant.id[4..])).await;
}

#[tokio::test]
async fn sites_and_departments_make_their_rounds() {
    let scene = scene().await;
    let home = scene.opens("grace", "Professional").await;
    let admin = home.staff("tenant_admin");
    let (sites, departments) = ("/v1/tenants/sites", "/v1/tenants/departments");
    let branch = admin.post(sites, json!({"name": "Branch", "code": "BR", "type": "branch"})).await.created();
    admin.round(sites, id(&branch)).patch(json!({"name": "The branch"})).await;
    let ward = json!({"name": "Ward", "site": branch["id"], "kind": "clinical"});
    let ward = admin.post(departments, ward).await.created();
    admin.round(departments, id(&ward)).patch(json!({"name": "Ward A", "code": "WA"})).await;
}

#[tokio::test]
async fn a_plan_makes_its_round_and_is_sold_no_more_when_it_is_retired() {
    let scene = scene().await;
    let plans = "/v1/tenants/plans";
    let next =
        scene.admin.post(&format!("{plans}/{}/revise", scene.plan("Basic")), json!({})).await.created();
    // What lies at the path itself is for those who sign up.
    scene.admin.round(plans, id(&next)).apart("list").patch(json!({"trial_days": 30})).await;
    let all = scene.admin.get(&format!("{plans}/all?limit=100")).await.ok();
    let statuses: Vec<&Value> = all["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|p| p["id"] == next["id"])
        .map(|p| &p["status"])
        .collect();
    assert_eq!(statuses, [&json!("draft")], "drafts are among all of them");

    scene.admin.post(&format!("{plans}/{}/retire", id(&next)), json!({})).await.refused(422, "state");
    let basic = format!("{plans}/{}", scene.plan("Basic"));
    let home = scene.opens("grace", "Basic").await;
    assert_eq!(scene.admin.post(&format!("{basic}/retire"), json!({})).await.ok()["status"], "retired");
    let sold = scene.world.stranger().get(plans).await.ok();
    assert!(sold["data"].as_array().unwrap().iter().all(|p| p["code"] != "Basic"), "{sold:#}");
    let own = home.staff("tenant_admin").get("/v1/tenants/self/subscription").await.ok();
    assert_eq!(own["code"], "Basic", "whoever is on it stays on it: {own:#}");
}

#[tokio::test]
async fn an_operator_makes_their_round() {
    let scene = scene().await;
    let ada = json!({"roles": ["platform_admin"], "can_delete_tenants": true});
    let (_, ada) = operator(&scene, "ada", ada).await;
    let (sade, _) = operator(&scene, "sade", json!({"roles": ["platform_support"]})).await;
    scene.admin.delete(&format!("/v1/tenants/operators/{}", id(&sade))).await.refused(403, "flag-missing");
    let round = scene.admin.round("/v1/tenants/operators", id(&sade)).removed_by(&ada).apart("restore");
    round.patch(json!({"first_name": "Folasade"})).await;
    let back = ada.post(&format!("/v1/tenants/operators/{}/restore", id(&sade)), json!({})).await.ok();
    assert_eq!((&back["first_name"], &back["status"]), (&json!("Folasade"), &json!("active")));
    assert_eq!(back["generation"], 4, "no token from before comes back with them");
}

#[tokio::test]
async fn a_context_makes_its_round_on_both_sides_and_closes_when_its_operator_leaves() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let (_, sade) = operator(&scene, "sade", json!({"roles": ["platform_support"]})).await;
    let context = asks(&home, &sade).await;
    scene.admin.round("/v1/tenants/contexts", id(&context)).await;
    let admin = home.staff("tenant_admin");
    admin.round("/v1/tenants/self/contexts", id(&context)).await;

    let inside = || {
        sade.call("GET", "/v1/tenants/self/settings/locale").header("x-tenant-context", id(&context)).send()
    };
    inside().await.ok();
    let close = format!("/v1/tenants/contexts/{}/close", id(&context));
    let closed = sade.post(&close, json!({})).await.ok();
    assert_eq!((&closed["status"], &closed["closed_by"]), (&json!("ended"), &json!(sade.user())));
    inside().await.refused(403, "context-ended");
    let told = admin.get(&format!("/v1/tenants/self/contexts/{}", id(&context))).await.ok();
    assert_eq!(told["status"], "ended", "the organisation is told");
    sade.post(&close, json!({})).await.refused(422, "state");
}

#[tokio::test]
async fn the_wish_to_close_makes_its_round() {
    let scene = scene().await;
    let home = scene.opens("grace", "Basic").await;
    let (one, two) = (home.staff("tenant_admin"), home.staff("tenant_admin"));
    home.present(&one).await;
    let asked = one
        .post("/v1/tenants/self/close", json!({"reason": "we merge"}))
        .await
        .refused(428, "approval-required");
    let round = two.round("/v1/tenants/approvals", asked["approval"].as_str().unwrap());
    round.derives("request").derives("preview").derives("approve_url").await;
}

#[tokio::test]
async fn the_documentation_is_everybodys() {
    let scene = scene().await;
    let anybody = scene.world.stranger();
    let page = anybody.get("/docs").await;
    assert!(page.status == 200 && page.headers["content-security-policy"].contains("default-src 'none'"));
    let text = String::from_utf8(page.bytes).unwrap();
    for file in ["docs.css", "docs.js", "rapidoc-min.js"] {
        assert!(text.contains(file), "the page asks for {file}");
        assert_eq!(anybody.get(&format!("/docs/{file}")).await.status, 200, "{file}");
    }
    anybody.get("/docs/passwords.txt").await.missing();
    let document = anybody.get("/v1/openapi.json").await.ok();
    assert!(document["paths"].get("/v1/tenants/self/close").is_some());
}
