//! Signatures of the Standard Webhooks specification (standardwebhooks.com, version 1.0.0): over
//! `{id}.{timestamp}.{body}`, by a shared secret (`v1`) or by our private key (`v1a`).

use aws_lc_rs::{
    hmac,
    rand::{SecureRandom, SystemRandom},
    signature::{Ed25519KeyPair, KeyPair},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use kernel::{Error, Result};

kernel::words! {
    pub enum Scheme {
        /// HMAC-SHA256 by a secret that both sides know.
        Hmac = "hmac",
        /// The receiver knows our public key alone.
        Ed25519 = "ed25519",
    }
}

/// Bytes of a secret; the specification allows 24 to 64.
const LENGTH: usize = 32;

impl Scheme {
    fn prefix(self) -> &'static str {
        match self {
            Self::Hmac => "whsec_",
            Self::Ed25519 => "whsk_",
        }
    }

    /// `whsec_…`, or `whsk_…` (the seed of the key pair), from random bytes.
    pub fn new_secret(self) -> Result<String> {
        let mut bytes = [0; LENGTH];
        SystemRandom::new().fill(&mut bytes).map_err(|_| Error::internal("no random numbers"))?;
        Ok(format!("{}{}", self.prefix(), BASE64_STANDARD.encode(bytes)))
    }

    /// `v1,…` or `v1a,…`
    pub fn sign(self, secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Result<String> {
        let mut signed = format!("{id}.{timestamp}.").into_bytes();
        signed.extend_from_slice(body);
        Ok(match self {
            Self::Hmac => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &self.bytes(secret)?);
                format!("v1,{}", BASE64_STANDARD.encode(hmac::sign(&key, &signed)))
            }
            Self::Ed25519 => format!("v1a,{}", BASE64_STANDARD.encode(self.pair(secret)?.sign(&signed))),
        })
    }

    /// `whpk_…`; a shared secret has none.
    pub fn public_key(self, secret: &str) -> Result<Option<String>> {
        match self {
            Self::Hmac => Ok(None),
            Self::Ed25519 => {
                let pair = self.pair(secret)?;
                Ok(Some(format!("whpk_{}", BASE64_STANDARD.encode(pair.public_key()))))
            }
        }
    }

    fn pair(self, secret: &str) -> Result<Ed25519KeyPair> {
        Ed25519KeyPair::from_seed_unchecked(&self.bytes(secret)?)
            .map_err(|_| Error::internal("no seed of a key pair"))
    }

    fn bytes(self, secret: &str) -> Result<Vec<u8>> {
        let text = secret.strip_prefix(self.prefix()).unwrap_or(secret);
        BASE64_STANDARD.decode(text).map_err(|_| Error::internal("a webhook's secret is no base64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

    /// From the specification's own libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    #[test]
    fn the_signature_is_that_of_the_specifications_vector() {
        let signed = Scheme::Hmac.sign(SECRET, ID, AT, BODY).unwrap();
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn another_byte_id_time_or_secret_is_another_signature() {
        let good = Scheme::Hmac.sign(SECRET, ID, AT, BODY).unwrap();
        let other = Scheme::Hmac.new_secret().unwrap();
        for different in [
            Scheme::Hmac.sign(SECRET, ID, AT, br#"{"test": 2432232315}"#),
            Scheme::Hmac.sign(SECRET, "msg_x", AT, BODY),
            Scheme::Hmac.sign(SECRET, ID, AT + 1, BODY),
            Scheme::Hmac.sign(&other, ID, AT, BODY),
        ] {
            assert_ne!(different.unwrap(), good);
        }
    }

    #[test]
    fn an_ed25519_signature_is_verified_with_the_public_key_alone() {
        let secret = Scheme::Ed25519.new_secret().unwrap();
        assert!(secret.starts_with("whsk_"));
        let public = Scheme::Ed25519.public_key(&secret).unwrap().unwrap();
        let public = BASE64_STANDARD.decode(public.strip_prefix("whpk_").unwrap()).unwrap();
        let signed = Scheme::Ed25519.sign(&secret, ID, AT, BODY).unwrap();
        let signature = BASE64_STANDARD.decode(signed.strip_prefix("v1a,").unwrap()).unwrap();
        let key = UnparsedPublicKey::new(&ED25519, public);
        let text = |body: &[u8]| [format!("{ID}.{AT}.").as_bytes(), body].concat();
        assert!(key.verify(&text(BODY), &signature).is_ok());
        assert!(key.verify(&text(b"{}"), &signature).is_err());
    }

    #[test]
    fn a_new_secret_has_32_bytes_and_is_nobody_elses() {
        let (one, two) = (Scheme::Hmac.new_secret().unwrap(), Scheme::Hmac.new_secret().unwrap());
        assert_eq!(BASE64_STANDARD.decode(one.strip_prefix("whsec_").unwrap()).unwrap().len(), 32);
        assert_ne!(one, two);
    }
}
