//! Routes of queues.

use super::{
    Queue, Status,
    board::Board,
    close, id,
    page::{Page, pace, whole},
};
use crate::{
    host::Host,
    kinds,
    visit::{self, Visit},
};
use axum::{
    http::Method,
    routing::{get, patch, post},
};
use jiff::civil::Date;
use kernel::{DepartmentId, Error, PractitionerId, QueueId, Result, SiteId, error::found};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Entity, Record, Wanted};
use web::{
    Answer, At, Body, Ctx, Noun, Query, Refused, Route, Shown,
    noun::{self, Pages, View},
    ok, route,
};

use super::estimate::Estimate;

const PATH: &str = "/v1/scheduling/queues";

pub fn routes() -> Vec<Route> {
    let one = format!("{PATH}/{{id}}");
    let mut routes = vec![
        route(Method::GET, PATH, "queue.view", "queue.list", get(list))
            .asks::<Asked>()
            .gives::<Pages<View<'static, Queue>>>(200)
            .trips(1)
            .says("Queues of a site and local day, or the one of a practitioner or department"),
        route(Method::GET, format!("{one}/page"), "queue.view", "queue.page", get(page))
            .gives::<Standings>(200)
            .trips(2)
            .says("Who waits, in order, with estimates"),
        route(Method::GET, format!("{one}/board"), "queue.view", "queue.board", get(board))
            .gives::<Board>(200)
            .trips(1)
            .says("What a counter shows: serving and next tokens, rooms, never a name"),
        route(Method::PATCH, one.as_str(), "queue.pause", "queue.update", patch(noun::amend::<Queue>))
            .patches::<Queue>()
            .gives::<View<'static, Queue>>(200)
            .trips(2)
            .says("Changes the room"),
        route(
            Method::POST,
            format!("{one}/call_next"),
            "patient_visit.call",
            "queue.call_next",
            post(call_next),
        )
        .takes::<Room>()
        .gives::<Option<View<'static, Visit>>>(200)
        .trips(2)
        .refuses(&["queue-paused"])
        .says("Calls whoever is next; null if nobody waits"),
        route(Method::POST, format!("{one}/close"), "queue.close", "queue.close", post(shut))
            .gives::<Closed>(200)
            .trips(2)
            .says("Gives no more tokens; whoever still waits is listed for a decision"),
    ];
    routes.extend(noun::reading::<Queue>(PATH, "queue.view"));
    routes.extend(noun::steps::<Queue>(PATH));
    routes
}

#[derive(Deserialize, JsonSchema)]
struct Asked {
    site: SiteId,
    /// The site's local day.
    date: Date,
    practitioner: Option<PractitionerId>,
    department: Option<DepartmentId>,
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i32>,
    #[schemars(length(max = 1000))]
    cursor: Option<String>,
}

async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Answer {
    if asked.practitioner.is_some() || asked.department.is_some() {
        let host = Host::named(asked.practitioner, asked.department)?;
        let queue = found(ctx.get::<Queue>(id(host, asked.site, asked.date)).await)?;
        return ok(&Pages { data: queue.into_iter().map(|q| View::owned(&ctx, q)).collect(), next: None });
    }
    let wanted =
        Wanted { cursor: asked.cursor, ..Wanted::by(&[&asked.site, &asked.date], asked.limit.unwrap_or(25)) };
    let mut page = ctx.store().list(&Queue::LISTS[0], &wanted).await?;
    page.data.retain(|q| Queue::within(q, ctx.reach(), ctx.actor()));
    ok(&Pages::from(page.map(|record| View::owned(&ctx, record))))
}

/// A queue in the order of its turns.
#[derive(Serialize, JsonSchema)]
struct Standings {
    queue: View<'static, Queue>,
    paused: bool,
    inside: Vec<View<'static, Visit>>,
    called: Vec<View<'static, Visit>>,
    waiting: Vec<Turn>,
}

#[derive(Serialize, JsonSchema)]
struct Turn {
    position: usize,
    /// None while the queue is paused.
    estimate: Option<Estimate>,
    visit: View<'static, Visit>,
}

async fn page(ctx: Ctx, At(id): At<QueueId>) -> Answer {
    let (queue, page) = whole(&ctx, id).await?;
    let pace = pace(&ctx, queue.body.host()?).await?;
    let everybody = page.waiting.iter().chain(&page.called).chain(&page.inside);
    ctx.looked_at::<Visit>(everybody.map(|v| v.id)).await?;
    let paused = queue.body.status == Status::Paused;
    let slot = kinds::slot_minutes(&ctx);
    let waits: Vec<Estimate> =
        page.waiting.iter().map(|v| page.wait(&v.body.standing(), &pace, slot)).collect();
    let Page { waiting, called, inside, .. } = page;
    let view = |v: Record<Visit>| View::owned(&ctx, v);
    let turns = waiting.into_iter().zip(waits).enumerate().map(|(n, (visit, estimate))| Turn {
        position: n + 1,
        estimate: (!paused).then_some(estimate),
        visit: view(visit),
    });
    ok(&Standings {
        paused,
        waiting: turns.collect(),
        called: called.into_iter().map(view).collect(),
        inside: inside.into_iter().map(view).collect(),
        queue: View::owned(&ctx, queue),
    })
}

async fn board(ctx: Ctx, At(id): At<QueueId>) -> Answer {
    let (queue, page) = whole(&ctx, id).await?;
    ok(&Board::of(&queue, &page))
}

#[derive(Deserialize, JsonSchema)]
pub struct Room {
    /// Where the patient is called to.
    #[schemars(length(min = 1, max = 40))]
    pub room: Option<String>,
}

async fn call_next(ctx: Ctx, At(id): At<QueueId>, Body(Room { room }): Body<Room>) -> Answer {
    let (mut lost, mut attempt) = (vec![], 0);
    loop {
        let (queue, page) = whole(&ctx, id).await?;
        open(&queue)?;
        let Some(next) = page.waiting.iter().find(|v| !lost.contains(&(v.id, v.version))) else {
            // Everybody left was called by somebody else meanwhile, or nobody waits.
            return Ok(Shown::of(200, &serde_json::Value::Null)?.respond());
        };
        let room = room.clone().or(queue.body.room.clone());
        match visit::called(&ctx, next, room).await {
            // Another room was faster: the next one is ours.
            Err(Refused(Error::Stale { .. })) => {
                lost.push((next.id, next.version));
                ctx.store().pause(&mut attempt).await?;
            }
            other => return other,
        }
    }
}

fn open(queue: &Record<Queue>) -> Result<()> {
    match queue.body.status {
        Status::Open => Ok(()),
        Status::Paused => Err(Error::conflict("queue-paused", "this queue is paused: resume it first")),
        // Whoever still waits when a queue is closed is still seen.
        Status::Closed => Ok(()),
    }
}

/// A closed queue and who still waits there.
#[derive(Serialize, JsonSchema)]
struct Closed {
    waiting: Vec<String>,
}

async fn shut(ctx: Ctx, At(id): At<QueueId>) -> Answer {
    let (old, page) = futures::try_join!(ctx.change::<Queue>(id), Page::read(&ctx, id))?;
    if old.body.status == Status::Closed {
        return Err(Error::State { command: "close", state: old.body.status.to_string() }.into());
    }
    let waiting: Vec<String> = page.waiting.iter().chain(&page.called).map(|v| v.id.to_string()).collect();
    let (new, commit) = close(&ctx, &old, u32::try_from(waiting.len()).unwrap_or(u32::MAX), false);
    let shown = Shown::record_with(&ctx, 200, &new, &Closed { waiting })?;
    ctx.settle(commit, shown).await
}
