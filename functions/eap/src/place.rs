//! What the rooms of this module share: whose organisation somebody belongs to, counters, and the capitals of the
//! source.

use axum::{
    extract::RawQuery,
    routing::{get, patch, post, put},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use kernel::{ClientOrgId, Error, Fault, Id, Result};
use serde_json::{Map, Value};
use store::{Commit, Key, Record, When, is};
use web::{
    Answer, At, AtVersion, Ctx, Noun, Raw, Reach, Route,
    noun::{self, Hooks},
};

/// The module's name, as it stands in change records that it makes by itself.
pub const MODULE: &str = "eap";

kernel::words! {
    /// Why somebody reaches a client: its own contact, or one of our people assigned to it.
    pub enum Tie { Contact = "contact", Staff = "staff" }
}

/// Whom a user belongs to: items of one user lie together.
pub fn tie(user: &str, client: ClientOrgId, tie: Tie) -> Key {
    Key::item("eap_of", user, format!("{client}~{tie}"))
}

/// Whether the caller's reach brings this client's records near: their own organisation, or one assigned to them.
pub async fn near(ctx: &Ctx, client: ClientOrgId) -> Result<bool> {
    let tied = match ctx.reach() {
        Reach::Linked | Reach::Own => Tie::Contact,
        Reach::Assigned => Tie::Staff,
        _ => return Ok(false),
    };
    Ok(ctx.store().read::<Value>(&tie(&ctx.actor().user, client, tied)).await?.is_some())
}

/// The clients that the caller belongs to.
pub async fn clients_of(ctx: &Ctx) -> Result<Vec<ClientOrgId>> {
    let wanted = if ctx.reach() == Reach::Assigned { Tie::Staff } else { Tie::Contact };
    let key = Key::item("eap_of", &ctx.actor().user, "");
    let tied = ctx.store().under::<Value>(&key, ClientOrgId::KIND, 100).await?;
    let client = |(place, _): &(String, Value)| {
        let (client, tie) = place.split_once('~')?;
        (tie == wanted.as_str()).then(|| client.parse().ok()).flatten()
    };
    Ok(tied.iter().filter_map(client).collect())
}

/// Numbers about a client, kept inside the commits that change them: `contracts_total`, `contracts_active`,
/// `contracts_suspended`, `cases_open`, `bills_unpaid`, `staff_total`.
pub fn counts(client: ClientOrgId) -> Key {
    Key::item(ClientOrgId::KIND, client, "n")
}

/// The condition that a counter stands at nothing.
pub fn none(counter: &'static str) -> When {
    When::Without(counter).or(is(counter, 0))
}

/// Requires a live record in the commit, in words of the caller's.
pub fn live<I: Id>(
    commit: Commit,
    id: I,
    when: When,
    refusal: impl Fn() -> Error + Send + Sync + 'static,
) -> Commit {
    let there = When::Present.and(When::Without("deleted_at"));
    commit.check(&Key::record(id), there.and(when), move |_| refusal())
}

/// What is wrong with a caller's own members: at most 8 KB, and names that schemas only describe.
pub fn metadata(metadata: &Map<String, Value>) -> Option<Fault> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let odd = metadata.keys().find(|k| k.is_empty() || k.len() > 40 || !k.chars().all(plain));
    if let Some(name) = odd {
        let way = "names are 1 to 40 small letters, digits and _";
        return Some(Fault::new(
            format!("/metadata/{}", name.replace('~', "~0").replace('/', "~1")),
            "name",
            way,
        ));
    }
    let bytes = serde_json::to_string(metadata).map_or(0, |text| text.len());
    (bytes > METADATA).then(|| Fault::new("/metadata", "length", "at most 8 KB"))
}

/// Bytes.
const METADATA: usize = 8 * 1024;

/// The first moment of a local day.
pub fn midnight(day: Date, zone: &str) -> Option<Timestamp> {
    at_hour(day, 0, zone)
}

/// An hour of a local day.
pub fn at_hour(day: Date, hour: i8, zone: &str) -> Option<Timestamp> {
    day.at(hour, 0, 0, 0).to_zoned(zone_of(zone)).ok().map(|z| z.timestamp())
}

pub fn zone_of(zone: &str) -> TimeZone {
    TimeZone::get(zone).unwrap_or(TimeZone::UTC)
}

/// Nouns whose enums the source wrote in capitals: taken here as they are meant.
pub trait Capitals: Hooks {
    /// Members of the body that hold such words.
    const WORDS: &'static [&'static str];

    fn small(mut body: Value) -> Value {
        for name in Self::WORDS {
            if let Some(word) = body.get_mut(*name)
                && let Some(text) = word.as_str()
            {
                *word = text.to_ascii_lowercase().into();
            }
        }
        body
    }
}

/// What of a record leaves the house: the client's contact never sees our notes.
pub trait Outward: Noun {
    fn outward(&mut self);
}

/// A record as this caller may see it.
pub fn seen<E: Outward>(ctx: &Ctx, mut record: Record<E>) -> Record<E> {
    if is_outside(ctx) {
        record.body.outward();
    }
    record
}

/// Whether the caller belongs to a client organisation, or is somebody helped.
pub fn is_outside(ctx: &Ctx) -> bool {
    ctx.reach() <= Reach::Linked
}

fn inside(ctx: &Ctx) -> Result<()> {
    if is_outside(ctx) {
        return Err(Error::forbidden("forbidden", "your role sees the record as it is, not its history"));
    }
    Ok(())
}

async fn show<E: Outward>(ctx: Ctx, At(id): At<E::Id>, query: RawQuery) -> Answer {
    if query.0.is_some() {
        inside(&ctx)?;
        return noun::show::<E>(ctx, At(id), query).await;
    }
    let record = ctx.get::<E>(id).await?;
    Ok(ctx.shown(200, &seen(&ctx, record))?.respond())
}

async fn history<E: Outward>(ctx: Ctx, at: At<E::Id>, query: RawQuery) -> Answer {
    inside(&ctx)?;
    noun::history::<E>(ctx, at, query).await
}

async fn version<E: Outward>(ctx: Ctx, at: AtVersion<E::Id>) -> Answer {
    inside(&ctx)?;
    noun::version::<E>(ctx, at).await
}

async fn diff<E: Outward>(ctx: Ctx, at: At<E::Id>, query: RawQuery) -> Answer {
    inside(&ctx)?;
    noun::diff::<E>(ctx, at, query).await
}

/// The common routes of a noun whose records leave the house: what is ours is taken off, and what it was stays ours.
pub fn outward<E: Outward>(routes: Vec<Route>) -> Vec<Route> {
    let handler = |route: Route| match action::<E>(&route) {
        "show" => route.handled_by(get(show::<E>)),
        "history" => route.handled_by(get(history::<E>)),
        "version" => route.handled_by(get(version::<E>)),
        "diff" => route.handled_by(get(diff::<E>)),
        _ => route,
    };
    routes.into_iter().map(handler).collect()
}

async fn create<E: Capitals>(ctx: Ctx, Raw(body): Raw) -> Answer {
    noun::create::<E>(ctx, Raw(E::small(body))).await
}

async fn amend<E: Capitals>(ctx: Ctx, at: At<E::Id>, Raw(body): Raw) -> Answer {
    noun::amend::<E>(ctx, at, Raw(E::small(body))).await
}

async fn replace<E: Capitals>(ctx: Ctx, at: At<E::Id>, Raw(body): Raw) -> Answer {
    noun::replace::<E>(ctx, at, Raw(E::small(body))).await
}

/// The common routes of a noun that takes words in capitals, and a PUT beside the PATCH.
pub fn capitals<E: Capitals>(routes: Vec<Route>) -> Vec<Route> {
    let mut all = vec![];
    for route in routes {
        let route = match action::<E>(&route) {
            "create" => route.handled_by(post(create::<E>)),
            "update" => {
                let mut whole = route.clone().takes::<E>().handled_by(put(replace::<E>));
                whole.method = axum::http::Method::PUT;
                whole.operation = format!("{}.replace", E::NOUN);
                all.push(whole.says(format!("Replaces everything that can be set of a {}", E::NOUN)));
                route.handled_by(patch(amend::<E>))
            }
            _ => route,
        };
        all.push(route);
    }
    all
}

fn action<E: Noun>(route: &Route) -> &str {
    route.operation.strip_prefix(E::NOUN).and_then(|rest| rest.strip_prefix('.')).unwrap_or_default()
}

/// Records of a client: its own people list them by naming it.
pub trait OfClient: Outward {
    const EDIT: &'static str;
    /// Whether people outside know of it yet.
    fn is_out(&self) -> bool {
        true
    }
}

/// The list of such a noun. A reach that is narrower than all lists one client's, if that is near.
pub async fn list<E: OfClient>(ctx: Ctx, RawQuery(query): RawQuery) -> Answer {
    let (list, wanted) = noun::wanted::<E>(query.as_deref().unwrap_or_default())?;
    if wanted.deleted {
        ctx.need(E::EDIT)?;
    }
    if ctx.reach() != Reach::All {
        let client = list.by.iter().position(|by| *by == "client").and_then(|at| wanted.by[at].parse().ok());
        let Some(client) = client else {
            return Err(Error::forbidden("list-too-wide", "name your organisation: ?client=").into());
        };
        if !near(&ctx, client).await? {
            return Err(Error::Missing.into());
        }
    }
    let page = ctx.list(list, &wanted).await?;
    let out = |r: &Record<E>| !is_outside(&ctx) || r.body.is_out();
    let data = page.data.into_iter().filter(out).map(|r| noun::View::owned(&ctx, seen(&ctx, r))).collect();
    web::ok(&noun::Pages { data, next: page.next })
}

/// The routes of such a noun, from its declaration.
pub fn of_client<E: OfClient>(routes: Vec<Route>) -> Vec<Route> {
    let listed = |route: Route| match action::<E>(&route) {
        "list" => route.handled_by(get(list::<E>)).trips(2),
        _ => route,
    };
    outward::<E>(routes).into_iter().map(listed).collect()
}
