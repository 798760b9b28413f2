//! Cognito's event, as far as it matters here; whatever else it carries goes back unchanged.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    pub trigger_source: String,
    pub caller_context: Caller,
    pub request: Request,
    #[serde(default)]
    pub response: Response,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Caller {
    pub client_id: String,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    #[serde(default)]
    pub user_attributes: Map<String, Value>,
    #[serde(default)]
    pub scopes: Vec<String>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Request {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.user_attributes.get(name).and_then(Value::as_str).filter(|v| !v.is_empty())
    }
}

/// Pre-authentication answers with nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claims_and_scope_override_details: Option<Details>,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Details {
    pub access_token_generation: Access,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Access {
    /// Texts only: API Gateway flattens everything else.
    pub claims_to_add_or_override: BTreeMap<String, String>,
    pub scopes_to_add: Vec<String>,
    pub scopes_to_suppress: Vec<String>,
}

impl Event {
    /// A session goes on, as opposed to beginning.
    pub fn refreshes(&self) -> bool {
        self.trigger_source == "TokenGeneration_RefreshTokens"
    }

    pub fn answered(mut self, access: Access) -> Self {
        self.response.claims_and_scope_override_details = Some(Details { access_token_generation: access });
        self
    }
}
