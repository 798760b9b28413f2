//! EAP-6: what a client learns of its programme, and what it never learns.

use crate::{
    care::Care,
    stage::{Stage, id, merge},
};
use serde_json::{Value, json};
use testkit::{Actor, Reply};

/// People of Zenith Mills who had one session each in November, by issue.
async fn november(care: &Care, by_issue: &[(&str, usize)]) {
    let issues = by_issue.iter().flat_map(|(issue, many)| std::iter::repeat_n(*issue, *many));
    let mut booked = vec![];
    for (n, issue) in issues.enumerate() {
        let person = care.employee(&format!("E{n}"), json!({})).await;
        let case = care.case(&person, issue).await;
        let at = format!("2026-11-{:02}T{:02}:00:00Z", 24 + n / 9, 8 + n % 9);
        booked.push(care.books(&case, &at).await.created());
    }
    care.s.at("2026-12-01T08:00:00Z");
    for session in booked {
        care.ends(&session, "complete", json!({"note": "as agreed"})).await.ok();
    }
}

async fn headcount(care: &Care, heads: u64) {
    for month in ["2026-10", "2026-11", "2026-12"] {
        care.s.at("2026-12-02T08:00:00Z");
        let path = format!("/v1/eap/clients/{}/population/{month}", id(&care.client));
        care.s.manager.call("PUT", &path).body(json!({"headcount": heads})).send().await.ok();
    }
}

async fn asks(care: &Care, period: &str) -> Reply {
    care.s
        .manager
        .post(&format!("/v1/eap/clients/{}/reports", id(&care.client)), json!({"period": period}))
        .await
}

fn people(report: &Value, dimension: &str, code: &str) -> Value {
    let lines = report["breakdowns"].as_array().unwrap();
    lines.iter().find(|line| line["by"] == json!({dimension: code})).unwrap()["people"].clone()
}

fn merged(one: &Value, more: Value) -> Value {
    let mut all = one.clone();
    merge(&mut all, more);
    all
}

fn withheld() -> Value {
    json!({"suppressed": true})
}

async fn released(care: &Care, period: &str) -> Value {
    let draft = asks(care, period).await.created();
    care.s.gives("reports", &draft, "release", json!({})).await.ok()
}

/// Story 14.
#[tokio::test]
async fn what_few_people_stand_behind_is_withheld_and_the_total_stays() {
    let care = Care::begin().await;
    november(&care, &[("anxiety", 14), ("financial", 12), ("substance", 3), ("stress_work", 11)]).await;
    headcount(&care, 420).await;
    care.s.at("2027-01-06T08:00:00Z");
    let report = released(&care, "2026-Q4").await;
    assert_eq!(report["headline"]["people"], json!(40));
    assert_eq!(report["headline"]["utilisation"], json!(38), "12 × 40 ÷ (3 × 420)");
    assert_eq!(people(&report, "issue_group", "emotional"), json!(14));
    assert_eq!(people(&report, "issue_group", "practical"), json!(12));
    assert_eq!(people(&report, "issue_group", "substance"), withheld());
    assert_eq!(people(&report, "issue_group", "work"), withheld(), "or 40 less the others would be the 3");
    assert_eq!(people(&report, "relation", "employee_clinical"), json!(40));
}

#[tokio::test]
async fn a_report_is_of_quarters_that_are_over_and_there_is_one_of_each() {
    let care = Care::begin().await;
    headcount(&care, 420).await;
    asks(&care, "2026-11").await.refused(422, "period-too-short");
    care.s.at("2027-01-05T08:00:00Z");
    asks(&care, "2026-Q4").await.refused(422, "period-open");
    care.s.at("2027-01-06T08:00:00Z");
    let draft = asks(&care, "2026-Q4").await.created();
    asks(&care, "2026-Q4").await.refused(409, "report-exists");
    // Released, it never changes: a day later there is no second one to compare it with.
    care.s.gives("reports", &draft, "release", json!({})).await.ok();
    care.s.at("2027-01-07T08:00:00Z");
    asks(&care, "2026-Q4").await.refused(409, "report-exists");
    care.s.gives("reports", &draft, "discard", json!({"reason": "again"})).await.refused(422, "state");
}

#[tokio::test]
async fn a_client_of_eleven_learns_of_nobody() {
    let care = Care::begin().await;
    november(&care, &[("anxiety", 1)]).await;
    headcount(&care, 11).await;
    care.s.at("2027-01-06T08:00:00Z");
    let report = released(&care, "2026-Q4").await;
    assert_eq!(report["breakdowns"], json!([]));
    for figure in ["people", "utilisation", "sessions_per_person", "no_show"] {
        assert_eq!(report["headline"][figure], withheld(), "{figure}");
    }
    // And nothing there is that filters.
    let contact = care.s.contact_of(&care.client).await;
    for query in ["&unit=LAG", "&age_band=30_39", "&from=2026-11-01", "&status=draft"] {
        contact
            .get(&format!("/v1/eap/reports?client={}{query}", id(&care.client)))
            .await
            .refused(400, "validation");
    }
}

#[tokio::test]
async fn the_clients_people_see_what_was_released_of_their_own() {
    let care = Care::begin().await;
    let contact = care.s.contact_of(&care.client).await;
    let other = care.s.active("Other Mills", json!({})).await;
    let stranger: Actor = care.s.contact_of(&other).await;
    headcount(&care, 420).await;
    care.s.at("2027-01-06T08:00:00Z");
    let draft = asks(&care, "2026-Q4").await.created();
    let (one, list) =
        (format!("/v1/eap/reports/{}", id(&draft)), format!("/v1/eap/reports?client={}", id(&care.client)));
    contact.get(&one).await.missing();
    assert_eq!(contact.get(&list).await.ok()["data"], json!([]));
    care.s.gives("reports", &draft, "release", json!({})).await.ok();
    assert_eq!(contact.get(&one).await.ok()["period"], "2026-Q4");
    assert_eq!(contact.get(&list).await.ok()["data"][0]["id"], draft["id"]);
    contact.get(&format!("{one}/history")).await.refused(403, "forbidden");
    stranger.get(&one).await.missing();
    stranger.get(&list).await.missing();
    assert_eq!(care.s.events_of(&draft).await, ["client_report.released"]);
}

/// Each has to know of the other, or their difference would be nobody's care.
#[tokio::test]
async fn of_two_reports_drawn_at_once_one_has_to_be_drawn_again() {
    let care = Care::contended().await;
    headcount(&care, 420).await;
    care.s.at("2027-01-06T08:00:00Z");
    let (quarter, half) = futures::join!(asks(&care, "2026-Q4"), asks(&care, "2026-H2"));
    let mut status = [quarter.status, half.status];
    status.sort();
    assert_eq!(status, [201, 409], "{} {}", quarter.body, half.body);
}

#[tokio::test]
async fn a_report_is_printed_as_the_record_shows_it() {
    let care = Care::begin().await;
    headcount(&care, 420).await;
    care.s.at("2027-01-06T08:00:00Z");
    let report = released(&care, "2026-Q4").await;
    for (format, begins) in [("pdf", b"%PDF".as_slice()), ("xlsx", b"PK".as_slice())] {
        let path = format!("/v1/eap/reports/{}/print", id(&report));
        let link = care.s.manager.post(&path, json!({"format": format})).await.ok();
        let bytes = care.s.world.files.get(link["url"].as_str().unwrap()).unwrap();
        assert!(bytes.starts_with(begins), "{format}");
    }
}

/// Story 16, with a computed figure beside it.
#[tokio::test]
async fn a_target_says_how_far_off_it_is() {
    let s = Stage::set().await;
    let kpi = |code: &str, formula: &str| json!({"code": code, "name": code, "unit": "percent", "formula": formula, "direction": "up", "frequency": "quarterly"});
    let made = s.manager.post("/v1/eap/kpis", kpi("on_time", "manual")).await.created();
    s.manager.post("/v1/eap/kpis", kpi("speed", "fast")).await.refused(422, "unknown-formula");
    let target =
        json!({"kpi": made["id"], "staff": s.someone(), "target": 80.0, "amber": 70.0, "from": "2026-10-01"});
    let target = s.manager.post("/v1/eap/kpi_assignments", target).await.created();
    let path = format!("/v1/eap/kpi_assignments/{}/values/2026-Q4", id(&target));
    let value =
        s.manager.call("PUT", &path).body(json!({"numerator": 74, "denominator": 100})).send().await.ok();
    assert_eq!((&value["value"], &value["light"]), (&json!(74.0), &json!("amber")));
    s.manager.post(&format!("{path}/measure"), json!({})).await.refused(422, "not-computed");
}

#[tokio::test]
async fn utilisation_is_measured_and_the_client_reads_its_reports_instead() {
    let care = Care::begin().await;
    november(&care, &[("anxiety", 3)]).await;
    headcount(&care, 500).await;
    let body = json!({"code": "use", "name": "Utilisation", "unit": "percent", "formula": "utilisation",
        "direction": "up", "frequency": "quarterly"});
    let kpi = care.s.manager.post("/v1/eap/kpis", body).await.created();
    let body = json!({"kpi": kpi["id"], "client": care.client["id"], "target": 5.0, "amber": 3.0, "from": "2026-10-01"});
    let target = care.s.manager.post("/v1/eap/kpi_assignments", body).await.created();
    let values = format!("/v1/eap/kpi_assignments/{}/values", id(&target));
    let measure = format!("{values}/2026-Q4/measure");
    care.s.manager.post(&measure, json!({})).await.refused(422, "period-open");
    care.s.at("2027-01-06T08:00:00Z");
    let measured = care.s.manager.post(&measure, json!({})).await.ok();
    assert_eq!(measured["value"], json!(2.4), "12 × 3 ÷ (3 × 500)");
    assert_eq!(measured["light"], "red");
    let contact = care.s.contact_of(&care.client).await;
    contact.get(&values).await.refused(403, "reports-only");
}

/// What came of a case is counted where its counsellor wrote it down: recommendations, the wait, and how people are.
#[tokio::test]
async fn figures_of_the_content_of_cases_are_measured_and_what_too_few_answered_is_none() {
    let care = Care::begin().await;
    let case = care.case(&care.employee("E1", json!({})).await, "anxiety").await;
    let path = format!("/v1/eap/cases/{}", id(&case));
    let ada = &care.ada.1;
    let psychiatrist =
        json!({"kind": "psychiatry", "to": "Dr Eze, Yaba", "given": "2026-11-30", "accepted": true});
    let referral = ada.post(&format!("{path}/referrals"), psychiatrist.clone()).await.created();
    ada.post(&format!("{path}/referrals"), merged(&psychiatrist, json!({"accepted": false}))).await.created();
    let number = referral["number"].as_str().unwrap();
    let contacted = merged(&psychiatrist, json!({"contacted": true}));
    ada.call("PUT", &format!("{path}/referrals/{number}")).body(contacted).send().await.created();
    let how = |distress: u8| json!({"absenteeism_hours": 8, "presenteeism": 3, "engagement": 3, "life_satisfaction": 2, "distress": distress});
    for (when, distress) in [("pre", 5), ("post", 3)] {
        ada.call("PUT", &format!("{path}/outcomes/{when}")).body(how(distress)).send().await.created();
    }
    let session = care.books(&case, "2026-12-01T09:00:00Z").await.created();
    care.s.at("2026-12-01T10:00:00Z");
    care.ends(&session, "complete", json!({})).await.ok();
    let outreach = json!({"client": care.client["id"], "title": "Sleep", "kind": "outreach",
        "starts_at": "2026-12-01T08:00:00Z", "minutes": 60});
    let outreach = care.s.manager.post("/v1/eap/org_services", outreach).await.created();
    let hold = format!("/v1/eap/org_services/{}/hold", id(&outreach));
    care.s.manager.post(&hold, json!({"attended": 60})).await.ok();

    headcount(&care, 500).await;
    care.s.at("2027-01-06T08:00:00Z");
    for (formula, unit, value) in [
        ("acceptance", "percent", json!(50.0)),
        ("follow_through", "percent", json!(100.0)),
        ("completion", "percent", json!(0.0)),
        ("referral_rate", "ratio", json!(1000.0)),
        ("sessions_per_case", "ratio", json!(1.0)),
        ("time_to_first_session", "minutes", json!(11579.0)),
        ("all_services_utilisation", "percent", json!(48.8)),
        ("utilisation", "percent", json!(0.8)),
        ("outcome_distress", "score", Value::Null),
    ] {
        let body = json!({"code": formula, "name": formula, "unit": unit, "formula": formula, "direction": "up", "frequency": "quarterly"});
        let kpi = care.s.manager.post("/v1/eap/kpis", body).await.created();
        let body = json!({"kpi": kpi["id"], "client": care.client["id"], "target": 5.0, "amber": 3.0, "from": "2026-10-01"});
        let target = care.s.manager.post("/v1/eap/kpi_assignments", body).await.created();
        let measure = format!("/v1/eap/kpi_assignments/{}/values/2026-Q4/measure", id(&target));
        assert_eq!(care.s.manager.post(&measure, json!({})).await.ok()["value"], value, "{formula}");
    }
}
