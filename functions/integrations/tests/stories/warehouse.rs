//! INT-6: the warehouse export.

use crate::stage::{Stage, digits};
use serde_json::{Value, json};
use std::{collections::BTreeMap, io::Read};
use web::files::File;

const PATH: &str = "/v1/integrations/warehouse";

/// Beats of the clock until a time.
async fn until(s: &Stage, time: &str) {
    let end: jiff::Timestamp = time.parse().unwrap();
    while s.world.clock.now() < end {
        s.world.clock.advance(jiff::SignedDuration::from_mins(15));
        s.rings().await;
    }
}

/// Every file of a day, by name, unpacked.
async fn files(s: &Stage, day: &str) -> BTreeMap<String, Vec<u8>> {
    let under = File::warehouse(s.grace.scope(), format!("dt={day}/part-"));
    let port = s.world.app.files();
    let mut all = BTreeMap::new();
    for key in port.list(&under, None).await.unwrap() {
        let bytes = port.read(&under.at(key.clone()), None).await.unwrap().unwrap();
        all.insert(key, bytes);
    }
    all
}

fn lines(files: &BTreeMap<String, Vec<u8>>) -> Vec<Value> {
    let mut all = vec![];
    for bytes in files.values() {
        let mut text = String::new();
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
        all.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
    }
    all
}

/// How many changes the organisation had on a day.
async fn changes(s: &Stage, day: &str) -> usize {
    let of_day = |i: &&Value| {
        let pk = i["pk"].as_str().unwrap_or_default();
        pk.starts_with(&format!("{}#chg#", s.grace.id.prefix()))
            && i["trailsk"].as_str().unwrap().starts_with(day)
    };
    s.world.scan().await.iter().filter(of_day).count()
}

async fn manifest(s: &Stage, day: &str) -> Value {
    let file = File::warehouse(s.grace.scope(), format!("dt={day}/manifest.json"));
    let bytes = s.world.app.files().read(&file, None).await.unwrap();
    bytes.map(|b| serde_json::from_slice(&b).unwrap()).unwrap_or_default()
}

/// Story 15.
#[tokio::test]
async fn a_days_export_equals_its_changes_and_carries_no_plain_name() {
    let s = Stage::set().await;
    s.admin.post(&format!("{PATH}/enable"), json!({"since": "2026-11-23T00:00:00Z"})).await.ok();
    for family in ["Okonkwo", "Balogun", "Eze"] {
        s.registers(family).await;
        s.later(1);
    }
    until(&s, "2026-11-24T02:30:00Z").await;
    let all = files(&s, "2026-11-23").await;
    let lines = lines(&all);
    assert_eq!(lines.len(), changes(&s, "2026-11-23").await);
    let registered: Vec<&Value> =
        lines.iter().filter(|l| l["event"]["type"] == "patient.registered").collect();
    assert_eq!(registered.len(), 3);
    assert!(registered[0]["patch"].is_null() && registered[0]["hash"].is_string());
    let text = lines.iter().map(Value::to_string).collect::<String>();
    for plain in ["Okonkwo", "Ngozi", "1990-05-17", &digits("Okonkwo")] {
        assert!(!text.contains(plain), "{plain}");
    }
    let manifest = manifest(&s, "2026-11-23").await;
    assert_eq!((&manifest["rows"], &manifest["changes"]), (&json!(lines.len()), &json!(lines.len())));
    assert_eq!(manifest["repaired"], false);
    let parts = manifest["parts"].as_array().unwrap();
    assert_eq!(parts.len(), all.len());
    for part in parts {
        let (_, bytes) = all.iter().find(|(key, _)| key.ends_with(part["name"].as_str().unwrap())).unwrap();
        assert_eq!(part["sha256"], json!(hex::encode(seal::sha256(bytes))));
    }
    let shown = s.admin.get(&format!("{PATH}/days/2026-11-23")).await.ok();
    assert_eq!(shown["counted"]["rows"], json!(lines.len()));
    assert!(shown["parts"][0]["link"]["url"].is_string());
}

#[tokio::test]
async fn a_worker_that_dies_before_moving_on_writes_the_same_file_again() {
    let s = Stage::set().await;
    s.admin.post(&format!("{PATH}/enable"), json!({})).await.ok();
    s.registers("Okonkwo").await;
    s.at("2026-11-23T06:17:01Z");
    // The file is written; of the commit that moves the cursor the answer is lost and the record is as it was.
    let before = s.grace.store().await;
    let id = kernel::Id::of(kernel::Id::ulid(s.grace.id));
    let record = before.fresh::<integrations::warehouse::Warehouse>(id).await.unwrap();
    let ctx = web::Ctx::system(&s.world.app, s.grace.scope(), "integrations", "test").await.unwrap();
    let (from, to) = (record.body.cursor, integrations::warehouse::slot::end(record.body.cursor));
    let first = integrations::warehouse::export::write(&ctx, &record.body, from, to).await.unwrap();
    let was = files(&s, "2026-11-23").await;
    s.rings().await;
    assert_eq!(files(&s, "2026-11-23").await, was, "the same names and the same bytes");
    assert_eq!(first.len(), was.len());
    // And the due row that rang twice finds nothing to do.
    s.rings().await;
    assert_eq!(files(&s, "2026-11-23").await, was);
}

#[tokio::test]
async fn a_gap_is_found_told_and_filled() {
    let s = Stage::set().await;
    s.admin.post(&format!("{PATH}/enable"), json!({"since": "2026-11-23T00:00:00Z"})).await.ok();
    s.registers("Okonkwo").await;
    until(&s, "2026-11-23T08:00:00Z").await;
    // One file's memory is lost: its lines are missing from the count.
    let id: kernel::WarehouseId = kernel::Id::of(kernel::Id::ulid(s.grace.id));
    let store = s.grace.store().await;
    let parts = store.under::<Value>(&store::Key::record(id), "part#", 100).await.unwrap();
    let lost = parts[0].1["name"].as_str().unwrap();
    store.commit().delete(&store::Key::part(id, "part", lost)).run().await.unwrap();
    until(&s, "2026-11-24T02:30:00Z").await;
    let manifest = manifest(&s, "2026-11-23").await;
    assert_eq!((&manifest["repaired"], &manifest["rows"]), (&json!(true), &manifest["changes"]));
    let told = s.world.events().await.into_iter().filter(|e| e.kind == "warehouse.gap_found").count();
    assert_eq!(told, 1);
    assert_eq!(lines(&files(&s, "2026-11-23").await).len(), changes(&s, "2026-11-23").await);
}

#[tokio::test]
async fn it_is_switched_on_and_off_by_who_may_and_goes_on_where_it_stopped() {
    let s = Stage::set().await;
    s.admin.get(PATH).await.missing();
    s.grace.staff("auditor").post(&format!("{PATH}/enable"), json!({})).await.refused(403, "forbidden");
    s.admin.post(&format!("{PATH}/enable"), json!({"kinds": ["zzz"]})).await.refused(422, "unknown-kind");
    let early = json!({"since": "2026-09-01T00:00:00Z"});
    s.admin.post(&format!("{PATH}/enable"), early).await.refused(422, "range");
    s.admin.post(&format!("{PATH}/enable"), json!({"kinds": ["pat"]})).await.ok();
    s.admin.post(&format!("{PATH}/enable"), json!({})).await.refused(422, "state");
    s.registers("Okonkwo").await;
    until(&s, "2026-11-23T07:00:00Z").await;
    assert!(lines(&files(&s, "2026-11-23").await).iter().all(|line| line["kind"] == "pat"));
    s.admin.post(&format!("{PATH}/disable"), json!({})).await.refused(422, "reason-required");
    s.admin.post(&format!("{PATH}/disable"), json!({"reason": "moved"})).await.ok();
    s.registers("Balogun").await;
    until(&s, "2026-11-23T09:00:00Z").await;
    let count = lines(&files(&s, "2026-11-23").await).len();
    s.admin.post(&format!("{PATH}/enable"), json!({"kinds": ["pat"]})).await.ok();
    s.rings().await;
    assert!(lines(&files(&s, "2026-11-23").await).len() > count, "what happened in between is there too");
    s.grace.staff("auditor").get(PATH).await.ok();
    s.grace.change_gate(|gate| gate.features.clear()).await;
    s.admin.post(&format!("{PATH}/enable"), json!({})).await.refused(403, "feature-not-licensed");
}
