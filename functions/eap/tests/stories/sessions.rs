//! EAP-5: booking, the cap, what ends a session.

use crate::{care::Care, stage::id};
use serde_json::{Value, json};

fn at(day: u32, hour: u32) -> String {
    format!("2026-12-{day:02}T{hour:02}:00:00Z")
}

/// Story 9.
#[tokio::test]
async fn the_sixth_session_is_booked_once_and_an_extension_lets_a_seventh_in() {
    let c = Care::contended().await;
    let person = c.employee("E1", json!({})).await;
    let case = c.case(&person, "anxiety").await;
    for n in 1..=5 {
        c.books(&case, &at(n, 9)).await.created();
    }
    let (six, seven) = (at(6, 9), at(7, 9));
    let tabs = futures::join!(c.books(&case, &six), c.books(&case, &seven));
    let mut tabs = [tabs.0, tabs.1];
    tabs.sort_by_key(|r| r.status);
    let [won, lost] = tabs;
    won.created();
    let refused = lost.refused(409, "session-cap-reached");
    assert_eq!((&refused["cap"], &refused["used"], &refused["booked"]), (&json!(6), &json!(0), &json!(6)));
    let words = refused["detail"].as_str().unwrap();
    assert!(words.contains("6 sessions per issue") && words.contains("/extend"), "{words}");
    // A second issue has its own six.
    let other = c.case(&person, "financial").await;
    c.books(&other, &at(8, 9)).await.created();
    c.books(&case, &at(9, 9)).await.refused(409, "session-cap-reached");
    c.s.gives("cases", &case, "extend", json!({"sessions": 2})).await.refused(422, "reason-required");
    c.s.gives("cases", &case, "extend", json!({"sessions": 2, "reason": "not yet stable"})).await.ok();
    c.says(&case, "extend", json!({"sessions": 2, "reason": "my own"})).await.missing();
    c.books(&case, &at(9, 9)).await.created();
    assert_eq!(c.balance(&case).await, (0, 7, 1));
}

#[tokio::test]
async fn two_counsellors_booking_the_last_session_at_once_leave_one_booked() {
    let c = Care::contended().await;
    let person = c.employee("E1", json!({})).await;
    let issue = c.case(&person, "anxiety").await;
    for n in 1..=5 {
        c.books(&issue, &at(n, 9)).await.created();
    }
    // The same issue with two counsellors: a separate case counts against the same six.
    let mut body = c.intake(&person, "anxiety");
    body["separate"] = true.into();
    let second = c.tunde.1.post("/v1/eap/cases", body).await.created();
    c.s.gives("cases", &second, "assign", json!({"provider": c.tunde.0["id"]})).await.ok();
    let (hers, his) = (c.session(&issue, &at(6, 9)), c.session(&second, &at(6, 9)));
    let (a, b) =
        futures::join!(c.ada.1.post("/v1/eap/sessions", hers), c.tunde.1.post("/v1/eap/sessions", his));
    let mut status = [a.status, b.status];
    status.sort();
    assert_eq!(status, [201, 409], "{} {}", a.body, b.body);
}

#[tokio::test]
async fn a_counsellors_minute_is_given_once() {
    let c = Care::contended().await;
    let (one, two) = (c.employee("E1", json!({})).await, c.employee("E2", json!({})).await);
    let (first, second) = (c.case(&one, "anxiety").await, c.case(&two, "trauma").await);
    let (hers, his) = (at(1, 9), "2026-12-01T09:30:00Z".to_string());
    let (a, b) = futures::join!(c.books(&first, &hers), c.books(&second, &his));
    let (won, lost) = if a.status == 201 { (a, b) } else { (b, a) };
    let won = won.created();
    lost.refused(409, "slot-taken");
    c.books(&second, "2026-12-01T09:02:00Z").await.refused(422, "not-a-slot");
    // What is cancelled is free again.
    c.ends(&won, "cancel", json!({})).await.ok();
    c.books(&second, &at(1, 9)).await.created();
}

/// Story 10.
#[tokio::test]
async fn a_missed_session_is_used_and_a_cancelled_one_is_free_if_it_was_in_time() {
    let c = Care::begin().await;
    let case = c.case(&c.employee("E1", json!({})).await, "anxiety").await;
    let missed = c.books(&case, &at(1, 9)).await.created();
    c.ends(&missed, "no_show", json!({})).await.refused(422, "too-early");
    c.s.at("2026-12-01T12:00:00Z");
    c.ends(&missed, "no_show", json!({})).await.ok();
    assert_eq!(c.balance(&case).await, (1, 0, 5));
    c.ends(&missed, "complete", json!({})).await.refused(422, "state");
    let early = c.books(&case, &at(3, 9)).await.created();
    c.s.at("2026-12-02T03:00:00Z");
    assert_eq!(c.ends(&early, "cancel", json!({})).await.ok()["status"], "cancelled");
    assert_eq!(c.balance(&case).await, (1, 0, 5));
    let late = c.books(&case, &at(3, 9)).await.created();
    c.s.at("2026-12-03T04:00:00Z");
    assert_eq!(c.ends(&late, "cancel", json!({})).await.ok()["status"], "late_cancelled");
    assert_eq!(c.balance(&case).await, (2, 0, 4));
}

#[tokio::test]
async fn a_completed_session_counts_for_the_person_in_its_quarter_and_nowhere_says_who() {
    let c = Care::begin().await;
    let case = c.case(&c.employee("E1", json!({})).await, "anxiety").await;
    let session = c.books(&case, &at(1, 9)).await.created();
    c.ends(&session, "complete", json!({})).await.refused(422, "too-early");
    c.ends(&session, "confirm", json!({})).await.ok();
    c.s.at("2026-12-01T10:00:00Z");
    let note = json!({"note": "She sleeps better.", "private": true});
    let done = c.ends(&session, "complete", note).await.ok();
    assert_eq!((&done["status"], &done["actions"]), (&json!("completed"), &json!([])));
    let shown = c.ada.1.get(&format!("/v1/eap/cases/{}", id(&case))).await.ok();
    assert_eq!(shown["first_contact_at"], "2026-12-01T09:00:00Z");
    assert_eq!(shown["parts"]["notes"][0]["text"], "She sleeps better.");
    let client: kernel::ClientOrgId = id(&c.client).parse().unwrap();
    let quarter = eap::use_of::Quarter::of("2026-12-01".parse().unwrap());
    let clinical = clinical(&c).await;
    let uses = eap::report::uses(&clinical, client, [quarter].into_iter()).await.unwrap();
    let (rows, person) = (uses.values().collect::<Vec<_>>(), uses.keys().next().unwrap());
    let row = &rows[0][&4];
    assert_eq!((rows.len(), row.sessions, row.no_shows, row.clinical), (1, 1, 0, true));
    assert_eq!(row.unit.as_deref(), Some("LAG"));
    let open = c.s.axis.store().await;
    assert!(eap::report::uses(&open, client, [quarter].into_iter()).await.is_err(), "another key");
    // In the table: no name, no issue, no note; and the reference stands in no event.
    let dump = c.s.axis.dump().await;
    for secret in ["Person E1", "anxiety", "sleeps", "emotional"] {
        assert!(!dump.contains(secret), "{secret}");
    }
    let events: Vec<Value> = c.s.world.events().await.into_iter().map(|e| e.data).collect();
    let said = serde_json::to_string(&events).unwrap();
    assert!(!said.contains(person.as_str()) && !said.contains("ben_"), "{said}");
}

async fn clinical(c: &Care) -> store::Store {
    let store = c.s.axis.store().await;
    c.s.world.app.vault().under(&store, store::Label::EapClinical).await.unwrap()
}

#[tokio::test]
async fn a_case_ends_when_no_session_is_booked_and_can_be_opened_again_for_ninety_days() {
    let c = Care::begin().await;
    let person = c.employee("E1", json!({})).await;
    let case = c.case(&person, "anxiety").await;
    let session = c.books(&case, &at(1, 9)).await.created();
    let reason = json!({"closure_reason": "goals_met"});
    c.says(&case, "close", reason.clone()).await.refused(409, "sessions-booked");
    c.s.at("2026-12-01T10:00:00Z");
    c.ends(&session, "complete", json!({})).await.ok();
    let closed = c.says(&case, "close", reason).await.ok();
    assert_eq!(closed["status"], "closed");
    c.books(&case, &at(9, 9)).await.refused(422, "state");
    c.says(&case, "reopen", json!({})).await.refused(422, "reason-required");
    c.says(&case, "reopen", json!({"reason": "it came back"})).await.ok();
    c.says(&case, "close", json!({"closure_reason": "referred_on"})).await.ok();
    c.s.at("2027-03-02T10:00:01Z");
    c.says(&case, "reopen", json!({"reason": "it came back"})).await.refused(409, "reopen-window-over");
}

#[tokio::test]
async fn an_ended_contract_or_person_books_only_in_grace_and_a_suspended_one_only_in_a_crisis() {
    let c = Care::begin().await;
    let person = c.employee("E1", json!({})).await;
    let case = c.case(&person, "anxiety").await;
    c.s.gives("contracts", &c.contract, "suspend", json!({"reason": "unpaid"})).await.ok();
    c.books(&case, &at(1, 9)).await.refused(422, "not-eligible");
    let mut crisis = c.session(&case, &at(1, 9));
    crisis["crisis"] = true.into();
    c.ada.1.post("/v1/eap/sessions", crisis).await.created();
    assert_eq!(c.balance(&case).await, (0, 0, 6), "a crisis takes nothing of what is covered");
    c.s.gives("contracts", &c.contract, "resume", json!({"reason": "paid"})).await.ok();
    c.s.gives("beneficiaries", &person, "end", json!({})).await.ok();
    c.books(&case, &at(20, 9)).await.created();
    c.books(&case, &at(28, 9)).await.refused(422, "not-eligible");
    let body = c.intake(&person, "legal");
    c.ada.1.post("/v1/eap/cases", body).await.refused(422, "not-eligible");
}

#[tokio::test]
async fn a_household_that_shares_its_sessions_is_counted_by_its_employee() {
    let c = Care::under(json!({"cap_pool": "household", "session_cap": 2})).await;
    let mother = c.employee("E1", json!({})).await;
    let more = json!({"relation": "child", "employee": mother["id"], "employee_number": null, "birth_date": "2010-05-17"});
    let son = c.employee("E1-1", more).await;
    let (hers, his) = (c.case(&mother, "anxiety").await, c.case(&son, "anxiety").await);
    c.books(&hers, &at(1, 9)).await.created();
    c.books(&his, &at(2, 9)).await.created();
    c.books(&hers, &at(3, 9)).await.refused(409, "session-cap-reached");
    assert_eq!((c.balance(&hers).await, c.balance(&his).await), ((0, 2, 0), (0, 2, 0)));
    c.books(&c.case(&son, "trauma").await, &at(4, 9)).await.created();
}

#[tokio::test]
async fn a_renewed_contract_takes_its_cases_along_and_goes_on_counting_an_issue() {
    let c = Care::under(json!({"auto_renew": true, "session_cap": 2})).await;
    let person = c.employee("E1", json!({})).await;
    let case = c.case(&person, "anxiety").await;
    c.books(&case, "2026-12-01T09:00:00Z").await.created();
    c.s.at("2027-11-23T08:00:00Z");
    let more = json!({"licence": {"body": "NCP", "number": "2", "expires": "2029-01-01"}});
    c.s.manager.patch(&format!("/v1/eap/providers/{}", id(&c.ada.0)), more).await.ok();
    while c.s.world.ring().await.iter().any(|n| n.starts_with("due.ecn")) {}
    c.s.world.deliver().await;
    let seen = c.ada.1.get(&format!("/v1/eap/cases/{}", id(&case))).await.ok();
    assert_ne!(seen["contract"], c.contract["id"]);
    assert_eq!(c.balance(&case).await, (0, 1, 1));
    c.books(&case, "2027-12-01T09:00:00Z").await.created();
    c.books(&case, "2027-12-02T09:00:00Z").await.refused(409, "session-cap-reached");
    // A new case of the same issue goes on with the same count.
    let mut body = c.intake(&person, "anxiety");
    body["separate"] = true.into();
    let second = c.ada.1.post("/v1/eap/cases", body).await.created();
    assert_eq!(c.balance(&second).await, (0, 2, 0));
}

/// What each route says it costs, for the ones that are used most.
#[tokio::test]
async fn the_budgets_hold() {
    let c = Care::begin().await;
    let person = c.employee("E1", json!({})).await;
    let case = c.case(&person, "anxiety").await;
    let module = eap::module();
    let held = |operation: &str| {
        let route =
            module.routes.iter().find(|r| r.operation == operation).unwrap_or_else(|| panic!("{operation}"));
        c.s.world.spends_at_most(route.trips.into(), operation);
    };
    c.s.world.rounds();
    let other = c.employee("E2", json!({})).await;
    held("beneficiary.create");
    let opened = c.ada.1.post("/v1/eap/cases", c.intake(&other, "legal")).await.created();
    held("eap_case.create");
    let path = format!("/v1/eap/cases/{}", id(&opened));
    c.ada.1.get(&path).await.ok();
    held("eap_case.show");
    c.ada.1.get("/v1/eap/cases").await.ok();
    held("eap_case.list");
    c.says(&opened, "triage", json!({"risk": "low"})).await.ok();
    held("eap_case.triage");
    c.s.manager.get(&format!("{path}/candidates")).await.ok();
    held("eap_case.candidates");
    c.s.gives("cases", &opened, "assign", json!({"provider": c.ada.0["id"]})).await.ok();
    held("eap_case.assign");
    c.s.gives("cases", &opened, "extend", json!({"sessions": 1, "reason": "more"})).await.ok();
    held("eap_case.extend");
    c.says(&opened, "notes", json!({"text": "x"})).await.created();
    held("eap_case.note");
    let session = c.books(&case, "2026-12-01T09:00:00Z").await.created();
    held("eap_session.create");
    c.ada.1.get(&format!("/v1/eap/sessions/{}", id(&session))).await.ok();
    held("eap_session.show");
    c.ends(&session, "confirm", json!({})).await.ok();
    held("eap_session.confirm");
    c.s.at("2026-12-01T09:00:00Z");
    c.s.world.rounds();
    c.ends(&session, "complete", json!({"note": "x"})).await.ok();
    held("eap_session.complete");
    c.says(&case, "close", json!({"closure_reason": "goals_met"})).await.ok();
    held("eap_case.close");
    c.says(&case, "reopen", json!({"reason": "again"})).await.ok();
    held("eap_case.reopen");
    c.ada.1.get(&format!("/v1/eap/beneficiaries/{}", id(&person))).await.ok();
    held("beneficiary.show");
}

#[tokio::test]
async fn an_extension_says_why_and_adds_to_the_case_alone() {
    let c = Care::begin().await;
    let case = c.case(&c.employee("E1", json!({})).await, "anxiety").await;
    let other = c.case(&c.employee("E2", json!({})).await, "anxiety").await;
    let before = c.balance(&other).await;
    c.s.gives("cases", &case, "extend", json!({"sessions": 2, "reason": "not yet stable"})).await.ok();
    assert_eq!(c.balance(&case).await, (0, 0, 8));
    assert_eq!(c.balance(&other).await, before);
}
