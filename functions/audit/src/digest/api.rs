//! Routes of digests: months, days, public keys, proofs that a change was in its day.

use super::Digest;
use crate::{day, kinds};
use axum::{extract::Path, http::Method, routing::get};
use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::civil::Date;
use kernel::{DigestId, Error, Result};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use store::{
    Entity, Record, Wanted,
    chain::{Leaf, Sealed, Step, proof},
};
use web::{
    Answer, Ctx, Named, Route,
    noun::{self, Pages, View},
    ok, route,
};

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/v1/audit/digests", "digest.view", "digest.list", get(noun::list::<Digest>))
            .asks_shape(noun::list_shape::<Digest>)
            .gives::<Pages<View<'static, Digest>>>(200)
            .trips(1)
            .says("Digests, newest first, or those of a month"),
        route(Method::GET, "/v1/audit/digests/{day}", "digest.view", "digest.show", get(show))
            .gives::<Shown>(200)
            .trips(2)
            .says("The digest of a day, with what was signed and the signature"),
        route(Method::GET, "/v1/audit/keys", "digest.view", "digest.keys", get(keys))
            .gives::<Keys>(200)
            .trips(2)
            .says("Public keys that digests were signed with"),
        route(
            Method::GET,
            "/v1/audit/changes/{record}/{version}/proof",
            "digest.view",
            "digest.proof",
            get(prove),
        )
        .gives::<Proof>(200)
        .trips(2)
        .refuses(&["not-sealed-yet"])
        .says("The sibling hashes that lead from a change to its day's root"),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Shown {
    #[serde(flatten)]
    record: View<'static, Digest>,
    /// What was signed, the key's id and the signature, as they lie under lock.
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<serde_json::Value>,
}

/// By day, or by the digest's id.
async fn show(ctx: Ctx, Named(day): Named) -> Answer {
    let record = found(&ctx, &day).await?;
    let sealed = day::sealed(ctx.app(), ctx.scope(), record.body.day).await?;
    let sealed = sealed.map(serde_json::to_value).transpose().map_err(Error::internal)?;
    ok(&Shown { record: View::owned(&ctx, record), sealed })
}

async fn found(ctx: &Ctx, day: &str) -> Result<Record<Digest>> {
    if let Ok(id) = day.parse::<DigestId>() {
        return ctx.get::<Digest>(id).await;
    }
    let day: Date = day.parse().map_err(|_| Error::Missing)?;
    let id = ctx.store().guarded::<Digest>("day", &day.to_string()).await?.ok_or(Error::Missing)?;
    ctx.get::<Digest>(id).await
}

#[derive(Serialize, JsonSchema)]
struct Keys {
    data: Vec<Key>,
}

#[derive(Serialize, JsonSchema)]
struct Key {
    key_id: String,
    /// DER, SubjectPublicKeyInfo, base64.
    public_key: String,
    algorithm: &'static str,
    /// The days that it signed, of the last hundred.
    first_day: Date,
    last_day: Date,
}

async fn keys(ctx: Ctx) -> Answer {
    let page = ctx.store().list::<Digest>(&Digest::LISTS[0], &Wanted::all(100)).await?;
    let mut days: BTreeMap<String, (Date, Date)> = BTreeMap::new();
    for digest in page.data {
        let (Some(key), day) = (digest.body.key_id, digest.body.day) else { continue };
        let known = days.entry(key).or_insert((day, day));
        *known = (known.0.min(day), known.1.max(day));
    }
    let mut data = vec![];
    for (key_id, (first_day, last_day)) in days {
        let Some(der) = ctx.app().signer().public_key(&key_id).await? else { continue };
        let public_key = STANDARD.encode(der);
        data.push(Key { key_id, public_key, algorithm: "ECDSA_P256_SHA256", first_day, last_day });
    }
    ok(&Keys { data })
}

/// Leads from `hash` to `root`: `SHA-256(0x00 ‖ hash)`, then `SHA-256(0x01 ‖ left ‖ right)` with each sibling.
#[derive(Serialize, JsonSchema)]
struct Proof {
    record: String,
    version: u64,
    day: Date,
    hash: String,
    siblings: Vec<Step>,
    root: String,
    /// The signed digest that names the root.
    sealed: serde_json::Value,
}

async fn prove(ctx: Ctx, Path((record, version)): Path<(String, String)>) -> Answer {
    let kind = kinds::kind_of(&record).ok_or(Error::Missing)?;
    let version: u64 = version.parse().ok().filter(|v| *v < 1_000_000_000).ok_or(Error::Missing)?;
    let links = ctx.store().links(kind, &record, version, 1).await?;
    let link = links.into_iter().next().filter(|l| l.place == version).ok_or(Error::Missing)?;
    let day = day::of(&link.form.at)?;
    let sealed: Sealed = day::sealed(ctx.app(), ctx.scope(), day).await?.ok_or_else(|| {
        let detail = format!("{day} is sealed the next day at 00:20 UTC; ask again then");
        Error::conflict("not-sealed-yet", detail)
    })?;
    let leaves: Vec<Leaf> = day::anchored(ctx.app(), ctx.scope(), day).await?;
    let at = leaves.iter().position(|l| l.record == record && l.version == version);
    let hashes: Vec<&str> = leaves.iter().map(|l| l.hash.as_str()).collect();
    let siblings = at.and_then(|at| proof(&hashes, at)).ok_or(Error::Missing)?;
    let root = sealed.digest.changes.root.clone();
    let hash = at.map(|at| leaves[at].hash.clone()).unwrap_or_default();
    let sealed = serde_json::to_value(sealed).map_err(Error::internal)?;
    ok(&Proof { record, version, day, hash, siblings, root, sealed })
}
