//! Whether a certificate is genuine, for anybody who holds one: by its hash.

use super::{Seal, Signature, Status};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use axum::{http::Method, routing::post};
use jiff::Timestamp;
use kernel::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use web::{Answer, Anyone, App, Body, Door, Route, ok, route};

/// From one address in an hour.
const LOOKS: u64 = 120;

pub fn routes() -> Vec<Route> {
    vec![
        route(
            Method::POST,
            "/v1/documents/signatures/verify",
            Door::Public,
            "signature.verify",
            post(verify),
        )
        .takes::<Asked>()
        .gives::<Known>(200)
        .trips(4)
        .says("Whether the organisation issued a certificate with this SHA-256, and when"),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Asked {
    /// The organisation's short name or domain.
    #[schemars(length(min = 3, max = 100))]
    organisation: String,
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    sha256: String,
}

#[derive(Serialize, JsonSchema)]
struct Known {
    genuine: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seal: Option<Seal>,
}

const UNKNOWN: Known = Known { genuine: false, completed_at: None, seal: None };

async fn verify(anyone: Anyone, Body(asked): Body<Asked>) -> Answer {
    anyone.hourly("signature-verify", LOOKS).await?;
    let (_, store) = anyone.organisation(&asked.organisation).await?;
    let held = store.guarded_many::<Signature>(&[("final", asked.sha256.clone())]).await?;
    let Some(id) = held.into_iter().next().flatten() else { return ok(&UNKNOWN) };
    let s = store.get::<Signature>(id).await?.body;
    let whole = s.status == Status::Completed && s.final_sha256.as_deref() == Some(asked.sha256.as_str());
    match s.seal.filter(|_| whole) {
        Some(seal) if holds(anyone.app(), &seal, &asked.sha256).await? => {
            ok(&Known { genuine: true, completed_at: s.completed_at, seal: Some(seal) })
        }
        _ => ok(&UNKNOWN),
    }
}

/// Whether the seal over the hash is our key's.
async fn holds(app: &App, seal: &Seal, sha256: &str) -> Result<bool> {
    let Some(key) = app.signer().public_key(&seal.key_id).await? else { return Ok(false) };
    let (Ok(hash), Ok(signature)) = (hex::decode(sha256), hex::decode(&seal.signature)) else {
        return Ok(false);
    };
    Ok(UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &key).verify(&hash, &signature).is_ok())
}
