//! Messages that a request leaves behind: who looked at whom, and that a session is alive.

use jiff::Timestamp;
use kernel::Result;
use serde::{Deserialize, Serialize};
use std::{future::Future, pin::Pin, time::Duration};

/// What a port answers.
pub type Replying<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;
pub type Posted<'a> = Replying<'a, ()>;

kernel::words! {
    /// Queues that are written to directly, not by the bus: by requests and by the clock.
    pub enum Queue {
        /// Access records; kept by the audit module.
        Access = "access",
        Identity = "identity",
        Patients = "patients",
        Scheduling = "scheduling",
        Audit = "audit",
        Documents = "documents",
        Notifications = "notifications",
        Integrations = "integrations",
        Workflow = "workflow",
        Tenants = "tenants",
    }
}

/// Where messages go: SQS in the cloud and locally, memory in tests.
pub trait Post: Send + Sync {
    fn send<'a>(&'a self, queue: Queue, body: String) -> Posted<'a>;
    /// The same, to arrive so much later: 15 minutes at most.
    fn send_after<'a>(&'a self, queue: Queue, body: String, delay: Duration) -> Posted<'a>;
}

/// One access entry. It is accepted by the queue before anything of the record is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Looked {
    /// `access.looked`
    #[serde(rename = "type")]
    pub kind: String,
    pub tenant: String,
    pub by: String,
    pub at: Timestamp,
    pub request: String,
    /// The route's operation: `patient.show`.
    pub action: String,
    /// Kind and ids of what was shown; of one record, or of a list's page.
    pub of: String,
    pub ids: Vec<String>,
    pub outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elevated: Option<String>,
}

kernel::words! {
    /// What is known when the entry is made: of one record, that it was asked for (the entry goes out beside the
    /// read, so that a failed or refused read leaves one too); of a list, what was shown.
    pub enum Outcome { Asked = "asked", Shown = "shown" }
}
