//! Who sees and files what (`spec/documents.md` §4).

use crate::stage::{Stage, id, pdf};
use serde_json::json;

#[tokio::test]
async fn kinds_are_for_those_whose_work_they_are() {
    let s = Stage::set().await;
    let ada = s.patient().await;
    let dbs = s.verified("2027-05-01").await;
    let report =
        s.uploads(&s.doctor, &pdf("report"), json!({"category": "clinical_report", "subject": ada})).await;
    let lab = s.grace.staff("lab_technician");
    let see = |who: testkit::Actor, document: String| async move {
        who.get(&format!("/v1/documents/{document}")).await
    };
    see(s.hr.clone(), id(&dbs)).await.ok();
    see(s.hr.clone(), id(&report)).await.missing();
    see(s.doctor.clone(), id(&report)).await.ok();
    see(s.doctor.clone(), id(&dbs)).await.missing();
    see(lab.clone(), id(&report)).await.ok();
    see(s.carer.clone(), id(&dbs)).await.ok();
    see(s.grace.staff("carer"), id(&dbs)).await.missing();
    see(s.desk.clone(), id(&dbs)).await.missing();
    let letter = json!({"category": "consent_form", "subject": ada});
    lab.post("/v1/documents", s.announced(&pdf("x"), letter)).await.refused(403, "category-forbidden");
    let auditor = s.grace.staff("auditor");
    see(auditor.clone(), id(&report)).await.missing();
    let asked = auditor.call("GET", &format!("/v1/documents/{}", id(&report))).because("complaint 7");
    asked.send().await.ok();
}

#[tokio::test]
async fn patients_see_their_own_and_guardians_what_is_linked() {
    let s = Stage::set().await;
    let ada = s.patient().await;
    let report =
        s.uploads(&s.doctor, &pdf("report"), json!({"category": "clinical_report", "subject": ada})).await;
    let path = format!("/v1/documents/{}", id(&report));
    let (herself, mother) =
        (s.linked("patient", &ada, "self").await, s.linked("guardian", &ada, "parent").await);
    herself.get(&path).await.ok();
    mother.get(&path).await.ok();
    s.grace.staff("patient").get(&path).await.missing();
    let mine = herself.get(&format!("/v1/documents?record={ada}")).await.ok();
    assert_eq!(mine["data"].as_array().unwrap().len(), 1);
    herself.get("/v1/documents?status=verified").await.refused(403, "list-too-wide");
    let other = s.patient().await;
    let others = herself.get(&format!("/v1/documents?record={other}")).await.ok();
    assert_eq!(others["data"], json!([]));
    let card = json!({"category": "insurance_card", "subject": ada});
    herself.post("/v1/documents", s.announced(&pdf("card"), card)).await.created();
    let theirs = json!({"category": "insurance_card", "subject": other});
    herself.post("/v1/documents", s.announced(&pdf("card"), theirs)).await.refused(422, "subject-needed");
}

#[tokio::test]
async fn a_restricted_document_needs_a_name_on_it() {
    let s = Stage::set().await;
    let restricted = json!({"category": "incident_evidence", "subject": s.carer.user()});
    let made = s.uploads(&s.carer, &pdf("incident"), restricted).await;
    let path = format!("/v1/documents/{}", id(&made));
    s.carer.get(&path).await.ok();
    s.grace.staff("quality").get(&path).await.missing();
    s.admin.get(&path).await.missing();
}

#[tokio::test]
async fn the_desk_files_at_its_own_sites() {
    let s = Stage::set().await;
    let (here, there) = (s.grace.sites[0].to_string(), s.grace.sites[1].to_string());
    let desk = s.grace.staff_at("receptionist", &[0]);
    let ada = s.patient().await;
    let card = |site: &str| {
        s.announced(&pdf("card"), json!({"category": "insurance_card", "subject": ada, "site": site}))
    };
    let made = desk.post("/v1/documents", card(&here)).await.created();
    desk.post("/v1/documents", card(&there)).await.refused(422, "site-needed");
    desk.get(&format!("/v1/documents/{}", id(&made))).await.ok();
    let branch = s.grace.staff_at("receptionist", &[1]);
    branch.get(&format!("/v1/documents/{}", id(&made))).await.missing();
}

#[tokio::test]
async fn what_an_operation_costs() {
    let s = Stage::set().await;
    let made = s.verified("2027-05-01").await;
    let path = format!("/v1/documents/{}", id(&made));
    s.hr.get(&path).await.ok();
    s.world.rounds();
    for (call, most) in [("", 1), ("/content", 1), ("/versions", 2), ("/history", 2)] {
        s.hr.get(&format!("{path}{call}")).await.ok();
        s.world.spends_at_most(most, call);
    }
    s.hr.get(&format!("/v1/documents?record={}", s.carer.user())).await.ok();
    s.world.spends(1, "list");
    s.hr.post("/v1/documents", s.announced(&pdf("x"), json!({"subject": s.carer.user()}))).await.created();
    s.world.spends_at_most(4, "create");
    let next = s.uploads(&s.carer, &pdf("next"), json!({"subject": s.carer.user()})).await;
    s.world.rounds();
    let verify = json!({"method": "register", "expires_on": "2028-05-01"});
    s.does(&s.hr, &next, "verify", verify).await.ok();
    s.world.spends_at_most(6, "verify");
    let share = s.does(&s.admin, &made, "shares", json!({"purpose": "x"})).await.created();
    s.world.spends(2, "share");
    let link = format!("/v1/shared/{}", share["token"].as_str().unwrap());
    let anyone = s.world.stranger();
    anyone.get(&link).await.ok();
    s.world.rounds();
    anyone.post(&format!("{link}/download"), json!({})).await.ok();
    s.world.spends_at_most(5, "download by a link");
    s.hr.patch(&path, json!({"tags": ["x"]})).await.ok();
    s.world.spends_at_most(5, "update");
}
