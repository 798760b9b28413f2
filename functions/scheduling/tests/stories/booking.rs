//! SCH-1: slots, booking, holds, moving, cancelling.

use crate::stage::{Stage, id, times};
use serde_json::json;

const NINE: &str = "2026-11-23T08:00:00Z";
const ELEVEN: &str = "2026-11-23T10:00:00Z";

/// Story 1.
#[tokio::test]
async fn a_morning_has_eleven_slots_and_a_day_of_leave_none() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let monday = s.free("2026-11-23").await;
    assert_eq!(monday.len(), 11, "{monday:?}");
    assert!(monday.contains(&"10:15".to_string()) && !monday.contains(&"10:30".to_string()));
    let leave = json!({
        "practitioner_id": s.prc, "from": "2026-11-23T23:00:00Z", "to": "2026-11-24T23:00:00Z", "kind": "leave",
    });
    s.desk.post("/v1/scheduling/blocks", leave).await.created();
    assert!(s.free("2026-11-24").await.is_empty());
    assert_eq!(s.free("2026-11-25").await.len(), 11);
    s.at("2026-11-23T08:59:30Z");
    assert_eq!(s.free("2026-11-23").await[0], "10:00", "what is past is not offered");
}

#[tokio::test]
async fn a_booked_slot_is_gone_and_the_record_says_everything() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({"room": "Room 3"})).await;
    let ada = s.patient().await;
    let mut wish = s.booking(&ada, NINE);
    wish["reason"] = "a cough that does not go".into();
    let made = s.desk.post("/v1/scheduling/appointments", wish).await.created();
    assert_eq!(
        (&made["status"], &made["minutes"], &made["room"]),
        (&json!("scheduled"), &json!(15), &json!("Room 3"))
    );
    assert_eq!((&made["source"], &made["booked_by"]), (&json!("desk"), &json!(s.desk.user())));
    assert_eq!(made["actions"], json!(["confirm", "no_show", "reschedule", "cancel", "check_in"]));
    assert_eq!(s.free("2026-11-23").await[0], "09:15");
    assert_eq!(s.events_of(&made).await, ["appointment.booked"]);
    assert!(!s.grace.dump().await.contains("a cough"), "the reason lies sealed");
    let listed = s
        .desk
        .get(&format!("/v1/scheduling/appointments?of={}&from=2026-11-23&to=2026-11-23", s.prc))
        .await
        .ok();
    assert_eq!(listed["data"][0]["id"], made["id"]);
    let hers = s.desk.get(&format!("/v1/scheduling/appointments?patient={ada}")).await.ok();
    assert_eq!(hers["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_taken_slot_is_refused_with_the_three_nearest() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    s.books(&s.patient().await, "2026-11-23T09:00:00Z").await;
    let second = s.booking(&s.patient().await, "2026-11-23T09:00:00Z");
    let refused = s.desk.post("/v1/scheduling/appointments", second).await.refused(409, "slot-taken");
    assert_eq!(times(&refused["alternatives"]), ["09:45", "10:15", "09:30"]);
}

/// Story 3.
#[tokio::test]
async fn slots_of_a_changed_length_still_clash_with_what_is_booked() {
    let s = Stage::set().await;
    let rule = s.mornings(&s.prc, json!({"slot_minutes": 30, "breaks": []})).await;
    s.books(&s.patient().await, NINE).await;
    s.admin.patch(&format!("/v1/scheduling/availabilities/{rule}"), json!({"slot_minutes": 20})).await.ok();
    let bo = s.patient().await;
    let book = |start: &str| s.desk.post("/v1/scheduling/appointments", s.booking(&bo, start));
    book("2026-11-23T08:20:00Z").await.refused(409, "slot-taken");
    book("2026-11-23T08:40:00Z").await.created();
}

/// Story 4 (its calendar half waits for SCH-4).
#[tokio::test]
async fn a_moved_appointment_frees_its_time_and_keeps_its_id() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let made = s.books(&s.patient().await, NINE).await;
    s.gives(&s.desk, "appointments", &made, "confirm", json!({})).await.ok();
    let moved = s
        .gives(&s.desk, "appointments", &made, "reschedule", json!({"start": ELEVEN, "reason": "she asked"}))
        .await
        .ok();
    assert_eq!(
        (&moved["id"], &moved["sequence"], &moved["status"]),
        (&made["id"], &json!(1), &json!("scheduled"))
    );
    assert_eq!((&moved["rescheduled_from"], &moved["start"]), (&json!(NINE), &json!(ELEVEN)));
    let free = s.free("2026-11-23").await;
    assert!(free.contains(&"09:00".into()) && !free.contains(&"11:00".into()));
    assert_eq!(
        s.events_of(&made).await,
        ["appointment.booked", "appointment.confirmed", "appointment.rescheduled"]
    );
}

#[tokio::test]
async fn a_move_onto_itself_keeps_the_common_time_and_one_onto_another_is_refused() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({"slot_minutes": 5, "breaks": []})).await;
    let mut wish = s.booking(&s.patient().await, NINE);
    wish["minutes"] = 30.into();
    let made = s.desk.post("/v1/scheduling/appointments", wish).await.created();
    let to = |start: &str| json!({"start": start, "reason": "the bus was late"});
    s.gives(&s.desk, "appointments", &made, "reschedule", to("2026-11-23T08:05:00Z")).await.ok();
    let claims = |s: &Stage| {
        let prc = s.prc.clone();
        let world = s.world.clone();
        async move {
            let all = world.scan().await;
            let mine = all
                .iter()
                .filter(|i| i["pk"].as_str().is_some_and(|pk| pk.contains("#slt#") && pk.contains(&prc)));
            let mut keys: Vec<String> = mine.map(|i| i["sk"].as_str().unwrap().to_string()).collect();
            keys.sort();
            keys
        }
    };
    assert_eq!(claims(&s).await, ["0805#0", "0810#0", "0815#0", "0820#0", "0825#0", "0830#0"]);
    let other = s.books(&s.patient().await, "2026-11-23T08:35:00Z").await;
    assert_eq!(other["minutes"], 5);
    let clash = s.gives(&s.desk, "appointments", &made, "reschedule", to("2026-11-23T08:10:00Z")).await;
    clash.refused(409, "slot-taken");
    assert_eq!(claims(&s).await.len(), 7, "a refused move changes nothing");
}

#[tokio::test]
async fn a_late_move_needs_a_reason() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let made = s.books(&s.patient().await, NINE).await;
    s.at("2026-11-23T06:01:00Z");
    let to = json!({"start": ELEVEN});
    s.gives(&s.desk, "appointments", &made, "reschedule", to.clone()).await.refused(422, "reason-required");
    s.at("2026-11-23T05:59:00Z");
    s.gives(&s.desk, "appointments", &made, "reschedule", to).await.ok();
}

#[tokio::test]
async fn a_cancelled_slot_is_free_again_and_the_clinic_says_why() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let made = s.books(&s.patient().await, NINE).await;
    let cancel = |body| s.gives(&s.desk, "appointments", &made, "cancel", body);
    cancel(json!({"code": "clinic"})).await.refused(422, "reason-required");
    let gone = cancel(json!({"code": "clinic", "text": "the doctor is ill"})).await.ok();
    assert_eq!((&gone["status"], &gone["cancel"]["code"]), (&json!("cancelled"), &json!("clinic")));
    assert_eq!(gone["actions"], json!([]));
    cancel(json!({"code": "patient"})).await.refused(422, "state");
    assert_eq!(s.events_of(&made).await, ["appointment.booked", "appointment.cancelled"]);
    s.books(&s.patient().await, NINE).await;
}

#[tokio::test]
async fn a_hold_becomes_a_booking_and_an_ended_one_is_anybodys() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let (ada, bo) = (s.patient().await, s.patient().await);
    let hold =
        |who: &str, start: &str| s.desk.post("/v1/scheduling/appointments/holds", s.booking(who, start));
    let held = hold(&ada, NINE).await.created();
    assert_eq!(held["status"], "held");
    assert!(held["held_until"].as_str().unwrap().starts_with("2026-11-23T06:05:0"), "five minutes");
    assert!(!s.free("2026-11-23").await.contains(&"09:00".into()), "a live hold counts as taken");
    s.desk.post("/v1/scheduling/appointments", s.booking(&bo, NINE)).await.refused(409, "slot-taken");
    let mut book = s.booking(&ada, NINE);
    book["hold"] = held["id"].clone();
    let booked = s.desk.post("/v1/scheduling/appointments", book.clone()).await.created();
    assert_eq!(
        (&booked["id"], &booked["status"], booked.get("held_until")),
        (&held["id"], &json!("scheduled"), None)
    );
    s.later(10);
    s.desk.post("/v1/scheduling/appointments", s.booking(&bo, NINE)).await.refused(409, "slot-taken");

    let late = hold(&ada, ELEVEN).await.created();
    s.later(6);
    s.books(&bo, ELEVEN).await;
    let mut book = s.booking(&ada, ELEVEN);
    book["hold"] = late["id"].clone();
    let refused = s.desk.post("/v1/scheduling/appointments", book).await.refused(409, "hold-expired");
    assert_eq!(refused["alternatives"].as_array().unwrap().len(), 3);
    s.world.ring().await;
    assert_eq!(s.shows("appointments", &late).await["status"], "expired");
}

#[tokio::test]
async fn a_patient_has_two_holds_at_most() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let ada = s.patient().await;
    let hold = |start: &str| s.desk.post("/v1/scheduling/appointments/holds", s.booking(&ada, start));
    let first = hold(NINE).await.created();
    hold("2026-11-23T08:15:00Z").await.created();
    hold(ELEVEN).await.refused(409, "too-many-holds");
    let mut book = s.booking(&ada, NINE);
    book["hold"] = first["id"].clone();
    s.desk.post("/v1/scheduling/appointments", book).await.created();
    hold(ELEVEN).await.created();
    s.later(6);
    hold("2026-11-23T10:15:00Z").await.created();
}

#[tokio::test]
async fn a_patient_is_at_one_place_at_a_time() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let other = s.practitioner(&s.someone(), json!({"display_name": "Dr Bello"})).await;
    s.mornings(&other, json!({})).await;
    let ada = s.patient().await;
    let first = s.books(&ada, NINE).await;
    let mut wish = s.booking(&ada, NINE);
    wish["practitioner_id"] = other.as_str().into();
    let refused = s.desk.post("/v1/scheduling/appointments", wish.clone()).await.refused(409, "patient-busy");
    assert_eq!(refused["appointment"], first["id"]);
    wish["allow_overlap"] = true.into();
    s.desk.post("/v1/scheduling/appointments", wish.clone()).await.refused(422, "overlap-not-allowed");
    wish["type"] = "procedure".into();
    s.desk.post("/v1/scheduling/appointments", wish.clone()).await.refused(422, "reason-required");
    wish["reason"] = "a drip while the doctor talks".into();
    s.desk.post("/v1/scheduling/appointments", wish).await.created();
}

#[tokio::test]
async fn patients_who_are_merged_deceased_or_unknown_are_not_booked() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let survivor = s.patient().await;
    let merged = s.patient_like(json!({"live": true, "status": "merged", "merged_into": survivor})).await;
    let dead = s.patient_like(json!({"live": false, "status": "deceased"})).await;
    let book = |who: &str| s.desk.post("/v1/scheduling/appointments", s.booking(who, NINE));
    assert_eq!(book(&merged).await.refused(409, "patient-merged")["survivor"], survivor.as_str());
    book(&dead).await.refused(409, "patient-deceased");
    book("pat_01ARZ3NDEKTSV4RRFFQ69G5FAV").await.refused(422, "unknown-patient");
    assert_eq!(s.free("2026-11-23").await.len(), 11, "nothing was taken");
}

#[tokio::test]
async fn what_the_profile_forbids_is_refused_and_the_desk_may_pass_notice_and_horizon() {
    let s = Stage::set().await;
    let edit = json!({"bookable_types": ["routine", "follow_up"], "max_per_day": 2, "max_ahead_days": 7});
    s.admin.patch(&format!("/v1/scheduling/practitioners/{}", s.prc), edit).await.ok();
    s.mornings(&s.prc, json!({})).await;
    let ada = s.patient().await;
    let mut vaccine = s.booking(&ada, NINE);
    vaccine["type"] = "vaccination".into();
    s.desk.post("/v1/scheduling/appointments", vaccine.clone()).await.refused(422, "type-not-offered");
    vaccine["type"] = "haircut".into();
    s.desk.post("/v1/scheduling/appointments", vaccine).await.refused(422, "unknown-type");
    let far = s.booking(&ada, "2026-12-07T08:00:00Z");
    s.doctor.post("/v1/scheduling/appointments", far.clone()).await.refused(422, "too-far-ahead");
    s.desk.post("/v1/scheduling/appointments", far).await.created();
    s.at("2026-11-23T07:30:00Z");
    s.doctor
        .post("/v1/scheduling/appointments", s.booking(&ada, NINE))
        .await
        .refused(422, "too-late-to-book");
    s.books(&ada, NINE).await;
    s.books(&s.patient().await, ELEVEN).await;
    let third = s.booking(&s.patient().await, "2026-11-23T10:15:00Z");
    s.desk.post("/v1/scheduling/appointments", third).await.refused(409, "day-full");
    s.at("2026-11-23T08:00:01Z");
    s.desk.post("/v1/scheduling/appointments", s.booking(&ada, NINE)).await.refused(422, "in-the-past");
}

#[tokio::test]
async fn overbooking_needs_the_right_and_a_reason() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    s.books(&s.patient().await, NINE).await;
    let mut wish = s.booking(&s.patient().await, NINE);
    wish["overbook"] = true.into();
    s.nurse.post("/v1/scheduling/appointments", wish.clone()).await.refused(403, "forbidden");
    s.desk.post("/v1/scheduling/appointments", wish.clone()).await.refused(422, "reason-required");
    wish["reason"] = "chest pain, seen between two".into();
    assert_eq!(s.desk.post("/v1/scheduling/appointments", wish).await.created()["lane"], 1);
    let mut night = s.booking(&s.patient().await, "2026-11-23T20:00:00Z");
    night["overbook"] = true.into();
    night["reason"] = "home visit".into();
    s.desk.post("/v1/scheduling/appointments", night).await.created();
}

#[tokio::test]
async fn a_slot_for_three_is_sold_three_times() {
    let s = Stage::set().await;
    let rule = s.mornings(&s.prc, json!({"capacity": 3})).await;
    for lane in 0..3 {
        assert_eq!(s.books(&s.patient().await, NINE).await["lane"], lane);
    }
    let fourth = s.booking(&s.patient().await, NINE);
    s.desk.post("/v1/scheduling/appointments", fourth).await.refused(409, "slot-taken");
    let path = format!("/v1/scheduling/availabilities/{rule}");
    let sold = s.admin.patch(&path, json!({"capacity": 1})).await.refused(409, "capacity-sold");
    assert_eq!(sold["appointments"].as_array().unwrap().len(), 2);
    s.admin.patch(&path, json!({"capacity": 5})).await.ok();
}

#[tokio::test]
async fn nobody_comes_and_the_clock_says_so_once() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let made = s.books(&s.patient().await, NINE).await;
    s.gives(&s.desk, "appointments", &made, "no_show", json!({})).await.refused(422, "too-early");
    s.at("2026-11-23T08:44:00Z");
    s.world.ring().await;
    assert_eq!(
        s.shows("appointments", &made).await["status"],
        "scheduled",
        "its end is 08:15, half an hour is not over"
    );
    s.at("2026-11-23T08:46:00Z");
    s.world.ring().await;
    let gone = s.shows("appointments", &made).await;
    assert_eq!(gone["status"], "no_show");
    let row = json!({"type": "due.apt.no_show", "tenant": s.grace.id.prefix(), "id": made["id"], "at": "2026-11-23T08:45:00.000Z"});
    s.world.hand_over_other(&row).await;
    assert_eq!(
        s.shows("appointments", &made).await["version"],
        gone["version"],
        "a second ring changes nothing"
    );
    assert_eq!(s.free("2026-11-23").await.len(), 7, "its time stays taken: 08:46Z is 09:46");
}

/// Story 13: the reminder a day before; confirming by the desk (the signed link comes with the notifications).
#[tokio::test]
async fn a_reminder_is_due_a_day_and_two_hours_before() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let made = s.books(&s.patient().await, "2026-11-25T09:00:00Z").await;
    assert_eq!(made["reminders"], json!(["2026-11-24T09:00:00Z", "2026-11-25T07:00:00Z"]));
    s.at("2026-11-24T08:59:00Z");
    assert!(s.world.ring().await.is_empty());
    s.at("2026-11-24T09:00:00Z");
    assert_eq!(s.world.ring().await, ["due.apt.reminder"]);
    assert!(s.world.ring().await.is_empty(), "once");
    s.gives(&s.desk, "appointments", &made, "confirm", json!({})).await.ok();
    s.at("2026-11-25T07:00:00Z");
    s.world.ring().await;
    let said = s.events_of(&made).await;
    let reminders = said.iter().filter(|k| *k == "appointment.reminder_due").count();
    assert_eq!((reminders, s.shows("appointments", &made).await["reminders"].clone()), (2, json!([])));
}

#[tokio::test]
async fn the_same_key_books_once() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let wish = s.booking(&s.patient().await, NINE);
    let ask = || s.desk.call("POST", "/v1/scheduling/appointments").key("k-1").body(wish.clone()).send();
    let (first, again) = (ask().await, ask().await);
    assert_eq!((first.status, &first.bytes), (201, &again.bytes));
    assert_eq!(again.status, 201);
    assert_eq!(s.free("2026-11-23").await.len(), 10);
    assert!(id(&first.body).starts_with("apt_"));
}
