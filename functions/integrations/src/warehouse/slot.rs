//! Quarters of an hour, UTC: what is written together. They begin at fixed times, so that the same changes lie in the
//! same file whenever it is written.

use jiff::Timestamp;

const SECONDS: i64 = 900;

/// The beginning of the quarter in which a moment lies.
pub fn start(at: Timestamp) -> Timestamp {
    let second = at.as_second();
    Timestamp::from_second(second - second.rem_euclid(SECONDS)).unwrap_or(at)
}

/// The beginning of the next one.
pub fn end(at: Timestamp) -> Timestamp {
    Timestamp::from_second(start(at).as_second() + SECONDS).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_begins_at_a_quarter_and_never_crosses_midnight() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(start(at("2026-11-20T10:14:59.999Z")), at("2026-11-20T10:00:00Z"));
        assert_eq!(start(at("2026-11-20T10:15:00Z")), at("2026-11-20T10:15:00Z"));
        assert_eq!(end(at("2026-11-20T23:59:59Z")), at("2026-11-21T00:00:00Z"));
        assert_eq!(end(at("2026-11-20T10:15:00Z")), at("2026-11-20T10:30:00Z"));
    }
}
