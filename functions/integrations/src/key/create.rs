//! Making a key, in an order in which a failure leaves nothing that works and is not listed: the record first, then
//! the login and the gateway's key, then what makes both of them known.
//!
//! Whoever was interrupted in between sends the same request with the same `Idempotency-Key` again: it goes on with the
//! record that it began. Whoever goes on writes the record first, so that an attempt which is slow and not dead finds it
//! changed and takes back what it made; then clears away what lies at the gateway under the key's name. What nobody goes
//! on with for an hour, the clock gives up (`clock`).

use super::{Known, PartnerKey, Status, count, published::publish};
use crate::{
    gateway::{ApiKey, Doors, Machine},
    tier::{Environment, Tier},
};
use authz::{Excess, Granter, key_faults};
use events::IntegrationEvent;
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Kind, PartnerKeyId, Result, SiteId, error::faultless};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Commit, Key, Once, Record, When, facts};
use web::{Answer, At, Body, Ctx, Noun, Reached, Shown};

/// Days that a key may live at most, and where nothing is said.
const LONGEST: i64 = 731;
const USUAL: i64 = 365;

#[derive(Deserialize, JsonSchema)]
pub struct New {
    #[schemars(length(min = 1, max = 80))]
    name: String,
    #[schemars(email, length(max = 254))]
    owner_email: Sealed<String>,
    /// Permissions, none of them wider than the caller's own.
    #[schemars(length(min = 1, max = 40), inner(length(min = 3, max = 60)), extend("uniqueItems" = true))]
    scopes: Vec<String>,
    /// Sites, or `*`; none named = those of the caller.
    #[serde(default)]
    #[schemars(length(max = 30), inner(length(min = 1, max = 40)), extend("uniqueItems" = true))]
    sites: Vec<String>,
    /// At most the subscription's own.
    tier: Option<Tier>,
    environment: Option<Environment>,
    #[serde(default)]
    #[schemars(length(max = 20), inner(length(min = 1, max = 50)), extend("uniqueItems" = true))]
    ip_allow: Vec<String>,
    /// Two years from now at most; a year, if nothing is said.
    expires_at: Option<Timestamp>,
}

/// What is shown once, beside the record.
#[derive(Serialize, JsonSchema)]
pub struct Secrets {
    pub client_secret: Sealed<String>,
    /// To be sent as `x-api-key`.
    pub api_key: Sealed<String>,
}

/// What a request with an `Idempotency-Key` has begun.
#[derive(Serialize, Deserialize)]
struct Begun {
    key: PartnerKeyId,
    hash: String,
}

const BEGUN: &str = "begun-before";
/// As long as a first answer is kept.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

fn begun_by(once: &Once) -> Key {
    Key::item("seen", "partner_key.create", store::segment(&format!("{}~{}", once.by, once.key)))
}

pub async fn create(ctx: Ctx, doors: Doors, Body(new): Body<New>) -> Answer {
    let record = wanted(&ctx, new)?;
    let Some(once) = ctx.once() else {
        begin(&ctx, &record, None).await?;
        return finish(&ctx, &doors, stored(&ctx, record.id).await?, 201).await;
    };
    let place = begun_by(once);
    match begin(&ctx, &record, Some((&place, once, None))).await {
        Err(Error::Refused(r)) if r.code == BEGUN => {}
        begun => {
            begun?;
            return finish(&ctx, &doors, stored(&ctx, record.id).await?, 201).await;
        }
    }
    let begun: Begun = ctx.store().read(&place).await?.ok_or(Error::Busy)?;
    if begun.hash != once.hash {
        return Err(Error::KeyReused.into());
    }
    let old = stored(&ctx, begun.key).await?;
    match old.body.status {
        Status::Creating => {
            let old = taken_over(&ctx, &doors, old).await?;
            finish(&ctx, &doors, old, 201).await
        }
        // Given up before it was made: this is another beginning.
        Status::Revoked if old.body.client_id.is_none() => {
            begin(&ctx, &record, Some((&place, once, Some(begun.key)))).await?;
            finish(&ctx, &doors, stored(&ctx, record.id).await?, 201).await
        }
        // The first answer, if there was one, is given instead of this.
        _ => {
            let detail =
                "this key was made meanwhile, and its secret shown to whoever repaired it: rotate it";
            Err(Error::conflict("made-by-another", detail).with("id", old.id).into())
        }
    }
}

/// The record, in its place among the organisation's keys; and who began it, so that they can go on.
async fn begin(
    ctx: &Ctx,
    record: &Record<PartnerKey>,
    by: Option<(&Key, &Once, Option<PartnerKeyId>)>,
) -> Result<()> {
    let limit = Tier::of_plan(&ctx.tenant()?.plan).keys();
    let full = move |_| {
        let detail =
            format!("your subscription holds {limit} partner keys: revoke one, or choose a wider plan");
        Error::conflict("limit-reached", detail).with("limit", "partner_keys").with("allowed", limit)
    };
    let room = When::Without("n").or(When::Below("n", limit));
    let mut commit = ctx.commit().create(record).add_if(&count(), "n", 1, room, full);
    if let Some((place, once, instead_of)) = by {
        let begun = Begun { key: record.id, hash: once.hash.clone() };
        let ttl = ctx.now() + REMEMBERED;
        commit = match instead_of {
            None => commit.first_time(place, &begun, ttl, || Error::conflict(BEGUN, "begun before")),
            Some(old) => commit.put_until(place, &begun, ttl, store::is("key", old), |_| Error::Busy),
        };
    }
    require_sites(commit, &record.body.sites)?.run().await
}

/// As the table has it now: the next version is chained to it.
async fn stored(ctx: &Ctx, id: PartnerKeyId) -> Result<Record<PartnerKey>> {
    ctx.store().fresh::<PartnerKey>(id).await
}

/// From here on nobody else makes this key: see above.
async fn taken_over(ctx: &Ctx, doors: &Doors, old: Record<PartnerKey>) -> Result<Record<PartnerKey>> {
    let fresh = fenced(ctx, &old).await?;
    doors.clear(&old.id.to_string()).await.map_err(|error| unfinished(&error, old.id))?;
    Ok(fresh)
}

/// Whatever somebody else is about to write of this record is refused.
pub async fn fenced(ctx: &Ctx, old: &Record<PartnerKey>) -> Result<Record<PartnerKey>> {
    ctx.commit().update("resume", old, &old.next(ctx.now())).run().await?;
    stored(ctx, old.id).await
}

fn unfinished(error: &Error, key: PartnerKeyId) -> Error {
    tracing::error!(%error, %key, "a partner key could not be finished");
    let detail = "the key could not be made now: send this again with its Idempotency-Key, or repair it: \
                  POST /v1/integrations/keys/{id}/repair";
    Error::refuse(Kind::Unavailable, "gateway-unavailable", detail).with("id", key)
}

/// Makes what could not be made before, with secrets of its own.
pub async fn repair(ctx: Ctx, doors: Doors, At(id): At<PartnerKeyId>) -> Answer {
    let old = ctx.change::<PartnerKey>(id).await?;
    if old.body.status != Status::Creating {
        return Err(Error::State { command: "repair", state: old.body.status.to_string() }.into());
    }
    let old = taken_over(&ctx, &doors, old).await?;
    finish(&ctx, &doors, old, 200).await
}

fn wanted(ctx: &Ctx, new: New) -> Result<Record<PartnerKey>> {
    let own = Tier::of_plan(&ctx.tenant()?.plan);
    let tier = new.tier.unwrap_or(own);
    if tier > own {
        let detail = format!("your subscription's tier is {own}: leave it out, or choose a wider plan first");
        return Err(Error::field("tier-above-plan", "/tier", detail));
    }
    let expires_at = new.expires_at.unwrap_or(ctx.now() + SignedDuration::from_hours(24 * USUAL));
    let latest = ctx.now() + SignedDuration::from_hours(24 * LONGEST);
    if expires_at <= ctx.now() || expires_at > latest {
        return Err(Error::field("expiry", "/expires_at", "later than now, and within two years"));
    }
    let sites = if new.sites.is_empty() { names(&ctx.actor().sites) } else { new.sites };
    within_rights(ctx, &new.scopes, &sites)?;
    let mut body = PartnerKey {
        name: new.name.trim().into(),
        owner_email: new.owner_email,
        scopes: new.scopes,
        sites,
        tier,
        environment: new.environment.unwrap_or(Environment::Live),
        ip_allow: new.ip_allow,
        expires_at,
        client_id: None,
        gateway_key_id: None,
        secrets: vec![],
        last_used_on: None,
        status: Status::Creating,
        warned: 0,
    };
    faultless(body.check())?;
    body.skip_past(ctx.now());
    Ok(Record::new(ctx.now(), body))
}

fn names<T: ToString>(reached: &Reached<T>) -> Vec<String> {
    match reached {
        Reached::All => vec!["*".into()],
        Reached::These(some) => some.iter().map(T::to_string).collect(),
    }
}

/// No wider than the creator's rights, nor than the matrix lets any machine reach.
fn within_rights(ctx: &Ctx, scopes: &[String], sites: &[String]) -> Result<()> {
    let (held, modules) = (names(&ctx.actor().sites), names(&ctx.actor().modules));
    let edition = ctx.gate().tenant.as_ref().map(|t| t.edition);
    let granter = Granter { holder: ctx.holder(), edition, sites: &held, modules: &modules };
    let found = key_faults(&granter, scopes, sites, ctx.now());
    let Some(first) = found.first() else { return Ok(()) };
    let error = match first {
        Excess::UnknownPermission { permission } => {
            Error::field("unknown-right", "/scopes", format!("there is no permission {permission}"))
        }
        Excess::Permission { permission, .. } | Excess::Ceiling { permission, .. } => {
            let detail = format!("{permission} is more than you may give to a machine");
            Error::forbidden("scope-exceeds-grant", detail)
        }
        _ => Error::forbidden("scope-exceeds-grant", "a key cannot reach sites that you do not reach"),
    };
    Err(error.with("exceeds", found))
}

fn require_sites(mut commit: Commit, sites: &[String]) -> Result<Commit> {
    for site in sites.iter().filter(|site| *site != "*") {
        let unknown = || Error::field("site-unknown", "/sites", "there is no such site in this organisation");
        let id: SiteId = site.parse().map_err(|_| unknown())?;
        commit = commit.require(facts::SITE, id, unknown);
    }
    Ok(commit)
}

async fn finish(ctx: &Ctx, doors: &Doors, old: Record<PartnerKey>, status: u16) -> Answer {
    let (machine, key) = made(doors, &old).await.map_err(|error| unfinished(&error, old.id))?;
    let mut new = old.next(ctx.now());
    let body = &mut new.body;
    body.status = Status::Active;
    body.client_id = Some(machine.client_id.clone());
    body.gateway_key_id = Some(key.id.clone());
    body.secrets = vec![known(&machine.secret, ctx.now())];
    let secrets = Secrets { client_secret: machine.secret.value.into(), api_key: key.value.into() };
    let shown = Shown::record_with(ctx, status, &new, &secrets)?;
    let commit =
        ctx.commit().update("activate", &old, &new).emit(IntegrationEvent::KeyCreated { key: new.id });
    let answer = ctx.settle(publish(commit, &new), shown).await;
    if answer.as_ref().is_err_and(|refused| !is_unclear(&refused.0)) {
        undo(doors, &machine.client_id, Some(&key.id)).await;
    }
    answer
}

/// It may have been written all the same: then what was made is in use.
pub fn is_unclear(error: &Error) -> bool {
    error.code() == "outcome-unknown"
}

async fn made(doors: &Doors, record: &Record<PartnerKey>) -> Result<(Machine, ApiKey)> {
    let name = record.id.to_string();
    let machine = doors.create_client(&name).await?;
    match doors.create_key(&name, record.body.usage_plan()).await {
        Ok(key) => Ok((machine, key)),
        Err(error) => {
            undo(doors, &machine.client_id, None).await;
            Err(error)
        }
    }
}

/// What stays behind all the same opens nothing: without its look-up a client gets no token.
async fn undo(doors: &Doors, client: &str, key: Option<&str>) {
    if let Err(error) = doors.delete_client(client).await {
        tracing::warn!(%error, "a machine client was left behind");
    }
    if let Some(key) = key
        && let Err(error) = doors.delete_key(key).await
    {
        tracing::warn!(%error, "a gateway key was left behind");
    }
}

pub fn known(secret: &crate::gateway::Secret, now: Timestamp) -> Known {
    let from = secret.value.char_indices().rev().nth(3).map_or(0, |(at, _)| at);
    Known { secret_id: secret.id.clone(), hint: secret.value[from..].into(), made_at: now, dies_at: None }
}
