//! Events of the `audit` module.

use jiff::civil::Date;
use kernel::{AuditExportId, DigestId, SurgeId, VerificationId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum AuditEvent {
    #[serde(rename = "digest.sealed")]
    DigestSealed { digest: DigestId, day: Date },
    /// The first broken link that was found, and by what: a day's digest or a verification.
    #[serde(rename = "audit_chain.broken")]
    ChainBroken { scope: String, first: First },
    #[serde(rename = "verification.requested")]
    VerificationRequested { verification: VerificationId },
    #[serde(rename = "verification.completed")]
    VerificationCompleted { verification: VerificationId, state: String, findings: u64 },
    #[serde(rename = "audit_export.requested")]
    ExportRequested { export: AuditExportId },
    #[serde(rename = "audit_export.completed")]
    ExportCompleted { export: AuditExportId, requested_by: String, rows: u64 },
    /// One user touched more persons within the window than is usual.
    #[serde(rename = "access.surged")]
    AccessSurged { surge: SurgeId, user: String, persons: u64, window: u32 },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct First {
    pub day: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub record: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    pub finding: String,
}
