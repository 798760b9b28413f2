//! What the search found, and whether somebody may be registered all the same.

use super::{Arrival, Demographics};
use crate::{
    matching::Band,
    patient::duplicates::{self, Candidate, Found},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, PatientId, Result};
use serde::{Deserialize, Serialize};
use web::Ctx;

/// Where a match token remembers what was shown.
#[derive(Serialize, Deserialize)]
struct Token {
    input: String,
    until: Timestamp,
    candidates: Vec<PatientId>,
}

const TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(15);

/// Binds what was described to what was shown.
pub fn token(ctx: &Ctx, person: &Demographics, found: &Found) -> Result<String> {
    let ids = found.candidates.iter().map(|c| c.id).collect();
    let token = Token { input: digest(person)?, until: ctx.now() + TOKEN_LIFE, candidates: ids };
    let plain = serde_json::to_vec(&token).map_err(Error::internal)?;
    Ok(BASE64.encode(ctx.store().seal("match", plain)))
}

fn digest(person: &Demographics) -> Result<String> {
    let plain = seal::open(|| serde_json::to_vec(person)).map_err(Error::internal)?;
    Ok(hex::encode(seal::sha256(&plain)))
}

/// What the token's holder has seen; nothing, if it has expired or was given for other input.
fn seen(ctx: &Ctx, token: &str, person: &Demographics) -> Option<Vec<PatientId>> {
    let sealed = BASE64.decode(token).ok()?;
    let token: Token = serde_json::from_slice(&ctx.store().unseal("match", &sealed).ok()?).ok()?;
    (token.until > ctx.now() && token.input == digest(person).ok()?).then_some(token.candidates)
}

/// Whether this may be registered in view of who is there already; the candidates that were overridden.
pub async fn judge(ctx: &Ctx, arrival: &Arrival, found: &Found) -> Result<Vec<PatientId>> {
    if let Some((_, owner)) = found.documents.first() {
        let detail = "this identity number is registered already: open that record, or check the card";
        let known = found
            .candidates
            .iter()
            .filter(|c| c.id == *owner || c.merged_from == Some(*owner))
            .cloned()
            .collect();
        return Err(refuse(ctx, arrival, "identifier-taken", detail, known).await?.with("record", owner));
    }
    let likely = found.at_least(Band::Probable);
    if likely.is_empty() {
        return Ok(vec![]);
    }
    let certain = likely.iter().any(|c| c.band == Band::Certain);
    let (code, detail) = match certain {
        true => ("duplicate-patient", "this person is registered already: go on with that record"),
        false => (
            "possible-duplicate",
            "this may be somebody registered already: look at the candidates, then go on with one of them or send duplicate_decision",
        ),
    };
    let Some(decision) = &arrival.decision else {
        return Err(refuse(ctx, arrival, code, detail, likely.into_iter().cloned().collect()).await?);
    };
    if certain {
        ctx.need("patient.register_duplicate")?;
    }
    if likely.iter().any(|c| !decision.candidates.contains(&c.id)) {
        let detail = "the decision does not name every candidate: look at them all, and name them";
        return Err(refuse(ctx, arrival, code, detail, likely.into_iter().cloned().collect()).await?);
    }
    Ok(likely.iter().map(|c| c.id).collect())
}

async fn refuse(
    ctx: &Ctx,
    arrival: &Arrival,
    code: &'static str,
    detail: &str,
    mut all: Vec<Candidate>,
) -> Result<Error> {
    duplicates::shown(ctx, &all).await?;
    if let Some(seen) = arrival.token.as_deref().and_then(|t| seen(ctx, t, &arrival.person)) {
        all.iter_mut().for_each(|c| c.fresh = !seen.contains(&c.id));
    }
    let shown = seal::open(|| serde_json::to_value(&all)).map_err(Error::internal)?;
    Ok(Error::conflict(code, detail).with("candidates", shown))
}
