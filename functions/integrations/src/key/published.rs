//! `fact#partner_key#<pky>`: what identity puts on tokens and compares with them.

use super::PartnerKey;
use kernel::PartnerKeyId;
use serde::Serialize;
use store::{Commit, Record, facts};

/// The first and only generation: a key's rights never change, another key is made.
pub const GENERATION: u64 = 1;

#[derive(Serialize)]
struct Published<'a> {
    live: bool,
    client_id: &'a str,
    gateway_key: &'a str,
    scopes: &'a [String],
    sites: &'a [String],
    modules: Vec<String>,
    ip_allow: &'a [String],
    generation: u64,
}

/// Nothing is published of a key that never worked.
pub fn publish(commit: Commit, record: &Record<PartnerKey>) -> Commit {
    let key = &record.body;
    let (Some(client_id), Some(gateway_key)) = (&key.client_id, &key.gateway_key_id) else { return commit };
    let id: PartnerKeyId = record.id;
    let fact = Published {
        live: key.works(),
        client_id,
        gateway_key,
        scopes: &key.scopes,
        sites: &key.sites,
        modules: key.modules(),
        ip_allow: &key.ip_allow,
        generation: GENERATION,
    };
    commit.fact(facts::PARTNER_KEY, id, &fact)
}
