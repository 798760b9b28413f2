//! Routes of templates.

use super::{Status, Template, edition};
use axum::{http::Method, routing::post};
use events::DocumentEvent;
use kernel::{DocumentTemplateId, Error};
use web::{
    Answer, At, Ctx, Route,
    noun::{self, Paths, View},
    route,
};

const PATH: &str = "/v1/documents/templates";

pub fn routes() -> Vec<Route> {
    let mut routes = noun::crud::<Template>(Paths {
        path: PATH,
        view: "template.view",
        create: "template.create",
        edit: "template.edit",
        delete: "template.delete",
    });
    routes.extend([
        route(
            Method::POST,
            format!("{PATH}/{{id}}/publish"),
            "template.publish",
            "template.publish",
            post(publish),
        )
        .gives::<View<'static, Template>>(200)
        .trips(2)
        .says("draft → published: this edition is frozen and used from now on"),
        route(
            Method::POST,
            format!("{PATH}/{{id}}/retire"),
            "template.publish",
            "template.retire",
            post(retire),
        )
        .gives::<View<'static, Template>>(200)
        .trips(2)
        .says("published → retired: nothing more is made from it"),
    ]);
    routes
}

async fn publish(ctx: Ctx, At(id): At<DocumentTemplateId>) -> Answer {
    let old = ctx.change::<Template>(id).await?;
    if old.body.status != Status::Draft {
        return Err(Error::State { command: "publish", state: old.body.status.to_string() }.into());
    }
    let mut new = old.next(ctx.now());
    (new.body.status, new.body.published) = (Status::Published, Some(old.body.edition));
    let event = DocumentEvent::TemplatePublished {
        template: id,
        code: new.body.code.clone(),
        edition: new.body.edition,
    };
    let commit = ctx.commit().update("publish", &old, &new).emit(event);
    let commit = commit.put(&edition(id, new.body.edition), &new.body);
    ctx.settle(commit, ctx.shown(200, &new)?).await
}

async fn retire(ctx: Ctx, At(id): At<DocumentTemplateId>) -> Answer {
    let old = ctx.change::<Template>(id).await?;
    if old.body.status != Status::Published {
        return Err(Error::State { command: "retire", state: old.body.status.to_string() }.into());
    }
    let mut new = old.next(ctx.now());
    new.body.status = Status::Retired;
    ctx.settle(ctx.commit().update("retire", &old, &new), ctx.shown(200, &new)?).await
}
