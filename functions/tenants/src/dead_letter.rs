//! Messages that a module gave up, with their reason: operators read them, and send them again once the cause is
//! mended.

use crate::doors;
use axum::{
    http::Method,
    routing::{get, post},
};
use kernel::Error;
use schemars::JsonSchema;
use serde::Deserialize;
use web::{Answer, Ctx, Named, Queue, Route, Shown, dead::DeadLetter, noun::Pages, ok, route};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// Whose queue: a module's name, or `dispatch` for changes that did not reach the bus.
    #[schemars(length(min = 1, max = 40))]
    queue: String,
    #[serde(default = "page")]
    #[schemars(range(min = 1, max = 100))]
    limit: i32,
    /// `next` of the page before.
    #[serde(default)]
    #[schemars(length(max = 100))]
    cursor: String,
}

fn page() -> i32 {
    25
}

const PATH: &str = "/v1/tenants/dead_letters";
/// Changes that did not reach the bus.
const DISPATCH: &str = "dispatch";

pub fn routes() -> Vec<Route> {
    let resend = format!("{PATH}/{{id}}/resend");
    vec![
        route(Method::GET, PATH, "dead_letter.view", "dead_letter.list", get(list))
            .asks::<Wanted>()
            .gives::<Pages<DeadLetter>>(200)
            .trips(1)
            .says("Messages that a module gave up, latest day first, with their reason"),
        route(Method::POST, resend, "dead_letter.resend", "dead_letter.resend", post(send_again))
            .gives::<DeadLetter>(200)
            .refuses(&["not-resendable"])
            .trips(2)
            .says("Sends a message again; what it did before is not done twice"),
    ]
}

async fn list(ctx: Ctx, web::Query(wanted): web::Query<Wanted>) -> Answer {
    doors::operators_only(&ctx)?;
    let known = || Queue::ALL.iter().filter(|q| **q != Queue::DispatchDead).map(|q| q.as_str());
    if wanted.queue != DISPATCH && !known().any(|queue| queue == wanted.queue) {
        let detail = format!("one of {}, {DISPATCH}", known().collect::<Vec<_>>().join(", "));
        return Err(Error::invalid("?queue", "unknown", detail).into());
    }
    let found = DeadLetter::latest(ctx.store(), &wanted.queue, &wanted.cursor, wanted.limit).await?;
    let full = usize::try_from(wanted.limit).is_ok_and(|limit| found.len() == limit);
    let next = found.last().filter(|_| full).map(|letter| letter.id.clone());
    ok(&Pages { data: found.into_iter().map(shown).collect(), next })
}

async fn send_again(ctx: Ctx, Named(id): Named) -> Answer {
    doors::operators_only(&ctx)?;
    let letter = DeadLetter::find(ctx.store(), &id).await?;
    letter.resend(ctx.app()).await?;
    tracing::warn!(id, by = ctx.actor().user, "a dead letter is sent again");
    let commit = ctx.commit().delete(&letter.key());
    ctx.settle(commit, Shown::of(200, &shown(letter))?).await
}

/// Without what it says: an operator sees whose it is and why, no more.
fn shown(letter: DeadLetter) -> DeadLetter {
    DeadLetter { body: None, ..letter }
}
