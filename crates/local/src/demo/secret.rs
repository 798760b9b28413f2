//! Passwords from the machine's random numbers, and the six digits of an authenticator.

use crate::{trouble, trouble::Outcome};
use totp_rs::{Builder, Secret};

/// Letters and digits that are not mistaken for each other, and symbols that need no quoting in a shell.
const KINDS: [&[u8]; 4] = [b"ABCDEFGHJKLMNPQRSTUVWXYZ", b"abcdefghijkmnpqrstuvwxyz", b"23456789", b"-_.+"];
const LENGTH: usize = 20;

/// A password of 20 characters of all kinds: more than 100 random bits.
pub fn password() -> Outcome<String> {
    let mut random = [0u8; LENGTH * 4];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| trouble!("This machine gives no random numbers."))?;
    let all = KINDS.concat();
    let pick = |from: &[u8], n: usize| {
        let bytes = [random[n * 4], random[n * 4 + 1], random[n * 4 + 2], random[n * 4 + 3]];
        char::from(from[u32::from_le_bytes(bytes) as usize % from.len()])
    };
    // One of each kind somewhere, the rest from all; a letter first.
    let of_kind = |n: usize| match n {
        0 => KINDS[1],
        5 => KINDS[0],
        10 => KINDS[2],
        15 => KINDS[3],
        _ => &all,
    };
    Ok((0..LENGTH).map(|n| pick(of_kind(n), n)).collect())
}

/// The authenticator's digits at a time (seconds since 1970), for a secret in base32.
pub fn code(secret: &str, now: u64) -> Outcome<String> {
    let secret =
        Secret::try_from_base32(secret).map_err(|_| trouble!("The authenticator's secret is no base32."))?;
    Ok(Builder::new().with_secret(secret).build_noncompliant().generate(now).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digits_are_those_of_the_standard() {
        // RFC 6238, appendix B: the last six of the eight digits given there.
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        for (at, want) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(code(secret, at).unwrap(), want);
        }
        assert!(code("not base32!", 59).is_err());
    }

    #[test]
    fn a_password_has_every_kind_and_never_repeats() {
        let made: std::collections::BTreeSet<String> = (0..100).map(|_| password().unwrap()).collect();
        assert_eq!(made.len(), 100);
        for kind in KINDS {
            assert!(made.iter().all(|p| p.bytes().any(|b| kind.contains(&b)) && p.len() == LENGTH));
        }
    }
}
