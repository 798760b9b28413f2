use super::*;
use axum::{http::Method as Verb, routing::get};
use web::route;

fn method(verb: &str, resource: &str, security: &str) -> Method {
    let scopes = match security {
        "" => None,
        "partner" => Some(vec![PARTNERS.into()]),
        _ => Some(vec![PEOPLE.into()]),
    };
    Method {
        resource: resource.into(),
        verb: verb.into(),
        answer: Answer::Function("rooms".into()),
        scopes,
        key_required: security == "partner",
    }
}

fn sound() -> Vec<Method> {
    let mut methods = vec![
        method("ANY", "/v1/rooms", "people"),
        method("ANY", "/v1/rooms/{proxy+}", "people"),
        method("ANY", "/partner/v1/rooms", "partner"),
        method("ANY", "/partner/v1/rooms/{proxy+}", "partner"),
        method("POST", "/v1/rooms/visits/{id}", ""),
        method("ANY", "/v1/rooms/visits/{id}", "people"),
    ];
    let resources: BTreeSet<String> = methods.iter().map(|m| m.resource.clone()).collect();
    methods.extend(resources.iter().map(|resource| method("OPTIONS", resource, "")));
    methods
}

fn rooms() -> Vec<Module> {
    let answer = || get(|| async { "" });
    vec![Module::new(
        "rooms",
        vec![
            route(Verb::GET, "/v1/rooms/{id}", "site.show", "room.show", answer()),
            route(Verb::POST, "/v1/rooms/visits/{visit}", Door::Public, "visit.open", answer()),
            route(Verb::GET, "/v1/rooms/visits/{visit}", "site.show", "visit.show", answer()),
        ],
    )]
}

#[track_caller]
fn tells(methods: &[Method], words: &[&str]) {
    let found = differences(methods, &rooms());
    for word in words {
        assert!(found.iter().any(|line| line.contains(word)), "{word:?} in {found:#?}");
    }
    assert_eq!(found.len(), words.len(), "{found:#?}");
}

fn without(verb: &str, resource: &str) -> Vec<Method> {
    sound().into_iter().filter(|m| (m.verb.as_str(), m.resource.as_str()) != (verb, resource)).collect()
}

#[test]
fn a_template_that_is_the_code_has_no_differences() {
    tells(&sound(), &[]);
}

#[test]
fn a_public_route_needs_its_own_method() {
    tells(
        &without("POST", "/v1/rooms/visits/{id}"),
        &["POST /v1/rooms/visits/{visit} (visit.open): is public in the code, and behind"],
    );
}

#[test]
fn a_resource_must_not_hide_the_proxy_from_what_is_not_public() {
    let hidden = without("ANY", "/v1/rooms/visits/{id}");
    tells(&hidden, &["GET /v1/rooms/visits/{visit} (visit.show): the template has no method"]);
}

#[test]
fn nothing_is_public_that_the_code_does_not_know() {
    let mut methods = sound();
    methods.push(method("DELETE", "/v1/rooms/visits/{id}", ""));
    tells(&methods, &["DELETE /v1/rooms/visits/{id}: public in the template, and no public route of rooms"]);
}

#[test]
fn what_is_not_public_must_not_be_open() {
    let mut methods = without("ANY", "/v1/rooms/visits/{id}");
    methods.push(method("ANY", "/v1/rooms/visits/{id}", ""));
    tells(
        &methods,
        &[
            "visit.show): is not public in the code, and public",
            "ANY /v1/rooms/visits/{id}: public for every method",
        ],
    );
}

#[test]
fn partners_need_scope_and_key() {
    let mut methods = without("ANY", "/partner/v1/rooms");
    methods.push(Method { key_required: false, ..method("ANY", "/partner/v1/rooms", "partner") });
    tells(&methods, &["ANY /partner/v1/rooms: must ask partners"]);
    let gone = without("ANY", "/partner/v1/rooms/{proxy+}");
    tells(&gone, &["/partner/v1/rooms/{id} (room.show)", "/partner/v1/rooms/visits/{visit} (visit.show)"]);
}

#[test]
fn every_resource_answers_browsers_that_ask_first() {
    tells(&without("OPTIONS", "/v1/rooms"), &["/v1/rooms: has no public OPTIONS"]);
}

#[test]
fn a_method_leads_to_the_module_that_has_the_route() {
    let mut methods = without("POST", "/v1/rooms/visits/{id}");
    methods.push(Method {
        answer: Answer::Function("wards".into()),
        ..method("POST", "/v1/rooms/visits/{id}", "")
    });
    tells(&methods, &["does not lead to rooms", "no public route of wards", "wards is no module"]);
}

#[test]
fn a_proxy_stands_for_one_segment_or_more_but_not_for_none() {
    assert!(stands_behind("/docs/{proxy+}", "/docs/{file}"));
    assert!(stands_behind("/docs/{proxy+}", "/docs/a/b"));
    assert!(!stands_behind("/docs/{proxy+}", "/docs"));
    assert!(!stands_behind("/docs/{id}", "/docs/a"), "the resource opens more than the code does");
    assert!(!stands_behind("/docs/{id}", "/docs/{*rest}"));
}
