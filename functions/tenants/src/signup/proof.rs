//! What proves that a caller is the applicant: the token of the draft, and the code sent to their address. Both
//! are kept as blind indexes under the draft.

use super::Signup;
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Result, SignupId};
use rand::Rng;
use serde::{Deserialize, Serialize};
use store::{Key, Record, Store};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Proof {
    pub token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// Wrong codes since the last was sent.
    pub tries: i64,
    /// Codes sent again.
    pub resends: i64,
}

const VALID: SignedDuration = SignedDuration::from_mins(15);
pub const TRIES: i64 = 5;
const RESENDS: i64 = 5;
const PAUSE: SignedDuration = SignedDuration::from_secs(60);

/// Where the proof lies: a part of the draft.
pub fn key(id: SignupId) -> Key {
    Key::part(id, "proof", "1")
}

/// A secret that is shown once: 256 random bits.
pub fn new_token() -> String {
    let mut bytes = [0u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    data_encoding::BASE64URL_NOPAD.encode(&bytes)
}

impl Proof {
    pub fn of(store: &Store, id: SignupId, token: &str) -> Self {
        Self {
            token: store.blind("signup.token", &format!("{id}:{token}")),
            code: None,
            sent_at: None,
            tries: 0,
            resends: 0,
        }
    }

    /// A new code, and its digest kept.
    pub fn new_code(&mut self, store: &Store, id: SignupId) -> String {
        let code = format!("{:06}", rand::random_range(0..1_000_000u32));
        self.code = Some(store.blind("signup.code", &format!("{id}:{code}")));
        (self.sent_at, self.tries) = (Some(store.now()), 0);
        code
    }

    /// May another code be sent?
    pub fn resend(&mut self, now: Timestamp) -> Result<()> {
        if let Some(sent) = self.sent_at
            && now < sent + PAUSE
        {
            let wait = (sent + PAUSE).duration_since(now).as_secs().max(1);
            let detail = format!("a code was sent a moment ago; ask again in {wait} seconds");
            return Err(Error::too_many("code-just-sent", detail, u32::try_from(wait).unwrap_or(60)));
        }
        if self.resends >= RESENDS {
            return Err(Error::too_many(
                "codes-exhausted",
                "no further code is sent for this sign-up: begin a new one",
                3600,
            ));
        }
        self.resends += 1;
        Ok(())
    }

    /// Ok, or the one word that is told: wrong, old, or too often.
    pub fn check(&self, store: &Store, id: SignupId, typed: &str) -> Result<()> {
        if self.tries >= TRIES {
            return Err(Error::too_many("code-tries", "too many wrong codes: ask for a new one", 60));
        }
        if self.sent_at.is_none_or(|sent| store.now() > sent + VALID) {
            return Err(Error::field("code-expired", "/code", "this code is too old: ask for a new one"));
        }
        match &self.code {
            Some(code) if *code == store.blind("signup.code", &format!("{id}:{typed}")) => Ok(()),
            _ => Err(Error::field("code-wrong", "/code", "this is not the code we sent")),
        }
    }
}

/// The draft, for who holds its token; 404 for everybody else, as if there were none.
pub async fn open(store: &Store, id: SignupId, token: Option<&str>) -> Result<(Record<Signup>, Proof)> {
    let (record, parts) = store.whole::<Signup>(id).await?;
    let part = parts.into_iter().find(|(place, _)| place == key(id).sk()).ok_or_else(super::unknown)?.1;
    let proof: Proof = serde_json::from_value(part).map_err(Error::internal)?;
    let given = store.blind("signup.token", &format!("{id}:{}", token.unwrap_or_default()));
    if given == proof.token { Ok((record, proof)) } else { Err(super::unknown()) }
}
