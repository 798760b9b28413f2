//! What people do about a proposed run: look, take out, approve.

use super::{Approval, Disposal, State, Status};
use axum::{
    http::Method,
    routing::{get, post},
};
use kernel::{DisposalId, DocumentId, Error};
use schemars::JsonSchema;
use serde::Deserialize;
use web::{
    Answer, At, Body, Ctx, Route,
    noun::{self, Pages, View},
    route,
};

const PATH: &str = "/v1/documents/disposals";

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        route(Method::GET, PATH, "disposal.view", "disposal.list", get(noun::list::<Disposal>))
            .asks_shape(noun::list_shape::<Disposal>)
            .gives::<Pages<View<'static, Disposal>>>(200)
            .trips(1)
            .says("Runs of disposal, newest first or by state"),
        route(
            Method::POST,
            format!("{PATH}/{{id}}/take_out"),
            "disposal.edit",
            "disposal.take_out",
            post(take_out),
        )
        .takes::<TakeOut>()
        .gives::<View<'static, Disposal>>(200)
        .trips(2)
        .says("Takes documents out of a proposed run, with a reason; the next run proposes them again"),
        route(
            Method::POST,
            format!("{PATH}/{{id}}/approve"),
            "disposal.approve",
            "disposal.approve",
            post(approve),
        )
        .takes::<noun::Because>()
        .gives::<View<'static, Disposal>>(200)
        .approvable("disposal.approve")
        .trips(4)
        .says("Approves a proposed run, with a reason; a second person has to agree, then the work begins"),
    ];
    routes.extend(noun::reading::<Disposal>(PATH, "disposal.view"));
    routes
}

#[derive(Deserialize, JsonSchema)]
struct TakeOut {
    #[schemars(length(min = 1, max = 100))]
    documents: Vec<DocumentId>,
    #[schemars(length(min = 1, max = 500))]
    reason: Option<String>,
}

async fn take_out(ctx: Ctx, At(id): At<DisposalId>, Body(body): Body<TakeOut>) -> Answer {
    let reason = ctx.needs_reason(body.reason.as_deref())?;
    let old = proposed(&ctx, id, "take_out").await?;
    let mut new = old.next(ctx.now());
    for (at, document) in body.documents.iter().enumerate() {
        let item = new.body.items.iter_mut().find(|i| i.document == *document);
        let item = item.ok_or_else(|| {
            Error::field("not-in-run", format!("/documents/{at}"), "this run does not name that document")
        })?;
        (item.state, item.why) = (State::TakenOut, Some(reason.clone()));
    }
    // Whoever is asked to agree was shown another list: the run's version tells, and that approval is superseded.
    let commit = ctx.commit().because(Some(reason)).update("take_out", &old, &new);
    ctx.settle(commit, ctx.shown(200, &new)?).await
}

async fn proposed(
    ctx: &Ctx,
    id: DisposalId,
    command: &'static str,
) -> kernel::Result<store::Record<Disposal>> {
    let old = ctx.change::<Disposal>(id).await?;
    match old.body.state {
        Status::Proposed => Ok(old),
        state => Err(Error::State { command, state: state.to_string() }),
    }
}

async fn approve(ctx: Ctx, At(id): At<DisposalId>) -> Answer {
    let old = proposed(&ctx, id, "approve").await?;
    // Two people, whatever the organisation's policies say; they may ask for more, and name them.
    ctx.needs_second_person();
    let mut new = old.next(ctx.now());
    new.body.approved_by = ctx.agreed().into_iter().map(|(by, at)| Approval { by, at }).collect();
    (new.body.state, new.body.work_at) = (Status::Approved, Some(ctx.now()));
    ctx.settle(ctx.commit().update("approve", &old, &new), ctx.shown(200, &new)?).await
}
