//! Who changed what: by record, user, action and time.

use super::{Found, Index, Range, names, page, shows_origin, unsupported};
use crate::{
    cursor,
    kinds::{KINDS, kind_of},
};
use axum::{http::Method, routing::get};
use jiff::Timestamp;
use kernel::{Error, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Change, Recorded};
use web::{Answer, Ctx, Query, Reach, Route, ok, route};

/// Days that one search spans.
const DAYS: i64 = 31;
pub const ALLOWED: &str =
    "time alone; record; record + action; user; user + action; action – each with from and to";

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/v1/audit/changes", "change.view", "change.list", get(list))
            .asks::<Asked>()
            .gives::<Changes>(200)
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
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    #[schemars(range(min = 1, max = 100))]
    pub limit: Option<usize>,
    #[schemars(length(max = 4000))]
    pub cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Changes {
    data: Vec<Line>,
    next: Option<String>,
    /// A thousand entries were looked at and not all of what you asked for may be among them: go on with `next`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    partial: bool,
}

/// A change without its values: those are in the record's own history, for whoever may see the record.
#[derive(Clone, Serialize, JsonSchema)]
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<Sealed<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<Sealed<String>>,
    pub hash: String,
}

impl Line {
    pub fn of(record: &str, change: Change, origin: bool) -> Self {
        let operations = change.patch.as_array().into_iter().flatten();
        let changed = operations.filter_map(|o| o["path"].as_str().map(String::from)).collect();
        let origin = |value: Option<Sealed<String>>| value.filter(|_| origin);
        Self {
            at: change.at,
            record: record.into(),
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
            ip: origin(change.ip),
            agent: origin(change.agent),
            hash: change.hash,
        }
    }
}

/// What a search asks for, as far as this caller may ask.
pub struct Wanted {
    pub index: Index,
    action: Option<String>,
    only: Option<authz::Only>,
}

impl Wanted {
    pub fn of(ctx: &Ctx, asked: &Asked) -> Result<Self> {
        let mut user = asked.user.clone();
        if ctx.reach() < Reach::All {
            let own = ctx.actor().user.clone();
            if user.as_ref().is_some_and(|u| *u != own) || asked.record.is_some() {
                return Err(Error::forbidden(
                    "own-acts-only",
                    "your role sees what you changed yourself: ask without user and record",
                ));
            }
            user = Some(own);
        }
        let index = match (&asked.record, user, &asked.action) {
            (Some(_), Some(_), _) => return Err(unsupported(ALLOWED)),
            (Some(record), None, _) => {
                let unknown = || Error::invalid("?record", "format", "expected an id: pat_…");
                Index::Record(kind_of(record).ok_or_else(unknown)?.into(), record.clone())
            }
            (None, Some(user), _) => Index::Actor(user),
            (None, None, Some(action)) => Index::Action(action.clone()),
            (None, None, None) => Index::Days,
        };
        Ok(Self { index, action: asked.action.clone(), only: ctx.only() })
    }

    pub fn takes(&self, recorded: &Recorded) -> bool {
        let Recorded::Change { kind, change, .. } = recorded else { return false };
        let action = || format!("{kind}.{}", change.action);
        KINDS.covers(self.only, kind) && self.action.as_ref().is_none_or(|wanted| *wanted == action())
    }
}

async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Answer {
    let wanted = Wanted::of(&ctx, &asked)?;
    let range = Range::read(asked.from, asked.to, ctx.now(), DAYS)?;
    let bound = format!("changes|{:?}|{:?}|{:?}", wanted.index, asked.action, (asked.from, asked.to));
    let before = asked.cursor.as_deref().map(|c| cursor::open(ctx.store(), &bound, c)).transpose()?;
    let limit = asked.limit.unwrap_or(25);
    let found = page(ctx.store(), &wanted.index, range, before, limit, &|r| wanted.takes(r)).await?;
    let Found { entries, next, partial } = found;
    let mut data = lines(entries, shows_origin(wanted.only));
    named(&ctx, &mut data).await?;
    let mut ids: Vec<String> = data.iter().map(|l| l.record.clone()).collect();
    ids.sort();
    ids.dedup();
    ctx.looked_into("chn", ids).await?;
    let next = next.map(|before| cursor::after(ctx.store(), &bound, &before));
    ok(&Changes { data, next, partial })
}

pub fn lines(entries: Vec<Recorded>, origin: bool) -> Vec<Line> {
    let line = |recorded| match recorded {
        Recorded::Change { record, change, .. } => Some(Line::of(&record, *change, origin)),
        Recorded::Access(_) => None,
    };
    entries.into_iter().filter_map(line).collect()
}

pub async fn named(ctx: &Ctx, data: &mut [Line]) -> Result<()> {
    let names = names(ctx.store(), data.iter().map(|l| l.by.clone())).await?;
    for line in data {
        line.by_name = names.get(&line.by).cloned().map(Sealed);
    }
    Ok(())
}

/// For files: one row, in the order of [`COLUMNS`].
pub const COLUMNS: &[&str] = &[
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
    "ip",
    "agent",
    "hash",
];

impl Line {
    pub fn row(&self) -> Value {
        seal::open(|| serde_json::to_value(self)).unwrap_or_default()
    }
}
