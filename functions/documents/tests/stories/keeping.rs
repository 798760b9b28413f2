//! DOC-8: how long, under which hold, and how it goes.

use crate::stage::{Stage, id, pdf};
use events::Envelope;
use serde_json::{Value, json};
use store::{Key, facts};
use testkit::Actor;
use web::files::Bucket;

async fn leaves(s: &Stage, who: &Actor, on: &str) {
    let event = Envelope {
        cause: vec![],
        id: format!("emp#{}#2", who.user()),
        tenant: s.grace.id.prefix(),
        kind: "employee.left".into(),
        at: store::stamp(s.world.clock.now()),
        by: s.hr.user(),
        record: "emp_01ARZ3NDEKTSV4RRFFQ69G5FAV".into(),
        version: 2,
        data: json!({"user": who.user(), "last_day": on}),
    };
    s.world.hand_over(&event).await;
    s.world.hand_over(&event).await;
}

async fn holds(s: &Stage, covers: Value) -> Value {
    let body = json!({"matter": "Obi v Grace", "reason": "claim form received", "covers": covers});
    let hold = s.admin.post("/v1/documents/holds", body).await.created();
    s.world.deliver().await;
    hold
}

async fn held(s: &Stage, record: &str) -> Option<Value> {
    s.grace.store().await.read(&Key::fact(facts::HELD, record)).await.unwrap()
}

async fn run(s: &Stage, state: &str) -> Value {
    let page = s.admin.get(&format!("/v1/documents/disposals?state={state}")).await.ok();
    assert_eq!(page["data"].as_array().unwrap().len(), 1, "{page:#}");
    page["data"][0].clone()
}

/// One asks for it, and is told where somebody else approves.
async fn asked(s: &Stage, path: &str) -> String {
    s.grace.present(&s.admin).await;
    let waits = s.admin.post(path, json!({"reason": "as due"})).await.refused(428, "approval-required");
    format!("/v1/documents/approvals/{}/approve", waits["approval"].as_str().unwrap())
}

async fn approved(s: &Stage, run: &Value) {
    let path = asked(s, &format!("/v1/documents/disposals/{}/approve", id(run))).await;
    let other = s.grace.staff("tenant_admin");
    let done = other.post(&path, json!({})).await.ok();
    let people: Vec<&Value> = done["approved_by"].as_array().unwrap().iter().map(|a| &a["by"]).collect();
    assert_eq!(people, [&json!(s.admin.user()), &json!(other.user())]);
    s.world.ring().await;
}

/// Whom or what a paper is about ends in as many ways as there are kinds of it; each begins the time of its papers.
#[tokio::test]
async fn the_time_of_papers_begins_with_the_end_of_what_they_are_about() {
    let s = Stage::set().await;
    for (n, event) in [
        "patient.deceased",
        "service_user.ended",
        "eap_contract.expired",
        "eap_contract.terminated",
        "application.rejected",
        "complaint.resolved",
        "asset.disposed",
    ]
    .into_iter()
    .enumerate()
    {
        let more = json!({"category": "qualification", "subject": s.carer.user(), "title": "Diploma of Ada"});
        let made = s.uploads(&s.carer, &pdf(event), more).await;
        s.does(&s.hr, &made, "verify", json!({"method": "sight_of_original"})).await.ok();
        let ended = Envelope {
            cause: vec![],
            id: format!("emp#{}#{n}", s.carer.user()),
            tenant: s.grace.id.prefix(),
            kind: event.into(),
            at: store::stamp(s.world.clock.now()),
            by: s.hr.user(),
            record: "emp_01ARZ3NDEKTSV4RRFFQ69G5FAV".into(),
            version: 1,
            data: json!({"user": s.carer.user(), "on": "2026-11-30"}),
        };
        s.world.hand_over(&ended).await;
        assert_eq!(s.shows(&made).await["trigger_on"], "2026-11-30", "{event}");
    }
}

/// Story 13.
#[tokio::test]
async fn a_leavers_file_goes_after_six_years_unless_a_hold_lies_on_it() {
    let s = Stage::set().await;
    let more = json!({"category": "qualification", "subject": s.carer.user(), "title": "Diploma of Ada"});
    let made = s.uploads(&s.carer, &pdf("diploma"), more).await;
    s.does(&s.hr, &made, "verify", json!({"method": "sight_of_original"})).await.ok();
    leaves(&s, &s.carer, "2026-11-30").await;
    let shown = s.shows(&made).await;
    assert_eq!((&shown["trigger_on"], &shown["dispose_on"]), (&json!("2026-11-30"), &json!("2032-11-30")));
    s.at("2032-11-01T10:00:00Z");
    let hold = holds(&s, json!({"subject": s.carer.user()})).await;
    assert_eq!(s.shows(&made).await["holds"], 1);
    let kept = s.world.files.held(Bucket::Documents);
    assert!(kept.len() == 1 && kept[0].contains(&id(&made)), "S3 itself keeps it: {kept:?}");
    s.at("2032-12-01T03:00:01Z");
    s.world.ring().await;
    let skipped = run(&s, "done").await;
    assert_eq!(
        (&skipped["items"][0]["state"], &skipped["items"][0]["why"]),
        (&json!("held"), &hold["number"])
    );
    s.at("2032-12-05T09:00:00Z");
    let other = json!({"reason": "settled"});
    s.admin.post(&format!("/v1/documents/holds/{}/release", id(&hold)), other).await.ok();
    s.world.deliver().await;
    assert!(held(&s, &id(&made)).await.is_none() && held(&s, &s.carer.user()).await.is_none());
    assert_eq!(s.world.files.held(Bucket::Documents), [] as [String; 0]);
    s.at("2033-01-01T03:00:01Z");
    s.world.ring().await;
    let proposed = run(&s, "proposed").await;
    assert_eq!(proposed["number"], "DISP-2033-1");
    approved(&s, &proposed).await;
    let done = s.admin.get(&format!("/v1/documents/disposals/{}", id(&proposed))).await.ok();
    assert_eq!((&done["state"], &done["items"][0]["state"]), (&json!("done"), &json!("disposed")));
    let stub = s.shows(&made).await;
    assert_eq!((&stub["status"], &stub["file"]["sha256"]), (&json!("disposed"), &made["file"]["sha256"]));
    assert!(!stub.to_string().contains("Diploma"));
    let keys = s.world.files.keys(Bucket::Documents);
    assert!(keys.iter().all(|k| !k.contains(&id(&made))), "{keys:?}");
    let content = format!("/v1/documents/{}/content", done["certificate"].as_str().unwrap());
    let link = s.admin.get(&content).await.ok();
    let certificate = s.world.files.get(link["url"].as_str().unwrap()).unwrap();
    assert!(certificate.starts_with(b"%PDF-"));
    assert_eq!(s.heard("disposal.completed").await.len(), 1);
}

/// Story 15.
#[tokio::test]
async fn one_person_cannot_approve_twice() {
    let s = Stage::set().await;
    let made = s.verified("2027-05-01").await;
    assert_eq!(s.shows(&made).await["dispose_on"], "2027-05-23", "a copy of a DBS certificate: six months");
    s.at("2027-06-01T03:00:01Z");
    s.world.ring().await;
    let proposed = run(&s, "proposed").await;
    let path = format!("/v1/documents/disposals/{}", id(&proposed));
    let yes = json!({"reason": "as due"});
    s.hr.post(&format!("{path}/approve"), yes.clone()).await.refused(403, "forbidden");
    s.admin.post(&format!("{path}/approve"), json!({})).await.refused(422, "reason-required");
    let approve = asked(&s, &format!("{path}/approve")).await;
    assert_eq!(asked(&s, &format!("{path}/approve")).await, approve, "the same wish is the same approval");
    s.admin.post(&approve, json!({})).await.refused(403, "own-request");
    s.world.ring().await;
    assert_ne!(s.shows(&made).await["status"], "disposed");
    // Whoever takes something out changes what was to be approved.
    let out = json!({"documents": [made["id"]], "reason": "asked for by the tribunal"});
    let changed = s.hr.post(&format!("{path}/take_out"), out).await.ok();
    assert_eq!((&changed["approved_by"], &changed["items"][0]["state"]), (&json!([]), &json!("taken_out")));
    s.grace.staff("tenant_admin").post(&approve, json!({})).await.refused(409, "superseded");
}

#[tokio::test]
async fn a_hold_placed_after_the_approval_still_keeps_the_document() {
    let s = Stage::set().await;
    let made = s.verified("2027-05-01").await;
    s.at("2027-06-01T03:00:01Z");
    s.world.ring().await;
    let proposed = run(&s, "proposed").await;
    let hold = holds(&s, json!({"documents": [made["id"]]})).await;
    approved(&s, &proposed).await;
    let done = s.admin.get(&format!("/v1/documents/disposals/{}", id(&proposed))).await.ok();
    assert_eq!((&done["items"][0]["state"], &done["items"][0]["why"]), (&json!("held"), &hold["number"]));
    assert_eq!(s.shows(&made).await["status"], "expired");
}

#[tokio::test]
async fn nothing_is_deleted_under_a_hold_and_only_its_number_is_told() {
    let s = Stage::set().await;
    let made = s.verified("2027-05-01").await;
    let hold = holds(&s, json!({"subject": s.carer.user()})).await;
    assert_eq!(hold["number"], "HOLD-2026-1");
    let path = format!("/v1/documents/{}", id(&made));
    let refusal = s.admin.call("DELETE", &path).because("tidy").send().await.refused(409, "legal-hold");
    assert_eq!(refusal["matters"], json!(["HOLD-2026-1"]));
    assert!(!refusal.to_string().contains("Obi"));
    // What comes later is held from its first moment.
    let later = s.uploads(&s.carer, &pdf("later"), json!({"subject": s.carer.user()})).await;
    assert_eq!(later["holds"], 1);
    assert!(held(&s, &id(&later)).await.is_some());
    assert_eq!(s.world.files.held(Bucket::Documents).len(), 2);
    // A second matter: the first one's release leaves it held.
    holds(&s, json!({"documents": [made["id"]]})).await;
    assert_eq!(s.shows(&made).await["holds"], 2);
    let release = format!("/v1/documents/holds/{}/release", id(&hold));
    s.admin.post(&release, json!({})).await.refused(422, "reason-required");
    s.admin.post(&release, json!({"reason": "settled"})).await.ok();
    s.world.deliver().await;
    assert_eq!(s.shows(&made).await["holds"], 1);
    assert!(held(&s, &id(&later)).await.is_none());
    let kept = s.world.files.held(Bucket::Documents);
    assert!(kept.len() == 1 && kept[0].contains(&id(&made)), "{kept:?}");
    s.admin.call("DELETE", &path).because("tidy").send().await.refused(409, "legal-hold");
}

/// Story 14.
#[tokio::test]
async fn a_class_is_never_shorter_than_its_floor_and_twenty_years_are_enough_for_hr() {
    let s = Stage::set().await;
    let all = s.hr.get("/v1/documents/retention_classes").await.ok();
    let staff = all["data"].as_array().unwrap().iter().find(|c| c["code"] == "staff_file").unwrap().clone();
    let path = format!("/v1/documents/retention_classes/{}", id(&staff));
    s.hr.patch(&path, json!({"period_months": 60})).await.refused(422, "below-floor");
    s.hr.patch(&path, json!({"period_months": 60, "floor_months": 12})).await.refused(422, "below-floor");
    s.hr.patch(&path, json!({"period_months": 240})).await.ok();
    s.hr.patch(&path, json!({"period_months": 252})).await.refused(403, "administrator-needed");
    s.hr.patch(&path, json!({"period_months": null, "permanent": true}))
        .await
        .refused(403, "administrator-needed");
    assert_eq!(s.admin.patch(&path, json!({"period_months": 252})).await.ok()["period_months"], 252);
}

#[tokio::test]
async fn what_counts_already_is_not_shortened_by_its_class() {
    let s = Stage::set().await;
    let more = json!({"category": "qualification", "subject": s.carer.user()});
    let made = s.uploads(&s.carer, &pdf("diploma"), more).await;
    let all = s.hr.get("/v1/documents/retention_classes").await.ok();
    let staff = all["data"].as_array().unwrap().iter().find(|c| c["code"] == "staff_file").unwrap().clone();
    let path = format!("/v1/documents/retention_classes/{}", id(&staff));
    s.hr.patch(&path, json!({"period_months": 120})).await.ok();
    leaves(&s, &s.carer, "2026-11-30").await;
    s.hr.patch(&path, json!({"period_months": 72})).await.ok();
    leaves(&s, &s.carer, "2026-11-30").await;
    assert_eq!(s.shows(&made).await["dispose_on"], "2036-11-30");
    // One document is re-based by a reasoned change.
    let doc = format!("/v1/documents/{}", id(&made));
    s.hr.patch(&doc, json!({"retention": "general"})).await.refused(422, "reason-required");
    let change =
        s.hr.call("PATCH", &doc).body(json!({"retention": "right_to_work"})).because("filed wrongly");
    assert_eq!(change.send().await.ok()["dispose_on"], "2028-11-30");
}

/// What an organisation may ask for: nobody lifts a hold alone.
#[tokio::test]
async fn where_the_policy_says_so_a_second_person_releases_a_hold() {
    let s = Stage::set().await;
    let made = s.verified("2027-05-01").await;
    let hold = holds(&s, json!({"documents": [made["id"]]})).await;
    let policy = json!({"policies": [{"id": "apy_1", "needed": 1, "expires_hours": 72}]});
    let store = s.grace.store().await;
    store.commit().fact(facts::APPROVAL_POLICY, "hold.release", &policy).run().await.unwrap();
    s.world.app.policies().forget(store.scope());
    let approve = asked(&s, &format!("/v1/documents/holds/{}/release", id(&hold))).await;
    s.world.deliver().await;
    assert!(held(&s, &id(&made)).await.is_some());
    s.admin.post(&approve, json!({})).await.refused(403, "own-request");
    let other = s.grace.staff("tenant_admin");
    assert_eq!(other.post(&approve, json!({})).await.ok()["status"], "released");
    s.world.deliver().await;
    assert!(held(&s, &id(&made)).await.is_none());
}

/// Numbers of holds and runs have no gaps.
#[tokio::test]
async fn two_holds_at_once_get_the_next_two_numbers() {
    let s = Stage::contended().await;
    let body = json!({"matter": "Case", "reason": "claim", "covers": {"subject": s.carer.user()}});
    let path = "/v1/documents/holds";
    let (a, b) = tokio::join!(s.admin.post(path, body.clone()), s.admin.post(path, body));
    let mut numbers = [a, b].map(|r| r.created()["number"].clone().to_string());
    numbers.sort();
    assert_eq!(numbers, ["\"HOLD-2026-1\"", "\"HOLD-2026-2\""]);
}

#[tokio::test]
async fn whoever_has_more_papers_than_one_delivery_carries_has_all_of_them_held() {
    let s = Stage::set().await;
    let mut papers = vec![];
    for n in 0..201 {
        let more = json!({"subject": s.carer.user(), "title": format!("Paper {n}")});
        papers.push(s.hr.post("/v1/documents", s.announced(&pdf("paper"), more)).await.created());
    }
    let held = async || {
        let store = s.grace.store().await;
        let mut held = 0;
        for paper in &papers {
            held += usize::from(store.fact::<Value>(facts::HELD, id(paper)).await.unwrap().is_some());
        }
        held
    };
    let body = json!({"matter": "Obi v Grace", "reason": "claim", "covers": {"subject": s.carer.user()}});
    s.admin.post("/v1/documents/holds", body).await.created();
    let event = s.world.events().await.into_iter().find(|e| e.kind == "hold.placed").unwrap();
    web::consume(&s.world.modules[0], &s.world.app, &web::Message::Event(event)).await.unwrap();
    assert_eq!(held().await, 200, "eight pages, and word to the own queue of the rest");
    s.posted().await;
    assert_eq!(held().await, 201);
    assert_eq!(s.shows(&papers[0]).await["holds"], 1);
}
