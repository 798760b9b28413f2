//! What a commit promises under contention, and what keys promise over time.

use kernel::{Id, SiteId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use store::{Caller, Entity, Key, List, Record, Scope, Token, Unique, Wanted, When, facts, is};
use testkit::{Tenant, World};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Bed {
    name: Sealed<String>,
}

impl Entity for Bed {
    type Id = SiteId;
    const NOUN: &'static str = "bed";
    const LISTS: &'static [List<Self>] = &[List::newest()];
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("name", "bed-taken", |b| vec![b.name.0.clone()])];
    fn tokens(&self) -> Vec<Token> {
        let name = self.name.0.clone();
        vec![Token::Word(name.clone()), Token::Exact("name", name)]
    }
}

fn bed(tenant: &Tenant, name: &str) -> Record<Bed> {
    Record::new(tenant.world.clock.now(), Bed { name: name.into() })
}

async fn contended() -> Tenant {
    World::contended(vec![]).await.hospital("grace").await
}

/// Runs all at once and returns the codes, `ok` for success.
async fn all<F>(work: impl Iterator<Item = F>) -> Vec<String>
where
    F: Future<Output = kernel::Result<()>> + Send + 'static,
{
    let spawned: Vec<_> = work.map(tokio::spawn).collect();
    let done = futures::future::join_all(spawned).await.into_iter();
    done.map(|r| r.unwrap().map_or_else(|e| e.code().to_string(), |()| "ok".into())).collect()
}

fn count(codes: &[String], code: &str) -> usize {
    codes.iter().filter(|c| *c == code).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_at_once_with_three_left_yield_exactly_three() {
    let grace = contended().await;
    grace.limit("users", 3).await;
    let store = grace.store().await;
    let takers = (0..40).map(|n| {
        let (store, record) = (store.clone(), bed(&grace, &format!("bed {n}")));
        async move { store.commit().create(&record).take("users", 1, record.id).run().await }
    });
    let codes = all(takers).await;
    assert_eq!((count(&codes, "ok"), count(&codes, "limit-reached")), (3, 37), "{codes:?}");
    assert_eq!(store.list(&Bed::LISTS[0], &Wanted::all(100)).await.unwrap().data.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_spread_over_shards_is_still_exact() {
    let grace = contended().await;
    grace.limit("patients", 37).await;
    let store = grace.store().await;
    let takers = (0..50).map(|n| {
        let (store, record) = (store.clone(), bed(&grace, &format!("bed {n}")));
        async move { store.commit().create(&record).take("patients", 16, record.id).run().await }
    });
    let codes = all(takers).await;
    assert_eq!((count(&codes, "ok"), count(&codes, "limit-reached")), (37, 13), "{codes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_want_one_name_exactly_one_gets_it() {
    let grace = contended().await;
    let store = grace.store().await;
    let takers = (0..16).map(|_| {
        let (store, record) = (store.clone(), bed(&grace, "window"));
        async move { store.commit().create(&record).run().await }
    });
    let codes = all(takers).await;
    assert_eq!((count(&codes, "ok"), count(&codes, "bed-taken")), (1, 15), "{codes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_are_never_given_twice() {
    let grace = contended().await;
    let store = grace.store().await;
    let asked = (0..64).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.next_number("patient", 2026).await.unwrap() })
    });
    let given: BTreeSet<u64> =
        futures::future::join_all(asked).await.into_iter().map(|n| n.unwrap()).collect();
    assert_eq!(given, (1..=64).collect());
}

#[tokio::test]
async fn a_commit_is_whole_or_nothing() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    let before = grace.dump().await;
    let store = grace.store().await;
    let (one, two) = (bed(&grace, "one"), bed(&grace, "two"));
    let refused = store
        .commit()
        .create(&one)
        .create(&two)
        .require(facts::PATIENT, "nobody", || kernel::Error::conflict("patient-merged", "no such patient"))
        .run()
        .await;
    assert_eq!(refused.unwrap_err().code(), "patient-merged");
    assert_eq!(before, grace.dump().await);
}

#[tokio::test]
async fn conditions_are_told_what_lay_there() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    let store = grace.store().await;
    let key = Key::item("slt", "prc~2026-01-05", "0900");
    let claim = |apt: &str, held: i64| json!({"apt": apt, "held_until": held});
    let free = |now: i64| When::Absent.or(When::Below("held_until", now));
    let taken = |old: Option<serde_json::Value>| {
        kernel::Error::conflict("slot-taken", old.unwrap()["apt"].to_string())
    };
    store.commit().put_if(&key, &claim("a", 100), free(50), taken).run().await.unwrap();
    let e = store.commit().put_if(&key, &claim("b", 200), free(99), taken).run().await.unwrap_err();
    assert_eq!(e.to_string(), "\"a\"");
    store.commit().put_if(&key, &claim("b", 200), free(101), taken).run().await.unwrap();
    let e = store.commit().delete_if(&key, is("apt", "a"), taken).run().await.unwrap_err();
    assert_eq!(e.code(), "slot-taken");
    store.commit().delete_if(&key, is("apt", "b"), taken).run().await.unwrap();
    assert!(store.read::<serde_json::Value>(&key).await.unwrap().is_none());
}

#[tokio::test]
async fn one_transaction_may_span_the_platform_and_a_tenant() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    let platform = world.app.vault().open(Scope::Platform, Caller::default()).await.unwrap();
    let store = grace.store().await;
    let (theirs, ours) = (bed(&grace, "theirs"), bed(&grace, "ours"));
    store.commit().create(&theirs).joined(platform.commit().create(&ours)).run().await.unwrap();
    assert!(store.get::<Bed>(ours.id).await.is_err() && platform.get::<Bed>(theirs.id).await.is_err());
    assert_eq!(platform.history::<Bed>(ours.id, None, 5).await.unwrap().len(), 1);
    assert_eq!(store.history::<Bed>(theirs.id, None, 5).await.unwrap().len(), 1);
}

#[tokio::test]
async fn words_are_found_by_their_first_letters_over_sealed_names() {
    let world = World::with(vec![]).await;
    let (grace, other) = (world.hospital("grace").await, world.hospital("other").await);
    let store = grace.store().await;
    for name in ["okonkwo", "okafor", "al", "adebayoadeyemi"] {
        store.commit().create(&bed(&grace, name)).run().await.unwrap();
    }
    let found = async |store: &store::Store, word: &str| {
        store.find_word::<Bed>(store::Prefix(word), 10).await.unwrap().len()
    };
    assert_eq!(found(&store, "oko").await, 1);
    assert_eq!(found(&store, "okon").await, 1);
    assert_eq!(found(&store, "oka").await, 1);
    assert_eq!(found(&store, "okx").await, 0);
    assert_eq!(found(&store, "al").await, 1, "a short word is found whole");
    assert_eq!(found(&store, "adebayoadexxx").await, 1, "beyond ten letters the caller compares");
    assert_eq!(store.find_exact::<Bed>("name", "okafor", 10).await.unwrap().len(), 1);
    assert_eq!(found(&other.store().await, "oko").await, 0);
}

#[tokio::test]
async fn after_a_key_rotation_old_records_open_and_are_still_found() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    let old = bed(&grace, "before");
    grace.store().await.commit().create(&old).run().await.unwrap();
    assert_eq!(world.app.vault().rotate_key(grace.scope()).await.unwrap(), 2);
    let store = grace.store().await;
    let new = bed(&grace, "after");
    store.commit().create(&new).run().await.unwrap();
    assert_eq!(store.get::<Bed>(old.id).await.unwrap().body.name.0, "before");
    assert_eq!(store.find_exact::<Bed>("name", "before", 1).await.unwrap(), vec![old.id]);
    let again = store.commit().create(&bed(&grace, "before")).run().await;
    assert_eq!(again.unwrap_err().code(), "bed-taken", "guards do not move with the data key");
}

#[tokio::test]
async fn a_tenant_without_a_key_does_not_exist() {
    let world = World::with(vec![]).await;
    let nobody = kernel::TenantId::at(world.clock.now());
    let opened = world.app.vault().open(Scope::Tenant(nobody), Caller::default()).await;
    assert_eq!(opened.err().unwrap().code(), "not-found");
}

#[tokio::test]
async fn pages_continue_where_they_ended_whatever_was_added_meanwhile() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    let store = grace.store().await;
    for n in 0..7 {
        world.clock.advance(jiff::SignedDuration::from_secs(1));
        store.commit().create(&bed(&grace, &format!("b{n}"))).run().await.unwrap();
    }
    let mut names = vec![];
    let mut wanted = Wanted::all(3);
    loop {
        let page = store.list(&Bed::LISTS[0], &wanted).await.unwrap();
        names.extend(page.data.iter().map(|r| r.body.name.0.clone()));
        world.clock.advance(jiff::SignedDuration::from_secs(1));
        store.commit().create(&bed(&grace, &format!("late {}", names.len()))).run().await.unwrap();
        let Some(next) = page.next else { break };
        wanted.cursor = Some(next);
    }
    assert_eq!(names, ["b6", "b5", "b4", "b3", "b2", "b1", "b0"]);
    let first = store.list(&Bed::LISTS[0], &Wanted::all(3)).await.unwrap();
    world.clock.advance(jiff::SignedDuration::from_hours(2));
    let late = Wanted { cursor: first.next, ..Wanted::all(3) };
    assert_eq!(store.list(&Bed::LISTS[0], &late).await.err().unwrap().code(), "validation");
}
