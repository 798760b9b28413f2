//! A machine's token: its app client names the organisation and the partner key.

use crate::{
    Event, claims,
    reading::{Registered, registered},
};
use identity::session::Client;
use kernel::{Error, PartnerKeyId, Result};
use store::{Caller, Key, Scope, facts};
use web::{
    App,
    gate::{AccessGate, Status, TenantGate},
};

pub async fn answer(app: &App, event: Event) -> Result<Event> {
    let stranger = || Error::forbidden("no-client", "this client belongs to nobody here");
    let client = registered(app, &event.caller_context.client_id).await?.ok_or_else(stranger)?;
    let Registered { tenant: Some(tenant), kind: Client::Machine, key: Some(key), .. } = &client else {
        return Err(stranger());
    };
    let scope = Scope::from_claim(tenant).filter(|s| s.tenant().is_some()).ok_or_else(stranger)?;
    key.parse::<PartnerKeyId>().map_err(|_| stranger())?;
    let caller = Caller { by: key.clone(), request: "token".into(), ..Caller::default() };
    let store = app.vault().open(scope, caller).await.map_err(|_| stranger())?;
    let keys = [Key::fact(facts::TENANT, "self"), Key::fact(facts::ACCESS, "self")];
    let mut found = store.read_many(&keys).await?.into_iter();
    let gate: Option<TenantGate> =
        found.next().flatten().map(serde_json::from_value).transpose().map_err(Error::internal)?;
    let access: Option<AccessGate> =
        found.next().flatten().map(serde_json::from_value).transpose().map_err(Error::internal)?;
    if !gate.is_some_and(|g| matches!(g.status, Status::Trial | Status::Active | Status::PastDue)) {
        return Err(Error::forbidden("tenant-not-open", "this organisation is not open"));
    }
    if let Some(ended) = access.unwrap_or_default().ended(key, client.generation, None) {
        return Err(ended);
    }
    let claims = claims::of_machine(tenant, key, &client);
    Ok(event.answered(claims))
}
