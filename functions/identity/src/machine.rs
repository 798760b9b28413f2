//! Machines: their keys are the integrations module's, their tokens ours. What is published of a key is looked at
//! as it is now, so the order in which its events arrive does not matter.

use crate::{
    access::{self, Access},
    lookup,
};
use events::Envelope;
use ipnet::IpNet;
use kernel::{PartnerKeyId, Result};
use serde::{Deserialize, Serialize};
use store::facts;
use web::{
    Ctx, Reaction,
    gate::{AccessRule, Mode},
};

/// `fact#partner_key#<pky>`
#[derive(Deserialize)]
struct Published {
    live: bool,
    client_id: String,
    gateway_key: String,
    scopes: Vec<String>,
    sites: Vec<String>,
    modules: Vec<String>,
    #[serde(default)]
    ip_allow: Vec<IpNet>,
    generation: u64,
}

/// `platform#client#{client_id}`, as the token function reads it.
#[derive(Serialize)]
pub struct Registered {
    tenant: String,
    kind: &'static str,
    key: PartnerKeyId,
    generation: u64,
    sites: Vec<String>,
    modules: Vec<String>,
    scopes: Vec<String>,
    gateway_key: String,
}

pub fn reactions() -> Vec<Reaction> {
    ["partner_key.created", "partner_key.revoked", "partner_key.expired"]
        .map(|event| Reaction::on(event, |ctx, event| async move { follow(ctx, event).await }))
        .into()
}

async fn follow(ctx: Ctx, event: Envelope) -> Result<()> {
    let key: PartnerKeyId = event.record.parse()?;
    let Some(published) = ctx.store().fact::<Published>(facts::PARTNER_KEY, key).await? else {
        return Ok(());
    };
    let Published { live, client_id, ip_allow, generation, .. } = published;
    if !live {
        lookup::forget_client(ctx.app(), &client_id).await?;
        return bound(&ctx, key, |access| ended(access, key, generation)).await;
    }
    if !ip_allow.is_empty() {
        bound(&ctx, key, |access| {
            let rule = from_there(key, ip_allow.clone());
            let same = |r: &AccessRule| r.role == rule.role && r.allow_cidr == rule.allow_cidr;
            let there = access.gate().rules.iter().any(same);
            (!there).then(|| access.set_rule(rule))
        })
        .await?;
    }
    let Published { scopes, sites, modules, gateway_key, .. } = published;
    let tenant = ctx.scope().to_string();
    let registered =
        Registered { tenant, kind: "machine", key, generation, sites, modules, scopes, gateway_key };
    lookup::write_client(ctx.app(), &client_id, &registered).await
}

/// A rule may name one caller instead of a role.
fn from_there(key: PartnerKeyId, allow_cidr: Vec<IpNet>) -> AccessRule {
    AccessRule {
        role: key.to_string(),
        mode: Mode::Enforce,
        allow_cidr,
        allow_countries: vec![],
        deny_unknown_country: false,
        idle_minutes: None,
        absolute_hours: None,
    }
}

/// Nothing, if that stands there already.
fn ended(access: Access, key: PartnerKeyId, generation: u64) -> Option<Access> {
    let (gate, name) = (access.gate(), key.to_string());
    let revoked = gate.revoked.get(&name).is_some_and(|r| r.ended && r.generation == generation);
    let done = revoked && gate.rules.iter().all(|rule| rule.role != name);
    (!done).then(|| access.revoke(key, generation, true).drop_rule(&name))
}

/// Changes the fact that every request stands on.
async fn bound(ctx: &Ctx, key: PartnerKeyId, change: impl Fn(Access) -> Option<Access>) -> Result<()> {
    tracing::debug!(%key, "a machine's bounds change");
    access::retried(|| async {
        let Some(access) = change(Access::read(ctx.store()).await?) else { return Ok(()) };
        access::run(ctx, access.write(ctx.commit())).await
    })
    .await
}
