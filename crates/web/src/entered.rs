//! An operator's context in a customer's organisation.

use crate::{Actor, App, gate::Gate};
use jiff::Timestamp;
use kernel::{ContextId, Error, Result};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Instant};
use store::{Caller, Scope, Store, facts};

/// A tenant, opened for this request.
pub(crate) struct Opened {
    pub store: Store,
    pub gate: Arc<Gate>,
}

/// An operator inside a customer's organisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entered {
    pub operator: String,
    pub tenant: String,
    pub scope: authz::Scope,
    pub read_only: bool,
    pub expires_at: Timestamp,
    pub reason: String,
    pub ticket: String,
}

/// The operator's context must be open on both sides: the customer may have revoked it a second ago.
pub(crate) async fn enter_tenant(
    app: &App,
    actor: &mut Actor,
    platform: &Store,
    context: ContextId,
    caller: Caller,
    deadline: Instant,
) -> Result<Opened> {
    let ended = || Error::forbidden("context-ended", "this context is not open (any more)");
    let entered: Entered = platform.fact(facts::CONTEXT, context).await?.ok_or_else(ended)?;
    let scope = Scope::from_claim(&entered.tenant).ok_or_else(ended)?;
    let caller = Caller { elevated: Some(context.to_string()), ..caller };
    let store = app.vault().open(scope, caller).await;
    let store = store.map_err(|e| if e.may_pass() { e } else { ended() })?.until(deadline);
    let theirs: Option<serde_json::Value> = store.fact(facts::CONTEXT, context).await?;
    let live = entered.operator == actor.user && entered.expires_at > store.now() && theirs.is_some();
    if !live {
        return Err(ended());
    }
    let gate = app.gates().of(&store).await?;
    actor.scope = scope;
    actor.context = Some(authz::Context { scope: entered.scope, read_only: entered.read_only });
    Ok(Opened { store, gate })
}
