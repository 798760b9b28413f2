use super::{
    LARGEST, Part, Section, Settings,
    numbering::{Format, Numbering},
    parts::with_part,
};
use crate::{doors, fact};
use authz::Only;
use axum::{
    http::Method,
    routing::{get, patch, post},
};
use events::TenantEvent;
use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Commit, Key, Record, When};
use web::{Answer, Body, Ctx, Named, Raw, Route, Shown, check, gate::TenantGate, ok, route};

const PATH: &str = "/v1/tenants/self/settings";

#[derive(Deserialize, JsonSchema)]
struct Preview {
    #[serde(flatten)]
    format: Format,
    /// The codes that stand in for `{SITE}` and `{FAC}`.
    #[schemars(regex(pattern = r"^[A-Z0-9]{2,6}$"))]
    site: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Examples {
    examples: Vec<String>,
}

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, format!("{PATH}/{{section}}"), "settings.view", "settings.show", get(show))
            .gives::<Value>(200)
            .trips(1)
            .says("One section of the settings"),
        route(Method::PATCH, format!("{PATH}/{{section}}"), "settings.edit", "settings.update", patch(amend))
            .patches::<Value>()
            .gives::<Value>(200)
            .refuses(&["field-retired", "module-not-licensed"])
            .trips(2)
            .says("Changes one section by a merge patch"),
        route(
            Method::POST,
            format!("{PATH}/numbering/preview"),
            "settings.view",
            "settings.preview",
            post(preview),
        )
        .trips(0)
        .takes::<Preview>()
        .gives::<Examples>(200)
        .says("Three numbers that a format would give"),
    ]
}

fn section(name: &str) -> Result<Section> {
    name.parse().map_err(|()| Error::Missing)
}

async fn show(ctx: Ctx, Named(name): Named) -> Answer {
    doors::own(&ctx)?;
    let section = section(&name)?;
    let basics = ctx.only() == Some(Only::Basics);
    if basics && !matches!(section, Section::Locale | Section::Hours | Section::Ui) {
        return Err(Error::forbidden("forbidden", "this section is for administrators").into());
    }
    let mut record = ctx.get::<Settings>(section.id()).await?;
    if let (true, Section::Ui, Some(roles)) = (basics, section, record.body.values.as_object_mut()) {
        roles.retain(|role, _| ctx.actor().roles.contains(role));
    }
    Ok(shown(&record)?.respond())
}

/// The values, flat, with section and version.
fn shown(record: &Record<Settings>) -> Result<Shown> {
    let mut body = record.body.values.clone();
    if let Some(map) = body.as_object_mut() {
        map.insert("section".into(), record.body.section.to_string().into());
        map.insert("version".into(), record.version.into());
        map.insert("updated_at".into(), record.updated_at.to_string().into());
    }
    Ok(Shown { version: Some(record.version), ..Shown::of(200, &body)? })
}

async fn amend(ctx: Ctx, Named(name): Named, Raw(change): Raw) -> Answer {
    let tenant = doors::own(&ctx)?;
    let section = section(&name)?;
    // Two sections at once meet in the gate's fact only: the later one starts again from what the other made.
    let mut gate = ctx.tenant()?.clone();
    for _ in 0..5 {
        match attempt(&ctx, section, &change, &gate).await {
            Err(web::Refused(Error::Refused(r))) if r.code == fact::CHANGED => {
                gate = fact::read(ctx.store()).await?
            }
            answer => {
                ctx.app().gates().forget(store::Scope::Tenant(tenant));
                return answer;
            }
        }
    }
    Err(Error::Busy.into())
}

async fn attempt(ctx: &Ctx, section: Section, change: &Value, gate: &TenantGate) -> Answer {
    let old = ctx.change::<Settings>(section.id()).await?;
    let (values, mut new_gate) = with_part!(section, amended(&old.body.values, change, gate))?;
    let mut new = old.next(ctx.now());
    new.body.values = values;
    if new.body.values.to_string().len() > LARGEST {
        return Err(Error::unprocessable("too-large", "a section holds at most 64 KB").into());
    }
    new_gate.settings.insert(section.to_string(), new.version);
    let commit = ctx.commit().update("update", &old, &new).emit(event(section, gate, &new_gate));
    let commit = raise(ctx, section, &old.body.values, &new.body.values, commit)?;
    let answer = shown(&new)?;
    ctx.settle(fact::write(commit, gate, &new_gate), answer).await
}

/// The section's new values, checked, and the gate with what they publish.
fn amended<P: Part>(stored: &Value, change: &Value, gate: &TenantGate) -> Result<(Value, TenantGate)> {
    let old: P = serde_json::from_value(stored.clone()).map_err(Error::internal)?;
    let mut new: P = check::merge_patch(&old, change)?;
    new.check(&old, gate)?;
    let mut gate = gate.clone();
    new.publish(&mut gate);
    Ok((serde_json::to_value(new).map_err(Error::internal)?, gate))
}

fn event(section: Section, old: &TenantGate, new: &TenantGate) -> TenantEvent {
    let without = |a: &TenantGate, b: &TenantGate| {
        a.on.iter().filter(|m| !b.on.contains(m)).cloned().collect::<Vec<_>>()
    };
    let (on, off) = (without(new, old), without(old, new));
    match section {
        Section::Modules if !(on.is_empty() && off.is_empty()) => TenantEvent::ModulesSwitched { on, off },
        _ => TenantEvent::SettingsChanged { section: section.to_string() },
    }
}

/// A counter that is told its next number goes on from there, never back.
fn raise(ctx: &Ctx, section: Section, old: &Value, new: &Value, mut commit: Commit) -> Result<Commit> {
    if section != Section::Numbering {
        return Ok(commit);
    }
    let read = |v: &Value| serde_json::from_value::<Numbering>(v.clone()).map_err(Error::internal);
    let (old, new) = (read(old)?, read(new)?);
    for (name, format, next) in new.raised(&old) {
        let last = i64::try_from(next - 1).map_err(Error::internal)?;
        let when = When::Absent.or(When::Below("value", last + 1));
        let back =
            |_| Error::conflict("number-used", "numbers never go back: this one may be in use already");
        commit = commit.set_if(
            &Key::sequence(name, format.scope(ctx.today())),
            &[("value", json!(last))],
            when,
            back,
        );
    }
    Ok(commit)
}

async fn preview(ctx: Ctx, Body(body): Body<Preview>) -> Answer {
    body.format.check("")?;
    let site = body.site.as_deref().unwrap_or("MAIN");
    let facility: String = ctx
        .tenant()?
        .slug
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(6)
        .collect::<String>()
        .to_uppercase();
    let first = body.format.next.unwrap_or(1);
    let examples = (first..first + 3)
        .map(|n| body.format.number(ctx.today(), site, &facility, n))
        .collect::<Result<_>>()?;
    ok(&Examples { examples })
}
