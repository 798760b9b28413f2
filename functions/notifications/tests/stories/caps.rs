//! Caps: of the plan, and of how often one person is written to.

use crate::stage::{Stage, words};
use serde_json::{Value, json};

async fn registered(stage: &Stage, tenant: &testkit::Tenant, patient: &str) {
    let data = json!({"patient": patient, "number": "G-1", "site": tenant.sites[0]});
    stage.happens(&stage.event_of(tenant, "patient.registered", data)).await;
}

/// As if so many had been sent in this window already.
async fn counted(stage: &Stage, window: &str, stamp: &str, count: i64) {
    let store = stage.grace.store().await;
    let key = store::Key::item("metric", format!("cap~sms~{window}~0"), stamp);
    store.commit().put(&key, &json!({"count": count})).run().await.unwrap();
}

#[tokio::test]
async fn the_201st_sms_of_a_day_waits_for_tomorrow_and_a_critical_one_still_goes() {
    let stage = Stage::set().await;
    stage.grace.change_gate(|g| g.plan = "Basic".into()).await;
    counted(&stage, "day", "2026-11-20", 199).await;
    let (first, second) =
        (stage.patient("Ada Okafor", Value::Null).await, stage.patient("Bola Ahmed", Value::Null).await);
    registered(&stage, &stage.grace, &first).await;
    registered(&stage, &stage.grace, &second).await;
    assert_eq!(stage.sms.all().len(), 1);
    let deferred = stage.deliveries("deferred").await.remove(0);
    assert_eq!(deferred["held"], "cap");
    let until = crate::stage::time(&deferred["held_until"]);
    let midnight = "2026-11-20T23:00:00Z".parse().unwrap();
    assert!(until >= midnight && until <= midnight + jiff::SignedDuration::from_mins(10), "{until}");
    let doctor = stage.staff("Chika Obi", "doctor").await;
    let critical = json!({"patient": first, "ordered_by": doctor.user(), "urgency": "stat"});
    stage.happens(&stage.event("critical_value.opened", critical)).await;
    assert_eq!(stage.sms.all().len(), 2, "critical takes from the reserve");
    // Another organisation is untouched.
    let hope = stage.world.clinic("hope").await;
    let other = stage.staff_of(&hope, "Dayo Ojo", "patient", "*").await;
    registered(&stage, &hope, &other.user()).await;
    assert_eq!(stage.sms.all().len(), 3);
    // Told once, however many wait.
    let third = stage.patient("Emeka Udo", Value::Null).await;
    registered(&stage, &stage.grace, &third).await;
    let reached: Vec<_> =
        stage.world.events().await.into_iter().filter(|e| e.kind == "cap.reached").collect();
    assert_eq!(reached.len(), 1);
    assert_eq!(reached[0].data, json!({"channel": "sms", "window": "day", "percent": 100}));
    let caps = stage.grace.staff("tenant_admin").get("/v1/notifications/caps").await.ok();
    let sms = caps["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["channel"] == "sms" && c["window"] == "day")
        .unwrap();
    assert_eq!((sms["most"].clone(), sms["used"].clone()), (json!(200), json!(201)));
    // And tomorrow it goes, after the night.
    stage.at("2026-11-21T08:00:00Z");
    for _ in 0..3 {
        stage.beat().await;
    }
    assert_eq!(stage.deliveries("deferred").await.len(), 0);
    for name in ["Ada Okafor", "Bola Ahmed", "Emeka Udo"] {
        assert_eq!(stage.sms.to(&crate::stage::phone(name)).len(), 1, "{name}");
    }
}

#[tokio::test]
async fn four_fifths_of_a_day_are_told_of() {
    let stage = Stage::set().await;
    stage.grace.change_gate(|g| g.plan = "Basic".into()).await;
    counted(&stage, "day", "2026-11-20", 159).await;
    for name in ["Ada Okafor", "Bola Ahmed"] {
        let patient = stage.patient(name, Value::Null).await;
        registered(&stage, &stage.grace, &patient).await;
    }
    let reached: Vec<_> =
        stage.world.events().await.into_iter().filter(|e| e.kind == "cap.reached").collect();
    assert_eq!(reached.len(), 1);
    assert_eq!(reached[0].data["percent"], 80);
}

#[tokio::test]
async fn nobody_is_written_to_more_than_ten_times_an_hour_but_for_what_is_critical() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "patient").await;
    for _ in 0..12 {
        registered(&stage, &stage.grace, &ada.user()).await;
    }
    assert_eq!(stage.sms.all().len(), 10);
    assert_eq!(stage.deliveries("deferred").await.len(), 2);
    stage.at("2026-11-20T10:00:30Z");
    stage.beat().await;
    assert_eq!(stage.sms.all().len(), 12);
}

#[tokio::test]
async fn an_administrator_reads_of_a_reached_cap_in_the_inbox_and_by_no_other_way() {
    let stage = Stage::set().await;
    let admin = stage.staff("Ada Okafor", "tenant_admin").await;
    let reached = stage.event("cap.reached", json!({"channel": "email", "window": "day", "percent": 100}));
    stage.happens(&reached).await;
    assert_eq!(words(&json!(stage.inbox(&admin).await), "event"), ["cap.reached"]);
    assert_eq!((stage.email.all().len(), stage.sms.all().len(), stage.push.all().len()), (0, 0, 0));
}
