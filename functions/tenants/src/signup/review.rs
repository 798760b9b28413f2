//! The platform's side of a sign-up: somebody decides, or the plan lets everybody in.

use super::{APPROVE, REJECT, Signup, Status, let_go, tenant_of};
use crate::{
    doors,
    limits::Limits,
    operator::{self, Flag},
    plan::{self, Plan},
    provisioning::{Provisioning, run_of},
    tenant::{self, Tenant},
};
use axum::{
    http::Method,
    routing::{get, post},
};
use events::TenantEvent;
use jiff::tz::TimeZone;
use kernel::{Error, Lifecycle, Result, SignupId};
use store::{Commit, Record, Store};
use web::{
    Answer, At, Body, Ctx, Letter, Route,
    noun::{self, Pages, View},
    route,
};

const PATH: &str = "/v1/tenants/signups";

pub fn routes() -> Vec<Route> {
    let one = format!("{PATH}/{{id}}");
    let mut routes = vec![
        route(Method::GET, PATH, "signup.view", "signup.list", get(noun::list::<Signup>))
            .asks_shape(noun::list_shape::<Signup>)
            .gives::<Pages<View<'static, Signup>>>(200)
            .trips(1)
            .says("Sign-ups, newest first or by status"),
        route(
            Method::GET,
            format!("{one}/review"),
            "signup.view",
            "signup.review",
            get(noun::show::<Signup>),
        )
        .gives::<View<'static, Signup>>(200)
        .trips(1)
        .says("One sign-up, as the platform sees it"),
        route(
            Method::GET,
            format!("{one}/history"),
            "signup.view",
            "signup.history",
            get(noun::history::<Signup>),
        )
        .asks_shape(super::paging)
        .gives::<noun::History>(200)
        .trips(2)
        .says("Every version of a sign-up"),
        route(Method::POST, format!("{one}/approve"), "tenant.approve", "tenant.approve", post(approve))
            .trips(3)
            .takes::<tenant::Reason>()
            .gives::<View<'static, Signup>>(200)
            .refuses(&["own-request", "flag-missing", "reason-required"])
            .says("Lets the organisation in, and begins to set it up"),
        route(Method::POST, format!("{one}/reject"), "tenant.reject", "tenant.reject", post(reject))
            .trips(2)
            .takes::<tenant::Reason>()
            .gives::<View<'static, Signup>>(200)
            .refuses(&["own-request", "flag-missing", "reason-required"])
            .says("Turns the sign-up down, and frees its slug"),
    ];
    routes.extend(noun::versions::<Signup>(PATH, "signup.view"));
    routes
}

async fn approve(ctx: Ctx, At(id): At<SignupId>, Body(body): Body<tenant::Reason>) -> Answer {
    let (old, reason) = under_review(&ctx, id, body.reason).await?;
    if old.body.status == Status::Approved {
        return Ok(ctx.shown(200, &old)?.respond());
    }
    let (new, commit) = approval(ctx.store(), ctx.commit().because(Some(reason)), &old).await?;
    let shown = ctx.shown(200, &new)?;
    ctx.settle(commit, shown).await
}

async fn reject(ctx: Ctx, At(id): At<SignupId>, Body(body): Body<tenant::Reason>) -> Answer {
    let (old, reason) = under_review(&ctx, id, body.reason).await?;
    if old.body.status == Status::Rejected {
        return Ok(ctx.shown(200, &old)?.respond());
    }
    let mut new = old.next(ctx.now());
    new.body.advance(&REJECT, ctx.today())?;
    let commit = ctx.commit().because(Some(reason)).update("reject", &old, &new).emit(TenantEvent::Rejected);
    let shown = ctx.shown(200, &new)?;
    ctx.settle(let_go(commit, &old), shown).await
}

/// The sign-up, for an operator with the flag who is not its own applicant.
async fn under_review(ctx: &Ctx, id: SignupId, reason: Option<String>) -> Result<(Record<Signup>, String)> {
    doors::operators_only(ctx)?;
    let (operator, old) = futures::join!(operator::flagged(ctx, Flag::Create), ctx.change::<Signup>(id));
    let (operator, old) = (operator?, old?);
    let theirs = [&old.body.admin_email, &old.body.details.email];
    if theirs.into_iter().flatten().any(|email| email.0 == operator.body.email.0) {
        return Err(Error::forbidden("own-request", "nobody decides on their own sign-up"));
    }
    Ok((old, ctx.needs_reason(reason.as_deref())?))
}

/// Sign-up approved, register entry, run and event, in one commit.
async fn approval(store: &Store, commit: Commit, old: &Record<Signup>) -> Result<(Record<Signup>, Commit)> {
    let mut new = old.next(store.now());
    new.body.advance(&APPROVE, store.clock().today(&TimeZone::UTC))?;
    let id = tenant_of(old.id);
    let plan_id = old.body.plan.ok_or_else(|| Error::internal("a submitted sign-up has a plan"))?;
    let plan = store.get::<Plan>(plan_id).await?;
    let ten = Record::with_id(id, store.now(), entry(&old.body, old.id, &plan)?);
    let run = Record::with_id(run_of(id), store.now(), Provisioning::new(id, old.id, store.now()));
    let event = TenantEvent::Approved { tenant: id, signup: old.id, plan: plan_id };
    Ok((new.clone(), commit.update("approve", old, &new).emit(event).create(&ten).create(&run)))
}

fn entry(signup: &Signup, id: SignupId, plan: &Record<Plan>) -> Result<Tenant> {
    let given = || Error::internal("a submitted sign-up is complete");
    Ok(Tenant {
        name: signup.organisation_name.clone(),
        edition: signup.edition,
        country: signup.country,
        region: signup.region,
        transfer_basis: signup.transfer_basis,
        details: signup.details.clone(),
        slug: signup.slug.clone().ok_or_else(given)?,
        domain: None,
        status: tenant::Status::Provisioning,
        status_reason: None,
        plan: plan.id,
        plan_code: plan.body.code.clone(),
        plan_revision: plan.body.revision,
        billing_period: signup.billing_period.ok_or_else(given)?,
        limits_override: Limits::default(),
        time_zone: signup.country.time_zone().into(),
        trial_ends_on: None,
        paid_until: None,
        past_due_since: None,
        suspend_on: None,
        extensions: 0,
        told: None,
        closing_since: None,
        before_closing: None,
        erase_after: None,
        owner_operator: None,
        signup: id,
    })
}

/// `signup.submitted`: a plan may let everybody in.
pub async fn approve_automatically(ctx: &Ctx, id: SignupId) -> Result<()> {
    let old = ctx.store().fresh::<Signup>(id).await?;
    let Some(plan) = old.body.plan.filter(|_| old.body.status == Status::Submitted) else { return Ok(()) };
    if ctx.store().get::<Plan>(plan).await?.body.approval != plan::Approval::None {
        return Ok(());
    }
    let because = Some("the plan needs no approval".to_string());
    let (_, commit) = approval(ctx.store(), ctx.commit().because(because), &old).await?;
    commit.run().await
}

/// `tenant.rejected`: the applicant is told.
pub async fn told_rejected(ctx: &Ctx, id: SignupId) -> Result<()> {
    let signup = ctx.store().get::<Signup>(id).await?;
    let Some(to) = signup.body.admin_email.as_ref().map(|e| e.0.clone()) else { return Ok(()) };
    let name = &signup.body.organisation_name;
    let text =
        format!("The sign-up of {name} was not accepted. Write to us if you think that this is a mistake.\n");
    ctx.app().mail().send(Letter { to, subject: format!("Your sign-up of {name}"), text }).await
}
