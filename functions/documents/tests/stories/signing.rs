//! DOC-6: signatures, in order, with evidence.

use crate::{
    stage::{Stage, id, pdf, sha},
    templates,
};
use serde_json::{Value, json};
use store::facts;
use testkit::Reply;

const ADA: &str = "ada@example.org";
const BEN: &str = "ben@example.org";

async fn contract(s: &Stage) -> Value {
    templates::published(s).await;
    let ask = json!({"template": "offer", "data": templates::values(), "subject": s.carer.user()});
    s.hr.post("/v1/documents/generate", ask).await.created()
}

async fn sent(s: &Stage, document: &Value, more: Value) -> Value {
    let mut body = json!({"signers": [
        {"name": "Ada Obi", "email": ADA, "role": "employee"}, {"name": "Ben Musa", "email": BEN, "role": "witness"},
    ]});
    crate::stage::merge(&mut body, more);
    let made = s.does(&s.hr, document, "signatures", body).await.created();
    let path = format!("/v1/documents/signatures/{}/send", id(&made));
    let sent = s.hr.post(&path, json!({})).await.ok();
    s.world.deliver().await;
    sent
}

/// The link in the last letter to somebody.
fn link(s: &Stage, to: &str) -> String {
    let letters = s.world.letters.letters(to);
    let text =
        letters.iter().rev().find(|l| l.text.contains("/sign/")).expect("a letter with a link").text.clone();
    text.split("/sign/").nth(1).unwrap().split_whitespace().next().unwrap().into()
}

async fn opens(s: &Stage, to: &str) -> Value {
    let token = link(s, to);
    let anyone = s.world.stranger();
    anyone.post(&format!("/v1/sign/{token}/code"), json!({})).await.ok();
    let letter = s.world.letters.letters(to).pop().unwrap().text;
    let code =
        letter.split_whitespace().find(|w| w.len() == 6 && w.bytes().all(|b| b.is_ascii_digit())).unwrap();
    anyone.post(&format!("/v1/sign/{token}/open"), json!({"code": code})).await.ok()
}

fn mark(open: &Value, name: &str) -> Value {
    json!({"ticket": open["ticket"], "name": name, "consent": true, "sha256": open["sha256"]})
}

async fn signs(s: &Stage, to: &str, body: Value) -> Reply {
    let reply = s.world.stranger().post(&format!("/v1/sign/{}/sign", link(s, to)), body).await;
    s.world.deliver().await;
    reply
}

/// Story 10.
#[tokio::test]
async fn two_sign_in_order_and_the_certificate_proves_it() {
    let s = Stage::set().await;
    let document = contract(&s).await;
    let request = sent(&s, &document, json!({"message": "Welcome"})).await;
    assert!(s.world.letters.letters(BEN).is_empty(), "not asked before the first has signed");
    assert_eq!(s.world.letters.letters(ADA).len(), 1);
    let second = documents::signature::secret(&s.grace.store().await, id(&request).parse().unwrap(), 2);
    let early = format!("/v1/sign/{}.{}.2.{second}", s.grace.id.prefix(), &id(&request)[4..]);
    s.world.stranger().get(&early).await.refused(409, "not-your-turn");
    s.world.stranger().post(&format!("{early}/code"), json!({})).await.refused(409, "not-your-turn");
    let outline = s.world.stranger().get(&format!("/v1/sign/{}", link(&s, ADA))).await.ok();
    assert_eq!((&outline["name"], &outline["state"]), (&json!("Ada Obi"), &json!("sent")));
    assert!(!outline.to_string().contains("Ben"));
    let open = opens(&s, ADA).await;
    assert_eq!(open["sha256"], document["file"]["sha256"]);
    let read = s.world.files.get(open["document"]["url"].as_str().unwrap()).unwrap();
    assert_eq!(sha(&read), document["file"]["sha256"].as_str().unwrap());
    let mut stale = mark(&open, "Ada Obi");
    stale["sha256"] = json!(sha(b"other"));
    signs(&s, ADA, stale).await.refused(409, "document-changed");
    let mut silent = mark(&open, "Ada Obi");
    silent["consent"] = json!(false);
    signs(&s, ADA, silent).await.refused(422, "consent-needed");
    let first = signs(&s, ADA, mark(&open, "Ada Obi")).await.ok();
    let twice = signs(&s, ADA, mark(&open, "Ada Obi")).await.ok();
    assert_eq!(first["signed_at"], twice["signed_at"], "a second click hears the first answer");
    let open = opens(&s, BEN).await;
    signs(&s, BEN, mark(&open, "B. Musa")).await.ok();
    let done = s.hr.get(&format!("/v1/documents/signatures/{}", id(&request))).await.ok();
    assert_eq!(done["status"], "completed");
    let whole = s.shows(&document).await;
    assert_eq!((&whole["signed"], &whole["signing"]), (&json!(true), &json!(null)));
    let certificate = done["final_document"].as_str().unwrap();
    let link = s.hr.get(&format!("/v1/documents/{certificate}/content")).await.ok();
    let bytes = s.world.files.get(link["url"].as_str().unwrap()).unwrap();
    assert_eq!(sha(&bytes), done["final_sha256"].as_str().unwrap());
    assert!(bytes.starts_with(&read), "what was signed, and the certificate behind it");
    assert_eq!(s.heard("signature.completed").await.len(), 1);
    assert!(s.world.letters.letters(ADA).last().unwrap().subject.starts_with("Signed"));
    // Anybody who holds the certificate can ask.
    let ask = |sha: String| json!({"organisation": "grace", "sha256": sha});
    s.knows_by_name("grace").await;
    let anyone = s.world.stranger();
    let known = anyone.post("/v1/documents/signatures/verify", ask(sha(&bytes))).await.ok();
    assert_eq!((&known["genuine"], &known["completed_at"]), (&json!(true), &done["completed_at"]));
    let mut changed = bytes.clone();
    changed[200] ^= 1;
    let unknown = anyone.post("/v1/documents/signatures/verify", ask(sha(&changed))).await.ok();
    assert_eq!(unknown, json!({"genuine": false}));
    // What was signed stays as it is.
    s.admin
        .call("DELETE", &format!("/v1/documents/{}", id(&document)))
        .because("x")
        .send()
        .await
        .refused(409, "signed");
    for secret in ["Ada Obi", ADA, "203.0.113.7"] {
        assert!(!s.grace.dump().await.contains(secret), "{secret}");
    }
}

/// Story 11.
#[tokio::test]
async fn one_decline_ends_the_request() {
    let s = Stage::set().await;
    let document = contract(&s).await;
    let request = sent(&s, &document, json!({})).await;
    let open = opens(&s, ADA).await;
    signs(&s, ADA, mark(&open, "Ada Obi")).await.ok();
    let open = opens(&s, BEN).await;
    let path = format!("/v1/sign/{}/decline", link(&s, BEN));
    let body = json!({"ticket": open["ticket"], "reason": "wrong salary"});
    s.world.stranger().post(&path, body).await.ok();
    s.world.deliver().await;
    let shown = s.hr.get(&format!("/v1/documents/signatures/{}", id(&request))).await.ok();
    assert_eq!((&shown["status"], &shown["final_document"]), (&json!("declined"), &json!(null)));
    assert_eq!(shown["signers"][1]["decline_reason"], "wrong salary");
    assert_eq!(s.heard("signature.declined").await[0]["by"], s.hr.user(), "whoever asked is told");
    assert_eq!(s.shows(&document).await["signing"], json!(null));
    signs(&s, BEN, mark(&open, "Ben")).await.refused(410, "request-closed");
    assert!(s.heard("signature.completed").await.is_empty());
}

#[tokio::test]
async fn while_people_are_asked_the_document_stays_as_it_is() {
    let s = Stage::set().await;
    let document = contract(&s).await;
    let request = sent(&s, &document, json!({})).await;
    let file = json!({"file_name": "x.pdf", "content_type": "application/pdf", "size": 1, "sha256": sha(b"x"), "reason": "x"});
    s.does(&s.hr, &document, "correct", file).await.refused(409, "signature-open");
    s.does(&s.hr, &document, "unverify", json!({"reason": "x"})).await.refused(403, "own-document");
    let path = format!("/v1/documents/{}", id(&document));
    s.admin.call("DELETE", &path).because("x").send().await.refused(409, "signature-open");
    let other = json!({"signers": [{"name": "Ada", "email": ADA, "role": "employee"}]});
    s.does(&s.hr, &document, "signatures", other.clone()).await.refused(409, "signature-open");
    let cancel = format!("/v1/documents/signatures/{}/cancel", id(&request));
    s.hr.post(&cancel, json!({})).await.refused(422, "reason-required");
    let token = link(&s, ADA);
    s.hr.post(&cancel, json!({"reason": "wrong template"})).await.ok();
    s.world.stranger().get(&format!("/v1/sign/{token}")).await.refused(410, "request-closed");
    s.does(&s.hr, &document, "signatures", other).await.created();
}

#[tokio::test]
async fn codes_are_tried_five_times_and_work_ten_minutes() {
    let s = Stage::set().await;
    let document = contract(&s).await;
    sent(&s, &document, json!({})).await;
    let token = link(&s, ADA);
    let anyone = s.world.stranger();
    let path = format!("/v1/sign/{token}");
    anyone.post(&format!("{path}/open"), json!({"code": "000000"})).await.refused(403, "wrong-code");
    anyone.post(&format!("{path}/code"), json!({})).await.ok();
    let letter = s.world.letters.letters(ADA).pop().unwrap().text;
    let code = letter
        .split_whitespace()
        .find(|w| w.len() == 6 && w.bytes().all(|b| b.is_ascii_digit()))
        .unwrap()
        .to_string();
    s.world.clock.advance(jiff::SignedDuration::from_mins(11));
    for _ in 0..4 {
        anyone.post(&format!("{path}/open"), json!({"code": code})).await.refused(403, "wrong-code");
    }
    anyone.post(&format!("{path}/open"), json!({"code": code})).await.refused(429, "locked");
    s.world.clock.advance(jiff::SignedDuration::from_mins(31));
    let open = opens(&s, ADA).await;
    // Without the ticket that opening gave, the link alone signs nothing.
    let mut forged = mark(&open, "Mallory");
    forged["ticket"] = json!("A".repeat(43));
    signs(&s, ADA, forged).await.refused(403, "open-first");
    assert!(!s.grace.dump().await.contains(&code));
}

#[tokio::test]
async fn whoever_is_late_is_reminded_every_three_days_until_the_end() {
    let s = Stage::set().await;
    let document = contract(&s).await;
    let request = sent(&s, &document, json!({"expires_on": "2026-11-30"})).await;
    for (at, letters) in [
        ("2026-11-26T06:00:01Z", 2),
        ("2026-11-27T06:00:01Z", 2),
        ("2026-11-29T06:00:02Z", 3),
        ("2026-11-30T22:59:00Z", 3),
        ("2026-11-30T23:00:01Z", 3),
    ] {
        s.at(at);
        s.world.ring().await;
        s.world.ring().await;
        s.world.deliver().await;
        assert_eq!(s.world.letters.letters(ADA).len(), letters, "{at}");
    }
    let shown = s.hr.get(&format!("/v1/documents/signatures/{}", id(&request))).await.ok();
    assert_eq!(shown["status"], "expired");
    assert_eq!(s.heard("signature.expired").await.len(), 1);
    assert_eq!(s.shows(&document).await["signing"], json!(null));
}

#[tokio::test]
async fn a_letter_delivered_thrice_is_sent_once() {
    let s = Stage::set().await;
    let document = contract(&s).await;
    sent(&s, &document, json!({})).await;
    let event = s.world.events().await.into_iter().find(|e| e.kind == "signature.requested").unwrap();
    s.world.hand_over(&event).await;
    s.world.hand_over(&event).await;
    assert_eq!(s.world.letters.letters(ADA).len(), 1);
    // A post office that is down: the queue comes again, and nothing is lost.
    let open = opens(&s, ADA).await;
    s.world.stranger().post(&format!("/v1/sign/{}/sign", link(&s, ADA)), mark(&open, "Ada")).await.ok();
    s.world.deliver().await;
    assert_eq!(s.world.letters.letters(BEN).len(), 1);
}

#[tokio::test]
async fn members_sign_with_their_login() {
    let s = Stage::set().await;
    let document = contract(&s).await;
    let signer = json!([{"name": "The carer", "user": s.carer.user(), "role": "employee"}]);
    let body = json!({"signers": signer});
    s.does(&s.hr, &document, "signatures", body.clone()).await.refused(422, "unknown-user");
    let store = s.grace.store().await;
    store.commit().fact(facts::ACTIVE_USER, s.carer.user(), &json!({"active": true})).run().await.unwrap();
    let request = sent(&s, &document, body).await;
    let asked = s.heard("signature.requested").await;
    assert_eq!(asked[0]["asked_users"], json!([s.carer.user()]));
    let mine = s.carer.get("/v1/documents/signatures?signer=me").await.ok();
    assert_eq!(mine["data"][0]["id"], request["id"]);
    let path = |what: &str| format!("/v1/documents/signatures/{}/{what}", id(&request));
    s.doctor.post(&path("open"), json!({})).await.missing();
    let open = s.carer.post(&path("open"), json!({})).await.ok();
    let done = s.carer.post(&path("sign"), mark(&open, "A. Carer")).await.ok();
    assert_eq!(done["signers"][0]["state"], "signed");
    s.world.deliver().await;
    let shown = s.hr.get(&path("history").replace("/history", "")).await.ok();
    assert_eq!(shown["status"], "completed");
    let mine = s.carer.get("/v1/documents/signatures?signer=me").await.ok();
    assert_eq!(mine["data"], json!([]));
}

#[tokio::test]
async fn the_last_signature_clicked_twice_at_once_makes_one_certificate() {
    let s = Stage::contended().await;
    let document = contract(&s).await;
    let request = sent(&s, &document, json!({"mode": "parallel"})).await;
    let (ada, ben) = (opens(&s, ADA).await, opens(&s, BEN).await);
    let anyone = s.world.stranger();
    let (a, b) = (format!("/v1/sign/{}/sign", link(&s, ADA)), format!("/v1/sign/{}/sign", link(&s, BEN)));
    let (one, two, three) = tokio::join!(
        anyone.post(&a, mark(&ada, "Ada")),
        anyone.post(&a, mark(&ada, "Ada")),
        anyone.post(&b, mark(&ben, "Ben")),
    );
    assert_eq!([one.status, two.status, three.status], [200, 200, 200]);
    s.world.deliver().await;
    let events = s.world.events().await;
    let signed: Vec<_> = events.iter().filter(|e| e.kind == "signature.signed").cloned().collect();
    assert_eq!(signed.len(), 2);
    tokio::join!(s.world.hand_over(&signed[0]), s.world.hand_over(&signed[1]), s.world.hand_over(&signed[1]));
    assert_eq!(s.heard("signature.completed").await.len(), 1);
    let shown = s.hr.get(&format!("/v1/documents/signatures/{}", id(&request))).await.ok();
    assert_eq!(shown["status"], "completed");
}

#[tokio::test]
async fn another_organisation_sees_no_request_and_its_token_opens_nothing() {
    let s = Stage::set().await;
    let document = contract(&s).await;
    let request = sent(&s, &document, json!({})).await;
    let harmony = s.world.clinic("harmony").await;
    let theirs = harmony.staff("tenant_admin");
    let path = format!("/v1/documents/signatures/{}", id(&request));
    theirs.get(&path).await.missing();
    for command in ["send", "open"] {
        theirs.post(&format!("{path}/{command}"), json!({})).await.missing();
    }
    theirs.post(&format!("{path}/cancel"), json!({"reason": "x"})).await.missing();
    let token = link(&s, ADA).replace(&s.grace.id.prefix(), &harmony.id.prefix());
    s.world.stranger().get(&format!("/v1/sign/{token}")).await.missing();
    s.world.stranger().get("/v1/sign/nonsense").await.missing();
    let _ = pdf("");
}
