//! Who may, and how far: sites, own calendars, other organisations, strangers.

use crate::stage::{Stage, id};
use serde_json::json;

const NINE: &str = "2026-11-23T08:00:00Z";

#[tokio::test]
async fn every_route_refuses_strangers_and_another_organisations_ids() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let ada = s.patient().await;
    let booked = s.books(&ada, NINE).await;
    let visit = s.arrives(&ada, &booked).await;
    let theirs = s.world.hospital("mercy").await;
    let them = [
        theirs.staff("receptionist"),
        theirs.staff("doctor"),
        theirs.staff("nurse"),
        theirs.staff("tenant_admin"),
    ];
    let of = |path: &str| match path.split('/').nth(3).unwrap() {
        "practitioners" => s.prc.clone(),
        "appointments" => id(&booked),
        "patient_visits" => id(&visit),
        "queues" => visit["queue_id"].as_str().unwrap().to_string(),
        kind => format!(
            "{}_01ARZ3NDEKTSV4RRFFQ69G5FAV",
            match kind {
                "availabilities" => "avl",
                "blocks" => "blk",
                _ => "flw",
            }
        ),
    };
    let before = s.world.scan().await.len();
    for route in &scheduling::module().routes {
        let mut path = route.path.replace("{id}", &of(&route.path)).replace("{version}", "1");
        if path.ends_with("/history/diff") {
            path += "?from=1&to=2";
        }
        let method = route.method.as_str();
        let stranger = s.world.stranger();
        let reply = stranger.call(method, &path).send().await;
        assert_eq!(reply.status, 401, "{method} {path}");
        if !route.path.contains("{id}") {
            continue;
        }
        for actor in &them {
            let call = actor.call(method, &path).because("looking around");
            let body = match route.operation.as_str() {
                "appointment.reschedule" => json!({"start": "2026-11-24T08:00:00Z"}),
                "appointment.cancel" => json!({"code": "patient"}),
                "patient_visit.transfer" => json!({"department_id": "dpt_01ARZ3NDEKTSV4RRFFQ69G5FAV"}),
                "patient_visit.prioritise" => json!({"class": "urgent"}),
                "patient_visit.triage" => json!({"acuity": "red"}),
                "follow_up.reschedule" => json!({"scheduled_date": "2026-12-01"}),
                _ => json!({}),
            };
            let reply = if method == "GET" { call.send().await } else { call.body(body).send().await };
            assert!([403, 404].contains(&reply.status), "{method} {path}: {:#}", reply.body);
            if reply.status == 404 {
                assert_eq!(reply.code(), "not-found", "{method} {path}");
            }
        }
    }
    assert_eq!(s.world.scan().await.len(), before, "nothing was written");
}

#[tokio::test]
async fn a_branchs_desk_works_at_its_branch() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let ada = s.patient().await;
    let booked = s.books(&ada, NINE).await;
    let branch = s.grace.staff_at("receptionist", &[1]);
    branch.get(&format!("/v1/scheduling/appointments/{}", id(&booked))).await.missing();
    branch
        .post("/v1/scheduling/appointments", s.booking(&ada, "2026-11-23T09:00:00Z"))
        .await
        .refused(403, "other-site");
    branch.post("/v1/scheduling/patient_visits", s.arrival(&ada)).await.refused(403, "other-site");
    let listed = branch.get(&format!("/v1/scheduling/appointments?patient={ada}")).await.ok();
    assert_eq!(listed["data"], json!([]));
}

#[tokio::test]
async fn doctors_keep_their_own_calendar_and_see_their_own_patients() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let colleague = s.grace.staff("doctor");
    let theirs = s.practitioner(&colleague.user(), json!({"display_name": "Dr Bello"})).await;
    let rule = |prc: &str| {
        json!({
            "practitioner_id": prc, "site": s.site, "valid_from": "2026-11-01", "weekdays": ["saturday"],
            "start": "09:00", "end": "12:00",
        })
    };
    s.doctor.post("/v1/scheduling/availabilities", rule(&s.prc)).await.created();
    s.doctor.post("/v1/scheduling/availabilities", rule(&theirs)).await.refused(422, "unknown-practitioner");
    let booked = s.books(&s.patient().await, NINE).await;
    s.doctor.get(&format!("/v1/scheduling/appointments/{}", id(&booked))).await.ok();
    colleague.get(&format!("/v1/scheduling/appointments/{}", id(&booked))).await.missing();
    let wish = s.booking(&s.patient().await, "2026-11-23T09:00:00Z");
    colleague.post("/v1/scheduling/appointments", wish).await.refused(403, "not-your-calendar");
    let visit = s.checks_in(&s.patient().await).await;
    let path = format!("/v1/scheduling/queues/{}/call_next", visit["queue_id"].as_str().unwrap());
    colleague.post(&path, json!({})).await.missing();
    let away =
        json!({"practitioner_id": theirs, "from": NINE, "to": "2026-11-23T09:00:00Z", "kind": "meeting"});
    s.doctor.post("/v1/scheduling/blocks", away.clone()).await.refused(403, "forbidden");
    colleague.post("/v1/scheduling/blocks", away).await.created();
}

#[tokio::test]
async fn nurses_check_in_emergencies_only() {
    let s = Stage::set().await;
    let mut body = s.arrival(&s.patient().await);
    s.nurse.post("/v1/scheduling/patient_visits", body.clone()).await.refused(403, "forbidden");
    body["visit_type"] = "emergency".into();
    assert_eq!(s.nurse.post("/v1/scheduling/patient_visits", body).await.created()["class"], "emergency");
}

/// Patients reach what the patients module has linked them to, and nothing else; booking in the portal waits.
#[tokio::test]
async fn patients_see_their_own_and_do_not_book_yet() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let (ada, bo) = (s.patient().await, s.patient().await);
    let (hers, his) = (s.books(&ada, NINE).await, s.books(&bo, "2026-11-23T09:00:00Z").await);
    let me = s.grace.staff("patient");
    let link = json!({"scopes": ["appointments", "visits"], "basis": "self"});
    let place = format!("{}~{ada}", me.user());
    s.grace.store().await.commit().fact(store::facts::LINKED, place, &link).run().await.unwrap();
    me.get(&format!("/v1/scheduling/appointments/{}", id(&hers))).await.ok();
    me.get(&format!("/v1/scheduling/appointments/{}", id(&his))).await.missing();
    assert_eq!(
        me.get(&format!("/v1/scheduling/appointments?patient={ada}")).await.ok()["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    me.get(&format!("/v1/scheduling/appointments?patient={bo}")).await.refused(403, "list-too-wide");
    me.get(&format!("/v1/scheduling/appointments?of={}", s.prc)).await.refused(403, "list-too-wide");
    me.post("/v1/scheduling/appointments", s.booking(&ada, "2026-11-23T10:00:00Z"))
        .await
        .refused(403, "self-booking-not-open");
    let visit = s.arrives(&ada, &hers).await;
    let place = me.get(&format!("/v1/scheduling/patient_visits/{}/place", id(&visit))).await.ok();
    assert_eq!(place["token"], "A-001");
    me.get(&format!("/v1/scheduling/patient_visits/{}", id(&visit))).await.missing();
    let card = me.get(&format!("/v1/scheduling/practitioners/{}", s.prc)).await.ok();
    assert_eq!(
        (card.get("display_name").is_some(), card.get("user_id"), card.get("phone")),
        (true, None, None)
    );
}

#[tokio::test]
async fn looking_at_an_appointment_leaves_a_record_or_shows_nothing() {
    let s = Stage::set().await;
    s.mornings(&s.prc, json!({})).await;
    let booked = s.books(&s.patient().await, NINE).await;
    s.world.letters.take(web::Queue::Access);
    let path = format!("/v1/scheduling/appointments/{}", id(&booked));
    s.desk.get(&path).await.ok();
    let looked = s.world.letters.take(web::Queue::Access);
    assert_eq!(looked[0]["ids"], json!([booked["id"]]));
    s.world.letters.down(true);
    s.desk.get(&path).await.refused(503, "access-not-recorded");
    let all = s.desk.get(&format!("/v1/scheduling/appointments?of={}", s.prc)).await;
    all.refused(503, "access-not-recorded");
}
