//! What the person helped is told: by the way they called safe, in words that tell nobody what it is about.

use crate::care::Care;
use serde_json::{Value, json};
use web::Sms;

pub const NUMBER: &str = "+2348031234567";
pub const MAILBOX: &str = "ngozi@home.example";

/// An employee who has said how they may be written to.
pub async fn safely(c: &Care, number: &str, channel: &str, address: &str) -> Value {
    c.employee(number, json!({"safe_contact": {"channel": channel, "address": address}})).await
}

/// What was asked of the notifications to be sent by SMS; forgotten by asking.
pub async fn texts(c: &Care) -> Vec<Sms> {
    let (mut all, store) = (vec![], c.s.axis.store().await);
    for message in c.s.world.letters.take(web::Queue::Notifications) {
        assert_eq!(message["type"], web::sms::SEND);
        assert!(!message.to_string().contains(NUMBER), "queues carry nothing personal");
        let place = store::Key::item("sms", message["id"].as_str().unwrap(), ".");
        all.push(store.read(&place).await.unwrap().expect("it waits"));
    }
    all
}

/// Nothing in it tells what it is about, or from whom it comes.
pub fn tells_nothing(text: &str) {
    let small = text.to_lowercase();
    for word in ["eap", "axis", "assist", "counsel", "session", "ada", "zenith", "therap", "ngozi", "case"] {
        assert!(!small.contains(word), "{word} in {text}");
    }
}

#[tokio::test]
async fn a_day_and_two_hours_before_the_person_hears_of_an_appointment_by_the_way_they_called_safe() {
    let c = Care::begin().await;
    let by_text = c.case(&safely(&c, "E1", "sms", "0803 123 4567").await, "anxiety").await;
    let by_letter = c.case(&safely(&c, "E2", "email", MAILBOX).await, "legal").await;
    let by_voice = c.case(&safely(&c, "E3", "phone", "0803 999 9999").await, "trauma").await;
    let unsaid = c.case(&c.employee("E4", json!({"email": "e4@zenith.example"})).await, "health").await;
    for (case, at) in [(&by_text, "09:00"), (&by_letter, "10:00"), (&by_voice, "11:00"), (&unsaid, "12:00")] {
        c.books(case, &format!("2026-12-01T{at}:00Z")).await.created();
    }
    c.s.world.letters.take(web::Queue::Notifications);
    c.s.at("2026-11-30T12:00:00Z");
    c.s.world.ring().await;
    let said = texts(&c).await;
    assert_eq!(said.len(), 1);
    assert_eq!((said[0].to.as_str(), said[0].unnamed), (NUMBER, true));
    assert_eq!(said[0].text.0, "Your appointment is on Tuesday, 1 December, at 10:00.");
    let until = said[0].until.round(jiff::Unit::Second).unwrap();
    assert_eq!(until.to_string(), "2026-12-01T09:00:00Z", "afterwards it is of no use");
    let letters = c.s.world.letters.every_letter();
    assert_eq!(letters.len(), 1, "who wants to be called, or said nothing, is not written to: {letters:?}");
    assert_eq!((letters[0].to.as_str(), letters[0].subject.as_str()), (MAILBOX, "Your appointment"));
    assert_eq!(letters[0].text, "Your appointment is on Tuesday, 1 December, at 11:00.\n");
    tells_nothing(&format!("{}{}", letters[0].text, said[0].text.0));
    c.s.world.ring().await;
    assert!(texts(&c).await.is_empty(), "each once");
    c.s.at("2026-12-01T07:00:00Z");
    c.s.world.ring().await;
    assert_eq!(texts(&c).await.len(), 1);
    assert_eq!(c.s.world.letters.every_letter().len(), 1, "an hour later");
    assert!(!c.s.axis.dump().await.contains("8031234567"));
}

#[tokio::test]
async fn a_cancelled_appointment_is_not_reminded_of() {
    let c = Care::begin().await;
    let case = c.case(&safely(&c, "E1", "sms", NUMBER).await, "anxiety").await;
    let session = c.books(&case, "2026-12-01T09:00:00Z").await.created();
    c.ends(&session, "cancel", json!({})).await.ok();
    c.s.at("2026-12-01T08:00:00Z");
    c.s.world.ring().await;
    assert!(texts(&c).await.is_empty());
}

#[tokio::test]
async fn a_way_that_cannot_be_gone_is_refused_where_it_is_said() {
    let c = Care::begin().await;
    for (safe, more) in [
        (json!({"channel": "sms"}), json!({})),
        (json!({"channel": "sms", "address": "my sister"}), json!({})),
        (json!({"channel": "email", "address": "0803 123 4567"}), json!({})),
    ] {
        let mut body = json!({
            "client": c.client["id"], "relation": "employee", "name": "Ngozi", "employee_number": "E9", "safe_contact": safe,
        });
        crate::stage::merge(&mut body, more);
        let refused = c.s.manager.post("/v1/eap/beneficiaries", body).await;
        assert_eq!(
            (refused.status, &refused.body["errors"][0]["pointer"]),
            (400, &json!("/safe_contact/address"))
        );
    }
    c.employee("E9", json!({"phone": "0803 123 4567", "safe_contact": {"channel": "sms"}})).await;
}

#[tokio::test]
async fn when_one_is_left_the_person_hears_it_by_the_safe_way_and_no_event_names_them() {
    let c = Care::under(json!({"session_cap": 2})).await;
    let person = safely(&c, "E1", "sms", NUMBER).await;
    let case = c.case(&person, "anxiety").await;
    let first = c.books(&case, "2026-11-24T09:00:00Z").await.created();
    c.s.at("2026-11-24T10:00:00Z");
    c.s.world.deliver().await;
    assert!(texts(&c).await.is_empty());
    c.ends(&first, "complete", json!({})).await.ok();
    c.s.world.deliver().await;
    let said = texts(&c).await;
    assert_eq!((said.len(), said[0].to.as_str()), (1, NUMBER));
    assert_eq!(said[0].text.0, "You have 1 more appointment left.");
    tells_nothing(&said[0].text);
    let told = c.s.world.events().await.into_iter().find(|e| e.kind == "eap_session.balance_low").unwrap();
    assert_eq!(told.data, json!({"case": case["id"], "counsellor": c.ada.1.user(), "left": 1}));
    c.s.world.hand_over(&told).await;
    assert!(texts(&c).await.is_empty(), "the queue may bring it twice");
}
