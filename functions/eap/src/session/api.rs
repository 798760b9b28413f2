//! Routes of sessions.

use super::{Session, Status, book, end, link};
use crate::{case::Case, words::Mode};
use axum::{
    extract::RawQuery,
    http::Method,
    routing::{get, post},
};
use jiff::Timestamp;
use kernel::{EapCaseId, EapProviderId, EapSessionId, Error};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Serialize;
use store::Record;
use web::{
    Answer, App, At, Ctx, Noun, Reach, Route, Shown,
    noun::{self, Pages},
    ok, route,
};

const PATH: &str = "/v1/eap/sessions";
const HEAD: &str = "eap_session.header";

/// A session as its reader may see it: the place is the counsellor's and the person's.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "EapSessionShown")]
pub struct Seen {
    pub id: EapSessionId,
    pub version: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub case: EapCaseId,
    pub provider: EapProviderId,
    pub starts_at: Timestamp,
    pub minutes: u16,
    pub mode: Mode,
    pub status: Status,
    /// Whether it takes one of what the contract covers.
    pub counts_to_cap: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crisis: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Sealed<String>>,
    /// Of a video session that is not over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Sealed<String>>,
    pub actions: Vec<&'static str>,
}

pub fn shown(ctx: &Ctx, session: &Record<Session>) -> Seen {
    let s = &session.body;
    let whole = ctx.may("eap_session.view") > Reach::None;
    Seen {
        id: session.id,
        version: session.version,
        created_at: session.created_at,
        updated_at: session.updated_at,
        case: s.case,
        provider: s.provider,
        starts_at: s.starts_at,
        minutes: s.minutes,
        mode: s.mode,
        status: s.status,
        counts_to_cap: s.cap_place.is_some(),
        crisis: Some(s.crisis).filter(|_| whole),
        place: s.place.clone().filter(|_| whole),
        link: s.link.clone().filter(|_| whole && s.is_open()),
        actions: Session::actions(session, ctx),
    }
}

pub fn routes() -> Vec<Route> {
    let one = format!("{PATH}/{{id}}");
    let command = |word: &str, door: &'static str, handler: axum::routing::MethodRouter<App>| {
        route(Method::POST, format!("{one}/{word}"), door, format!("eap_session.{word}"), handler)
            .gives::<Seen>(200)
    };
    let (books, ends) = ("eap_session.book", "eap_session.complete");
    let mut routes = vec![
        route(Method::GET, PATH, HEAD, "eap_session.list", get(list))
            .asks_shape(noun::list_shape::<Session>)
            .gives::<Pages<Seen>>(200)
            .trips(4)
            .says("Sessions of a case, or of a counsellor between two times"),
        route(Method::POST, PATH, books, "eap_session.create", post(book::book))
            .takes::<book::New>()
            .gives::<Seen>(201)
            .trips(9)
            .refuses(&[
                "mode-not-offered",
                "no-counsellor",
                "no-video",
                "not-a-slot",
                "not-eligible",
                "not-triaged",
                "out-of-range",
                "provider-not-ready",
                "session-cap-reached",
                "slot-taken",
            ])
            .says("Books a session: one of what the contract covers, and the counsellor's time"),
        route(Method::GET, one.as_str(), HEAD, "eap_session.show", get(show))
            .gives::<Seen>(200)
            .trips(3)
            .says("A session as its reader may see it"),
        command("confirm", books, post(end::confirm))
            .takes::<end::Nothing>()
            .trips(4)
            .says("booked → confirmed"),
        command("cancel", books, post(end::cancel))
            .takes::<end::Nothing>()
            .trips(4)
            .refuses(&["too-late"])
            .says("Cancels; later than the contract's hours before it, it may count all the same"),
        command("complete", ends, post(end::complete))
            .takes::<end::Complete>()
            .trips(5)
            .refuses(&["too-early"])
            .says("It was held; with a note of the case"),
        command("no_show", ends, post(end::no_show))
            .takes::<end::Nothing>()
            .trips(5)
            .refuses(&["too-early"])
            .says("Nobody came"),
    ];
    routes.extend(link::routes(&one));
    routes.into_iter().map(Route::hidden).collect()
}

async fn show(ctx: Ctx, At(id): At<EapSessionId>) -> Answer {
    let session = ctx.get::<Session>(id).await?;
    let seen = Shown::of(200, &shown(&ctx, &session))?;
    Ok(Shown { version: Some(session.version), ..seen }.respond())
}

/// By case for everybody who reaches the case; a counsellor's own by time, and anybody's for managers.
async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Answer {
    let mut query = query.unwrap_or_default();
    let by_case = query.split('&').any(|p| p.starts_with("case="));
    if !by_case && ctx.reach() == Reach::Assigned {
        query = format!("{query}&counsellor={}", ctx.actor().user);
    }
    let (list, wanted) = noun::wanted::<Session>(query.trim_start_matches('&'))?;
    match list.name {
        "case" => {
            let case: EapCaseId = wanted.by[0].parse()?;
            ctx.reached(ctx.store().get::<Case>(case).await?).await?;
        }
        "counsellor" if ctx.reach() >= Reach::Assigned => {}
        _ => return Err(Error::invalid("?", "unsupported-filter", "allowed: case; [from, to]").into()),
    }
    let page = ctx.list(list, &wanted).await?;
    ok(&Pages::from(page.map(|session| shown(&ctx, &session))))
}
