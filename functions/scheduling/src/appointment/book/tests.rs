//! What the commit refuses although the reading before it did not know.

use super::*;
use jiff::civil::date;
use kernel::{Id, UserId};
use testkit::World;

/// The block is written between the wave of reads and the commit: the booking notices.
#[tokio::test]
async fn a_day_that_changed_since_it_was_read_is_not_booked() {
    let world = World::with(vec![crate::module()]).await;
    world.clock.set("2026-11-23T06:00:00Z".parse().unwrap());
    let grace = world.hospital("grace").await;
    let (admin, site) = (grace.staff("tenant_admin"), grace.sites[0]);
    let profile = json!({
        "user_id": UserId::at(world.clock.now()), "display_name": "Dr Obi", "specialties": ["surgery"], "sites": [site],
    });
    let made = admin.post("/v1/scheduling/practitioners", profile).await.created();
    let prc: PractitionerId = made["id"].as_str().unwrap().parse().unwrap();
    let ctx = Ctx::system(&world.app, grace.scope(), "test", "test").await.unwrap();
    let day = date(2026, 11, 23);
    let read = || Diary::read(&ctx, Host::Practitioner(prc), site, (day, day), None);
    let booking = Booking {
        patient_id: PatientId::at(world.clock.now()),
        practitioner_id: Some(prc),
        department_id: None,
        site,
        start: "2026-11-23T08:00:00Z".parse().unwrap(),
        minutes: Some(15),
        kind: "routine".into(),
        reason: None,
        notes: None,
        source: None,
        hold: None,
        overbook: None,
        allow_overlap: None,
        follow_up_id: None,
    };
    let found = Place { mode: Mode::Slots, lanes: vec![0], minutes: 15, room: None };
    let attempt = async |diary: &Diary| {
        let new = record(&ctx, &booking, diary, None, &found, 0, None);
        unblocked(ctx.commit().create(&new), diary, &new.body).run().await
    };
    let block = |from: &str, to: &str| {
        let body = json!({"practitioner_id": prc, "from": from, "to": to, "kind": "meeting"});
        admin.post("/v1/scheduling/blocks", body)
    };

    let before = read().await.unwrap();
    block("2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z").await.created();
    assert_eq!(attempt(&before).await.unwrap_err().code(), DAY_CHANGED, "the first block of the day");
    let between = read().await.unwrap();
    block("2026-11-23T14:00:00Z", "2026-11-23T15:00:00Z").await.created();
    assert_eq!(attempt(&between).await.unwrap_err().code(), DAY_CHANGED, "a further one");
    attempt(&read().await.unwrap()).await.unwrap();
}
