//! Nouns that are a part of the gate's fact: custom roles, overrides, access rules. Whatever happens to one of
//! them stands in `access#self` with the same commit, and acts within a minute.

use crate::access::{self, Access};
use axum::{
    http::Method,
    response::Response,
    routing::{delete, get, patch, post},
};
use events::IdentityEvent;
use kernel::{Error, Result, error::faultless};
use store::Record;
use web::{
    Answer, At, Ctx, Noun, Raw, Route, Shown, check,
    noun::{Pages, View, list, list_shape, reading},
    route,
};

pub trait Gated: Noun {
    /// A change needs `X-Reason`.
    const REASON: bool;
    /// Whether the caller may leave it in this state.
    fn permit(ctx: &Ctx, old: Option<&Self>, new: &Self) -> Result<()>;
    /// Puts it into the gate.
    fn put(&self, access: Access) -> Access;
    /// Takes it out.
    fn take(&self, access: Access) -> Access;
    fn event(record: &Record<Self>) -> Option<IdentityEvent>;
}

pub fn routes<E: Gated>(path: &'static str, view: &'static str, edit: &'static str) -> Vec<Route> {
    let (one, n) = (format!("{path}/{{id}}"), E::NOUN);
    let mut routes = vec![
        route(Method::GET, path, view, format!("{n}.list"), get(list::<E>))
            .asks_shape(list_shape::<E>)
            .gives::<Pages<View<'static, E>>>(200)
            .trips(1)
            .says(format!("Every {n}")),
        route(Method::POST, path, edit, format!("{n}.create"), post(create::<E>))
            .takes::<E>()
            .gives::<View<'static, E>>(201)
            .trips(2)
            .says(format!("A new {n}; it acts within a minute")),
    ];
    routes.extend(reading::<E>(path, view));
    routes.extend([
        route(Method::PATCH, one.as_str(), edit, format!("{n}.update"), patch(amend::<E>))
            .patches::<E>()
            .gives::<View<'static, E>>(200)
            .trips(3)
            .says(format!("Changes a {n}; it acts within a minute")),
        route(Method::DELETE, one.as_str(), edit, format!("{n}.delete"), delete(remove::<E>))
            .answers(204)
            .trips(3)
            .says(format!("Takes a {n} back; it can be restored")),
        route(Method::POST, format!("{one}/restore"), edit, format!("{n}.restore"), post(restore::<E>))
            .gives::<View<'static, E>>(200)
            .trips(3)
            .says(format!("Puts a {n} back into force")),
    ]);
    routes
}

fn reasoned<E: Gated>(ctx: &Ctx) -> Result<()> {
    if E::REASON { ctx.needs_reason(None).map(drop) } else { Ok(()) }
}

async fn create<E: Gated>(ctx: Ctx, Raw(body): Raw) -> Answer {
    let body: E = check::read(&body)?;
    faultless(body.check())?;
    reasoned::<E>(&ctx)?;
    E::permit(&ctx, None, &body)?;
    let new = Record::new(ctx.now(), body);
    let answer = access::retried(|| {
        let (ctx, new) = (ctx.clone(), new.clone());
        async move { write(&ctx, "create", None, new).await }
    });
    Ok(answer.await?)
}

async fn write<E: Gated>(
    ctx: &Ctx,
    action: &str,
    old: Option<&Record<E>>,
    new: Record<E>,
) -> Result<Response> {
    let access = Access::read(ctx.store()).await?;
    let access = if new.deleted_at.is_some() { new.body.take(access) } else { new.body.put(access) };
    let commit = match old {
        None => ctx.commit().create(&new),
        Some(old) => ctx.commit().update(action, old, &new),
    };
    let commit = match E::event(&new) {
        Some(event) => commit.emit(event),
        None => commit,
    };
    let shown = match (old, new.deleted_at) {
        (_, Some(_)) => Shown::nothing(),
        (None, _) => ctx.shown(201, &new)?,
        (Some(_), _) => ctx.shown(200, &new)?,
    };
    access::settle(ctx, access.write(commit), shown).await
}

async fn amend<E: Gated>(ctx: Ctx, At(id): At<E::Id>, Raw(patch): Raw) -> Answer {
    reasoned::<E>(&ctx)?;
    let answer = access::retried(|| {
        let (ctx, patch) = (ctx.clone(), patch.clone());
        async move {
            let old = ctx.change::<E>(id).await?;
            let mut new = old.next(ctx.now());
            new.body = check::merge_patch(&old.body, &patch)?;
            faultless(new.body.check())?;
            E::permit(&ctx, Some(&old.body), &new.body)?;
            write(&ctx, "update", Some(&old), new).await
        }
    });
    Ok(answer.await?)
}

async fn remove<E: Gated>(ctx: Ctx, At(id): At<E::Id>) -> Answer {
    reasoned::<E>(&ctx)?;
    let answer = access::retried(|| {
        let ctx = ctx.clone();
        async move {
            let old = ctx.change::<E>(id).await?;
            let mut new = old.next(ctx.now());
            new.deleted_at = Some(new.updated_at);
            write(&ctx, "delete", Some(&old), new).await
        }
    });
    Ok(answer.await?)
}

async fn restore<E: Gated>(ctx: Ctx, At(id): At<E::Id>) -> Answer {
    reasoned::<E>(&ctx)?;
    let answer = access::retried(|| {
        let ctx = ctx.clone();
        async move {
            let old = ctx.change_deleted::<E>(id).await?;
            if old.deleted_at.is_none() {
                return Err(Error::State { command: "restore", state: "not deleted".into() });
            }
            let mut new = old.next(ctx.now());
            new.deleted_at = None;
            E::permit(&ctx, Some(&old.body), &new.body)?;
            write(&ctx, "restore", Some(&old), new).await
        }
    });
    Ok(answer.await?)
}
