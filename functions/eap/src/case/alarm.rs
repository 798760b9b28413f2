//! When somebody may be in danger: one after the other is told, until one says that they look after it. And what a case
//! that nobody looks after, or that ended three months ago, asks of people.

use super::{Alarm, Case, ask};
use crate::{
    on_call::OnCall,
    place,
    risk::{MANAGERS, PATIENCE},
};
use axum::{http::Method, routing::post};
use events::{
    EapEvent,
    workflow::{TaskWish, WorkflowEvent},
};
use kernel::{EapCaseId, Error, Result, error::found};
use store::{Record, Store};
use web::{Answer, App, At, Body, Ctx, Reach, Route, Shown, Task, route};

/// Who is on call, or nobody.
pub async fn on_call(store: &Store) -> Result<OnCall> {
    Ok(found(store.fresh::<OnCall>(OnCall::id()).await)?.map(|r| r.body).unwrap_or_default())
}

pub fn routes() -> Vec<Route> {
    let path = format!("{}/{{id}}/acknowledge", super::api::PATH);
    vec![
        route(Method::POST, path, "eap_on_call.view", "eap_case.acknowledge", post(acknowledge))
            .takes::<Nothing>()
            .gives::<super::api::Head>(200)
            .trips(2)
            .says("Whoever was alarmed says that they look after it; an unassigned case is theirs then")
            .hidden(),
    ]
}

/// Whether the caller was told, by name or with all managers.
fn heard(ctx: &Ctx, alarm: &Alarm) -> bool {
    let manager = alarm.told.iter().any(|to| to == MANAGERS)
        && ctx.actor().roles.iter().any(|role| role == "eap_manager");
    manager || alarm.told.contains(&ctx.actor().user)
}

async fn acknowledge(ctx: Ctx, At(id): At<EapCaseId>, _: Body<Nothing>) -> Answer {
    let old = ctx.store().fresh::<Case>(id).await?;
    let user = ctx.actor().user.clone();
    // Only who was told of it knows of it.
    if !old.body.alarm.as_ref().is_some_and(|a| heard(&ctx, a)) {
        return Err(Error::Missing.into());
    }
    let mut new = old.next(ctx.now());
    new.body.alarm = None;
    if ctx.may("eap_case.view") == Reach::Assigned {
        new.body.provider_user.get_or_insert(user);
    }
    let commit = ctx.commit().update("acknowledge", &old, &new);
    let shown = Shown::of(200, &super::api::head(&ctx, &new, None))?;
    ctx.settle(commit, Shown { version: Some(new.version), ..shown }).await
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Nothing {}

pub fn tasks() -> Vec<Task> {
    let on = |name: &'static str| {
        Task::on(name, move |app: App, message| async move {
            let Some((ctx, case)) = web::rung::<Case>(&app, place::MODULE, &message).await? else {
                return Ok(());
            };
            let done = match name {
                "due.ecs.alarm" => next(&ctx, &case).await,
                "due.ecs.contact" => forgotten(&ctx, &case).await,
                _ => follow_up(&ctx, &case).await,
            };
            match done {
                // Changed this moment: it is rung again, if it is still due.
                Err(Error::Stale { .. }) => Ok(()),
                other => other,
            }
        })
    };
    vec![on("due.ecs.alarm"), on("due.ecs.contact"), on("due.ecs.follow_up")]
}

/// Nobody said that they look after it: the next one is told.
async fn next(ctx: &Ctx, old: &Record<Case>) -> Result<()> {
    let Some(alarm) = old.body.alarm.as_ref().filter(|a| a.at <= ctx.now()) else { return Ok(()) };
    let step = alarm.step + 1;
    let to = on_call(ctx.store()).await?.told(step);
    let mut new = old.next(ctx.now());
    let mut told = alarm.told.clone();
    told.extend(to.clone());
    // After the last one it stays open to all who were told, and rings no more.
    let at = if to.is_some() { ctx.now() + PATIENCE } else { jiff::Timestamp::MAX };
    new.body.alarm = Some(Alarm { step, at, told, nobody_on_call: alarm.nobody_on_call });
    let commit = ctx.store().commit().update("alarm", old, &new);
    match to {
        Some(to) => commit.emit(EapEvent::RiskRaised { case: old.id, to, step }).run().await,
        None => commit.run().await,
    }
}

/// Nobody has met the person in time.
async fn forgotten(ctx: &Ctx, old: &Record<Case>) -> Result<()> {
    let due = old.body.contact_by.is_some_and(|at| at <= ctx.now());
    if !due || !old.body.is_open() || old.body.first_contact_at.is_some() {
        return Ok(());
    }
    let mut new = old.next(ctx.now());
    new.body.contact_by = None;
    wish(ctx, old, &new, "eap_case_without_contact").await
}

/// Three months after the end the person is asked how they are: by a link, or by somebody who calls.
async fn follow_up(ctx: &Ctx, old: &Record<Case>) -> Result<()> {
    if old.body.follow_up_at.is_none_or(|at| at > ctx.now()) {
        return Ok(());
    }
    let mut new = old.next(ctx.now());
    new.body.follow_up_at = None;
    if ask::again(ctx, old).await? {
        return ctx.store().commit().update("follow_up", old, &new).run().await;
    }
    wish(ctx, old, &new, "eap_case_follow_up").await
}

/// A task for the counsellor, or for the managers while there is none. It names the case alone.
async fn wish(ctx: &Ctx, old: &Record<Case>, new: &Record<Case>, title: &str) -> Result<()> {
    let assignee = match &old.body.provider_user {
        Some(user) => format!("user~{user}"),
        None => "role~eap_manager".into(),
    };
    let wish = TaskWish {
        title_code: title.into(),
        category: "clinical".into(),
        assignee,
        priority: None,
        due_at: None,
        record: Some(old.id.to_string()),
        subject: None,
        site: None,
        close_on: vec!["eap_case.closed".into()],
        key: format!("{title}~{}~{}", old.id, old.version),
    };
    let commit = ctx.store().commit().update(place::MODULE, old, new);
    commit.emit(WorkflowEvent::TaskRequested(wish)).run().await
}
