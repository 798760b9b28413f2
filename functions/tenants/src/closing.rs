//! An organisation closes itself only when a second administrator agrees. Once it is closing nothing can be changed
//! there any more, so calling it off is the platform's: `POST /v1/tenants/{id}/cancel-closing`.

use crate::{
    doors,
    fact::Standing,
    tenant::{self, Reason, Tenant, begin_closing, life},
};
use axum::{
    http::Method,
    routing::{get, post},
};
use events::TenantEvent;
use jiff::{SignedDuration, Timestamp};
use kernel::{ApprovalId, Error, Kind, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Entity, List, Record, Row, Scope, Wanted};
use web::{Actor, Answer, At, Body, Ctx, Noun, Reach, Route, noun, noun::View, route};

kernel::words! {
    pub enum Status { Pending = "pending", Approved = "approved", Rejected = "rejected" }
}

/// The wish to close, as it waits.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Closing {
    /// `tenant.close`
    pub command: String,
    pub asked_by: String,
    pub reason: Sealed<String>,
    pub status: Status,
    /// After this nobody can approve it any more.
    pub until: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
}

const LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Entity for Closing {
    type Id = ApprovalId;
    const NOUN: &'static str = "tenant_approval";
    const LISTS: &'static [List<Self>] = &[
        List::newest(),
        List {
            name: "status",
            by: &["status"],
            then: &[],
            range: false,
            newest_first: true,
            rows: |r| vec![Row::new(&[&r.body.status], &[&r.id])],
        },
    ];
}

impl Noun for Closing {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach == Reach::All
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let may = ctx.may("tenant.close") == Reach::All && record.body.asked_by != ctx.actor().user;
        if record.body.status == Status::Pending && may { vec!["approve", "reject"] } else { vec![] }
    }
}

const PATH: &str = "/v1/tenants/approvals";

pub fn routes() -> Vec<Route> {
    let one = format!("{PATH}/{{id}}");
    vec![
        route(Method::POST, "/v1/tenants/self/close", "tenant.close", "tenant.ask_close", post(ask))
            .trips(2)
            .takes::<Reason>()
            .answers(428)
            .refuses(&["approval-required", "reason-required"])
            .says("Asks to close the organisation; a second administrator has to approve"),
        route(Method::GET, one.as_str(), "tenant.close", "tenant_approval.show", get(noun::show::<Closing>))
            .gives::<View<'static, Closing>>(200)
            .trips(1)
            .says("A wish that waits for a second administrator"),
        route(
            Method::POST,
            format!("{one}/approve"),
            "tenant.close",
            "tenant_approval.approve",
            post(approve),
        )
        .trips(3)
        .gives::<View<'static, Tenant>>(200)
        .refuses(&["own-request", "approval-expired"])
        .says("Approves it: the organisation begins to close"),
        route(Method::POST, format!("{one}/reject"), "tenant.close", "tenant_approval.reject", post(reject))
            .takes::<Reason>()
            .gives::<View<'static, Closing>>(200)
            .refuses(&["own-request", "approval-expired", "reason-required"])
            .trips(2)
            .says("Turns it down"),
    ]
}

async fn ask(ctx: Ctx, Body(body): Body<Reason>) -> Answer {
    doors::own(&ctx)?;
    let reason = ctx.needs_reason(body.reason.as_deref())?;
    // The same wish again is the same approval.
    let pending = ctx.store().list(&Closing::LISTS[1], &Wanted::by(&[&Status::Pending], 10)).await?;
    if let Some(same) =
        pending.data.iter().find(|r| r.body.until > ctx.now() && r.body.asked_by == ctx.actor().user)
    {
        return Err(required(same.id).into());
    }
    let wish = Closing {
        command: "tenant.close".into(),
        asked_by: ctx.actor().user.clone(),
        reason: Sealed(reason.clone()),
        status: Status::Pending,
        until: ctx.now() + LIFE,
        decided_by: None,
    };
    let new = Record::new(ctx.now(), wish);
    ctx.commit().because(Some(reason)).create(&new).run().await?;
    Err(required(new.id).into())
}

fn required(id: ApprovalId) -> Error {
    let detail = format!("a second administrator has to approve: POST {PATH}/{id}/approve");
    Error::refuse(Kind::ApprovalRequired, "approval-required", detail).with("approval", id)
}

/// The wish, if this caller is the second person.
async fn second(ctx: &Ctx, id: ApprovalId) -> Result<Record<Closing>> {
    doors::own(ctx)?;
    let old = ctx.change::<Closing>(id).await?;
    if old.body.status != Status::Pending {
        return Err(Error::State { command: "decide", state: old.body.status.to_string() });
    }
    if old.body.until <= ctx.now() {
        return Err(Error::conflict("approval-expired", "nobody approved this in time: ask for it again"));
    }
    if old.body.asked_by == ctx.actor().user {
        return Err(Error::forbidden("own-request", "you asked for this yourself: somebody else decides"));
    }
    Ok(old)
}

fn decided(ctx: &Ctx, old: &Record<Closing>, status: Status) -> Record<Closing> {
    let mut new = old.next(ctx.now());
    (new.body.status, new.body.decided_by) = (status, Some(ctx.actor().user.clone()));
    new
}

async fn approve(ctx: Ctx, At(id): At<ApprovalId>) -> Answer {
    let tenant = doors::own(&ctx)?;
    let old = second(&ctx, id).await?;
    let platform = doors::platform(&ctx).await?;
    let standing = Standing::read(&platform, ctx.store(), tenant).await?;
    let today = ctx.now().to_zoned(standing.ten.body.zone()).date();
    life::possible(&tenant::CLOSE, &standing.ten.body, today)?;
    let now = ctx.now();
    let event = TenantEvent::Closing { tenant };
    let turn = standing.turn(platform.commit(), ctx.store(), "close", Some(event), |t| begin_closing(t, now));
    let commit = doors::both(&ctx, tenant).because(Some(old.body.reason.0.clone()));
    let commit = commit.update("approve", &old, &decided(&ctx, &old, Status::Approved)).joined(turn.commit);
    let shown = ctx.shown(200, &turn.new)?;
    let answer = ctx.settle(commit, shown).await?;
    ctx.app().gates().forget(Scope::Tenant(tenant));
    Ok(answer)
}

async fn reject(ctx: Ctx, At(id): At<ApprovalId>, Body(body): Body<Reason>) -> Answer {
    let reason = ctx.needs_reason(body.reason.as_deref())?;
    let old = second(&ctx, id).await?;
    let new = decided(&ctx, &old, Status::Rejected);
    let shown = ctx.shown(200, &new)?;
    ctx.settle(ctx.commit().because(Some(reason)).update("reject", &old, &new), shown).await
}
