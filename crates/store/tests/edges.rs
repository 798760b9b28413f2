//! What a commit does at its edges: values named twice, answers lost, places shared, scopes mixed.

use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Id, SiteId, Ulid};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{
    Caller, Due, Entity, Key, List, Prefix, Record, Row, Scope, Store, Token, Unique, Wanted, When, facts,
};
use testkit::{Tenant, World};

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
struct Person {
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    phones: Vec<Sealed<String>>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    due: Vec<Timestamp>,
}

impl Entity for Person {
    type Id = SiteId;
    const NOUN: &'static str = "person";
    const LISTS: &'static [List<Self>] = &[
        List::newest(),
        List::<Self>::by("name", &[], |r| {
            r.body.names.first().map(|n| Row::new(&[], &[n, &r.id])).into_iter().collect()
        })
        .range()
        .oldest_first(),
        List::<Self>::by("role", &["role"], |r| {
            r.body.roles.iter().map(|role| Row::new(&[role], &[&r.id])).collect()
        })
        .oldest_first(),
    ];
    const UNIQUE: &'static [Unique<Self>] =
        &[Unique::of("phone", "phone-taken", |p| p.phones.iter().map(|p| p.0.clone()).collect())];
    fn tokens(&self) -> Vec<Token> {
        self.names.iter().cloned().map(Token::Word).collect()
    }
    fn due(record: &Record<Self>) -> Vec<Due> {
        record.body.due.iter().map(|at| Due { at: *at, what: "look" }).collect()
    }
}

async fn grace() -> (World, Tenant, Store) {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    let store = grace.store().await;
    (world, grace, store)
}

fn person(store: &Store, names: &[&str]) -> Record<Person> {
    let names = names.iter().map(|n| n.to_string()).collect();
    Record::new(store.now(), Person { names, ..Person::default() })
}

async fn create(store: &Store, person: &Record<Person>) {
    store.commit().create(person).run().await.unwrap();
}

/// Changes a record as a handler would.
async fn change(
    store: &Store,
    id: SiteId,
    action: &str,
    change: impl FnOnce(&mut Record<Person>),
) -> Record<Person> {
    let old = store.fresh::<Person>(id).await.unwrap();
    let mut new = old.next(store.now());
    change(&mut new);
    store.commit().update(action, &old, &new).run().await.unwrap();
    new
}

async fn found(store: &Store, word: &str) -> usize {
    store.find_word::<Person>(Prefix(word), 10).await.unwrap().len()
}

async fn named(store: &Store, from: Option<&str>, to: Option<&str>) -> Vec<String> {
    let wanted = Wanted { from: from.map(Into::into), to: to.map(Into::into), ..Wanted::all(100) };
    let page = store.list(&Person::LISTS[1], &wanted).await.unwrap();
    page.data.into_iter().map(|r| r.body.names[0].clone()).collect()
}

#[tokio::test]
async fn a_value_a_role_a_date_or_a_word_named_twice_is_one() {
    let (_, _, store) = grace().await;
    let now = store.now();
    let mut twice = person(&store, &["ada", "ada"]);
    twice.body.phones = vec!["1".into(), "1".into()];
    twice.body.roles = vec!["nurse".into(), "nurse".into(), "nurse".into()];
    twice.body.due = vec![now + SignedDuration::from_hours(9), now, now + SignedDuration::from_hours(1)];
    create(&store, &twice).await;
    assert_eq!(store.list(&Person::LISTS[2], &Wanted::by(&[&"nurse"], 10)).await.unwrap().data.len(), 1);
    assert_eq!(store.first_due().await.unwrap().unwrap(), store::stamp(now), "the earliest of one reason");
    change(&store, twice.id, "update", |p| p.body.roles.truncate(2)).await;
    assert_eq!(found(&store, "ada").await, 1);
}

#[tokio::test]
async fn words_that_share_their_first_letters_are_found_until_the_last_of_them_goes() {
    let (_, _, store) = grace().await;
    let ada = person(&store, &["oluwadamilare", "oluwadamilola"]);
    create(&store, &ada).await;
    change(&store, ada.id, "update", |p| p.body.names = vec!["oluwadamilola".into()]).await;
    assert_eq!(found(&store, "oluwadamilola").await, 1);
    change(&store, ada.id, "update", |p| p.body.names.clear()).await;
    assert_eq!(found(&store, "oluwadamilola").await, 0);
}

#[tokio::test]
async fn what_was_deleted_frees_its_values_and_a_restored_one_takes_them_again() {
    let (_, _, store) = grace().await;
    let mut ada = person(&store, &["adaeze"]);
    ada.body.phones = vec!["1".into()];
    ada.body.roles = vec!["nurse".into()];
    create(&store, &ada).await;
    change(&store, ada.id, "delete", |p| p.deleted_at = Some(p.updated_at)).await;
    assert_eq!(
        (found(&store, "adaeze").await, store.guarded::<Person>("phone", "1").await.unwrap()),
        (0, None)
    );
    let nurses = async |deleted| {
        let wanted = Wanted { deleted, ..Wanted::by(&[&"nurse"], 10) };
        store.list(&Person::LISTS[2], &wanted).await.unwrap().data.len()
    };
    assert_eq!((nurses(false).await, nurses(true).await), (0, 1));
    change(&store, ada.id, "restore", |p| p.deleted_at = None).await;
    assert_eq!((nurses(false).await, nurses(true).await), (1, 0));
    assert_eq!(
        (found(&store, "adaeze").await, store.guarded::<Person>("phone", "1").await.unwrap()),
        (1, Some(ada.id))
    );
}

#[tokio::test]
async fn a_value_that_was_passed_on_is_not_freed_by_who_had_it() {
    let (_, _, store) = grace().await;
    let (mut ada, bola) = (person(&store, &["ada"]), person(&store, &["bola"]));
    ada.body.phones = vec!["1".into()];
    create(&store, &ada).await;
    create(&store, &bola).await;
    store.commit().pass_guard::<Person>("phone", "1", ada.id, bola.id).run().await.unwrap();
    let old = store.fresh::<Person>(ada.id).await.unwrap();
    let mut new = old.next(store.now());
    new.body.phones.clear();
    assert_eq!(store.commit().update("update", &old, &new).run().await.unwrap_err().code(), "internal");
    assert_eq!(store.guarded::<Person>("phone", "1").await.unwrap(), Some(bola.id));
}

#[tokio::test]
async fn an_item_named_twice_in_one_commit_is_said_so_and_a_condition_asked_twice_is_one() {
    let (_, grace, store) = grace().await;
    let key = Key::item("slt", "a secret name", "1");
    let refused =
        store.commit().put(&key, &json!({"a": 1})).put(&key, &json!({"a": 2})).run().await.unwrap_err();
    let Error::Internal(cause) = refused else { panic!("{refused}") };
    assert!(cause.to_string().contains("twice") && !cause.to_string().contains("secret"), "{cause}");
    let site = grace.sites[0];
    let gone = || Error::conflict("site-gone", "no such site");
    store
        .commit()
        .require(facts::SITE, site, gone)
        .require(facts::SITE, site, gone)
        .put(&key, &json!({}))
        .run()
        .await
        .unwrap();
    store.commit().run().await.expect("nothing to do is done");
}

#[tokio::test]
async fn more_than_a_transaction_holds_is_refused_in_words() {
    let (_, _, store) = grace().await;
    let many = (0..101).fold(store.commit(), |c, n| c.put(&Key::item("slt", "x", n), &json!({})));
    assert_eq!(many.run().await.unwrap_err().code(), "too-many-parts");
    let heavy = json!({"text": "x".repeat(300 * 1024)});
    let heavy = (0..15).fold(store.commit(), |c, n| c.put(&Key::item("slt", "x", n), &heavy));
    assert_eq!(heavy.run().await.unwrap_err().code(), "too-large");
}

#[tokio::test]
async fn throttling_after_a_lost_answer_does_not_make_a_second_attempt_of_it() {
    let (world, _, store) = grace().await;
    let ada = person(&store, &["ada"]);
    world.lose_answers(1);
    world.throttle_answers(3);
    store.commit().create(&ada).run().await.expect("done once, and told so");
    world.lose_answers(1);
    world.throttle_answers(1000);
    let soon = std::time::Instant::now() + std::time::Duration::from_millis(300);
    let bola = person(&store, &["bola"]);
    let refused = store.until(soon).commit().create(&bola).run().await.unwrap_err();
    assert_eq!(refused.code(), "outcome-unknown");
    world.throttle_answers(0);
    assert!(store.get::<Person>(bola.id).await.is_ok(), "it was done, so nobody may say it was not");
}

#[tokio::test]
async fn a_second_delivery_is_known_before_its_own_traces_refuse_it() {
    let (_, _, store) = grace().await;
    let key = Key::item("seen", "identity.admin", "evt");
    let deliver = async || {
        let mut ada = person(&store, &["ada"]);
        ada.body.phones = vec!["1".into()];
        let seen = || Error::conflict("seen-already", "handled before");
        let until = store.now() + SignedDuration::from_hours(24);
        store.commit().create(&ada).first_time(&key, &json!({}), until, seen).run().await
    };
    deliver().await.unwrap();
    assert_eq!(deliver().await.unwrap_err().code(), "seen-already");
}

#[tokio::test]
async fn a_limit_of_a_scope_that_joined_stays_in_its_scope() {
    let (world, grace, store) = grace().await;
    grace.limit("patients", 1).await;
    let platform = world.app.vault().open(Scope::Platform, Caller::default()).await.unwrap();
    let mut taken = 0;
    for n in 0..2 {
        let id = SiteId::of(Ulid::from_parts(1, n));
        let joined = platform.commit().joined(store.commit().take("patients", 16, id));
        taken += joined.run().await.is_ok() as u32;
    }
    assert_eq!(taken, 1);
    let sealed = Key::item("slt", "x", ".");
    store
        .commit()
        .put(&sealed, &Person { phones: vec!["7".into()], ..Person::default() })
        .run()
        .await
        .unwrap();
    let told = |old: Option<Value>| {
        Error::conflict("there", old.map_or("nothing".into(), |o| o["phones"][0].to_string()))
    };
    let refused =
        platform.commit().joined(store.commit().put_if(&sealed, &json!({}), When::Absent, told)).run().await;
    assert_eq!(refused.unwrap_err().to_string(), "\"7\"");
}

#[tokio::test]
async fn bounds_and_names_may_hold_any_character() {
    let (_, _, store) = grace().await;
    let names = ["100% Bola", "Ada#1", "Ada~", "Zoë", "Élodie", "Ọlá", "𝔸da"];
    for name in names {
        create(&store, &person(&store, &[name])).await;
    }
    assert_eq!(named(&store, None, None).await, names);
    assert_eq!(named(&store, Some("Z"), None).await, names[3..]);
    assert_eq!(named(&store, Some("É"), None).await, names[4..]);
    assert_eq!(named(&store, Some("Ada#1"), Some("Ada#1")).await, ["Ada#1"]);
    assert_eq!(named(&store, Some("100% B"), Some("100% B")).await, ["100% Bola"]);
    assert_eq!(named(&store, None, Some("Zo")).await, names[..4]);
    let backwards = Wanted { from: Some("b".into()), to: Some("a".into()), ..Wanted::all(5) };
    assert_eq!(store.list(&Person::LISTS[1], &backwards).await.unwrap_err().code(), "validation");
    let long = Wanted::by(&[&"ọ".repeat(1000)], 5);
    assert_eq!(store.list(&Person::LISTS[2], &long).await.unwrap().data.len(), 0);
    create(&store, &person(&store, &[&"ọ".repeat(900)])).await;
}

#[tokio::test]
async fn a_cursor_opens_only_the_list_and_the_bounds_it_was_given_for() {
    let (world, _, store) = grace().await;
    let other = world.hospital("other").await.store().await;
    for name in ["a", "b", "c", "d"] {
        create(&store, &person(&store, &[name])).await;
    }
    let list = &Person::LISTS[1];
    let ask =
        |from: &str, cursor: Option<String>| Wanted { from: Some(from.into()), cursor, ..Wanted::all(1) };
    let next = store.list(list, &ask("a", None)).await.unwrap().next;
    assert_eq!(store.list(list, &ask("a", next.clone())).await.unwrap().data[0].body.names[0], "b");
    let code = async |store: &Store, list: &'static List<Person>, wanted: Wanted| {
        store.list(list, &wanted).await.err().map(|e| e.code())
    };
    assert_eq!(code(&store, list, ask("c", next.clone())).await, Some("validation"), "other bounds");
    assert_eq!(
        code(&store, &Person::LISTS[0], Wanted { cursor: next.clone(), ..Wanted::all(1) }).await,
        Some("validation")
    );
    assert_eq!(
        code(&store, list, Wanted { deleted: true, ..ask("a", next.clone()) }).await,
        Some("validation")
    );
    assert_eq!(
        code(&other, list, ask("a", next.clone())).await,
        Some("validation"),
        "another organisation's"
    );
    let mut bad = next.unwrap();
    bad.replace_range(40..41, if &bad[40..41] == "A" { "B" } else { "A" });
    assert_eq!(code(&store, list, ask("a", Some(bad))).await, Some("validation"));
}

#[tokio::test]
async fn many_are_read_once_each_however_often_they_are_named() {
    let (world, _, store) = grace().await;
    let (ada, bola) = (person(&store, &["ada"]), person(&store, &["bola"]));
    create(&store, &ada).await;
    create(&store, &bola).await;
    let read = store.get_many::<Person>(&[ada.id, bola.id, ada.id]).await.unwrap();
    assert_eq!(read.iter().map(|r| r.id).collect::<Vec<_>>(), [ada.id, bola.id, ada.id]);
    let key = Key::item("slt", "x", ".");
    let until = store.now() + SignedDuration::from_mins(5);
    let never = |_| Error::internal("there");
    store.commit().put_until(&key, &json!({"a": 1}), until, When::Absent, never).run().await.unwrap();
    assert!(store.read_many(&[key.clone(), key.clone()]).await.unwrap().iter().all(Option::is_some));
    world.clock.advance(SignedDuration::from_mins(6));
    assert!(
        store.read_many(std::slice::from_ref(&key)).await.unwrap()[0].is_none(),
        "expired, if not yet dropped"
    );
    assert!(store.under::<Value>(&key, "", 5).await.unwrap().is_empty());
    assert!(store.latest::<Value>(&key, "z", "a", 5).await.unwrap().is_empty(), "bounds the wrong way round");
}

#[tokio::test]
async fn what_is_said_of_an_unreadable_item_does_not_quote_it() {
    let (_, _, store) = grace().await;
    let key = Key::item("slt", "x", ".");
    store.commit().put(&key, &json!({"due": ["Ada Okafor"]})).run().await.unwrap();
    let Err(Error::Internal(cause)) = store.read::<Person>(&key).await else { panic!("read") };
    assert!(!cause.to_string().contains("Ada") && cause.to_string().contains("does not read"), "{cause}");
}

#[tokio::test]
async fn a_caller_cannot_leave_its_segment_nor_touch_the_audit() {
    let (_, grace, store) = grace().await;
    store.commit().fact(facts::FLAGS, "a#b", &json!({"codes": []})).run().await.unwrap();
    assert!(store.fact::<Value>(facts::FLAGS, "a#b").await.unwrap().is_some());
    assert!(grace.dump().await.contains("#fact#flags#a%23b"));
    let forged = store.commit().put(&Key::item("chg", "sit", "v#0000000001"), &json!({})).run().await;
    assert_eq!(forged.unwrap_err().code(), "internal");
}

#[tokio::test]
async fn an_aggregate_of_more_than_one_answer_of_the_table_is_read_whole() {
    let (_world, _grace, store) = grace().await;
    let ada = person(&store, &["ada"]);
    create(&store, &ada).await;
    let page = json!({"text": "x".repeat(100_000)});
    for n in 0..25 {
        store.commit().put(&Key::part(ada.id, "note", format!("{n:03}")), &page).run().await.unwrap();
    }
    let (_, parts) = store.whole::<Person>(ada.id).await.unwrap();
    assert_eq!(parts.iter().filter(|(place, _)| place.starts_with("note#")).count(), 25);
    let key = Key::record(ada.id);
    let under: Vec<(String, Value)> = store.under(&key, "note#", 20).await.unwrap();
    assert_eq!(under.len(), 20, "as many as asked for, although they are 2 MB");
    let latest: Vec<(String, Value)> = store.latest(&key, "note#", "note#~", 20).await.unwrap();
    assert_eq!((latest.len(), latest[0].0.as_str()), (20, "note#024"));
    assert!(store.every::<Value>(&key).await.unwrap().len() >= 26);
}
