//! The walls between organisations, tried: everything that one has is asked for by everybody of another, at every
//! place of every route where an id can stand, and nothing may tell it from what never was. Then the first wall is
//! taken away, and the credentials alone have to hold.
//!
//! Quick by default. `PROBE=full` asks as every role by itself at every place (some minutes).

mod second_wall;
mod street;

use crate::street::{Street, logs, silent};
use journeys::{
    house::House,
    probe::{Ask, Position, Resources, told},
    words::Words,
};
use serde_json::json;
use std::collections::BTreeSet;
use testkit::Actor;
use web::Door;

fn full() -> bool {
    std::env::var("PROBE").is_ok_and(|v| v == "full")
}

/// What asked for something of the others' may be told by; empty if nothing.
async fn difference(
    position: &Position,
    who: &Actor,
    (words, ids): (&Words, &[String]),
    faults: &mut Vec<String>,
    role: &str,
) -> u16 {
    let Position { route, name, foreign, never } = position;
    let asked = format!("{} {} at {name} by {role}", route.method, route.path);
    never[0].by(who).await;
    let unknown = never[1].by(who).await;
    let reply = foreign.by(who).await;
    silent(&reply, words, &asked);
    let bare = String::from_utf8_lossy(&reply.bytes).replace(&foreign.sent.join(" "), "");
    let named = ids.iter().find(|id| !foreign.sent.contains(id) && bare.contains(id.as_str()));
    assert!(named.is_none(), "{asked} names {named:?}: {:#}", reply.body);
    let (want, got) = (told(&unknown, &never[1]), told(&reply, foreign));
    if want != got {
        faults.push(format!("{asked}\n   never:   {want:?}\n   foreign: {got:?}"));
    }
    reply.status
}

/// Who asks at one place: in the full form every role; in the quick one who holds everything, one of the roles that
/// hold the permission (in turn, so that all of them ask somewhere), and one that does not and is turned away.
fn chosen<'a>(askers: &'a [(String, Actor)], position: &Position, n: usize) -> Vec<&'a (String, Actor)> {
    let Door::Permission(permission) = position.route.door else { return askers.iter().take(1).collect() };
    if full() {
        return askers.iter().collect();
    }
    let rule = testkit::rule(permission);
    let (holders, others): (Vec<_>, Vec<_>) =
        askers[1..].iter().partition(|(role, _)| rule.is_some_and(|r| r.grant(role).is_some()));
    let in_turn = |all: &Vec<&'a (String, Actor)>| all.get(n % all.len().max(1)).copied();
    askers.iter().take(1).chain(in_turn(&holders)).chain(in_turn(&others)).collect()
}

#[tokio::test]
async fn what_another_organisation_has_is_answered_like_what_never_was() {
    let street = Street::built().await;
    let (positions, theirs, ours) = street.positions().await;
    let words = street.mercy.canaries();
    assert!(words.found(&theirs.shown).is_some(), "its own people see it");
    let own: BTreeSet<&String> = ours.ids.values().flatten().collect();
    let ids: Vec<String> = theirs.ids.values().flatten().filter(|id| !own.contains(id)).cloned().collect();
    let before = street.mercy.tenant.dump().await;
    let askers = street.askers();
    let (mut faults, mut asked, mut refused) = (vec![], 0, 0);
    for (n, position) in positions.iter().enumerate() {
        for (role, who) in chosen(&askers, position, n) {
            let status = difference(position, who, (&words, &ids), &mut faults, role).await;
            asked += 1;
            refused += usize::from(status >= 400);
        }
    }
    println!("COUNTED {} places\nCOUNTED {asked} questions\nCOUNTED {refused} refused", positions.len());
    assert!(faults.is_empty(), "{} differences:\n{}", faults.len(), faults.join("\n"));
    assert!(positions.len() > 500, "{} places", positions.len());
    assert_eq!(before, street.mercy.tenant.dump().await, "nothing of the other organisation was changed");
    nothing_left_for_others(&street).await;
}

/// Mails, messages, webhooks, letters, logs: after all that was asked above.
async fn nothing_left_for_others(street: &Street) {
    street.settles().await;
    let houses = [(&street.grace, &street.mercy), (&street.mercy, &street.grace)];
    let mut sent = street.senders.all();
    for letter in street.world.letters.every_letter() {
        sent.push(journeys::Sent { to: letter.to.clone(), bytes: format!("{letter:?}").into_bytes() });
    }
    for (house, other) in houses {
        let own = sent.iter().filter(|s| house.canaries().found(s.to.as_bytes()).is_some());
        let mut count = 0;
        for s in own {
            count += 1;
            assert_eq!(
                other.canaries().found(&s.bytes),
                None,
                "to {}: {}",
                s.to,
                String::from_utf8_lossy(&s.bytes)
            );
        }
        assert!(count > 3, "{count} messages to {}", house.word);
    }
    for (house, _) in houses {
        let logs = logs().bytes();
        let text = String::from_utf8_lossy(&logs).to_lowercase();
        let line = text.lines().find(|l| house.canaries().found(l.as_bytes()).is_some());
        assert_eq!(line, None, "a log line with {}", house.word);
    }
}

/// Of a list, a link, a key: what opens something in one organisation opens nothing in another.
#[tokio::test]
async fn a_cursor_of_another_organisation_continues_nothing() {
    let street = Street::built().await;
    let (_, theirs, _) = street.positions().await;
    let (own, other) = (street.mercy.everybody(), street.grace.everybody());
    let mut tried = 0;
    for (path, cursor) in theirs.cursors.iter().filter(|(path, _)| !path.contains('_') || !has_id(path)) {
        let at = |cursor: &str| format!("{path}?limit=1&cursor={cursor}");
        own.get(&at(cursor)).await.ok();
        let nonsense: String = cursor.chars().rev().collect();
        let ask = |cursor: &str| Ask {
            method: "GET".into(),
            path: at(cursor),
            body: None,
            sent: vec![cursor.into()],
        };
        let (never, foreign) = (ask(&nonsense), ask(cursor));
        let (want, got) = (never.by(&other).await, foreign.by(&other).await);
        silent(&got, &street.mercy.canaries(), path);
        assert_eq!(told(&got, &foreign), told(&want, &never), "{path}");
        assert_eq!(got.status, 400, "{path}: {:#}", got.body);
        tried += 1;
    }
    assert!(tried > 10, "{tried} lists with a continuation");
}

fn has_id(path: &str) -> bool {
    path.split('/').any(|w| w.len() == 30 && w.as_bytes()[3] == b'_')
}

/// Every token that left the house in a letter or an answer: `/v1/sign/{token}`, `/p/{token}`, …
fn tokens(street: &Street, house: &House) -> BTreeSet<(String, String)> {
    let letters = street
        .world
        .letters
        .every_letter()
        .into_iter()
        .map(|l| (l.to.clone(), format!("{} {}", l.subject, l.text)));
    let sent =
        street.senders.all().into_iter().map(|s| (s.to, String::from_utf8_lossy(&s.bytes).into_owned()));
    let own = letters.chain(sent).filter(|(to, _)| house.canaries().found(to.as_bytes()).is_some());
    let mut found = BTreeSet::from([("/v1/shared/".to_string(), house.kept["share.token"].clone())]);
    for (_, text) in own {
        for door in ["/v1/sign/", "/v1/identity/invitations/", "/v1/notifications/unsubscribe/", "/p/"] {
            for rest in text.split(door).skip(1) {
                let token: String =
                    rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "._-~".contains(*c)).collect();
                found.insert((door.to_string(), token.trim_end_matches('.').to_string()));
            }
        }
    }
    found
}

#[tokio::test]
async fn a_link_of_one_organisation_opens_nothing_of_another() {
    let street = Street::built().await;
    let (ours, theirs) = (street.grace.tenant.id.prefix(), street.mercy.tenant.id.prefix());
    let stranger = street.world.stranger();
    let found = tokens(&street, &street.mercy);
    let doors: BTreeSet<&str> = found.iter().map(|(door, _)| door.as_str()).collect();
    assert!(doors.len() >= 3, "links of {doors:?}");
    for (door, token) in &found {
        let method = if door.contains("unsubscribe") { "POST" } else { "GET" };
        let ask = |token: &str| Ask {
            method: method.into(),
            path: format!("{door}{token}"),
            body: (method == "POST").then(|| json!({})),
            sent: vec![token.into()],
        };
        assert!(ask(token).by(&stranger).await.status < 400, "{door}{token} works where it belongs");
        // One that is sealed as a whole names nobody whom one could put in another's place.
        if !token.contains(&theirs) {
            assert!(ask(&token[1..]).by(&stranger).await.status >= 400, "{door}{token}");
            continue;
        }
        // The other organisation's, behind the name of one's own; and the same, a letter changed.
        let moved = token.replace(&theirs, &ours);
        let last = if moved.ends_with('A') { 'B' } else { 'A' };
        let middle = moved.len() - 6;
        let broken = format!("{}{last}{}", &moved[..middle], &moved[middle + 1..]);
        let (foreign, never) = (ask(&moved), ask(&broken));
        let (got, want) = (foreign.by(&stranger).await, never.by(&stranger).await);
        silent(&got, &street.mercy.canaries(), door);
        assert_eq!(told(&got, &foreign), told(&want, &never), "{door}{moved}");
        assert!(got.status >= 400, "{door}{moved}: {:#}", got.body);
    }
}

#[tokio::test]
async fn keys_and_contexts_of_another_organisation_open_nothing() {
    let street = Street::built().await;
    let theirs = Resources::of(&street.mercy, &street.routes).await;
    let patient = format!("/v1/patients/{}", theirs.id("pat").unwrap());
    let who = street.grace.everybody();
    let plain = who.call("GET", &patient).send().await;
    plain.clone().missing();
    let prefix = street.mercy.tenant.id.prefix();
    let tenant = format!("ten_{prefix}");
    for (header, value) in [
        ("x-tenant-context", "opx_01J00000000000000000000000"),
        ("x-tenant", prefix.as_str()),
        ("x-tenant-id", tenant.as_str()),
        ("x-break-glass", "brk_01J00000000000000000000000"),
        ("x-forwarded-host", "mercy.example"),
    ] {
        let reply = who.call("GET", &patient).header(header, value).send().await;
        silent(&reply, &street.mercy.canaries(), header);
        assert!(reply.status >= 400, "{header}: {:#}", reply.body);
    }
    // A machine's token with the other organisation's key.
    let key = |house: &House| {
        house.asked.iter().find(|a| a.path.ends_with("/integrations/keys")).map(|a| a.answer.clone()).unwrap()
    };
    let machine = |house: &House| {
        let key = key(house);
        let claims = json!({
            "token_use": "access", "tenant": house.tenant.id.prefix(), "user": key["id"], "roles": "partner",
            "sites": "*", "modules": "*", "gen": "1", "client": "partner", "scope": "api/partner",
            "scopes": "patient.view", "gateway_key": key["gateway_key_id"], "origin_jti": "machine",
        });
        (street.world.actor(claims), key["gateway_key_id"].as_str().unwrap().to_string())
    };
    let ((ours, _), (_, their_key)) = (machine(&street.grace), machine(&street.mercy));
    let reply = ours.keyed(&their_key).get("/partner/v1/patients?q=Zan").await;
    silent(&reply, &street.mercy.canaries(), "another's key");
    assert!(matches!(reply.status, 401 | 403), "{}: {:#}", reply.status, reply.body);
}

#[tokio::test]
async fn an_idempotency_key_is_one_organisations_own() {
    let street = Street::built().await;
    // Both houses were furnished with the same keys, in the same process.
    for (house, other) in [(&street.grace, &street.mercy), (&street.mercy, &street.grace)] {
        for (n, asked) in house.asked.iter().enumerate() {
            let found = other.canaries();
            assert_eq!(found.found(asked.answer.to_string().as_bytes()), None, "{n}: {}", asked.path);
        }
    }
    let task =
        json!({"title": "Count", "category": "clinical", "assignee": {"kind": "role", "value": "nurse"}});
    let once = |house: &House| house.people["nurse"].clone();
    let ask =
        async |who: &Actor| who.call("POST", "/v1/workflow/tasks").key("one").body(task.clone()).send().await;
    let (first, again) =
        (ask(&once(&street.mercy)).await.created(), ask(&once(&street.mercy)).await.created());
    let other = ask(&once(&street.grace)).await.created();
    assert_eq!(first, again);
    assert_ne!(first["id"], other["id"]);
}
