//! When an attempt is made (`spec/integrations.md`): ten within three days, each a little before or after its time, so
//! that an endpoint that comes back is not met by everything at once.

use super::{Attempt, Delivery, Status};
use crate::{
    outgoing::{Answered, Failed},
    webhook::health::Heard,
};
use jiff::{SignedDuration, Timestamp};
use seal::{Sealed, sha256};

/// Seconds before each attempt, counted from the one before.
pub const BEFORE: [i64; 10] = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// What the queue carries by itself; what comes later is the clock's.
pub const BY_QUEUE: SignedDuration = SignedDuration::from_mins(14);
/// The longest that an endpoint may ask us to wait.
const LONGEST_ASKED: i64 = 3_600;

/// The wait before attempt number `made` (counted from 0), ±10 %: the same for the same delivery.
pub fn wait(message_id: &str, made: usize) -> Option<SignedDuration> {
    let seconds = *BEFORE.get(made)?;
    let digest = sha256(format!("{message_id}|{made}").as_bytes());
    let jitter = i64::from(u16::from_be_bytes([digest[0], digest[1]])) - 32_768;
    // Milliseconds, so that five seconds vary too.
    Some(SignedDuration::from_millis(seconds * 1000 + seconds * 100 * jitter / 32_768))
}

/// What an attempt means: for the delivery, and for what is known of its endpoint.
pub fn settle(delivery: &mut Delivery, answer: &Result<Answered, Failed>, ms: u64, now: Timestamp) -> Heard {
    let status = answer.as_ref().ok().map(|a| a.status);
    let delivered = status.is_some_and(|s| (200..300).contains(&s));
    let said =
        answer.as_ref().ok().filter(|_| !delivered).map(|a| String::from_utf8_lossy(&a.body).into_owned());
    delivery.attempts.push(Attempt {
        at: now,
        status,
        ms,
        error: answer.as_ref().err().map(Failed::to_string),
        response: said.filter(|text| !text.is_empty()).map(Sealed),
    });
    delivery.next_at = None;
    if delivered {
        delivery.status = Status::Delivered;
        return Heard::Well;
    }
    if status == Some(410) {
        delivery.status = Status::Abandoned;
        return Heard::Gone;
    }
    match wait(&delivery.message_id, delivery.attempts.len()) {
        None => delivery.status = Status::Failed,
        Some(wait) => {
            let asked =
                answer.as_ref().ok().filter(|a| matches!(a.status, 429 | 503)).and_then(|a| a.retry_after);
            let asked = asked
                .map(|s| SignedDuration::from_secs(i64::try_from(s).unwrap_or(i64::MAX).min(LONGEST_ASKED)));
            delivery.next_at = Some(now + asked.map_or(wait, |asked| asked.max(wait)));
        }
    }
    Heard::Badly
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{Id, WebhookId};

    fn delivery() -> Delivery {
        Delivery {
            webhook: WebhookId::of(kernel::Ulid::from_parts(1, 2)),
            owner: "usr_1".into(),
            message_id: "msg_1".into(),
            event: "patient.registered".into(),
            change: "pat#1#1".into(),
            happened_at: Timestamp::UNIX_EPOCH,
            status: Status::Pending,
            attempts: vec![],
            next_at: Some(Timestamp::UNIX_EPOCH),
            replay_of: None,
        }
    }
    fn answered(status: u16, retry_after: Option<u64>) -> Result<Answered, Failed> {
        Ok(Answered { status, retry_after, body: b"no".to_vec() })
    }

    #[test]
    fn ten_attempts_fill_three_days_and_each_is_near_its_time() {
        let total: i64 = BEFORE.iter().sum();
        assert!((3 * 86_400..4 * 86_400).contains(&total), "{total} s");
        for (made, seconds) in BEFORE.iter().enumerate() {
            for message in ["msg_1", "msg_2", "msg_3"] {
                let waited = wait(message, made).unwrap().as_millis() as i64;
                assert!((waited - seconds * 1000).abs() <= seconds * 100, "{made}: {waited} ms");
                assert_eq!(wait(message, made), wait(message, made));
            }
        }
        assert_ne!(wait("msg_1", 5), wait("msg_2", 5));
        assert_eq!(wait("msg_1", 10), None);
    }

    #[test]
    fn only_2xx_is_success_and_the_tenth_failure_is_the_last() {
        let now = Timestamp::UNIX_EPOCH;
        let mut one = delivery();
        assert_eq!(settle(&mut one, &answered(204, None), 3, now), Heard::Well);
        assert_eq!((one.status, one.next_at), (Status::Delivered, None));
        for bad in [answered(301, None), answered(404, None), Err(Failed::TimedOut), Err(Failed::Unsafe)] {
            let mut one = delivery();
            for made in 1..=10 {
                assert_eq!(one.status, Status::Pending, "before attempt {made}");
                assert_eq!(settle(&mut one, &bad, 3, now), Heard::Badly);
            }
            assert_eq!((one.status, one.next_at, one.attempts.len()), (Status::Failed, None, 10));
        }
    }

    #[test]
    fn an_endpoint_that_is_gone_is_asked_no_more() {
        let mut one = delivery();
        assert_eq!(settle(&mut one, &answered(410, None), 3, Timestamp::UNIX_EPOCH), Heard::Gone);
        assert_eq!((one.status, one.next_at), (Status::Abandoned, None));
    }

    #[test]
    fn who_asks_for_time_gets_it_up_to_an_hour() {
        let next = |answer| {
            let mut one = delivery();
            settle(&mut one, &answer, 3, Timestamp::UNIX_EPOCH);
            one.next_at.unwrap().as_second()
        };
        assert_eq!(next(answered(429, Some(120))), 120);
        assert_eq!(next(answered(503, Some(86_400))), 3_600);
        assert!(next(answered(503, Some(1))) >= 4, "never sooner than planned");
        assert!(next(answered(500, Some(120))) <= 6, "only 429 and 503 may ask");
    }
}
