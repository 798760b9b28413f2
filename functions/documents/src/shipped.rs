//! Nouns of which the product ships some: they are there for every tenant from its first day, a tenant's own version
//! stands over the shipped one, and no shipped one can be removed.

use axum::{
    http::Method,
    routing::{delete, get, patch, post},
};
use jiff::Timestamp;
use kernel::{Error, Result, error::faultless};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use store::{Record, Store, Wanted};
use web::{
    Answer, At, Ctx, Raw, Route, Shown, check,
    noun::{self, History, Hooks, Pages, View},
    ok, route,
};

pub trait Shipped: Hooks {
    const PATH: &'static str;
    const VIEW: &'static str;
    const CREATE: &'static str;
    const EDIT: &'static str;
    const DELETE: &'static str;
    fn shipped() -> &'static [(Self::Id, Self)];
    /// Unique within the organisation; other rooms name it by this.
    fn code(&self) -> &str;
    /// Whether this caller may write it so.
    fn permit(&self, ctx: &Ctx) -> Result<()> {
        let _ = ctx;
        Ok(())
    }
}

/// `[{"id": …, …fields}]`, as the data files are written.
pub fn read<E: Shipped + DeserializeOwned>(data: &str) -> Vec<(E::Id, E)> {
    #[derive(Deserialize)]
    #[serde(bound(deserialize = "E: DeserializeOwned"))]
    struct Row<E: Shipped> {
        id: E::Id,
        #[serde(flatten)]
        body: E,
    }
    let rows: Vec<Row<E>> = serde_json::from_str(data).expect("a data file of ours; a test reads it");
    rows.into_iter().map(|row| (row.id, row.body)).collect()
}

/// As shipped: version 0, from before the organisation.
fn original<E: Shipped>(id: E::Id) -> Option<Record<E>> {
    let (_, body) = E::shipped().iter().find(|(known, _)| *known == id)?;
    Some(Record { version: 0, ..Record::with_id(id, Timestamp::UNIX_EPOCH, body.clone()) })
}

/// The tenant's own version, else the shipped one; 404 if there is neither.
pub async fn find<E: Shipped>(store: &Store, id: E::Id) -> Result<Record<E>> {
    match store.fresh::<E>(id).await {
        Ok(record) if record.deleted_at.is_none() => Ok(record),
        Ok(_) => Err(Error::Missing),
        Err(Error::Missing) => original(id).ok_or(Error::Missing),
        Err(e) => Err(e),
    }
}

/// By id or by code.
pub async fn named<E: Shipped>(store: &Store, name: &str) -> Result<Record<E>> {
    if let Ok(id) = name.parse::<E::Id>() {
        return find(store, id).await;
    }
    if let Some((id, _)) = E::shipped().iter().find(|(_, e)| e.code() == name) {
        return find(store, *id).await;
    }
    let held = store.guarded_many::<E>(&[("code", name.to_string())]).await?;
    find(store, held.into_iter().next().flatten().ok_or(Error::Missing)?).await
}

/// All of them, shipped ones first.
pub async fn all<E: Shipped>(store: &Store) -> Result<Vec<Record<E>>> {
    let mut own = store.list_all(&E::LISTS[0], Wanted::all(100)).await?;
    let mut found: Vec<Record<E>> = E::shipped()
        .iter()
        .filter(|(id, _)| !own.iter().any(|o| o.id == *id))
        .filter_map(|(id, _)| original(*id))
        .collect();
    own.sort_by(|a, b| a.body.code().cmp(b.body.code()));
    found.extend(own);
    Ok(found)
}

pub fn routes<E: Shipped>() -> Vec<Route> {
    let (n, one) = (E::NOUN, format!("{}/{{id}}", E::PATH));
    let named = |command: &str| format!("{n}.{command}");
    let removing = route(Method::DELETE, one.as_str(), E::DELETE, named("delete"), delete(remove::<E>));
    vec![
        route(Method::GET, E::PATH, E::VIEW, named("list"), get(list::<E>))
            .gives::<Pages<View<'static, E>>>(200)
            .trips(1)
            .says(format!("Every {n}: the shipped ones, then the organisation's own")),
        route(Method::POST, E::PATH, E::CREATE, named("create"), post(create::<E>))
            .takes::<E>()
            .gives::<View<'static, E>>(201)
            .trips(1)
            .says(format!("A {n} of the organisation's own")),
        route(Method::GET, one.as_str(), E::VIEW, named("show"), get(show::<E>))
            .gives::<View<'static, E>>(200)
            .trips(1)
            .says(format!("One {n}, as the organisation has it")),
        route(Method::PATCH, one.as_str(), E::EDIT, named("update"), patch(amend::<E>))
            .patches::<E>()
            .gives::<View<'static, E>>(200)
            .trips(2)
            .says(format!("Changes a {n}; a shipped one becomes the organisation's own version")),
        removing
            .answers(204)
            .trips(2)
            .refuses(&["shipped"])
            .says(format!("Deletes a {n} of the organisation's own")),
        route(Method::GET, format!("{one}/history"), E::VIEW, named("history"), get(noun::history::<E>))
            .asks::<Paging>()
            .gives::<History>(200)
            .trips(2)
            .says(format!("What the organisation changed of a {n}")),
    ]
}

#[derive(Deserialize, schemars::JsonSchema)]
#[expect(dead_code, reason = "the parameters' schema")]
struct Paging {
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i32>,
    #[schemars(range(min = 1))]
    before: Option<u64>,
}

async fn list<E: Shipped>(ctx: Ctx) -> Answer {
    let data = all::<E>(ctx.store()).await?.into_iter().map(|r| View::owned(&ctx, r)).collect();
    ok(&Pages { data, next: None })
}

async fn show<E: Shipped>(ctx: Ctx, At(id): At<E::Id>) -> Answer {
    let record = find::<E>(ctx.store(), id).await?;
    Ok(ctx.shown(200, &record)?.respond())
}

async fn create<E: Shipped>(ctx: Ctx, Raw(body): Raw) -> Answer {
    let body: E = check::read(&body)?;
    faultless(body.check())?;
    body.permit(&ctx)?;
    if let Some((id, _)) = E::shipped().iter().find(|(_, e)| e.code() == body.code()) {
        let taken = Error::conflict("code-taken", "the product ships one of this code: change that one");
        return Err(taken.with("existing", id).into());
    }
    let mut new = Record::new(ctx.now(), body);
    let commit = noun::commit_of(&ctx, "create", None, &mut new, None).await?;
    ctx.settle(commit, ctx.shown(201, &new)?).await
}

async fn amend<E: Shipped>(ctx: Ctx, At(id): At<E::Id>, Raw(patch): Raw) -> Answer {
    let old = find::<E>(ctx.store(), id).await?;
    old.matches(ctx.if_match())?;
    let body: E = check::merge_patch(&old.body, &renamed(&old, patch)?)?;
    faultless(body.check())?;
    body.permit(&ctx)?;
    let stored = old.version > 0;
    let mut new = if stored { old.next(ctx.now()) } else { Record::with_id(id, ctx.now(), body.clone()) };
    new.body = body;
    E::before(&ctx, "update", Some(&old), &mut new)?;
    let shown = ctx.shown(200, &new)?;
    let commit = if stored { ctx.commit().update("update", &old, &new) } else { ctx.commit().create(&new) };
    ctx.settle(commit, shown).await
}

/// Documents carry the code: it stays.
fn renamed<E: Shipped>(old: &Record<E>, patch: Value) -> Result<Value> {
    match patch.get("code").and_then(Value::as_str) {
        Some(code) if code != old.body.code() => {
            Err(Error::field("code-fixed", "/code", "the code stays: make a new one and retire this one"))
        }
        _ => Ok(patch),
    }
}

async fn remove<E: Shipped>(ctx: Ctx, At(id): At<E::Id>) -> Answer {
    if E::shipped().iter().any(|(known, _)| *known == id) {
        return Err(Error::conflict("shipped", "the product ships this one: set it inactive instead").into());
    }
    let old = ctx.change::<E>(id).await?;
    let mut new = old.next(ctx.now());
    new.deleted_at = Some(new.updated_at);
    ctx.settle(ctx.commit().update("delete", &old, &new), Shown::nothing()).await
}
