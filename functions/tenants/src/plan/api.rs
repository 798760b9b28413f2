use super::{Plan, Status};
use crate::{doors, region};
use axum::{
    http::Method,
    routing::{get, patch, post},
};
use events::TenantEvent;
use kernel::{Error, PlanId, Result, error::faultless};
use store::{Commit, Record, Wanted};
use web::{
    Answer, Anyone, At, Ctx, Door, Noun, Raw, Route, check,
    noun::{self, Hooks, Pages, View, Written},
    ok, route,
};

pub fn routes() -> Vec<Route> {
    let mut routes = vec![
        route(Method::GET, "/v1/tenants/plans", Door::Public, "plan.published", get(published))
            .trips(1)
            .gives::<Pages<Plan>>(200)
            .says("The plans that are sold here"),
        route(Method::GET, "/v1/tenants/plans/all", "plan.view", "plan.list", get(noun::list::<Plan>))
            .asks_shape(noun::list_shape::<Plan>)
            .gives::<Pages<View<'static, Plan>>>(200)
            .trips(1)
            .says("Every plan, drafts and retired ones included"),
        route(Method::POST, "/v1/tenants/plans", "plan.create", "plan.create", post(noun::create::<Plan>))
            .takes::<Plan>()
            .gives::<View<'static, Plan>>(201)
            .trips(1)
            .says("Drafts a new plan"),
        route(Method::PATCH, "/v1/tenants/plans/{id}", "plan.edit", "plan.update", patch(amend))
            .patches::<Plan>()
            .gives::<View<'static, Plan>>(200)
            .refuses(&["plan-published"])
            .trips(2)
            .says("Changes a draft"),
        route(Method::POST, "/v1/tenants/plans/{id}/revise", "plan.create", "plan.revise", post(revise))
            .gives::<View<'static, Plan>>(201)
            .trips(2)
            .says("Drafts the next revision of a published plan"),
    ];
    routes.extend(noun::reading::<Plan>("/v1/tenants/plans", "plan.view"));
    let steps = noun::steps::<Plan>("/v1/tenants/plans").into_iter();
    routes.extend(steps.map(|r| if r.operation == "plan.publish" { r.trips(3) } else { r }));
    routes
}

/// Status and internals are of no use to who is about to sign up; the id is.
async fn published(anyone: Anyone) -> Answer {
    let store = anyone.platform().await?;
    let page =
        store.list(&<Plan as store::Entity>::LISTS[1], &Wanted::by(&[&Status::Published], 100)).await?;
    ok(&Pages::from(page))
}

async fn amend(ctx: Ctx, At(id): At<PlanId>, Raw(change): Raw) -> Answer {
    let old = ctx.change::<Plan>(id).await?;
    if old.body.status != Status::Draft {
        let detail = "a published plan never changes: draft its next revision with POST …/revise";
        return Err(Error::conflict("plan-published", detail).into());
    }
    let mut new = old.next(ctx.now());
    new.body = check::merge_patch(&old.body, &change)?;
    faultless(new.body.check())?;
    let commit = ctx.commit().update("update", &old, &new);
    let shown = ctx.shown(200, &new)?;
    ctx.settle(commit, shown).await
}

async fn revise(ctx: Ctx, At(id): At<PlanId>) -> Answer {
    let old = ctx.get::<Plan>(id).await?;
    if old.body.status == Status::Draft {
        return Err(Error::State { command: "revise", state: "draft".into() }.into());
    }
    let revision = old.body.revision + 1;
    let body = Plan { revision, status: Status::Draft, ..old.body };
    let new = Record::with_id(Plan::id_of(&body.code, revision), ctx.now(), body);
    let commit = ctx.commit().create(&new);
    let shown = ctx.shown(201, &new)?;
    ctx.settle(commit, shown).await
}

impl Hooks for Plan {
    fn before(ctx: &Ctx, action: &str, _: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        doors::operators_only(ctx)?;
        if action == "create" {
            new.id = Plan::id_of(&new.body.code, new.body.revision);
        }
        if action == "publish" {
            new.body.sellable(region::here(ctx.app().place())?)?;
        }
        Ok(())
    }

    /// What is sold under one code is one revision.
    async fn on_write(
        ctx: &Ctx,
        Written { action, new, .. }: Written<'_, Self>,
        commit: Commit,
    ) -> Result<Commit> {
        if action != "publish" {
            return Ok(commit);
        }
        let (code, revision) = (new.body.code.clone(), new.body.revision);
        let mut commit = commit.emit(TenantEvent::PlanPublished { code, revision });
        let wanted = Wanted { then: vec![new.body.code.clone()], ..Wanted::by(&[&Status::Published], 100) };
        for old in ctx.store().list(&<Plan as store::Entity>::LISTS[1], &wanted).await?.data {
            let mut retired = old.next(ctx.now());
            retired.body.status = Status::Retired;
            commit = commit.update("retire", &old, &retired);
        }
        Ok(commit)
    }
}
