//! Rules for administrators: the product's and the organisation's in one list. Changing one of the product's makes
//! the organisation's own copy, under the same id.

use super::{NotificationRule, check, shipped, shipped_id};
use crate::{catalogue, desk::Desk, spelling, why::Why, words};
use axum::{
    http::Method,
    routing::{get, patch, post},
};
use jiff::Timestamp;
use kernel::{Error, NotificationRuleId, Result, error::faultless};
use std::sync::Arc;
use store::{Commit, Entity, Record, Wanted};
use web::{
    Answer, At, Body, Ctx, Noun, Raw, Route, check as body,
    noun::{Pages, View},
    ok, route,
};

const PATH: &str = "/v1/notifications/rules";

pub fn routes(desk: &Arc<Desk>) -> Vec<Route> {
    let (view, edit) = ("notification_rule.view", "notification_rule.edit");
    let own = |desk: &Arc<Desk>| desk.clone();
    let (a, b) = (own(desk), own(desk));
    let mut routes = vec![
        route(Method::GET, PATH, view, "notification_rule.list", get(list))
            .gives::<Pages<View<'static, NotificationRule>>>(200)
            .trips(1)
            .says("Every rule, the product's and the organisation's"),
        route(
            Method::POST,
            PATH,
            edit,
            "notification_rule.create",
            post(move |ctx: Ctx, body: Body<NotificationRule>| {
                let desk = a.clone();
                async move { create(&desk, ctx, body).await }
            }),
        )
        .takes::<NotificationRule>()
        .gives::<View<'static, NotificationRule>>(201)
        .trips(1)
        .refuses(&["unknown-event", "rule-invalid", "unknown-role"])
        .says("A rule of the organisation's own"),
        route(Method::GET, format!("{PATH}/{{id}}"), view, "notification_rule.show", get(show))
            .gives::<View<'static, NotificationRule>>(200)
            .trips(1)
            .says("One rule"),
        route(
            Method::PATCH,
            format!("{PATH}/{{id}}"),
            edit,
            "notification_rule.update",
            patch(move |ctx: Ctx, id: At<NotificationRuleId>, body: Raw| {
                let desk = b.clone();
                async move { amend(&desk, ctx, id, body).await }
            }),
        )
        .patches::<NotificationRule>()
        .gives::<View<'static, NotificationRule>>(200)
        .trips(2)
        .refuses(&["built-in-rule", "protected-notification", "reason-required"])
        .says("Changes recipients, ways, urgency and text; needs a reason"),
    ];
    for (command, active) in [("pause", false), ("resume", true)] {
        let desk = own(desk);
        let handler = move |ctx: Ctx, id: At<NotificationRuleId>, body: Body<Why>| {
            let desk = desk.clone();
            async move { switch(&desk, ctx, id, body, command, active).await }
        };
        routes.push(
            route(
                Method::POST,
                format!("{PATH}/{{id}}/{command}"),
                edit,
                format!("notification_rule.{command}"),
                post(handler),
            )
            .takes::<Why>()
            .gives::<View<'static, NotificationRule>>(200)
            .trips(2)
            .refuses(&["protected-notification", "reason-required"])
            .says(if active {
                "paused → active"
            } else {
                "active → paused; protected ones cannot be"
            }),
        );
    }
    routes
}

/// As if it had been written when the product was.
fn record_of(rule: &NotificationRule) -> Record<NotificationRule> {
    let mut record = Record::with_id(shipped_id(&rule.code), Timestamp::UNIX_EPOCH, rule.clone());
    record.version = 0;
    record
}

async fn list(ctx: Ctx) -> Answer {
    let page = ctx.store().list(&NotificationRule::LISTS[0], &Wanted::all(100)).await?;
    let shipped =
        shipped().iter().filter(|r| !page.data.iter().any(|o| o.body.code == r.code)).map(record_of);
    let all = page.data.iter().cloned().chain(shipped).filter(|r| words::reached(&ctx, r.body.category));
    let data = all.map(|r| View::owned(&ctx, r)).collect();
    ok(&Pages { data, next: page.next })
}

/// The organisation's copy, or the product's rule that it would be a copy of.
async fn find(ctx: &Ctx, id: NotificationRuleId, fresh: bool) -> Result<Record<NotificationRule>> {
    let store = ctx.store();
    let own = if fresh { store.fresh(id).await } else { store.get(id).await };
    let record = match own {
        Err(Error::Missing) => {
            shipped().iter().find(|r| shipped_id(&r.code) == id).map(record_of).ok_or(Error::Missing)?
        }
        other => other?,
    };
    match words::reached(ctx, record.body.category) {
        true => Ok(record),
        false => Err(Error::Missing),
    }
}

async fn show(ctx: Ctx, At(id): At<NotificationRuleId>) -> Answer {
    let record = find(&ctx, id, false).await?;
    Ok(ctx.shown(200, &record)?.respond())
}

async fn create(desk: &Desk, ctx: Ctx, Body(mut rule): Body<NotificationRule>) -> Answer {
    (rule.built_in, rule.protected) = (false, false);
    sound(&ctx, &rule)?;
    if shipped().iter().any(|r| r.code == rule.code) {
        let detail = "the product has a rule of this code: change that one instead";
        return Err(Error::field("duplicate", "/code", detail).into());
    }
    let new = Record::new(ctx.now(), rule);
    settle(desk, &ctx, ctx.commit().create(&new), 201, &new).await
}

fn sound(ctx: &Ctx, rule: &NotificationRule) -> Result<()> {
    faultless(rule.check())?;
    check::event(rule)?;
    super::compile(rule)?;
    let custom = &ctx.gate().access.custom;
    let mut known: Vec<&str> = authz::ROLES.iter().map(|r| r.slug).collect();
    // An event may name the roles itself.
    known.extend(catalogue::event(&rule.event).into_iter().flatten().map(|(name, _)| name.as_str()));
    known.extend(custom.iter().map(|c| c.slug.as_str()));
    if let Some((at, role)) = check::roles(rule).into_iter().find(|(_, role)| !known.contains(role)) {
        let detail = format!("there is no role {role}{}", spelling::nearest(role, &known));
        return Err(Error::field("unknown-role", at, detail));
    }
    match words::reached(ctx, rule.category) {
        true => Ok(()),
        false => Err(Error::forbidden("not-your-category", "your role sets the rules of its own work")),
    }
}

async fn amend(desk: &Desk, ctx: Ctx, At(id): At<NotificationRuleId>, Raw(patch): Raw) -> Answer {
    let reason = ctx.needs_reason(None)?;
    let old = find(&ctx, id, true).await?;
    old.matches(ctx.if_match())?;
    let rule: NotificationRule = body::merge_patch(&old.body, &patch)?;
    check::change(&old.body, &rule)?;
    sound(&ctx, &rule)?;
    change(desk, &ctx, old, rule, "update", reason).await
}

async fn switch(
    desk: &Desk,
    ctx: Ctx,
    At(id): At<NotificationRuleId>,
    Body(why): Body<Why>,
    command: &'static str,
    active: bool,
) -> Answer {
    let reason = ctx.needs_reason(why.given())?;
    let old = find(&ctx, id, true).await?;
    let rule = NotificationRule { active, ..old.body.clone() };
    change(desk, &ctx, old, rule, command, reason).await
}

async fn change(
    desk: &Desk,
    ctx: &Ctx,
    old: Record<NotificationRule>,
    rule: NotificationRule,
    action: &str,
    reason: String,
) -> Answer {
    check::change(&old.body, &rule)?;
    let commit = ctx.commit().because(Some(reason));
    let (new, commit) = match old.version {
        0 => {
            let new = Record::with_id(old.id, ctx.now(), rule);
            let commit = commit.create(&new);
            (new, commit)
        }
        _ => {
            let mut new = old.next(ctx.now());
            new.body = rule;
            let commit = commit.update(action, &old, &new);
            (new, commit)
        }
    };
    settle(desk, ctx, commit, 200, &new).await
}

async fn settle(
    desk: &Desk,
    ctx: &Ctx,
    commit: Commit,
    status: u16,
    new: &Record<NotificationRule>,
) -> Answer {
    let answer = ctx.settle(commit, ctx.shown(status, new)?).await?;
    desk.forget(ctx.scope());
    Ok(answer)
}
