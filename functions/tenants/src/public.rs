//! TEN-11: what strangers reach. Short names are looked up; a personal link opens one record for one purpose.

use crate::context;
use axum::{
    http::Method,
    routing::{get, post},
};
use jiff::Timestamp;
use kernel::{Error, TenantId, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Store, facts};
use web::{Answer, Anyone, Body, Door, Link, Named, Route, gate::TenantGate, ok, route};

#[derive(Serialize, JsonSchema)]
struct Availability {
    slug: String,
    available: bool,
}

/// What a link is for, before anything is decided by it.
#[derive(Serialize, JsonSchema)]
struct Opened {
    organisation: String,
    purpose: String,
    record: String,
    expires_at: Timestamp,
    /// What may be sent back.
    decisions: Vec<&'static str>,
}

#[derive(Deserialize, JsonSchema)]
struct Decision {
    #[schemars(length(min = 1, max = 40))]
    decision: String,
}

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/v1/tenants/slugs/{slug}", Door::Public, "slug.view", get(slug))
            .trips(2)
            .gives::<Availability>(200)
            .says("Whether a short name is free"),
        route(Method::GET, "/p/{token}", Door::Public, "link.open", get(open))
            .trips(1)
            .gives::<Opened>(200)
            .says("What a personal link is for"),
        route(Method::POST, "/p/{token}", Door::Public, "link.decide", post(decide))
            .trips(3)
            .takes::<Decision>()
            .gives::<Opened>(200)
            .says("Decides what a personal link asks"),
    ]
}

/// From one address in an hour.
const LOOKS: u64 = 100;

async fn slug(anyone: Anyone, Named(name): Named) -> Answer {
    anyone.hourly("slug", LOOKS).await?;
    let slug = text::slug(&name).map_err(|e| Error::Invalid(vec![e.fault("/slug")]))?.to_string();
    let holder: Option<TenantId> = anyone.platform().await?.holder("slug", &slug).await?;
    ok(&Availability { slug, available: holder.is_none() })
}

async fn card(store: &Store, link: Link) -> kernel::Result<Opened> {
    let gate: Option<TenantGate> = store.fact(facts::TENANT, "self").await?;
    let decisions = if link.purpose == context::CONSENT { vec!["allow", "refuse"] } else { vec![] };
    let Link { purpose, record, expires_at, .. } = link;
    Ok(Opened {
        organisation: gate.map(|g| g.name).unwrap_or_default(),
        purpose,
        record,
        expires_at,
        decisions,
    })
}

async fn open(anyone: Anyone, Named(token): Named) -> Answer {
    anyone.hourly("link", LOOKS).await?;
    let (link, store) = anyone.link(&token).await?;
    ok(&card(&store, link).await?)
}

/// Each purpose has its handler; a purpose without one is shown and decided elsewhere.
async fn decide(anyone: Anyone, Named(token): Named, Body(body): Body<Decision>) -> Answer {
    anyone.hourly("link", LOOKS).await?;
    let (link, store) = anyone.link(&token).await?;
    match (link.purpose.as_str(), body.decision.as_str()) {
        (context::CONSENT, "allow") => {
            context::consented(anyone.app(), &store, link.is_of(context::CONSENT)?, true).await?
        }
        (context::CONSENT, "refuse") => {
            context::consented(anyone.app(), &store, link.is_of(context::CONSENT)?, false).await?
        }
        _ => {
            return Err(Error::field(
                "decision-unknown",
                "/decision",
                "this link does not take that decision",
            )
            .into());
        }
    }
    ok(&card(&store, link).await?)
}
