//! What a verification says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

kernel::words! {
    /// What is wrong. The last three are no failures: a part that was erased with a certificate, a change that was
    /// anchored after its day was sealed, one that is younger than its anchor may be.
    pub enum Broken {
        DigestMissing = "digest_missing",
        DigestAltered = "digest_altered",
        DigestReordered = "digest_reordered",
        SignatureInvalid = "signature_invalid",
        Deleted = "deleted",
        Truncated = "truncated",
        Reordered = "reordered",
        Altered = "altered",
        Relinked = "relinked",
        Rewritten = "rewritten",
        Inserted = "inserted",
        RecordAltered = "record_altered",
        AccessAltered = "access_altered",
        AccessDeleted = "access_deleted",
        AccessInserted = "access_inserted",
        Redacted = "redacted",
        Late = "late",
    }
}

impl Broken {
    pub fn is_failure(self) -> bool {
        !matches!(self, Self::Redacted | Self::Late)
    }
}

/// One thing that is wrong, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    pub finding: Broken,
    /// UTC day.
    pub day: String,
    /// When the change was made, as far as it is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub at: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub record: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The part that was altered: `patch`, `snapshot`, `context`, `event`, `form`, `checks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    /// In plain words.
    pub detail: String,
}

impl Finding {
    pub fn of_day(finding: Broken, day: &str, detail: impl Into<String>) -> Self {
        Self {
            finding,
            day: day.into(),
            at: String::new(),
            record: String::new(),
            version: None,
            member: None,
            detail: detail.into(),
        }
    }
    pub fn of_change(
        finding: Broken,
        at: &str,
        record: &str,
        version: u64,
        detail: impl Into<String>,
    ) -> Self {
        let day = at.get(..10).unwrap_or_default();
        Self {
            at: at.into(),
            record: record.into(),
            version: Some(version),
            ..Self::of_day(finding, day, detail)
        }
    }
    pub fn in_member(self, member: &str) -> Self {
        Self { member: Some(member.into()), ..self }
    }
}

/// In the order of their day, time and place: the first that is a failure is the first broken link.
pub fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| {
        let key = |f: &Finding| (f.day.clone(), f.at.clone(), f.record.clone(), f.version, f.finding);
        key(a).cmp(&key(b))
    });
    findings.dedup();
    findings
}
