//! TEN-3: what a subscription gives its partners, by the month and each key by the day.

use crate::stage::Stage;
use serde_json::{Value, json};
use testkit::{Actor, Reply};

async fn monthly(s: &Stage, allowed: u64) {
    let set = |gate: &mut web::gate::TenantGate| _ = gate.limits.insert("api_calls_month".into(), allowed);
    s.grace.change_gate(set).await;
}

async fn calls(s: &Stage, machine: &Actor, key: &Value) -> Reply {
    let reply = machine.get(&s.path("keys", key, "")).await;
    s.works().await;
    reply
}

async fn usage(s: &Stage, key: &Value) -> Value {
    s.admin.get(&s.path("keys", key, "usage")).await.ok()
}

fn seconds(reply: &Reply, header: &str) -> i64 {
    reply.headers.get(header).unwrap_or_else(|| panic!("{header}")).parse().unwrap()
}

#[tokio::test]
async fn the_months_calls_are_the_organisations_and_end_for_its_machines_alone() {
    let s = Stage::set().await;
    monthly(&s, 3).await;
    let (one, two) =
        (s.makes(s.key("One", &["patient.view"])).await, s.makes(s.key("Two", &["patient.view"])).await);
    let (first, second) = (s.machine(&one).await, s.machine(&two).await);
    calls(&s, &first, &one).await.ok();
    let last = calls(&s, &first, &one).await;
    assert_eq!(
        (last.status, seconds(&last, "ratelimit-limit"), seconds(&last, "ratelimit-remaining")),
        (200, 3, 2)
    );
    calls(&s, &second, &two).await.ok();
    let over = calls(&s, &second, &two).await;
    // Seven days and eighteen hours until December.
    let wait: i64 = over.retry_after.as_deref().unwrap().parse().unwrap();
    assert!((wait - 669_600).abs() < 600, "{wait}");
    assert_eq!((seconds(&over, "ratelimit-remaining"), seconds(&over, "ratelimit-reset")), (0, wait));
    let problem = over.refused(429, "quota-exceeded");
    assert_eq!((&problem["limit"], &problem["allowed"]), (&json!("api_calls_month"), &json!(3)));
    assert!(problem["detail"].as_str().unwrap().contains("2026-12-01T00:00:00Z"), "{problem}");
    calls(&s, &first, &one).await.refused(429, "quota-exceeded");
    // People are never cut off for what machines use.
    let shown = usage(&s, &two).await;
    assert_eq!((&shown["month"]["used"], &shown["month"]["remaining"]), (&json!(3), &json!(0)));
    let told: Vec<Value> =
        s.world.events().await.into_iter().filter(|e| e.kind.starts_with("limit.")).map(|e| e.data).collect();
    assert_eq!(told, [json!({"limit": "api_calls_month"})]);
}

#[tokio::test]
async fn a_wider_subscription_opens_at_once_and_so_does_the_next_month() {
    let s = Stage::set().await;
    monthly(&s, 1).await;
    let key = s.makes(s.key("One", &["patient.view"])).await;
    let machine = s.machine(&key).await;
    calls(&s, &machine, &key).await.ok();
    calls(&s, &machine, &key).await.refused(429, "quota-exceeded");
    monthly(&s, 2).await;
    calls(&s, &machine, &key).await.ok();
    calls(&s, &machine, &key).await.refused(429, "quota-exceeded");
    s.at("2026-12-01T00:00:01Z");
    calls(&s, &machine, &key).await.ok();
    assert_eq!(usage(&s, &key).await["month"]["used"], 1);
}

#[tokio::test]
async fn a_sandbox_has_a_day_of_its_own_and_no_part_in_the_month() {
    let s = Stage::set().await;
    s.world.calm();
    monthly(&s, 1).await;
    let mut wish = s.key("Trying", &["patient.view"]);
    wish["environment"] = json!("sandbox");
    let trying = s.makes(wish).await;
    let live = s.makes(s.key("Live", &["patient.view"])).await;
    let (sandbox, machine) = (s.machine(&trying).await, s.machine(&live).await);
    calls(&s, &machine, &live).await.ok();
    calls(&s, &machine, &live).await.refused(429, "quota-exceeded");
    calls(&s, &sandbox, &trying).await.ok();
    let line = |n: u32| {
        json!({"type": "partner.called", "tenant": s.grace.id.prefix(), "key": trying["id"], "at": s.world.clock.now(),
            "request": format!("req-{n}"), "status": 200, "ms": 3})
    };
    s.world.batch("integrations", &(0..998).map(line).collect::<Vec<_>>()).await;
    let last = calls(&s, &sandbox, &trying).await;
    assert_eq!((last.status, seconds(&last, "ratelimit-limit")), (200, 1000));
    let over = calls(&s, &sandbox, &trying).await;
    let wait: i64 = over.retry_after.as_deref().unwrap().parse().unwrap();
    assert!((wait - 64_800).abs() < 600, "until midnight UTC: {wait}");
    assert_eq!(over.refused(429, "quota-exceeded")["limit"], "calls_day");
    let shown = usage(&s, &trying).await;
    assert_eq!((&shown["remaining"], &shown["days"]["2026-11-23"]["calls"]), (&json!(0), &json!(1000)));
    assert!(shown.get("month").is_none());
    s.at("2026-11-24T00:00:01Z");
    calls(&s, &sandbox, &trying).await.ok();
}

#[tokio::test]
async fn a_line_that_is_told_twice_counts_once_alone_or_among_others() {
    let s = Stage::set().await;
    let key = s.makes(s.key("One", &["patient.view"])).await;
    let line = |n: u32, status: u16| {
        json!({"type": "partner.called", "tenant": s.grace.id.prefix(), "key": key["id"], "at": s.world.clock.now(),
            "request": format!("req-{n}"), "status": status, "ms": 3})
    };
    s.world.batch("integrations", &[line(1, 200), line(2, 404), line(1, 200)]).await;
    s.world.batch("integrations", &[line(2, 404), line(3, 500)]).await;
    s.world.hand_over_other(&line(3, 500)).await;
    let shown = usage(&s, &key).await;
    let day = json!({"calls": 3, "errors_4xx": 1, "errors_5xx": 1, "throttled": 0, "ms_sum": 9});
    assert_eq!((&shown["days"]["2026-11-23"], &shown["month"]["used"]), (&day, &json!(3)));
    let shown = s.admin.get(&s.path("keys", &key, "")).await.ok();
    assert_eq!(shown["last_used_on"], "2026-11-23");
}
