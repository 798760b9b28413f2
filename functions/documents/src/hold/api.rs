//! Placing and releasing.

use super::{Covers, Hold, Status};
use crate::place;
use axum::{http::Method, routing::post};
use events::{DocumentEvent, documents::Hold as Said};
use kernel::{Error, HoldId, Result, error::faultless};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Deserialize;
use store::Record;
use web::{
    Answer, At, Body, Ctx, Noun, Route,
    noun::{self, Pages, View},
    route,
};

const PATH: &str = "/v1/documents/holds";

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        route(Method::GET, PATH, "hold.view", "hold.list", axum::routing::get(noun::list::<Hold>))
            .asks_shape(noun::list_shape::<Hold>)
            .gives::<Pages<View<'static, Hold>>>(200)
            .trips(1)
            .says("Legal holds, newest first or by status"),
        route(Method::POST, PATH, "hold.create", "hold.create", post(create))
            .takes::<New>()
            .gives::<View<'static, Hold>>(201)
            .trips(3)
            .says(
                "Holds documents, or everything about a person or record; the work is done at once after it",
            ),
        route(Method::POST, format!("{PATH}/{{id}}/release"), "hold.release", "hold.release", post(release))
            .takes::<noun::Because>()
            .gives::<View<'static, Hold>>(200)
            .trips(4)
            .approvable("hold.release")
            .says(
                "active → released, with a reason; where the organisation's policies say so, by two people",
            ),
    ];
    routes.extend(noun::reading::<Hold>(PATH, "hold.view"));
    routes
}

#[derive(Deserialize, JsonSchema)]
struct New {
    #[schemars(length(min = 1, max = 200))]
    matter: Sealed<String>,
    #[schemars(length(min = 1, max = 2000))]
    reason: Sealed<String>,
    covers: Covers,
}

pub fn said(record: &Record<Hold>) -> Said {
    Said { hold: record.id, number: record.body.number.clone() }
}

async fn create(ctx: Ctx, Body(new): Body<New>) -> Answer {
    let New { matter, reason, covers } = new;
    let body = Hold {
        number: String::new(),
        matter,
        reason,
        covers,
        status: Status::Active,
        placed_by: ctx.actor().user.clone(),
        released_by: None,
        released_at: None,
    };
    faultless(body.check())?;
    exist(&ctx, &body.covers).await?;
    web::again(ctx.store(), || async {
        let year = ctx.today().year();
        let number = ctx.store().upcoming("hold", year).await?;
        let record = Record::new(ctx.now(), Hold { number: format!("HOLD-{year}-{number}"), ..body.clone() });
        let commit = ctx.commit().create(&record).number("hold", year, number);
        let commit = commit.emit(DocumentEvent::HoldPlaced(said(&record)));
        ctx.settle(commit, ctx.shown(201, &record)?).await
    })
    .await
}

/// 422 naming a document that is not there.
async fn exist(ctx: &Ctx, covers: &Covers) -> Result<()> {
    let Some(documents) = &covers.documents else { return Ok(()) };
    let found = ctx.store().get_many::<crate::document::Document>(documents).await?;
    match documents.iter().position(|id| !found.iter().any(|d| d.id == *id)) {
        Some(at) => {
            let detail = "there is no such document here";
            Err(Error::field("unknown-document", format!("/covers/documents/{at}"), detail))
        }
        None => Ok(()),
    }
}

async fn release(ctx: Ctx, At(id): At<HoldId>, Body(body): Body<Given>) -> Answer {
    let reason = ctx.needs_reason(body.reason.as_deref())?;
    let old = ctx.change::<Hold>(id).await?;
    if old.body.status == Status::Released {
        return Err(Error::State { command: "release", state: old.body.status.to_string() }.into());
    }
    let mut new = old.next(ctx.now());
    new.body.status = Status::Released;
    (new.body.released_by, new.body.released_at) = (Some(ctx.actor().user.clone()), Some(ctx.now()));
    let commit = ctx.commit().because(Some(reason)).update("release", &old, &new);
    let commit = commit.emit(DocumentEvent::HoldReleased(said(&new)));
    ctx.settle(commit, ctx.shown(200, &new)?).await
}

#[derive(Deserialize, JsonSchema)]
struct Given {
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

/// The hold as it is now, for its work.
pub async fn now(ctx: &Ctx, id: HoldId) -> Result<Option<Record<Hold>>> {
    place::live::<Hold>(ctx, id).await
}
