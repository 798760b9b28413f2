//! What must hold however many do it at once, where transactions contend as they do in the cloud.

use crate::stage::Stage;
use futures::future::join_all;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use testkit::{Actor, Reply};

const NINE: &str = "2026-11-23T08:00:00Z";

/// All at once, each on a task of its own.
async fn together(who: &Actor, calls: Vec<(String, Value)>) -> Vec<Reply> {
    let one = |(path, body): (String, Value)| {
        let who = who.clone();
        tokio::spawn(async move { who.post(&path, body).await })
    };
    join_all(calls.into_iter().map(one)).await.into_iter().map(|r| r.expect("an answer")).collect()
}

fn outcomes(replies: &[Reply]) -> BTreeMap<(u16, String), usize> {
    let mut counts = BTreeMap::new();
    for reply in replies {
        // An appointment has a `type` too: only a refusal's is a code.
        let code = if reply.status < 400 { "" } else { reply.code() };
        *counts.entry((reply.status, code.to_string())).or_default() += 1;
    }
    counts
}

/// Story 2.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_is_never_sold_twice() {
    let s = Stage::contended().await;
    s.mornings(&s.prc, json!({})).await;
    let patients = s.patients(100).await;
    let calls = patients.iter().map(|p| ("/v1/scheduling/appointments".into(), s.booking(p, NINE)));
    let replies = together(&s.desk, calls.collect()).await;
    let wanted = BTreeMap::from([((201, String::new()), 1), ((409, "slot-taken".into()), 99)]);
    assert_eq!(outcomes(&replies), wanted);
    let refused = replies.iter().filter(|r| r.status == 409);
    assert!(refused.clone().all(|r| r.body["alternatives"].as_array().is_some_and(|a| a.len() == 3)));
    let all = s.world.scan().await;
    let made =
        all.iter().filter(|i| i["sk"] == "." && i["pk"].as_str().is_some_and(|pk| pk.contains("#apt#apt_")));
    assert_eq!(made.count(), 1, "one appointment in the table");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overlapping_starts_of_unequal_length_clash_too() {
    let s = Stage::contended().await;
    s.mornings(&s.prc, json!({"breaks": []})).await;
    let mut calls = vec![];
    for (n, patient) in s.patients(20).await.iter().enumerate() {
        let (start, minutes) = if n % 2 == 0 { (NINE, 30) } else { ("2026-11-23T08:15:00Z", 15) };
        let mut wish = s.booking(patient, start);
        wish["minutes"] = minutes.into();
        calls.push(("/v1/scheduling/appointments".to_string(), wish));
    }
    let counts = outcomes(&together(&s.desk, calls).await);
    assert_eq!(counts[&(201, String::new())], 1, "{counts:?}");
}

/// Story 5.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_for_thirty_is_sold_thirty_times() {
    let s = Stage::contended().await;
    s.mornings(&s.prc, json!({"mode": "session", "capacity": 30, "types": ["antenatal"], "breaks": []}))
        .await;
    let patients = s.patients(31).await;
    let wish = |p: &String| {
        let mut wish = s.booking(p, NINE);
        wish["type"] = "antenatal".into();
        ("/v1/scheduling/appointments".to_string(), wish)
    };
    let replies = together(&s.desk, patients.iter().map(wish).collect()).await;
    let wanted = BTreeMap::from([((201, String::new()), 30), ((409, "slot-taken".into()), 1)]);
    assert_eq!(outcomes(&replies), wanted);
    let seats: BTreeSet<u64> = replies.iter().filter_map(|r| r.body["lane"].as_u64()).collect();
    assert_eq!(seats, (0..30).collect());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_patient_is_not_booked_with_two_doctors_at_once() {
    let s = Stage::contended().await;
    s.mornings(&s.prc, json!({})).await;
    let other = s.practitioner(&s.someone(), json!({"display_name": "Dr Bello"})).await;
    s.mornings(&other, json!({})).await;
    let ada = s.patient().await;
    let mut second = s.booking(&ada, NINE);
    second["practitioner_id"] = other.as_str().into();
    let path = || "/v1/scheduling/appointments".to_string();
    let replies = together(&s.desk, vec![(path(), s.booking(&ada, NINE)), (path(), second)]).await;
    let wanted = BTreeMap::from([((201, String::new()), 1), ((409, "patient-busy".into()), 1)]);
    assert_eq!(outcomes(&replies), wanted);
}

/// Story 6.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_check_ins_take_the_tokens_one_to_fifty() {
    let s = Stage::contended().await;
    let mut patients = s.patients(50).await;
    let dead = s.patient_like(json!({"live": false, "status": "deceased"})).await;
    patients.insert(25, dead);
    let calls = patients.iter().map(|p| ("/v1/scheduling/patient_visits".to_string(), s.arrival(p)));
    let replies = together(&s.desk, calls.collect()).await;
    let wanted = BTreeMap::from([((201, String::new()), 50), ((409, "patient-deceased".into()), 1)]);
    assert_eq!(outcomes(&replies), wanted);
    let mut tokens: Vec<u64> = replies.iter().filter_map(|r| r.body["token"].as_u64()).collect();
    tokens.sort_unstable();
    assert_eq!(tokens, (1..=50).collect::<Vec<_>>(), "no gap, no double");
}

/// Story 8.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_rooms_call_two_patients() {
    let s = Stage::contended().await;
    let mut queue = Value::Null;
    for patient in s.patients(4).await {
        queue = s.checks_in(&patient).await["queue_id"].clone();
    }
    let path = format!("/v1/scheduling/queues/{}/call_next", queue.as_str().unwrap());
    let room = |n: usize| (path.clone(), json!({"room": format!("Room {n}")}));
    let replies = together(&s.doctor, (1..=4).map(room).collect()).await;
    let called: BTreeSet<u64> = replies.into_iter().map(|r| r.ok()["token"].as_u64().unwrap()).collect();
    assert_eq!(called, (1..=4).collect());
    assert_eq!(s.calls_next(&queue).await, Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_booking_that_races_with_leave_is_refused_or_swept() {
    let s = Stage::contended().await;
    s.mornings(&s.prc, json!({})).await;
    let leave = json!({
        "practitioner_id": s.prc, "from": "2026-11-23T07:00:00Z", "to": "2026-11-23T12:00:00Z", "kind": "sick",
        "policy": "rebook",
    });
    let mut calls = vec![("/v1/scheduling/blocks".to_string(), leave)];
    for (n, patient) in s.patients(6).await.iter().enumerate() {
        let start = format!("2026-11-23T08:{:02}:00Z", n % 4 * 15);
        calls.push(("/v1/scheduling/appointments".into(), s.booking(patient, &start)));
    }
    let replies = together(&s.desk, calls).await;
    assert_eq!(replies[0].status, 201);
    s.world.deliver().await;
    s.later(2);
    s.world.ring().await;
    for reply in &replies[1..] {
        match reply.status {
            201 => {
                assert_eq!(s.shows("appointments", &reply.body).await["needs_attention"], "practitioner_away")
            }
            409 => assert!(["practitioner-away", "slot-taken"].contains(&reply.code()), "{:#}", reply.body),
            _ => panic!("{:#}", reply.body),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_that_overlap_cannot_slip_in_side_by_side() {
    let s = Stage::contended().await;
    let rule = |start: &str| {
        let body = json!({
            "practitioner_id": s.prc, "site": s.site, "valid_from": "2026-11-01", "weekdays": ["monday"],
            "start": start, "end": "12:00",
        });
        ("/v1/scheduling/availabilities".to_string(), body)
    };
    let replies = together(&s.admin, vec![rule("09:00"), rule("09:30"), rule("10:00")]).await;
    let made = replies.iter().filter(|r| r.status == 201).count();
    assert_eq!(made, 1, "{:?}", outcomes(&replies));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_patient_is_checked_in_once_however_often_the_button_is_pressed() {
    let s = Stage::contended().await;
    let ada = s.patient().await;
    let calls = (0..8).map(|_| ("/v1/scheduling/patient_visits".to_string(), s.arrival(&ada)));
    let replies = together(&s.desk, calls.collect()).await;
    let wanted = BTreeMap::from([((201, String::new()), 1), ((409, "already-checked-in".into()), 7)]);
    assert_eq!(outcomes(&replies), wanted);
    assert_eq!(s.checks_in(&s.patient().await).await["token"], 2, "the refused ones used no number");
}
