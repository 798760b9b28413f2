//! Strangers' bytes: every parser of ours on inputs that begin as something valid and are then broken in the ways that
//! break parsers. The same seed makes the same inputs. `INPUTS=<number>` says how many for each (default 3,000),
//! `SEED=<number>` begins elsewhere; what ever made one fall stands in `tests/data/parsers/<name>/` and is fed first.

use journeys::{
    modules,
    parsers::{PARSERS, Parser, WORDS},
};
use serde_json::json;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};
use testkit::{Chance, World};

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |v| v.parse().expect("a number"))
}

/// One input: a seed, or two of them, changed a few times.
fn input(chance: &mut Chance, seeds: &[Vec<u8>]) -> Vec<u8> {
    let pick = |chance: &mut Chance| seeds[chance.below(seeds.len() as u64) as usize].clone();
    let mut made = pick(chance);
    for _ in 0..=chance.below(6) {
        let at = |chance: &mut Chance, made: &Vec<u8>| chance.below(made.len() as u64 + 1) as usize;
        match chance.below(9) {
            0 if !made.is_empty() => {
                let at = chance.below(made.len() as u64) as usize;
                made[at] ^= 1 << chance.below(8);
            }
            1 => drop(made.splice(0..0, [chance.below(256) as u8])),
            2 => {
                let (from, to) = (at(chance, &made), at(chance, &made));
                drop(made.drain(from.min(to)..from.max(to)));
            }
            3 => made.truncate(at(chance, &made)),
            4 => {
                let (from, to, into) = (at(chance, &made), at(chance, &made), at(chance, &made));
                let part = made[from.min(to)..from.max(to)].to_vec();
                let times = 1 + chance.below(if part.len() < 40 { 60 } else { 2 }) as usize;
                made.splice(into..into, part.repeat(times));
            }
            5 => {
                let other = pick(chance);
                let (from, into) = (at(chance, &other), at(chance, &made));
                made.splice(into.., other[from..].iter().copied());
            }
            6 => {
                let into = at(chance, &made);
                made.splice(
                    into..into,
                    (0..chance.below(8)).map(|_| chance.below(256) as u8).collect::<Vec<_>>(),
                );
            }
            _ => {
                let into = at(chance, &made);
                made.splice(into..into, WORDS[chance.below(WORDS.len() as u64) as usize].iter().copied());
            }
        }
    }
    made.truncate(20_000);
    made
}

fn kept(parser: &Parser) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/parsers").join(parser.name);
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).into_iter().flatten().map(|e| e.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|p| std::fs::read(p).unwrap()).collect()
}

#[test]
fn no_parser_falls_over_whatever_it_is_given() {
    let (count, seed) = (number("INPUTS", 3_000), number("SEED", 7));
    let mut fallen = vec![];
    std::panic::set_hook(Box::new(|_| {}));
    for parser in PARSERS {
        let mut seeds: Vec<Vec<u8>> = parser.seeds.iter().map(|s| s.as_bytes().to_vec()).collect();
        let mut chance = Chance::seeded(seed);
        // As the letters below 256 of a seed that is no text.
        seeds.extend(parser.seeds.iter().map(|s| s.chars().map(|c| c as u32 as u8).collect::<Vec<u8>>()));
        let all = kept(parser).into_iter().chain(seeds.clone());
        let made = (0..count).map(|_| input(&mut chance, &seeds));
        for bytes in all.chain(made) {
            if let Err(why) = catch_unwind(AssertUnwindSafe(|| (parser.feed)(&bytes))) {
                let why = why
                    .downcast_ref::<String>()
                    .cloned()
                    .or(why.downcast_ref::<&str>().map(|s| s.to_string()));
                fallen.push(format!(
                    "{} on {}: {}",
                    parser.name,
                    bytes.escape_ascii(),
                    why.unwrap_or_default()
                ));
                break;
            }
        }
    }
    let _ = std::panic::take_hook();
    assert!(fallen.is_empty(), "{}", fallen.join("\n"));
    println!("COUNTED {} inputs of parsers", PARSERS.len() as u64 * count);
}

/// What is read behind the API: cursors, links, headers, paths, bodies of templates and rules.
#[tokio::test]
async fn no_door_answers_with_our_fault_whatever_it_is_given() {
    let (count, seed) = (number("INPUTS", 3_000) / 20, number("SEED", 7));
    let world = World::with(modules()).await;
    let grace = world.hospital("grace").await;
    let who = grace.staff("tenant_admin doctor nurse receptionist hr");
    grace.present(&who).await;
    for n in 0..3 {
        let body = json!({"name": format!("T{n}"), "site": grace.sites[0].to_string(), "members": []});
        who.post("/v1/identity/teams", body).await;
        let body =
            json!({"title": "Count", "category": "clinical", "assignee": {"kind": "role", "value": "nurse"}});
        who.post("/v1/workflow/tasks", body).await.created();
    }
    let cursor =
        who.get("/v1/workflow/tasks?role=nurse&limit=1").await.ok()["next"].as_str().map(String::from);
    let cursor = cursor.expect("a continuation");
    let tenant = grace.id.prefix();
    let seeds: Vec<Vec<u8>> = [
        cursor.as_str(),
        &format!("{tenant}.01J00000000000000000000000.1.abcdefghijklmnopqrstuvwxyz"),
        &format!("{tenant}.AAAABBBBCCCCDDDDEEEE"),
        "pat_01J00000000000000000000000",
        "Dear {{ name }}, {% if due %}{{ due|date }}{% endif %}",
        "event.data.kind == 'fall'",
        "\"7\"",
        "2026-11-23T08:00:00Z",
        "application/json; charset=utf-8",
    ]
    .map(|s| s.as_bytes().to_vec())
    .to_vec();
    let mut chance = Chance::seeded(seed);
    let stranger = world.stranger();
    for _ in 0..count {
        let bytes = input(&mut chance, &seeds);
        let bytes = &bytes[..bytes.len().min(4_000)];
        let word: String = bytes.iter().map(|b| format!("%{b:02X}")).collect();
        let text = String::from_utf8_lossy(bytes).into_owned();
        let header: String = bytes.iter().map(|b| char::from(32 + b % 95)).collect();
        let mut replies = vec![];
        for path in [
            format!("/v1/workflow/tasks?role=nurse&cursor={word}"),
            format!("/v1/patients?q={word}"),
            format!("/v1/patients/{word}"),
            format!("/v1/audit/changes?record={word}&from={word}"),
            format!("/v1/workflow/tasks/{word}?at={word}"),
            format!("/v1/{word}"),
        ] {
            replies.push(who.get(&path).await);
        }
        for path in [
            format!("/v1/shared/{word}"),
            format!("/v1/sign/{word}"),
            format!("/p/{word}"),
            format!("/v1/identity/invitations/{word}"),
            format!("/v1/workflow/tasks.ics?key={word}"),
        ] {
            replies.push(stranger.get(&path).await);
        }
        for name in [
            "if-match",
            "idempotency-key",
            "x-reason",
            "x-tenant-context",
            "x-break-glass",
            "content-type",
            "accept-language",
        ] {
            let call = who.call("POST", "/v1/workflow/tasks").header(name, &header);
            replies.push(call.raw(b"{}".to_vec()).send().await);
        }
        replies.push(
            who.call("PATCH", "/v1/identity/me")
                .header("content-type", "application/json")
                .raw(bytes.to_vec())
                .send()
                .await,
        );
        let rule = json!({"code": "a_rule", "name": "A", "on": ["patient.registered"], "when": text, "then": [
            {"kind": "task", "title": text, "category": "care", "assignee": {"kind": "role", "value": "nurse"}}]});
        replies.push(who.post("/v1/workflow/rules", rule).await);
        let made = json!({"code": "a_code", "name": "A", "language": "en", "category": "offer_letter", "body": text, "outputs": ["pdf"]});
        replies.push(who.post("/v1/documents/templates", made).await);
        let made =
            json!({"code": "a_code", "language": "en", "medium": "email", "title": text, "body": text});
        replies.push(who.post("/v1/notifications/templates", made).await);
        let hook = json!({"url": text, "event_types": [text]});
        replies.push(who.post("/v1/integrations/webhooks", hook).await);
        for reply in replies {
            assert!(
                reply.status < 500,
                "{}: {} {:#} on {}",
                reply.asked,
                reply.status,
                reply.body,
                bytes.escape_ascii()
            );
        }
    }
}
