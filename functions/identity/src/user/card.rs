//! What colleagues see of each other: the name, and where to find them.

use super::{Status, User};
use authz::Only;
use jiff::Timestamp;
use kernel::{DocumentId, Result, UserId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Serialize;
use serde_json::Value;
use store::Record;
use web::{Ctx, noun::View};

#[derive(Serialize, JsonSchema)]
pub struct Card {
    pub id: UserId,
    pub version: u64,
    pub updated_at: Timestamp,
    pub given_name: Sealed<String>,
    pub family_name: Sealed<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preferred_name: Option<Sealed<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<DocumentId>,
    pub roles: Vec<String>,
    pub sites: Vec<String>,
    pub status: Status,
}

impl Card {
    pub fn of(record: &Record<User>) -> Self {
        let body = record.body.clone();
        Self {
            id: record.id,
            version: record.version,
            updated_at: record.updated_at,
            given_name: body.given_name,
            family_name: body.family_name,
            preferred_name: body.preferred_name,
            image: body.image,
            roles: body.roles,
            sites: body.sites,
            status: body.status,
        }
    }
}

/// The whole record, or its card where the caller's right ends at names. One's own is always whole.
pub fn seen(ctx: &Ctx, record: &Record<User>) -> Result<Value> {
    let own = record.id.to_string() == ctx.actor().user;
    let shown = seal::open(|| match ctx.only() {
        Some(Only::Names) if !own => serde_json::to_value(Card::of(record)),
        _ => serde_json::to_value(View::of(ctx, record)),
    });
    shown.map_err(kernel::Error::internal)
}
