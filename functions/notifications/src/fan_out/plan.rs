//! By which ways a person is told, and when: pure, from what they want and what time it is where they are.

use crate::{
    delivery::{Hold, Skip},
    ids,
    people::Person,
    preferences::{Window, quiet},
    rule::{Mode, NotificationRule},
    words::{Category, Channel, Priority},
};
use jiff::Timestamp;

/// One way, and what comes of it for now.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    pub channel: Channel,
    pub fate: Fate,
    /// Ways that follow if this one does not reach.
    pub next: Vec<Channel>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    Queue,
    Hold(Hold, Timestamp),
    Skip(Skip),
}

/// What decides about the hour.
#[derive(Clone, Copy, Debug)]
pub struct Urgency<'a> {
    pub category: Category,
    pub priority: Priority,
    pub expires_at: Option<Timestamp>,
    /// Spreads what would otherwise all go at once.
    pub key: &'a str,
}

pub fn ways(rule: &NotificationRule, person: &Person, urgency: Urgency<'_>, now: Timestamp) -> Vec<Way> {
    let refused = |channel: Channel| refusal(person, urgency, channel, now);
    let fate = |channel: Channel| match refused(channel) {
        Some(why) => Fate::Skip(why),
        None => hour(person, urgency, channel, now),
    };
    match rule.mode {
        Mode::All => {
            rule.channels.iter().map(|c| Way { channel: *c, fate: fate(*c), next: vec![] }).collect()
        }
        Mode::FirstDelivered => {
            let mut order = rule.channels.clone();
            if let Some(preferred) = person.preferred() {
                order.sort_by_key(|c| *c != preferred);
            }
            let usable: Vec<Channel> = order.iter().copied().filter(|c| refused(*c).is_none()).collect();
            match usable.split_first() {
                Some((first, rest)) => vec![Way { channel: *first, fate: fate(*first), next: rest.to_vec() }],
                // Nothing reaches: the first way says why.
                None => {
                    order.iter().take(1).map(|c| Way { channel: *c, fate: fate(*c), next: vec![] }).collect()
                }
            }
        }
    }
}

/// Why a way is not used at all; asked again when it is about to be sent, since wishes and addresses change.
pub fn refusal(person: &Person, urgency: Urgency<'_>, channel: Channel, now: Timestamp) -> Option<Skip> {
    if person.deceased {
        return Some(Skip::Deceased);
    }
    if person.contact.do_not_contact {
        return Some(Skip::DoNotContact);
    }
    if urgency.expires_at.is_some_and(|at| at <= now) {
        return Some(Skip::Expired);
    }
    if !person.wants.takes(urgency.category, channel) {
        return Some(Skip::Preference);
    }
    let reachable = match channel {
        Channel::Push => person.has_login,
        Channel::Email | Channel::Sms => person.address(channel).is_some(),
    };
    (!reachable).then_some(Skip::NoAddress)
}

/// Whether it goes now. In quiet hours SMS and push wait, e-mail only where the person says so; what is critical and
/// what is about the account never, and what is urgent not for those who are at work.
pub fn hour(person: &Person, urgency: Urgency<'_>, channel: Channel, now: Timestamp) -> Fate {
    let passes = urgency.priority == Priority::Critical || urgency.category.is_account() || person.on_shift;
    let own = person.wants.quiet.as_ref();
    let waits = channel != Channel::Email || own.is_some_and(|q| q.email);
    let end = Window::of(own, person.staff).until(now, &person.zone);
    let Some(end) = end.filter(|_| waits && !passes) else { return Fate::Queue };
    if urgency.expires_at.is_some_and(|at| at <= end) {
        return Fate::Skip(Skip::Expired);
    }
    let spread = quiet::spread(ids::share(&[urgency.key, channel.as_str()]));
    Fate::Hold(Hold::QuietHours, end + spread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        people::Contact,
        preferences::{Preferences, Ways},
        rule,
    };
    use jiff::{SignedDuration, tz::TimeZone};

    fn ada(staff: bool) -> Person {
        let contact = Contact {
            name: "Ada Okafor".into(),
            email: Some("ada@example.org".into()),
            phone: Some("+2348031234567".into()),
            ..Contact::default()
        };
        Person {
            id: "usr_1".into(),
            asked: vec!["usr_1".into()],
            contact,
            sites: vec![],
            has_login: true,
            staff,
            deceased: false,
            on_shift: false,
            wants: Preferences::default(),
            zone: TimeZone::get("Africa/Lagos").unwrap(),
            language: "en-NG".into(),
        }
    }
    fn rule(code: &str) -> &'static NotificationRule {
        rule::shipped().iter().find(|r| r.code == code).unwrap()
    }
    fn urgency(rule: &NotificationRule, expires_at: Option<Timestamp>) -> Urgency<'static> {
        Urgency { category: rule.category, priority: rule.priority, expires_at, key: "ntf_1" }
    }
    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_reminder_at_two_waits_until_eight_and_a_critical_result_goes_at_once() {
        let night = at("2026-11-20T01:00:00Z");
        let reminder = rule("appointment_reminder");
        let ways = ways(reminder, &ada(false), urgency(reminder, None), night);
        let Fate::Hold(Hold::QuietHours, until) = ways[0].fate else { panic!("{ways:?}") };
        let eight = at("2026-11-20T07:00:00Z");
        assert!((eight..eight + SignedDuration::from_mins(10)).contains(&until), "{until}");
        let critical = rule("critical_value_stat");
        let ways = super::ways(critical, &ada(true), urgency(critical, None), night);
        assert!(ways.iter().all(|w| w.fate == Fate::Queue), "{ways:?}");
    }

    #[test]
    fn what_would_come_too_late_after_the_night_is_not_sent() {
        let reminder = rule("appointment_reminder");
        let until = Some(at("2026-11-20T06:00:00Z"));
        let ways = ways(reminder, &ada(false), urgency(reminder, until), at("2026-11-20T01:00:00Z"));
        assert_eq!(ways[0].fate, Fate::Skip(Skip::Expired));
    }

    #[test]
    fn whoever_is_at_work_at_night_is_told_at_night() {
        let urgent = rule("task_overdue");
        let mut nurse = ada(true);
        let night = at("2026-11-20T23:00:00Z");
        assert!(matches!(ways(urgent, &nurse, urgency(urgent, None), night)[0].fate, Fate::Hold(..)));
        nurse.on_shift = true;
        assert_eq!(ways(urgent, &nurse, urgency(urgent, None), night)[0].fate, Fate::Queue);
    }

    #[test]
    fn where_one_way_is_enough_the_preferred_one_comes_first_and_the_others_follow() {
        let booked = rule("appointment_booked");
        let day = at("2026-11-20T10:00:00Z");
        let mut ada = ada(false);
        let first = |ada: &Person| ways(booked, ada, urgency(booked, None), day).remove(0);
        assert_eq!((first(&ada).channel, first(&ada).next), (Channel::Sms, vec![Channel::Email]));
        ada.wants.preferred = Some(Channel::Email);
        assert_eq!((first(&ada).channel, first(&ada).next), (Channel::Email, vec![Channel::Sms]));
        ada.contact.email = None;
        assert_eq!((first(&ada).channel, first(&ada).next), (Channel::Sms, vec![]));
        ada.contact.phone = None;
        assert_eq!(first(&ada).fate, Fate::Skip(Skip::NoAddress));
    }

    #[test]
    fn what_was_declined_is_skipped_with_its_reason() {
        let low = rule("document_expiring");
        let mut ada = ada(true);
        let declined = Ways { email: Some(false), ..Ways::default() };
        ada.wants.categories.insert("compliance".into(), declined);
        let ways = ways(low, &ada, urgency(low, None), at("2026-11-20T10:00:00Z"));
        assert_eq!(ways[0].fate, Fate::Skip(Skip::Preference));
    }
}
