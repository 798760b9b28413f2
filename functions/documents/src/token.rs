//! Tokens of links: whose they are, which record they open, and a secret of 256 bits of which only the hash is kept.

use data_encoding::BASE64URL_NOPAD;
use kernel::{Error, Id, Result};
use std::fmt::Display;
use store::Scope;

/// A token, taken apart: nothing of it is proven yet.
pub struct Token<I> {
    pub tenant: String,
    pub id: I,
    /// Which part of the record: a signer's number.
    pub n: u32,
    secret: String,
}

/// 256 random bits.
pub fn secret() -> Result<String> {
    let mut bytes = [0u8; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::internal("no random numbers"))?;
    Ok(BASE64URL_NOPAD.encode(&bytes))
}

pub fn hash(secret: &str) -> String {
    hex::encode(seal::sha256(secret.as_bytes()))
}

/// Equal, in the same time wherever they differ.
pub fn same(given: &str, kept: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(given.as_bytes(), kept.as_bytes()).is_ok()
}

pub fn write<I: Id>(scope: Scope, id: I, n: u32, secret: impl Display) -> String {
    format!("{scope}.{}.{n}.{secret}", id.ulid())
}

impl<I: Id> Token<I> {
    /// 404 for whatever is no token.
    pub fn read(text: &str) -> Result<Self> {
        let words: Vec<&str> = text.split('.').collect();
        let [tenant, ulid, n, secret] = words[..] else { return Err(Error::Missing) };
        let id = format!("{}_{ulid}", I::KIND).parse()?;
        let n = n.parse().map_err(|_| Error::Missing)?;
        Ok(Self { tenant: tenant.into(), id, n, secret: secret.into() })
    }
    /// Whether its secret is the one whose hash was kept.
    pub fn proves(&self, kept: &str) -> bool {
        same(&hash(&self.secret), kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{ShareId, Ulid};

    #[test]
    fn a_token_opens_its_record_and_is_not_kept() {
        let id = ShareId::of(Ulid::from_parts(1, 2));
        let secret = secret().unwrap();
        let text = write(Scope::Platform, id, 3, &secret);
        let token = Token::<ShareId>::read(&text).unwrap();
        assert_eq!((token.id, token.n), (id, 3));
        assert!(token.proves(&hash(&secret)) && !token.proves(&secret));
        for wrong in ["", "a.b.c", "a.b.c.d", &text.replace(".3.", ".x."), &format!("{text}.")] {
            assert!(Token::<ShareId>::read(wrong).is_err(), "{wrong}");
        }
    }
}
