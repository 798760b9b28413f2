//! The walk: every route of the product, tried by those who may not and with what it must refuse. The table
//! is compared before and after: nothing of it may have changed.

use journeys::{emitted, modules, walk};
use serde_json::json;
use testkit::{Reply, World};
use web::{Door, Reaction, Route, UNSTATED};

async fn world() -> (World, Vec<Route>) {
    let modules = modules();
    let routes = modules.iter().flat_map(|m| m.routes.clone()).collect();
    (World::with(modules).await, routes)
}

fn blamed(reply: &Reply, route: &Route, wanted: &str) {
    let asked = format!("{} {} ({wanted}): {} {:#}", route.method, route.path, reply.status, reply.body);
    assert_ne!(reply.status / 100, 5, "{asked}");
    assert_eq!(reply.code(), wanted, "{asked}");
}

#[tokio::test]
async fn a_stranger_is_refused_on_every_route_that_is_not_public() {
    let (world, routes) = world().await;
    world.hospital("grace").await;
    let stranger = world.stranger();
    let mut walked = 0;
    for route in routes.iter().filter(|r| !walk::is_public(r)) {
        let reply = stranger.call(route.method.as_str(), &walk::filled(route)).body(json!({})).send().await;
        blamed(&reply, route, "not-signed-in");
        walked += 1;
    }
    assert!(walked > 100, "{walked} routes");
}

#[tokio::test]
async fn a_role_without_the_permission_is_refused_before_anything_is_read() {
    let (world, routes) = world().await;
    let grace = world.hospital("grace").await;
    let mut walked = 0;
    for route in &routes {
        let Door::Permission(permission) = route.door else { continue };
        let Some(role) = walk::powerless(permission) else { continue };
        let reply =
            grace.staff(role).call(route.method.as_str(), &walk::filled(route)).body(json!({})).send().await;
        blamed(&reply, route, if route.hidden { "not-found" } else { "forbidden" });
        walked += 1;
    }
    assert!(walked > 80, "{walked} routes");
}

#[tokio::test]
async fn an_operator_without_a_context_reaches_no_organisations_route() {
    let (world, routes) = world().await;
    world.hospital("grace").await;
    let operator = walk::operator(&world);
    // Audit shows operators the platform's own trail; a customer's only in a context.
    let own =
        |path: &str| path.starts_with("/v1/tenants") || path.starts_with("/v1/audit") || path == "/v1/me";
    for route in routes.iter().filter(|r| !own(&r.path)) {
        let Door::Permission(_) = route.door else { continue };
        let reply = operator.call(route.method.as_str(), &walk::filled(route)).body(json!({})).send().await;
        assert!(
            matches!(reply.status, 400 | 403 | 404 | 422),
            "{} {}: {:#}",
            route.method,
            route.path,
            reply.body
        );
        assert!(reply.body.get("data").is_none(), "{} {}: {:#}", route.method, route.path, reply.body);
    }
}

#[tokio::test]
async fn every_field_of_every_body_refuses_what_is_not_its_type_all_at_once() {
    let (world, routes) = world().await;
    let grace = world.hospital("grace").await;
    let before = grace.dump().await;
    for route in routes.iter().filter(|r| r.method == "POST" && r.door != Door::Public) {
        let Some(schema) = walk::schema(route) else { continue };
        let (body, pointers) = walk::wrong_types(&schema);
        let caller = walk::holder(&world, &grace, route).await;
        let reply = caller.call("POST", &walk::filled(route)).body(body).send().await;
        if reply.status == 404 && route.path.contains('{') {
            continue; // the record is looked for before its change is judged
        }
        blamed(&reply, route, "validation");
        let told: Vec<String> = reply.faults().into_iter().map(|(pointer, _)| pointer).collect();
        for pointer in pointers {
            let known = told.iter().any(|t| t == &pointer || t.starts_with(&format!("{pointer}/")));
            assert!(known, "{} {} says nothing of {pointer}: {told:?}", route.method, route.path);
        }
    }
    assert_eq!(before, grace.dump().await, "nothing was written");
}

#[tokio::test]
async fn hostile_text_is_refused_in_every_field_that_takes_text() {
    let (world, routes) = world().await;
    let grace = world.hospital("grace").await;
    let before = grace.dump().await;
    for route in routes.iter().filter(|r| r.method == "POST" && r.door != Door::Public) {
        let Some((body, pointers)) = walk::schema(route).as_ref().and_then(walk::hostile) else { continue };
        let caller = walk::holder(&world, &grace, route).await;
        let reply = caller.call("POST", &walk::filled(route)).body(body).send().await;
        if reply.status == 404 && route.path.contains('{') {
            continue;
        }
        blamed(&reply, route, "validation");
        let told: Vec<String> = reply.faults().into_iter().map(|(pointer, _)| pointer).collect();
        for pointer in pointers {
            assert!(told.contains(&pointer), "{} {} lets {pointer} pass: {told:?}", route.method, route.path);
        }
    }
    assert_eq!(before, grace.dump().await, "nothing was written");
}

#[tokio::test]
async fn what_is_no_json_too_large_or_too_deep_is_refused_everywhere() {
    let (world, routes) = world().await;
    let grace = world.hospital("grace").await;
    let before = grace.dump().await;
    for route in routes.iter().filter(|r| r.input.is_some()) {
        let caller = match route.door {
            Door::Public => world.stranger().from("198.51.100.9"),
            _ => walk::holder(&world, &grace, route).await,
        };
        let send =
            |bytes: Vec<u8>| caller.call(route.method.as_str(), &walk::filled(route)).raw(bytes).send();
        for (what, bytes) in [
            ("no JSON", b"{\"a\":".to_vec()),
            ("deep", "[".repeat(20_000).into_bytes()),
            ("text", vec![0xff, 0xfe]),
        ] {
            let reply = send(bytes).await;
            let fair = matches!(reply.status, 400 | 401 | 404 | 429);
            assert!(fair, "{} {} on {what}: {} {:#}", route.method, route.path, reply.status, reply.body);
        }
        let reply = send(vec![b' '; 1024 * 1024 + 1]).await;
        blamed(&reply, route, "body-too-large");
    }
    assert_eq!(before, grace.dump().await, "nothing was written");
}

#[tokio::test]
async fn an_unknown_query_parameter_is_refused_on_every_route() {
    let (world, routes) = world().await;
    let grace = world.hospital("grace").await;
    for route in routes.iter().filter(|r| r.method == "GET" && r.door != Door::Public) {
        let caller = walk::holder(&world, &grace, route).await;
        let reply = caller.get(&format!("{}?nonsense_x=1", walk::filled(route))).await;
        let fair = reply.status == 400 || (reply.status == 404 && route.path.contains('{'));
        assert!(fair, "{} {}: {} {:#}", route.method, route.path, reply.status, reply.body);
    }
}

#[tokio::test]
async fn an_id_that_nobody_has_and_one_of_another_form_are_both_not_found() {
    let (world, routes) = world().await;
    let grace = world.hospital("grace").await;
    for route in
        routes.iter().filter(|r| r.method == "GET" && r.path.ends_with("/{id}") && r.door != Door::Public)
    {
        let caller = walk::holder(&world, &grace, route).await;
        for path in [
            walk::filled(route),
            route.path.replace("{id}", "nonsense"),
            route.path.replace("{id}", "usr_1%23x"),
        ] {
            let reply = caller.get(&path).await;
            assert!(matches!(reply.status, 404 | 403), "{path}: {} {:#}", reply.status, reply.body);
        }
    }
}

/// One operation may stand at two addresses (every organisation's, and the caller's own under `self`): then it is
/// the same method on the same last word, and whoever comes by the second door is named apart in the document.
#[test]
fn an_operation_at_two_addresses_is_the_same_operation() {
    let modules = modules();
    let mut seen: std::collections::BTreeMap<&str, Vec<&web::Route>> = std::collections::BTreeMap::new();
    for route in modules.iter().flat_map(|m| &m.routes) {
        assert!(!route.summary.is_empty(), "{} {} says nothing of itself", route.method, route.path);
        assert_ne!(route.trips, UNSTATED, "{} {} states no trips", route.method, route.path);
        seen.entry(&route.operation).or_default().push(route);
    }
    for (operation, routes) in seen {
        // A command that waits for a second person is decided in its own module, in each the same way.
        if operation.starts_with("approval.") && routes.iter().all(|r| r.path.contains("/approvals/")) {
            continue;
        }
        let own = routes.iter().filter(|r| r.path.contains("/self/")).count();
        let places: Vec<String> = routes.iter().map(|r| format!("{} {}", r.method, r.path)).collect();
        assert!(routes.len() == 1 || (routes.len() == 2 && own == 1), "{operation} is {places:?}");
        assert!(routes.iter().all(|r| r.method == routes[0].method), "{operation} is {places:?}");
    }
}

#[test]
fn every_permission_of_a_route_stands_in_the_matrix() {
    for route in modules().iter().flat_map(|m| &m.routes) {
        if let Door::Permission(permission) = route.door {
            assert!(testkit::rule(permission).is_some(), "{permission} of {} {}", route.method, route.path);
        }
    }
}

#[test]
fn every_schema_uses_only_words_that_the_check_knows() {
    fn words(value: &serde_json::Value, out: &mut std::collections::BTreeSet<String>, names: bool) {
        match value {
            serde_json::Value::Object(map) => {
                for (key, inner) in map {
                    if !names {
                        out.insert(key.clone());
                    }
                    let data = matches!(key.as_str(), "default" | "examples" | "enum" | "const") && !names;
                    if !data {
                        words(inner, out, !names && matches!(key.as_str(), "properties" | "$defs"));
                    }
                }
            }
            serde_json::Value::Array(all) => all.iter().for_each(|v| words(v, out, false)),
            _ => {}
        }
    }
    for route in modules().iter().flat_map(|m| &m.routes) {
        let Some(schema) = walk::schema(route) else { continue };
        let mut used = std::collections::BTreeSet::new();
        words(&schema, &mut used, false);
        let unknown: Vec<_> = used.iter().filter(|w| !web::check::KEYWORDS.contains(&w.as_str())).collect();
        assert!(unknown.is_empty(), "{} {}: {unknown:?}", route.method, route.path);
    }
}

/// Heard, and not emitted yet: what senders of messages will tell comes with their connectors.
const AWAITED: [&str; 1] = ["provider_event.received"];

#[test]
fn events_that_are_heard_are_emitted_and_none_is_declared_that_nobody_emits() {
    let declared = emitted::declared();
    let source = emitted::source();
    let mut silent = declared.iter().filter(|(_, variant)| {
        let lines = source.lines().filter(|line| line.contains(&format!("Event::{variant}")));
        lines.into_iter().all(|line| line.contains(".read()"))
    });
    assert_eq!(silent.next(), None, "declared, and emitted by nobody");
    let modules = modules();
    let ours =
        |event: &str| emitted::owner_of(event).is_none_or(|owner| modules.iter().any(|m| m.name == owner));
    let heard = modules.iter().flat_map(|m| m.reactions.iter().map(|r| (m.name, r.event)));
    let mut deaf = heard.filter(|(_, event)| {
        !declared.contains_key(*event) && ours(event) && *event != Reaction::ALL && !AWAITED.contains(event)
    });
    assert_eq!(deaf.next(), None, "heard, and emitted by nobody");
}
