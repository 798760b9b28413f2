//! Who looked at what: by record, user, person and time.

use super::{Found, Index, Range, names, page, unsupported};
use crate::{cursor, kinds::kind_of};
use axum::{http::Method, routing::get};
use jiff::Timestamp;
use kernel::{Error, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Key, Recorded, facts, trail::Looked};
use web::{Answer, Ctx, Query, Reach, Route, ok, route};

const DAYS: i64 = 31;
pub const ALLOWED: &str = "record; user; subject – each with from and to";

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/v1/audit/access", "access.view", "access.list", get(list))
            .asks::<Asked>()
            .gives::<Entries>(200)
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
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    #[schemars(range(min = 1, max = 100))]
    pub limit: Option<usize>,
    #[schemars(length(max = 4000))]
    pub cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Entries {
    data: Vec<Line>,
    next: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    partial: bool,
}

#[derive(Clone, Serialize, JsonSchema)]
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

impl Line {
    /// `origin`: with where the request came from; those who ask about themselves do not see that of staff.
    pub fn of(looked: Looked, origin: bool) -> Self {
        let Looked { kept, context } = looked;
        let (entry, given) =
            (kept.entry, |text: String| Some(Sealed(text)).filter(|t| origin && !t.0.is_empty()));
        Self {
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
        }
    }
    pub fn row(&self) -> Value {
        seal::open(|| serde_json::to_value(self)).unwrap_or_default()
    }
}

pub const COLUMNS: &[&str] = &[
    "id", "at", "by", "by_name", "roles", "action", "kind", "records", "subject", "outcome", "status",
    "problem", "reach", "elevated", "count", "request", "purpose", "ip", "agent",
];

pub struct Wanted {
    pub index: Index,
    pub origin: bool,
}

impl Wanted {
    pub async fn of(ctx: &Ctx, asked: &Asked) -> Result<Self> {
        let id = |name: &str, value: &String| {
            let unknown = || Error::invalid(format!("?{name}"), "format", "expected an id: pat_…");
            Ok::<_, Error>((kind_of(value).ok_or_else(unknown)?.to_string(), value.clone()))
        };
        let all = ctx.reach() >= Reach::All;
        let (index, origin) = match (&asked.record, &asked.user, &asked.subject) {
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
        Ok(Self { index, origin })
    }

    pub fn takes(&self, recorded: &Recorded) -> bool {
        matches!(recorded, Recorded::Access(_))
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
    let wanted = Wanted::of(&ctx, &asked).await?;
    let range = Range::read(asked.from, asked.to, ctx.now(), DAYS)?;
    let bound = format!("access|{:?}|{:?}", wanted.index, (asked.from, asked.to));
    let before = asked.cursor.as_deref().map(|c| cursor::open(ctx.store(), &bound, c)).transpose()?;
    let limit = asked.limit.unwrap_or(25);
    let found = page(ctx.store(), &wanted.index, range, before, limit, &|r| wanted.takes(r)).await?;
    let Found { entries, next, partial } = found;
    let mut data = lines(entries, wanted.origin);
    named(&ctx, &mut data).await?;
    ctx.looked_into("acc", data.iter().map(|l| l.id.clone()).collect()).await?;
    let next = next.map(|before| cursor::after(ctx.store(), &bound, &before));
    ok(&Entries { data, next, partial })
}

pub fn lines(entries: Vec<Recorded>, origin: bool) -> Vec<Line> {
    let line = |recorded| match recorded {
        Recorded::Access(looked) => Some(Line::of(*looked, origin)),
        Recorded::Change { .. } => None,
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
