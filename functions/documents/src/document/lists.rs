//! Lists, each within the caller's reach.

use super::Document;
use axum::{extract::RawQuery, http::Method, routing::get};
use kernel::{Error, Result};
use store::{Record, Wanted};
use web::{
    Answer, Ctx, Noun, Reach, Route,
    noun::{self, Pages, View},
    ok, route,
};

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/v1/documents", "document.view", "document.list", get(list))
            .asks_shape(noun::list_shape::<Document>)
            .gives::<Pages<View<'static, Document>>>(200)
            .trips(2)
            .says("Documents: newest, of a record, by status and end (the queue of verification), by category, by tag"),
    ]
}

/// A page never shows what the caller may not see; whoever sees persons only names the person.
async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Answer {
    let (list, mut wanted) = noun::wanted::<Document>(query.as_deref().unwrap_or_default())?;
    narrow(&ctx, list.name, &mut wanted)?;
    if wanted.deleted {
        ctx.need("document.delete")?;
    }
    let page = ctx.store().list(list, &wanted).await?;
    let mut data = vec![];
    for record in page.data {
        if seen(&ctx, &record).await? {
            data.push(record);
        }
    }
    ctx.looked_at::<Document>(data.iter().map(|r| r.id)).await?;
    let data = data.into_iter().map(|r| View::owned(&ctx, r)).collect();
    ok(&Pages { data, next: page.next })
}

async fn seen(ctx: &Ctx, record: &Record<Document>) -> Result<bool> {
    Ok(Document::within(record, ctx.reach(), ctx.actor()) || Document::proven(ctx, record).await?)
}

/// `uploaded_by=me`; and below a site's reach, lists of persons and of one's own only.
fn narrow(ctx: &Ctx, list: &str, wanted: &mut Wanted) -> Result<()> {
    if list == "uploader" && wanted.by.first().is_some_and(|by| by == "me") {
        wanted.by = vec![ctx.actor().user.clone()];
    }
    let personal = matches!(list, "record" | "tag" | "uploader");
    if ctx.reach() < Reach::Site && !personal {
        let detail = "name whom the documents are about (?record=), or your own (?uploaded_by=me)";
        return Err(Error::forbidden("list-too-wide", detail));
    }
    Ok(())
}
