//! Routes of templates and runs.

use super::{
    Template, graph,
    run::{Run, Said, Status, end_steps, release},
    shipped,
    start::{Beginning, make, own, taken},
    template::Status as Standing,
};
use crate::task;
use axum::{
    http::Method,
    routing::{delete, get, patch, post},
};
use events::WorkflowEvent;
use jiff::civil::Date;
use kernel::{Error, Result, SequenceId, SequenceRunId, error::found};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::Record;
use web::{
    Answer, At, Body, Ctx, Reach, Route,
    noun::{self, Pages, View},
    ok, route,
};

const PATH: &str = "/v1/workflow/sequences";
const RUNS: &str = "/v1/workflow/sequences/runs";

pub fn routes() -> Vec<Route> {
    let (view, edit, one) = ("sequence_template.view", "sequence_template.edit", format!("{PATH}/{{id}}"));
    let mut routes = vec![
        route(Method::GET, PATH, view, "sequence_template.list", get(noun::list::<Template>))
            .asks_shape(noun::list_shape::<Template>)
            .gives::<Pages<View<'static, Template>>>(200)
            .trips(1)
            .says("Templates of sequences"),
        route(Method::GET, format!("{PATH}/shipped"), view, "sequence_template.shipped", get(list_shipped))
            .gives::<Pages<Template>>(200)
            .trips(1)
            .says("Templates that the product ships"),
        route(Method::POST, format!("{PATH}/adopt"), edit, "sequence_template.adopt", post(adopt))
            .takes::<Adopt>()
            .gives::<View<'static, Template>>(201)
            .trips(1)
            .refuses(&["not-shipped", "duplicate"])
            .says("Takes over a shipped template, as a draft to change or published as it is"),
        route(Method::POST, PATH, edit, "sequence_template.create", post(noun::create::<Template>))
            .takes::<Template>()
            .gives::<View<'static, Template>>(201)
            .trips(1)
            .refuses(&["sequence-cycle", "duplicate"])
            .says("A template, as a draft"),
        route(Method::PATCH, one.as_str(), edit, "sequence_template.update", patch(noun::amend::<Template>))
            .patches::<Template>()
            .gives::<View<'static, Template>>(200)
            .trips(2)
            .refuses(&["sequence-cycle", "frozen"])
            .says("Changes a draft"),
        route(
            Method::DELETE,
            one.as_str(),
            edit,
            "sequence_template.delete",
            delete(noun::remove::<Template>),
        )
        .answers(204)
        .trips(2)
        .refuses(&["frozen"])
        .says("Deletes a draft"),
    ];
    routes.extend(noun::reading::<Template>(PATH, view));
    routes.extend(noun::steps::<Template>(PATH));
    routes.extend(runs());
    routes
}

fn runs() -> Vec<Route> {
    let (view, edit) = ("sequence_run.view", "sequence_run.edit");
    let command = |name: &'static str, handler, says: &str| {
        route(Method::POST, format!("{RUNS}/{{id}}/{name}"), edit, format!("sequence_run.{name}"), handler)
            .gives::<View<'static, Run>>(200)
            .refuses(&["state", "reason-required"])
            .says(says)
    };
    let mut routes = vec![
        route(Method::GET, RUNS, view, "sequence_run.list", get(noun::list::<Run>))
            .asks_shape(noun::list_shape::<Run>)
            .gives::<Pages<View<'static, Run>>>(200)
            .trips(1)
            .says("Runs by status, by person, by template"),
        route(Method::POST, RUNS, "sequence_run.start", "sequence_run.start", post(start))
            .takes::<New>()
            .gives::<View<'static, Run>>(201)
            .trips(90)
            .refuses(&["run-exists", "not-published"])
            .says("Begins a template for somebody: all of its tasks are made"),
        command("shift", post(shift), "Another anchor: open steps move, done ones do not")
            .takes::<Shift>()
            .trips(200),
        command("suspend", post(suspend), "running → suspended: nothing more is released")
            .takes::<noun::Because>()
            .trips(4),
        command("resume", post(resume), "suspended → running").takes::<noun::Because>().trips(120),
        command("cancel", post(cancel), "→ cancelled, with every step that is not done")
            .takes::<noun::Because>()
            .trips(200),
    ];
    routes.extend(noun::reading::<Run>(RUNS, view));
    routes
}

async fn list_shipped(_: Ctx) -> Answer {
    ok(&Pages { data: shipped::all().to_vec(), next: None })
}

#[derive(Deserialize, JsonSchema)]
struct Adopt {
    #[schemars(length(max = 60))]
    code: String,
    publish: Option<bool>,
}

async fn adopt(ctx: Ctx, Body(asked): Body<Adopt>) -> Answer {
    let found = shipped::all().iter().find(|t| t.code == asked.code);
    let found = found.ok_or_else(|| {
        let known: Vec<&str> = shipped::all().iter().map(|t| t.code.as_str()).collect();
        Error::field("not-shipped", "/code", format!("shipped are: {}", known.join(", ")))
    })?;
    let status = if asked.publish == Some(true) { Standing::Published } else { Standing::Draft };
    let new = own(&ctx, found, status);
    let shown = ctx.shown(201, &new)?;
    let commit = ctx.commit().create(&new).put(&taken(&found.code), &json!({"at": ctx.now()}));
    ctx.settle(commit, shown).await
}

#[derive(Deserialize, JsonSchema)]
struct New {
    template: SequenceId,
    #[schemars(regex(pattern = r"^[a-z]{3}_[0-9A-Z]{26}$"))]
    subject: String,
    /// The subject's login, where it is not the subject itself.
    user: Option<kernel::UserId>,
    anchor_on: Date,
}

async fn start(ctx: Ctx, Body(new): Body<New>) -> Answer {
    let unknown = || Error::field("unknown-template", "/template", "there is no such template");
    let template = found(ctx.store().get::<Template>(new.template).await)?.ok_or_else(unknown)?;
    if template.body.status != Standing::Published {
        return Err(Error::conflict("not-published", "publish the template first").into());
    }
    graph::sound(&template.body.steps)?;
    let beginning = Beginning {
        template,
        subject: new.subject,
        user: new.user.map(|u| u.to_string()),
        anchor_on: Some(new.anchor_on),
        by: ctx.actor().user.clone(),
    };
    let run = beginning.run(&ctx);
    let event = WorkflowEvent::SequenceStarted(run.body.said(run.id, None));
    let shown = ctx.shown(201, &run)?;
    let answer = ctx.settle(ctx.commit().create(&run).emit(event), shown).await?;
    // What is interrupted here goes on when the beginning is heard of.
    if let Err(error) = make(&ctx, run.id).await {
        tracing::warn!(run = %run.id, %error, "a run was begun and is made when its event is heard");
    }
    Ok(answer)
}

#[derive(Deserialize, JsonSchema)]
struct Shift {
    anchor_on: Date,
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Why {
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

/// A run that is in one of these states, changed.
async fn changed(
    ctx: &Ctx,
    id: SequenceRunId,
    command: &'static str,
    from: &[Status],
    reason: String,
    said: Option<Said>,
    change: impl Fn(&mut Run),
) -> Result<(Record<Run>, web::noun::Shown)> {
    let old = ctx.change::<Run>(id).await?;
    if !from.contains(&old.body.status) {
        return Err(Error::State { command, state: old.body.status.to_string() });
    }
    let mut new = old.next(ctx.now());
    change(&mut new.body);
    let shown = ctx.shown(200, &new)?;
    let commit = ctx.commit().because(Some(reason)).update(command, &old, &new);
    let commit = match said {
        Some(said) => commit.emit(said(new.body.said(id, None))),
        None => commit,
    };
    ctx.settle(commit, web::noun::Shown { body: shown.body.clone(), ..shown }).await.map_err(|r| r.0)?;
    let shown = ctx.shown(200, &new)?;
    Ok((new, shown))
}

async fn shift(ctx: Ctx, At(id): At<SequenceRunId>, Body(asked): Body<Shift>) -> Answer {
    let reason = ctx.needs_reason(asked.reason.as_deref())?;
    let was = ctx.get::<Run>(id).await?.body.anchor_on;
    let from = [Status::Running, Status::Starting, Status::Suspended];
    let to = asked.anchor_on;
    let (run, shown) = changed(&ctx, id, "shift", &from, reason, None, |r| r.anchor_on = to).await?;
    let days = (to.duration_since(was).as_hours()) / 24;
    for step in run.body.steps.iter().filter(|s| s.anchored) {
        task::shift(&ctx, step.task, days).await?;
    }
    Ok(shown.respond())
}

async fn suspend(ctx: Ctx, At(id): At<SequenceRunId>, Body(why): Body<Why>) -> Answer {
    let reason = ctx.needs_reason(why.reason.as_deref())?;
    let said: Said = WorkflowEvent::SequenceSuspended;
    let from = [Status::Running];
    let suspended = |r: &mut Run| r.status = Status::Suspended;
    Ok(changed(&ctx, id, "suspend", &from, reason, Some(said), suspended).await?.1.respond())
}

async fn resume(ctx: Ctx, At(id): At<SequenceRunId>, Body(why): Body<Why>) -> Answer {
    let reason = why.reason.or(ctx.reason()).unwrap_or_else(|| "resumed".into());
    let said: Said = WorkflowEvent::SequenceResumed;
    let from = [Status::Suspended];
    let resumed = |r: &mut Run| r.status = Status::Running;
    let (run, shown) = changed(&ctx, id, "resume", &from, reason, Some(said), resumed).await?;
    release(&ctx, &run).await?;
    Ok(shown.respond())
}

async fn cancel(ctx: Ctx, At(id): At<SequenceRunId>, Body(why): Body<Why>) -> Answer {
    let reason = ctx.needs_reason(why.reason.as_deref())?;
    let said: Said = WorkflowEvent::SequenceCancelled;
    let from = [Status::Running, Status::Starting, Status::Suspended];
    let cancelled = |r: &mut Run| r.status = Status::Cancelled;
    let (run, shown) = changed(&ctx, id, "cancel", &from, reason, Some(said), cancelled).await?;
    debug_assert!(ctx.reach() > Reach::None);
    end_steps(&ctx, &run).await?;
    Ok(shown.respond())
}
