//! Who looked at what: by record, user, person and time.

use super::{
    Index,
    seek::{self, Lines, Paging, Wanted},
    unsupported,
};
use crate::kinds::kind_of;
use axum::{http::Method, routing::get};
use jiff::Timestamp;
use kernel::{Error, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Key, Recorded, facts, trail::Looked};
use web::{Answer, Ctx, Query, Reach, Route, route};

pub const ALLOWED: &str = "record; user; subject – each with from and to";

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/v1/audit/access", "access.view", "access.list", get(list))
            .asks::<Asked>()
            .gives::<Lines<Line>>(200)
            .trips(5)
            .refuses(&["bad-range", "unsupported-filter"])
            .says("Who looked: at a record, at a person, or what a user looked at; newest first"),
    ]
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct Asked {
    #[schemars(length(min = 1, max = 40))]
    pub record: Option<String>,
    #[schemars(length(min = 1, max = 60))]
    pub user: Option<String>,
    /// The person whom records are about.
    #[schemars(length(min = 1, max = 40))]
    pub subject: Option<String>,
    #[serde(flatten)]
    pub paging: Paging,
}

#[derive(Clone, Serialize, JsonSchema)]
#[schemars(rename = "AccessLine")]
pub struct Line {
    pub id: String,
    pub at: Timestamp,
    pub by: String,
    /// As it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_name: Option<Sealed<String>>,
    pub roles: Vec<String>,
    /// The route's operation: `patient.show`.
    pub action: String,
    pub kind: String,
    /// In the order shown.
    pub records: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// `asked`: the record was asked for, the entry went out beside the read; `shown`, `refused`, `failed`.
    pub outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elevated: Option<String>,
    /// How often the same refusal came in a row.
    pub count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Sealed<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<Sealed<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<Sealed<String>>,
}

impl seek::Line for Line {
    const OF: &'static str = "acc";
    const COLUMNS: &'static [&'static str] = &[
        "id", "at", "by", "by_name", "roles", "action", "kind", "records", "subject", "outcome", "status",
        "problem", "reach", "elevated", "count", "request", "purpose", "ip", "agent",
    ];

    fn takes(recorded: &Recorded, _: &Wanted) -> bool {
        matches!(recorded, Recorded::Access(_))
    }
    /// Those who ask about themselves do not see where staff called from.
    fn of(recorded: Recorded, origin: bool) -> Option<Self> {
        let Recorded::Access(looked) = recorded else { return None };
        let Looked { kept, context } = *looked;
        let (entry, given) =
            (kept.entry, |text: String| Some(Sealed(text)).filter(|t| origin && !t.0.is_empty()));
        Some(Self {
            id: entry.id,
            at: entry.at.parse().unwrap_or_default(),
            by: entry.by,
            by_name: None,
            roles: entry.roles,
            action: entry.action,
            kind: entry.of,
            records: entry.ids,
            subject: kept.subject,
            outcome: entry.outcome,
            status: entry.status,
            problem: entry.problem,
            reach: entry.reach,
            elevated: entry.elevated,
            count: kept.count,
            request: Some(entry.request).filter(|_| origin),
            purpose: context.purpose.and_then(given),
            ip: given(context.ip),
            agent: given(context.agent),
        })
    }
    fn by(&mut self) -> (&str, &mut Option<Sealed<String>>) {
        (&self.by, &mut self.by_name)
    }
    fn shows(&self) -> &str {
        &self.id
    }
}

impl Asked {
    /// As far as this caller may ask.
    pub async fn wanted(&self, ctx: &Ctx) -> Result<Wanted> {
        let id = |name: &str, value: &String| {
            let unknown = || Error::invalid(format!("?{name}"), "format", "expected an id: pat_…");
            Ok::<_, Error>((kind_of(value).ok_or_else(unknown)?.to_string(), value.clone()))
        };
        let all = ctx.reach() >= Reach::All;
        let (index, origin) = match (&self.record, &self.user, &self.subject) {
            (Some(record), None, None) if all => {
                let (kind, id) = id("record", record)?;
                (Index::Looked(kind, id), true)
            }
            (None, Some(user), None) if all || *user == ctx.actor().user => {
                (Index::Actor(user.clone()), true)
            }
            (None, None, Some(person)) if all => (Index::Person(id("subject", person)?.1), true),
            (None, None, Some(person)) => {
                let person = id("subject", person)?.1;
                if !is_theirs(ctx, &person).await? {
                    return Err(Error::Missing);
                }
                (Index::Person(person), false)
            }
            (None, None, None) if !all => (Index::Actor(ctx.actor().user.clone()), true),
            _ if !all => {
                let detail = "your role sees what you looked at yourself: ask without record and user";
                return Err(Error::forbidden("own-acts-only", detail));
            }
            _ => return Err(unsupported(ALLOWED)),
        };
        Ok(Wanted { index, origin, action: None, only: None })
    }
}

/// The caller is this person, or somebody linked to them.
async fn is_theirs(ctx: &Ctx, person: &str) -> Result<bool> {
    let user = &ctx.actor().user;
    let keys = [Key::fact(facts::LINKED, format!("{user}~{person}")), Key::fact(facts::PATIENT, person)];
    let [linked, patient] = &ctx.store().read_many(&keys).await?[..] else { return Ok(false) };
    let lives = |link: &Value| {
        let until = link["until"].as_str().and_then(|u| u.parse::<Timestamp>().ok());
        until.is_none_or(|until| until > ctx.now())
    };
    let own = patient.as_ref().is_some_and(|p| p["user_id"] == user.as_str());
    Ok(own || linked.as_ref().is_some_and(lives))
}

async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Answer {
    let wanted = asked.wanted(&ctx).await?;
    seek::answer::<Line>(&ctx, &wanted, asked.paging).await
}
