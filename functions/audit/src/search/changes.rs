//! Who changed what: by record, user, action and time.

use super::{
    Index,
    seek::{self, Lines, Paging, Wanted},
    shows_origin, unsupported,
};
use crate::kinds::{KINDS, kind_of};
use axum::{http::Method, routing::get};
use jiff::Timestamp;
use kernel::{Error, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::Recorded;
use web::{Answer, Ctx, Query, Reach, Route, route};

pub const ALLOWED: &str =
    "time alone; record; record + action; user; user + action; action – each with from and to";

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/v1/audit/changes", "change.view", "change.list", get(list))
            .asks::<Asked>()
            .gives::<Lines<Line>>(200)
            .trips(9)
            .refuses(&["bad-range", "unsupported-filter"])
            .says("Changes, newest first: by record, user, action and time"),
    ]
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct Asked {
    #[schemars(length(min = 1, max = 60))]
    pub user: Option<String>,
    #[schemars(length(min = 1, max = 40))]
    pub record: Option<String>,
    /// `<kind>.<action or command>`: `pat.update`.
    #[schemars(regex(pattern = r"^[a-z]{3}\.[a-z_]{1,60}$"))]
    pub action: Option<String>,
    #[serde(flatten)]
    pub paging: Paging,
}

/// A change without its values: those are in the record's own history, for whoever may see the record.
#[derive(Clone, Serialize, JsonSchema)]
#[schemars(rename = "ChangeLine")]
pub struct Line {
    pub at: Timestamp,
    pub record: String,
    pub version: u64,
    pub by: String,
    /// As it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_name: Option<Sealed<String>>,
    pub roles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elevated: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_behalf: Option<String>,
    pub action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sealed<String>>,
    /// JSON pointers; none at version 1, when everything is new.
    pub changed: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    pub request: String,
    /// The route's operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<Sealed<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<Sealed<String>>,
    pub hash: String,
}

impl seek::Line for Line {
    const OF: &'static str = "chn";
    const COLUMNS: &'static [&'static str] = &[
        "at",
        "record",
        "version",
        "by",
        "by_name",
        "roles",
        "elevated",
        "on_behalf",
        "action",
        "reason",
        "changed",
        "event",
        "request",
        "route",
        "session",
        "ip",
        "agent",
        "hash",
    ];

    fn takes(recorded: &Recorded, wanted: &Wanted) -> bool {
        let Recorded::Change { kind, change, .. } = recorded else { return false };
        let action = || format!("{kind}.{}", change.action);
        KINDS.covers(wanted.only, kind) && wanted.action.as_ref().is_none_or(|wanted| *wanted == action())
    }
    fn of(recorded: Recorded, origin: bool) -> Option<Self> {
        let Recorded::Change { record, change, .. } = recorded else { return None };
        let change = *change;
        let operations = change.patch.as_array().into_iter().flatten();
        let changed = operations.filter_map(|o| o["path"].as_str().map(String::from)).collect();
        let session = change.session.filter(|_| origin);
        let origin = |value: Option<Sealed<String>>| value.filter(|_| origin);
        Some(Self {
            at: change.at,
            record,
            version: change.version,
            by: change.by,
            by_name: None,
            roles: change.roles,
            elevated: change.elevated,
            on_behalf: change.on_behalf,
            action: change.action,
            reason: change.reason,
            changed,
            event: change.event["type"].as_str().map(String::from),
            request: change.request,
            route: change.route,
            session,
            ip: origin(change.ip),
            agent: origin(change.agent),
            hash: change.hash,
        })
    }
    fn by(&mut self) -> (&str, &mut Option<Sealed<String>>) {
        (&self.by, &mut self.by_name)
    }
    fn shows(&self) -> &str {
        &self.record
    }
}

impl Asked {
    /// As far as this caller may ask.
    pub fn wanted(&self, ctx: &Ctx) -> Result<Wanted> {
        let mut user = self.user.clone();
        if ctx.reach() < Reach::All {
            let own = ctx.actor().user.clone();
            if user.as_ref().is_some_and(|u| *u != own) || self.record.is_some() {
                return Err(Error::forbidden(
                    "own-acts-only",
                    "your role sees what you changed yourself: ask without user and record",
                ));
            }
            user = Some(own);
        }
        let index = match (&self.record, user, &self.action) {
            (Some(_), Some(_), _) => return Err(unsupported(ALLOWED)),
            (Some(record), None, _) => {
                let unknown = || Error::invalid("?record", "format", "expected an id: pat_…");
                Index::Record(kind_of(record).ok_or_else(unknown)?.into(), record.clone())
            }
            (None, Some(user), _) => Index::Actor(user),
            (None, None, Some(action)) => Index::Action(action.clone()),
            (None, None, None) => Index::Days,
        };
        let only = ctx.only();
        Ok(Wanted { index, origin: shows_origin(only), action: self.action.clone(), only })
    }
}

async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Answer {
    seek::answer::<Line>(&ctx, &asked.wanted(&ctx)?, asked.paging).await
}
