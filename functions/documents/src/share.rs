//! Share links: one document for somebody without a login, so often and so long. The token is shown once and only its
//! hash kept; what a download costs is counted in the commit that gives its link.

mod api;
mod public;

pub use api::{routes, tasks};
pub use public::routes as doors;

use crate::lock::Lock;
use jiff::Timestamp;
use kernel::{DocumentId, Error, Result, ShareId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Due, Entity, Key, List, Record, Row};
use web::{Actor, Ctx, Noun, Reach};

kernel::words! {
    #[derive(Default)]
    pub enum Status { #[default] Active = "active", Revoked = "revoked", Expired = "expired", UsedUp = "used_up" }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    pub document: DocumentId,
    /// None: whichever is in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_version: Option<u32>,
    pub purpose: Sealed<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Sealed<String>>,
    pub expires_at: Timestamp,
    pub max_downloads: u32,
    pub downloads: u32,
    /// A passcode is asked for.
    pub passcode: bool,
    pub status: Status,
    pub shared_by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Timestamp>,
}

/// What nobody is shown; under the record.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Secret {
    pub token_hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passcode: Option<Passcode>,
    #[serde(default)]
    pub lock: Lock,
}

/// A passcode is short: slow to try, and salted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Passcode {
    salt: String,
    hash: String,
}

const ROUNDS: std::num::NonZeroU32 = std::num::NonZeroU32::new(100_000).unwrap();

impl Passcode {
    pub fn of(code: &str) -> Result<Self> {
        let salt = crate::token::secret()?;
        Ok(Self { hash: Self::stretch(&salt, code), salt })
    }
    fn stretch(salt: &str, code: &str) -> String {
        let mut out = [0u8; 32];
        let kind = aws_lc_rs::pbkdf2::PBKDF2_HMAC_SHA256;
        aws_lc_rs::pbkdf2::derive(kind, ROUNDS, salt.as_bytes(), code.as_bytes(), &mut out);
        hex::encode(out)
    }
    pub fn is(&self, code: &str) -> bool {
        crate::token::same(&Self::stretch(&self.salt, code), &self.hash)
    }
}

pub(crate) fn place(id: ShareId) -> Key {
    Key::part(id, "secret", 1)
}

impl Entity for Share {
    type Id = ShareId;
    const NOUN: &'static str = "share";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[
        List::newest(),
        List::by("document", &["document"], |r| vec![Row::new(&[&r.body.document], &[&r.id])]),
    ];
    fn due(record: &Record<Self>) -> Vec<Due> {
        let open = record.body.status == Status::Active;
        open.then_some(Due { at: record.body.expires_at, what: "expire" }).into_iter().collect()
    }
}

impl Noun for Share {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        reach == Reach::All || (reach > Reach::None && record.body.shared_by == actor.user)
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let open = record.body.status == Status::Active && ctx.may("share.revoke") > Reach::None;
        if open { vec!["revoke"] } else { vec![] }
    }
}

impl Share {
    /// 410 if it is over.
    pub fn open(&self, now: Timestamp) -> Result<()> {
        let (code, detail) = match self.status {
            Status::Revoked => ("link-revoked", "this link was withdrawn by whoever sent it"),
            _ if self.downloads >= self.max_downloads => {
                ("link-used-up", "this link was used as often as it may be: ask for another one")
            }
            _ if self.expires_at <= now => ("link-expired", "this link is over: ask for another one"),
            _ => return Ok(()),
        };
        Err(Error::gone(code, detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passcode_is_kept_stretched_and_salted() {
        let (a, b) = (Passcode::of("tulip-42").unwrap(), Passcode::of("tulip-42").unwrap());
        assert!(a.is("tulip-42") && !a.is("tulip-43") && !a.is(""));
        assert_ne!(a.hash, b.hash);
    }
}
