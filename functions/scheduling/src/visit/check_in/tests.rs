//! What the commit refuses although the reading before it did not know.

use super::*;
use kernel::{DepartmentId, Id};
use testkit::World;

/// The queue is closed between the wave of reads and the commit: no further token.
#[tokio::test]
async fn a_queue_that_was_closed_since_it_was_read_gives_no_token() {
    let world = World::with(vec![crate::module()]).await;
    let grace = world.hospital("grace").await;
    let (desk, site) = (grace.staff("receptionist"), grace.sites[0]);
    let department = DepartmentId::at(world.clock.now());
    let patients = [PatientId::at(world.clock.now()), PatientId::at(world.clock.now())];
    for patient in &patients {
        let live = json!({"live": true, "status": "registered"});
        grace.store().await.commit().fact(facts::PATIENT, patient, &live).run().await.unwrap();
    }
    let arrival = json!({
        "patient_id": patients[0], "department_id": department, "site": site, "visit_type": "routine",
    });
    let first = desk.post("/v1/scheduling/patient_visits", arrival.clone()).await.created();
    let mut body: CheckIn = serde_json::from_value(arrival).unwrap();
    body.patient_id = patients[1];

    let ctx = Ctx::system(&world.app, grace.scope(), "test", "test").await.unwrap();
    let host = Host::Department(department);
    let read = Desk::read(&ctx, host, site, ctx.today(), None).await.unwrap();
    desk.post(&format!("/v1/scheduling/queues/{}/close", first["queue_id"].as_str().unwrap()), json!({}))
        .await
        .ok();
    let (visit, _) = visit(&ctx, &body, &read).unwrap();
    let commit = number(&ctx, ctx.commit().create(&visit), &read, &visit).unwrap();
    assert_eq!(commit.run().await.unwrap_err().code(), "changed-meanwhile");
    let now = Desk::read(&ctx, host, site, ctx.today(), None).await.unwrap();
    assert_eq!(now.next_token().unwrap_err().code(), "queue-closed");
}
