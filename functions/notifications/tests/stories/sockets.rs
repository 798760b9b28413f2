//! Live updates: tickets, connections, frames, topics, and their end.

use crate::stage::{Stage, words};
use runtime::connection as gateway;
use serde_json::{Value, json};
use testkit::Actor;

/// What the gateway does with a ticket: asks the authorizer, and if it lets it in, says that somebody came.
async fn connect(stage: &Stage, ticket: &str, connection: &str) -> Result<Value, String> {
    let module = &stage.world.modules[0];
    let asks = json!({"type": "REQUEST", "methodArn": "arn:ws", "queryStringParameters": {"ticket": ticket}});
    let policy = gateway(module, &stage.world.app, asks).await?;
    let authorizer = policy["context"].clone();
    let event = json!({"requestContext": {"connectionId": connection, "eventType": "CONNECT", "authorizer": authorizer}});
    let answer = gateway(module, &stage.world.app, event).await?;
    match answer["statusCode"].as_u64() {
        Some(200) => Ok(authorizer),
        other => Err(format!("{other:?}")),
    }
}

async fn ticket(of: &Actor) -> String {
    let given = of.post("/v1/notifications/tickets", json!({})).await.created();
    assert_eq!((given["url"].clone(), given["expires_in"].clone()), (json!("wss://app.test/ws"), json!(60)));
    given["ticket"].as_str().unwrap().to_string()
}

/// Somebody connected, greeted, and what they say is heard.
struct Line<'a> {
    stage: &'a Stage,
    connection: String,
    authorizer: Value,
}

impl<'a> Line<'a> {
    async fn of(stage: &'a Stage, who: &Actor, connection: &str) -> Self {
        let authorizer = connect(stage, &ticket(who).await, connection).await.unwrap();
        stage.queue().await;
        Self { stage, connection: connection.into(), authorizer }
    }
    async fn says(&self, frame: Value) -> Vec<Value> {
        let context =
            json!({"connectionId": self.connection, "eventType": "MESSAGE", "authorizer": self.authorizer});
        let event = json!({"requestContext": context, "body": frame.to_string()});
        gateway(&self.stage.world.modules[0], &self.stage.world.app, event).await.unwrap();
        self.hears()
    }
    fn hears(&self) -> Vec<Value> {
        self.stage.wires.heard(&self.connection)
    }
}

async fn task(stage: &Stage, of: &Actor) {
    let data = json!({"task": "tsk_1", "assignee": of.user(), "priority": "normal"});
    stage.happens(&stage.event("task.assigned", data)).await;
    stage.world.deliver().await;
}

#[tokio::test]
async fn a_ticket_opens_one_connection_within_a_minute_and_only_in_its_organisation() {
    let stage = Stage::set().await;
    let hope = stage.world.clinic("hope").await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let first = ticket(&ada).await;
    connect(&stage, &first, "c1").await.unwrap();
    assert_eq!(connect(&stage, &first, "c2").await.unwrap_err(), "Some(401)", "used");
    let late = ticket(&ada).await;
    stage.later(2);
    assert_eq!(connect(&stage, &late, "c3").await.unwrap_err(), "Unauthorized");
    let foreign = late.replace(&stage.grace.id.prefix(), &hope.id.prefix());
    for bad in ["", "nonsense", foreign.as_str(), "platform.AAAA", &format!("{}x", ticket(&ada).await)] {
        assert_eq!(connect(&stage, bad, "c4").await.unwrap_err(), "Unauthorized", "{bad}");
    }
    assert_eq!(words(&json!(stage.wires.heard("c2")), "type"), [] as [&str; 0]);
}

#[tokio::test]
async fn a_frame_comes_at_once_with_ids_and_nothing_personal() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let bola = stage.staff("Bola Ahmed", "nurse").await;
    let (line, other) = (Line::of(&stage, &ada, "c1").await, Line::of(&stage, &bola, "c2").await);
    let hello = line.hears();
    assert_eq!((hello[0]["type"].clone(), hello[0]["ping_every"].clone()), (json!("hello"), json!(240)));
    other.hears();
    assert_eq!(line.says(json!({"type": "ping"})).await, [json!({"v": 1, "type": "pong"})]);
    task(&stage, &ada).await;
    let frames = line.hears();
    assert_eq!(words(&json!(frames), "type"), ["notification.created"]);
    assert_eq!((frames[0]["category"].clone(), frames[0]["unread"].clone()), (json!("task"), json!(1)));
    assert!(!frames[0].to_string().contains("Ada"));
    assert_eq!(other.hears(), [] as [Value; 0], "another's frame");
    // Read over the wire: the badge of the other device falls too.
    let second = Line::of(&stage, &ada, "c3").await;
    second.hears();
    line.says(json!({"type": "read", "ids": [frames[0]["id"]]})).await;
    stage.world.deliver().await;
    for device in [&line, &second] {
        let seen = device.hears();
        assert_eq!(
            (seen[0]["type"].clone(), seen[0]["unread"].clone()),
            (json!("notification.read"), json!(0))
        );
    }
}

#[tokio::test]
async fn whoever_comes_back_hears_what_they_missed() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    let cursor = Line::of(&stage, &ada, "c1").await.hears()[0]["resume"].clone();
    stage.later(1);
    for _ in 0..3 {
        task(&stage, &ada).await;
        stage.later(1);
    }
    let again = Line::of(&stage, &ada, "c2").await;
    again.hears();
    let frames = again.says(json!({"type": "resume", "cursor": cursor})).await;
    let kinds = words(&json!(frames), "type");
    assert_eq!(kinds, ["notification.created", "notification.created", "notification.created", "resumed"]);
    assert_eq!((frames[3]["count"].clone(), frames[3]["gap"].clone()), (json!(3), json!(false)));
    let nothing = again.says(json!({"type": "resume", "cursor": frames[3]["resume"]})).await;
    assert_eq!(nothing[0]["count"], 0);
}

#[tokio::test]
async fn a_topic_is_given_to_whoever_may_see_the_same_and_to_nobody_else() {
    let stage = Stage::set().await;
    let [main, branch] = stage.grace.sites;
    let desk = stage.grace.staff_at("receptionist", &[0]);
    let store = stage.grace.store().await;
    let doctor = |n: u8| format!("prc_01J0000000000000000000000{n}");
    let profile = |site: &str| json!({"sites": [site], "user_id": "usr_x"});
    let key = |id: &str| store::Key::item("prc", id, ".");
    let commit = store.commit().put(&key(&doctor(1)), &profile(&main.to_string()));
    commit.put(&key(&doctor(2)), &profile(&branch.to_string())).run().await.unwrap();
    let line = Line::of(&stage, &desk, "c1").await;
    line.hears();
    let asked = |topic: String| json!({"type": "subscribe", "topics": [topic], "ref": "a1"});
    let given = line.says(asked(format!("queue:{}", doctor(1)))).await;
    assert_eq!((given[0]["type"].clone(), given[0]["ref"].clone()), (json!("subscribed"), json!("a1")));
    for topic in [
        format!("queue:{}", doctor(2)),
        format!("board:{branch}"),
        "queue:prc_x".into(),
        "record:emp_1".into(),
        "x".into(),
    ] {
        let refused = line.says(asked(topic.clone())).await;
        assert_eq!(
            (refused[0]["code"].clone(), refused[0]["ref"].clone()),
            (json!("forbidden"), json!("a1")),
            "{topic}"
        );
    }
    let later = line.says(asked("dashboard:money".into())).await;
    assert_eq!(
        (later[0]["code"].clone(), later[0]["ref"].clone()),
        (json!("topic-not-offered"), json!("a1"))
    );
    let called = |doctor: String, site| {
        stage.event(
            "patient_visit.called",
            json!({"visit": "pvi_1", "practitioner": doctor, "site": site, "label": "A-7"}),
        )
    };
    stage.happens(&called(doctor(1), main)).await;
    let frames = line.hears();
    assert_eq!(
        (frames[0]["type"].clone(), frames[0]["topic"].clone()),
        (json!("topic.changed"), json!(format!("queue:{}", doctor(1))))
    );
    stage.happens(&called(doctor(1), branch)).await;
    assert_eq!(line.hears(), [] as [Value; 0], "the doctor works today where she does not");
    line.says(json!({"type": "unsubscribe", "topics": [format!("queue:{}", doctor(1))]})).await;
    stage.happens(&called(doctor(1), main)).await;
    assert_eq!(line.hears(), [] as [Value; 0]);
}

#[tokio::test]
async fn who_asked_for_a_job_hears_when_it_is_done() {
    let stage = Stage::set().await;
    let (auditor, nurse) = (stage.grace.staff("auditor"), stage.grace.staff("nurse"));
    let job = "axp_01J00000000000000000000001";
    let store = stage.grace.store().await;
    store.commit().put(&store::Key::item("axp", job, "."), &json!({"status": "queued"})).run().await.unwrap();
    let (line, other) = (Line::of(&stage, &auditor, "c1").await, Line::of(&stage, &nurse, "c2").await);
    let asked = |of: &str| json!({"type": "subscribe", "topics": [format!("job:{of}")]});
    line.hears();
    other.hears();
    assert_eq!(line.says(asked(job)).await[0]["type"], "subscribed");
    for (who, of) in
        [(&other, job), (&line, "axp_01J00000000000000000000002"), (&line, "tsk_01J00000000000000000000001")]
    {
        assert_eq!(who.says(asked(of)).await[0]["code"], "forbidden", "{of}");
    }
    let mut done = stage.event("audit_export.completed", json!({"export": job, "rows": 3}));
    (done.id, done.record, done.version) = (format!("axp#{job}#3"), job.into(), 3);
    stage.happens(&done).await;
    let frames = line.hears();
    assert_eq!(
        (&frames[0]["topic"], &frames[0]["event"]),
        (&json!(format!("job:{job}")), &json!("audit_export.completed"))
    );
    assert_eq!(other.hears(), [] as [Value; 0]);
}

#[tokio::test]
async fn a_disabled_user_and_a_suspended_organisation_are_cut_off() {
    let stage = Stage::set().await;
    let (ada, bola) = (stage.staff("Ada Okafor", "nurse").await, stage.staff("Bola Ahmed", "nurse").await);
    let (line, other) = (Line::of(&stage, &ada, "c1").await, Line::of(&stage, &bola, "c2").await);
    line.hears();
    stage.happens(&stage.event("user.disabled", json!({"user": ada.user()}))).await;
    assert_eq!(
        line.hears().pop().unwrap(),
        json!({"v": 1, "type": "session.ending", "reason": "user-disabled"})
    );
    assert!(stage.wires.is_ended("c1") && !stage.wires.is_ended("c2"));
    assert_eq!(line.says(json!({"type": "ping"})).await, [] as [Value; 0]);
    other.hears();
    stage.happens(&stage.event("tenant.suspended", json!({"tenant": "ten_x", "reason": "unpaid"}))).await;
    assert_eq!(other.hears()[0]["reason"], "tenant-suspended");
    assert!(stage.wires.is_ended("c2"));
}

#[tokio::test]
async fn whatever_ends_somebodys_session_ends_their_line_and_a_closed_organisation_all_of_them() {
    let stage = Stage::set().await;
    let bola = stage.staff("Bola Ahmed", "nurse").await;
    let other = Line::of(&stage, &bola, "other").await;
    for event in ["user.signed_out", "user.rights_changed", "user.suspended", "user.barred"] {
        let ada = stage.staff("Ada Okafor", "nurse").await;
        let line = Line::of(&stage, &ada, event).await;
        line.hears();
        stage.happens(&stage.event(event, json!({"user": ada.user()}))).await;
        assert_eq!(line.hears().pop().unwrap()["type"], "session.ending", "{event}");
        assert!(stage.wires.is_ended(event) && !stage.wires.is_ended("other"), "{event}");
    }
    other.hears();
    stage.happens(&stage.event("tenant.closed", json!({"tenant": "ten_x"}))).await;
    assert_eq!(other.hears()[0]["type"], "session.ending");
    assert!(stage.wires.is_ended("other"));
}

#[tokio::test]
async fn a_sixth_connection_ends_the_oldest_and_nonsense_ends_its_own() {
    let stage = Stage::set().await;
    let ada = stage.staff("Ada Okafor", "nurse").await;
    for n in 1..=6 {
        Line::of(&stage, &ada, &format!("c{n}")).await;
        stage.world.clock.advance(jiff::SignedDuration::from_secs(1));
    }
    assert!(stage.wires.is_ended("c1") && !stage.wires.is_ended("c2"));
    assert_eq!(stage.wires.heard("c1").pop().unwrap()["reason"], "replaced");
    let line = Line::of(&stage, &ada, "c7").await;
    line.hears();
    for n in 1..5 {
        let wrong = line.says(json!({"type": "shout", "n": n})).await;
        assert_eq!(wrong[0]["code"], "unknown-message");
    }
    assert!(!stage.wires.is_ended("c7"));
    line.says(json!("what")).await;
    assert!(stage.wires.is_ended("c7"));
}
