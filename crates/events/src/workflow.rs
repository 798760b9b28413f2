//! Events of the `workflow` module.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum WorkflowEvent {
    #[serde(rename = "task.created")]
    TaskCreated { task: kernel::TaskId },
}
