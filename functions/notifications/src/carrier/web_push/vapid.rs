//! Who sends (RFC 8292): a key pair of each organisation. Browsers subscribe to its public half, and no other
//! organisation's messages reach them. It is made when it is first asked for and never changed, since that would end
//! every subscription.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Result};
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::Key;
use url::Url;
use web::Ctx;

/// How long a signature is good for; the standard allows a day.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(12);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// PKCS #8 in base64url; it leaves the table for nothing but signing.
    secret: Sealed<String>,
    /// The `applicationServerKey` of a subscription, in base64url.
    pub public: String,
}

fn place() -> Key {
    Key::item("psh", "identity", ".")
}

/// The organisation's own; made if there is none. Of two who make it at once, the first one's stands.
pub async fn of(ctx: &Ctx) -> Result<Identity> {
    if let Some(known) = ctx.store().read(&place()).await? {
        return Ok(known);
    }
    let fresh = Identity::new()?;
    match ctx.store().commit().put_over(&place(), 0, &fresh).run().await {
        Ok(()) => Ok(fresh),
        Err(Error::Stale { .. }) => {
            let theirs = ctx.store().read(&place()).await?;
            theirs.ok_or_else(|| Error::internal("an identity that was there is gone"))
        }
        Err(e) => Err(e),
    }
}

impl Identity {
    pub fn new() -> Result<Self> {
        let none = |_| Error::internal("no key pair could be made");
        let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let pair = pair.map_err(none)?;
        let secret = Sealed(BASE64URL_NOPAD.encode(pair.as_ref()));
        let mut identity = Self { secret, public: String::new() };
        let pair = identity.pair().ok_or_else(|| Error::internal("no key pair could be read"))?;
        identity.public = BASE64URL_NOPAD.encode(pair.public_key().as_ref());
        Ok(identity)
    }

    fn pair(&self) -> Option<EcdsaKeyPair> {
        let bytes = BASE64URL_NOPAD.decode(self.secret.as_bytes()).ok()?;
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &bytes).ok()
    }

    /// The header `Authorization` for a push service: a token for it alone, signed.
    pub fn authorization(&self, endpoint: &Url, contact: &str, now: Timestamp) -> Option<String> {
        let audience = endpoint.origin().ascii_serialization();
        let claims = json!({"aud": audience, "exp": (now + GOOD_FOR).as_second(), "sub": contact});
        let part = |value: serde_json::Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(json!({"typ": "JWT", "alg": "ES256"})), part(claims));
        let signature = self.pair()?.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        let signature = BASE64URL_NOPAD.encode(signature.as_ref());
        Some(format!("vapid t={signed}.{signature}, k={}", self.public))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    /// As a push service looks at it; answers the claims.
    fn verified(header: &str) -> Option<serde_json::Value> {
        let (token, key) = header.strip_prefix("vapid t=")?.split_once(", k=")?;
        let (signed, signature) = token.rsplit_once('.')?;
        let read = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).ok();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, read(key)?);
        key.verify(signed.as_bytes(), &read(signature)?).ok()?;
        serde_json::from_slice(&read(signed.split_once('.')?.1)?).ok()
    }

    /// RFC 8292, section 2.4.
    #[test]
    fn the_standards_own_example_is_verified() {
        let header = "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHA\
                      iOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMu\
                      CGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA, k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrA\
                      IxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs";
        let claims = verified(header).unwrap();
        assert_eq!(
            claims,
            json!({"aud": "https://push.example.net", "exp": 1453523768, "sub": "mailto:push@example.com"})
        );
    }

    #[test]
    fn a_signature_is_for_one_push_service_and_half_a_day() {
        let identity = Identity::new().unwrap();
        let endpoint = "https://push.example.net/p/JzLQ3raZJfFBR0aqvOMsLrt54w4rJUsV".parse().unwrap();
        let now = Timestamp::from_second(1_453_480_568).unwrap();
        let header = identity.authorization(&endpoint, "mailto:push@example.com", now).unwrap();
        let expected =
            json!({"aud": "https://push.example.net", "exp": 1453523768, "sub": "mailto:push@example.com"});
        assert_eq!(verified(&header), Some(expected));
        let forged = header.replace(&identity.public, &Identity::new().unwrap().public);
        assert_eq!(verified(&forged), None);
    }
}
