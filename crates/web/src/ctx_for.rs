//! Contexts that speak for somebody else: whoever asked for a command that a second person gives, and a rule's owner.

use crate::{
    Route,
    approval::{Approving, Sent},
    ctx::{Ctx, Inner, SecondPerson},
    extract::Demands,
};
use kernel::{Error, Result};
use std::sync::{Arc, atomic::Ordering::SeqCst};
use store::{Caller, Key, facts};

impl Ctx {
    /// Whether somebody is here and holds a right by one of these roles, which they had and still have.
    pub async fn still_holds(&self, user: &str, had: &[String], permission: &str) -> Result<bool> {
        let mut keys = vec![Key::fact(facts::ACTIVE_USER, user)];
        keys.extend(had.iter().map(|role| Key::member(facts::MEMBERS, format!("role~{role}"), user)));
        let found = self.store().read_many(&keys).await?;
        if found.first().is_none_or(Option::is_none) {
            return Ok(false);
        }
        let held = had.iter().zip(&found[1..]).filter(|(_, member)| member.is_some());
        let roles: Vec<String> = held.map(|(role, _)| role.clone()).collect();
        let access = &self.gate().access;
        let (custom, overrides) = (&access.custom, &access.overrides);
        let holder = authz::Holder { roles: &roles, custom, overrides, ..authz::Holder::default() };
        Ok(authz::decide(&holder, permission, self.now()).is_allowed())
    }

    /// The same caller giving a command that somebody else asked for.
    pub(crate) fn approved(
        &self,
        caller: Caller,
        route: Arc<Route>,
        demands: Demands,
        approving: Arc<Approving>,
    ) -> Result<Self> {
        let permission = route.permission().ok_or(Error::Missing)?;
        let decision = authz::decide(&self.holder(), permission, self.now());
        if !decision.is_allowed() {
            return Err(Error::forbidden("forbidden", format!("this needs the permission {permission}")));
        }
        Ok(Self(Arc::new(Inner {
            app: self.0.app.clone(),
            actor: self.0.actor.clone(),
            store: self.0.store.acting(caller),
            gate: self.0.gate.clone(),
            operation: route.operation.clone(),
            decision,
            demands,
            once: self.0.once.clone(),
            route: Some(route),
            sent: None,
            approving: Some(approving),
            second_person: SecondPerson::default(),
        })))
    }

    /// The product itself, for somebody else: as a rule, on behalf of its owner.
    pub fn on_behalf(&self, by: String, owner: String, cause: Vec<String>) -> Self {
        let caller = Caller { by, on_behalf: Some(owner), cause, ..self.0.store.caller().clone() };
        Self(Arc::new(Inner {
            app: self.0.app.clone(),
            actor: self.0.actor.clone(),
            store: self.0.store.acting(caller),
            gate: self.0.gate.clone(),
            operation: self.0.operation.clone(),
            decision: self.0.decision.clone(),
            demands: Demands::default(),
            once: None,
            route: None,
            sent: None,
            approving: None,
            second_person: SecondPerson::default(),
        }))
    }

    pub(crate) fn route(&self) -> Option<&Route> {
        self.0.route.as_deref()
    }
    pub(crate) fn sent(&self) -> Option<&Sent> {
        self.0.sent.as_ref()
    }
    pub(crate) fn approving(&self) -> Option<&Arc<Approving>> {
        self.0.approving.as_ref()
    }
    pub(crate) fn demand_second_person(&self) {
        self.0.second_person.demanded.store(true, SeqCst);
    }
    pub(crate) fn second_person_demanded(&self) -> bool {
        self.0.second_person.demanded.load(SeqCst)
    }
    pub(crate) fn go_on_if_alone(&self) {
        self.0.second_person.unless_alone.store(true, SeqCst);
    }
    pub(crate) fn goes_on_if_alone(&self) -> bool {
        self.0.second_person.unless_alone.load(SeqCst)
    }
}
