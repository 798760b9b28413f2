//! What the person is asked at the end of a case, and 90 days later (workflow 4).

use crate::{
    care::Care,
    stage::id,
    told::{MAILBOX, NUMBER, safely, tells_nothing, texts},
};
use serde_json::{Value, json};

const OUTCOMES: &str = "/v1/eap/outcomes/answers";
const SATISFACTION: &str = "/v1/eap/satisfaction/answers";

fn outcome(token: &str, distress: u8) -> Value {
    json!({
        "token": token, "absenteeism_hours": 2, "presenteeism": 4, "engagement": 4, "life_satisfaction": 4, "distress": distress,
    })
}

fn links(text: &str) -> Vec<String> {
    text.split_whitespace().filter(|w| w.contains("/p/")).map(Into::into).collect()
}

async fn closes(c: &Care, case: &Value) -> Value {
    let closed = c.says(case, "close", json!({"closure_reason": "goals_met"})).await.ok();
    c.s.world.deliver().await;
    closed
}

async fn outcomes(c: &Care, case: &Value) -> Vec<(String, u64)> {
    let parts = c.ada.1.get(&format!("/v1/eap/cases/{}", id(case))).await.ok()["parts"]["outcomes"].clone();
    let one = |o: &Value| (o["number"].as_str().unwrap().to_string(), o["distress"].as_u64().unwrap());
    parts.as_array().unwrap().iter().map(one).collect()
}

#[tokio::test]
async fn at_the_end_the_person_gets_two_links_by_the_safe_way_and_each_is_good_once() {
    let c = Care::begin().await;
    let case = c.case(&safely(&c, "E1", "email", MAILBOX).await, "anxiety").await;
    let closed = closes(&c, &case).await;
    assert!(closed.get("satisfaction_url").is_none() && closed.get("outcome_url").is_none(), "{closed}");
    let letters = c.s.world.letters.letters(MAILBOX);
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    let urls = links(&letter.text);
    assert_eq!(urls.len(), 2, "{}", letter.text);
    let words: String = letter.text.split_whitespace().filter(|w| !w.contains("/p/")).collect();
    tells_nothing(&format!("{}{words}", letter.subject));
    // Signed in or not makes no difference: the link is the person's.
    let person = c.s.world.stranger();
    person.post(OUTCOMES, outcome(&urls[0], 2)).await.done();
    person.post(OUTCOMES, outcome(&urls[0], 5)).await.missing();
    person.post(SATISFACTION, json!({"token": urls[1], "scores": [5, 5]})).await.done();
    person.post(SATISFACTION, json!({"token": urls[1], "scores": [1]})).await.missing();
    assert_eq!(outcomes(&c, &case).await, [("post".to_string(), 2)]);
    // Neither link does what the other does, and what is none is no better than one that is used.
    let used = person.post(OUTCOMES, outcome(&urls[0], 5)).await;
    for token in [urls[1].as_str(), "https://app.test/p/x.y", "nothing"] {
        let refused = person.post(OUTCOMES, outcome(token, 5)).await;
        assert_eq!((refused.status, &refused.body["detail"]), (used.status, &used.body["detail"]));
    }
    person.post(SATISFACTION, json!({"token": urls[0], "scores": [1]})).await.missing();
    assert_eq!(person.post(OUTCOMES, outcome(&urls[0], 9)).await.status, 400);
    // What lies there names no person, and what was said of the service no case.
    let dump = c.s.axis.dump().await;
    assert!(!dump.lines().any(|l| l.contains("#esa#") && l.contains(&id(&case))));
    assert!(!dump.contains("eask#"), "an answered question is gone");
}

#[tokio::test]
async fn whoever_has_named_no_safe_way_gets_the_links_from_the_counsellor() {
    let c = Care::begin().await;
    let case = c.case(&c.employee("E1", json!({"email": "e1@zenith.example"})).await, "anxiety").await;
    let closed = closes(&c, &case).await;
    assert!(c.s.world.letters.every_letter().is_empty(), "not to the address that the employer knows");
    let (outcome_url, satisfaction_url) =
        (closed["outcome_url"].as_str().unwrap(), closed["satisfaction_url"].as_str().unwrap());
    let person = c.s.world.stranger();
    person.post(OUTCOMES, outcome(outcome_url, 3)).await.done();
    person.post(SATISFACTION, json!({"token": satisfaction_url, "scores": [4]})).await.done();
    assert_eq!(outcomes(&c, &case).await, [("post".to_string(), 3)]);
    // Opened and closed again: it is not asked a second time.
    c.says(&case, "reopen", json!({"reason": "it came back"})).await.ok();
    let again = closes(&c, &case).await;
    assert!(again.get("outcome_url").is_none() && again["satisfaction_url"].is_string(), "{again}");
}

#[tokio::test]
async fn ninety_days_later_the_person_is_asked_again_and_nobody_has_to_call() {
    let c = Care::begin().await;
    let case = c.case(&safely(&c, "E1", "sms", NUMBER).await, "anxiety").await;
    closes(&c, &case).await;
    let first = texts(&c).await;
    assert_eq!(links(&first[0].text.0).len(), 2, "{}", first[0].text.0);
    let unanswered = links(&first[0].text.0)[0].clone();
    c.s.at("2027-02-21T08:01:00Z");
    c.s.world.ring().await;
    let said = texts(&c).await;
    assert_eq!((said.len(), said[0].to.as_str(), said[0].unnamed), (1, NUMBER, true));
    let [url] = &links(&said[0].text.0)[..] else { panic!("{}", said[0].text.0) };
    let wishes = c.s.world.events().await.into_iter().filter(|e| e.kind == "task.requested").count();
    assert_eq!(wishes, 0, "nobody has to call");
    let person = c.s.world.stranger();
    person.post(OUTCOMES, outcome(&unanswered, 1)).await.missing();
    person.post(OUTCOMES, outcome(url, 2)).await.done();
    assert_eq!(outcomes(&c, &case).await, [("follow".to_string(), 2)]);
    c.s.world.ring().await;
    assert!(texts(&c).await.is_empty(), "asked once");
}

#[tokio::test]
async fn what_the_counsellor_wrote_already_is_not_written_over_by_a_link() {
    let c = Care::begin().await;
    let case = c.case(&safely(&c, "E1", "email", MAILBOX).await, "anxiety").await;
    closes(&c, &case).await;
    let url = links(&c.s.world.letters.letters(MAILBOX)[0].text)[0].clone();
    let mut by_hand = outcome("x", 4);
    by_hand.as_object_mut().unwrap().remove("token");
    let path = format!("/v1/eap/cases/{}/outcomes/post", id(&case));
    c.ada.1.call("PUT", &path).body(by_hand).send().await.created();
    c.s.world.stranger().post(OUTCOMES, outcome(&url, 1)).await.refused(409, "written-already");
    assert_eq!(outcomes(&c, &case).await, [("post".to_string(), 4)]);
}

#[tokio::test]
async fn whoever_guesses_at_links_is_stopped_after_some_tries() {
    let c = Care::begin().await;
    let thief = c.s.world.stranger().from("198.51.100.9");
    for _ in 0..30 {
        thief.post(OUTCOMES, outcome("x.y", 1)).await.missing();
    }
    thief.post(OUTCOMES, outcome("x.y", 1)).await.refused(429, "rate-limited");
}

#[tokio::test]
async fn a_link_opened_in_two_tabs_at_once_writes_one_page() {
    let c = Care::contended().await;
    let case = c.case(&c.employee("E1", json!({})).await, "anxiety").await;
    let closed = closes(&c, &case).await;
    let url = closed["outcome_url"].as_str().unwrap();
    let person = c.s.world.stranger();
    let (a, b) =
        futures::join!(person.post(OUTCOMES, outcome(url, 1)), person.post(OUTCOMES, outcome(url, 2)));
    let mut status = [a.status, b.status];
    status.sort_unstable();
    assert!(status == [204, 404] || status == [204, 409], "{status:?}");
    assert_eq!(outcomes(&c, &case).await.len(), 1);
}
