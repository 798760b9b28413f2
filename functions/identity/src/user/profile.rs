//! What a user says about themselves: how to be reached, how to be shown things, and the second factor.

use jiff::{Timestamp, civil::Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

kernel::words! {
    pub enum Channel {
        Email = "email",
        Sms = "sms",
        Push = "push",
        InApp = "inapp",
        Phone = "phone",
        Whatsapp = "whatsapp",
    }
}

/// How somebody wants to be told things. Security notices are always sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContactPreference {
    pub channel: Channel,
    /// In the person's own time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QuietHours {
    pub from: Time,
    pub to: Time,
}

impl Default for ContactPreference {
    fn default() -> Self {
        Self { channel: Channel::Email, quiet_hours: None }
    }
}

/// How screens show themselves to this person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Accessibility {
    /// 1.0–3.0
    #[schemars(range(min = 1.0, max = 3.0))]
    pub text_scale: f64,
    pub screen_reader: bool,
    pub high_contrast: bool,
    pub reduced_motion: bool,
    pub voice: bool,
    pub easy_read: bool,
}

impl Default for Accessibility {
    fn default() -> Self {
        Self {
            text_scale: 1.0,
            screen_reader: false,
            high_contrast: false,
            reduced_motion: false,
            voice: false,
            easy_read: false,
        }
    }
}

kernel::words! {
    pub enum Method { None = "none", Totp = "totp" }
}

/// The second factor. The secret lives in the user pool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Mfa {
    pub method: Method,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled_at: Option<Timestamp>,
    /// Recovery codes not used yet.
    #[serde(default)]
    pub recovery_left: u32,
}

impl Default for Mfa {
    fn default() -> Self {
        Self { method: Method::None, enabled_at: None, recovery_left: 0 }
    }
}

impl Mfa {
    pub fn is_on(&self) -> bool {
        self.method != Method::None
    }
}
