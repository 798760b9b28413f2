//! TEN-9: one organisation, several places.

use crate::common::{Home, scene};
use serde_json::{Value, json};
use testkit::Actor;

const SITES: &str = "/v1/tenants/sites";
const DEPARTMENTS: &str = "/v1/tenants/departments";

async fn site(admin: &Actor, code: &str, parent: Option<&Value>) -> Value {
    let mut body = json!({"name": format!("Site {code}"), "code": code, "type": "branch"});
    if let Some(parent) = parent {
        body["parent"] = parent["id"].clone();
    }
    admin.post(SITES, body).await.created()
}
fn one(site: &Value) -> String {
    format!("{SITES}/{}", site["id"].as_str().unwrap())
}
async fn fact(home: &Home<'_>, site: &Value) -> Value {
    home.store().await.fact(store::facts::SITE, site["id"].as_str().unwrap()).await.unwrap().expect("a fact")
}

#[tokio::test]
async fn a_region_has_branches_and_moves_with_all_of_them() {
    let scene = scene().await;
    let home = scene.opens("grace", "Professional").await;
    let admin = home.staff("tenant_admin");
    let north = site(&admin, "NORTH", None).await;
    let a = site(&admin, "A1", Some(&north)).await;
    let b = site(&admin, "B1", Some(&a)).await;
    assert_eq!((&a["path"], &b["path"]), (&json!("/NORTH/A1"), &json!("/NORTH/A1/B1")));
    let south = site(&admin, "SOUTH", None).await;
    let moved = admin.patch(&one(&a), json!({"parent": south["id"]})).await.ok();
    assert_eq!(moved["path"], "/SOUTH/A1");
    assert_eq!(admin.get(&one(&b)).await.ok()["path"], "/SOUTH/A1/B1", "what is under it follows");
    assert_eq!(fact(&home, &b).await["path"], "/SOUTH/A1/B1", "in the fact too");
    let page = admin.get(SITES).await.ok();
    let paths: Vec<&str> =
        page["data"].as_array().unwrap().iter().map(|s| s["path"].as_str().unwrap()).collect();
    assert_eq!(
        paths,
        ["/MAIN", "/NORTH", "/SOUTH", "/SOUTH/A1", "/SOUTH/A1/B1"],
        "a region's sites stand together"
    );
    admin.patch(&one(&south), json!({"parent": b["id"]})).await.refused(422, "site-cycle");
    admin.patch(&one(&south), json!({"parent": south["id"]})).await.refused(422, "site-cycle");
    let names = scene.world.deliver().await;
    assert_eq!(names.iter().filter(|n| *n == "site.opened").count(), 4);
    assert_eq!(names.iter().filter(|n| *n == "site.changed").count(), 2);
}

#[tokio::test]
async fn a_nurse_of_one_branch_does_not_see_another() {
    let scene = scene().await;
    let home = scene.opens("grace", "Professional").await;
    let admin = home.staff("tenant_admin");
    let (a, b) = (site(&admin, "A1", None).await, site(&admin, "B1", None).await);
    let nurse = home.staff_at("nurse", a["id"].as_str().unwrap());
    let page = nurse.get(SITES).await.ok();
    let codes: Vec<&Value> = page["data"].as_array().unwrap().iter().map(|s| &s["code"]).collect();
    assert_eq!(codes, [&json!("A1")]);
    nurse.get(&one(&a)).await.ok();
    nurse.get(&one(&b)).await.missing();
    nurse.patch(&one(&a), json!({"name": "Mine"})).await.refused(403, "forbidden");
    let mercy = scene.opens("mercy", "Professional").await;
    mercy.staff("tenant_admin").get(&one(&a)).await.missing();
    mercy.staff("tenant_admin").patch(&one(&a), json!({"name": "Ours"})).await.missing();
}

#[tokio::test]
async fn a_code_belongs_to_one_site_and_an_organisation_has_its_own_codes() {
    let scene = scene().await;
    let (grace, mercy) =
        (scene.opens("grace", "Professional").await, scene.opens("mercy", "Professional").await);
    let admin = grace.staff("tenant_admin");
    site(&admin, "A1", None).await;
    let body = json!({"name": "Another", "code": "A1", "type": "clinic"});
    admin.post(SITES, body.clone()).await.refused(409, "site-code-taken");
    mercy.staff("tenant_admin").post(SITES, body).await.created();
    for (field, value, code) in [
        ("code", json!("a1"), "pattern"),
        ("code", json!("TOOLONG"), "pattern"),
        ("type", json!("castle"), "enum"),
        ("time_zone", json!("Mars/Olympus"), "time-zone"),
        ("phone", json!("phone home"), "phone-characters"),
        ("path", json!("/X"), "read-only"),
        ("location", json!({"lat": 91.0, "lon": 3.4, "radius_m": 100}), "range"),
        ("manager", json!("pat_01J00000000000000000000000"), "id"),
    ] {
        let mut body = json!({"name": "Odd", "code": "ODD", "type": "clinic"});
        body[field] = value;
        let refusal = admin.post(SITES, body).await;
        assert_eq!(refusal.status, 400, "{field}: {:#}", refusal.body);
        assert!(
            refusal.faults().iter().any(|(p, c)| p.starts_with(&format!("/{field}")) && c == code),
            "{field}: {:?}",
            refusal.faults()
        );
    }
}

#[tokio::test]
async fn a_site_closes_when_what_is_open_there_has_somewhere_to_go() {
    let scene = scene().await;
    let home = scene.opens("grace", "Professional").await;
    let admin = home.staff("tenant_admin");
    let main = admin.get(SITES).await.ok()["data"][0].clone();
    admin.post(&format!("{}/close", one(&main)), json!({})).await.refused(409, "site-in-use");
    let (a, b) = (site(&admin, "A1", None).await, site(&admin, "B1", None).await);
    let under = site(&admin, "A2", Some(&a)).await;
    let ward = admin
        .post(DEPARTMENTS, json!({"name": "Maternity", "site": a["id"], "kind": "clinical"}))
        .await
        .created();
    let close = format!("{}/close", one(&a));
    assert_eq!(admin.post(&close, json!({})).await.refused(409, "site-in-use")["sites"], 1);
    admin.post(&format!("{}/close", one(&under)), json!({})).await.ok();
    assert_eq!(admin.post(&close, json!({})).await.refused(409, "site-in-use")["departments"], 1);
    admin.post(&close, json!({"move_to": under["id"]})).await.refused(422, "site-closed");
    let closed = admin.post(&close, json!({"move_to": b["id"], "reason": "lease ended"})).await.ok();
    assert_eq!((&closed["status"], &closed["actions"]), (&json!("closed"), &json!(["reopen"])));
    assert_eq!(fact(&home, &a).await["open"], false);
    let ward = admin.get(&format!("{DEPARTMENTS}/{}", ward["id"].as_str().unwrap())).await.ok();
    assert_eq!(ward["site"], b["id"], "the department went along");
    admin.post(&close, json!({})).await.refused(422, "state");
    admin
        .post(DEPARTMENTS, json!({"name": "X-ray", "site": a["id"], "kind": "clinical"}))
        .await
        .refused(422, "site-closed");
    admin.post(&format!("{}/reopen", one(&a)), json!({})).await.ok();
    assert_eq!(fact(&home, &a).await["open"], true);
}

#[tokio::test]
async fn a_closed_site_gives_its_place_back() {
    let scene = scene().await;
    let home = scene.opens("grace", "Professional").await;
    let admin = home.staff("tenant_admin");
    let sites = async || {
        let standing = admin.get("/v1/tenants/self/limits").await.ok();
        standing["data"].as_array().unwrap().iter().find(|u| u["limit"] == "sites").unwrap()["used"].clone()
    };
    let a = site(&admin, "A1", None).await;
    assert_eq!(sites().await, 2);
    admin.post(&format!("{}/close", one(&a)), json!({})).await.ok();
    assert_eq!(sites().await, 1);
    admin.post(&format!("{}/reopen", one(&a)), json!({})).await.ok();
    assert_eq!(sites().await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_moves_at_once_never_make_a_circle() {
    let scene = crate::common::contended().await;
    let home = scene.opens("grace", "Professional").await;
    let admin = home.staff("tenant_admin");
    let (a, b) = (site(&admin, "A1", None).await, site(&admin, "B1", None).await);
    let (under_b, under_a) = (json!({"parent": b["id"]}), json!({"parent": a["id"]}));
    let (path_a, path_b) = (one(&a), one(&b));
    let (one, two) = tokio::join!(admin.patch(&path_a, under_b), admin.patch(&path_b, under_a));
    let mut statuses = [one.status, two.status];
    statuses.sort();
    assert!(statuses == [200, 409] || statuses == [200, 422], "{statuses:?}");
    let (a, b) = (admin.get(&path_a).await.ok(), admin.get(&path_b).await.ok());
    assert!(a.get("parent").is_none() || b.get("parent").is_none());
}

#[tokio::test]
async fn a_department_is_unique_at_its_site_and_closes_and_opens() {
    let scene = scene().await;
    let home = scene.opens("grace", "Professional").await;
    let admin = home.staff("tenant_admin");
    let (a, b) = (site(&admin, "A1", None).await, site(&admin, "B1", None).await);
    let body =
        |site: &Value| json!({"name": "Maternity", "site": site["id"], "kind": "clinical", "code": "MAT"});
    let ward = admin.post(DEPARTMENTS, body(&a)).await.created();
    let mut again = body(&a);
    again["name"] = "MATERNITY".into();
    admin.post(DEPARTMENTS, again).await.refused(409, "department-exists");
    admin.post(DEPARTMENTS, body(&b)).await.created();
    let path = format!("{DEPARTMENTS}/{}", ward["id"].as_str().unwrap());
    assert_eq!(admin.post(&format!("{path}/close"), json!({})).await.ok()["status"], "closed");
    let there: Value = home
        .store()
        .await
        .fact(store::facts::DEPARTMENT, ward["id"].as_str().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((&there["open"], &there["site"]), (&json!(false), &a["id"]));
    admin.post(&format!("{path}/close"), json!({})).await.refused(422, "state");
    admin.post(&format!("{path}/reopen"), json!({})).await.ok();
    let nurse = home.staff_at("nurse", a["id"].as_str().unwrap());
    let own = format!("{DEPARTMENTS}?site={}", a["id"].as_str().unwrap());
    assert_eq!(nurse.get(&own).await.ok()["data"].as_array().unwrap().len(), 1);
    nurse.get(DEPARTMENTS).await.refused(403, "list-too-wide");
    admin
        .post(
            DEPARTMENTS,
            json!({"name": "Lost", "site": "sit_01J00000000000000000000000", "kind": "support"}),
        )
        .await
        .refused(422, "site-closed");
}
