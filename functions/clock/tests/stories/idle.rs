//! What a beat costs where nothing is due.

use clock::Clock;
use jiff::SignedDuration;
use serde_json::json;
use store::{Caller, Scope};
use testkit::World;

#[tokio::test]
async fn a_minute_in_which_nothing_is_due_costs_three_reads_in_one_wave_however_many_tenants_there_are() {
    let (world, clock) = (World::with(vec![]).await, Clock::default());
    let platform = world.app.vault().open(Scope::Platform, Caller::default()).await.unwrap();
    for n in 0..30 {
        let tenant = world.clinic(&format!("clinic-{n}")).await;
        platform.begin_nights(tenant.scope()).await.unwrap();
        let next_year = world.clock.now() + SignedDuration::from_hours(365 * 24);
        platform.lower_next_due(tenant.scope(), &store::stamp(next_year)).await.unwrap();
    }
    let minute = json!({"beat": "minute"});
    clock.beat(&world.app, &minute).await.unwrap();
    world.trips();
    world.rounds();
    let told = clock.beat(&world.app, &minute).await.unwrap();
    assert_eq!(told, json!({"beat": "minute", "tenants": 0, "sent": 0, "nights": 0}));
    world.calls(3, "all of it");
    world.spends(1, "side by side");
}

#[tokio::test]
async fn a_night_costs_a_tenant_without_events_four_round_trips_of_its_own() {
    let (world, clock) = (World::with(vec![]).await, Clock::default());
    // At an hour from which a day later one night is over, wherever the clinic is.
    world.clock.set("2026-05-04T12:00:00Z".parse().unwrap());
    let platform = world.app.vault().open(Scope::Platform, Caller::default()).await.unwrap();
    let tenant = world.clinic("quiet").await;
    platform.begin_nights(tenant.scope()).await.unwrap();
    let minute = json!({"beat": "minute"});
    clock.beat(&world.app, &minute).await.unwrap();
    world.clock.advance(SignedDuration::from_hours(24));
    world.trips();
    assert_ne!(clock.beat(&world.app, &minute).await.unwrap()["nights"], 0);
    // Three of the beat itself; the zone, the lease, the next night, the earliest due row.
    world.calls(3 + 4, "a night");
}
