//! Handlers of every noun.

use super::{Between, Difference, Differences, History, Noun, Pages, Shown, Stood, View, listing};
use crate::{
    Answer, Ctx, answer, check,
    extract::{At, AtVersion, Raw},
};
use authz::Only;
use axum::{
    extract::RawQuery,
    http::{HeaderValue, header},
};
use jiff::Timestamp;
use kernel::{Error, Kind, Lifecycle, Result, Step, error::faultless};
use seal::Sealed;
use serde_json::Value;
use std::future::Future;
use store::{Commit, Record};

/// What a noun adds to the common handlers: facts, guards, quotas, events. All in the same commit.
pub trait Hooks: Noun {
    /// What goes along with every change; the commit holds the new version already.
    fn on_write(
        ctx: &Ctx,
        change: Written<'_, Self>,
        commit: Commit,
    ) -> impl Future<Output = Result<Commit>> + Send {
        let _ = (ctx, change);
        async { Ok(commit) }
    }
    /// What has to be looked up before the change is made: a number, a parent's level, another record's zone. Comes
    /// before everything else, `before` included.
    fn prepare(
        ctx: &Ctx,
        action: &str,
        old: Option<&Record<Self>>,
        new: &mut Record<Self>,
    ) -> impl Future<Output = Result<()>> + Send {
        let _ = (ctx, action, old, new);
        async { Ok(()) }
    }
    /// A last look at the change itself, before it is written: refuse it, or fill what follows from it.
    fn before(ctx: &Ctx, action: &str, old: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        let _ = (ctx, action, old, new);
        Ok(())
    }
}

/// A change of a record: `create` (then there is no `old`), `update`, `delete`, `restore` or a command.
#[derive(Clone, Copy)]
pub struct Written<'a, E: Noun> {
    pub action: &'a str,
    pub old: Option<&'a Record<E>>,
    pub new: &'a Record<E>,
}

/// The commit of a change, with everything that the noun's hooks add.
pub async fn commit_of<E: Hooks>(
    ctx: &Ctx,
    action: &str,
    old: Option<&Record<E>>,
    new: &mut Record<E>,
    reason: Option<String>,
) -> Result<Commit> {
    E::prepare(ctx, action, old, new).await?;
    E::before(ctx, action, old, new)?;
    let commit = ctx.commit().because(reason);
    let commit = match old {
        Some(old) => commit.update(action, old, new),
        None => commit.create(new),
    };
    E::on_write(ctx, Written { action, old, new }, commit).await
}

/// A change of a record that is there, made and answered.
pub async fn change<E: Hooks>(
    ctx: Ctx,
    action: &str,
    old: Record<E>,
    reason: Option<String>,
    make: impl FnOnce(&mut Record<E>),
) -> Answer {
    let mut new = old.next(ctx.now());
    make(&mut new);
    let commit = commit_of(&ctx, action, Some(&old), &mut new, reason).await?;
    let shown = ctx.shown(200, &new)?;
    ctx.settle(commit, shown).await
}

pub async fn create<E: Hooks>(ctx: Ctx, Raw(body): Raw) -> Answer {
    let body: E = check::read(&body)?;
    faultless(body.check())?;
    let mut new = Record::new(ctx.now(), body);
    let commit = commit_of(&ctx, "create", None, &mut new, None).await?;
    let shown = ctx.shown(201, &new)?;
    ctx.settle(commit, shown).await
}

pub async fn show<E: Noun>(ctx: Ctx, At(id): At<E::Id>, RawQuery(query): RawQuery) -> Answer {
    if let Some(at) = at_time(query.as_deref())? {
        let now = ctx.get::<E>(id).await?;
        return stood::<E>(&ctx, &now, at).await;
    }
    let record = ctx.get::<E>(id).await?;
    Ok(ctx.shown(200, &record)?.respond())
}

/// The record as it stood at a time, with the place of that version.
async fn stood<E: Noun>(ctx: &Ctx, now: &Record<E>, at: Timestamp) -> Answer {
    if at > ctx.now() {
        return Err(
            Error::field("in-the-future", "?at", "nobody knows yet: give a time that has been").into()
        );
    }
    if at < now.created_at {
        let detail = format!("it was created later, at {}", now.created_at);
        return Err(Error::refuse(Kind::Missing, "not-yet-created", detail).into());
    }
    let version = ctx.store().at::<E>(now.id, at).await?;
    let mut body = version.body.0;
    body["id"] = now.id.to_string().into();
    body["version"] = version.version.into();
    body["created_at"] = now.created_at.to_string().into();
    body["updated_at"] = version.at.to_string().into();
    // Nothing can be done with what has been.
    body["actions"] = serde_json::Value::Array(vec![]);
    let mut response = answer::ok(&body)?;
    // Beside the record, wherever that is mounted.
    let place = format!("{}/history/{}", now.id, version.version);
    let place = HeaderValue::try_from(place).map_err(Error::internal)?;
    response.headers_mut().insert(header::CONTENT_LOCATION, place);
    Ok(response)
}

fn at_time(query: Option<&str>) -> Result<Option<Timestamp>> {
    let mut at = None;
    for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if name != "at" {
            return Err(Error::invalid(format!("?{name}"), "unknown", "no such parameter; allowed: at"));
        }
        let read = value.parse().map_err(|_| {
            Error::invalid("?at", "format", "expected a time with its zone: 2026-01-31T09:00:00Z")
        })?;
        at = Some(read);
    }
    Ok(at)
}

pub async fn list<E: Noun>(ctx: Ctx, RawQuery(query): RawQuery) -> Answer {
    page::<E>(ctx, query, None).await
}

/// What was deleted is listed for those who could bring it back.
pub(crate) async fn page<E: Noun>(ctx: Ctx, query: Option<String>, deleted: Option<&'static str>) -> Answer {
    let (list, wanted) = listing::wanted::<E>(query.as_deref().unwrap_or_default())?;
    if let Some(permission) = deleted.filter(|_| wanted.deleted) {
        ctx.need(permission)?;
    }
    let page = ctx.list(list, &wanted).await?;
    let seen = page.data.iter().all(|r| E::within(r, ctx.reach(), ctx.actor()));
    if !seen {
        // A list never filters afterwards: a noun whose reach is narrower declares its own list handler.
        return Err(
            Error::forbidden("list-too-wide", "your role does not reach this whole list; narrow it").into()
        );
    }
    answer::ok(&Pages::from(page.map(|record| View::owned(&ctx, record))))
}

pub async fn amend<E: Hooks>(ctx: Ctx, At(id): At<E::Id>, Raw(patch): Raw) -> Answer {
    let old = ctx.change::<E>(id).await?;
    let body = check::merge_patch(&old.body, &patch)?;
    faultless(body.check())?;
    change(ctx, "update", old, None, |r| r.body = body).await
}

/// PUT: the whole of what callers may set; see [`check::replaced`].
pub async fn replace<E: Hooks>(ctx: Ctx, At(id): At<E::Id>, Raw(body): Raw) -> Answer {
    let old = ctx.change::<E>(id).await?;
    let body = check::replaced(&old.body, &body)?;
    faultless(body.check())?;
    change(ctx, "update", old, None, |r| r.body = body).await
}

pub async fn remove<E: Hooks>(ctx: Ctx, At(id): At<E::Id>) -> Answer {
    let old = ctx.change::<E>(id).await?;
    let mut new = old.next(ctx.now());
    new.deleted_at = Some(new.updated_at);
    let commit = commit_of(&ctx, "delete", Some(&old), &mut new, None).await?;
    ctx.settle(commit, Shown::nothing()).await
}

pub async fn restore<E: Hooks>(ctx: Ctx, At(id): At<E::Id>) -> Answer {
    let old = ctx.change_deleted::<E>(id).await?;
    let Some(deleted) = old.deleted_at else {
        return Err(Error::State { command: "restore", state: "not deleted".into() }.into());
    };
    if ctx.now().duration_since(deleted).as_hours() > E::RESTORABLE_DAYS * 24 {
        let detail = format!("it was deleted more than {} days ago; make a new one", E::RESTORABLE_DAYS);
        return Err(Error::conflict("restore-window-over", detail).into());
    }
    let restored = change(ctx, "restore", old, None, |r| r.deleted_at = None);
    restored.await.map_err(|refused| match refused.0 {
        // What it held for itself alone was free while it was deleted.
        Error::Duplicate { field, owner, .. } => {
            let detail = format!("its {field} is another record's now: change that one first");
            Error::conflict("taken-meanwhile", detail).with("field", field).with("record", owner).into()
        }
        other => other.into(),
    })
}

/// One step of a life cycle.
pub async fn command<E: Hooks + Lifecycle>(
    ctx: Ctx,
    id: E::Id,
    Raw(body): Raw,
    step: &'static Step<E>,
) -> Answer {
    let given = reason_of(&body)?;
    let old = ctx.change::<E>(id).await?;
    let reason = if step.reason { Some(ctx.needs_reason(given.as_deref())?) } else { given.or(ctx.reason()) };
    let mut new = old.next(ctx.now());
    new.body.advance(step, ctx.today())?;
    let commit = commit_of(&ctx, step.command, Some(&old), &mut new, reason).await?;
    let shown = ctx.shown(200, &new)?;
    ctx.settle(commit, shown).await
}

/// A command's body may hold a reason and nothing else.
fn reason_of(body: &Value) -> Result<Option<String>> {
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct Because {
        #[schemars(length(min = 1, max = 2000))]
        reason: Option<String>,
    }
    Ok(check::read::<Because>(body)?.reason)
}

pub async fn history<E: Noun>(ctx: Ctx, At(id): At<E::Id>, RawQuery(query): RawQuery) -> Answer {
    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct Paging {
        #[schemars(range(min = 1, max = 100))]
        limit: Option<i32>,
        #[schemars(range(min = 1))]
        before: Option<u64>,
    }
    let Paging { limit, before } = check::query(query.as_deref().unwrap_or_default())?;
    let limit = limit.unwrap_or(25);
    seen::<E>(&ctx, id).await?;
    let data = ctx.store().history::<E>(id, before, limit).await?;
    let next =
        data.last().filter(|c| c.version > 1 && data.len() as i32 == limit).map(|c| c.version.to_string());
    answer::ok(&History { data, next })
}

/// Deleted records keep their history, for those who may see the record at all.
async fn seen<E: Noun>(ctx: &Ctx, id: E::Id) -> Result<Record<E>> {
    let record = ctx.store().get::<E>(id).await?;
    if !E::within(&record, ctx.reach(), ctx.actor()) && !E::proven(ctx, &record).await? {
        return Err(Error::Missing);
    }
    ctx.looked_at::<E>([id].into_iter()).await?;
    Ok(record)
}

/// Whoever sees a part of the record only (a card, names) does not see what it was.
fn whole(ctx: &Ctx) -> Result<()> {
    match ctx.only() {
        None | Some(Only::Reason) => Ok(()),
        Some(_) => Err(Error::forbidden("forbidden", "your role sees the record as it is, not its history")),
    }
}

/// One version: its change, and the record as it left it.
pub async fn version<E: Noun>(ctx: Ctx, AtVersion(id, version): AtVersion<E::Id>) -> Answer {
    whole(&ctx)?;
    let record = seen::<E>(&ctx, id).await?;
    version_of(&ctx, &record, version).await
}

/// The same of a record that the caller was seen to reach: for nouns with a way of their own to it.
pub async fn version_of<E: Noun>(ctx: &Ctx, record: &Record<E>, version: u64) -> Answer {
    let (store, id) = (ctx.store(), record.id);
    let (change, stood) =
        futures::try_join!(store.history::<E>(id, Some(version + 1), 1), store.version::<E>(id, version))?;
    let change = change.into_iter().next().ok_or(Error::Missing)?;
    let mut body = stood.body;
    body["id"] = id.to_string().into();
    body["version"] = version.into();
    body["created_at"] = record.created_at.to_string().into();
    body["updated_at"] = stood.at.to_string().into();
    answer::ok(&Stood { change, record: body })
}

/// What two versions differ in, whatever lay between them.
pub async fn diff<E: Noun>(ctx: Ctx, At(id): At<E::Id>, RawQuery(query): RawQuery) -> Answer {
    let between = between(query.as_deref())?;
    whole(&ctx)?;
    seen::<E>(&ctx, id).await?;
    diff_of::<E>(&ctx, id, between).await
}

/// The versions that a difference is asked of.
pub fn between(query: Option<&str>) -> Result<Between> {
    let between: Between = check::query(query.unwrap_or_default())?;
    match between.from > between.to {
        true => Err(Error::field("bad-range", "?to", "not before from")),
        false => Ok(between),
    }
}

/// The same of a record that the caller was seen to reach.
pub async fn diff_of<E: Noun>(ctx: &Ctx, id: E::Id, Between { from, to }: Between) -> Answer {
    let store = ctx.store();
    let (old, new) = futures::try_join!(store.version::<E>(id, from), store.version::<E>(id, to))?;
    let mut data = vec![];
    net(&mut String::new(), &old.body, &new.body, &mut data);
    answer::ok(&Differences { from, to, data })
}

/// Member by member; a list that changed is shown whole, before and after.
fn net(path: &mut String, old: &Value, new: &Value, out: &mut Vec<Difference>) {
    match (old, new) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let len = path.len();
                path.push('/');
                path.push_str(&name.replace('~', "~0").replace('/', "~1"));
                net(path, a.get(name).unwrap_or(&Value::Null), b.get(name).unwrap_or(&Value::Null), out);
                path.truncate(len);
            }
        }
        (a, b) if a == b => {}
        (a, b) => out.push(Difference { path: path.clone(), from: Sealed(a.clone()), to: Sealed(b.clone()) }),
    }
}
