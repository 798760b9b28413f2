//! Events of the `integrations` module.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum IntegrationEvent {
    #[serde(rename = "partner_key.created")]
    KeyCreated { key: kernel::PartnerKeyId },
}
