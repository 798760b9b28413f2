//! What nobody acknowledges climbs, until somebody takes it up.

use crate::stage::{Stage, words};
use serde_json::json;
use testkit::Actor;

struct Ward {
    stage: Stage,
    doctor: Actor,
    on_duty: Actor,
    lead: Actor,
}

impl Ward {
    async fn with(urgency: &str) -> Self {
        let stage = Stage::set().await;
        let doctor = stage.staff("Ada Okafor", "nurse").await;
        let on_duty = stage.staff("Bola Ahmed", "doctor").await;
        let lead = stage.staff("Chika Obi", "quality").await;
        let data = json!({"result": "lbr_1", "patient": "pat_x", "ordered_by": doctor.user(), "urgency": urgency, "site": stage.grace.sites[0]});
        stage.happens(&stage.event("critical_value.opened", data)).await;
        Self { stage, doctor, on_duty, lead }
    }
    async fn after(&self, minutes: i64) -> (usize, usize, usize) {
        self.stage.later(minutes);
        self.stage.beat().await;
        self.stage.beat().await;
        let count = async |who: &Actor| self.stage.inbox(who).await.len();
        (count(&self.doctor).await, count(&self.on_duty).await, count(&self.lead).await)
    }
    async fn ack(&self, who: &Actor) -> testkit::Reply {
        let id = self.stage.inbox(who).await.remove(0)["id"].as_str().unwrap().to_string();
        who.post(&format!("/v1/notifications/{id}/ack"), json!({})).await
    }
}

#[tokio::test]
async fn a_critical_potassium_climbs_after_ten_minutes_and_after_twenty_and_stops_at_an_acknowledgement() {
    let ward = Ward::with("stat").await;
    assert_eq!(ward.after(9).await, (1, 0, 0));
    assert_eq!(ward.after(2).await, (1, 1, 0), "the doctors on duty");
    assert_eq!(ward.after(11).await, (1, 1, 1), "the medical lead");
    assert_eq!(ward.after(60).await, (1, 1, 1));
    let events = ward.stage.world.events().await;
    let climbed = events.iter().filter(|e| e.kind == "notification.escalated");
    assert_eq!(climbed.map(|e| e.data["level"].as_u64().unwrap()).collect::<Vec<_>>(), [1, 2]);
    let sms = ward.stage.sms.all();
    assert_eq!(sms.len(), 3);
    assert!(sms.iter().all(|m| !m.text.to_lowercase().contains("critical")), "discreet outside");
}

#[tokio::test]
async fn whoever_takes_it_up_stops_it_for_all() {
    let ward = Ward::with("stat").await;
    assert_eq!(ward.after(11).await, (1, 1, 0));
    let acked = ward.ack(&ward.on_duty).await.ok();
    assert_eq!(acked["status"], "read");
    let again = ward.ack(&ward.on_duty).await.ok();
    assert_eq!(again["ack_at"], acked["ack_at"], "the first stands");
    assert_eq!(ward.after(30).await, (1, 1, 0), "nobody else is called");
    let stranger = ward.stage.staff("Dayo Ojo", "doctor").await;
    let id = ward.stage.inbox(&ward.doctor).await.remove(0)["id"].as_str().unwrap().to_string();
    stranger.post(&format!("/v1/notifications/{id}/ack"), json!({})).await.missing();
    assert_eq!(words(&json!(ward.stage.inbox(&ward.lead).await), "id").len(), 0);
}

#[tokio::test]
async fn an_outpatients_routine_value_waits_thirty_minutes() {
    let ward = Ward::with("routine_outpatient").await;
    assert_eq!(ward.after(29).await, (1, 0, 0));
    assert_eq!(ward.after(2).await, (1, 1, 0));
    assert_eq!(ward.after(31).await, (1, 1, 1));
}

#[tokio::test]
async fn a_beat_that_comes_twice_or_dies_in_between_calls_nobody_twice() {
    let ward = Ward::with("stat").await;
    ward.stage.later(11);
    let rows = || ward.stage.world.ring();
    rows().await;
    rows().await;
    ward.stage.queue().await;
    assert_eq!(ward.stage.inbox(&ward.on_duty).await.len(), 1);
    assert_eq!(ward.stage.sms.all().len(), 2);
}

#[tokio::test]
async fn what_needs_no_acknowledgement_takes_none() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    stage
        .happens(
            &stage.event(
                "task.assigned",
                json!({"task": "tsk_1", "assignee": ada.user(), "priority": "normal"}),
            ),
        )
        .await;
    let id = stage.inbox(&ada).await.remove(0)["id"].as_str().unwrap().to_string();
    ada.post(&format!("/v1/notifications/{id}/ack"), json!({})).await.refused(422, "nothing-to-acknowledge");
}
