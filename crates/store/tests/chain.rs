//! The chain of change records, recomputed from what lies in the table, and what tampering does to it.

use jiff::SignedDuration;
use kernel::{Result, SiteId};
use schemars::JsonSchema;
use seal::{Sealed, sha256};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::collections::HashMap;
use store::{
    Digest, Entity, List, Record, Store,
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

/// What is wrong with the chain of a record; nothing, if nothing is.
async fn verify(world: &World, id: SiteId) -> Vec<String> {
    let items = world.items().await;
    let text =
        |item: &Item, name: &str| item.get(name).and_then(|v| v.as_s().ok()).cloned().unwrap_or_default();
    let (change, own) = (format!("#chg#sit#{id}"), format!("#sit#{id}"));
    let mut changes: Vec<&Item> = items.iter().filter(|i| text(i, "pk").ends_with(&change)).collect();
    changes.sort_by_key(|i| text(i, "sk"));
    let (mut faults, mut prev) = (vec![], String::new());
    for (n, item) in changes.iter().enumerate() {
        let hash = digest(item).hash();
        let wanted = [
            (hash == text(item, "hash"), "hash"),
            (prev == text(item, "prev"), "prev"),
            (text(item, "sk") == format!("v#{:010}", n + 1), "gap"),
        ];
        faults.extend(wanted.iter().filter(|(ok, _)| !ok).map(|(_, what)| format!("{what} at {}", n + 1)));
        prev = text(item, "hash");
    }
    let head = items.iter().find(|i| text(i, "pk").ends_with(&own) && !text(i, "pk").contains("#chg#"));
    if head.map(|i| text(i, "head")) != Some(prev) {
        faults.push("head".into());
    }
    faults
}

fn digest(item: &Item) -> Digest {
    fn plain<T: DeserializeOwned>(item: &Item, name: &str) -> Option<T> {
        fn value(v: &Av) -> Value {
            match v {
                Av::S(s) => s.clone().into(),
                Av::N(n) => serde_json::from_str(n).unwrap(),
                Av::Bool(b) => (*b).into(),
                Av::L(all) => all.iter().map(value).collect(),
                Av::M(map) => Value::Object(map.iter().map(|(k, v)| (k.clone(), value(v))).collect()),
                _ => Value::Null,
            }
        }
        serde_json::from_value(value(item.get(name)?)).ok()
    }
    let blob = |name: &str| item.get(name).and_then(|v| v.as_b().ok()).map(|b| hex(&sha256(b.as_ref())));
    let text = |name: &str| plain::<String>(item, name);
    Digest {
        pk: text("pk").unwrap(),
        version: plain(item, "version").unwrap(),
        at: text("at").unwrap(),
        by: text("by").unwrap_or_default(),
        roles: plain(item, "roles").unwrap_or_default(),
        elevated: text("elevated"),
        on_behalf: text("on_behalf"),
        request: text("request").unwrap_or_default(),
        action: text("action").unwrap_or_default(),
        event: plain(item, "event").unwrap_or_default(),
        sealed: ["patch", "snapshot", "context"].map(|name| blob(name).unwrap_or_default()).to_vec(),
        prev: text("prev").unwrap_or_default(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
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
    assert_eq!(verify(&world, id).await, Vec::<String>::new());
    assert_eq!(store.fresh::<Note>(id).await.unwrap().body.count, 53);
}

/// Changes one item behind everybody's back.
async fn tamper(world: &World, id: SiteId, version: u64, change: impl FnOnce(&mut Item)) {
    let place = (format!("#chg#sit#{id}"), format!("v#{version:010}"));
    let is = |i: &Item| i["pk"].as_s().unwrap().ends_with(&place.0) && *i["sk"].as_s().unwrap() == place.1;
    let mut item = world.items().await.into_iter().find(is).unwrap();
    change(&mut item);
    let (client, table) = world.table();
    client.put_item().table_name(table).set_item(Some(item)).send().await.unwrap();
}

#[tokio::test]
async fn an_altered_removed_or_cut_off_change_is_noticed_and_named() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    type Change = fn(&mut Item);
    let changes: [(&str, Change); 7] = [
        ("by", |i| drop(i.insert("by".into(), Av::S("usr_other".into())))),
        ("at", |i| drop(i.insert("at".into(), Av::S("2020-01-01T00:00:00.000Z".into())))),
        ("action", |i| drop(i.insert("action".into(), Av::S("delete".into())))),
        ("roles", |i| drop(i.insert("roles".into(), Av::L(vec![Av::S("tenant_admin".into())])))),
        ("event", |i| drop(i.remove("event"))),
        ("patch", |i| drop(i.insert("patch".into(), Av::B(Blob::new(*b"\x01forged"))))),
        ("context", |i| drop(i.insert("context".into(), Av::B(Blob::new(*b"\x01forged"))))),
    ];
    for (what, change) in changes {
        let (_, id) = note(&world, &grace, 3).await;
        tamper(&world, id, 2, change).await;
        assert_eq!(verify(&world, id).await, ["hash at 2"], "{what}");
    }
    let (_, id) = note(&world, &grace, 3).await;
    let own = |i: &mut Item| drop(i.insert("hash".into(), Av::S(digest(i).hash())));
    tamper(&world, id, 2, |i| drop(i.insert("by".into(), Av::S("usr_other".into())))).await;
    tamper(&world, id, 2, own).await;
    assert_eq!(
        verify(&world, id).await,
        ["prev at 3"],
        "a forger who computes the hash again breaks the next link"
    );
    for (version, wanted) in [(2, vec!["prev at 2", "gap at 2"]), (3, vec!["head"])] {
        let (_, id) = note(&world, &grace, 3).await;
        let (client, table) = world.table();
        let (pk, sk) = (format!("{}#chg#sit#{id}", grace.id.prefix()), format!("v#{version:010}"));
        client
            .delete_item()
            .table_name(table)
            .key("pk", Av::S(pk))
            .key("sk", Av::S(sk))
            .send()
            .await
            .unwrap();
        assert_eq!(verify(&world, id).await, wanted);
    }
}

#[tokio::test]
async fn any_moment_can_be_read_again_except_those_when_it_was_deleted() -> Result<()> {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    let (store, id) = note(&world, &grace, 51).await;
    let now = store.now();
    let ago = |seconds: i64| now - SignedDuration::from_secs(seconds);
    for (seconds, count) in [(0, 51), (1, 50), (2, 49), (49, 2)] {
        let then = store.at::<Note>(id, ago(seconds)).await?;
        assert_eq!((&then.body.0["count"], then.version), (&json!(count), count));
    }
    assert_eq!(store.at::<Note>(id, ago(50)).await?.body.0["count"], json!(u64::MAX), "to the last digit");
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
    assert_eq!(verify(&world, id).await, Vec::<String>::new());
    Ok(())
}
