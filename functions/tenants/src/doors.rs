//! The module's two rooms: the platform's partition and one organisation's, opened for the same caller.

use jiff::Timestamp;
use kernel::{Error, OperatorId, Result, TenantId};
use serde_json::Value;
use store::{Caller, Commit, Scope, Store};
use web::{App, Ctx};

/// The platform's part, for the caller of this request.
pub async fn platform(ctx: &Ctx) -> Result<Store> {
    match ctx.scope() {
        Scope::Platform => Ok(ctx.store().clone()),
        Scope::Tenant(_) => ctx.app().vault().open(Scope::Platform, ctx.store().caller().clone()).await,
    }
}

/// An organisation's part, for the caller of this request. 404 if it has no key.
pub async fn tenant(ctx: &Ctx, id: TenantId) -> Result<Store> {
    ctx.app().vault().open(Scope::Tenant(id), ctx.store().caller().clone()).await
}

/// A part opened by the product itself; `what` stands in the change records.
pub async fn system(app: &App, scope: Scope, what: &str, request: &str) -> Result<Store> {
    let caller = Caller { by: format!("system:{what}"), request: request.into(), ..Caller::default() };
    app.vault().open(scope, caller).await
}

/// 403 unless the caller is an operator of the platform, outside every organisation.
pub fn operators_only(ctx: &Ctx) -> Result<()> {
    match ctx.scope() {
        Scope::Platform => Ok(()),
        Scope::Tenant(_) => Err(Error::forbidden("platform-only", "this is for operators of the platform")),
    }
}

/// The operator who calls; `None` for the product itself.
pub fn operator(ctx: &Ctx) -> Option<OperatorId> {
    ctx.actor().id::<OperatorId>()
}

/// The organisation whose own route this is.
pub fn own(ctx: &Ctx) -> Result<TenantId> {
    let none = || Error::forbidden("no-tenant", "this is for organisations: operators name one in the path");
    ctx.scope().tenant().ok_or_else(none)
}

/// A commit of the request that will be joined with one of the other room.
pub fn both(ctx: &Ctx, tenant: TenantId) -> Commit {
    ctx.app().vault().across(tenant, ctx.commit())
}

/// The id, the tenant and the moment of a due row's message.
pub struct Rung {
    pub id: String,
    pub at: Timestamp,
}

impl Rung {
    pub fn read(message: &Value) -> Result<Self> {
        let text = |name: &str| {
            message[name].as_str().ok_or_else(|| Error::internal(format!("a due row without {name}")))
        };
        Ok(Self { id: text("id")?.into(), at: text("at")?.parse().map_err(Error::internal)? })
    }
}
