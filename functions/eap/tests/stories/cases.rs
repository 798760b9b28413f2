//! EAP-5: intake, triage, assignment, notes, alarms.

use crate::{
    care::Care,
    stage::{each, id},
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_second_call_about_the_same_issue_finds_the_open_case() {
    let c = Care::begin().await;
    let person = c.employee("E1", json!({})).await;
    let first = c.ada.1.post("/v1/eap/cases", c.intake(&person, "anxiety")).await.created();
    assert_eq!((&first["status"], first["file"]["unit"].as_str()), (&json!("intake"), Some("LAG")));
    assert_eq!(first["file"]["age_band"], "30_39");
    let again = json!({
        "client": c.client["id"], "employee_number": " e1", "service": c.service, "presenting_issue": "anxiety",
    });
    assert_eq!(c.ada.1.post("/v1/eap/cases", again).await.ok()["id"], first["id"]);
    // Another counsellor hears that it is looked after, and not by whom.
    let refused =
        c.tunde.1.post("/v1/eap/cases", c.intake(&person, "anxiety")).await.refused(409, "case-open");
    assert!(!refused.to_string().contains(&id(&first)), "{refused}");
    let other = c.tunde.1.post("/v1/eap/cases", c.intake(&person, "legal")).await.created();
    assert_ne!(other["id"], first["id"]);
    let reference = first["reference"].as_str().unwrap();
    assert!(reference.len() == 9 && reference.as_bytes()[4] == b'-', "{reference}");
    let nobody = json!({
        "client": c.client["id"], "employee_number": "E9", "service": c.service, "presenting_issue": "anxiety",
    });
    c.ada.1.post("/v1/eap/cases", nobody).await.refused(422, "not-eligible");
}

#[tokio::test]
async fn whoever_comes_themselves_sees_their_own_case_and_not_what_is_kept_from_them() {
    let c = Care::begin().await;
    let (ngozi, emeka) = (c.employee("E1", json!({})).await, c.employee("E2", json!({})).await);
    let (hers, his) = (c.login_of(&ngozi).await, c.login_of(&emeka).await);
    let wish = json!({"service": c.service, "presenting_issue": "bereavement", "referral": "self"});
    let case = hers.post("/v1/eap/cases", wish).await.created();
    let path = format!("/v1/eap/cases/{}", id(&case));
    c.s.gives("cases", &case, "assign", json!({"provider": c.ada.0["id"]})).await.ok();
    c.says(&case, "triage", json!({"risk": "moderate", "secondary": ["family"]})).await.ok();
    c.says(&case, "notes", json!({"text": "She came by herself."})).await.created();
    c.says(&case, "notes", json!({"text": "Ask about her brother.", "private": true})).await.created();
    let seen = hers.get(&path).await.ok();
    let texts: Vec<&str> =
        seen["parts"]["notes"].as_array().unwrap().iter().map(|n| n["text"].as_str().unwrap()).collect();
    assert_eq!((texts, &seen["status"]), (vec!["She came by herself."], &json!("in_progress")));
    assert_eq!(c.ada.1.get(&path).await.ok()["parts"]["notes"].as_array().unwrap().len(), 2);
    his.get(&path).await.missing();
    assert_eq!(each(&hers.get("/v1/eap/cases").await.ok(), "id"), [id(&case)]);
    assert_eq!(his.get("/v1/eap/cases").await.ok()["data"], json!([]));
    hers.post(&format!("{path}/notes"), json!({"text": "mine"})).await.refused(403, "forbidden");
    hers.post(&format!("{path}/triage"), json!({"risk": "none"})).await.refused(403, "forbidden");
    hers.post(&format!("{path}/close"), json!({"closure_reason": "other"})).await.refused(403, "forbidden");
    // What was begun by telephone is seen when the counsellor lets them in.
    let phoned = c.case(&ngozi, "legal").await;
    let by_phone = format!("/v1/eap/cases/{}", id(&phoned));
    hers.get(&by_phone).await.missing();
    c.says(&phoned, "let_in", json!({})).await.ok();
    hers.get(&by_phone).await.ok();
    let booked = hers.post("/v1/eap/sessions", c.session(&case, "2026-12-01T09:00:00Z")).await.created();
    his.get(&format!("/v1/eap/sessions/{}", id(&booked))).await.missing();
    his.post(&format!("/v1/eap/sessions/{}/cancel", id(&booked)), json!({})).await.missing();
    hers.post(&format!("/v1/eap/sessions/{}/cancel", id(&booked)), json!({})).await.ok();
}

#[tokio::test]
async fn a_note_is_amended_by_another_and_never_changed() {
    let c = Care::begin().await;
    let case = c.case(&c.employee("E1", json!({})).await, "anxiety").await;
    let first = c.says(&case, "notes", json!({"text": "Monday"})).await.created();
    c.says(&case, "notes", json!({"text": "Tuesday", "amends": "0000000099"}))
        .await
        .refused(422, "no-such-note");
    c.says(&case, "notes", json!({"text": "Tuesday", "amends": first["number"]})).await.created();
    let path = format!("/v1/eap/cases/{}", id(&case));
    let notes = c.ada.1.get(&path).await.ok()["parts"]["notes"].clone();
    assert_eq!((&notes[0]["text"], &notes[1]["amends"]), (&json!("Monday"), &first["number"]));
    assert_eq!(notes[1]["by"], c.ada.1.user());
    let outcome = json!({"absenteeism_hours": 12, "presenteeism": 3, "engagement": 2, "life_satisfaction": 3, "distress": 4});
    c.ada.1.call("PUT", &format!("{path}/outcomes/pre")).body(outcome.clone()).send().await.created();
    c.ada
        .1
        .call("PUT", &format!("{path}/outcomes/pre"))
        .body(outcome.clone())
        .send()
        .await
        .refused(409, "written-already");
    c.ada.1.call("PUT", &format!("{path}/outcomes/never")).body(outcome).send().await.missing();
    let told =
        json!({"to": "the court", "legal_basis": "order 12/2026", "what": "dates only", "reason": "ordered"});
    c.says(&case, "disclosures", told).await.created();
    let referred = json!({"kind": "psychiatry", "to": "Dr Eze", "given": "2026-11-23"});
    let number =
        c.says(&case, "referrals", referred.clone()).await.created()["number"].as_str().unwrap().to_string();
    let mut accepted = referred;
    accepted["accepted"] = true.into();
    c.ada.1.call("PUT", &format!("{path}/referrals/{number}")).body(accepted).send().await.created();
    let parts = c.ada.1.get(&path).await.ok()["parts"].clone();
    assert_eq!(
        (&parts["referrals"][0]["accepted"], &parts["disclosures"][0]["to"]),
        (&json!(true), &json!("the court"))
    );
    let dump = c.s.axis.dump().await;
    for secret in ["Monday", "the court", "Dr Eze", "ordered", "Person E1"] {
        assert!(!dump.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_manager_assigns_from_the_best_that_fits_and_says_why_it_changes() {
    let c = Care::begin().await;
    let person = c.employee("E1", json!({"language": "ha"})).await;
    let case = c.ada.1.post("/v1/eap/cases", c.intake(&person, "anxiety")).await.created();
    let path = format!("/v1/eap/cases/{}", id(&case));
    let best = c.s.manager.get(&format!("{path}/candidates")).await.ok();
    assert_eq!(each(&best, "provider"), [id(&c.tunde.0), id(&c.ada.0)]);
    let best = c.s.manager.get(&format!("{path}/candidates?language=en&mode=in_person")).await.ok();
    assert_eq!(each(&best, "provider")[0], id(&c.ada.0));
    c.s.gives("cases", &case, "assign", json!({"provider": c.ada.0["id"]})).await.ok();
    let to = json!({"provider": c.tunde.0["id"]});
    c.s.gives("cases", &case, "assign", to.clone()).await.refused(422, "reason-required");
    c.s.gives("cases", &case, "assign", json!({"provider": c.tunde.0["id"], "reason": "language"}))
        .await
        .ok();
    c.ada.1.get(&path).await.missing();
    c.tunde.1.get(&path).await.ok();
    // A licence that lapsed yesterday takes nobody.
    c.s.at("2027-07-01T08:00:00Z");
    while !c.s.world.ring().await.is_empty() {}
    let gone =
        c.s.gives("cases", &case, "assign", json!({"provider": c.ada.0["id"], "reason": "back"})).await;
    gone.refused(422, "provider-not-ready");
    assert_eq!(c.s.manager.get(&format!("{path}/candidates")).await.ok()["data"], json!([]));
}

/// Story 11.
#[tokio::test]
async fn an_imminent_risk_is_told_to_one_after_the_other_until_somebody_takes_it() {
    let c = Care::begin().await;
    let (one, two, chief) = (c.tunde.1.clone(), c.s.axis.staff("eap_provider"), c.s.manager.clone());
    for who in [&one, &two, &chief] {
        c.s.axis.present(who).await;
    }
    let rota =
        json!({"people": [one.user(), two.user()], "manager": chief.user(), "warm_line": "0800 111 222"});
    c.s.manager.call("PUT", "/v1/eap/on_call").body(rota).send().await.ok();
    let case = c
        .ada
        .1
        .post("/v1/eap/cases", c.intake(&c.employee("E1", json!({})).await, "suicidality"))
        .await
        .created();
    let path = format!("/v1/eap/cases/{}", id(&case));
    two.post(&format!("{path}/acknowledge"), json!({})).await.missing();
    let triaged = c.says(&case, "triage", json!({"risk": "imminent"})).await.ok();
    assert_eq!(triaged["warm_line"], "0800 111 222");
    let told = async || -> Vec<String> {
        let all = c.s.world.events().await.into_iter().filter(|e| e.kind == "eap_case.risk_raised");
        all.map(|e| e.data["to"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(told().await, [one.user()]);
    c.s.later(9);
    c.s.world.ring().await;
    assert_eq!(told().await.len(), 1);
    c.s.later(2);
    c.s.world.ring().await;
    assert_eq!(told().await, [one.user(), two.user()]);
    two.post(&format!("{path}/acknowledge"), json!({})).await.ok();
    c.s.later(11);
    c.s.world.ring().await;
    assert_eq!(told().await.len(), 2, "somebody looks after it");
    // An expired contract, in its days of grace.
    c.s.at("2027-11-25T08:00:00Z");
    while c.s.world.ring().await.iter().any(|n| n.starts_with("due.ecn")) {}
    let crisis = json!({
        "case": case["id"], "starts_at": "2027-11-25T08:30:00Z", "mode": "video", "crisis": true, "provider": c.ada.0["id"],
    });
    let lapsed = c.ada.1.post("/v1/eap/sessions", crisis).await;
    lapsed.refused(422, "provider-not-ready");
}

#[tokio::test]
async fn with_nobody_on_call_every_manager_is_told_at_once_and_any_of_them_takes_it() {
    let c = Care::begin().await;
    let case = c.case(&c.employee("E1", json!({})).await, "suicidality").await;
    let path = format!("/v1/eap/cases/{}", id(&case));
    let triaged = c.says(&case, "triage", json!({"risk": "imminent"})).await.ok();
    assert_eq!((&triaged["alarm"]["nobody_on_call"], &triaged["alarm"]["step"]), (&json!(true), &json!(0)));
    let raised = async || -> Vec<Value> {
        let all = c.s.world.events().await.into_iter().filter(|e| e.kind == "eap_case.risk_raised");
        all.map(|e| e.data).collect()
    };
    assert_eq!(raised().await, [json!({"case": case["id"], "to": "role~eap_manager", "step": 0})]);
    assert!(c.s.manager.get(&path).await.ok().get("alarm").is_none(), "a head tells no danger");
    c.s.later(11);
    c.s.world.ring().await;
    assert_eq!(raised().await.len(), 1, "everybody has been told");
    assert_eq!(c.ada.1.get(&path).await.ok()["alarm"]["nobody_on_call"], true);
    c.s.admin.post(&format!("{path}/acknowledge"), json!({})).await.missing();
    c.s.axis.staff("eap_manager").post(&format!("{path}/acknowledge"), json!({})).await.ok();
    assert!(c.ada.1.get(&path).await.ok().get("alarm").is_none());
}

#[tokio::test]
async fn a_case_that_nobody_meets_becomes_a_task_and_so_does_the_question_after_ninety_days() {
    let c = Care::begin().await;
    let case = c.case(&c.employee("E1", json!({})).await, "anxiety").await;
    let wishes = async || -> Vec<Value> {
        let all =
            c.s.world
                .events()
                .await
                .into_iter()
                .filter(|e| e.kind == "task.requested" && e.record == id(&case));
        all.map(|e| e.data).collect()
    };
    c.s.at("2026-11-26T17:01:00Z");
    c.s.world.ring().await;
    let first = wishes().await;
    assert_eq!((first.len(), &first[0]["title_code"]), (1, &json!("eap_case_without_contact")));
    assert_eq!(first[0]["assignee"], format!("user~{}", c.ada.1.user()));
    c.s.world.ring().await;
    assert_eq!(wishes().await.len(), 1);
    let closed = c.says(&case, "close", json!({"closure_reason": "no_contact"})).await.ok();
    let url = closed["satisfaction_url"].as_str().unwrap().to_string();
    let answer = json!({"token": url, "scores": [5, 4], "comment": "Thank you, Ada"});
    let stranger = c.s.world.stranger();
    stranger.post("/v1/eap/satisfaction/answers", answer.clone()).await.done();
    stranger.post("/v1/eap/satisfaction/answers", answer).await.missing();
    let page =
        c.s.manager.get(&format!("/v1/eap/satisfaction?client={}&period=2026-11", id(&c.client))).await.ok();
    let said = &page["data"][0];
    assert_eq!((&said["scores"], &said["comment"]), (&json!([5, 4]), &json!("Thank you, Ada")));
    let names: Vec<&String> = said.as_object().unwrap().keys().collect();
    assert_eq!(names, ["client", "comment", "id", "period", "scores"]);
    assert!(!c.s.axis.dump().await.lines().any(|l| l.contains("#esa#") && l.contains("2026-11-2")), "no day");
    assert!(!said.to_string().contains(&id(&case)[4..]), "{said}");
    c.s.at("2027-02-25T08:00:00Z");
    c.s.world.ring().await;
    assert_eq!(wishes().await.last().unwrap()["title_code"], "eap_case_follow_up");
}
