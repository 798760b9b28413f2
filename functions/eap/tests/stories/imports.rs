//! EAP-4: eligibility files.

use crate::{care::Care, stage::id};
use serde_json::{Value, json};
use std::fmt::Write;
use testkit::Actor;

const PATH: &str = "/v1/eap/beneficiary_imports";
/// Rows of the large file: about a minute of one core in a debug build.
const ROWS: usize = 10_000;

/// So many employees; every fiftieth row has a birth date that is none, which makes two percent.
fn file(rows: usize) -> String {
    let mut csv = String::from("employee_number,name,birth_date,unit\n");
    for n in 1..=rows {
        let born = if n % 50 == 0 { "31/01/1990" } else { "1990-01-31" };
        writeln!(csv, "E{n:05},Person {n},{born},LAG").unwrap();
    }
    csv
}

async fn sends(c: &Care, who: &Actor, csv: &str, more: Value) -> Value {
    let mut body = json!({"client": c.client["id"], "csv": csv});
    crate::stage::merge(&mut body, more);
    who.post(PATH, body).await.accepted()
}

async fn ends(c: &Care, import: &Value) -> Value {
    c.s.world.deliver().await;
    c.s.manager.get(&format!("{PATH}/{}", id(import))).await.ok()
}

/// Everybody on the client's list, by number of the version.
async fn on_list(c: &Care) -> Vec<Value> {
    let (mut all, mut next) = (vec![], String::new());
    loop {
        let query = format!("/v1/eap/beneficiaries?client={}&limit=100{next}", id(&c.client));
        let page = c.s.manager.get(&query).await.ok();
        all.extend(page["data"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => return all,
        }
    }
}

async fn staff(c: &Care) -> Value {
    c.s.manager.get(&format!("/v1/eap/clients/{}/stats", id(&c.client))).await.ok()["total_staff"].clone()
}

/// Rows of the large file; another number with `EAP_ROWS`.
fn large() -> usize {
    std::env::var("EAP_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(ROWS)
}

/// What the queue brings of an import, without looking through the table for it.
async fn hears(c: &Care, import: &Value, kind: &str) -> Value {
    c.s.hears(kind, &id(import), json!({"import": import["id"]})).await;
    c.s.manager.get(&format!("{PATH}/{}", id(import))).await.ok()
}

#[tokio::test]
async fn a_large_file_is_checked_run_once_and_taken_back() {
    let c = Care::begin().await;
    // Small files are held to their budgets, and tried under faults, by the other stories.
    c.s.world.calm();
    c.s.world.quiet();
    let rows = large();
    let (bad, good) = (rows / 50, rows - rows / 50);
    let before = c.employee("OLD1", json!({})).await;
    let csv = file(rows);
    let dry = sends(&c, &c.s.manager, &csv, json!({"dry_run": true})).await;
    assert_eq!((&dry["rows"], &dry["valid"], &dry["invalid"]), (&json!(rows), &json!(good), &json!(bad)));
    let errors = dry["errors"].as_array().unwrap();
    assert_eq!(errors.len(), bad);
    assert_eq!(
        errors[0],
        json!({"row": 51, "column": "birth_date", "code": "format", "detail": "a date such as 1990-05-17"})
    );
    c.s.world.deliver().await;
    assert_eq!(staff(&c).await, 1, "a dry run does nothing");
    c.s.manager.post(&format!("{PATH}/{}/run", id(&dry)), json!({})).await.accepted();
    let (run, back) = ("beneficiary_import.requested", "beneficiary_import.rollback_requested");
    assert_eq!(hears(&c, &dry, run).await["status"], "done");
    assert_eq!(staff(&c).await, good + 1);
    // The same file again: nobody twice, nobody changed.
    let again = sends(&c, &c.s.manager, &csv, json!({})).await;
    assert_eq!(hears(&c, &again, run).await["status"], "done");
    assert_eq!(staff(&c).await, good + 1);
    let all = on_list(&c).await;
    assert_eq!(all.len(), good + 1);
    assert!(all.iter().all(|r| r["version"] == 1));
    // Taken back: the one who was there before stays.
    c.s.manager.post(&format!("{PATH}/{}/roll_back", id(&dry)), json!({})).await.accepted();
    assert_eq!(hears(&c, &dry, back).await["status"], "rolled_back");
    assert_eq!(on_list(&c).await.iter().map(id).collect::<Vec<_>>(), [id(&before)]);
    assert_eq!(staff(&c).await, 1);
}

#[tokio::test]
async fn a_file_of_everybody_ends_who_is_missing_and_a_roll_back_brings_them_back() {
    let c = Care::begin().await;
    let first = "employee_number;name;unit\nE1;Ada Obi;LAG\nE2;Bola Ade;LAG\n";
    let made = sends(&c, &c.s.manager, first, json!({"dry_run": true})).await;
    c.s.manager.post(&format!("{PATH}/{}/run", id(&made)), json!({})).await.accepted();
    ends(&c, &made).await;
    let manual = c.employee("M1", json!({})).await;
    let second =
        "employee_number,name,relation,birth_date\nE1,Ada Obi-Eze,,\nE3,Chi,,\nE1,Son,child,2015-01-01\n";
    let full = sends(&c, &c.s.manager, second, json!({"extent": "full"})).await;
    assert_eq!(ends(&c, &full).await["status"], "done");
    let stands = async || -> Vec<(String, String)> {
        let text = |r: &Value, name: &str| r[name].as_str().unwrap_or_default().to_string();
        let mut all: Vec<_> =
            on_list(&c).await.iter().map(|r| (text(r, "name"), text(r, "status"))).collect();
        all.sort();
        all
    };
    let row = |name: &str, status: &str| (name.to_string(), status.to_string());
    let [ada, bola, chi] = ["Ada Obi-Eze", "Bola Ade", "Chi"];
    let others = [row("Person M1", "eligible"), row("Son", "eligible")];
    let mut want = vec![row(ada, "eligible"), row(bola, "ended"), row(chi, "eligible")];
    want.extend(others);
    assert_eq!(stands().await, want, "who came by no file is not ended by one");
    c.s.manager.post(&format!("{PATH}/{}/roll_back", id(&full)), json!({})).await.accepted();
    ends(&c, &full).await;
    assert_eq!(
        stands().await,
        [row("Ada Obi", "eligible"), row(bola, "eligible"), row("Person M1", "eligible")]
    );
    assert_eq!(staff(&c).await, 3);
    let _ = manual;
    c.s.manager.post(&format!("{PATH}/{}/roll_back", id(&full)), json!({})).await.refused(422, "state");
}

/// Story 7: the HR contact hears the same whoever of its people is registered or has a case.
#[tokio::test]
async fn the_answer_is_the_same_whether_or_not_somebody_has_a_case() {
    let (plain, used) = (Care::begin().await, Care::begin().await);
    let csv = file(100);
    let mut heard = vec![];
    for c in [&plain, &used] {
        let first = sends(c, &c.s.manager, &csv, json!({})).await;
        ends(c, &first).await;
        if std::ptr::eq(c, &used) {
            for (n, person) in on_list(c).await.iter().take(3).enumerate() {
                let case = c.case(person, "anxiety").await;
                c.books(&case, &format!("2026-12-0{}T09:00:00Z", n + 1)).await.created();
                c.login_of(person).await;
            }
        }
        let hr = c.s.contact_of(&c.client).await;
        let mut told = vec![];
        for command in ["", "/roll_back"] {
            let sent = match command {
                "" => sends(c, &hr, &csv, json!({"extent": "full"})).await,
                _ => {
                    let last =
                        hr.get(&format!("{PATH}?client={}", id(&c.client))).await.ok()["data"][0].clone();
                    hr.post(&format!("{PATH}/{}{command}", id(&last)), json!({})).await.accepted()
                }
            };
            c.s.world.deliver().await;
            let seen = hr.get(&format!("{PATH}/{}", id(&sent))).await;
            told.push((masked(&sent), masked(&seen.ok())));
        }
        told.push((
            masked(&c.s.manager.get(&format!("/v1/eap/clients/{}/stats", id(&c.client))).await.ok()),
            Value::Null,
        ));
        heard.push(told);
    }
    assert_eq!(heard[0], heard[1]);
}

/// Without what differs between any two requests: ids and times.
fn masked(answer: &Value) -> Value {
    let mut all = answer.clone();
    for name in ["id", "client", "requested_by", "created_at", "updated_at", "look_at"] {
        all.as_object_mut().unwrap().remove(name);
    }
    all
}

#[tokio::test]
async fn a_large_file_goes_to_a_link_first_and_one_that_is_never_run_goes_away() {
    let c = Care::begin().await;
    let csv = file(60);
    let sha256 = store::chain::hex_digest(csv.as_bytes());
    let body = json!({"client": c.client["id"], "size": csv.len(), "sha256": sha256});
    let waits = c.s.manager.post(PATH, body).await.accepted();
    let check = format!("{PATH}/{}/check", id(&waits));
    c.s.manager.post(&check, json!({})).await.refused(409, "file-missing");
    c.s.world.files.put(waits["upload"]["url"].as_str().unwrap(), csv.as_bytes()).unwrap();
    let checked = c.s.manager.post(&check, json!({})).await.ok();
    assert_eq!((&checked["valid"], &checked["actions"]), (&json!(59), &json!(["run"])));
    c.s.world.clock.advance(jiff::SignedDuration::from_hours(7 * 24 + 1));
    c.s.world.ring().await;
    let gone = c.s.manager.get(&format!("{PATH}/{}", id(&waits))).await.ok();
    assert_eq!(gone["status"], "expired");
    assert!(!c.s.world.files.keys(web::files::Bucket::Documents).iter().any(|k| k.contains("imports")));
    let bad = json!({"client": c.client["id"], "csv": "name\nAda\n"});
    c.s.manager.post(PATH, bad).await.refused(422, "missing-column");
}
