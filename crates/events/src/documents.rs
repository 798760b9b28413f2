//! Events of the `documents` module.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum DocumentEvent {
    #[serde(rename = "document.created")]
    Created { document: kernel::DocumentId },
}
