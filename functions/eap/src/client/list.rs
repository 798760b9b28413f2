//! The list of clients: every filter and order of the source, in any combination.

use super::{Client, Status, digits};
use crate::{
    contract::Contract,
    industry::Industry,
    place::{self, counts},
};
use axum::extract::RawQuery;
use futures::future::{join, try_join};
use jiff::{Timestamp, ToSpan, civil::Date};
use kernel::{ClientOrgId, Error, Id, IndustryId, Result, Ulid, text::folded};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use store::{Entity, List, Page, Prefix, Record, Token, Wanted};
use web::{
    Answer, Ctx, Reach, check,
    noun::{self, Pages},
    ok,
};

/// The parameters, with the source's `search`, `ordering` and `industry` under this product's names.
#[derive(Clone, Deserialize, JsonSchema)]
#[schemars(rename = "ClientOrgQuery")]
pub struct Asked {
    /// Words, addresses or numbers, each found by its beginning: of name, e-mail, phone, contacts, contract numbers.
    #[schemars(length(min = 2, max = 100))]
    q: Option<String>,
    /// Words of the name, each found by its beginning.
    #[schemars(length(min = 2, max = 100))]
    name: Option<String>,
    #[schemars(length(min = 1, max = 40))]
    tag: Option<String>,
    #[schemars(regex(pattern = r"^(active|inactive|pending|ACTIVE|INACTIVE|PENDING)$"))]
    status: Option<String>,
    is_verified: Option<bool>,
    industry_id: Option<IndustryId>,
    /// Whole days of the tenant's, both included.
    created_after: Option<Date>,
    created_before: Option<Date>,
    #[schemars(regex(pattern = r"^-?(created_at|name|status)$"))]
    sort: Option<String>,
    deleted: Option<bool>,
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i32>,
    #[schemars(length(max = 4000))]
    cursor: Option<String>,
}

/// What a list says of a client.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ClientOrgRow")]
pub struct Line {
    id: ClientOrgId,
    name: String,
    email: Option<Sealed<String>>,
    phone: Option<Sealed<String>>,
    status: Status,
    is_verified: bool,
    industry_name: Option<String>,
    active_contracts_count: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

#[derive(Clone, Copy, PartialEq)]
enum Order {
    Created,
    Name,
    Status,
}

/// Records that a search looks at; more have to be narrowed.
const MOST: i32 = 500;

pub async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Answer {
    let asked: Asked = check::query(query.as_deref().unwrap_or_default())?;
    if asked.deleted == Some(true) {
        ctx.need("client_org.delete")?;
    }
    let page = match ctx.reach() {
        Reach::All if asked.q.is_none() && asked.name.is_none() && asked.tag.is_none() => {
            match asked.order().0 == Order::Name && asked.is_dated() {
                true => found(&ctx, &asked, dated(&ctx, &asked).await?).await?,
                false => browse(&ctx, &asked).await?,
            }
        }
        Reach::All => found(&ctx, &asked, search(&ctx, &asked).await?).await?,
        _ => {
            let own = place::clients_of(&ctx).await?;
            found(&ctx, &asked, ctx.store().get_many::<Client>(&own).await?).await?
        }
    };
    ok(&lines(&ctx, page).await?)
}

impl Asked {
    fn order(&self) -> (Order, bool) {
        let sort = self.sort.as_deref().unwrap_or("-created_at");
        let order = match sort.trim_start_matches('-') {
            "name" => Order::Name,
            "status" => Order::Status,
            _ => Order::Created,
        };
        (order, sort.starts_with('-'))
    }
    fn is_dated(&self) -> bool {
        self.created_after.is_some() || self.created_before.is_some()
    }
    fn status(&self) -> Option<Status> {
        self.status.as_ref().and_then(|s| s.to_ascii_lowercase().parse().ok())
    }
    /// Ids begin with their time.
    fn created(&self, ctx: &Ctx) -> Result<(Option<String>, Option<String>)> {
        let first = |day: Date| day.to_zoned(ctx.zone()).map(|z| z.timestamp().as_millisecond());
        let bad = |at: &'static str| move |_| Error::invalid(at, "range", "a day of the calendar");
        let id = |ms: i64, rest: u128| {
            ClientOrgId::of(Ulid::from_parts(ms.max(0).unsigned_abs(), rest)).to_string()
        };
        let from = self.created_after.map(|day| first(day).map(|ms| id(ms, 0))).transpose();
        let next = |day: Date| first(day.saturating_add(1.day())).map(|ms| id(ms - 1, u128::MAX));
        let to = self.created_before.map(next).transpose();
        Ok((from.map_err(bad("?created_after"))?, to.map_err(bad("?created_before"))?))
    }
}

/// The partitions that fit, merged.
async fn browse(ctx: &Ctx, asked: &Asked) -> Result<Page<Record<Client>>> {
    let (order, down) = asked.order();
    let (from, to) = asked.created(ctx)?;
    let all: Vec<String> = Status::ALL.iter().map(ToString::to_string).collect();
    let statuses = asked.status().map_or(all, |s| vec![s.to_string()]);
    let verified = match asked.is_verified {
        Some(v) => vec![v.to_string()],
        None => vec!["false".into(), "true".into()],
    };
    let industry: Option<Vec<String>> = asked.industry_id.map(|i| vec![i.to_string()]);
    let narrowed = asked.status.is_some() || asked.is_verified.is_some() || order == Order::Status;
    let spread = |statuses: Vec<String>| {
        noun::spread(&industry.iter().cloned().chain([statuses, verified.clone()]).collect::<Vec<_>>())
    };
    let (name, groups) = match (order, industry.is_some() || narrowed) {
        (Order::Created, false) => ("created", vec![vec![vec![]]]),
        (Order::Name, false) => ("name", vec![vec![vec![]]]),
        (Order::Status, _) => {
            let mut groups: Vec<_> = statuses.into_iter().map(|s| spread(vec![s])).collect();
            if down {
                groups.reverse();
            }
            (if industry.is_some() { "industry" } else { "state" }, groups)
        }
        (Order::Created, true) => {
            (if industry.is_some() { "industry" } else { "state" }, vec![spread(statuses)])
        }
        (Order::Name, true) => {
            (if industry.is_some() { "industry_name" } else { "state_name" }, vec![spread(statuses)])
        }
    };
    let list = declared(name);
    // Within a status, the newest first.
    let newest_first = order == Order::Status || down;
    let wanted = Wanted {
        from,
        to,
        reversed: newest_first != list.newest_first,
        deleted: asked.deleted.unwrap_or(false),
        limit: asked.limit.unwrap_or(25),
        cursor: asked.cursor.clone(),
        ..Wanted::default()
    };
    noun::merged(ctx, list, &groups, &wanted).await
}

/// Everything of some days, to be sorted by name: no list has both.
async fn dated(ctx: &Ctx, asked: &Asked) -> Result<Vec<Record<Client>>> {
    let (from, to) = asked.created(ctx)?;
    let mut wanted = Wanted { from, to, deleted: asked.deleted.unwrap_or(false), ..Wanted::all(100) };
    let mut all = vec![];
    loop {
        let page = ctx.store().list(declared("created"), &wanted).await?;
        all.extend(page.data);
        if all.len() >= MOST as usize {
            return Err(too_many("?created_after"));
        }
        let Some(next) = page.next else { return Ok(all) };
        wanted.cursor = Some(next);
    }
}

fn too_many(at: &'static str) -> Error {
    let way = "more than 500 fit: ask for fewer days or more letters, or list by status or industry";
    Error::invalid(at, "too-many", way)
}

fn declared(name: &str) -> &'static List<Client> {
    Client::LISTS.iter().find(|l| l.name == name).expect("declared above")
}

/// By the beginnings of words, or by a tag.
async fn search(ctx: &Ctx, asked: &Asked) -> Result<Vec<Record<Client>>> {
    let store = ctx.store();
    let typed = asked.q.as_deref().or(asked.name.as_deref());
    let mut owners: BTreeSet<ClientOrgId> = BTreeSet::new();
    let ids = match (typed, asked.tag.as_deref()) {
        (Some(typed), _) => {
            let words = words(typed);
            let longest = words.iter().max_by_key(|w| w.chars().count()).cloned().unwrap_or_default();
            if longest.chars().count() < 2 {
                return Err(Error::invalid("?q", "query-too-short", "type three letters at least"));
            }
            let number = async {
                match asked.q.as_deref() {
                    Some(q) => store.find_exact::<Contract>("number", &q.trim().to_lowercase(), 10).await,
                    None => Ok(vec![]),
                }
            };
            let (found, contracts) = join(store.find_word::<Client>(Prefix(&longest), MOST), number).await;
            let contracts = store.get_many::<Contract>(&contracts?).await?;
            owners.extend(contracts.iter().filter(|c| c.deleted_at.is_none()).map(|c| c.body.client));
            found?.into_iter().chain(owners.iter().copied()).collect::<Vec<_>>()
        }
        (None, Some(tag)) => store.find_exact::<Client>("tag", &folded(tag), MOST).await?,
        (None, None) => vec![],
    };
    if ids.len() >= MOST as usize {
        return Err(too_many("?q"));
    }
    let ids: Vec<ClientOrgId> = ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    let all = store.get_many::<Client>(&ids).await?;
    let fits = |r: &Record<Client>, q: &str| owners.contains(&r.id) || matches(r, q);
    Ok(all.into_iter().filter(|r| asked.q.as_deref().is_none_or(|q| fits(r, q))).collect())
}

fn words(typed: &str) -> Vec<String> {
    let typed = typed.trim();
    if typed.contains('@') {
        return vec![typed.to_lowercase()];
    }
    let number = typed.chars().all(|c| c.is_ascii_digit() || " +-().".contains(c));
    match digits(typed).into_iter().next().filter(|_| number) {
        Some(digits) => vec![digits],
        None => folded(typed).split(' ').map(String::from).filter(|w| !w.is_empty()).collect(),
    }
}

/// Every word begins one of the client's.
fn matches(record: &Record<Client>, typed: &str) -> bool {
    let held: Vec<String> = record
        .body
        .tokens()
        .into_iter()
        .filter_map(|t| match t {
            Token::Word(word) => Some(word),
            Token::Exact(..) => None,
        })
        .collect();
    words(typed).iter().all(|w| held.iter().any(|h| h.starts_with(w.as_str())))
}

/// What was found is few: filtered and sorted here.
async fn found(ctx: &Ctx, asked: &Asked, all: Vec<Record<Client>>) -> Result<Page<Record<Client>>> {
    let (from, to) = asked.created(ctx)?;
    let named = |r: &Record<Client>| {
        let held = folded(&r.body.name);
        asked
            .name
            .as_deref()
            .is_none_or(|n| words(n).iter().all(|w| held.split(' ').any(|h| h.starts_with(w.as_str()))))
    };
    let tag = asked.tag.as_deref().map(folded);
    let deleted = asked.deleted.unwrap_or(false);
    let fits = |r: &Record<Client>| {
        r.deleted_at.is_some() == deleted
            && named(r)
            && asked.q.as_deref().is_none_or(|q| ctx.reach() == Reach::All || matches(r, q))
            && asked.status().is_none_or(|s| s == r.body.status)
            && asked.is_verified.is_none_or(|v| v == r.body.is_verified)
            && asked.industry_id.is_none_or(|i| r.body.industry == Some(i))
            && tag.as_ref().is_none_or(|t| r.body.tags.iter().any(|x| folded(x) == *t))
            && from.as_ref().is_none_or(|f| r.id.to_string() >= *f)
            && to.as_ref().is_none_or(|t| r.id.to_string() <= *t)
    };
    let (order, down) = asked.order();
    let mut data: Vec<Record<Client>> = all.into_iter().filter(fits).collect();
    data.sort_by_cached_key(|r| match order {
        Order::Name => r.body.sort_name(r.id),
        Order::Status => format!("{} {}", r.body.status, r.id),
        Order::Created => r.id.to_string(),
    });
    if down {
        data.reverse();
    }
    // A page continues after the client that it names.
    let limit = usize::try_from(asked.limit.unwrap_or(25)).unwrap_or(25);
    let start = match asked.cursor.as_deref() {
        Some(cursor) => data.iter().position(|r| r.id.to_string() == cursor).map(|at| at + 1),
        None => Some(0),
    };
    let start = start
        .ok_or_else(|| Error::invalid("?cursor", "cursor", "this cursor is not valid here; start again"))?;
    let rest = data.len().saturating_sub(start);
    let data: Vec<_> = data.into_iter().skip(start).take(limit).collect();
    let next = data.last().filter(|_| rest > limit).map(|r| r.id.to_string());
    ctx.looked_at::<Client>(data.iter().map(|r| r.id)).await?;
    Ok(Page { data, next })
}

/// Names of industries and counts of contracts, in one more wave.
async fn lines(ctx: &Ctx, page: Page<Record<Client>>) -> Result<Pages<Line>> {
    let keys: Vec<_> = page.data.iter().map(|r| counts(r.id)).collect();
    let industries: BTreeSet<IndustryId> = page.data.iter().filter_map(|r| r.body.industry).collect();
    let industries: Vec<IndustryId> = industries.into_iter().collect();
    let store = ctx.store();
    let (counted, named) = try_join(store.read_many(&keys), store.get_many::<Industry>(&industries)).await?;
    let names: BTreeMap<IndustryId, String> = named.into_iter().map(|i| (i.id, i.body.name)).collect();
    let line = |(record, counts): (Record<Client>, Option<Value>)| Line {
        id: record.id,
        industry_name: record.body.industry.and_then(|i| names.get(&i).cloned()),
        active_contracts_count: counts.and_then(|c| c["contracts_active"].as_i64()).unwrap_or_default(),
        name: record.body.name,
        email: record.body.email,
        phone: record.body.phone,
        status: record.body.status,
        is_verified: record.body.is_verified,
        created_at: record.created_at,
        updated_at: record.updated_at,
    };
    Ok(Pages { data: page.data.into_iter().zip(counted).map(line).collect(), next: page.next })
}
