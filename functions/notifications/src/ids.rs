//! Ids that follow from what they are about: whoever makes them a second time makes the same one, and the table
//! refuses it.

use jiff::Timestamp;
use kernel::{Error, Id, Result, Ulid};

/// A ULID of a time and the first 80 bits of a digest.
pub fn at<I: Id>(time: Timestamp, parts: &[&str]) -> I {
    I::of(Ulid::from_parts(time.as_millisecond().unsigned_abs(), random(parts)))
}

/// The same id whenever it is asked for.
pub fn fixed<I: Id>(parts: &[&str]) -> I {
    at(Timestamp::UNIX_EPOCH, parts)
}

/// One's preferences carry the ULID of the person.
pub fn of_person<I: Id>(person: &str) -> Result<I> {
    let (_, ulid) = person.split_once('_').ok_or(Error::Missing)?;
    Ulid::from_string(ulid).map(I::of).map_err(|_| Error::Missing)
}

fn random(parts: &[&str]) -> u128 {
    digest(parts)[..10].iter().fold(0, |n, byte| n << 8 | u128::from(*byte))
}

/// Parts are counted, so that `ab, c` is not `a, bc`.
pub fn digest(parts: &[&str]) -> [u8; 32] {
    let mut all = vec![];
    for part in parts {
        all.extend_from_slice(&(part.len() as u64).to_be_bytes());
        all.extend_from_slice(part.as_bytes());
    }
    seal::sha256(&all)
}

/// A part of the range 0..1 that is always the same for the same words: spreads what would otherwise all happen in
/// one moment.
pub fn share(parts: &[&str]) -> f64 {
    let bytes = digest(parts);
    f64::from(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::NotificationId;

    #[test]
    fn the_same_occasion_makes_the_same_id_and_another_another() {
        let time: Timestamp = "2026-11-20T09:00:00Z".parse().unwrap();
        let id = |parts: &[&str]| at::<NotificationId>(time, parts);
        assert_eq!(id(&["doc#1#3", "expiring", "usr_1"]), id(&["doc#1#3", "expiring", "usr_1"]));
        assert_ne!(id(&["doc#1#3", "expiring", "usr_1"]), id(&["doc#1#3", "expiring", "usr_2"]));
        assert_ne!(id(&["ab", "c"]), id(&["a", "bc"]));
    }

    #[test]
    fn ids_sort_by_the_time_of_their_occasion() {
        let early = at::<NotificationId>("2026-11-20T09:00:00Z".parse().unwrap(), &["z"]);
        let late = at::<NotificationId>("2026-11-20T09:00:01Z".parse().unwrap(), &["a"]);
        assert!(early < late);
    }
}
