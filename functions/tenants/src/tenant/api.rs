use super::{
    ACTIVATE, CANCEL_CLOSING, CLOSE, EXTEND, REACTIVATE, SUSPEND, Status, Tenant, life, notices, time,
};
use crate::{
    doors,
    fact::{self, Standing},
    limits::{self, Limits},
    operator::{self, Flag},
    plan::Plan,
    region::TransferBasis,
};
use axum::{
    http::Method,
    routing::{get, patch, post},
};
use events::TenantEvent;
use jiff::civil::Date;
use kernel::{Error, OperatorId, Result, Step, TenantId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Scope, Store};
use web::{
    Answer, At, Body, Ctx, Raw, Route, check,
    noun::{self, Pages, View},
    route,
};

const ONE: &str = "/v1/tenants/{id}";

kernel::words! {
    /// Why an organisation is suspended.
    pub enum Why { Payment = "payment", Security = "security", Request = "request", Legal = "legal" }
}

#[derive(Deserialize, JsonSchema)]
struct Suspend {
    reason_code: Why,
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
    /// Whether the organisation is told by letter.
    #[serde(default)]
    notify: bool,
}

#[derive(Deserialize, JsonSchema)]
struct Paid {
    /// The last day that is paid.
    paid_until: Option<Date>,
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Extend {
    #[schemars(range(min = 1, max = 30))]
    days: i64,
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

/// What operators change of a register entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Terms {
    #[serde(default)]
    limits_override: Limits,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        regex(pattern = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$"),
        length(max = 253)
    )]
    domain: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    transfer_basis: Option<TransferBasis>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner_operator: Option<OperatorId>,
}

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        route(Method::GET, "/v1/tenants", "tenant.view", "tenant.list", get(noun::list::<Tenant>))
            .asks_shape(noun::list_shape::<Tenant>)
            .gives::<Pages<View<'static, Tenant>>>(200)
            .trips(1)
            .says("The register of organisations"),
        route(Method::PATCH, ONE, "tenant.edit", "tenant.update", patch(amend))
            .trips(6)
            .patches::<Terms>()
            .gives::<View<'static, Tenant>>(200)
            .refuses(&["domain-taken", "reason-required"])
            .says("Limits, domain, transfer basis and owner of an organisation"),
    ];
    routes.extend(noun::reading::<Tenant>("/v1/tenants", "tenant.view"));
    routes.extend([
        command::<Paid>(&ACTIVATE, post(activate)).says("A trial becomes a paid subscription"),
        command::<Suspend>(&SUSPEND, post(suspend))
            .refuses(&["notice-period"])
            .says("Blocks every token of the organisation within a minute"),
        command::<Paid>(&REACTIVATE, post(reactivate))
            .says("Opens a suspended or overdue organisation again; nothing was lost"),
        command::<Extend>(&EXTEND, post(extend))
            .refuses(&["extended-already"])
            .says("Moves the day of suspension, at most twice"),
        command::<Reason>(&CLOSE, post(close))
            .says("Begins to close an organisation: records can be read, not changed"),
        command::<Reason>(&CANCEL_CLOSING, post(cancel_closing)).says("Calls the closing off"),
    ]);
    routes
}

fn command<T: JsonSchema>(
    step: &'static Step<Tenant>,
    handler: axum::routing::MethodRouter<web::App>,
) -> Route {
    let path = format!("{ONE}/{}", step.command);
    route(Method::POST, path, step.permission, format!("tenant.{}", step.command), handler)
        .trips(3)
        .takes::<T>()
        .gives::<View<'static, Tenant>>(200)
}

/// An organisation as an operator's command finds it.
struct Case {
    tenant: Store,
    standing: Standing,
    today: Date,
    reason: Option<String>,
}

impl Case {
    async fn open(ctx: &Ctx, id: TenantId, step: &Step<Tenant>, reason: Option<String>) -> Result<Self> {
        doors::operators_only(ctx)?;
        let reason =
            if step.reason { Some(ctx.needs_reason(reason.as_deref())?) } else { reason.or(ctx.reason()) };
        let tenant = doors::tenant(ctx, id).await?;
        let standing = Standing::read(ctx.store(), &tenant, id).await?;
        standing.ten.matches(ctx.if_match())?;
        let today = ctx.now().to_zoned(standing.ten.body.zone()).date();
        life::possible(step, &standing.ten.body, today)?;
        Ok(Self { tenant, standing, today, reason })
    }

    async fn settle(
        self,
        ctx: &Ctx,
        action: &str,
        event: Option<TenantEvent>,
        change: impl FnOnce(&mut Tenant),
    ) -> Answer {
        let id = self.standing.ten.id;
        let commit = doors::both(ctx, id).because(self.reason);
        let life::Turn { new, commit } = self.standing.turn(commit, &self.tenant, action, event, change);
        let shown = ctx.shown(200, &new)?;
        let answer = ctx.settle(commit, shown).await?;
        ctx.app().gates().forget(Scope::Tenant(id));
        Ok(answer)
    }
}

async fn activate(ctx: Ctx, At(id): At<TenantId>, Body(body): Body<Paid>) -> Answer {
    let case = Case::open(&ctx, id, &ACTIVATE, body.reason).await?;
    let until = future(body.paid_until, case.today)?;
    let event = TenantEvent::Activated { tenant: id, plan: case.standing.ten.body.plan_code.clone() };
    case.settle(&ctx, "activate", Some(event), |t| time::settle(t, until)).await
}

fn future(day: Option<Date>, today: Date) -> Result<Date> {
    match day {
        Some(day) if day >= today => Ok(day),
        Some(_) => Err(Error::field("paid-until-past", "/paid_until", "this day is over")),
        None => Err(Error::field("paid-until-required", "/paid_until", "say until which day it is paid")),
    }
}

async fn suspend(ctx: Ctx, At(id): At<TenantId>, Body(body): Body<Suspend>) -> Answer {
    let case = Case::open(&ctx, id, &SUSPEND, body.reason).await?;
    operator::flagged(&ctx, Flag::Suspend).await?;
    if body.reason_code == Why::Payment {
        time::noticed(&case.standing.ten.body, case.today)?;
    }
    let code = body.reason_code.to_string();
    let event = TenantEvent::Suspended { tenant: id, reason: code.clone() };
    let told = body.notify.then(|| case.standing.ten.body.clone());
    let change = |t: &mut Tenant| (t.status, t.status_reason) = (Status::Suspended, Some(code.clone()));
    let answer = case.settle(&ctx, "suspend", Some(event), change).await?;
    if let Some(ten) = told {
        notices::suspended(ctx.app(), &ten, &code).await;
    }
    Ok(answer)
}

async fn reactivate(ctx: Ctx, At(id): At<TenantId>, Body(body): Body<Paid>) -> Answer {
    let case = Case::open(&ctx, id, &REACTIVATE, body.reason).await?;
    operator::flagged(&ctx, Flag::Suspend).await?;
    let (ten, today) = (&case.standing.ten.body, case.today);
    let trial = ten.trial_ends_on.is_some_and(|d| d >= today) && ten.paid_until.is_none();
    let event = TenantEvent::Reactivated { tenant: id };
    if body.paid_until.is_none() && trial {
        let change = |t: &mut Tenant| (t.status, t.status_reason) = (Status::Trial, None);
        return case.settle(&ctx, "reactivate", Some(event), change).await;
    }
    let until = future(body.paid_until.or(ten.paid_until), today)?;
    case.settle(&ctx, "reactivate", Some(event), |t| time::settle(t, until)).await
}

async fn extend(ctx: Ctx, At(id): At<TenantId>, Body(body): Body<Extend>) -> Answer {
    let case = Case::open(&ctx, id, &EXTEND, body.reason).await?;
    let change = |t: &mut Tenant| {
        t.suspend_on = t.suspend_on.map(|day| time::plus(day, body.days.min(time::EXTENSION)));
        t.extensions += 1;
    };
    case.settle(&ctx, "extend", None, change).await
}

async fn close(ctx: Ctx, At(id): At<TenantId>, Body(body): Body<Reason>) -> Answer {
    let case = Case::open(&ctx, id, &CLOSE, body.reason).await?;
    let (event, now) = (TenantEvent::Closing { tenant: id }, ctx.now());
    case.settle(&ctx, "close", Some(event), |t| begin_closing(t, now)).await
}

#[derive(Deserialize, JsonSchema)]
pub struct Reason {
    #[schemars(length(min = 1, max = 2000))]
    pub reason: Option<String>,
}

pub fn begin_closing(t: &mut Tenant, now: jiff::Timestamp) {
    t.before_closing = Some(t.status);
    t.status = Status::Closing;
    t.closing_since = Some(now);
}

async fn cancel_closing(ctx: Ctx, At(id): At<TenantId>, Body(body): Body<Reason>) -> Answer {
    let case = Case::open(&ctx, id, &CANCEL_CLOSING, body.reason).await?;
    case.settle(&ctx, "cancel-closing", None, life::reopened).await
}

impl Terms {
    fn of(t: &Tenant) -> Self {
        Self {
            limits_override: t.limits_override.clone(),
            domain: t.domain.clone(),
            transfer_basis: t.transfer_basis,
            owner_operator: t.owner_operator,
        }
    }
    fn put(self, t: &mut Tenant) {
        let Self { limits_override, domain, transfer_basis, owner_operator } = self;
        t.limits_override = limits_override;
        (t.domain, t.transfer_basis, t.owner_operator) = (domain, transfer_basis, owner_operator);
    }
    /// Only who looks after the organisation may change without a reason.
    fn needs_reason(&self, old: &Self) -> bool {
        Self { owner_operator: None, ..self.clone() } != Self { owner_operator: None, ..old.clone() }
    }
}

async fn amend(ctx: Ctx, At(id): At<TenantId>, Raw(body): Raw) -> Answer {
    doors::operators_only(&ctx)?;
    operator::flagged(&ctx, Flag::Create).await?;
    let tenant = doors::tenant(&ctx, id).await?;
    let standing = Standing::read(ctx.store(), &tenant, id).await?;
    let old = &standing.ten;
    old.matches(ctx.if_match())?;
    let stored = Terms::of(&old.body);
    let terms = check::merge_patch(&stored, &body)?;
    let reason = if terms.needs_reason(&stored) { Some(ctx.needs_reason(None)?) } else { ctx.reason() };
    let mut new = old.next(ctx.now());
    terms.put(&mut new.body);
    let own = relicensed(ctx.store(), &tenant, &standing, &new.body).await?;
    let commit = doors::both(&ctx, id).because(reason).update("update", old, &new).joined(own);
    let shown = ctx.shown(200, &new)?;
    let answer = ctx.settle(commit, shown).await?;
    ctx.app().gates().forget(Scope::Tenant(id));
    Ok(answer)
}

/// The organisation's side of other limits: what is left of each, and the fact.
async fn relicensed(
    platform: &Store,
    tenant: &Store,
    standing: &Standing,
    new: &Tenant,
) -> Result<store::Commit> {
    let (old, special) = (&standing.ten.body, &new.limits_override);
    let plan = platform.get::<Plan>(old.plan).await?.body;
    let mut gate = standing.gate.clone();
    fact::license(&mut gate, &plan, special, &fact::on_sale(platform).await?);
    let (was, is) = (plan.limits.with(&old.limits_override), plan.limits.with(special));
    Ok(fact::write(limits::moved(tenant.commit(), &was, &is), &standing.gate, &gate))
}
