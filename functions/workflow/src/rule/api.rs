//! Routes of rules and of their firings.

use super::{Rule, Status, catalogue, check, cycle, desk, dry};
use crate::firing::{Firing, RuleAction};
use axum::{
    http::Method,
    routing::{delete, get, patch, post},
};
use events::WorkflowEvent;
use kernel::{Error, FiringId, Lifecycle, Result, RuleId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Entity, Record, Wanted};
use web::{
    Answer, At, Body, Ctx, Route, Shown,
    noun::{self, Pages, View},
    ok, route,
};

const PATH: &str = "/v1/workflow/rules";

pub fn routes() -> Vec<Route> {
    let (view, edit, one) = ("rule.view", "rule.edit", format!("{PATH}/{{id}}"));
    let mut routes = vec![
        route(Method::GET, PATH, view, "rule.list", get(noun::list::<Rule>))
            .asks_shape(noun::list_shape::<Rule>)
            .gives::<Pages<View<'static, Rule>>>(200)
            .trips(1)
            .says("Rules, by status, or the active ones of an event"),
        route(Method::GET, format!("{PATH}/catalogue"), view, "rule.catalogue", get(shelf))
            .gives::<Value>(200)
            .trips(1)
            .says("Events with what they carry, fields that may be set, functions of conditions"),
        route(Method::POST, PATH, edit, "rule.create", post(noun::create::<Rule>))
            .takes::<Rule>()
            .gives::<View<'static, Rule>>(201)
            .trips(1)
            .refuses(&["rule-invalid", "field-not-settable", "duplicate"])
            .says("A rule, as a draft"),
        route(Method::PATCH, one.as_str(), edit, "rule.update", patch(noun::amend::<Rule>))
            .patches::<Rule>()
            .gives::<View<'static, Rule>>(200)
            .trips(2)
            .refuses(&["rule-invalid", "field-not-settable", "state"])
            .says("Changes a draft or a paused rule"),
        route(Method::DELETE, one.as_str(), edit, "rule.delete", delete(noun::remove::<Rule>))
            .answers(204)
            .trips(2)
            .says("Deletes a rule that is not active"),
        route(Method::POST, format!("{one}/check"), edit, "rule.check", post(checked))
            .takes::<Nothing>()
            .gives::<Checked>(200)
            .trips(3)
            .refuses(&["rule-invalid", "field-not-settable"])
            .says("What stands in the way of activating it"),
        route(Method::POST, format!("{one}/dry_run"), "rule.dry_run", "rule.dry_run", post(tried))
            .takes::<dry::Asked>()
            .gives::<dry::Report>(200)
            .trips(60)
            .refuses(&["no-such-change"])
            .says("What it would have done; writes nothing and sends nothing"),
        command("activate", post(activate), "draft, paused, tripped → active")
            .trips(4)
            .refuses(&["rule-cycle", "reason-required"])
            .approvable("rule.activate"),
        command("pause", post(pause), "active → paused"),
        command("retire", post(retire), "draft, paused, tripped → retired"),
        route(Method::GET, "/v1/workflow/firings", "firing.view", "firing.list", get(noun::list::<Firing>))
            .asks_shape(noun::list_shape::<Firing>)
            .gives::<Pages<View<'static, Firing>>>(200)
            .trips(1)
            .says("What a rule did, or what rules did about a record, newest first"),
        route(Method::GET, "/v1/workflow/firings/{id}", "firing.view", "firing.show", get(shown))
            .gives::<View<'static, Firing>>(200)
            .trips(2)
            .says("One firing, with what became of everything it asked for"),
    ];
    routes.extend(noun::reading::<Rule>(PATH, view));
    routes
}

fn command(name: &'static str, handler: axum::routing::MethodRouter<web::App>, says: &str) -> Route {
    route(Method::POST, format!("{PATH}/{{id}}/{name}"), "rule.edit", format!("rule.{name}"), handler)
        .takes::<noun::Because>()
        .gives::<View<'static, Rule>>(200)
        .trips(3)
        .refuses(&["state"])
        .says(says)
}

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

#[derive(Deserialize, JsonSchema)]
struct Why {
    #[schemars(length(min = 1, max = 2000))]
    reason: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Checked {
    fine: bool,
    /// The way by which it leads back to itself.
    cycle: Option<Vec<String>>,
}

async fn shelf(_: Ctx) -> Answer {
    ok(&json!({
        "events": catalogue::events(),
        "fields": catalogue::fields(),
        "variables": rules::Known::events().variables().collect::<Vec<_>>(),
        "functions": rules::Known::functions().collect::<Vec<_>>(),
        "limits": {"bytes": rules::BYTES, "brackets": rules::DEPTH, "parts": rules::NODES, "loops": rules::LOOPS},
        "samples": [
            "event.data.severity in ['high', 'critical'] && event.data.kind == 'fall'",
            "changed('status') && age_hours(event.at) < 24.0",
            "has(event.data.amount) && money(event.data.amount) > money({'amount': '50000.00', 'currency': 'NGN'})",
        ],
    }))
}

/// The way back to itself, with the rules that are active now.
async fn way_back(ctx: &Ctx, rule: &Rule) -> Result<Option<Vec<String>>> {
    let mut others = vec![];
    let mut cursor = None;
    loop {
        let wanted = Wanted { cursor, ..Wanted::by(&[&Status::Active], 100) };
        let page = ctx.store().list(&Rule::LISTS[0], &wanted).await?;
        others.extend(page.data.into_iter().map(|r| r.body));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return Ok(cycle::cycle(rule, &others)),
        }
    }
}

async fn checked(ctx: Ctx, At(id): At<RuleId>, _: Body<Nothing>) -> Answer {
    let rule = ctx.get::<Rule>(id).await?;
    check::readable(&rule.body)?;
    named(&ctx, &rule.body).await?;
    let cycle = way_back(&ctx, &rule.body).await?;
    ok(&Checked { fine: cycle.is_none() || rule.body.allow_cycle, cycle })
}

/// Whoever its tasks are for is there.
async fn named(ctx: &Ctx, rule: &Rule) -> Result<()> {
    for (n, action) in rule.then.iter().enumerate() {
        let super::Action::Task { assignee, .. } = action else { continue };
        if assignee.kind == crate::assignee::Kind::RoleAtSite && assignee.site.is_none() {
            continue;
        }
        assignee.check(ctx).await.map_err(|e| match e {
            Error::Refused(r) if r.code == "assignee-invalid" => {
                Error::field("assignee-invalid", format!("/then/{n}/assignee"), r.detail)
            }
            other => other,
        })?;
    }
    Ok(())
}

async fn tried(ctx: Ctx, At(id): At<RuleId>, Body(asked): Body<dry::Asked>) -> Answer {
    let rule = ctx.get::<Rule>(id).await?;
    ok(&dry::run(&ctx, rule, asked).await?)
}

async fn activate(ctx: Ctx, At(id): At<RuleId>, Body(why): Body<Why>) -> Answer {
    let old = ctx.change::<Rule>(id).await?;
    check::readable(&old.body)?;
    named(&ctx, &old.body).await?;
    let cycle = way_back(&ctx, &old.body).await?;
    let mut reason = why.reason.or(ctx.reason());
    if let Some(cycle) = cycle {
        if !old.body.allow_cycle {
            let detail =
                format!("this leads back to itself: {}; set allow_cycle and say why", cycle.join(" → "));
            return Err(Error::unprocessable("rule-cycle", detail).with("cycle", cycle).into());
        }
        reason = Some(ctx.needs_reason(reason.as_deref())?);
    }
    let mut new = old.next(ctx.now());
    new.body.advance(&Rule::STEPS[0], ctx.today())?;
    (new.body.owner, new.body.owner_roles) = (ctx.actor().user.clone(), ctx.actor().roles.clone());
    (new.body.active_since, new.body.halted, new.body.tripped_at) = (Some(ctx.now()), None, None);
    let event = WorkflowEvent::RuleActivated(new.body.said(id));
    settle(&ctx, "activate", reason, &old, &new, Some(event)).await
}

async fn pause(ctx: Ctx, At(id): At<RuleId>, Body(why): Body<Why>) -> Answer {
    let reason = ctx.needs_reason(why.reason.as_deref())?;
    let old = ctx.change::<Rule>(id).await?;
    let mut new = old.next(ctx.now());
    new.body.advance(&Rule::STEPS[1], ctx.today())?;
    new.body.halted = Some("by-hand".into());
    let event = WorkflowEvent::RulePaused(new.body.said(id));
    settle(&ctx, "pause", Some(reason), &old, &new, Some(event)).await
}

async fn retire(ctx: Ctx, At(id): At<RuleId>, Body(why): Body<Why>) -> Answer {
    let reason = ctx.needs_reason(why.reason.as_deref())?;
    let old = ctx.change::<Rule>(id).await?;
    let mut new = old.next(ctx.now());
    new.body.advance(&Rule::STEPS[2], ctx.today())?;
    settle(&ctx, "retire", Some(reason), &old, &new, None).await
}

async fn settle(
    ctx: &Ctx,
    action: &str,
    reason: Option<String>,
    old: &Record<Rule>,
    new: &Record<Rule>,
    event: Option<WorkflowEvent>,
) -> Answer {
    let commit = ctx.commit().because(reason).update(action, old, new);
    let commit = match event {
        Some(event) => commit.emit(event),
        None => commit,
    };
    let shown = ctx.shown(200, new)?;
    let answer = ctx.settle(commit, shown).await;
    desk::forget(ctx.scope());
    answer
}

async fn shown(ctx: Ctx, At(id): At<FiringId>) -> Answer {
    let firing = ctx.get::<Firing>(id).await?;
    let ids = firing.body.acted.iter().filter_map(|a| a.of.as_deref()?.parse().ok());
    let keys: Vec<_> = ids.collect::<Vec<kernel::RuleActionId>>();
    let wishes = if keys.is_empty() { vec![] } else { ctx.store().get_many::<RuleAction>(&keys).await? };
    let mut acted = serde_json::to_value(&firing.body.acted).map_err(Error::internal)?;
    for one in acted.as_array_mut().into_iter().flatten() {
        if let Some(wish) = wishes.iter().find(|w| one["ref"] == w.id.to_string()) {
            one["status"] = json!(wish.body.status);
            one["error"] = json!(wish.body.error);
            one["done"] = json!(wish.body.done);
        }
    }
    Ok(Shown::record_with(&ctx, 200, &firing, &json!({"acted": acted}))?.respond())
}
