//! A noun of ten lines, told through everything the foundation gives it. The permissions are those of sites,
//! since a route cannot be mounted without one.

use kernel::{Fault, Lifecycle, SiteId, Step};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Entity, List, Record, Row, Token, Unique};
use testkit::{Actor, Tenant, World};
use web::{
    Actor as Who, Ctx, Module, Noun, Reach,
    noun::{Hooks, Paths, crud, possible, steps},
};

kernel::words! { pub enum Status { Open = "open", Closed = "closed" } }

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
struct Room {
    #[schemars(length(min = 1, max = 40))]
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 200))]
    secret: Option<Sealed<String>>,
    #[serde(default)]
    #[schemars(range(max = 20))]
    beds: u16,
    #[serde(default = "open")]
    #[schemars(extend("readOnly" = true))]
    status: Status,
}
fn open() -> Status {
    Status::Open
}

impl Entity for Room {
    type Id = SiteId;
    const NOUN: &'static str = "room";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[
        List::newest(),
        List::<Self>::by("status", &["status"], |r| {
            vec![Row::new(&[&r.body.status], &[&r.body.name, &r.id])]
        })
        .oldest_first(),
        List::<Self>::by("beds", &["beds"], |r| vec![Row::new(&[&r.body.beds], &[&r.id])]).oldest_first(),
    ];
    const UNIQUE: &'static [Unique<Self>] =
        &[Unique::of("name", "duplicate", |r| vec![r.name.to_lowercase()])];
    fn tokens(&self) -> Vec<Token> {
        vec![Token::Word(self.name.to_lowercase())]
    }
}
impl Lifecycle for Room {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] =
        &[Step::<Self>::of("close", "site.edit", &[Status::Open], Status::Closed).reason()];
}
impl Noun for Room {
    fn within(_: &Record<Self>, reach: Reach, _: &Who) -> bool {
        reach >= Reach::Site
    }
    fn check(&self) -> Vec<Fault> {
        match self.name.trim() {
            "" => vec![Fault::new("/name", "blank", "may not be blank")],
            _ => vec![],
        }
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        possible(record, ctx)
    }
}
impl Hooks for Room {}

fn module() -> Module {
    let paths = Paths {
        path: "/v1/rooms",
        view: "site.view",
        create: "site.edit",
        edit: "site.edit",
        delete: "site.edit",
    };
    let mut routes = crud::<Room>(paths);
    routes.extend(steps::<Room>("/v1/rooms"));
    Module::new("tenants", routes)
}

async fn scene() -> (World, Tenant, Actor) {
    let world = World::with(vec![module()]).await;
    let grace = world.hospital("grace").await;
    let admin = grace.staff("tenant_admin");
    admin.get("/v1/rooms").await.ok();
    world.trips();
    (world, grace, admin)
}

#[tokio::test]
async fn a_noun_lives_from_creation_to_restoration() {
    let (world, _, admin) = scene().await;
    let made = admin.post("/v1/rooms", json!({"name": "Ward 3", "secret": "the key is under the mat"})).await;
    assert_eq!(made.etag.as_deref(), Some("\"1\""));
    let made = made.created();
    assert_eq!(made["actions"], json!(["close"]));
    world.calls(1, "create");
    let path = format!("/v1/rooms/{}", made["id"].as_str().unwrap());
    assert_eq!(admin.get(&path).await.ok()["secret"], "the key is under the mat");
    world.calls(1, "show");
    admin.patch(&path, json!({"beds": 4})).await.ok();
    world.calls(2, "update");
    assert_eq!(admin.get("/v1/rooms?beds=4").await.ok()["data"].as_array().unwrap().len(), 1);
    world.calls(1, "list");
    assert_eq!(admin.get("/v1/rooms?beds=0").await.ok()["data"], json!([]), "the old row is gone");
    admin.delete(&path).await.done();
    admin.get(&path).await.missing();
    assert_eq!(admin.get("/v1/rooms").await.ok()["data"], json!([]));
    assert_eq!(admin.get("/v1/rooms?deleted=true").await.ok()["data"].as_array().unwrap().len(), 1);
    admin.post(&format!("{path}/restore"), json!({})).await.ok();
    assert_eq!(admin.get(&path).await.ok()["version"], 4);
}

#[tokio::test]
async fn history_says_who_and_why_and_an_old_version_can_be_read() {
    let (world, _, admin) = scene().await;
    let made = admin.post("/v1/rooms", json!({"name": "Ward 3", "secret": "one"})).await.created();
    let path = format!("/v1/rooms/{}", made["id"].as_str().unwrap());
    world.clock.advance(jiff::SignedDuration::from_mins(5));
    let then = world.clock.now();
    world.clock.advance(jiff::SignedDuration::from_mins(5));
    admin.call("PATCH", &path).body(json!({"secret": "two"})).because("moved").send().await.ok();
    let history = admin.get(&format!("{path}/history")).await.ok();
    let newest = &history["data"][0];
    assert_eq!(
        (&newest["action"], &newest["reason"], &newest["by"]),
        (&json!("update"), &json!("moved"), &json!(admin.user()))
    );
    assert_eq!(newest["patch"], json!([{"op": "replace", "path": "/secret", "value": "two", "old": "one"}]));
    assert_eq!(newest["prev"], history["data"][1]["hash"]);
    assert_eq!(admin.get(&format!("{path}?at={then}")).await.ok()["secret"], "one");
    admin.get(&format!("{path}?at=2020-01-01T00:00:00Z")).await.refused(404, "not-yet-created");
}

#[tokio::test]
async fn sixty_versions_replay_over_a_snapshot() {
    let (world, _, admin) = scene().await;
    let made = admin.post("/v1/rooms", json!({"name": "Ward 0"})).await.created();
    let path = format!("/v1/rooms/{}", made["id"].as_str().unwrap());
    let mut times = vec![world.clock.now()];
    for n in 1..=60 {
        world.clock.advance(jiff::SignedDuration::from_secs(60));
        admin.patch(&path, json!({"name": format!("Ward {n}")})).await.ok();
        times.push(world.clock.now());
    }
    for n in [0, 1, 48, 49, 50, 59, 60] {
        assert_eq!(admin.get(&format!("{path}?at={}", times[n])).await.ok()["name"], format!("Ward {n}"));
    }
}

#[tokio::test]
async fn a_unique_value_has_one_owner_and_is_free_again_after_deletion() {
    let (_, _, admin) = scene().await;
    let first = admin.post("/v1/rooms", json!({"name": "Ward 3"})).await.created();
    let taken = admin.post("/v1/rooms", json!({"name": "WARD 3"})).await.refused(409, "duplicate");
    assert_eq!((&taken["field"], &taken["record"]), (&json!("name"), &first["id"]));
    let path = format!("/v1/rooms/{}", first["id"].as_str().unwrap());
    admin.delete(&path).await.done();
    let second = admin.post("/v1/rooms", json!({"name": "Ward 3"})).await.created();
    let meanwhile = admin.post(&format!("{path}/restore"), json!({})).await.refused(409, "taken-meanwhile");
    assert_eq!(meanwhile["record"], second["id"], "the holder is named");
    admin.delete(&format!("/v1/rooms/{}", second["id"].as_str().unwrap())).await.done();
    let back = admin.post(&format!("{path}/restore"), json!({})).await.ok();
    assert_eq!(back["version"], 3);
    admin.post("/v1/rooms", json!({"name": "Ward 3"})).await.refused(409, "duplicate");
}

#[tokio::test]
async fn what_was_deleted_long_ago_is_not_brought_back() {
    let (world, _, admin) = scene().await;
    let made = admin.post("/v1/rooms", json!({"name": "Ward 3"})).await.created();
    let path = format!("/v1/rooms/{}", made["id"].as_str().unwrap());
    admin.delete(&path).await.done();
    world.clock.advance(jiff::SignedDuration::from_hours(91 * 24));
    admin.post(&format!("{path}/restore"), json!({})).await.refused(409, "restore-window-over");
    let gone = admin.get(&format!("{path}/history/2")).await.ok();
    assert!(gone["record"]["deleted_at"].is_string() && gone["change"]["action"] == "delete");
}

#[tokio::test]
async fn the_same_key_is_answered_byte_for_byte_and_another_body_refused() {
    let (world, _, admin) = scene().await;
    let ask = |name: &str| admin.call("POST", "/v1/rooms").key("k-1").body(json!({"name": name})).send();
    let first = ask("Ward 3").await;
    world.clock.advance(jiff::SignedDuration::from_hours(23));
    let again = ask("Ward 3").await;
    assert_eq!((first.status, &first.bytes), (again.status, &again.bytes));
    assert_eq!(first.etag, again.etag);
    ask("Ward 4").await.refused(422, "key-reused");
    world.clock.advance(jiff::SignedDuration::from_hours(2));
    ask("Ward 4").await.created();
}

#[tokio::test]
async fn a_retried_command_gets_its_first_answer_not_a_refusal() {
    let (_, _, admin) = scene().await;
    let made = admin.post("/v1/rooms", json!({"name": "Ward 3"})).await.created();
    let close = format!("/v1/rooms/{}/close", made["id"].as_str().unwrap());
    admin.post(&close, json!({})).await.refused(422, "reason-required");
    let first = admin.call("POST", &close).key("c-1").body(json!({"reason": "flooded"})).send().await;
    let again = admin.call("POST", &close).key("c-1").body(json!({"reason": "flooded"})).send().await;
    assert_eq!((first.status, &first.bytes), (200, &again.bytes));
    admin.post(&close, json!({"reason": "twice"})).await.refused(422, "state");
}

#[tokio::test]
async fn a_lost_answer_is_no_second_write() {
    let (world, _, admin) = scene().await;
    world.lose_answers(1);
    let made =
        admin.call("POST", "/v1/rooms").key("k").body(json!({"name": "Ward 3"})).send().await.created();
    assert_eq!(made["version"], 1);
    assert_eq!(admin.get("/v1/rooms").await.ok()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_stale_version_is_412_when_named() {
    let (_, _, admin) = scene().await;
    let made = admin.post("/v1/rooms", json!({"name": "Ward 3"})).await.created();
    let path = format!("/v1/rooms/{}", made["id"].as_str().unwrap());
    admin.patch(&path, json!({"beds": 1})).await.ok();
    let stale =
        admin.call("PATCH", &path).if_match(1).body(json!({"beds": 2})).send().await.refused(412, "stale");
    assert_eq!(stale["current_version"], 2);
    admin.call("PATCH", &path).if_match(2).body(json!({"beds": 2})).send().await.ok();
    admin
        .call("PATCH", &path)
        .header("if-match", "x")
        .body(json!({"beds": 2}))
        .send()
        .await
        .refused(400, "validation");
}

#[tokio::test]
async fn strangers_wrong_roles_and_other_tenants_get_nowhere() {
    let (world, _, admin) = scene().await;
    let made = admin.post("/v1/rooms", json!({"name": "Ward 3"})).await.created();
    let path = format!("/v1/rooms/{}", made["id"].as_str().unwrap());
    world.stranger().get(&path).await.refused(401, "not-signed-in");
    let other = world.hospital("other").await;
    let theirs = other.staff("tenant_admin").get(&path).await;
    let nothing = other.staff("tenant_admin").get("/v1/rooms/sit_01J00000000000000000000000").await;
    let bare = |body: &serde_json::Value| {
        let mut body = body.clone();
        ["instance", "request_id"].iter().for_each(|k| drop(body.as_object_mut().unwrap().remove(*k)));
        body
    };
    assert_eq!((theirs.status, bare(&theirs.body)), (404, bare(&nothing.body)));
    other.staff("carer").post("/v1/rooms", json!({"name": "x"})).await.refused(403, "forbidden");
    admin.clone().with("token_use", "id").get(&path).await.refused(401, "not-an-access-token");
    // A cursor of one tenant means nothing to another.
    for n in 0..3 {
        admin.post("/v1/rooms", json!({"name": format!("Room {n}")})).await.created();
    }
    let page = admin.get("/v1/rooms?limit=2").await.ok();
    let cursor = page["next"].as_str().unwrap();
    assert_eq!(
        admin.get(&format!("/v1/rooms?limit=2&cursor={cursor}")).await.ok()["data"].as_array().unwrap().len(),
        2
    );
    other.staff("tenant_admin").get(&format!("/v1/rooms?cursor={cursor}")).await.refused(400, "validation");
    admin.get(&format!("/v1/rooms?beds=0&cursor={cursor}")).await.refused(400, "validation");
}

#[tokio::test]
async fn a_suspended_organisation_is_423_and_nothing_of_it_is_shown() {
    let (_, grace, admin) = scene().await;
    grace.change_gate(|gate| gate.status = web::gate::Status::Suspended).await;
    let refused = admin.get("/v1/rooms").await.refused(423, "tenant-suspended");
    assert!(refused.get("data").is_none());
}

#[tokio::test]
async fn what_is_personal_is_not_read_while_access_cannot_be_recorded() {
    let (world, _, admin) = scene().await;
    let made = admin.post("/v1/rooms", json!({"name": "Ward 3", "secret": "the key"})).await.created();
    let path = format!("/v1/rooms/{}", made["id"].as_str().unwrap());
    world.letters.take(web::Queue::Access);
    admin.get(&path).await.ok();
    let looked = world.letters.take(web::Queue::Access);
    assert_eq!((&looked[0]["ids"][0], &looked[0]["by"]), (&made["id"], &json!(admin.user())));
    world.letters.down(true);
    let refused = admin.get(&path).await;
    assert!(!String::from_utf8_lossy(&refused.bytes).contains("the key"));
    refused.refused(503, "access-not-recorded");
}

#[tokio::test]
async fn nothing_sealed_lies_open_in_the_table() {
    let (_, grace, admin) = scene().await;
    let reason = "because of the flood";
    let body = json!({"name": "Ward 3", "secret": "under the mat"});
    let made = admin.call("POST", "/v1/rooms").key("k").because(reason).body(body).send().await.created();
    let path = format!("/v1/rooms/{}", made["id"].as_str().unwrap());
    admin.patch(&path, json!({"secret": "in the drawer"})).await.ok();
    let dump = grace.dump().await;
    for secret in ["mat", "drawer", "flood"] {
        assert!(!dump.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn bad_input_is_told_whole_and_writes_nothing() {
    let (_, grace, admin) = scene().await;
    let before = grace.dump().await;
    let reply =
        admin.post("/v1/rooms", json!({"nam": "x", "beds": 21, "status": "closed", "secret": 7})).await;
    let wanted: Vec<(String, String)> = [
        ("/beds", "range"),
        ("/nam", "unknown"),
        ("/name", "required"),
        ("/secret", "type"),
        ("/status", "read-only"),
    ]
    .map(|(a, b)| (a.into(), b.into()))
    .to_vec();
    assert_eq!(reply.faults(), wanted);
    reply.refused(400, "validation");
    admin.get("/v1/rooms?beds=1&status=open").await.refused(400, "validation");
    admin.get("/v1/rooms?limit=0").await.refused(400, "validation");
    admin.get("/v1/rooms/sit_nope").await.missing();
    let huge = admin.call("POST", "/v1/rooms").raw(vec![b' '; 2 * 1024 * 1024]).send().await;
    huge.refused(413, "body-too-large");
    let deep = "[".repeat(100_000);
    admin.call("POST", "/v1/rooms").raw(deep.into_bytes()).send().await.refused(400, "validation");
    let xml =
        admin.call("POST", "/v1/rooms").header("content-type", "text/xml").raw(b"<a/>".to_vec()).send().await;
    xml.refused(415, "media-type");
    assert_eq!(before, grace.dump().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixty_four_writers_of_one_version_one_wins() {
    let world = World::contended(vec![module()]).await;
    let grace = world.hospital("grace").await;
    let admin = grace.staff("tenant_admin");
    let made = admin.post("/v1/rooms", json!({"name": "Ward 3"})).await.created();
    let path = format!("/v1/rooms/{}", made["id"].as_str().unwrap());
    let writers = (0..64).map(|n| {
        let (admin, path) = (admin.clone(), path.clone());
        tokio::spawn(async move {
            admin.call("PATCH", &path).if_match(1).body(json!({"beds": n % 20})).send().await.status
        })
    });
    let statuses: Vec<u16> =
        futures::future::join_all(writers).await.into_iter().map(|r| r.unwrap()).collect();
    assert_eq!(statuses.iter().filter(|s| **s == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|s| matches!(s, 200 | 412)), "{statuses:?}");
    assert_eq!(admin.get(&path).await.ok()["version"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_requests_with_one_key_have_one_effect_and_one_answer() {
    let world = World::contended(vec![module()]).await;
    let grace = world.hospital("grace").await;
    let admin = grace.staff("tenant_admin");
    admin.get("/v1/rooms").await.ok();
    let asked = (0..64).map(|_| {
        let admin = admin.clone();
        tokio::spawn(async move {
            admin.call("POST", "/v1/rooms").key("one").body(json!({"name": "Ward 3"})).send().await
        })
    });
    let replies: Vec<_> = futures::future::join_all(asked).await.into_iter().map(|r| r.unwrap()).collect();
    assert!(
        replies.iter().all(|r| r.status == 201 && r.bytes == replies[0].bytes),
        "{:?}",
        replies.iter().map(|r| r.status).collect::<Vec<_>>()
    );
    assert_eq!(admin.get("/v1/rooms").await.ok()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_browser_may_call_from_an_origin_that_an_organisation_allowed() {
    let (world, grace, admin) = scene().await;
    let platform = world.app.vault().open(store::Scope::Platform, store::Caller::default()).await.unwrap();
    let key = web::cors::allowed_origin("https://app.grace.example", &grace.id.prefix());
    platform.commit().put(&key, &json!({})).run().await.unwrap();
    let from = async |origin: &str, method: &str| {
        let call = admin.call(method, "/v1/rooms").header("origin", origin);
        call.send().await.headers.get("access-control-allow-origin").cloned()
    };
    assert_eq!(
        from("https://app.grace.example", "OPTIONS").await.as_deref(),
        Some("https://app.grace.example")
    );
    assert_eq!(from("https://app.grace.example", "GET").await.as_deref(), Some("https://app.grace.example"));
    assert_eq!(from("https://evil.example", "OPTIONS").await, None);
    assert_eq!(from("https://evil.example", "GET").await, None);
}
