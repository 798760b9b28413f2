//! The organisation's own record: its name, address and how far it lets support in.

use crate::{details::Details, doors, fact, tenant::Status};
use authz::{Edition, Only};
use axum::{
    http::Method,
    routing::{get, patch},
};
use events::TenantEvent;
use kernel::{DocumentId, OrganisationId, Result, country::Country, error::faultless};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Entity, List, Record, Scope};
use web::{
    Answer, Ctx, Noun, Raw, Route, check,
    noun::{Seen, View},
    ok, route,
};

kernel::words! {
    /// Whether operators may open a context here: freely, after being allowed each time, or not at all.
    pub enum SupportAccess { Allowed = "allowed", Ask = "ask", Denied = "denied" }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Organisation {
    #[schemars(length(min = 2, max = 100))]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<DocumentId>,
    #[serde(flatten)]
    pub details: Details,
    #[schemars(extend("readOnly" = true))]
    pub edition: Edition,
    #[schemars(extend("readOnly" = true))]
    pub country: Country,
    #[schemars(extend("readOnly" = true))]
    pub slug: String,
    #[schemars(extend("readOnly" = true))]
    pub status: Status,
    /// The plan's code.
    #[schemars(extend("readOnly" = true))]
    pub plan: String,
    #[serde(default = "ask")]
    pub support_access: SupportAccess,
}

fn ask() -> SupportAccess {
    SupportAccess::Ask
}

impl Entity for Organisation {
    type Id = OrganisationId;
    const NOUN: &'static str = "organisation";
    const LISTS: &'static [List<Self>] = &[List::newest()];
}
impl Noun for Organisation {
    fn within(_: &Record<Self>, _: web::Reach, _: &web::Actor) -> bool {
        true
    }
}

/// What everybody of the organisation may see.
#[derive(Serialize, JsonSchema)]
struct Card {
    name: String,
    slug: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo: Option<DocumentId>,
    edition: Edition,
    country: Country,
}

/// Fields whose change flows back to the register, and needs a reason.
const REGISTERED: &[&str] = &["name", "legal_name", "registration_number", "tax_id"];

pub fn routes() -> Vec<Route> {
    let path = "/v1/tenants/self/organisation";
    vec![
        route(Method::GET, path, "organisation.view", "organisation.show", get(show))
            .gives::<Seen<View<'static, Organisation>, Card>>(200)
            .trips(1)
            .says("The caller's organisation; its card only, for most roles"),
        route(Method::PATCH, path, "organisation.edit", "organisation.update", patch(amend))
            .patches::<Organisation>()
            .gives::<View<'static, Organisation>>(200)
            .refuses(&["reason-required"])
            .trips(2)
            .says("Changes the organisation; name and registration with a reason"),
    ]
}

async fn show(ctx: Ctx) -> Answer {
    let id = fact::organisation_of(doors::own(&ctx)?);
    let org = ctx.get::<Organisation>(id).await?;
    if ctx.only() == Some(Only::Card) {
        let Organisation { name, slug, logo, edition, country, .. } = org.body;
        return ok(&Card { name, slug, logo, edition, country });
    }
    Ok(ctx.shown(200, &org)?.respond())
}

async fn amend(ctx: Ctx, Raw(body): Raw) -> Answer {
    let tenant = doors::own(&ctx)?;
    let old = ctx.change::<Organisation>(fact::organisation_of(tenant)).await?;
    let mut new = old.next(ctx.now());
    new.body = check::merge_patch(&old.body, &body)?;
    faultless(new.body.details.settle(new.body.country))?;
    let fields = changed(&old.body, &new.body)?;
    let reason = if fields.iter().any(|f| REGISTERED.contains(&f.as_str())) {
        Some(ctx.needs_reason(None)?)
    } else {
        ctx.reason()
    };
    let mut commit = ctx
        .commit()
        .because(reason)
        .update("update", &old, &new)
        .emit(TenantEvent::OrganisationChanged { fields });
    if new.body.name != old.body.name || new.body.logo != old.body.logo {
        let gate = fact::read(ctx.store()).await?;
        let mut named = web::gate::TenantGate { name: new.body.name.clone(), ..gate.clone() };
        match new.body.logo {
            Some(logo) => named.policies.insert("organisation.logo".into(), logo.to_string().into()),
            None => named.policies.remove("organisation.logo"),
        };
        commit = fact::write(commit, &gate, &named);
    }
    let shown = ctx.shown(200, &new)?;
    let answer = ctx.settle(commit, shown).await?;
    ctx.app().gates().forget(Scope::Tenant(tenant));
    Ok(answer)
}

/// Names of the fields that differ.
fn changed(old: &Organisation, new: &Organisation) -> Result<Vec<String>> {
    let json = |o: &Organisation| seal::open(|| serde_json::to_value(o)).map_err(kernel::Error::internal);
    let (old, new) = (json(old)?, json(new)?);
    let names = |v: &Value| {
        v.as_object().into_iter().flatten().map(|(k, _)| k.clone()).collect::<std::collections::BTreeSet<_>>()
    };
    Ok(names(&old).union(&names(&new)).filter(|k| old[k.as_str()] != new[k.as_str()]).cloned().collect())
}

/// `organisation.changed`: the register follows.
pub async fn register(ctx: &Ctx, change: &str) -> Result<()> {
    let tenant = doors::own(ctx)?;
    let org = ctx.store().fresh::<Organisation>(fact::organisation_of(tenant)).await?;
    let platform = doors::platform(ctx).await?;
    let old = platform.fresh::<crate::tenant::Tenant>(tenant).await?;
    let mut new = old.next(platform.now());
    (new.body.name, new.body.details) = (org.body.name, org.body.details);
    let follow = |new: &Record<crate::tenant::Tenant>| {
        let commit = platform.commit().update("register", &old, new);
        ctx.once_for(commit, "tenants.register", change).run()
    };
    match follow(&new).await {
        Err(kernel::Error::Duplicate { code: "already-registered", .. }) => {
            // Two organisations cannot have one registration: the register keeps what it had, and says so.
            tracing::error!(%tenant, "an organisation gave another one's registration number");
            new.body.details.registration_number = old.body.details.registration_number.clone();
            follow(&new).await
        }
        other => other,
    }
}
