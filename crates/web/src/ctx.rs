//! The context: tenant, actor, permissions and store of one request. The only door to data.

use crate::{
    Actor, Answer, App, Demands, Noun, Reach, Route, Shown,
    access::{Looked, Outcome, Sight},
    approval::{self, Approving, Sent},
    gate::{Gate, TenantGate},
};
use authz::{DecidedBy, Decision, Held, Holder};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use kernel::{ContextId, Error, Id, Result};
use serde::{Deserialize, Serialize};
use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};
use store::{Caller, Commit, Entity, List, Once, Page, Record, Scope, Store, Wanted, facts};

/// A tenant, opened for this request.
pub(crate) struct Opened {
    pub store: Store,
    pub gate: Arc<Gate>,
}

/// Made by the guard (or for a reaction), nowhere else.
#[derive(Clone)]
pub struct Ctx(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) app: App,
    pub(crate) actor: Actor,
    pub(crate) store: Store,
    pub(crate) gate: Arc<Gate>,
    pub(crate) operation: String,
    pub(crate) decision: Decision,
    pub(crate) demands: Demands,
    pub(crate) once: Option<Once>,
    pub(crate) route: Option<Arc<Route>>,
    /// What was sent, where it may have to wait for a second person.
    pub(crate) sent: Option<Sent>,
    pub(crate) approving: Option<Arc<Approving>>,
    pub(crate) second_person: SecondPerson,
}

/// What a command says of the second person that it may have to wait for.
#[derive(Default)]
pub(crate) struct SecondPerson {
    pub demanded: AtomicBool,
    pub unless_alone: AtomicBool,
}

impl Ctx {
    #[expect(clippy::too_many_arguments, reason = "the guard hands over everything that it found")]
    pub(crate) fn new(
        app: App,
        actor: Actor,
        opened: Opened,
        route: Arc<Route>,
        decision: Decision,
        demands: Demands,
        once: Option<Once>,
        sent: Option<Sent>,
    ) -> Self {
        let (store, gate, operation) = (opened.store, opened.gate, route.operation.clone());
        let (route, approving, second_person) = (Some(route), None, SecondPerson::default());
        let inner = Inner {
            app,
            actor,
            store,
            gate,
            operation,
            decision,
            demands,
            once,
            route,
            sent,
            approving,
            second_person,
        };
        Self(Arc::new(inner))
    }

    /// A part of the product acting by itself in a scope: reactions, schedules. `what` names it in the
    /// change records.
    pub async fn system(app: &App, scope: Scope, what: &str, request: &str) -> Result<Self> {
        Self::caused(app, scope, what, request, vec![]).await
    }

    /// The same where rules stand behind what happens: whatever follows is theirs too.
    pub async fn caused(
        app: &App,
        scope: Scope,
        what: &str,
        request: &str,
        cause: Vec<String>,
    ) -> Result<Self> {
        let actor = Actor::system(scope, what);
        let caller = Caller { by: actor.user.clone(), request: request.into(), cause, ..Caller::default() };
        let store = app.vault().open(scope, caller).await?;
        let gate = app.gates().of(&store).await?;
        Ok(Self(Arc::new(Inner {
            app: app.clone(),
            actor,
            store,
            gate,
            operation: what.into(),
            decision: plain(Reach::All),
            demands: Demands::default(),
            once: None,
            route: None,
            sent: None,
            approving: None,
            second_person: SecondPerson::default(),
        })))
    }

    pub fn app(&self) -> &App {
        &self.0.app
    }
    pub fn actor(&self) -> &Actor {
        &self.0.actor
    }
    pub fn store(&self) -> &Store {
        &self.0.store
    }
    pub fn scope(&self) -> Scope {
        self.0.store.scope()
    }
    /// How far the permission of this route reaches for this caller.
    pub fn reach(&self) -> Reach {
        self.0.decision.reach
    }
    /// What of the record the caller may see or change, if the grant is qualified.
    pub fn only(&self) -> Option<authz::Only> {
        self.0.decision.only
    }
    pub fn decision(&self) -> &Decision {
        &self.0.decision
    }
    pub fn gate(&self) -> &Gate {
        &self.0.gate
    }
    /// What the subscription decides; an error for the platform itself.
    pub fn tenant(&self) -> Result<&TenantGate> {
        self.0.gate.tenant.as_ref().ok_or_else(|| Error::forbidden("no-tenant", "this is for organisations"))
    }
    pub fn now(&self) -> Timestamp {
        self.0.store.now()
    }
    /// The tenant's zone; UTC for the platform.
    pub fn zone(&self) -> TimeZone {
        self.0.gate.tenant.as_ref().map_or(TimeZone::UTC, TenantGate::zone)
    }
    pub fn today(&self) -> Date {
        self.0.store.clock().today(&self.zone())
    }
    pub fn operation(&self) -> &str {
        &self.0.operation
    }
    pub fn once(&self) -> Option<&Once> {
        self.0.once.as_ref()
    }
    pub fn if_match(&self) -> Option<u64> {
        self.0.demands.if_match
    }
    pub fn reason(&self) -> Option<String> {
        self.0.demands.reason.clone()
    }
    /// The reason, from the body or `X-Reason`; 422 if there is none.
    pub fn needs_reason(&self, given: Option<&str>) -> Result<String> {
        let reason = given.map(Into::into).or_else(|| self.reason());
        reason.filter(|r: &String| !r.trim().is_empty()).ok_or_else(|| {
            Error::field(
                "reason-required",
                "x-reason",
                "say why: send X-Reason, or `reason` in the body of a command",
            )
        })
    }

    /// How far another permission reaches for this caller.
    pub fn may(&self, permission: &'static str) -> Reach {
        if self.actor().user.starts_with("system:") {
            return Reach::All;
        }
        self.actor().at_own_sites(authz::decide(&self.holder(), permission, self.now())).reach
    }

    /// The caller with everything their rights come from, as the matrix weighs it.
    pub fn holder(&self) -> Holder<'_> {
        self.actor().holder(&self.0.gate.access)
    }

    /// 403 unless the caller holds it.
    pub fn need(&self, permission: &'static str) -> Result<Reach> {
        match self.may(permission) {
            Reach::None => {
                Err(Error::forbidden("forbidden", format!("this needs the permission {permission}")))
            }
            reach => Ok(reach),
        }
    }

    // ---- reading

    /// One record within the caller's reach. A personal one leaves an access entry at the same time; if that
    /// cannot be accepted, nothing of the record is answered.
    pub async fn get<E: Noun>(&self, id: E::Id) -> Result<Record<E>> {
        if !E::PERSONAL {
            let record = self.store().get::<E>(id).await?;
            return self.reached(record).await;
        }
        let entry = self.looked(E::Id::KIND, vec![id.to_string()], vec![], Outcome::Asked);
        let (record, noted) = futures::join!(self.store().get::<E>(id), entry);
        noted?;
        self.reached(record?).await
    }

    /// The record that is about to be changed: strongly read, within reach, at the version the caller named.
    pub async fn change<E: Noun>(&self, id: E::Id) -> Result<Record<E>> {
        let record = self.store().fresh::<E>(id).await?;
        let record = self.reached(record).await?;
        record.matches(self.if_match())?;
        Ok(record)
    }

    /// The same, also when it is deleted.
    pub async fn change_deleted<E: Noun>(&self, id: E::Id) -> Result<Record<E>> {
        let record = self.store().fresh::<E>(id).await?;
        let record = self.near(record).await?;
        record.matches(self.if_match())?;
        Ok(record)
    }

    /// The record, if it is live and within the caller's reach: for records read by other ways than these.
    pub async fn reached<E: Noun>(&self, record: Record<E>) -> Result<Record<E>> {
        if record.deleted_at.is_some() {
            return Err(Error::Missing);
        }
        self.near(record).await
    }

    async fn near<E: Noun>(&self, record: Record<E>) -> Result<Record<E>> {
        let near = E::within(&record, self.reach(), self.actor()) || E::proven(self, &record).await?;
        if near || self.glass::<E>(&record).await? {
            return Ok(record);
        }
        // Glass is broken by people.
        if E::BREAK_GLASS && !self.actor().is_machine() {
            let detail = "this record is outside your reach; in an emergency open it with a reason: POST /v1/identity/break-glass";
            return Err(Error::forbidden("no-reach", detail).with("break_glass", true));
        }
        Err(Error::Missing)
    }

    /// The least restricted grant of this route's permission that covers the record: somebody who holds `all`
    /// of names and `site` of everything sees everything of their site.
    pub fn covers<E: Noun>(&self, record: &Record<E>) -> Option<Held> {
        let Decision { reach, only, decided_by, held, .. } = self.decision();
        let widest = Held { reach: *reach, only: *only, decided_by: *decided_by };
        let mut covering =
            held.iter().copied().chain([widest]).filter(|h| E::within(record, h.reach, self.actor()));
        let first = covering.next()?;
        Some(if first.only.is_none() { first } else { covering.find(|h| h.only.is_none()).unwrap_or(first) })
    }

    /// Whether the caller broke the glass of this record (or of the person it is about).
    async fn glass<E: Noun>(&self, record: &Record<E>) -> Result<bool> {
        if E::BREAK_GLASS { self.broke_glass(E::subject(record)).await } else { Ok(false) }
    }

    /// Whether the request names a glass that this caller broke for this record, and that is still open.
    pub async fn broke_glass(&self, subject: impl std::fmt::Display) -> Result<bool> {
        #[derive(Deserialize)]
        struct Glass {
            id: String,
            expires_at: Timestamp,
        }
        let Some(claimed) = self.0.demands.break_glass.as_ref() else {
            return Ok(false);
        };
        let place = format!("{}~{subject}", self.actor().user);
        let glass: Option<Glass> = self.store().fact(facts::GLASS, place).await?;
        Ok(glass.is_some_and(|g| g.id == *claimed && g.expires_at > self.now()))
    }

    /// A page of a declared list, with one access entry for the ids shown.
    pub async fn list<E: Noun>(&self, list: &'static List<E>, wanted: &Wanted) -> Result<Page<Record<E>>> {
        let page = self.store().list(list, wanted).await?;
        if E::PERSONAL && !page.data.is_empty() {
            let ids = page.data.iter().map(|r| r.id.to_string()).collect();
            let subjects = page.data.iter().map(E::subject).collect();
            self.looked(E::Id::KIND, ids, subjects, Outcome::Shown).await?;
        }
        Ok(page)
    }

    /// Leaves an access entry for what is about to be shown, if the noun is personal.
    pub async fn looked_at<E: Entity>(&self, ids: impl Iterator<Item = E::Id>) -> Result<()> {
        let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
        if !E::PERSONAL || ids.is_empty() {
            return Ok(());
        }
        self.looked(E::Id::KIND, ids, vec![], Outcome::Shown).await
    }

    /// The same for what is no noun: a search of the trail, an export, a download. Refused as reads are, if it
    /// cannot be recorded.
    pub async fn looked_into(&self, of: &str, ids: Vec<String>) -> Result<()> {
        self.looked(of, ids, vec![], Outcome::Shown).await
    }

    async fn looked(
        &self,
        of: &str,
        ids: Vec<String>,
        subjects: Vec<String>,
        outcome: Outcome,
    ) -> Result<()> {
        let sight = Sight {
            action: self.0.operation.clone(),
            of: of.into(),
            ids,
            subjects,
            outcome: Some(outcome),
            reach: Some(self.reach().to_string()),
            purpose: self.reason(),
            ..Sight::default()
        };
        Looked::by(self.store(), sight).send(self.app().post()).await.map_err(|_| {
            let detail = "reading is not possible while access cannot be recorded; try again";
            Error::refuse(kernel::Kind::Unavailable, "access-not-recorded", detail).retry_after(2)
        })
    }

    // ---- writing

    /// A commit with the caller's reason and, with `If-Match`, the caller's version.
    pub fn commit(&self) -> Commit {
        self.store().commit().because(self.reason()).demanded(self.if_match().is_some())
    }

    /// Runs the commit and answers; the answer is kept beside the write for retries with the same key. What has to
    /// wait for a second person is kept instead, and answered with 428.
    pub async fn settle(&self, commit: Commit, answer: Shown) -> Answer {
        if let Some(approving) = self.approving() {
            return approval::execute(self, &approving.clone(), commit, answer).await;
        }
        if let Some((command, waiting)) = self.route().and_then(|r| Some((r.approvable?, r.waiting?)))
            && let Some(waits) = (waiting.ask)(self, command).await?
        {
            return waits;
        }
        self.send(commit, answer).await
    }

    pub(crate) async fn send(&self, commit: Commit, answer: Shown) -> Answer {
        let done = commit.once(self.once(), answer.status, answer.version, &answer.body).run().await;
        done.map_err(|e| match &self.0.gate.tenant {
            Some(tenant) => tenant.explain(e),
            None => e,
        })?;
        let mut response = answer.respond();
        response.extensions_mut().insert(Settled);
        Ok(response)
    }

    /// The record as this caller sees it, with the commands this caller may give in this state.
    pub fn shown<E: Noun>(&self, status: u16, record: &Record<E>) -> Result<Shown> {
        Shown::record(self, status, record)
    }
}

/// Marks an answer that was kept beside what it wrote.
#[derive(Clone)]
pub(crate) struct Settled;

/// A decision that no role was asked for.
pub(crate) fn plain(reach: Reach) -> Decision {
    Decision { reach, only: None, decided_by: DecidedBy::Rule, held: vec![], trace: vec![] }
}

/// A request without a token: the route is public.
#[derive(Clone)]
pub struct Anyone {
    app: App,
    caller: Caller,
    deadline: Instant,
}

impl Anyone {
    pub(crate) fn new(app: App, caller: Caller, deadline: Instant) -> Self {
        Self { app, caller, deadline }
    }
    pub fn app(&self) -> &App {
        &self.app
    }
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
    /// The caller's address; empty if unknown.
    pub fn ip(&self) -> &str {
        &self.caller.ip
    }
    pub fn now(&self) -> Timestamp {
        self.app.clock().now()
    }
    /// The platform's part of the table, for what belongs to nobody yet.
    pub async fn platform(&self) -> Result<Store> {
        self.open(Scope::Platform, "public").await
    }
    /// A tenant's part, once a slug, a host or a personal link has named it; `by` is the link, which stands
    /// in the change records.
    pub async fn open(&self, scope: Scope, by: &str) -> Result<Store> {
        let caller = Caller { by: by.into(), ..self.caller.clone() };
        Ok(self.app.vault().open(scope, caller).await?.until(self.deadline))
    }
    /// 429 beyond `most` requests of one kind per hour from one address.
    pub async fn hourly(&self, what: &str, most: u64) -> Result<()> {
        let now = self.now();
        let hour = now.strftime("%Y-%m-%dT%H").to_string();
        let platform = self.platform().await?;
        // An address is somebody's: it lies there as a blind index.
        let from = platform.blind("rate", &network(self.ip()));
        let key = store::Key::item("rate", format!("{what}~{from}"), &hour);
        let ttl = now + jiff::SignedDuration::from_hours(2);
        if platform.count(&key, ttl).await? > most {
            let detail = format!("more than {most} requests an hour came from your address; try again later");
            return Err(Error::too_many("rate-limited", detail, 3600));
        }
        Ok(())
    }
}

/// Whom a limit per address counts: of IPv6 the network of 64 bits, which one subscriber has whole.
fn network(ip: &str) -> String {
    match ip.parse::<std::net::Ipv6Addr>() {
        Ok(v6) => v6.segments()[..4].iter().map(|s| format!("{s:x}:")).collect(),
        Err(_) => ip.into(),
    }
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
