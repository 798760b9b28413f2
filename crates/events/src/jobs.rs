//! Events of long work, which `crates/web` does in every module.

use kernel::JobId;
use serde::{Deserialize, Serialize};

/// Which work, for whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobSaid {
    pub job: JobId,
    /// `document.generate`: what the module is asked to do.
    pub work: String,
    pub requester: String,
    /// `done` or `failed`, once it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum JobEvent {
    /// Heard by the module itself.
    #[serde(rename = "job.requested")]
    Requested(JobSaid),
    #[serde(rename = "job.completed")]
    Completed(JobSaid),
}
