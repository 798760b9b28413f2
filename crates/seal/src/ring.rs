//! One tenant's keys: every data key that may still have to open something, and the index key.

use aws_lc_rs::{aead, digest, hkdf, hmac, rand};
use kernel::{Error, Result};
use std::collections::BTreeMap;

/// A data key as the table keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// Rising from 1. The highest seals; all open. The first gives the index key, so that a rotation of data
    /// keys never moves a blind index.
    pub id: u32,
    pub wrapped: Vec<u8>,
}

struct DataKey(aead::LessSafeKey);

/// What a tenant's records are sealed and indexed with, under one label (`default`, `eap_clinical`).
pub struct Ring {
    data: BTreeMap<u32, DataKey>,
    index: hmac::Key,
}

/// Version 1 of a sealed value: `{1} {key id, 4 bytes} {nonce, 12 bytes} {ciphertext} {tag, 16 bytes}`.
const VERSION: u8 = 1;
const HEAD: usize = 1 + 4 + 12;
const TAG: usize = 16;

impl Ring {
    /// From unwrapped 32-byte tenant keys, by id.
    pub fn new(keys: impl IntoIterator<Item = (u32, [u8; 32])>) -> Result<Self> {
        let keys: BTreeMap<u32, [u8; 32]> = keys.into_iter().collect();
        let first = keys.values().next().ok_or_else(|| Error::internal("a ring needs a key"))?;
        let index = hmac::Key::new(hmac::HMAC_SHA256, &derive(first, b"index"));
        let data = keys.iter().map(|(id, key)| (*id, DataKey::new(&derive(key, b"data")))).collect();
        Ok(Self { data, index })
    }

    /// Seals under the newest key; opens only with the same `place` (key of the item and path of the field).
    pub fn seal(&self, place: &str, mut plain: Vec<u8>) -> Vec<u8> {
        let (id, key) = self.data.last_key_value().expect("never empty");
        let mut nonce = [0u8; 12];
        rand::fill(&mut nonce).expect("the system's randomness");
        let aad = aead::Aad::from(place.as_bytes());
        let tag = key
            .0
            .seal_in_place_separate_tag(aead::Nonce::assume_unique_for_key(nonce), aad, &mut plain)
            .expect("far below the cipher's limit");
        let mut out = Vec::with_capacity(HEAD + plain.len() + TAG);
        out.push(VERSION);
        out.extend(id.to_be_bytes());
        out.extend(nonce);
        out.extend(plain);
        out.extend(tag.as_ref());
        out
    }

    /// Errors when the value was altered, moved to another place, or sealed by a key that is gone.
    pub fn unseal(&self, place: &str, sealed: &[u8]) -> Result<Vec<u8>> {
        let unopened = || Error::internal(format!("a sealed value does not open at {place}"));
        if sealed.len() < HEAD + TAG || sealed[0] != VERSION {
            return Err(unopened());
        }
        let id = u32::from_be_bytes(sealed[1..5].try_into().expect("four bytes"));
        let key = self.data.get(&id).ok_or_else(unopened)?;
        let nonce = aead::Nonce::try_assume_unique_for_key(&sealed[5..HEAD]).map_err(|_| unopened())?;
        let mut buffer = sealed[HEAD..].to_vec();
        let len = {
            let plain = key.0.open_in_place(nonce, aead::Aad::from(place.as_bytes()), &mut buffer);
            plain.map_err(|_| unopened())?.len()
        };
        buffer.truncate(len);
        Ok(buffer)
    }

    /// HMAC-SHA256 over `{scope}:{value}`, 16 bytes. Equal values are equal within one tenant and nowhere else.
    pub fn blind(&self, scope: &str, value: &str) -> [u8; 16] {
        let mut context = hmac::Context::with_key(&self.index);
        context.update(scope.as_bytes());
        context.update(b":");
        context.update(value.as_bytes());
        context.sign().as_ref()[..16].try_into().expect("32 bytes")
    }
}

impl DataKey {
    fn new(key: &[u8; 32]) -> Self {
        Self(aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_256_GCM, key).expect("32 bytes")))
    }
}

/// HKDF-SHA256 with the use as info.
fn derive(key: &[u8; 32], usage: &'static [u8]) -> [u8; 32] {
    let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"lumina");
    let mut out = [0u8; 32];
    salt.extract(key)
        .expand(&[usage], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut out))
        .expect("one block");
    out
}

/// Whether this is an ECDSA signature (P-256, SHA-256, ASN.1 DER) of the bytes under this public key (DER,
/// SubjectPublicKeyInfo).
pub fn is_signed(key: &[u8], bytes: &[u8], signature: &[u8]) -> bool {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key).verify(bytes, signature).is_ok()
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, bytes).as_ref().try_into().expect("32 bytes")
}

/// SHA-256 of what comes in pieces.
pub struct Sha256(digest::Context);

impl Default for Sha256 {
    fn default() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }
}

impl Sha256 {
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    pub fn finish(self) -> [u8; 32] {
        self.0.finish().as_ref().try_into().expect("32 bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sealed_too() {
        let ring = Ring::new([(1, [7; 32])]).unwrap();
        assert_eq!(ring.unseal("pat#1|name", &ring.seal("pat#1|name", vec![])).unwrap(), b"");
        assert!(ring.unseal("pat#1|name", &[VERSION; HEAD + TAG - 1]).is_err());
    }

    /// FIPS 180-2, B.1.
    #[test]
    fn a_digest_is_the_standards_whole_or_in_pieces() {
        let wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let hex = |bytes: [u8; 32]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(hex(sha256(b"abc")), wanted);
        let mut pieces = Sha256::default();
        pieces.update(b"a");
        pieces.update(b"bc");
        assert_eq!(hex(pieces.finish()), wanted);
    }

    #[test]
    fn a_signature_holds_for_its_bytes_and_its_key_alone() {
        use aws_lc_rs::{
            encoding::{AsDer, PublicKeyX509Der},
            rand::SystemRandom,
            signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
        };
        let pair = || EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let der = |pair: &EcdsaKeyPair| -> Vec<u8> {
            let key: PublicKeyX509Der = pair.public_key().as_der().unwrap();
            key.as_ref().to_vec()
        };
        let (ours, other) = (pair(), pair());
        let signature = ours.sign(&SystemRandom::new(), b"anchor").unwrap();
        assert!(is_signed(&der(&ours), b"anchor", signature.as_ref()));
        assert!(!is_signed(&der(&ours), b"another", signature.as_ref()));
        assert!(!is_signed(&der(&other), b"anchor", signature.as_ref()));
    }

    #[test]
    fn what_was_sealed_opens_only_where_it_was_put() {
        let ring = Ring::new([(1, [7; 32])]).unwrap();
        let sealed = ring.seal("pat#1|name", b"Ada".to_vec());
        assert_eq!(ring.unseal("pat#1|name", &sealed).unwrap(), b"Ada");
        assert!(ring.unseal("pat#2|name", &sealed).is_err());
        assert!(ring.unseal("pat#1|phone", &sealed).is_err());
    }

    #[test]
    fn every_altered_or_cut_byte_is_noticed() {
        let ring = Ring::new([(1, [7; 32])]).unwrap();
        let sealed = ring.seal("p", b"x".to_vec());
        for at in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[at] ^= 1;
            assert!(ring.unseal("p", &bad).is_err(), "byte {at}");
            assert!(ring.unseal("p", &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn after_a_rotation_old_values_open_and_indexes_stay() {
        let before = Ring::new([(1, [7; 32])]).unwrap();
        let after = Ring::new([(1, [7; 32]), (2, [9; 32])]).unwrap();
        let old = before.seal("p", b"x".to_vec());
        assert_eq!(after.unseal("p", &old).unwrap(), b"x");
        let new = after.seal("p", b"x".to_vec());
        assert_eq!(u32::from_be_bytes(new[1..5].try_into().unwrap()), 2);
        assert!(before.unseal("p", &new).is_err());
        assert_eq!(before.blind("phone", "1"), after.blind("phone", "1"));
    }

    #[test]
    fn two_tenants_never_share_an_index_value() {
        let (a, b) = (Ring::new([(1, [1; 32])]).unwrap(), Ring::new([(1, [2; 32])]).unwrap());
        assert_ne!(a.blind("phone", "1"), b.blind("phone", "1"));
        assert_ne!(a.blind("phone", "1"), a.blind("email", "1"));
    }
}
