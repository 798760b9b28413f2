//! Sending: tries, failures, suppressed addresses, and the way that follows.

use crate::stage::{Contact, Stage, Turn, address, phone, words};
use notifications::Trouble;
use serde_json::{Value, json};
use store::facts;

/// An invoice is due: a letter.
async fn due(stage: &Stage, of: &testkit::Actor) {
    let data = json!({
        "invoice": "inv_01J00000000000000000000000", "payer": of.user(), "number": "INV-1", "due_on": "2026-12-01",
        "amount": {"amount": "1250.00", "currency": "NGN"}, "days": 7,
    });
    stage.happens(&stage.event("invoice.due", data)).await;
}

fn status(ways: &[Value]) -> Vec<String> {
    words(&json!(ways), "status")
}

#[tokio::test]
async fn a_provider_that_fails_twice_is_tried_three_times_and_one_letter_goes() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "patient").await;
    stage.email.busy(2);
    due(&stage, &ada).await;
    assert_eq!(status(&stage.ways(&ada).await), ["queued"]);
    for _ in 0..3 {
        stage.later(2);
        stage.beat().await;
    }
    let way = stage.ways(&ada).await.remove(0);
    assert_eq!(way["status"], "sent");
    assert_eq!(words(&way["attempts"], "code"), ["busy", "busy", "sent"]);
    assert_eq!(stage.email.all().len(), 1);
}

#[tokio::test]
async fn eight_failures_are_a_dead_letter_that_is_seen_and_sent_again() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "patient").await;
    stage.email.busy(8);
    due(&stage, &ada).await;
    for _ in 0..60 {
        stage.later(30);
        stage.beat().await;
    }
    let dead = stage.deliveries("failed").await;
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0]["attempts"].as_array().unwrap().len(), 8);
    assert_eq!(dead[0]["address"], "a•••@example.org", "an address is shown masked");
    let failed: Vec<_> =
        stage.world.events().await.into_iter().filter(|e| e.kind == "notification.failed").collect();
    assert_eq!(failed[0].data["code"], "busy");
    let admin = stage.grace.staff("tenant_admin");
    let path = format!("/v1/notifications/deliveries/{}/resend", dead[0]["id"].as_str().unwrap());
    stage.grace.staff("nurse").post(&path, json!({})).await.refused(403, "forbidden");
    admin.post(&path, json!({"reason": "the sender is mended"})).await.ok();
    stage.queue().await;
    let way = stage.ways(&ada).await.remove(0);
    assert_eq!((way["status"].clone(), way["attempts"].as_array().unwrap().len()), (json!("sent"), 9));
    assert_eq!(stage.email.all().len(), 1);
    admin.post(&path, json!({})).await.refused(409, "already-delivered");
    let history = admin.get(&path.replace("/resend", "/history")).await.ok();
    assert!(words(&history["data"], "action").contains(&"resend".to_string()));
}

#[tokio::test]
async fn many_dead_letters_are_sent_again_at_once() {
    let stage = Stage::set().await;
    let never = Trouble::Never { provider: "courier".into(), code: "rejected".into() };
    stage.email.script(std::iter::repeat_n(Turn::Refuse(never), 3));
    for name in ["Ada Okafor", "Bola Ahmed", "Chika Obi"] {
        let person = stage.staff(name, "patient").await;
        due(&stage, &person).await;
    }
    assert_eq!(stage.deliveries("failed").await.len(), 3);
    let admin = stage.grace.staff("tenant_admin");
    let sms = admin.post("/v1/notifications/deliveries/resend", json!({"channel": "sms"})).await.ok();
    assert_eq!(sms, json!({"resent": 0}));
    let some = admin.post("/v1/notifications/deliveries/resend", json!({"max": 2})).await.ok();
    assert_eq!(some, json!({"resent": 2}));
    stage.queue().await;
    assert_eq!((stage.email.all().len(), stage.deliveries("failed").await.len()), (2, 1));
}

/// What SES says of a delivery.
async fn ses(stage: &Stage, of: &Value, kind: &str, more: Value) {
    let mut event = json!({
        "eventType": kind,
        "mail": {"messageId": "m1", "tags": {"tenant": [stage.grace.id.prefix()], "delivery": [of["id"]]}},
    });
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    stage.world.hand_over_other(&json!({"type": "ses.event", "event": event})).await;
}

#[tokio::test]
async fn a_hard_bounce_suppresses_the_address_until_somebody_lifts_it_with_a_reason() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "patient").await;
    due(&stage, &ada).await;
    let way = stage.ways(&ada).await.remove(0);
    let bounce = json!({"bounce": {"bounceType": "Permanent", "bounceSubType": "General"}});
    for _ in 0..2 {
        ses(&stage, &way, "Bounce", bounce.clone()).await;
    }
    assert_eq!(status(&stage.ways(&ada).await), ["bounced"]);
    due(&stage, &ada).await;
    let next = stage.ways(&ada).await.remove(0);
    assert_eq!((next["status"].clone(), next["skipped"].clone()), (json!("skipped"), json!("suppressed")));
    assert_eq!(stage.email.all().len(), 1);
    // Bola shares no address with her.
    let bola = stage.staff("Bola Ahmed", "patient").await;
    due(&stage, &bola).await;
    assert_eq!(stage.email.to(&address("Bola Ahmed")).len(), 1);

    let admin = stage.grace.staff("tenant_admin");
    let list = admin.get("/v1/notifications/suppressions").await.ok();
    assert_eq!(words(&list["data"], "reason"), ["bounce"]);
    let lift = format!("/v1/notifications/suppressions/{}/lift", list["data"][0]["id"].as_str().unwrap());
    admin.post(&lift, json!({})).await.refused(422, "reason-required");
    admin.post(&lift, json!({"reason": "the mailbox is there again"})).await.ok();
    due(&stage, &ada).await;
    assert_eq!(stage.email.to(&address("Ada Okafor")).len(), 2);
    let events: Vec<String> = stage.world.events().await.into_iter().map(|e| e.kind).collect();
    for wanted in ["delivery.bounced", "delivery.suppressed"] {
        assert_eq!(events.iter().filter(|e| *e == wanted).count(), 1, "{wanted}");
    }
}

#[tokio::test]
async fn where_a_letter_bounced_the_next_way_is_taken() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "patient").await;
    ada.patch("/v1/notifications/preferences", json!({"preferred": "email"})).await.ok();
    let booked = || {
        let data = json!({"appointment": "apt_01J00000000000000000000000", "patient": ada.user(), "site": stage.grace.sites[0],
            "start": "2026-11-25T09:00:00Z", "minutes": 30, "sequence": 0});
        stage.event("appointment.booked", data)
    };
    stage.happens(&booked()).await;
    assert_eq!((stage.email.all().len(), stage.sms.all().len()), (1, 0));
    let way = stage.ways(&ada).await.remove(0);
    ses(&stage, &way, "Bounce", json!({"bounce": {"bounceType": "Permanent"}})).await;
    stage.queue().await;
    assert_eq!(stage.sms.to(&phone("Ada Okafor")).len(), 1, "the SMS follows the bounce");
    stage.later(1);
    stage.happens(&booked()).await;
    assert_eq!((stage.email.all().len(), stage.sms.all().len()), (1, 2), "and goes at once the next time");
    let ways = stage.ways(&ada).await;
    assert_eq!(words(&json!(ways), "channel").len(), 2);
}

#[tokio::test]
async fn a_complaint_ends_the_letters_to_an_address() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "patient").await;
    due(&stage, &ada).await;
    let way = stage.ways(&ada).await.remove(0);
    ses(&stage, &way, "Delivery", json!({})).await;
    ses(&stage, &way, "Complaint", json!({"complaint": {"complaintFeedbackType": "abuse"}})).await;
    assert_eq!(status(&stage.ways(&ada).await), ["complained"]);
    due(&stage, &ada).await;
    assert_eq!(stage.email.all().len(), 1);
}

#[tokio::test]
async fn an_sms_report_is_known_by_the_providers_own_id() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "patient").await;
    let data = json!({"patient": ada.user(), "number": "G-1", "site": stage.grace.sites[0]});
    stage.happens(&stage.event("patient.registered", data)).await;
    let heard = stage.event(
        "provider_event.received",
        json!({"status": "delivered", "provider": "courier", "provider_id": "m1"}),
    );
    stage.happens(&heard).await;
    assert_eq!(status(&stage.ways(&ada).await), ["delivered"]);
    let stranger = json!({"type": "delivery.status", "tenant": stage.grace.id.prefix(), "provider": "courier", "provider_id": "m9", "status": "delivered"});
    let message = web::Message::Other(stranger);
    let unknown = web::consume(&stage.world.modules[0], &stage.world.app, &message).await;
    assert!(unknown.is_err(), "it comes again, and ends among the dead letters");
}

#[tokio::test]
async fn what_a_connector_has_read_of_its_provider_is_shown_once() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "patient").await;
    let data = json!({"patient": ada.user(), "number": "G-1", "site": stage.grace.sites[0]});
    stage.happens(&stage.event("patient.registered", data)).await;
    assert_eq!(status(&stage.ways(&ada).await), ["sent"]);
    let tells = async |status: &str| {
        let heard = json!({"type": "delivery.status", "tenant": stage.grace.id.prefix(), "provider": "courier", "provider_id": "m1", "status": status});
        stage.world.hand_over_other(&heard).await;
        stage.ways(&ada).await.remove(0)
    };
    let told = tells("delivered").await;
    assert_eq!(told["status"], "delivered");
    assert_eq!(tells("delivered").await, told);
    assert_eq!(tells("accepted").await, told, "what comes late takes nothing back");
}

#[tokio::test]
async fn what_nobody_has_read_leaves_the_inbox_after_a_year_and_its_letter_a_month_later() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "patient").await;
    due(&stage, &ada).await;
    let rung = async |day: &str| {
        stage.at(&format!("{day}T09:00:00Z"));
        let rung = stage.beat().await;
        (rung, stage.inbox(&ada).await.len(), stage.deliveries("sent").await.len())
    };
    let none = Vec::<String>::new();
    assert_eq!(rung("2027-11-19").await, (none, 1, 1));
    assert_eq!(rung("2027-11-21").await, (vec!["due.ntf.purge".into()], 0, 1));
    assert_eq!(rung("2027-12-16").await, (vec!["due.dlv.purge".into()], 0, 0));
}

#[tokio::test]
async fn the_dead_and_those_who_want_no_contact_are_not_written_to() {
    let stage = Stage::set().await;
    let silent = stage.patient("Chidi Eze", json!({"do_not_contact": true})).await;
    let dead = stage.patient("Dayo Ojo", Value::Null).await;
    let at = json!({"at": "2026-11-19T00:00:00Z"});
    stage.grace.store().await.commit().fact(facts::DECEASED, &dead, &at).run().await.unwrap();
    for patient in [&silent, &dead] {
        let data = json!({"patient": patient, "number": "G-1", "site": stage.grace.sites[0]});
        stage.happens(&stage.event("patient.registered", data)).await;
    }
    assert_eq!((stage.sms.all().len(), stage.email.all().len()), (0, 0));
    let skipped = stage.deliveries("skipped").await;
    assert_eq!(words(&json!(skipped), "skipped"), ["do_not_contact"], "of the dead there is nothing at all");
}

#[tokio::test]
async fn whoever_dies_or_moves_while_it_waits_is_looked_at_again() {
    let stage = Stage::set().await;
    stage.at("2026-11-20T22:00:00Z");
    let (ada, dead) =
        (stage.patient("Ada Okafor", Value::Null).await, stage.patient("Dayo Ojo", Value::Null).await);
    for patient in [&ada, &dead] {
        let data = json!({"patient": patient, "number": "G-1", "site": stage.grace.sites[0]});
        stage.happens(&stage.event("patient.registered", data)).await;
    }
    assert_eq!(stage.deliveries("held").await.len(), 2, "it is night");
    let moved =
        Contact { phone: Some(seal::Sealed("+2348099999999".into())), ..Contact::of("Ada Okafor", None) };
    let at = json!({"at": "2026-11-20T23:00:00Z"});
    let commit = stage.grace.store().await.commit().fact(facts::CONTACT, &ada, &moved).fact(
        facts::DECEASED,
        &dead,
        &at,
    );
    commit.run().await.unwrap();
    stage.at("2026-11-21T07:15:00Z");
    stage.beat().await;
    assert_eq!(stage.sms.to("+2348099999999").len(), 1, "the address is read when it is sent");
    assert_eq!(stage.sms.all().len(), 1);
    assert_eq!(words(&json!(stage.deliveries("skipped").await), "skipped"), ["deceased"]);
}

#[tokio::test]
async fn a_push_goes_to_the_devices_of_a_person_and_forgets_those_that_are_gone() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let device = |token: &str| json!({"platform": "fcm", "token": token, "device": "phone"});
    let path = "/v1/notifications/push_endpoints";
    let first = ada.post(path, device("token-of-the-old-one")).await.created();
    assert_eq!(first["token"], "••••••••");
    ada.post(path, device("token-of-the-new-one")).await.created();
    ada.post(path, device("token-of-the-new-one")).await.created();
    assert_eq!(
        ada.get(path).await.ok()["data"].as_array().unwrap().len(),
        2,
        "the same token is the same device"
    );
    stage.grace.staff("nurse").delete(&format!("{path}/{}", first["id"].as_str().unwrap())).await.missing();
    let gone = Trouble::Gone { provider: "courier".into(), code: "unregistered".into() };
    stage.push.script([Turn::Refuse(gone)]);
    let task = json!({"task": "tsk_1", "assignee": ada.user(), "priority": "urgent"});
    stage.happens(&stage.event("task.assigned", task)).await;
    assert_eq!(stage.push.all().len(), 1);
    assert_eq!(status(&stage.ways(&ada).await), ["sent"]);
    assert_eq!(ada.get(path).await.ok()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn one_click_at_the_foot_of_a_letter_ends_its_category_and_no_other() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "patient").await;
    due(&stage, &ada).await;
    let letter = stage.email.to(&address("Ada Okafor")).remove(0);
    let url = letter.unsubscribe.expect("a link");
    let path = url.strip_prefix("https://app.test").unwrap();
    let stranger = stage.world.stranger();
    for _ in 0..2 {
        stranger.post(path, json!({})).await.done();
    }
    let mut forged = path.to_string();
    forged.truncate(path.len() - 4);
    stranger.post(&format!("{forged}AAAA"), json!({})).await.missing();
    stage.later(1);
    due(&stage, &ada).await;
    assert_eq!(stage.email.all().len(), 1);
    assert_eq!(stage.ways(&ada).await[0]["skipped"], "preference");
    let locked = stage.event("user.locked", json!({"user": ada.user()}));
    stage.happens(&locked).await;
    let account = stage.email.all().pop().unwrap();
    assert_eq!((account.subject.as_str(), account.unsubscribe), ("Your account is locked", None));
}
