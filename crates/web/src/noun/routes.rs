//! Routes of a noun, from its declaration.

use super::{Between, Differences, History, Hooks, Noun, Pages, Stood, View, handlers, list_shape};
use crate::{
    Ctx, Route,
    extract::{At, Raw},
    route,
};
use axum::{
    extract::RawQuery,
    http::Method,
    routing::{delete, get, patch, post},
};
use kernel::Lifecycle;
use schemars::JsonSchema;
use serde::Deserialize;

/// Where a noun lies, and who may do what.
pub struct Paths {
    /// `/v1/tenants/sites`
    pub path: &'static str,
    pub view: &'static str,
    pub create: &'static str,
    pub edit: &'static str,
    pub delete: &'static str,
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "the parameters' schema")]
pub(crate) struct Showing {
    /// The record as it stood then.
    at: Option<jiff::Timestamp>,
}

/// The parameters of a history.
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "the parameters' schema")]
pub struct Paged {
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i32>,
    #[schemars(range(min = 1))]
    before: Option<u64>,
}

/// The body of a command that takes nothing else.
#[derive(Deserialize, JsonSchema)]
pub struct Because {
    #[schemars(length(min = 1, max = 2000))]
    pub reason: Option<String>,
}

/// Show and history with its versions and their differences, which no noun goes without.
pub fn reading<E: Noun>(path: &str, view: &'static str) -> Vec<Route> {
    let (one, n) = (format!("{path}/{{id}}"), E::NOUN);
    let mut routes = vec![
        route(Method::GET, one.as_str(), view, format!("{n}.show"), get(handlers::show::<E>))
            .asks::<Showing>()
            .gives::<View<'static, E>>(200)
            .trips(1)
            .says(format!("One {n}, now or as it stood at a time")),
        route(
            Method::GET,
            format!("{one}/history"),
            view,
            format!("{n}.history"),
            get(handlers::history::<E>),
        )
        .asks::<Paged>()
        .gives::<History>(200)
        .trips(2)
        .says(format!("Every version of a {n}: who, when, why, what changed")),
    ];
    routes.extend(versions::<E>(path, view));
    routes
}

/// Single versions and what two of them differ in, for nouns whose history is a handler of their own.
pub fn versions<E: Noun>(path: &str, view: &'static str) -> Vec<Route> {
    let (one, n) = (format!("{path}/{{id}}"), E::NOUN);
    vec![
        route(
            Method::GET,
            format!("{one}/history/{{version}}"),
            view,
            format!("{n}.version"),
            get(handlers::version::<E>),
        )
        .gives::<Stood>(200)
        .trips(2)
        .says(format!("One version of a {n}: what was changed, and what it was then")),
        route(
            Method::GET,
            format!("{one}/history/diff"),
            view,
            format!("{n}.diff"),
            get(handlers::diff::<E>),
        )
        .asks::<Between>()
        .gives::<Differences>(200)
        .trips(2)
        .says(format!("What two versions of a {n} differ in, whatever lay between them")),
    ]
}

/// The seven routes of a noun without surprises.
pub fn crud<E: Hooks>(at: Paths) -> Vec<Route> {
    let Paths { path, view, create, edit, delete: gone } = at;
    let (one, n) = (format!("{path}/{{id}}"), E::NOUN);
    let list = move |ctx: Ctx, RawQuery(query): RawQuery| handlers::page::<E>(ctx, query, Some(gone));
    let mut routes = vec![
        route(Method::GET, path, view, format!("{n}.list"), get(list))
            .asks_shape(list_shape::<E>)
            .gives::<Pages<View<'static, E>>>(200)
            .trips(1)
            .says(format!("A page of {n} records")),
        route(Method::POST, path, create, format!("{n}.create"), post(handlers::create::<E>))
            .takes::<E>()
            .gives::<View<'static, E>>(201)
            .trips(1)
            .says(format!("A new {n}")),
    ];
    routes.extend(reading::<E>(path, view));
    routes.extend([
        route(Method::PATCH, one.as_str(), edit, format!("{n}.update"), patch(handlers::amend::<E>))
            .patches::<E>()
            .gives::<View<'static, E>>(200)
            .trips(2)
            .says(format!("Changes a {n} by a merge patch")),
        route(Method::DELETE, one.as_str(), gone, format!("{n}.delete"), delete(handlers::remove::<E>))
            .answers(204)
            .trips(2)
            .says(format!("Deletes a {n}; it can be restored")),
        route(
            Method::POST,
            format!("{one}/restore"),
            gone,
            format!("{n}.restore"),
            post(handlers::restore::<E>),
        )
        .gives::<View<'static, E>>(200)
        .trips(2)
        .refuses(&["taken-meanwhile", "restore-window-over"])
        .says(format!("Brings a deleted {n} back")),
    ]);
    routes
}

/// One route per step of the life cycle.
pub fn steps<E: Hooks + Lifecycle>(path: &str) -> Vec<Route> {
    let n = E::NOUN;
    let step = |step: &'static kernel::Step<E>| {
        let handler =
            move |ctx: Ctx, At(id): At<E::Id>, body: Raw| handlers::command::<E>(ctx, id, body, step);
        let path = format!("{path}/{{id}}/{}", step.command);
        let from: Vec<String> = step.from.iter().map(|s| s.to_string()).collect();
        route(Method::POST, path, step.permission, format!("{n}.{}", step.command), post(handler))
            .takes::<Because>()
            .gives::<View<'static, E>>(200)
            .trips(2)
            .says(format!("{} → {}", from.join(", "), step.to))
    };
    E::STEPS.iter().map(step).collect()
}
