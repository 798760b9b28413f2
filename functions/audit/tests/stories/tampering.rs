//! AUD-4: what somebody with the table's keys does behind everybody's back, and what the verifier says of it
//! (stories 8 to 11).

use crate::stage::{Stage, digest, text, told};
use serde_json::json;
use store::sdk::{primitives::Blob, types::AttributeValue as Av};
use web::files::Bucket;

fn place(version: u64) -> String {
    format!("v#{version:010}")
}

/// Story 8.
#[tokio::test]
async fn one_flipped_byte_of_a_patch_names_the_record_the_version_and_the_part() {
    let s = Stage::set().await;
    let ada = s.versions("Ada", "0803 123 4567", 3).await;
    s.anchors().await;
    assert_eq!(s.verify(&ada).await["status"], "intact");
    s.change(&format!("chg#pat#{ada}"), &place(2), |i| {
        let mut patch = i["patch"].as_b().unwrap().as_ref().to_vec();
        let last = patch.len() - 1;
        patch[last] ^= 1;
        i.insert("patch".into(), Av::B(Blob::new(patch)));
    })
    .await;
    let verdict = s.verify(&ada).await;
    assert_eq!(verdict["status"], "broken");
    let first = &verdict["first_broken"];
    let wanted = json!({"finding": "altered", "record": ada, "version": 2, "member": "patch"});
    for (name, value) in wanted.as_object().unwrap() {
        assert_eq!(first[name], *value, "{first}");
    }
}

/// Story 9.
#[tokio::test]
async fn a_removed_version_is_deleted_and_a_cut_off_end_is_truncated() {
    let s = Stage::set().await;
    let ada = s.versions("Ada", "0803 123 4567", 9).await;
    let of_nine = format!("chg#pat#{ada}");
    s.anchors().await;
    let four = s.item(&of_nine, &place(4)).await;
    s.remove(&of_nine, &place(4)).await;
    assert_eq!(s.findings(&ada).await, ["deleted 4"]);
    s.put(four).await;
    assert_eq!(s.findings(&ada).await, Vec::<String>::new());
    // A forger who knows the table sets the record back, too.
    let bo = s.versions("Bo", "0803 123 4568", 7).await;
    let seven = s.item(&format!("pat#{bo}"), ".").await;
    for n in [8, 9] {
        s.desk.patch(&format!("/v1/patients/{bo}"), json!({"occupation": format!("trade {n}")})).await.ok();
    }
    s.anchors().await;
    for version in [8, 9] {
        s.remove(&format!("chg#pat#{bo}"), &place(version)).await;
    }
    s.put(seven).await;
    assert_eq!(s.findings(&bo).await, ["truncated 8", "truncated 9"]);
    // The record and everything of it, two minutes later.
    s.later(120);
    for version in 1..=7 {
        s.remove(&format!("chg#pat#{bo}"), &place(version)).await;
    }
    s.remove(&format!("pat#{bo}"), ".").await;
    let all: Vec<String> = (1..=9).map(|v| format!("truncated {v}")).collect();
    assert_eq!(s.findings(&bo).await, all);
}

/// Story 10.
#[tokio::test]
async fn swapped_versions_are_reordered_recomputed_ones_rewritten_and_a_lone_record_altered() {
    let s = Stage::set().await;
    let ada = s.versions("Ada", "0803 123 4567", 7).await;
    let chain = format!("chg#pat#{ada}");
    s.anchors().await;
    let (five, six) = (s.item(&chain, &place(5)).await, s.item(&chain, &place(6)).await);
    let (mut a, mut b) = (five.clone(), six.clone());
    a.insert("sk".into(), text(&place(6)));
    b.insert("sk".into(), text(&place(5)));
    s.put(a).await;
    s.put(b).await;
    assert_eq!(s.findings(&ada).await, ["reordered 5", "reordered 6"]);
    s.put(five).await;
    s.put(six).await;
    // From version 5 on, every hash again, up to the record.
    let mut prev: Option<String> = None;
    for version in 5..=7 {
        let mut item = s.item(&chain, &place(version)).await;
        match &prev {
            None => drop(item.insert("by".into(), text("usr_01J00000000000000000000000"))),
            Some(prev) => drop(item.insert("prev".into(), digest(prev))),
        }
        let hash = store::chain::Link::read(&store::chain::typed(&item)).unwrap().form.hash();
        item.insert("hash".into(), digest(&hash));
        s.put(item).await;
        prev = Some(hash);
    }
    s.change(&format!("pat#{ada}"), ".", |i| drop(i.insert("head".into(), text(&prev.unwrap())))).await;
    assert_eq!(s.findings(&ada).await, ["rewritten 5", "rewritten 6", "rewritten 7"]);
    let bo = s.versions("Bo", "0803 123 4568", 2).await;
    s.anchors().await;
    s.change(&format!("pat#{bo}"), ".", |i| drop(i.insert("gender".into(), text("male")))).await;
    assert_eq!(s.findings(&bo).await, ["record_altered 2"]);
}

#[tokio::test]
async fn a_change_that_nobody_anchored_is_inserted_once_it_is_old_enough() {
    let s = Stage::set().await;
    let ada = s.versions("Ada", "0803 123 4567", 2).await;
    s.anchors().await;
    s.desk.patch(&format!("/v1/patients/{ada}"), json!({"occupation": "spy"})).await.ok();
    assert_eq!(s.findings(&ada).await, Vec::<String>::new(), "its anchor may be on its way");
    s.later(16 * 60);
    assert_eq!(s.findings(&ada).await, ["inserted 3"]);
}

/// Story 11.
#[tokio::test]
async fn a_missing_a_swapped_and_an_edited_digest_are_named() {
    let s = Stage::set().await;
    s.patient("Ada", "0803 123 4567").await;
    for next in ["2026-05-05", "2026-05-06", "2026-05-07", "2026-05-08"] {
        s.night(next).await;
    }
    let run = s.verified().await;
    assert_eq!((&run["status"], &run["findings"]), (&json!("intact"), &json!([])), "{run:#}");
    assert_eq!(run["checked"]["digests"], 4);
    let key = |day: &str| format!("audit/{}/{day}/digest.json", s.grace.id.prefix());
    let read = |day: &str| s.world.files.get(&format!("memory:digests/{}", key(day))).unwrap();
    let write = |day: &str, bytes: Option<Vec<u8>>| s.world.files.tamper(Bucket::Digests, &key(day), bytes);
    let (five, six) = (read("2026-05-05"), read("2026-05-06"));
    write("2026-05-05", None);
    assert_eq!(told(&s.verified().await["findings"]), ["digest_missing"]);
    write("2026-05-05", Some(six.clone()));
    write("2026-05-06", Some(five.clone()));
    let run = s.verified().await;
    assert!(told(&run["findings"]).iter().all(|f| f == "digest_reordered"), "{run:#}");
    assert_eq!(run["first_broken"]["day"], "2026-05-05");
    write("2026-05-06", Some(six));
    let mut edited: serde_json::Value = serde_json::from_slice(&five).unwrap();
    edited["digest"]["changes"]["count"] = json!(1_000_000);
    write("2026-05-05", Some(serde_json::to_vec(&edited).unwrap()));
    let found = told(&s.verified().await["findings"]);
    for wanted in ["digest_altered", "signature_invalid"] {
        assert!(found.iter().any(|f| f == wanted), "{found:?}");
    }
}

#[tokio::test]
async fn a_night_that_finds_something_missing_tells_it_and_names_the_first_broken_link() {
    let s = Stage::set().await;
    let ada = s.versions("Ada", "0803 123 4567", 3).await;
    s.anchors().await;
    s.remove(&format!("chg#pat#{ada}"), &place(2)).await;
    s.at("2026-05-05T00:21:00Z");
    s.world.ring().await;
    let told = s.world.events().await.into_iter().find(|e| e.kind == "audit_chain.broken").expect("told");
    let first = &told.data["first"];
    assert_eq!(
        (&first["record"], &first["version"], &first["finding"]),
        (&json!(ada), &json!(2), &json!("deleted"))
    );
    s.world.deliver().await;
    let page = s.auditor.get("/v1/audit/verifications").await.ok();
    let week = page["data"].as_array().unwrap().iter().find(|run| run["part"].is_null()).unwrap().clone();
    assert_eq!(week["status"], "broken", "the week is verified at once");
}

#[tokio::test]
async fn an_access_entry_that_was_changed_or_removed_is_named() {
    let s = Stage::set().await;
    let ada = s.patient("Ada", "0803 123 4567").await;
    for _ in 0..2 {
        s.nurse.get(&format!("/v1/patients/{ada}")).await.ok();
        s.later(1);
    }
    s.anchors().await;
    s.entries().await;
    let lies: Vec<_> = s.world.scan().await;
    let own = |i: &&serde_json::Value| i["pk"].as_str().unwrap().ends_with(&format!("#access#pat#{ada}"));
    let places: Vec<String> =
        lies.iter().filter(own).map(|i| i["sk"].as_str().unwrap().to_string()).collect();
    assert_eq!(places.len(), 2);
    let pk = format!("access#pat#{ada}");
    s.change(&pk, &places[0], |i| drop(i.insert("by".into(), text("usr_01J00000000000000000000000")))).await;
    s.remove(&pk, &places[1]).await;
    let mut found = told(&s.verified().await["findings"]);
    found.sort();
    assert_eq!(found, ["access_altered", "access_deleted"]);
}

/// What was changed long ago is not in the days that Sundays verify: each record comes by once in thirty nights.
#[tokio::test]
async fn within_thirty_nights_every_record_is_verified() {
    let s = Stage::set().await;
    let ada = s.versions("Ada", "0803 123 4567", 3).await;
    let day = |n: i32| {
        let day = jiff::civil::date(2026, 5, 4).checked_add(jiff::ToSpan::days(n)).unwrap();
        day.to_string()
    };
    for n in 1..=10 {
        s.night(&day(n)).await;
    }
    s.change(&format!("chg#pat#{ada}"), &place(2), |i| {
        i.insert("by".into(), Av::S("usr_01J00000000000000000000000".into()));
    })
    .await;
    let broken = async || {
        let all = s.world.events().await.into_iter().filter(|e| e.kind == "audit_chain.broken");
        all.map(|e| e.data).collect::<Vec<_>>()
    };
    for n in 11..=40 {
        s.night(&day(n)).await;
    }
    let told = broken().await;
    assert_eq!(told.len(), 1, "once: {told:#?}");
    assert_eq!((&told[0]["first"]["record"], &told[0]["first"]["version"]), (&json!(ada), &json!(2)));
    let page = s.auditor.get("/v1/audit/verifications").await.ok();
    let newest = &page["data"][0];
    assert_eq!((&newest["from"], newest["part"].is_u64()), (&json!("2026-05-04"), true));
}
