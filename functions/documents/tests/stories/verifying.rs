//! DOC-3: who looks, who may not, and the chain of renewals.

use crate::stage::{Stage, id, pdf, sha};
use serde_json::{Value, json};
use store::{Key, facts};

fn file(bytes: &[u8]) -> Value {
    json!({"file_name": "next.pdf", "content_type": "application/pdf", "size": bytes.len(), "sha256": sha(bytes)})
}

async fn fact(s: &Stage, document: &Value) -> Option<Value> {
    s.grace.store().await.read(&Key::fact(facts::DOCUMENT, id(document))).await.unwrap()
}

/// Story 5.
#[tokio::test]
async fn a_certificate_is_rejected_verified_expires_and_is_renewed_with_its_chain_visible() {
    let s = Stage::set().await;
    let made = s.uploads(&s.carer, &pdf("blurred"), json!({"subject": s.carer.user()})).await;
    let why = json!({"reason_code": "illegible", "note": "the date cannot be read"});
    let rejected = s.does(&s.hr, &made, "reject", why).await.ok();
    assert_eq!(
        (&rejected["status"], &rejected["rejection"]["reason_code"]),
        (&json!("rejected"), &json!("illegible"))
    );
    s.does(&s.hr, &made, "verify", json!({"method": "register"})).await.refused(409, "state-changed");
    let sharp = pdf("sharp");
    let next = s.does(&s.carer, &made, "versions", file(&sharp)).await.created();
    s.puts(&next, &sharp).await;
    let body = json!({"method": "sight_of_original", "expires_on": "2027-05-01"});
    let verified = s.does(&s.hr, &made, "verify", body).await.ok();
    assert_eq!((&verified["status"], &verified["current"]), (&json!("verified"), &json!(2)));
    assert_eq!(fact(&s, &made).await.unwrap()["until"], "2027-05-01");
    for at in ["2027-05-01T22:59:59Z", "2027-05-01T23:00:01Z"] {
        while s.rings(at).await > 0 && s.shows(&made).await["status"] != "expired" {}
    }
    assert_eq!(s.shows(&made).await["status"], "expired");
    assert!(fact(&s, &made).await.is_none(), "nobody may rely on it");
    let new = pdf("new");
    let renewal = s.does(&s.hr, &made, "renew", file(&new)).await.created();
    assert_eq!((&renewal["replaces"], &renewal["subject"]), (&made["id"], &json!(s.carer.user())));
    let twice = s.does(&s.hr, &made, "renew", file(&new)).await.refused(409, "renewal-exists");
    assert_eq!(twice["renewal"], renewal["id"]);
    s.puts(&renewal, &new).await;
    let body = json!({"method": "register", "expires_on": "2030-05-01"});
    s.does(&s.admin, &renewal, "verify", body).await.ok();
    let old = s.shows(&made).await;
    assert_eq!((&old["status"], &old["replaced_by"]), (&json!("renewed"), &renewal["id"]));
    let history = s.admin.get(&format!("/v1/documents/{}/history", id(&made))).await.ok();
    let text = history.to_string();
    assert!(text.contains(&s.hr.user()) && text.contains("illegible"), "names and reasons");
    let events = s.events_of(&made).await;
    for name in ["rejected", "verified", "expired", "renewal_started", "renewed"] {
        assert!(events.contains(&format!("document.{name}")), "{name}: {events:?}");
    }
}

/// Story 6.
#[tokio::test]
async fn nobody_verifies_their_own_nor_what_is_about_them() {
    let s = Stage::set().await;
    let by_hr = s.uploads(&s.hr, &pdf("mine"), json!({"subject": s.carer.user()})).await;
    s.does(&s.hr, &by_hr, "verify", json!({"method": "register"})).await.refused(403, "own-document");
    let about_hr = s.uploads(&s.admin, &pdf("theirs"), json!({"subject": s.hr.user()})).await;
    s.does(&s.hr, &about_hr, "reject", json!({"reason_code": "other"})).await.refused(403, "own-document");
    s.does(&s.carer, &by_hr, "verify", json!({"method": "register"})).await.refused(403, "forbidden");
}

#[tokio::test]
async fn what_is_missing_is_said_before_it_is_verified_and_the_past_is_refused() {
    let s = Stage::set().await;
    let more = json!({"subject": s.carer.user(), "category": "professional_licence", "number": null});
    let mut body = s.announced(&pdf("x"), more);
    body.as_object_mut().unwrap().remove("number");
    let made = s.carer.post("/v1/documents", body).await.created();
    s.puts(&made, &pdf("x")).await;
    let refusal = s.does(&s.hr, &made, "verify", json!({"method": "register"})).await;
    let pointers: Vec<_> = refusal.faults().into_iter().map(|(p, _)| p).collect();
    assert_eq!(pointers, ["/expires_on", "/issuer", "/number"]);
    refusal.refused(422, "incomplete");
    let past = json!({"method": "register", "expires_on": "2026-11-23"});
    s.does(&s.hr, &made, "verify", past).await.refused(422, "already-expired");
    let said = json!({"number": "NG1", "issuer": "NMC", "issued_on": "2026-10-01"});
    s.hr.patch(&format!("/v1/documents/{}", id(&made)), said).await.ok();
    let done = s.does(&s.hr, &made, "verify", json!({"method": "register"})).await.ok();
    assert_eq!(done["expires_on"], "2027-10-01", "the category's usual validity, from its issue");
}

#[tokio::test]
async fn two_verifiers_at_once_decide_once_and_the_other_hears_who_was_first() {
    let s = Stage::contended().await;
    let made = s.uploads(&s.carer, &pdf("x"), json!({"subject": s.carer.user()})).await;
    let verify = json!({"method": "register", "expires_on": "2027-05-01"});
    let (a, b) = tokio::join!(
        s.does(&s.hr, &made, "verify", verify.clone()),
        s.does(&s.admin, &made, "reject", json!({"reason_code": "forged"})),
    );
    let (won, lost) = if a.status == 200 { (a, b) } else { (b, a) };
    let won = won.ok();
    let refusal = lost.refused(409, "state-changed");
    assert_eq!(refusal["decision"], won["status"]);
    let by = [&won["verification"]["by"], &won["rejection"]["by"]];
    assert!(by.contains(&&refusal["by"]) && refusal["at"].is_string(), "{refusal}");
    let decided = s.heard("document.verified").await.len() + s.heard("document.rejected").await.len();
    assert_eq!(decided, 1);
}

#[tokio::test]
async fn a_verified_one_is_taken_back_or_corrected_with_a_reason_only() {
    let s = Stage::set().await;
    let made = s.verified("2027-05-01").await;
    let other = pdf("other");
    s.does(&s.hr, &made, "versions", file(&other)).await.refused(422, "state");
    s.does(&s.admin, &made, "correct", file(&other)).await.refused(422, "reason-required");
    let mut body = file(&other);
    body["reason"] = json!("the back page was missing");
    let corrected = s.does(&s.admin, &made, "correct", body).await.created();
    assert_eq!(corrected["status"], "awaiting_upload");
    assert!(fact(&s, &made).await.is_none());
    s.puts(&corrected, &other).await;
    assert_eq!(s.shows(&made).await["status"], "pending");
    s.does(&s.hr, &made, "verify", json!({"method": "register"})).await.ok();
    s.does(&s.hr, &made, "unverify", json!({})).await.refused(422, "reason-required");
    let back = s.does(&s.hr, &made, "unverify", json!({"reason": "it was a forgery"})).await.ok();
    assert_eq!(back["status"], "pending");
    assert!(fact(&s, &made).await.is_none());
}

#[tokio::test]
async fn a_correction_whose_bytes_never_come_leaves_what_was_there() {
    let s = Stage::set().await;
    let made = s.verified("2027-05-01").await;
    let mut body = file(&pdf("never"));
    body["reason"] = json!("wrong page");
    s.does(&s.admin, &made, "correct", body).await.created();
    s.rings("2026-11-23T07:00:01Z").await;
    s.rings("2026-11-24T06:00:02Z").await;
    let shown = s.shows(&made).await;
    assert_eq!((&shown["status"], &shown["current"]), (&json!("verified"), &json!(1)));
    assert!(fact(&s, &made).await.is_some());
}

#[tokio::test]
async fn what_a_verification_rests_on_is_changed_with_a_reason() {
    let s = Stage::set().await;
    let made = s.verified("2027-05-01").await;
    let path = format!("/v1/documents/{}", id(&made));
    s.hr.patch(&path, json!({"tags": ["seen"]})).await.ok();
    s.hr.patch(&path, json!({"expires_on": "2028-05-01"})).await.refused(422, "reason-required");
    s.hr.patch(&path, json!({"status": "pending"})).await.refused(400, "validation");
    let change = s.hr.call("PATCH", &path).body(json!({"expires_on": "2028-05-01"})).because("misread");
    assert_eq!(change.send().await.ok()["expires_on"], "2028-05-01");
    assert_eq!(fact(&s, &made).await.unwrap()["until"], "2028-05-01");
}

#[tokio::test]
async fn deleted_and_restored_it_is_what_it_was() {
    let s = Stage::set().await;
    let made = s.verified("2027-05-01").await;
    let path = format!("/v1/documents/{}", id(&made));
    s.admin.delete(&path).await.refused(422, "reason-required");
    s.admin.call("DELETE", &path).because("filed twice").send().await.done();
    s.admin.get(&path).await.missing();
    assert!(fact(&s, &made).await.is_none());
    let back = s.admin.post(&format!("{path}/restore"), json!({})).await.ok();
    assert_eq!(back["status"], "verified");
    assert!(fact(&s, &made).await.is_some());
    assert_eq!(&s.events_of(&made).await[3..], ["document.deleted", "document.restored"]);
}

#[tokio::test]
async fn renewals_begun_at_once_are_one() {
    let s = Stage::contended().await;
    let made = s.verified("2027-05-01").await;
    let (a, b) = tokio::join!(
        s.does(&s.hr, &made, "renew", file(&pdf("a"))),
        s.does(&s.admin, &made, "renew", file(&pdf("b"))),
    );
    let (won, lost) = if a.status == 201 { (a, b) } else { (b, a) };
    let won = won.created();
    assert_eq!(lost.refused(409, "renewal-exists")["renewal"], won["id"]);
}
