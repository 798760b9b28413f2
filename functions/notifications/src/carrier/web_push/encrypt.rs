//! A message that one browser can read (RFC 8291): a key agreed upon with a key pair that is used once, and one record
//! of the content coding `aes128gcm` (RFC 8188).

use aws_lc_rs::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree},
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use data_encoding::BASE64URL_NOPAD;
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};

/// Bytes of a point on the curve, not compressed.
const POINT: usize = 65;
/// Bytes of the browser's secret.
const SECRET: usize = 16;
/// Bytes of a record; ours has only one, so it holds what a push service has to take (RFC 8291 §4).
const RECORD: u32 = 4096;

/// What a browser gives with its endpoint (`PushSubscription.toJSON().keys`), in base64url.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Keys {
    /// Its public key, a point on P-256.
    #[schemars(length(min = 80, max = 100))]
    pub p256dh: Sealed<String>,
    /// Its secret, 16 bytes.
    #[schemars(length(min = 20, max = 30))]
    pub auth: Sealed<String>,
}

impl Keys {
    fn bytes(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let read = |text: &str| BASE64URL_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok();
        let (point, secret) = (read(&self.p256dh)?, read(&self.auth)?);
        (point.len() == POINT && secret.len() == SECRET).then_some((point, secret))
    }

    /// The name of the field that is no such key.
    pub fn fault(&self) -> Option<&'static str> {
        let read = |text: &str| BASE64URL_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok();
        if read(&self.auth).is_none_or(|s| s.len() != SECRET) {
            return Some("auth");
        }
        // Whether it is a point of the curve shows when something is agreed upon with it.
        sealed(self, b"").is_none().then_some("p256dh")
    }
}

/// The body of the request; none if the keys are none.
pub fn sealed(to: &Keys, plain: &[u8]) -> Option<Vec<u8>> {
    let mut salt = [0; 16];
    SystemRandom::new().fill(&mut salt).ok()?;
    encrypted(to, plain, &PrivateKey::generate(&ECDH_P256).ok()?, salt)
}

fn encrypted(to: &Keys, plain: &[u8], once: &PrivateKey, salt: [u8; 16]) -> Option<Vec<u8>> {
    let (theirs, secret) = to.bytes()?;
    let ours = once.compute_public_key().ok()?;
    let peer = UnparsedPublicKey::new(&ECDH_P256, &theirs);
    let input = agree(once, peer, (), |shared| {
        let info = [b"WebPush: info\0".as_slice(), &theirs, ours.as_ref()].concat();
        Ok(hkdf(&secret, shared, &info))
    });
    let input = input.ok()?;
    let key = hkdf(&salt, &input, b"Content-Encoding: aes128gcm\0");
    let nonce = hkdf(&salt, &input, b"Content-Encoding: nonce\0");
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key[..16]).ok()?);
    let nonce = Nonce::try_assume_unique_for_key(&nonce[..12]).ok()?;
    // The last record ends with this.
    let mut record = [plain, &[2]].concat();
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut record).ok()?;
    let head = [salt.as_slice(), &RECORD.to_be_bytes(), &[POINT as u8], ours.as_ref()].concat();
    let whole = [head, record].concat();
    (whole.len() <= RECORD as usize).then_some(whole)
}

/// HKDF-SHA-256 of one block (RFC 5869): 32 bytes, of which the beginning is used.
fn hkdf(salt: &[u8], input: &[u8], info: &[u8]) -> [u8; 32] {
    let mac = |key: &[u8], data: &[u8]| {
        let mut block = [0; 32];
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data);
        block.copy_from_slice(tag.as_ref());
        block
    };
    mac(&mac(salt, input), &[info, &[1]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Vec<u8> {
        BASE64URL_NOPAD.decode(text.as_bytes()).unwrap()
    }

    /// RFC 8291, section 5 and appendix A.
    const THEIRS: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
    const OURS: &str = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw";
    const SALT: &str = "DGv6ra1nlYgDCS1FRnbzlw";
    const BODY: &str = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmY\
                        WAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexS\
                        gSxsj_Qulcy4a-fN";

    fn keys(p256dh: &str, auth: &str) -> Keys {
        Keys { p256dh: p256dh.into(), auth: auth.into() }
    }

    #[test]
    fn the_standards_own_example_comes_out_to_the_byte() {
        let once = PrivateKey::from_private_key(&ECDH_P256, &bytes(OURS)).unwrap();
        let salt = bytes(SALT).try_into().unwrap();
        let plain = b"When I grow up, I want to be a watermelon";
        let body = encrypted(&keys(THEIRS, AUTH), plain, &once, salt).unwrap();
        assert_eq!(BASE64URL_NOPAD.encode(&body), BODY);
    }

    #[test]
    fn no_two_messages_are_alike() {
        let to = keys(THEIRS, AUTH);
        assert_ne!(sealed(&to, b"x").unwrap(), sealed(&to, b"x").unwrap());
        assert_eq!(sealed(&to, &[0; 3993]).map(|body| body.len()), Some(4096));
        assert_eq!(sealed(&to, &[0; 3994]), None, "longer than a push service has to take");
    }

    #[test]
    fn what_is_no_key_is_named() {
        let off_the_curve = format!("{}A", &THEIRS[..86]);
        assert_eq!(keys(THEIRS, AUTH).fault(), None);
        assert_eq!(keys(&format!("{THEIRS}="), &format!("{AUTH}==")).fault(), None, "with padding too");
        assert_eq!(keys(THEIRS, "short").fault(), Some("auth"));
        assert_eq!(keys("BCVx", AUTH).fault(), Some("p256dh"));
        assert_eq!(keys(&off_the_curve, AUTH).fault(), Some("p256dh"));
    }
}
