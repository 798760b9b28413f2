//! Round trips: what the routes state is what happens. Requests side by side are one round.

use crate::stage::Stage;
use serde_json::{Value, json};

fn stated(operation: &str) -> u64 {
    let module = scheduling::module();
    let route =
        module.routes.iter().find(|r| r.operation == operation).unwrap_or_else(|| panic!("{operation}"));
    u64::from(route.trips)
}

#[tokio::test]
async fn every_operation_keeps_to_the_rounds_it_states() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let (ada, bo) = (s.patient().await, s.patient().await);
    s.desk.get(&format!("/v1/scheduling/practitioners?site={}", s.site)).await.ok();
    let within = |operation: &str| {
        s.world.spends_at_most(stated(operation), operation);
    };
    s.world.rounds();
    s.free("2026-11-23").await;
    s.world.spends(1, "rules ∥ claims ∥ days");
    let booked = s.books(&ada, "2026-11-23T08:00:00Z").await;
    s.world.spends(2, "booking: a wave and the commit");
    s.arrives(&ada, &booked).await;
    s.world.spends(2, "checking in: the day's first");
    let visit = s.checks_in(&bo).await;
    s.world.spends(2, "checking in");
    s.calls_next(&visit["queue_id"]).await;
    s.world.spends(2, "calling: a query and the commit");
    let path = format!("/v1/scheduling/queues/{}", visit["queue_id"].as_str().unwrap());
    s.desk.get(&format!("{path}/board")).await.ok();
    within("queue.board");
    s.desk.get(&format!("{path}/page")).await.ok();
    within("queue.page");
    s.gives(&s.doctor, "patient_visits", &visit, "start", json!({})).await;
    within("patient_visit.start");
    let second = s.books(&bo, "2026-11-23T08:15:00Z").await;
    s.world.rounds();
    let to = json!({"start": "2026-11-23T10:00:00Z", "reason": "x"});
    s.gives(&s.desk, "appointments", &second, "reschedule", to).await.ok();
    within("appointment.reschedule");
    s.gives(&s.desk, "appointments", &second, "cancel", json!({"code": "patient"})).await.ok();
    within("appointment.cancel");
    let other = json!({
        "practitioner_id": s.prc, "site": s.site, "valid_from": "2026-11-01", "weekdays": ["saturday"],
        "start": "09:00", "end": "12:00",
    });
    s.admin.post("/v1/scheduling/availabilities", other).await.created();
    within("availability.create");
}

/// 15 minutes: three units of the practitioner, three of the patient.
#[tokio::test]
async fn a_quarter_of_an_hour_is_eleven_writes() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let before = s.world.scan().await.len();
    let wish = s.booking(&s.patient().await, "2026-11-23T08:00:00Z");
    let known = s.world.scan().await.len() - before;
    assert_eq!(known, 1, "the patient's fact");
    s.desk.call("POST", "/v1/scheduling/appointments").key("k-1").body(wish).send().await.created();
    let items: Vec<Value> = s.world.scan().await;
    // Record, change, idempotency and six claims; the two checks write nothing.
    assert_eq!(items.len() - before - known, 9);
}
