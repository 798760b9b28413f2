//! Tickets: a minute's right to open one connection. Sealed with the organisation's own key, so that nothing of it
//! can be made or changed outside, and used once. Tokens stay out of addresses, and so out of logs.

use crate::desk::Desk;
use axum::{http::Method, routing::post};
use data_encoding::BASE64URL_NOPAD;
use jiff::{SignedDuration, Timestamp};
use kernel::{Error, Result, Ulid};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{Caller, Scope};
use web::{Answer, App, Ctx, Reached, Route, created, route};

/// Whoever the ticket was given to, as their rights stood then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Holder {
    pub user: String,
    pub session: String,
    pub roles: Vec<String>,
    /// `*` = all.
    pub sites: Vec<String>,
    pub generation: u64,
    pub signed_in_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ticket {
    #[serde(flatten)]
    pub holder: Holder,
    /// What makes it one that is used once.
    pub nonce: String,
    pub expires_at: Timestamp,
}

/// Seconds.
const LIFE: i64 = 60;
const PLACE: &str = "socket-ticket";

pub fn routes(desk: &Arc<Desk>) -> Vec<Route> {
    let own = desk.clone();
    let handler = move |ctx: Ctx| {
        let desk = own.clone();
        async move { give(&desk, &ctx) }
    };
    vec![
        route(Method::POST, "/v1/notifications/tickets", "notification.view", "socket.ticket", post(handler))
            .gives::<Given>(201)
            .trips(1)
            .refuses(&["no-live-updates"])
            .says("A ticket for one connection to the live updates, good for a minute"),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Given {
    ticket: String,
    /// Where to connect, with `?ticket=`.
    url: String,
    /// Seconds.
    expires_in: i64,
}

fn give(desk: &Desk, ctx: &Ctx) -> Answer {
    let Some(url) = desk.channels.sockets.url() else {
        let detail = "there are no live updates here: ask GET /v1/notifications/count now and then";
        return Err(Error::conflict("no-live-updates", detail).into());
    };
    let actor = ctx.actor();
    let sites = match &actor.sites {
        Reached::All => vec!["*".into()],
        Reached::These(sites) => sites.iter().map(ToString::to_string).collect(),
    };
    let holder = Holder {
        user: actor.user.clone(),
        session: actor.session.clone(),
        roles: actor.roles.clone(),
        sites,
        generation: actor.generation,
        signed_in_at: actor.signed_in_at,
    };
    let expires_at = ctx.now() + SignedDuration::from_secs(LIFE);
    let ticket = Ticket { holder, nonce: Ulid::new().to_string(), expires_at };
    let plain = serde_json::to_vec(&ticket).map_err(Error::internal)?;
    let sealed = BASE64URL_NOPAD.encode(&ctx.store().seal(PLACE, plain));
    let ticket = format!("{}.{sealed}", ctx.scope());
    created(&Given { ticket, url, expires_in: LIFE })
}

fn stranger() -> Error {
    Error::stranger("ticket-invalid", "ask for a new ticket: POST /v1/notifications/tickets")
}

/// Opens a ticket; whatever is wrong with it, the answer is the same.
pub async fn read(app: &App, text: &str) -> Result<(Scope, Ticket)> {
    let (scope, sealed) = text.split_once('.').ok_or_else(stranger)?;
    let scope = Scope::from_claim(scope).ok_or_else(stranger)?;
    let sealed = BASE64URL_NOPAD.decode(sealed.as_bytes()).map_err(|_| stranger())?;
    let store =
        app.vault().open(scope, Caller { by: "system:notifications".into(), ..Caller::default() }).await;
    let plain = store.map_err(|_| stranger())?.unseal(PLACE, &sealed).map_err(|_| stranger())?;
    let ticket: Ticket = serde_json::from_slice(&plain).map_err(|_| stranger())?;
    match ticket.expires_at > app.clock().now() {
        true => Ok((scope, ticket)),
        false => Err(stranger()),
    }
}
