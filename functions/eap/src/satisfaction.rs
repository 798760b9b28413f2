//! Satisfaction (EAP-5, EAP-7): what people say afterwards. An answer carries a client and a month; no case, no person,
//! no day. Therefore it is no record: its change record would stand in the trail at the minute in which it came, beside
//! whatever else happened in that minute.

use axum::{
    http::Method,
    routing::{get, post},
};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use kernel::{ClientOrgId, Error, Id, Result, SatisfactionId, Ulid};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Key, When};
use web::{Answer, Anyone, Body, Ctx, Door, Query, Route, noun::Pages, ok, route};

const PURPOSE: &str = "eap.satisfaction";
const PATH: &str = "/v1/eap/satisfaction";
/// How long somebody may take to answer.
const LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Answers an hour, of an IP address: a company's people come from one.
const TRIES: u64 = 30;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Satisfaction {
    id: SatisfactionId,
    client: ClientOrgId,
    /// `2026-11`
    period: String,
    /// 1 to 5: the service, the counsellor, whether it helped, whether one would come again.
    pub scores: Vec<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    comment: Option<Sealed<String>>,
}

#[derive(Deserialize, JsonSchema)]
struct Said {
    #[schemars(length(min = 1, max = 2000))]
    token: String,
    #[schemars(length(min = 1, max = 4), inner(range(min = 1, max = 5)))]
    scores: Vec<u8>,
    #[schemars(length(min = 1, max = 2000))]
    comment: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
struct Asked {
    client: ClientOrgId,
    #[schemars(regex(pattern = r"^20[0-9]{2}-(0[1-9]|1[0-2])$"))]
    period: String,
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i32>,
    /// The last one's id, to go on after it.
    #[schemars(length(min = 30, max = 30))]
    cursor: Option<String>,
}

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, PATH, "satisfaction.view", "satisfaction.list", get(list))
            .asks::<Asked>()
            .gives::<Pages<Satisfaction>>(200)
            .trips(1)
            .says("What a client's people said in a month")
            .hidden(),
        route(Method::POST, format!("{PATH}/answers"), Door::Public, "satisfaction.answer", post(answer))
            .takes::<Said>()
            .answers(204)
            .trips(3)
            .says("Somebody with a link says how it was; each link once"),
    ]
}

pub fn key(client: ClientOrgId, period: &str, id: &str) -> Key {
    Key::item(SatisfactionId::KIND, format!("{client}~{period}"), id)
}

/// A link that names a client and nothing else.
pub fn link(ctx: &Ctx, client: ClientOrgId) -> Result<String> {
    Ok(ctx.app().mint(ctx.store(), PURPOSE, client, ctx.now() + LIFE)?.url)
}

async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Answer {
    let limit = asked.limit.unwrap_or(25);
    let before = asked.cursor.unwrap_or_default();
    let place = key(asked.client, &asked.period, "");
    let data: Vec<(String, Satisfaction)> = ctx.store().latest(&place, "", &before, limit).await?;
    let next = data.last().filter(|_| data.len() as i32 == limit).map(|(id, _)| id.clone());
    ctx.looked_into(SatisfactionId::KIND, vec![format!("{}~{}", asked.client, asked.period)]).await?;
    ok(&Pages { data: data.into_iter().map(|(_, said)| said).collect(), next })
}

async fn answer(anyone: Anyone, Body(said): Body<Said>) -> Answer {
    anyone.hourly(PURPOSE, TRIES).await?;
    let token = said.token.rsplit("/p/").next().unwrap_or_default();
    let (link, store) = anyone.link(token).await?;
    let client: ClientOrgId = link.is_of(PURPOSE)?;
    let begin = month(anyone.now());
    let period = begin.strftime("%Y-%m").to_string();
    // The month's first moment, and chance: ids sort by nothing that happened.
    let id =
        SatisfactionId::of(Ulid::from_parts(begin.as_millisecond().unsigned_abs(), Ulid::new().random()));
    let comment = said.comment.map(Sealed);
    let body = Satisfaction { id, client, period: period.clone(), scores: said.scores, comment };
    let used = Key::item("seen", PURPOSE, &link.id);
    let commit = store.commit().put(&key(client, &period, &id.to_string()), &body);
    let commit =
        commit.put_until(&used, &serde_json::json!({}), link.expires_at, When::Absent, |_| Error::Missing);
    commit.run().await?;
    web::deleted()
}

/// The first moment of a month (UTC).
fn month(at: Timestamp) -> Timestamp {
    let day: Date = at.to_zoned(TimeZone::UTC).date().first_of_month();
    day.to_zoned(TimeZone::UTC).map_or(at, |zoned| zoned.timestamp())
}
