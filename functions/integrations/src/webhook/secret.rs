//! An endpoint's secrets: parts of their own, so that no answer about the endpoint can show them.

use super::{Webhook, sign::Scheme};
use crate::due::MODULE;
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Result, WebhookId};
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Commit, Key, Record};
use web::{Ctx, Task};

/// How long an older secret signs along with the newer one.
pub const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

/// A part `sec#{n}`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Secret {
    pub value: Sealed<String>,
    pub made_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dies_at: Option<Timestamp>,
}

fn place(id: WebhookId, n: u32) -> Key {
    Key::part(id, "sec", n)
}

pub fn put(commit: Commit, id: WebhookId, n: u32, secret: &Secret) -> Commit {
    commit.put(&place(id, n), secret)
}

/// The next secret beside the present one, in the commit of the endpoint's next version.
pub async fn rotate(ctx: &Ctx, commit: Commit, new: &mut Record<Webhook>) -> Result<(Commit, String)> {
    let present = new.body.secret;
    let old: Option<Secret> = ctx.store().read(&place(new.id, present)).await?;
    let old = old.ok_or_else(|| Error::internal("a webhook without its secret"))?;
    let dies_at = ctx.now() + OVERLAP;
    let value = new.body.scheme.new_secret()?;
    new.body.secret = present + 1;
    new.body.rotates_until = Some(dies_at);
    new.body.public_key = new.body.scheme.public_key(&value)?;
    let fresh = Secret { value: value.clone().into(), made_at: ctx.now(), dies_at: None };
    let commit = put(commit, new.id, present, &Secret { dies_at: Some(dies_at), ..old });
    Ok((put(commit, new.id, present + 1, &fresh), value))
}

/// All signatures of a message, newest secret first; `parts` as [`store::Store::whole`] reads them.
pub fn signatures(
    scheme: Scheme,
    parts: &[(String, Value)],
    now: Timestamp,
    (id, body): (&str, &[u8]),
) -> Result<String> {
    let mut all = vec![];
    for (_, part) in parts.iter().filter(|(place, _)| place.starts_with("sec#")).rev() {
        let secret: Secret = serde_json::from_value(part.clone()).map_err(Error::internal)?;
        if secret.dies_at.is_none_or(|at| now < at) {
            all.push(scheme.sign(&secret.value, id, now.as_second(), body)?);
        }
    }
    if all.is_empty() { Err(Error::internal("a webhook without a secret")) } else { Ok(all.join(" ")) }
}

/// The older secret goes when its day is over.
pub fn ending() -> Task {
    Task::due("due.whe.secret", MODULE, end)
}

fn end(ctx: &Ctx, old: &Record<Webhook>) -> Option<Commit> {
    old.body.rotates_until.filter(|at| *at <= ctx.now())?;
    let mut new = old.next(ctx.now());
    new.body.rotates_until = None;
    let commit = ctx.commit().update("end_overlap", old, &new);
    Some(commit.delete(&place(old.id, old.body.secret - 1)))
}
