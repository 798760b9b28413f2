//! Events of the `notifications` module. Nothing of ours is notified of by a rule (but a reached cap), so that no
//! message ever causes another.

use kernel::{BroadcastId, DeliveryId, NotificationId, PreferencesId, SuppressionId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum NotificationEvent {
    #[serde(rename = "notification.created")]
    Created {
        notification: NotificationId,
        recipient: String,
        category: String,
        priority: String,
        needs_ack: bool,
        /// The event that it tells of.
        of: String,
    },
    #[serde(rename = "notification.read")]
    Read { notification: NotificationId, recipient: String },
    #[serde(rename = "notification.acknowledged")]
    Acknowledged { notification: NotificationId, recipient: String, of: String, record: String },
    #[serde(rename = "notification.escalated")]
    Escalated { notification: NotificationId, recipient: String, level: u8, of: String, record: String },
    #[serde(rename = "notification.failed")]
    Failed { notification: NotificationId, delivery: DeliveryId, channel: String, code: String },
    #[serde(rename = "delivery.bounced")]
    Bounced { delivery: DeliveryId, channel: String, code: String },
    #[serde(rename = "delivery.complained")]
    Complained { delivery: DeliveryId, channel: String },
    #[serde(rename = "delivery.suppressed")]
    Suppressed { suppression: SuppressionId, channel: String, reason: String },
    #[serde(rename = "broadcast.sent")]
    BroadcastSent { broadcast: BroadcastId, recipients: u64 },
    /// `percent` is 80 or 100.
    #[serde(rename = "cap.reached")]
    CapReached { channel: String, window: String, percent: u8 },
    #[serde(rename = "preference.changed")]
    PreferenceChanged { preferences: PreferencesId, user: String },
}
