use super::{Provisioning, Status, run, run_of};
use crate::{
    doors, fact,
    signup::{self, Signup},
    tenant::{self, Tenant},
};
use axum::{
    http::Method,
    routing::{get, post},
};
use kernel::{Error, ProvisioningId, Result};
use store::{Commit, Record, Scope};
use web::{
    Answer, At, Body, Ctx, Route,
    noun::{self, Pages, View},
    route,
};

const PATH: &str = "/v1/tenants/provisionings";

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        route(Method::GET, PATH, "provisioning.view", "provisioning.list", get(noun::list::<Provisioning>))
            .asks_shape(noun::list_shape::<Provisioning>)
            .gives::<Pages<View<'static, Provisioning>>>(200)
            .trips(1)
            .says("Runs that make organisations"),
        route(
            Method::POST,
            format!("{PATH}/{{id}}/resume"),
            "provisioning.resume",
            "provisioning.resume",
            post(resume),
        )
        .trips(6)
        .gives::<View<'static, Provisioning>>(200)
        .says("Goes on with a run that broke off; what is done stays done"),
        route(
            Method::POST,
            format!("{PATH}/{{id}}/abandon"),
            "provisioning.abandon",
            "provisioning.abandon",
            post(abandon),
        )
        .trips(4)
        .takes::<tenant::Reason>()
        .gives::<View<'static, Provisioning>>(200)
        .says("Gives a run up and frees the slug"),
    ];
    routes.extend(noun::reading::<Provisioning>(PATH, "provisioning.view"));
    routes
}

fn unfinished(run: &Provisioning, command: &'static str) -> Result<()> {
    match run.status {
        Status::Running | Status::Waiting | Status::Stuck => Ok(()),
        state => Err(Error::State { command, state: state.to_string() }),
    }
}

async fn resume(ctx: Ctx, At(id): At<ProvisioningId>) -> Answer {
    doors::operators_only(&ctx)?;
    let old = ctx.change::<Provisioning>(id).await?;
    unfinished(&old.body, "resume")?;
    if old.body.status == Status::Stuck {
        let mut new = old.next(ctx.now());
        new.body.status = if old.body.has("records") { Status::Waiting } else { Status::Running };
        new.body.stuck_at = Provisioning::new(old.body.tenant, old.body.signup, ctx.now()).stuck_at;
        ctx.commit().update("resume", &old, &new).run().await?;
    }
    match old.body.has("records") {
        true => run::ask_again(ctx.app(), old.body.tenant, ctx.once()).await?,
        false => run::go(ctx.app(), old.body.tenant).await?,
    }
    let now = ctx.store().fresh::<Provisioning>(run_of(old.body.tenant)).await?;
    Ok(ctx.shown(200, &now)?.respond())
}

/// The key stays, wrapped and useless; the organisation's other records are unreachable behind a closed gate
/// and its slug and registration are free again.
async fn abandon(ctx: Ctx, At(id): At<ProvisioningId>, Body(body): Body<tenant::Reason>) -> Answer {
    doors::operators_only(&ctx)?;
    let reason = ctx.needs_reason(body.reason.as_deref())?;
    let old = ctx.change::<Provisioning>(id).await?;
    unfinished(&old.body, "abandon")?;
    let mut new = old.next(ctx.now());
    new.body.status = Status::Abandoned;
    let ten = ctx.store().fresh::<Tenant>(old.body.tenant).await?;
    let mut gone = ten.next(ctx.now());
    (gone.body.status, gone.deleted_at) = (tenant::Status::Erased, Some(gone.updated_at));
    let signup = ctx.store().fresh::<Signup>(old.body.signup).await?;
    let mut ended = signup.next(ctx.now());
    ended.body.status = signup::Status::Rejected;
    let commit = doors::both(&ctx, ten.id).because(Some(reason));
    let commit = commit
        .update("abandon", &signup, &ended)
        .update("abandon", &ten, &gone)
        .update("abandon", &old, &new);
    let commit = shut(&ctx, &old, commit).await?;
    let shown = ctx.shown(200, &new)?;
    let answer = ctx.settle(commit, shown).await?;
    ctx.app().gates().forget(Scope::Tenant(ten.id));
    Ok(answer)
}

/// Closes the organisation's own side, if the run came so far.
async fn shut(ctx: &Ctx, run: &Record<Provisioning>, commit: Commit) -> Result<Commit> {
    if !run.body.has("records") {
        return Ok(commit);
    }
    let own = doors::tenant(ctx, run.body.tenant).await?;
    let gate = fact::read(&own).await?;
    let closed = web::gate::TenantGate { status: tenant::Status::Closed, ..gate.clone() };
    let admin = own.commit().delete(&super::first_administrator());
    Ok(commit.joined(fact::write(admin, &gate, &closed)))
}
