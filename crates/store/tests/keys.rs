//! Every form of key that the design names, as it lies in the table: whose it is, what it begins with, and
//! that text order is the order that readers need.

use jiff::{SignedDuration, Timestamp};
use kernel::{Id, PatientId, SiteId, Ulid};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use store::{
    Due, Entity, Key, List, Once, Record, Row, Store, Token, Unique, facts, reserved_fields, schema, stamp,
};
use testkit::World;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Room {
    name: Sealed<String>,
    status: String,
    tags: Vec<String>,
    due: Vec<Timestamp>,
}

impl Entity for Room {
    type Id = SiteId;
    const NOUN: &'static str = "room";
    const LISTS: &'static [List<Self>] = &[
        List::newest(),
        List::<Self>::by("status", &["status"], |r| vec![Row::new(&[&r.body.status], &[&r.id])])
            .oldest_first(),
        List::<Self>::by("tag", &["tag"], |r| r.body.tags.iter().map(|t| Row::new(&[t], &[&r.id])).collect())
            .oldest_first(),
    ];
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("name", "duplicate", |r| vec![r.name.0.clone()])];
    fn tokens(&self) -> Vec<Token> {
        vec![Token::Word(self.name.0.clone()), Token::Exact("name", self.name.0.clone())]
    }
    fn due(r: &Record<Self>) -> Vec<Due> {
        r.body.due.iter().zip(["expiry", "reminder"]).map(|(at, what)| Due { at: *at, what }).collect()
    }
}

async fn everything(store: &Store, room: &Record<Room>) {
    let once = Once { by: "usr_1".into(), key: "k#1".into(), hash: "h".into() };
    store
        .commit()
        .create(room)
        .emit(json!({"type": "room.made"}))
        .put(&Key::part(room.id, "line", 1), &json!({}))
        .put(&Key::member(facts::MEMBERS, "role~nurse", "usr_1"), &json!({}))
        .put(&Key::sequence("patient", 2026), &json!({"value": 1}))
        .put(&Key::item("seen", "identity.admin", "sit%231"), &json!({}))
        .take("users", 1, room.id)
        .once(Some(&once), 201, Some(1), b"{}")
        .run()
        .await
        .unwrap();
}

/// `T` tenant, `I` id, `B` blind index, `D` due time; the rest stands for itself.
fn shape(text: &str, tenant: &str, id: &str) -> String {
    let text = text.replace(tenant, "T").replace(id, "I");
    let blind =
        |w: &str| w.len() >= 8 && w.bytes().all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b));
    let time = |w: &str| w.len() == 24 && w.ends_with('Z');
    let word = |w: &str| match w.rsplit_once('.') {
        _ if blind(w) => "B".into(),
        _ if time(w) => "D".into(),
        Some((name, b)) if blind(b) => format!("{name}.B"),
        _ => w.to_string(),
    };
    text.split('#').map(word).collect::<Vec<_>>().join("#")
}

#[tokio::test]
async fn every_form_of_key_is_the_designs_and_begins_with_its_owner() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    let (store, now) = (grace.store().await, world.clock.now());
    let room = Record::new(
        now,
        Room {
            name: "theatre".into(),
            status: "open".into(),
            tags: vec!["a#b".into()],
            due: vec![now + SignedDuration::from_hours(1), now + SignedDuration::from_hours(2)],
        },
    );
    everything(&store, &room).await;
    let (tenant, id) = (grace.id.prefix(), room.id.to_string());
    let mut found = BTreeSet::new();
    for item in world.scan().await.into_iter().filter(|i| i["pk"].as_str().unwrap().starts_with(&tenant)) {
        let text = |name: &str| shape(item[name].as_str().unwrap_or_default(), &tenant, &id);
        found.insert(format!("{} | {}", text("pk"), text("sk")));
        for index in ["gsi1", "gsi2", "gsi3"].iter().filter(|i| item[format!("{i}pk")].is_string()) {
            found.insert(format!(
                "{index}: {} | {}",
                text(&format!("{index}pk")),
                text(&format!("{index}sk"))
            ));
        }
        for index in schema::INDEXES {
            let whose = item[index.pk].as_str().unwrap_or(&tenant);
            assert!(
                whose.starts_with(&tenant) && (whose.len() == 26 || whose.as_bytes()[26] == b'#'),
                "{item}"
            );
        }
    }
    for wanted in [
        "T#sit#I | .",
        "T#sit#I | line#1",
        "T#sit#I | l#tag#a%23b",
        "T#sit#I | due#reminder",
        "T#chg#sit#I | v#0000000001",
        "T#unique#sit#name#B | .",
        "T#fact#tenant#self | .",
        "T#fact#members#role~nurse | usr_1",
        "T#quota#users#0 | .",
        "T#seq#patient#2026 | .",
        "T#find#sit#B | B#I",
        "T#find#sit=name.B | I",
        "T#idem#usr_1#k%231 | .",
        "T#seen#identity.admin | sit%231",
        "gsi1: T#sit#all | I",
        "gsi2: T#sit#status#open | I",
        "gsi1: T#sit#tag#a%23b | I",
        "gsi3: T#due | D#sit#I#expiry",
        "gsi3: T#due | D#sit#I#reminder",
        "T#key#default | 0000000001",
    ] {
        assert!(found.contains(wanted), "{wanted} is not in {found:#?}");
    }
}

#[tokio::test]
async fn audit_is_found_by_day_by_actor_and_by_action() {
    let world = World::with(vec![]).await;
    let grace = world.hospital("grace").await;
    let (store, now) = (grace.store().await, world.clock.now());
    let room =
        Record::new(now, Room { name: "theatre".into(), status: "open".into(), tags: vec![], due: vec![] });
    store.commit().create(&room).run().await.unwrap();
    let items = world.scan().await;
    let change = items.iter().find(|i| i["pk"].as_str().unwrap().contains("#chg#")).unwrap();
    let (tenant, at) = (grace.id.prefix(), stamp(now));
    let (day, month) = (&at[..10], &at[..7]);
    let shard = change["gsi4pk"].as_str().unwrap().strip_prefix(&format!("{tenant}#change#{day}#")).unwrap();
    assert!(shard.parse::<u32>().unwrap() < schema::DAY_SHARDS);
    assert_eq!(change["gsi5pk"], format!("{tenant}#actor#system:test"));
    assert_eq!(change["gsi6pk"], format!("{tenant}#act#sit.create#{month}"));
    assert_eq!(change["trailsk"], format!("{at}#{}#0000000001", room.id));
    assert!(change["gsi1pk"].is_null() && change["gsi2pk"].is_null(), "audit stands in no list");
}

#[test]
fn text_order_is_the_order_of_time_and_of_versions() {
    let version = |n: u64| format!("v#{n:010}");
    assert!([1, 9, 10, 99, 100, 9_999_999_999].map(version).is_sorted());
    let time = |ms: i64| Timestamp::from_millisecond(ms).unwrap();
    let times = [0, 1, 999, 1_000, 86_400_000, 1_767_225_600_000, 4_102_444_800_000].map(time);
    assert!(times.map(stamp).is_sorted() && times.map(|t| PatientId::at(t).to_string()).is_sorted());
    let (low, high) =
        (PatientId::of(Ulid::from_parts(1, u128::MAX >> 48)), PatientId::of(Ulid::from_parts(2, 0)));
    assert!(low.to_string() < high.to_string());
}

#[test]
fn a_field_that_collides_with_the_tables_own_is_named() {
    #[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
    struct Bad {
        version: u64,
        ttl: u64,
        name: String,
    }
    impl Entity for Bad {
        type Id = SiteId;
        const NOUN: &'static str = "bad";
        const LISTS: &'static [List<Self>] = &[];
    }
    assert_eq!(reserved_fields::<Bad>(), ["ttl", "version"]);
    assert_eq!(reserved_fields::<Room>(), Vec::<String>::new());
    for index in schema::INDEXES {
        assert!(schema::RESERVED.contains(&index.pk) && schema::RESERVED.contains(&index.sk));
    }
}
