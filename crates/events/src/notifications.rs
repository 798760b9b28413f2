//! Events of the `notifications` module.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum NotificationEvent {
    #[serde(rename = "notification.created")]
    Created { notification: kernel::NotificationId },
}
