//! Anchors: every change record, with an event or without, is told to audit, which writes its hash where nobody can
//! take it away.

use kernel::Result;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use web::{App, Queue};

/// One message per tenant.
pub(crate) async fn send<'a>(app: &App, images: impl Iterator<Item = &'a Value>) -> Result<()> {
    for message in messages(images) {
        app.post().send(Queue::Audit, message.to_string()).await?;
    }
    Ok(())
}

/// `{"type": "anchor", "tenant", "changes": [{record, version, at, hash, id}]}` of the plain images of a batch.
pub fn messages<'a>(images: impl Iterator<Item = &'a Value>) -> Vec<Value> {
    let mut of_tenant: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for image in images {
        let Some((tenant, _)) = image["pk"].as_str().and_then(|pk| pk.split_once("#chg#")) else { continue };
        let [kind, record, at, hash] = ["kind", "id", "at", "hash"].map(|name| image[name].as_str());
        let (Some(kind), Some(record), Some(version)) = (kind, record, image["version"].as_u64()) else {
            tracing::error!(tenant, "a change record that cannot be anchored");
            continue;
        };
        let id = format!("{kind}#{record}#{version}");
        let change = json!({"record": record, "version": version, "at": at, "hash": hash, "id": id});
        of_tenant.entry(tenant.into()).or_default().push(change);
    }
    let message = |(tenant, changes)| json!({"type": "anchor", "tenant": tenant, "changes": changes});
    of_tenant.into_iter().map(message).collect()
}
