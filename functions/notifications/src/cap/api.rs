//! What may be sent, and how much of it is used.

use super::{Cap, counter, of};
use crate::words::Channel;
use axum::{http::Method, routing::get};
use schemars::JsonSchema;
use serde::Serialize;
use store::Key;
use web::{Answer, Ctx, Route, noun::Pages, ok, route};

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/v1/notifications/caps", "cap.view", "cap.list", get(list))
            .gives::<Pages<Used>>(200)
            .trips(1)
            .says("What the plan lets by each way, and what of it is used in the present window"),
    ]
}

#[derive(Serialize, JsonSchema)]
struct Used {
    #[serde(flatten)]
    cap: Cap,
    /// Of one part, where the counter is spread.
    used: u64,
}

async fn list(ctx: Ctx) -> Answer {
    let gate = ctx.tenant()?;
    let caps: Vec<Cap> = Channel::ALL.iter().flat_map(|channel| of(gate, *channel)).collect();
    let key = |cap: &Cap| counter(cap.channel, cap.window, ctx.now(), &gate.zone());
    let keys: Vec<Key> = caps.iter().map(key).collect();
    let counted = ctx.store().read_many(&keys).await?;
    let used = |item: Option<serde_json::Value>| item.and_then(|i| i["count"].as_u64()).unwrap_or_default();
    let data = caps.into_iter().zip(counted).map(|(cap, item)| Used { cap, used: used(item) }).collect();
    ok(&Pages { data, next: None })
}
