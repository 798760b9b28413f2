//! Events of the `integrations` module.

use kernel::{PartnerKeyId, WarehouseId, WebhookId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum IntegrationEvent {
    #[serde(rename = "partner_key.created")]
    KeyCreated { key: PartnerKeyId },
    #[serde(rename = "partner_key.rotated")]
    KeyRotated { key: PartnerKeyId },
    #[serde(rename = "partner_key.revoked")]
    KeyRevoked { key: PartnerKeyId },
    /// Ends in so many days: 30, 14, 7, 1.
    #[serde(rename = "partner_key.expiring")]
    KeyExpiring { key: PartnerKeyId, days: u16 },
    #[serde(rename = "partner_key.expired")]
    KeyExpired { key: PartnerKeyId },
    /// Nothing has arrived for an hour.
    #[serde(rename = "webhook.failing")]
    WebhookFailing { webhook: WebhookId },
    /// Nothing is sent any more; `reason`: `failing`, `gone`, `manual`.
    #[serde(rename = "webhook.disabled")]
    WebhookDisabled { webhook: WebhookId, reason: String },
    /// A day's export differed from the day's changes; it is written again.
    #[serde(rename = "warehouse.gap_found")]
    GapFound { warehouse: WarehouseId, day: String, rows: u64, changes: u64 },
}
