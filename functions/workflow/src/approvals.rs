//! Approvals as everybody who has to do with them sees them, and what the clock does with them. They are made and
//! decided where their commands live (`web::approval`).

use crate::due;
use axum::{
    http::Method,
    routing::{get, post},
};
use events::WorkflowEvent;
use kernel::{ApprovalId, Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use store::{Commit, Entity, Record, Wanted};
use web::{
    Answer, At, Body, Ctx, Noun, Query, Route,
    approval::{Approval, Outcome, Status},
    noun::{Pages, View},
    ok, route,
};

const PATH: &str = "/v1/workflow/approvals";

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, PATH, "approval.view", "approval.list", get(list))
            .asks::<Listing>()
            .gives::<Pages<View<'static, Approval>>>(200)
            .trips(1)
            .says("Commands that wait: for a role, one's own (`mine`), by status"),
        route(
            Method::POST,
            format!("{PATH}/{{id}}/withdraw"),
            "approval.view",
            "approval.withdraw",
            post(withdraw),
        )
        .takes::<Why>()
        .gives::<View<'static, Approval>>(200)
        .trips(2)
        .refuses(&["not-yours", "already-decided"])
        .says("Whoever asked does not want it any more"),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Listing {
    mine: Option<bool>,
    status: Option<Status>,
    #[schemars(regex(pattern = r"^[a-z0-9_]{2,60}$"))]
    role: Option<String>,
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i32>,
    #[schemars(length(max = 4000))]
    cursor: Option<String>,
}

async fn list(ctx: Ctx, Query(asked): Query<Listing>) -> Answer {
    let (at, by) = match (asked.mine, &asked.role, asked.status) {
        (Some(true), None, None) => (1, ctx.actor().user.clone()),
        (None | Some(false), Some(role), None) => (2, role.clone()),
        (None | Some(false), None, status) => (0, status.unwrap_or(Status::Pending).to_string()),
        _ => {
            let detail = "allowed: mine; role; status";
            return Err(Error::invalid("?", "unsupported-filter", detail).into());
        }
    };
    let wanted = Wanted { limit: asked.limit.unwrap_or(25), cursor: asked.cursor, ..Wanted::by(&[&by], 25) };
    let mut page = ctx.store().list(&Approval::LISTS[at], &wanted).await?;
    page.data.retain(|r| Approval::within(r, ctx.reach(), ctx.actor()));
    ctx.looked_at::<Approval>(page.data.iter().map(|r| r.id)).await?;
    ok(&Pages::from(page.map(|record| View::owned(&ctx, record))))
}

#[derive(Deserialize, JsonSchema)]
struct Why {
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

async fn withdraw(ctx: Ctx, At(id): At<ApprovalId>, Body(why): Body<Why>) -> Answer {
    let old = ctx.change::<Approval>(id).await?;
    if old.body.requester != ctx.actor().user {
        return Err(Error::forbidden("not-yours", "only who asked for it withdraws it").into());
    }
    if old.body.status != Status::Pending {
        return Err(
            Error::conflict("already-decided", format!("this was {} already", old.body.status)).into()
        );
    }
    let mut new = old.next(ctx.now());
    new.body.status = Status::Withdrawn;
    let shown = ctx.shown(200, &new)?;
    let event = WorkflowEvent::ApprovalWithdrawn(new.body.said(id));
    let reason = why.reason.or(ctx.reason());
    ctx.settle(ctx.commit().because(reason).update("withdraw", &old, &new).emit(event), shown).await
}

pub fn tasks() -> Vec<web::Task> {
    vec![web::Task::due("due.apv.next", due::MODULE, rung)]
}

/// Half of the time, a day before its end, its end.
fn rung(ctx: &Ctx, old: &Record<Approval>) -> Option<Commit> {
    if old.body.status != Status::Pending || old.body.next_due() > ctx.now() {
        return None;
    }
    let mut new = old.next(ctx.now());
    let (action, event): (_, fn(_) -> _) = if old.body.expires_at <= ctx.now() {
        new.body.status = Status::Expired;
        ("expire", WorkflowEvent::ApprovalExpired)
    } else {
        while new.body.next_due() <= ctx.now() {
            new.body.reminded += 1;
        }
        ("remind", WorkflowEvent::ApprovalDueSoon)
    };
    Some(ctx.store().commit().update(action, old, &new).emit(event(new.body.said(old.id))))
}

/// What somebody asked for who is not there any more is not done.
pub async fn of_disabled(ctx: &Ctx, user: &str) -> Result<()> {
    let mut cursor = None;
    loop {
        let wanted = Wanted { cursor, ..Wanted::by(&[&user], 100) };
        let page = ctx.store().list(&Approval::LISTS[1], &wanted).await?;
        for asked in page.data {
            fail(ctx, asked.id).await?;
        }
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(()),
        }
    }
}

async fn fail(ctx: &Ctx, id: ApprovalId) -> Result<()> {
    web::update::<Approval>(ctx, id, |old| {
        (old.body.status == Status::Pending).then(|| {
            let new = failed(ctx, old);
            let event = WorkflowEvent::ApprovalFailed(new.body.said(id));
            ctx.store().commit().update("fail", old, &new).emit(event)
        })
    })
    .await
}

fn failed(ctx: &Ctx, old: &Record<Approval>) -> Record<Approval> {
    let mut new = old.next(ctx.now());
    new.body.status = Status::Failed;
    new.body.result = Some(Outcome { status: 409, problem: Some("requester-lost-right".into()) });
    new
}
