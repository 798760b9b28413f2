//! At a decent hour: quiet hours, digests, what is moved meanwhile.

use crate::stage::{Stage, phone, time, words};
use serde_json::{Value, json};

fn reminder(stage: &Stage, patient: &str, record: &str, version: u64) -> events::Envelope {
    let data = json!({"appointment": record, "patient": patient, "site": stage.grace.sites[0],
        "start": "2026-11-21T10:00:00Z", "minutes": 30, "sequence": 0});
    let mut event = stage.event("appointment.reminder_due", data);
    (event.id, event.record, event.version) = (format!("apt#{record}#{version}"), record.into(), version);
    event
}

#[tokio::test]
async fn a_reminder_due_at_two_is_sent_at_eight_and_a_critical_result_at_once() {
    let stage = Stage::set().await;
    stage.at("2026-11-21T01:00:00Z");
    let patient = stage.patient("Ada Okafor", Value::Null).await;
    let doctor = stage.staff("Bola Ahmed", "doctor").await;
    stage.happens(&reminder(&stage, &patient, "apt_01J00000000000000000000001", 1)).await;
    let critical =
        json!({"result": "lbr_1", "patient": patient, "ordered_by": doctor.user(), "urgency": "stat"});
    stage.happens(&stage.event("critical_value.opened", critical)).await;
    assert_eq!(stage.sms.to(&phone("Bola Ahmed")).len(), 1, "critical passes the night");
    assert_eq!(stage.sms.to(&phone("Ada Okafor")).len(), 0);
    let held = stage.deliveries("held").await.remove(0);
    assert_eq!(held["held"], "quiet_hours");
    let until = time(&held["held_until"]);
    let eight = "2026-11-21T07:00:00Z".parse().unwrap();
    assert!(until >= eight && until < eight + jiff::SignedDuration::from_mins(10), "{until}");
    stage.at("2026-11-21T06:59:00Z");
    stage.beat().await;
    assert_eq!(stage.sms.to(&phone("Ada Okafor")).len(), 0);
    stage.at("2026-11-21T07:10:00Z");
    stage.beat().await;
    stage.beat().await;
    assert_eq!(stage.sms.to(&phone("Ada Okafor")).len(), 1);
}

#[tokio::test]
async fn an_appointment_that_moves_meanwhile_takes_its_reminder_with_it() {
    let stage = Stage::set().await;
    stage.at("2026-11-21T01:00:00Z");
    let patient = stage.patient("Ada Okafor", Value::Null).await;
    let (moves, stays) = ("apt_01J00000000000000000000001", "apt_01J00000000000000000000002");
    for record in [moves, stays] {
        stage.happens(&reminder(&stage, &patient, record, 3)).await;
    }
    let mut moved = reminder(&stage, &patient, moves, 4);
    moved.kind = "appointment.cancelled".into();
    moved.data["code"] = json!("practitioner");
    stage.happens(&moved).await;
    stage.at("2026-11-21T07:15:00Z");
    stage.beat().await;
    let texts: Vec<String> = stage.sms.to(&phone("Ada Okafor")).into_iter().map(|m| m.text).collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts.iter().any(|t| t.contains("will not take place")));
    assert_eq!(words(&json!(stage.deliveries("skipped").await), "skipped"), ["superseded"]);
}

#[tokio::test]
async fn what_runs_low_is_one_letter_a_day_at_the_pharmacists_hour() {
    let stage = Stage::set().await;
    let pharmacist = stage.staff("Ada Okafor", "pharmacist").await;
    pharmacist.patch("/v1/notifications/preferences", json!({"digest_hour": 17})).await.ok();
    for (n, name) in ["amoxicillin", "paracetamol", "insulin"].iter().enumerate() {
        let data = json!({"item": format!("itm_{n}"), "name": name, "left": n, "site": stage.grace.sites[0]});
        let event = stage.event("stock.ran_low", data);
        stage.happens(&event).await;
        stage.happens(&event).await;
        stage.later(5);
    }
    assert_eq!(stage.inbox(&pharmacist).await.len(), 3, "the inbox has each at once");
    assert_eq!(stage.email.all().len(), 0);
    let held = stage.deliveries("held").await;
    assert_eq!((held.len(), held[0]["held_until"].clone()), (1, json!("2026-11-20T16:00:00Z")));
    stage.at("2026-11-20T16:00:30Z");
    stage.beat().await;
    stage.beat().await;
    let letters = stage.email.all();
    assert_eq!(letters.len(), 1);
    for name in ["amoxicillin", "paracetamol", "insulin"] {
        assert!(letters[0].text.contains(name), "{}", letters[0].text);
    }
}

#[tokio::test]
async fn a_suspended_organisation_gets_account_messages_only() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "tenant_admin").await;
    stage.grace.change_gate(|g| g.status = web::gate::Status::Suspended).await;
    stage.happens(&stage.event("limit.reached", json!({"limit": "users"}))).await;
    let unpaid = json!({"invoice": "inv_1", "number": "S-1", "due_on": "2026-11-01", "days": 19,
        "amount": {"amount": "150000.00", "currency": "NGN"}});
    stage.happens(&stage.event("subscription_invoice.overdue", unpaid)).await;
    let subjects: Vec<String> = stage.email.all().into_iter().map(|m| m.subject).collect();
    assert_eq!(subjects, ["Your subscription is unpaid"]);
    stage.grace.change_gate(|g| g.status = web::gate::Status::Active).await;
    assert_eq!(stage.inbox(&ada).await.len(), 1);
}
