//! What a person wants to be told, by which way and at which hours. One per person; its id carries the person's.

pub mod api;
pub mod quiet;

pub use api::LEAVE;
pub use quiet::{Quiet, Window};

use crate::words::{Category, Channel, Priority};
use jiff::{Timestamp, civil::Weekday};
use kernel::PreferencesId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{Entity, List, Record, Unique};
use web::{Actor, Noun, Reach};

/// The ways of one category; what is not named stays on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Ways {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inapp: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push: Option<bool>,
}

impl Ways {
    pub fn of(&self, channel: Channel) -> Option<bool> {
        match channel {
            Channel::Email => self.email,
            Channel::Sms => self.sms,
            Channel::Push => self.push,
        }
    }
    pub fn set(&mut self, channel: Channel, on: bool) {
        match channel {
            Channel::Email => self.email = Some(on),
            Channel::Sms => self.sms = Some(on),
            Channel::Push => self.push = Some(on),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Preferences {
    #[schemars(extend("readOnly" = true))]
    pub user: String,
    /// By category.
    #[schemars(length(max = 15))]
    pub categories: BTreeMap<String, Ways>,
    /// Hours without SMS and push; none = the usual ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Quiet>,
    /// The hour of the day at which digests come.
    #[schemars(range(max = 23))]
    pub digest_hour: u8,
    /// BCP 47; none = as the account says.
    #[schemars(regex(pattern = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"), length(max = 35))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// IANA; none = as the account says.
    #[schemars(length(min = 1, max = 60))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Tried first where one way is enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred: Option<Channel>,
    #[schemars(extend("readOnly" = true))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sms_opt_out_at: Option<Timestamp>,
}

/// The hour of a digest where nobody says another.
const MORNING: u8 = 8;

impl Default for Preferences {
    fn default() -> Self {
        Self {
            user: String::new(),
            categories: BTreeMap::new(),
            quiet: None,
            digest_hour: MORNING,
            language: None,
            time_zone: None,
            preferred: None,
            sms_opt_out_at: None,
        }
    }
}

impl Preferences {
    /// Whether the person takes this category by this way. Account messages cannot be declined.
    pub fn takes(&self, category: Category, channel: Channel) -> bool {
        if category.is_account() {
            return true;
        }
        if channel == Channel::Sms && self.sms_opt_out_at.is_some() {
            return false;
        }
        self.categories.get(category.as_str()).and_then(|w| w.of(channel)).unwrap_or(true)
    }
    /// Whether it stands unread in the inbox; what was declined stands there as read. Never for what is critical.
    pub fn shows(&self, category: Category, priority: Priority) -> bool {
        let declined = self.categories.get(category.as_str()).and_then(|w| w.inapp) == Some(false);
        !declined || priority == Priority::Critical || category.is_account()
    }
}

impl Entity for Preferences {
    type Id = PreferencesId;
    const NOUN: &'static str = "preferences";
    const LISTS: &'static [List<Self>] = &[List::newest()];
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("user", "duplicate", |p| vec![p.user.clone()])];
}

impl Noun for Preferences {
    fn within(record: &Record<Self>, _: Reach, actor: &Actor) -> bool {
        record.body.user == actor.user
    }
}

/// Monday is 1, as ISO 8601 counts.
pub fn day_of(n: u8) -> Option<Weekday> {
    Weekday::from_monday_one_offset(i8::try_from(n).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_stays_on_and_account_messages_cannot_be_declined() {
        let mut mine = Preferences::default();
        assert!(mine.takes(Category::Stock, Channel::Email));
        mine.categories.insert("stock".into(), Ways { email: Some(false), ..Ways::default() });
        mine.categories.insert("account".into(), Ways { email: Some(false), ..Ways::default() });
        assert!(!mine.takes(Category::Stock, Channel::Email));
        assert!(mine.takes(Category::Stock, Channel::Push));
        assert!(mine.takes(Category::Account, Channel::Email));
    }

    #[test]
    fn the_inbox_of_what_is_critical_cannot_be_switched_off() {
        let mut mine = Preferences::default();
        mine.categories.insert("clinical".into(), Ways { inapp: Some(false), ..Ways::default() });
        assert!(!mine.shows(Category::Clinical, Priority::High));
        assert!(mine.shows(Category::Clinical, Priority::Critical));
    }
}
