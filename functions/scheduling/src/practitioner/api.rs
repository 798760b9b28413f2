//! Routes of practitioners. Patients see the public card only.

use super::Practitioner;
use authz::Only;
use axum::{extract::RawQuery, http::Method, routing::get};
use kernel::{Error, PractitionerId, SiteId};
use schemars::JsonSchema;
use serde::Serialize;
use store::Record;
use web::{
    Answer, At, Ctx, Route,
    noun::{self, Pages, Paths},
    ok, route,
};

const PATH: &str = "/v1/scheduling/practitioners";

pub fn routes() -> Vec<Route> {
    let (view, edit) = ("practitioner.view", "practitioner.edit");
    let paths = Paths { path: PATH, view, create: edit, edit, delete: edit };
    let mut routes = noun::crud::<Practitioner>(paths);
    // Show and list know the public card; the rest is as for every noun.
    routes.retain(|r| !matches!(r.operation.as_str(), "practitioner.show" | "practitioner.list"));
    routes.push(
        route(Method::GET, PATH, view, "practitioner.list", get(list))
            .asks_shape(noun::list_shape::<Practitioner>)
            .gives::<Pages<noun::Seen<noun::View<'static, Practitioner>, Card<'static>>>>(200)
            .trips(1)
            .says("A page of practitioners, by site or specialty; patients see the public card"),
    );
    routes.push(
        route(Method::GET, format!("{PATH}/{{id}}"), view, "practitioner.show", get(show))
            .gives::<noun::Seen<noun::View<'static, Practitioner>, Card<'static>>>(200)
            .trips(1)
            .says("One practitioner; patients see the public card"),
    );
    routes
}

/// What everybody may know.
#[derive(Serialize, JsonSchema)]
struct Card<'a> {
    id: PractitionerId,
    display_name: &'a str,
    specialties: &'a [String],
    qualification: Option<&'a str>,
    sites: &'a [SiteId],
    self_booking: bool,
}

impl<'a> From<&'a Record<Practitioner>> for Card<'a> {
    fn from(record: &'a Record<Practitioner>) -> Self {
        let p = &record.body;
        Self {
            id: record.id,
            display_name: &p.display_name,
            specialties: &p.specialties,
            qualification: p.qualification.as_deref(),
            sites: &p.sites,
            self_booking: p.self_booking,
        }
    }
}

async fn show(ctx: Ctx, At(id): At<PractitionerId>) -> Answer {
    let record = ctx.get::<Practitioner>(id).await?;
    if ctx.only() == Some(Only::Card) {
        return ok(&Card::from(&record));
    }
    Ok(ctx.shown(200, &record)?.respond())
}

async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Answer {
    let (list, wanted) = noun::wanted::<Practitioner>(query.as_deref().unwrap_or_default())?;
    let page = ctx.list(list, &wanted).await?;
    if ctx.only() == Some(Only::Card) {
        if wanted.deleted {
            return Err(Error::forbidden("forbidden", "deleted profiles are not shown").into());
        }
        let data: Vec<Card> = page.data.iter().filter(|r| r.body.active).map(Card::from).collect();
        return ok(&Pages { data, next: page.next });
    }
    use web::Noun;
    if !page.data.iter().all(|r| Practitioner::within(r, ctx.reach(), ctx.actor())) {
        return Err(Error::forbidden(
            "list-too-wide",
            "your role does not reach this whole list; name a site",
        )
        .into());
    }
    ok(&Pages::from(page.map(|record| noun::View::owned(&ctx, record))))
}
