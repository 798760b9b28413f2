//! An operator inside an organisation: for a reason, for a while, seen by both sides. The record lies in the
//! platform's part and, under the same id, in the organisation's.

mod api;
mod door;

pub use api::routes;
pub use door::{consented, expire};

use authz::Scope as Reach;
use jiff::{SignedDuration, Timestamp};
use kernel::{ContextId, OperatorId, TenantId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Due, Entity, List, Record, Row};
use web::{Actor, Ctx, Entered, Noun};

kernel::words! {
    pub enum Status {
        /// Waits for a second operator, for the organisation, or for both.
        Requested = "requested",
        Open = "open",
        Ended = "ended",
    }
}

kernel::words! {
    pub enum End {
        Closed = "closed",
        Revoked = "revoked",
        Refused = "refused",
        Expired = "expired",
    }
}

/// The purpose of the link that asks an organisation for its consent.
pub const CONSENT: &str = "context.allow";

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Context {
    pub tenant: TenantId,
    pub operator: OperatorId,
    pub reason: String,
    pub ticket: String,
    pub scope: Reach,
    pub read_only: bool,
    /// From the opening.
    pub minutes: i64,
    pub status: Status,
    pub needs_operator: bool,
    pub needs_consent: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<OperatorId>,
    /// The administrator, or the link by which they did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Timestamp>,
    /// Of the open context; of the request, while it waits.
    pub expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<End>,
}

/// How long a request waits for those who have to agree.
pub const WAITS: SignedDuration = SignedDuration::from_hours(24);

impl Context {
    pub fn is_agreed(&self) -> bool {
        (!self.needs_operator || self.approved_by.is_some())
            && (!self.needs_consent || self.allowed_by.is_some())
    }
    /// Opens it, if everybody has agreed.
    pub fn open_if_agreed(&mut self, now: Timestamp) {
        if self.is_agreed() {
            self.status = Status::Open;
            self.opened_at = Some(now);
            self.expires_at = now + SignedDuration::from_mins(self.minutes);
        }
    }
    pub fn end(&mut self, how: End, by: &str, now: Timestamp) {
        self.status = Status::Ended;
        (self.ended, self.closed_at, self.closed_by) = (Some(how), Some(now), Some(by.into()));
    }
    /// What the guard reads on both sides.
    pub fn entered(&self) -> Entered {
        Entered {
            operator: self.operator.to_string(),
            tenant: self.tenant.prefix(),
            scope: self.scope,
            read_only: self.read_only,
            expires_at: self.expires_at,
            reason: self.reason.clone(),
            ticket: self.ticket.clone(),
        }
    }
}

impl Entity for Context {
    type Id = ContextId;
    const NOUN: &'static str = "context";
    const LISTS: &'static [List<Self>] = &[
        List::newest(),
        List::by("tenant", &["tenant"], |r| vec![Row::new(&[&r.body.tenant], &[&r.id])]),
        List::by("operator", &["operator"], |r| vec![Row::new(&[&r.body.operator], &[&r.id])]),
    ];
    /// The organisation's copy follows the platform's, so one of them is watched; see `door`.
    fn due(record: &Record<Self>) -> Vec<Due> {
        match record.body.status {
            Status::Ended => vec![],
            _ => vec![Due { at: record.body.expires_at, what: "expiry" }],
        }
    }
}

impl Noun for Context {
    fn within(record: &Record<Self>, reach: web::Reach, actor: &Actor) -> bool {
        reach == web::Reach::All || actor.id::<OperatorId>() == Some(record.body.operator)
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let waits = record.body.status == Status::Requested;
        let may = |permission| ctx.may(permission) > web::Reach::None;
        let mut all = vec![];
        match ctx.scope() {
            store::Scope::Platform
                if waits && record.body.approved_by.is_none() && may("context.approve") =>
            {
                all.push("approve")
            }
            store::Scope::Tenant(_) if waits && record.body.needs_consent && may("context.allow") => {
                all.push("allow")
            }
            _ => {}
        }
        if record.body.status != Status::Ended && may("context.revoke") {
            all.push("revoke");
        }
        all
    }
}
