//! Routes of the warehouse export.

use super::{Counted, Format, Part, Warehouse, day_of, id, manifest::parts, slot};
use axum::{
    http::Method,
    routing::{get, post},
};
use jiff::{SignedDuration, Timestamp, civil::Date};
use kernel::{Error, KINDS, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Record;
use web::{
    Answer, Body, Ctx, Named, Route,
    files::{File, Link, Named as NamedFile},
    noun::View,
    ok, route,
};

const PATH: &str = "/v1/integrations/warehouse";
/// Days that an export may begin in the past, or be behind.
const BACK: SignedDuration = SignedDuration::from_hours(31 * 24);
/// How long a link to a file lives.
const LINK: SignedDuration = SignedDuration::from_mins(15);

#[derive(Deserialize, JsonSchema)]
pub struct Enable {
    /// Up to 31 days ago; now, if nothing is said.
    since: Option<Timestamp>,
    /// Kinds of records (`pat`, `apt`); none = all.
    #[serde(default)]
    #[schemars(length(max = 60), inner(length(min = 3, max = 3)), extend("uniqueItems" = true))]
    kinds: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
pub struct Because {
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

/// A day's files with links to them.
#[derive(Serialize, JsonSchema)]
pub struct Day {
    day: Date,
    /// None while the day is not counted yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    counted: Option<Counted>,
    parts: Vec<Linked>,
}

#[derive(Serialize, JsonSchema)]
pub struct Linked {
    #[serde(flatten)]
    part: Part,
    link: Link,
}

pub fn routes() -> Vec<Route> {
    let (view, edit) = ("warehouse.view", "warehouse.edit");
    vec![
        route(Method::GET, PATH, view, "warehouse.show", get(show))
            .gives::<View<'static, Warehouse>>(200)
            .trips(1)
            .says("The export: since when, of what, and how far it has come; 404 if it never was enabled"),
        route(Method::POST, format!("{PATH}/enable"), edit, "warehouse.enable", post(enable))
            .takes::<Enable>()
            .gives::<View<'static, Warehouse>>(200)
            .trips(2)
            .refuses(&["feature-not-licensed"])
            .says("Every change from now on (or a little earlier) is written, every quarter of an hour"),
        route(Method::POST, format!("{PATH}/disable"), edit, "warehouse.disable", post(disable))
            .takes::<Because>()
            .gives::<View<'static, Warehouse>>(200)
            .trips(2)
            .says("Nothing more is written; what was written stays"),
        route(Method::GET, format!("{PATH}/days/{{day}}"), view, "warehouse.day", get(day))
            .gives::<Day>(200)
            .trips(2)
            .says("A day's files with links that live for a quarter of an hour"),
    ]
}

async fn show(ctx: Ctx) -> Answer {
    let record = ctx.get::<Warehouse>(id(&ctx)?).await?;
    Ok(ctx.shown(200, &record)?.respond())
}

async fn enable(ctx: Ctx, Body(asked): Body<Enable>) -> Answer {
    if !ctx.tenant()?.features.iter().any(|f| f == "warehouse_export") {
        let detail = "your subscription does not include the warehouse export; a wider plan does";
        let error = Error::forbidden("feature-not-licensed", detail);
        return Err(error.with("feature", "warehouse_export").into());
    }
    if let Some(unknown) = asked.kinds.iter().find(|k| !KINDS.iter().any(|(kind, _)| kind == k)) {
        return Err(Error::field("unknown-kind", "/kinds", format!("there is no kind {unknown}")).into());
    }
    let since = asked.since.unwrap_or(ctx.now());
    if since > ctx.now() || ctx.now().duration_since(since) > BACK {
        return Err(Error::field("range", "/since", "not in the future, and at most 31 days ago").into());
    }
    let id = id(&ctx)?;
    let (commit, record) = match ctx.change::<Warehouse>(id).await {
        Ok(old) => again(&ctx, old, asked.kinds)?,
        Err(Error::Missing) => {
            let since = slot::start(since);
            let (kinds, format) = (asked.kinds, Format::Lines);
            let body =
                Warehouse { enabled: true, since, kinds, format, cursor: since, next_day: day_of(since) };
            let new = Record::with_id(id, ctx.now(), body);
            (ctx.commit().create(&new), new)
        }
        Err(error) => return Err(error.into()),
    };
    ctx.settle(commit, ctx.shown(200, &record)?).await
}

/// It goes on where it stopped, as long as that is not too long ago.
fn again(
    ctx: &Ctx,
    old: Record<Warehouse>,
    kinds: Vec<String>,
) -> Result<(store::Commit, Record<Warehouse>)> {
    if old.body.enabled {
        return Err(Error::State { command: "enable", state: "enabled".into() });
    }
    let mut new = old.next(ctx.now());
    let earliest = slot::start(ctx.now() - BACK);
    if old.body.cursor < earliest {
        (new.body.since, new.body.cursor, new.body.next_day) = (earliest, earliest, day_of(earliest));
    }
    (new.body.enabled, new.body.kinds) = (true, kinds);
    Ok((ctx.commit().update("enable", &old, &new), new))
}

async fn disable(ctx: Ctx, Body(why): Body<Because>) -> Answer {
    let reason = ctx.needs_reason(why.reason.as_deref())?;
    let old = ctx.change::<Warehouse>(id(&ctx)?).await?;
    if !old.body.enabled {
        return Err(Error::State { command: "disable", state: "disabled".into() }.into());
    }
    let mut new = old.next(ctx.now());
    new.body.enabled = false;
    let commit = ctx.commit().because(Some(reason)).update("disable", &old, &new);
    ctx.settle(commit, ctx.shown(200, &new)?).await
}

async fn day(ctx: Ctx, Named(day): Named) -> Answer {
    let day: Date = day.parse().map_err(|_| Error::Missing)?;
    let id = id(&ctx)?;
    let place = Counted::place(id, day);
    let (found, counted) = futures::join!(parts(&ctx, id, day), ctx.store().read::<Counted>(&place));
    let (found, counted) = (found?, counted?);
    let mut linked = vec![];
    for part in found {
        let name = part.name.rsplit('/').next().unwrap_or_default().to_string();
        let named = NamedFile { name, content_type: "application/gzip".into() };
        let file = File::warehouse(ctx.scope(), &part.name);
        let link = ctx.app().files().download(&file, &named, LINK).await?;
        linked.push(Linked { part, link });
    }
    ok(&Day { day, counted, parts: linked })
}
