//! What the programme offers (EAP-3): services in categories, of which twelve are shipped.

use axum::{extract::RawQuery, http::Method, routing::get};
use kernel::{EapServiceId, Error, Result, ServiceCategoryId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use store::{Entity, List, Record, Row, Unique};
use web::{
    Answer, Ctx, Noun, Route,
    noun::{self, Hooks, Pages, Paths, View},
    ok, route,
};

const PATH: &str = "/v1/eap/services";
const CATEGORIES: &str = "/v1/eap/service_categories";

kernel::words! { pub enum Mode { InPerson = "in_person", Phone = "phone", Video = "video", Chat = "chat" } }
kernel::words! {
    #[derive(Default)]
    pub enum Status { #[default] Active = "active", Retired = "retired" }
}

/// A sort of service, by whose being clinical utilisation is counted.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EapServiceCategory")]
pub struct Category {
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{1,39}$"))]
    pub code: String,
    #[schemars(length(min = 1, max = 120))]
    pub name: String,
    #[serde(default)]
    pub clinical: bool,
}

/// Categories that every organisation has (spec EAP-3).
static SHIPPED: LazyLock<Vec<Category>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/service_categories.json"))
        .expect("a data file of ours; a test reads it")
});

impl Entity for Category {
    type Id = ServiceCategoryId;
    const NOUN: &'static str = "service_category";
    const LISTS: &'static [List<Self>] = &[List::newest()];
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("code", "duplicate", |c| vec![c.code.clone()])];
}
impl Noun for Category {}
impl Hooks for Category {
    fn before(_: &Ctx, _: &str, old: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        if old.is_some_and(|o| o.body.code != new.body.code) {
            return Err(Error::field("fixed", "/code", "services name it by its code; make a new one"));
        }
        if SHIPPED.iter().any(|s| s.code == new.body.code) {
            return Err(Error::field("shipped", "/code", "this category is shipped; take another code"));
        }
        Ok(())
    }
}

/// Something that beneficiaries can use.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "EapService")]
pub struct Service {
    #[schemars(length(min = 1, max = 120))]
    pub name: String,
    /// The code of a category.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]{1,39}$"))]
    pub category: String,
    /// As its category is.
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    pub clinical: bool,
    #[schemars(length(min = 1, max = 4))]
    pub modes: Vec<Mode>,
    #[schemars(range(min = 5, max = 480))]
    pub minutes: u16,
    #[serde(default = "yes")]
    pub counts_to_cap: bool,
    #[serde(default = "yes")]
    pub client_visible: bool,
    #[serde(default)]
    pub status: Status,
}

fn yes() -> bool {
    true
}

impl Service {
    pub fn is_offered(&self) -> bool {
        self.status == Status::Active
    }
}

impl Entity for Service {
    type Id = EapServiceId;
    const NOUN: &'static str = "eap_service";
    const LISTS: &'static [List<Self>] = &[
        List::newest(),
        List::<Self>::by("category", &["category"], |r| {
            vec![Row::new(&[&r.body.category], &[&r.body.name, &r.id])]
        })
        .oldest_first(),
    ];
    const UNIQUE: &'static [Unique<Self>] =
        &[Unique::of("name", "duplicate", |s| vec![kernel::text::folded(&s.name)])];
}

impl Noun for Service {}

impl Hooks for Service {
    async fn prepare(ctx: &Ctx, _: &str, _: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        new.body.clinical = clinical(ctx, &new.body.category).await?;
        Ok(())
    }
}

/// Whether a category is clinical; 422 if there is none of that code.
pub async fn clinical(ctx: &Ctx, code: &str) -> Result<bool> {
    if let Some(shipped) = SHIPPED.iter().find(|s| s.code == code) {
        return Ok(shipped.clinical);
    }
    let unknown = || {
        Error::field(
            "unknown-category",
            "/category",
            "there is no such category: see GET /v1/eap/service_categories",
        )
    };
    let held = ctx.store().guarded::<Category>("code", code).await?.ok_or_else(unknown)?;
    Ok(ctx.store().get::<Category>(held).await?.body.clinical)
}

pub fn routes() -> Vec<Route> {
    let (view, edit) = ("eap_service.view", "eap_service.edit");
    let services = noun::crud::<Service>(Paths { path: PATH, view, create: edit, edit, delete: edit });
    let categories =
        noun::crud::<Category>(Paths { path: CATEGORIES, view, create: edit, edit, delete: edit });
    let mut routes: Vec<Route> = services
        .into_iter()
        .map(|r| if r.operation == "eap_service.list" { r.handled_by(get(list)) } else { r })
        .map(|r| if r.operation == "eap_service.show" { r.handled_by(get(show)) } else { r })
        .map(|r| {
            let writes = matches!(r.operation.as_str(), "eap_service.create" | "eap_service.update");
            if writes { r.trips(4) } else { r }
        })
        .chain(categories)
        .collect();
    routes.push(
        route(Method::GET, format!("{CATEGORIES}/shipped"), view, "service_category.shipped", get(shipped))
            .gives::<Vec<Category>>(200)
            .trips(1)
            .says("The categories that every organisation has, beside its own"),
    );
    routes
}

async fn shipped(_: Ctx) -> Answer {
    ok(&*SHIPPED)
}

/// People outside see what is on offer and meant for them.
fn card(ctx: &Ctx, record: &Record<Service>) -> bool {
    ctx.only().is_none() || (record.body.client_visible && record.body.is_offered())
}

async fn show(ctx: Ctx, web::At(id): web::At<EapServiceId>, query: RawQuery) -> Answer {
    if ctx.only().is_none() {
        return noun::show::<Service>(ctx, web::At(id), query).await;
    }
    if query.0.is_some() {
        return Err(Error::forbidden("forbidden", "your role sees the record as it is").into());
    }
    let record = ctx.get::<Service>(id).await?;
    if !card(&ctx, &record) {
        return Err(Error::Missing.into());
    }
    Ok(ctx.shown(200, &record)?.respond())
}

async fn list(ctx: Ctx, RawQuery(query): RawQuery) -> Answer {
    let (list, wanted) = noun::wanted::<Service>(query.as_deref().unwrap_or_default())?;
    if wanted.deleted {
        ctx.need("eap_service.edit")?;
    }
    let page = ctx.list(list, &wanted).await?;
    let next = page.next;
    let data = page.data.into_iter().filter(|r| card(&ctx, r)).map(|r| View::owned(&ctx, r)).collect();
    ok(&Pages { data, next })
}

#[cfg(test)]
mod tests {
    #[test]
    fn twelve_categories_are_shipped_each_code_once() {
        let mut codes: Vec<&str> = super::SHIPPED.iter().map(|c| c.code.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), 12);
    }
}
