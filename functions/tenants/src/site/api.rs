use super::{Kind, Site, Status, tree::Tree};
use crate::{department::Department, limits::SITES, tenant::Tenant};
use axum::{
    http::Method,
    routing::{get, patch, post},
};
use events::TenantEvent;
use jiff::Timestamp;
use kernel::{Error, Id, Result, SiteId, country::Country, error::faultless};
use schemars::JsonSchema;
use serde::Deserialize;
use store::{Commit, Record, Wanted, facts};
use web::{
    Answer, At, Body, Ctx, Reach, Reached, Route, check,
    gate::TenantGate,
    noun::{self, Pages, View},
    ok, route,
};

const PATH: &str = "/v1/tenants/sites";
const ONE: &str = "/v1/tenants/sites/{id}";

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        route(Method::GET, PATH, "site.view", "site.list", get(list))
            .asks_shape(noun::list_shape::<Site>)
            .gives::<Pages<View<'static, Site>>>(200)
            .trips(1)
            .says("Sites in the order of their paths; the caller's own, for most roles"),
        route(Method::POST, PATH, "site.edit", "site.create", post(create))
            .takes::<Site>()
            .gives::<View<'static, Site>>(201)
            .refuses(&["site-code-taken", "limit-reached", "parent-closed", "too-deep"])
            .trips(2)
            .says("Opens a site"),
        route(Method::PATCH, ONE, "site.edit", "site.update", patch(amend))
            .trips(3)
            .patches::<Site>()
            .gives::<View<'static, Site>>(200)
            .refuses(&["site-cycle", "too-deep", "parent-closed"])
            .says("Changes a site, or moves it with all under it"),
        route(Method::POST, format!("{ONE}/close"), "site.edit", "site.close", post(close))
            .trips(3)
            .takes::<Close>()
            .gives::<View<'static, Site>>(200)
            .refuses(&["site-in-use"])
            .says("Closes a site; `move_to` takes over what is open there"),
        route(Method::POST, format!("{ONE}/reopen"), "site.edit", "site.reopen", post(reopen))
            .trips(2)
            .gives::<View<'static, Site>>(200)
            .says("Opens a closed site again"),
    ];
    routes.extend(noun::reading::<Site>(PATH, "site.view"));
    routes
}

/// The site that every organisation begins with: the same in every run, so that a second one makes no second site.
pub fn main(ten: &Tenant) -> SiteId {
    SiteId::of(ten.signup.ulid())
}

/// The main site of a new organisation, its tree and its fact. It is counted by `limits::found`.
pub fn found(commit: Commit, now: Timestamp, ten: &Tenant, gate: &TenantGate) -> Commit {
    let kind = match ten.edition {
        authz::Edition::Hospital => Kind::Hospital,
        authz::Edition::Clinic => Kind::Clinic,
        _ => Kind::Office,
    };
    let d = &ten.details;
    let mut site = Site {
        name: ten.name.clone(),
        code: "MAIN".into(),
        kind,
        parent: None,
        path: "/MAIN".into(),
        address: d.address.clone(),
        phone: d.phone.clone(),
        email: d.email.clone(),
        time_zone: None,
        hours: None,
        location: None,
        registration_number: d.registration_number.clone(),
        manager: None,
        status: Status::Active,
    };
    site.name.truncate(site.name.char_indices().nth(100).map_or(site.name.len(), |(at, _)| at));
    let new = Record::with_id(main(ten), now, site);
    let mut tree = Tree::default();
    // A root always fits into an empty tree.
    let _ = tree.place(new.id, &new.body.code, None);
    let commit = commit.create(&new).emit(TenantEvent::SiteOpened { site: new.id });
    tree.write(commit.fact(facts::SITE, new.id, &new.body.fact(&gate.time_zone)))
}

async fn list(ctx: Ctx, axum::extract::RawQuery(query): axum::extract::RawQuery) -> Answer {
    let (list, wanted) = noun::wanted::<Site>(query.as_deref().unwrap_or_default())?;
    if ctx.reach() == Reach::All {
        let page = ctx.list(list, &wanted).await?;
        return ok(&Pages::from(page.map(|site| View::owned(&ctx, site))));
    }
    // Whoever works at some sites sees those, in one read.
    let own: Vec<SiteId> = match &ctx.actor().sites {
        Reached::These(sites) => sites.iter().copied().take(100).collect(),
        Reached::All => {
            let page = ctx.list(list, &Wanted { limit: wanted.limit, ..wanted }).await?;
            return ok(&Pages::from(page.map(|site| View::owned(&ctx, site))));
        }
    };
    let sites = ctx.store().get_many::<Site>(&own).await?;
    let data = sites.into_iter().filter(|s| s.deleted_at.is_none()).map(|s| View::owned(&ctx, s)).collect();
    ok(&Pages { data, next: None })
}

fn country(ctx: &Ctx) -> Result<Country> {
    ctx.tenant()?.country.parse().map_err(Error::internal)
}

async fn create(ctx: Ctx, Body(mut body): Body<Site>) -> Answer {
    faultless(body.settle(country(&ctx)?))?;
    let mut tree = Tree::read(ctx.store()).await?;
    let mut new = Record::new(ctx.now(), body);
    tree.place(new.id, &new.body.code, new.body.parent)?;
    new.body.path = tree.path(new.id);
    let commit = ctx.commit().create(&new).emit(TenantEvent::SiteOpened { site: new.id });
    let commit = commit.fact(facts::SITE, new.id, &new.body.fact(&ctx.tenant()?.time_zone));
    let commit = tree.write(commit).take(SITES.name, SITES.shards, new.id);
    let shown = ctx.shown(201, &new)?;
    ctx.settle(commit, shown).await
}

async fn amend(ctx: Ctx, At(id): At<SiteId>, web::Raw(body): web::Raw) -> Answer {
    let (old, tree) = futures::join!(ctx.change::<Site>(id), Tree::read(ctx.store()));
    let (old, mut tree) = (old?, tree?);
    let mut new = old.next(ctx.now());
    new.body = check::merge_patch(&old.body, &body)?;
    faultless(new.body.settle(country(&ctx)?))?;
    let home = ctx.tenant()?.time_zone.clone();
    let moved = new.body.parent != old.body.parent || new.body.code != old.body.code;
    let mut below = vec![];
    if moved {
        tree.place(id, &new.body.code, new.body.parent)?;
        new.body.path = tree.path(id);
        below = ctx.store().get_many::<Site>(&tree.below(id)).await?;
    }
    let commit = ctx.commit().update("update", &old, &new).emit(TenantEvent::SiteChanged { site: id });
    let mut commit = commit.fact(facts::SITE, id, &new.body.fact(&home));
    for child in &below {
        let mut follows = child.next(ctx.now());
        follows.body.path = tree.path(child.id);
        commit = commit.update("move", child, &follows).emit(TenantEvent::SiteChanged { site: child.id });
        commit = commit.fact(facts::SITE, child.id, &follows.body.fact(&home));
    }
    let commit = if moved { tree.write(commit) } else { commit };
    let shown = ctx.shown(200, &new)?;
    ctx.settle(commit, shown).await
}

#[derive(Deserialize, JsonSchema)]
struct Close {
    /// The site that takes over departments, staff and open work.
    move_to: Option<SiteId>,
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

async fn close(ctx: Ctx, At(id): At<SiteId>, Body(body): Body<Close>) -> Answer {
    let (old, tree) = futures::join!(ctx.change::<Site>(id), Tree::read(ctx.store()));
    let (old, mut tree) = (old?, tree?);
    if old.body.status == Status::Closed {
        return Err(Error::State { command: "close", state: "closed".into() }.into());
    }
    let departments = Department::open_at(ctx.store(), id).await?;
    may_close(&tree, id, body.move_to, departments.len())?;
    let mut new = old.next(ctx.now());
    new.body.status = Status::Closed;
    tree.set_open(id, false);
    let event = TenantEvent::SiteClosed { site: id, move_to: body.move_to };
    let mut commit = ctx.commit().because(body.reason).update("close", &old, &new).emit(event);
    commit = commit.fact(facts::SITE, id, &new.body.fact(&ctx.tenant()?.time_zone)).give(
        SITES.name,
        SITES.shards,
        id,
    );
    if let Some(to) = body.move_to {
        for department in &departments {
            commit = Department::moved(commit, department, to, ctx.now());
        }
    }
    let shown = ctx.shown(200, &new)?;
    ctx.settle(tree.write(commit), shown).await
}

/// An organisation keeps an open site, a site its open branches; what is open there needs somewhere to go.
fn may_close(tree: &Tree, id: SiteId, move_to: Option<SiteId>, departments: usize) -> Result<()> {
    let in_use = |detail: &str| Error::conflict("site-in-use", detail);
    if tree.others_open(id) == 0 {
        return Err(in_use("an organisation keeps at least one open site"));
    }
    match tree.open_below(id) {
        0 => {}
        count => return Err(in_use("close or move the sites under it first").with("sites", count)),
    }
    match move_to {
        Some(to) if to == id || !tree.sites.get(&to).is_some_and(|n| n.open) => {
            Err(Error::field("site-closed", "/move_to", "name another open site"))
        }
        None if departments > 0 => {
            Err(in_use("departments are open here: name the site that takes them over in `move_to`")
                .with("departments", departments))
        }
        _ => Ok(()),
    }
}

async fn reopen(ctx: Ctx, At(id): At<SiteId>) -> Answer {
    let (old, tree) = futures::join!(ctx.change::<Site>(id), Tree::read(ctx.store()));
    let (old, mut tree) = (old?, tree?);
    if old.body.status == Status::Active {
        return Err(Error::State { command: "reopen", state: "active".into() }.into());
    }
    let mut new = old.next(ctx.now());
    new.body.status = Status::Active;
    tree.set_open(id, true);
    tree.place(id, &new.body.code, new.body.parent)?;
    let commit = ctx.commit().update("reopen", &old, &new).emit(TenantEvent::SiteOpened { site: id });
    let commit = commit.fact(facts::SITE, id, &new.body.fact(&ctx.tenant()?.time_zone)).take(
        SITES.name,
        SITES.shards,
        id,
    );
    let shown = ctx.shown(200, &new)?;
    ctx.settle(tree.write(commit), shown).await
}
