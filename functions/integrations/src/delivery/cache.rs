//! The endpoints of an organisation, kept for a minute: every event asks for them.

use crate::webhook::Webhook;
use jiff::{SignedDuration, Timestamp};
use kernel::Result;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use store::{Entity, Record, Scope, Wanted};
use web::Ctx;

const KEPT: SignedDuration = SignedDuration::from_secs(60);

type All = Arc<Vec<Record<Webhook>>>;

#[derive(Clone, Default)]
pub struct Endpoints(Arc<Mutex<HashMap<Scope, (Timestamp, All)>>>);

impl Endpoints {
    pub async fn of(&self, ctx: &Ctx) -> Result<All> {
        let (scope, now) = (ctx.scope(), ctx.now());
        if let Some((until, all)) = self.0.lock().expect("never poisoned").get(&scope)
            && now < *until
        {
            return Ok(all.clone());
        }
        // More than there may be of them.
        let page = ctx.store().list(&Webhook::LISTS[0], &Wanted::all(100)).await?;
        let all = Arc::new(page.data);
        self.0.lock().expect("never poisoned").insert(scope, (now + KEPT, all.clone()));
        Ok(all)
    }

    /// What this environment has changed itself it need not wait for.
    pub fn forget(&self, scope: Scope) {
        self.0.lock().expect("never poisoned").remove(&scope);
    }
}
