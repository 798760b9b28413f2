//! Events of the `audit` module.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum AuditEvent {
    #[serde(rename = "digest.sealed")]
    DigestSealed { digest: kernel::DigestId, day: jiff::civil::Date },
}
