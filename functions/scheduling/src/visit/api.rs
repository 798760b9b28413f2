//! Routes of patient visits.

use super::{
    Status, Visit,
    check_in::{CheckIn, Ticket, check_in},
    commands::{self, Prioritised, Transferred},
    triage::{self, Judged},
};
use crate::{
    kinds, of_patient,
    place::linked,
    queue::{self, Page, Queue, Room, estimate::Estimate, pace},
};
use axum::{
    http::Method,
    routing::{get, patch, post},
};
use kernel::{Error, VisitId};
use schemars::JsonSchema;
use serde::Serialize;
use web::{
    Answer, At, Ctx, Noun, Reach, Route,
    noun::{self, Pages, View},
    ok, route,
};

const PATH: &str = "/v1/scheduling/patient_visits";

type Shown = View<'static, Visit>;

/// A visit and its place in the queue.
#[derive(Serialize, JsonSchema)]
struct CheckedIn {
    #[serde(flatten)]
    visit: Shown,
    #[serde(flatten)]
    ticket: Ticket,
}

pub fn routes() -> Vec<Route> {
    let (one, view) = (|command: &str| format!("{PATH}/{{id}}/{command}"), "patient_visit.view");
    let mut routes = vec![
        route(Method::GET, PATH, view, "patient_visit.list", get(of_patient::list::<Visit>))
            .asks_shape(noun::list_shape::<Visit>)
            .gives::<Pages<Shown>>(200)
            .trips(1)
            .says("Visits of a queue, of a site and day, or of a patient"),
        route(Method::POST, PATH, "patient_visit.check_in", "patient_visit.check_in", post(check_in))
            .takes::<CheckIn>()
            .gives::<CheckedIn>(201)
            .trips(2)
            .refuses(&[
                "already-checked-in",
                "already-arrived",
                "appointment-cancelled",
                "not-today",
                "other-site",
                "queue-closed",
                "patient-merged",
                "patient-deceased",
                "not-cleared",
            ])
            .says("Checks a patient in: the next token of the practitioner's day, without gap or double"),
        route(Method::GET, one("place"), view, "patient_visit.place", get(own_place))
            .gives::<OwnPlace>(200)
            .trips(3)
            .says("Where a visit stands in its queue: token, position, estimate"),
        route(
            Method::PATCH,
            format!("{PATH}/{{id}}"),
            "patient_visit.triage",
            "patient_visit.update",
            patch(noun::amend::<Visit>),
        )
        .patches::<Visit>()
        .gives::<Shown>(200)
        .trips(2)
        .says("Changes purpose, notes and company"),
        command(one("call"), "patient_visit.call", "call", post(commands::call))
            .takes::<Room>()
            .says("waiting → called"),
        command(one("skip"), "patient_visit.skip", "skip", post(commands::skip))
            .says("called → waiting for ten minutes; the third time → no_show"),
        command(one("transfer"), "patient_visit.transfer", "transfer", post(commands::transfer))
            .takes::<Transferred>()
            .trips(3)
            .says("To another queue of the site, with a new token there"),
        command(one("prioritise"), "patient_visit.prioritise", "prioritise", post(commands::prioritise))
            .takes::<Prioritised>()
            .says("Sets the class by hand, with a reason"),
        command(one("triage"), "patient_visit.triage", "triage", post(triage::triage))
            .takes::<Judged>()
            .says("A nurse's judgement of how urgent it is"),
    ];
    routes.extend(noun::reading::<Visit>(PATH, view));
    let steps = noun::steps::<Visit>(PATH).into_iter();
    // A completion reads and writes the practitioner's pace too.
    routes.extend(steps.map(|r| if r.operation == "patient_visit.complete" { r.trips(3) } else { r }));
    routes
}

fn command(
    path: String,
    permission: &'static str,
    word: &str,
    handler: axum::routing::MethodRouter<web::App>,
) -> Route {
    route(Method::POST, path, permission, format!("patient_visit.{word}"), handler)
        .gives::<Shown>(200)
        .trips(2)
}

/// A place in the queue, as the patient may see it.
#[derive(Serialize, JsonSchema)]
struct OwnPlace {
    token: String,
    status: Status,
    room: Option<String>,
    /// Only while waiting.
    position: Option<usize>,
    /// Only while waiting in a queue that is not paused.
    estimate: Option<Estimate>,
    paused: bool,
}

async fn own_place(ctx: Ctx, At(id): At<VisitId>) -> Answer {
    let visit = ctx.store().get::<Visit>(id).await?;
    let mine = matches!(ctx.reach(), Reach::Own | Reach::Linked)
        && linked(&ctx, visit.body.patient_id, "visits").await?;
    if visit.deleted_at.is_some() || !mine && !Visit::within(&visit, ctx.reach(), ctx.actor()) {
        return Err(Error::Missing.into());
    }
    let store = ctx.store();
    let (queue, page, pace) = futures::try_join!(
        store.get::<Queue>(visit.body.queue_id),
        Page::read(&ctx, visit.body.queue_id),
        pace(&ctx, visit.body.host()?),
    )?;
    ctx.looked_at::<Visit>([id].into_iter()).await?;
    let standing = visit.body.standing();
    let waiting = visit.body.status == Status::Waiting;
    let paused = queue.body.status == queue::Status::Paused;
    ok(&OwnPlace {
        token: visit.body.label.clone(),
        status: visit.body.status,
        room: visit.body.called_to.clone(),
        position: waiting.then(|| page.ahead(&standing) + 1),
        estimate: (waiting && !paused).then(|| page.wait(&standing, &pace, kinds::slot_minutes(&ctx))),
        paused,
    })
}
