//! Anchors: every change record, with an event or without, is told to audit, which writes its hash where nobody can
//! take it away.

pub use crate::change::image::plain;
use events::ChangeAt;
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
        let pk = image["pk"].as_str().filter(|pk| pk.contains("#chg#"));
        let Some(pk) = pk else { continue };
        let Some((change, hash)) = ChangeAt::read(pk, image).zip(image["hash"].as_str()) else {
            tracing::error!(pk, "a change record that cannot be anchored");
            continue;
        };
        let ChangeAt { tenant, record, version, at, .. } = change;
        let told = json!({"record": record, "version": version, "at": at, "hash": hash, "id": change.id()});
        of_tenant.entry(tenant.into()).or_default().push(told);
    }
    let message = |(tenant, changes)| json!({"type": "anchor", "tenant": tenant, "changes": changes});
    of_tenant.into_iter().map(message).collect()
}
