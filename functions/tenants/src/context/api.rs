use super::{
    CONSENT, Context, End, Status, WAITS,
    door::{self, Changed, Pair},
};
use crate::{
    doors, fact,
    organisation::{Organisation, SupportAccess},
    tenant,
};
use authz::Scope as Reach;
use axum::{
    http::Method,
    routing::{get, post},
};
use kernel::{ContextId, Error, Result, TenantId};
use schemars::JsonSchema;
use serde::Deserialize;
use store::{Record, Scope, Store};
use web::{
    Answer, At, Body, Ctx, Letter, Route,
    noun::{self, Pages, View},
    route,
};

const PLATFORM: &str = "/v1/tenants/contexts";
const OWN: &str = "/v1/tenants/self/contexts";

#[derive(Deserialize, JsonSchema)]
struct Wish {
    #[schemars(length(min = 20, max = 2000))]
    reason: String,
    #[schemars(length(min = 1, max = 60))]
    ticket: String,
    scope: Reach,
    #[serde(default = "yes")]
    read_only: bool,
    #[serde(default = "hour")]
    #[schemars(range(min = 15, max = 240))]
    minutes: i64,
}

fn yes() -> bool {
    true
}
fn hour() -> i64 {
    60
}

type Shown = View<'static, Context>;

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        route(Method::POST, "/v1/tenants/{id}/contexts", "context.open", "context.open", post(open))
            .trips(2)
            .takes::<Wish>()
            .gives::<Shown>(201)
            .refuses(&["support-denied", "tenant-not-ready"])
            .says(
                "Asks to enter an organisation; personal records wait for a second operator and its consent",
            ),
        route(
            Method::POST,
            format!("{PLATFORM}/{{id}}/approve"),
            "context.approve",
            "context.approve",
            post(approve),
        )
        .trips(3)
        .gives::<Shown>(200)
        .refuses(&["own-request"])
        .says("The second operator's word"),
        route(
            Method::POST,
            format!("{PLATFORM}/{{id}}/close"),
            "context.revoke",
            "context.close",
            post(close),
        )
        .trips(3)
        .gives::<Shown>(200)
        .says("Leaves the organisation, or sends another operator out"),
        route(Method::POST, format!("{OWN}/{{id}}/allow"), "context.allow", "context.allow", post(allow))
            .trips(3)
            .gives::<Shown>(200)
            .says("The organisation lets the operator in"),
        route(Method::POST, format!("{OWN}/{{id}}/revoke"), "context.revoke", "context.revoke", post(revoke))
            .trips(3)
            .gives::<Shown>(200)
            .says("The organisation sends the operator out, or refuses"),
    ];
    routes.extend(looking(PLATFORM));
    routes.extend(looking(OWN).into_iter().map(|route| route.also_at("self")));
    routes
}

fn looking(path: &str) -> Vec<Route> {
    let list = route(Method::GET, path, "context.view", "context.list", get(noun::list::<Context>));
    let list = list.asks_shape(noun::list_shape::<Context>).gives::<Pages<Shown>>(200).trips(1);
    let mut routes = vec![list.says("Operators' contexts: who, why, until when")];
    routes.extend(noun::reading::<Context>(path, "context.view"));
    routes
}

async fn open(ctx: Ctx, At(id): At<TenantId>, Body(wish): Body<Wish>) -> Answer {
    doors::operators_only(&ctx)?;
    let operator =
        doors::operator(&ctx).ok_or_else(|| Error::forbidden("operators-only", "this is for operators"))?;
    let tenant = doors::tenant(&ctx, id).await?;
    let org = tenant.get::<Organisation>(fact::organisation_of(id)).await?;
    if matches!(
        org.body.status,
        tenant::Status::Provisioning | tenant::Status::Closed | tenant::Status::Erased
    ) {
        return Err(Error::locked("tenant-not-ready", "this organisation is not open").into());
    }
    let access = org.body.support_access;
    if access == SupportAccess::Denied && wish.scope > Reach::Metadata {
        return Err(Error::forbidden("support-denied", "this organisation lets no operator in").into());
    }
    let personal = wish.scope == Reach::Personal;
    let now = ctx.now();
    let mut body = Context {
        tenant: id,
        operator,
        reason: wish.reason.clone(),
        ticket: wish.ticket,
        scope: wish.scope,
        read_only: wish.read_only,
        minutes: wish.minutes,
        status: Status::Requested,
        needs_operator: personal,
        needs_consent: personal && access == SupportAccess::Ask,
        approved_by: None,
        allowed_by: None,
        opened_at: None,
        expires_at: now + WAITS,
        closed_at: None,
        closed_by: None,
        ended: None,
    };
    body.open_if_agreed(now);
    enter(&ctx, &tenant, &org.body, Record::new(now, body), wish.reason).await
}

/// Writes the wish, or the open door, on both sides; asks the organisation, if it has to be asked.
async fn enter(
    ctx: &Ctx,
    tenant: &Store,
    org: &Organisation,
    new: Record<Context>,
    reason: String,
) -> Answer {
    let theirs = door::published(tenant.commit().create(&new), &new);
    let theirs = if new.body.status == Status::Open { theirs.emit(door::opened(&new)) } else { theirs };
    let commit = doors::both(ctx, new.body.tenant).because(Some(reason)).create(&new);
    let commit = door::published(commit, &new).joined(theirs);
    let shown = ctx.shown(201, &new)?;
    let answer = ctx.settle(commit, shown).await?;
    if new.body.needs_consent {
        ask(ctx, tenant, org, &new).await;
    }
    Ok(answer)
}

/// The letter with the personal link. The administrator can also decide signed in, so a lost letter loses nothing.
async fn ask(ctx: &Ctx, tenant: &Store, org: &Organisation, context: &Record<Context>) {
    let Some(to) = org.details.email.as_ref().map(|e| e.0.clone()) else { return };
    let asked = async {
        let minted = ctx.app().mint(tenant, CONSENT, context.id, context.body.expires_at)?;
        let text = format!(
            "Support asks to see records of {} for {} minutes (ticket {}).\n\nReason: {}\n\nAllow or refuse: {}\n",
            org.name, context.body.minutes, context.body.ticket, context.body.reason, minted.url
        );
        ctx.app().mail().send(Letter { to, subject: "Support asks for access".into(), text }).await
    };
    if let Err(error) = asked.await {
        tracing::warn!(%error, "an organisation was not asked by letter");
    }
}

async fn approve(ctx: Ctx, At(id): At<ContextId>) -> Answer {
    doors::operators_only(&ctx)?;
    let asked = ctx.change::<Context>(id).await?;
    door::waiting(&asked.body, "approve")?;
    let operator = doors::operator(&ctx);
    if operator == Some(asked.body.operator) || operator.is_none() {
        return Err(Error::forbidden("own-request", "a second operator has to approve").into());
    }
    let now = ctx.now();
    let change = |c: &mut Context| {
        c.approved_by = operator;
        c.open_if_agreed(now);
    };
    by_operator(&ctx, asked.body.tenant, id, "approve", change).await
}

async fn close(ctx: Ctx, At(id): At<ContextId>) -> Answer {
    doors::operators_only(&ctx)?;
    let open = ctx.change::<Context>(id).await?;
    not_ended(&open.body, "close")?;
    let (now, by) = (ctx.now(), ctx.actor().user.clone());
    by_operator(&ctx, open.body.tenant, id, "close", |c| c.end(End::Closed, &by, now)).await
}

fn not_ended(context: &Context, command: &'static str) -> Result<()> {
    match context.status {
        Status::Ended => Err(Error::State { command, state: "ended".into() }),
        _ => Ok(()),
    }
}

async fn by_operator(
    ctx: &Ctx,
    id: TenantId,
    context: ContextId,
    action: &str,
    change: impl Fn(&mut Context),
) -> Answer {
    let tenant = doors::tenant(ctx, id).await?;
    let pair = Pair::read(ctx.store(), &tenant, context).await?;
    let Changed { platform, tenant: theirs, ours, .. } = pair.change(ctx.store(), &tenant, action, change);
    let commit = ctx.app().vault().across(id, platform).because(ctx.reason()).joined(theirs);
    let shown = ctx.shown(200, &ours)?;
    ctx.settle(commit, shown).await
}

async fn allow(ctx: Ctx, At(id): At<ContextId>) -> Answer {
    let asked = ctx.change::<Context>(id).await?;
    door::waiting(&asked.body, "allow")?;
    let (now, by) = (ctx.now(), ctx.actor().user.clone());
    let change = |c: &mut Context| {
        c.allowed_by = Some(by.clone());
        c.open_if_agreed(now);
    };
    by_organisation(&ctx, id, "allow", change).await
}

async fn revoke(ctx: Ctx, At(id): At<ContextId>) -> Answer {
    let open = ctx.change::<Context>(id).await?;
    not_ended(&open.body, "revoke")?;
    let (now, by) = (ctx.now(), ctx.actor().user.clone());
    by_organisation(&ctx, id, "revoke", |c| c.end(End::Revoked, &by, now)).await
}

async fn by_organisation(
    ctx: &Ctx,
    context: ContextId,
    action: &str,
    change: impl Fn(&mut Context),
) -> Answer {
    let id = doors::own(ctx)?;
    let platform = ctx.app().vault().open(Scope::Platform, ctx.store().caller().clone()).await?;
    let pair = Pair::read(&platform, ctx.store(), context).await?;
    let Changed { platform: ours, tenant, theirs, .. } = pair.change(&platform, ctx.store(), action, change);
    let commit = ctx.app().vault().across(id, tenant).because(ctx.reason()).joined(ours);
    let shown = ctx.shown(200, &theirs)?;
    ctx.settle(commit, shown).await
}
