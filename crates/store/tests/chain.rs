//! The chain of change records, recomputed from what lies in the table, and what tampering does to it.

use jiff::SignedDuration;
use kernel::{Result, SiteId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, HashMap};
use store::{
    Entity, List, Record, Store,
    chain::{Chain, Head, Leaf, Link, Seen, hex_digest, record, sorted, typed},
    sdk::{primitives::Blob, types::AttributeValue as Av},
};
use testkit::{Tenant, World};

type Item = HashMap<String, Av>;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Note {
    text: Sealed<String>,
    #[serde(default)]
    count: u64,
}

impl Entity for Note {
    type Id = SiteId;
    const NOUN: &'static str = "note";
    const LISTS: &'static [List<Self>] = &[List::newest()];
}

/// What lies in the table of a record.
async fn lies(world: &World, id: SiteId) -> (Vec<Link>, Option<Head>) {
    let items: Vec<_> = world.items().await.iter().map(typed).collect();
    let mut links: Vec<Link> = items.iter().filter_map(Link::read).collect();
    links.retain(|l| l.record == id.to_string());
    links.sort_by_key(|l| l.place);
    let head = items.iter().filter_map(Head::read).find(|h| h.record == id.to_string());
    (links, head)
}

/// What its anchors say, taken now.
async fn anchors(world: &World, id: SiteId) -> BTreeMap<u64, Leaf> {
    let leaf = |l: Link| Leaf {
        at: l.form.at,
        id: format!("{}#{}#{}", l.kind, l.record, l.place),
        record: l.record,
        version: l.place,
        hash: l.hash,
    };
    lies(world, id).await.0.into_iter().map(|l| (l.place, leaf(l))).collect()
}

/// What is wrong with the chain of a record, as `finding version member`; nothing, if nothing is.
async fn judged(world: &World, grace: &Tenant, id: SiteId, anchored: &BTreeMap<u64, Leaf>) -> Vec<String> {
    let (links, head) = lies(world, id).await;
    let (tenant, id) = (grace.id.prefix(), id.to_string());
    let settled = if anchored.is_empty() { "" } else { "9999" };
    let found = record(&Chain {
        tenant: &tenant,
        record: &id,
        links: &links,
        anchored,
        head: head.as_ref().map_or(Seen::Gone, Seen::At),
        from: 1,
        to: u64::MAX,
        since: "",
        settled,
    });
    let told = sorted(found).into_iter().map(|f| {
        let member = f.member.map(|m| format!(" {m}")).unwrap_or_default();
        format!("{} {}{member}", f.finding, f.version.unwrap_or_default())
    });
    told.collect()
}

async fn verify(world: &World, grace: &Tenant, id: SiteId) -> Vec<String> {
    judged(world, grace, id, &BTreeMap::new()).await
}

/// A record of `versions` versions, whose events hold what survives a round trip least: floats, nulls, order.
async fn note(world: &World, tenant: &Tenant, versions: u64) -> (Store, SiteId) {
    let store = tenant.store().await;
    let first = Record::new(world.clock.now(), Note { text: "one".into(), count: u64::MAX });
    let event = |n: u64| json!({"type": "note.changed", "data": {"z": n, "a": null, "score": 1.0, "list": [0.5, u64::MAX]}});
    store.commit().create(&first).emit(event(1)).run().await.unwrap();
    for n in 2..=versions {
        world.clock.advance(SignedDuration::from_secs(1));
        let old = store.fresh::<Note>(first.id).await.unwrap();
        let mut new = old.next(store.now());
        (new.body.text, new.body.count) = (format!("text {n}").into(), n);
        store
            .commit()
            .because(Some("why".into()))
            .update("update", &old, &new)
            .emit(event(n))
            .run()
            .await
            .unwrap();
    }
    (store, first.id)
}

#[tokio::test]
async fn every_hash_and_link_can_be_computed_again_from_the_table() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    let (store, id) = note(&world, &grace, 53).await;
    assert_eq!(verify(&world, &grace, id).await, Vec::<String>::new());
    assert_eq!(store.fresh::<Note>(id).await.unwrap().body.count, 53);
    let day = store.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let leaves = store.leaves(day).await.unwrap();
    let mine: Vec<&Leaf> = leaves.iter().filter(|l| l.record == id.to_string()).collect();
    assert!(leaves.is_sorted() && mine.iter().all(|l| l.kind() == "sit"), "{leaves:?}");
    assert_eq!(mine.len(), anchors(&world, id).await.values().filter(|l| l.day() == day.to_string()).count());
}

/// Changes one item behind everybody's back.
async fn tamper(world: &World, id: SiteId, version: u64, change: impl FnOnce(&mut Item)) {
    let place = (format!("#chg#sit#{id}"), format!("v#{version:010}"));
    at_place(world, &place.0, &place.1, change).await;
}

async fn at_place(world: &World, pk: &str, sk: &str, change: impl FnOnce(&mut Item)) {
    let is = |i: &Item| i["pk"].as_s().unwrap().ends_with(pk) && i["sk"].as_s().unwrap() == sk;
    let mut item = world.items().await.into_iter().find(is).unwrap();
    change(&mut item);
    put(world, item).await;
}

async fn put(world: &World, item: Item) {
    let (client, table) = world.table();
    client.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
}

async fn remove(world: &World, pk: &str, sk: &str) {
    let (client, table) = world.table();
    let key = |v: &str| Av::S(v.into());
    client.delete_item().table_name(table).key("pk", key(pk)).key("sk", key(sk)).send().await.unwrap();
}

async fn remove_version(world: &World, grace: &Tenant, id: SiteId, version: u64) {
    remove(world, &format!("{}#chg#sit#{id}", grace.id.prefix()), &format!("v#{version:010}")).await;
}

/// As a forger would: the hash of what the item now says.
fn rehash(item: &mut Item) {
    let hash = Link::read(&typed(item)).unwrap().form.hash();
    item.insert("hash".into(), digest(&hash));
}

fn digest(hex: &str) -> Av {
    Av::B(Blob::new(hex::decode(hex).unwrap()))
}

fn text(value: &str) -> Av {
    Av::S(value.into())
}

#[tokio::test]
async fn an_altered_change_is_noticed_and_its_part_is_named() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    type Change = fn(&mut Item);
    let changes: [(&str, Change); 9] = [
        ("form", |i| drop(i.insert("by".into(), text("usr_other")))),
        ("form", |i| {
            let Av::S(place) = &i["trailsk"] else { panic!("a place") };
            let earlier = format!("2020{}", &place[4..]);
            i.insert("trailsk".into(), text(&earlier));
        }),
        ("form", |i| drop(i.insert("action".into(), text("delete")))),
        ("form", |i| drop(i.insert("roles".into(), Av::L(vec![text("tenant_admin")])))),
        ("form", |i| drop(i.insert("after".into(), digest(&"ab".repeat(32))))),
        ("checks", |i| drop(i.remove("checks"))),
        ("event", |i| drop(i.remove("event"))),
        ("patch", |i| drop(i.insert("patch".into(), Av::B(Blob::new(*b"\x01forged"))))),
        ("context", |i| drop(i.insert("context".into(), Av::B(Blob::new(*b"\x01forged"))))),
    ];
    for (what, change) in changes {
        let (_, id) = note(&world, &grace, 3).await;
        tamper(&world, id, 2, change).await;
        assert_eq!(verify(&world, &grace, id).await, [format!("altered 2 {what}")]);
    }
}

#[tokio::test]
async fn what_an_erasure_took_leaves_its_digest_and_nothing_else_passes_for_it() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    for (left, wanted) in [(true, "redacted 2 patch"), (false, "altered 2 patch")] {
        let (_, id) = note(&world, &grace, 3).await;
        tamper(&world, id, 2, |i| {
            let taken = i.remove("patch").unwrap();
            let patch = if left { taken.as_b().unwrap().as_ref() } else { b"another" };
            let left = digest(&hex_digest(patch));
            let redacted = [("erasure".into(), text("ers_1")), ("patch".into(), left)];
            i.insert("redacted".into(), Av::M(redacted.into()));
        })
        .await;
        let verdict = verify(&world, &grace, id).await;
        assert!(verdict.contains(&wanted.to_string()), "{verdict:?}");
        assert_eq!(verdict.iter().filter(|said| !said.starts_with("redacted")).count(), usize::from(!left));
    }
}

#[tokio::test]
async fn a_forger_who_computes_hashes_again_breaks_a_link_an_anchor_or_the_record() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    let (_, id) = note(&world, &grace, 4).await;
    let anchored = anchors(&world, id).await;
    tamper(&world, id, 2, |i| {
        i.insert("by".into(), text("usr_other"));
        rehash(i);
    })
    .await;
    assert_eq!(verify(&world, &grace, id).await, ["relinked 3"]);
    assert_eq!(judged(&world, &grace, id, &anchored).await, ["rewritten 2", "relinked 3"]);
    // Forging everything behind it, up to the record, is told by the anchors alone.
    let mut prev = lies(&world, id).await.0[1].hash.clone();
    for version in [3, 4] {
        tamper(&world, id, version, |i| {
            i.insert("prev".into(), digest(&prev));
            rehash(i);
        })
        .await;
        prev = lies(&world, id).await.0[version as usize - 1].hash.clone();
    }
    assert_eq!(verify(&world, &grace, id).await, ["record_altered 4"]);
    at_place(&world, &format!("#sit#{id}"), ".", |i| drop(i.insert("head".into(), Av::S(prev)))).await;
    assert_eq!(verify(&world, &grace, id).await, Vec::<String>::new());
    assert_eq!(judged(&world, &grace, id, &anchored).await, ["rewritten 2", "rewritten 3", "rewritten 4"]);
}

#[tokio::test]
async fn what_was_removed_cut_off_or_moved_is_noticed_and_named() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    // A version in the middle.
    let (_, id) = note(&world, &grace, 5).await;
    let anchored = anchors(&world, id).await;
    remove_version(&world, &grace, id, 4).await;
    assert_eq!(verify(&world, &grace, id).await, ["deleted 4"]);
    assert_eq!(judged(&world, &grace, id, &anchored).await, ["deleted 4"]);
    // The newest ones, the record set back.
    let (store, id) = note(&world, &grace, 7).await;
    let anchored_seven = anchors(&world, id).await;
    let own = format!("{}#sit#{id}", grace.id.prefix());
    let is_own = |i: &&Item| *i["pk"].as_s().unwrap() == own && i["sk"].as_s().unwrap() == ".";
    let seven = world.items().await.iter().find(is_own).unwrap().clone();
    for count in [8, 9] {
        let old = store.fresh::<Note>(id).await.unwrap();
        let mut new = old.next(store.now());
        new.body.count = count;
        store.commit().update("update", &old, &new).run().await.unwrap();
    }
    let anchored = anchors(&world, id).await;
    remove_version(&world, &grace, id, 9).await;
    assert_eq!(verify(&world, &grace, id).await, ["truncated 9"], "the record is ahead of its chain");
    remove_version(&world, &grace, id, 8).await;
    put(&world, seven).await;
    assert_eq!(judged(&world, &grace, id, &anchored_seven).await, Vec::<String>::new());
    assert_eq!(judged(&world, &grace, id, &anchored).await, ["truncated 8", "truncated 9"]);
    // All of it.
    for version in 1..=7 {
        remove_version(&world, &grace, id, version).await;
    }
    remove(&world, &own, ".").await;
    let all: Vec<String> = (1..=9).map(|v| format!("truncated {v}")).collect();
    assert_eq!(judged(&world, &grace, id, &anchored).await, all);
    // Two versions that changed places, renumbered or not.
    for renumbered in [false, true] {
        let (_, id) = note(&world, &grace, 7).await;
        let anchored = anchors(&world, id).await;
        let find = |v: u64| {
            let sk = format!("v#{v:010}");
            move |i: &&Item| {
                i["pk"].as_s().unwrap().ends_with(&format!("#chg#sit#{id}")) && *i["sk"].as_s().unwrap() == sk
            }
        };
        let items = world.items().await;
        let (mut five, mut six) =
            (items.iter().find(find(5)).unwrap().clone(), items.iter().find(find(6)).unwrap().clone());
        for name in ["sk", "version"].iter().take(1 + usize::from(renumbered)) {
            let other = five.insert(name.to_string(), six[*name].clone()).unwrap();
            six.insert(name.to_string(), other);
        }
        put(&world, five).await;
        put(&world, six).await;
        assert_eq!(
            judged(&world, &grace, id, &anchored).await,
            ["reordered 5", "reordered 6"],
            "{renumbered}"
        );
    }
}

#[tokio::test]
async fn a_record_changed_without_a_change_and_a_change_never_anchored_are_named() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    let (_, id) = note(&world, &grace, 3).await;
    let anchored = anchors(&world, id).await;
    let own = format!("#sit#{id}");
    at_place(&world, &own, ".", |i| drop(i.insert("count".into(), Av::N("7".into())))).await;
    assert_eq!(verify(&world, &grace, id).await, ["record_altered 3"]);
    at_place(&world, &own, ".", |i| drop(i.insert("count".into(), Av::N("3.0".into())))).await;
    assert_eq!(verify(&world, &grace, id).await, Vec::<String>::new(), "the same number in other words");
    let mut fewer = anchored.clone();
    fewer.remove(&3);
    assert_eq!(judged(&world, &grace, id, &fewer).await, ["inserted 3"]);
    let other: BTreeMap<u64, Leaf> = anchored;
    let (_, moved) = note(&world, &grace, 3).await;
    assert_eq!(
        judged(&world, &grace, moved, &other).await.len(),
        3,
        "another record's anchors do not pass for its own"
    );
}

#[tokio::test]
async fn any_moment_can_be_read_again_except_those_when_it_was_deleted() -> Result<()> {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    let (store, id) = note(&world, &grace, 51).await;
    let now = store.now();
    let changes = store.history::<Note>(id, None, 100).await?;
    let made = |version: u64| changes.iter().find(|c| c.version == version).expect("it was made").at;
    for version in [51, 50, 49, 2] {
        let then = store.at::<Note>(id, made(version) + SignedDuration::from_millis(500)).await?;
        assert_eq!((&then.body.0["count"], then.version), (&json!(version), version));
    }
    assert_eq!(store.at::<Note>(id, made(1)).await?.body.0["count"], json!(u64::MAX), "to the last digit");
    let before = made(1) - SignedDuration::from_millis(1);
    assert_eq!(store.at::<Note>(id, before).await.unwrap_err().code(), "not-found");
    let turn = async |action: &str, deleted: bool| {
        world.clock.advance(SignedDuration::from_mins(1));
        let old = store.fresh::<Note>(id).await?;
        let mut new = old.next(store.now());
        new.deleted_at = deleted.then_some(new.updated_at);
        store.commit().update(action, &old, &new).run().await
    };
    turn("delete", true).await?;
    let gone = store.now();
    turn("restore", false).await?;
    assert_eq!(store.at::<Note>(id, now).await?.version, 51);
    assert_eq!(store.at::<Note>(id, gone).await.unwrap_err().code(), "not-found");
    assert_eq!(store.at::<Note>(id, store.now()).await?.version, 53);
    assert_eq!(verify(&world, &grace, id).await, Vec::<String>::new());
    assert_eq!(store.version::<Note>(id, 7).await?.body.0["count"], json!(7));
    assert!(store.version::<Note>(id, 52).await?.body.0["deleted_at"].is_string());
    assert_eq!(store.version::<Note>(id, 54).await.unwrap_err().code(), "not-found");
    Ok(())
}
