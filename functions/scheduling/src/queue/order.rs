//! Who is next. Pure (spec §6).

use jiff::{SignedDuration, Timestamp};

kernel::words! {
    /// From first to last.
    pub enum Class {
        Emergency = "emergency", Urgent = "urgent", Priority = "priority", Appointment = "appointment", WalkIn = "walk_in",
    }
}

/// Somebody who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub class: Class,
    pub checked_in: Timestamp,
    /// Not before this is it their turn, unless nobody else's is.
    pub eligible_at: Timestamp,
    pub token: u32,
}

/// Nobody becomes urgent by waiting alone.
const OLDEST: i64 = Class::Priority as i64;

/// Waiting an hour raises a class by one, down to `priority`.
pub fn rank(of: &Standing, now: Timestamp) -> i64 {
    let class = of.class as i64;
    if class < OLDEST {
        return class;
    }
    let waited = now.duration_since(of.checked_in).as_hours().max(0);
    (class - waited).max(OLDEST)
}

pub fn key(of: &Standing, now: Timestamp) -> (i64, Timestamp, u32) {
    (rank(of, now), of.eligible_at, of.token)
}

/// In the order in which they would be called if nobody else came: whoever's turn it already is before the rest.
pub fn sort<T>(all: &mut [T], now: Timestamp, standing: impl Fn(&T) -> Standing) {
    all.sort_by_key(|one| {
        let standing = standing(one);
        (standing.eligible_at > now, key(&standing, now))
    });
}

/// How early before its time an appointment's turn comes, and how late it still is one.
pub const EARLY: SignedDuration = SignedDuration::from_mins(15);
pub const LATE: SignedDuration = SignedDuration::from_mins(15);

/// From when a patient can be called.
pub fn eligible(checked_in: Timestamp, appointment: Option<Timestamp>) -> Timestamp {
    appointment.map_or(checked_in, |start| checked_in.max(start - EARLY))
}

/// Ages that go before others.
pub fn age_goes_first(age: i16) -> bool {
    !(5..65).contains(&age)
}

/// The class by rule, where nobody has set one by hand.
pub fn class(now: Timestamp, appointment: Option<Timestamp>, goes_first: bool) -> Class {
    match appointment {
        _ if goes_first => Class::Priority,
        Some(start) if now <= start + LATE => Class::Appointment,
        _ => Class::WalkIn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        "2026-11-20T09:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
    }
    fn waits(class: Class, token: u32, since: i64) -> Standing {
        Standing { class, checked_in: at(since), eligible_at: at(since), token }
    }
    fn order(all: &[Standing], now: Timestamp) -> Vec<u32> {
        let mut all = all.to_vec();
        sort(&mut all, now, |s| *s);
        all.iter().map(|s| s.token).collect()
    }

    #[test]
    fn emergencies_before_appointments_before_walk_ins() {
        let all =
            [waits(Class::WalkIn, 1, 0), waits(Class::Appointment, 2, 1), waits(Class::Emergency, 3, 2)];
        assert_eq!(order(&all, at(3)), [3, 2, 1]);
    }

    #[test]
    fn a_walk_in_of_two_hours_comes_before_a_fresh_appointment_and_never_before_an_urgent_case() {
        let all = [waits(Class::WalkIn, 1, 0), waits(Class::Appointment, 2, 50), waits(Class::Urgent, 3, 55)];
        assert_eq!(order(&all, at(59)), [3, 2, 1], "not an hour yet");
        assert_eq!(order(&all, at(60)), [3, 1, 2], "an hour makes it one class better, and it came first");
        let fresh = [all[0], waits(Class::Priority, 4, 119)];
        assert_eq!(order(&fresh, at(119)), [4, 1]);
        assert_eq!(order(&fresh, at(120)), [1, 4], "two hours make it priority");
        assert_eq!(rank(&all[0], at(24 * 60)), Class::Priority as i64);
    }

    #[test]
    fn an_early_appointment_waits_for_its_time_unless_nobody_else_is_there() {
        let early =
            Standing { eligible_at: eligible(at(0), Some(at(60))), ..waits(Class::Appointment, 1, 0) };
        assert_eq!(early.eligible_at, at(45));
        let walk_in = waits(Class::WalkIn, 2, 5);
        assert_eq!(order(&[early, walk_in], at(10)), [2, 1]);
        assert_eq!(order(&[early, walk_in], at(45)), [1, 2]);
        assert_eq!(order(&[early], at(10)), [1]);
    }

    #[test]
    fn more_than_a_quarter_of_an_hour_late_is_a_walk_in() {
        assert_eq!(class(at(15), Some(at(0)), false), Class::Appointment);
        assert_eq!(class(at(16), Some(at(0)), false), Class::WalkIn);
        assert_eq!(class(at(16), None, true), Class::Priority);
        assert!(age_goes_first(4) && age_goes_first(65) && !age_goes_first(5) && !age_goes_first(64));
    }

    #[test]
    fn within_a_class_the_earlier_token_comes_first() {
        assert_eq!(order(&[waits(Class::WalkIn, 7, 0), waits(Class::WalkIn, 6, 0)], at(1)), [6, 7]);
    }
}
