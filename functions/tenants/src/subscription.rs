//! TEN-3: which plan an organisation is on, and moving to another.

use crate::{
    doors,
    fact::{self, Standing},
    limits::{self, Use},
    plan::{self, Period, Plan, Price},
    tenant::{self, Tenant},
};
use axum::{
    http::Method,
    routing::{get, post},
};
use events::TenantEvent;
use jiff::civil::Date;
use kernel::{Error, PlanId, Result, TenantId, money::Currency};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Record, Scope, Store};
use web::{Answer, At, Body, Ctx, Query, Route, Shown, gate::TenantGate, ok, route};

#[derive(Deserialize, JsonSchema)]
struct Change {
    plan: PlanId,
    period: Option<Period>,
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct How {
    /// Only shows what would change.
    dry_run: Option<bool>,
}

/// The subscription as its organisation sees it.
#[derive(Serialize, JsonSchema)]
struct Subscription {
    plan: PlanId,
    code: String,
    revision: u32,
    period: Period,
    status: tenant::Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    trial_ends_on: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_until: Option<Date>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspend_on: Option<Date>,
}

/// What a change means.
#[derive(Serialize, JsonSchema)]
struct Preview {
    from: String,
    to: String,
    period: Period,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Price>,
    /// Limits that become narrower.
    limits_lost: Vec<Lost>,
    /// Modules that switch off; their data stays.
    modules_off: Vec<String>,
    modules_on: Vec<String>,
    /// Whether it was done, or only shown.
    applied: bool,
}

#[derive(Serialize, JsonSchema)]
struct Lost {
    limit: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<u64>,
    to: u64,
}

pub fn routes() -> Vec<Route> {
    let change = |path: &str, handler| {
        route(Method::POST, path, "subscription.change", "subscription.change", handler)
            .trips(7)
            .takes::<Change>()
            .asks::<How>()
            .gives::<Preview>(200)
            .refuses(&["limit-exceeded-by-use", "plan-unknown", "reason-required"])
            .says("Moves to another plan, or with `dry_run` shows what that means")
    };
    vec![
        route(
            Method::GET,
            "/v1/tenants/self/subscription",
            "subscription.view",
            "subscription.show",
            get(own),
        )
        .trips(1)
        .gives::<Subscription>(200)
        .says("The plan, and until when it is paid"),
        change("/v1/tenants/self/subscription", post(change_own)),
        change("/v1/tenants/{id}/subscription", post(change_any))
            .also_at("id")
            .says("The same, by the platform; with a reason"),
    ]
}

async fn own(ctx: Ctx) -> Answer {
    let id = doors::own(&ctx)?;
    let ten = doors::platform(&ctx).await?.get::<Tenant>(id).await?.body;
    ok(&Subscription {
        plan: ten.plan,
        code: ten.plan_code,
        revision: ten.plan_revision,
        period: ten.billing_period,
        status: ten.status,
        trial_ends_on: ten.trial_ends_on,
        paid_until: ten.paid_until,
        suspend_on: ten.suspend_on,
    })
}

async fn change_own(ctx: Ctx, Query(how): Query<How>, Body(body): Body<Change>) -> Answer {
    let id = doors::own(&ctx)?;
    let platform = doors::platform(&ctx).await?;
    let tenant = ctx.store().clone();
    change(&ctx, &platform, &tenant, id, body, how.dry_run == Some(true)).await
}

async fn change_any(
    ctx: Ctx,
    At(id): At<TenantId>,
    Query(how): Query<How>,
    Body(mut body): Body<Change>,
) -> Answer {
    doors::operators_only(&ctx)?;
    let dry = how.dry_run == Some(true);
    if !dry {
        body.reason = Some(ctx.needs_reason(body.reason.as_deref())?);
    }
    let tenant = doors::tenant(&ctx, id).await?;
    change(&ctx, &ctx.store().clone(), &tenant, id, body, dry).await
}

async fn change(
    ctx: &Ctx,
    platform: &Store,
    tenant: &Store,
    id: TenantId,
    body: Change,
    dry: bool,
) -> Answer {
    let standing = Standing::read(platform, tenant, id).await?;
    let Move { to, moved, gate, preview, uses } = Move::plan(platform, tenant, &standing, &body).await?;
    fits(&uses, &to, &standing.ten.body)?;
    if dry {
        return ok(&Preview { applied: false, ..preview });
    }
    let mut new = standing.ten.next(platform.now());
    new.body = moved;
    let mut org = standing.org.next(tenant.now());
    org.body.plan = to.code.clone();
    let event =
        TenantEvent::PlanChanged { tenant: id, from: standing.gate.plan.clone(), to: to.code.clone() };
    // The request's own room first: the answer for a repeated key is kept there.
    let theirs = platform.commit().update("change-plan", &standing.ten, &new);
    let own = tenant.commit().update("change-plan", &standing.org, &org).emit(event);
    let own = limits::moved(
        own,
        &limits_now(&standing, platform).await?,
        &to.limits.with(&new.body.limits_override),
    );
    let own = fact::write(own, &standing.gate, &gate);
    let (first, second) = if ctx.scope() == Scope::Platform { (theirs, own) } else { (own, theirs) };
    let commit = ctx.app().vault().across(id, first).because(body.reason.or(ctx.reason())).joined(second);
    let answer = ctx.settle(commit, Shown::of(200, &preview)?).await?;
    ctx.app().gates().forget(Scope::Tenant(id));
    Ok(answer)
}

/// 409 with every limit of which more is in use.
fn fits(uses: &[Use], to: &Plan, ten: &Tenant) -> Result<()> {
    let over = limits::exceeded(uses, &to.limits.with(&ten.limits_override));
    if over.is_empty() {
        return Ok(());
    }
    let number = |(u, most): &(&Use, i64)| json!({"limit": u.limit, "used": u.used, "allowed": most});
    let numbers: Vec<_> = over.iter().map(number).collect();
    let detail = format!("more is in use than {} allows; the numbers are in exceeded", to.name);
    Err(Error::conflict("limit-exceeded-by-use", detail).with("exceeded", numbers))
}

/// The limits that hold now.
async fn limits_now(standing: &Standing, platform: &Store) -> Result<limits::Limits> {
    let now: Record<Plan> = platform.get(standing.ten.body.plan).await?;
    Ok(now.body.limits.with(&standing.ten.body.limits_override))
}

/// Everything that a change of plan would make.
struct Move {
    to: Plan,
    moved: Tenant,
    gate: TenantGate,
    preview: Preview,
    uses: Vec<Use>,
}

impl Move {
    async fn plan(platform: &Store, tenant: &Store, standing: &Standing, body: &Change) -> Result<Self> {
        let ten = &standing.ten.body;
        let to = match platform.get::<Plan>(body.plan).await {
            Err(passing) if passing.may_pass() => return Err(passing),
            known => known.ok(),
        };
        let sold = |p: &Record<Plan>| {
            p.body.status == plan::Status::Published && p.body.editions.contains(&ten.edition)
        };
        let unknown = || {
            Error::field(
                "plan-unknown",
                "/plan",
                "no such plan is sold for this edition: GET /v1/tenants/plans",
            )
        };
        let to = to.filter(sold).ok_or_else(unknown)?.body;
        let now = limits_now(standing, platform).await?;
        let then = to.limits.with(&ten.limits_override);
        let uses = limits::uses(tenant, &now).await?;
        let mut gate = standing.gate.clone();
        fact::license(&mut gate, &to, &ten.limits_override, &fact::on_sale(platform).await?);
        let period = body.period.unwrap_or(ten.billing_period);
        let missing = |a: &TenantGate, b: &TenantGate| {
            a.licensed.iter().filter(|m| !b.licensed.contains(m)).cloned().collect()
        };
        let preview = Preview {
            from: standing.gate.plan.clone(),
            to: to.code.clone(),
            period,
            price: price(&to, &standing.gate.currency, period),
            limits_lost: now
                .lost_to(&then)
                .into_iter()
                .map(|(limit, from, to)| Lost { limit: limit.into(), from, to })
                .collect(),
            modules_off: missing(&standing.gate, &gate),
            modules_on: missing(&gate, &standing.gate),
            applied: true,
        };
        let mut moved = ten.clone();
        (moved.plan, moved.plan_code, moved.plan_revision, moved.billing_period) =
            (body.plan, to.code.clone(), to.revision, period);
        Ok(Self { to, moved, gate, preview, uses })
    }
}

fn price(plan: &Plan, currency: &str, period: Period) -> Option<Price> {
    let currency: Currency = currency.parse().ok()?;
    plan.price(currency, period).cloned()
}
