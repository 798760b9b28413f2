//! Why somebody may or may not: the same decision that every request takes, with its steps shown (IDN-4).

use crate::user::{Status, User};
use authz::{DecidedBy, Decision, Holder, Step, decide};
use axum::{http::Method, routing::get};
use kernel::{Error, PatientId, Result, SiteId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::facts;
use web::{Answer, Ctx, Noun, Query, Reach, Reached, Route, ok, route};

#[derive(Deserialize, JsonSchema)]
pub struct Question {
    #[schemars(length(min = 3, max = 80))]
    permission: String,
    /// `usr_…` or `pat_…`
    #[schemars(regex(pattern = r"^[a-z]{3}_[0-7][0-9A-HJKMNP-TV-Z]{25}$"))]
    record: Option<String>,
    /// Somebody else; oneself, if not given.
    user: Option<UserId>,
}

#[derive(Serialize, JsonSchema)]
pub struct Explanation {
    allowed: bool,
    permission: String,
    user: String,
    /// What the record asks for, if one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    reach_needed: Option<Reach>,
    reach_held: Reach,
    decided_by: DecidedBy,
    /// One step per role.
    trace: Vec<Step>,
}

#[derive(Serialize, JsonSchema)]
pub struct Line {
    permission: &'static str,
    module: &'static str,
    /// By role; those that lack it are not named.
    reach: BTreeMap<String, Reach>,
}

/// The effective grid: every role of this organisation, overrides included.
#[derive(Serialize, JsonSchema)]
pub struct Matrix {
    roles: Vec<String>,
    permissions: Vec<Line>,
}

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/v1/identity/explain", "permission.explain", "permission.explain", get(explain))
            .trips(1)
            .asks::<Question>()
            .gives::<Explanation>(200)
            .says("Why somebody may, or may not"),
        route(Method::GET, "/v1/identity/matrix", "role.view", "matrix.show", get(matrix))
            .trips(0)
            .gives::<Matrix>(200)
            .says("The effective grid of roles and permissions"),
    ]
}

/// Whose rights are asked about.
struct Subject {
    id: String,
    roles: Vec<String>,
    sites: Reached<SiteId>,
    elevated: Vec<String>,
    active: bool,
    modules: Vec<String>,
}

async fn subject(ctx: &Ctx, asked: Option<UserId>) -> Result<Subject> {
    let other = asked.filter(|id| id.to_string() != ctx.actor().user);
    let Some(id) = other else {
        let actor = ctx.actor();
        let modules = match &actor.modules {
            Reached::All => vec!["*".into()],
            Reached::These(some) => some.iter().cloned().collect(),
        };
        let (roles, sites, elevated) = (actor.roles.clone(), actor.sites.clone(), actor.elevated.clone());
        return Ok(Subject { id: actor.user.clone(), roles, sites, elevated, active: true, modules });
    };
    let user = ctx.get::<User>(id).await?;
    let all = user.body.sites.iter().any(|s| s == "*");
    let sites = match all {
        true => Reached::All,
        false => Reached::These(user.body.sites.iter().filter_map(|s| s.parse().ok()).collect()),
    };
    let name = id.to_string();
    let elevated = ctx.gate().access.lent(&name, ctx.now()).map(|e| e.role.clone()).collect();
    let active = user.body.status == Status::Active;
    Ok(Subject { id: name, roles: user.body.roles, sites, elevated, active, modules: user.body.modules })
}

async fn explain(ctx: Ctx, Query(asked): Query<Question>) -> Answer {
    let rule = authz::rule(&asked.permission).ok_or_else(|| {
        Error::invalid("?permission", "unknown", "no such permission; GET /v1/identity/matrix lists them")
    })?;
    let subject = subject(&ctx, asked.user).await?;
    let access = &ctx.gate().access;
    let holder = Holder {
        roles: &subject.roles,
        custom: &access.custom,
        overrides: &access.overrides,
        elevated: &subject.elevated,
        scopes: &[],
        context: None,
    };
    let decision = decide(&holder, rule.permission, ctx.now());
    let needed = match &asked.record {
        Some(record) => Some(needed(&ctx, &subject, record).await?),
        None => None,
    };
    let (decided_by, held) = decided(&ctx, &subject, rule.module, &decision);
    let enough = needed.map_or(held > Reach::None, |needed| needed > Reach::None && held >= needed);
    ok(&Explanation {
        allowed: enough,
        permission: asked.permission,
        user: subject.id,
        reach_needed: needed,
        reach_held: held,
        decided_by,
        trace: decision.trace,
    })
}

/// What comes before the grants in the order of the decision.
fn decided(ctx: &Ctx, subject: &Subject, module: &str, decision: &Decision) -> (DecidedBy, Reach) {
    let given = subject.modules.iter().any(|m| m == "*" || m == module);
    if ctx.gate().tenant.as_ref().is_some_and(|t| t.open(true).is_err()) || !subject.active {
        return (DecidedBy::Tenant, Reach::None);
    }
    if !given || ctx.gate().tenant.as_ref().is_some_and(|t| t.module(module).is_err()) {
        return (DecidedBy::Module, Reach::None);
    }
    (decision.decided_by, decision.reach)
}

/// The narrowest reach that covers the record for this subject. 404 for records the asker may not know of.
async fn needed(ctx: &Ctx, subject: &Subject, record: &str) -> Result<Reach> {
    if let Ok(id) = record.parse::<UserId>() {
        let found = ctx.store().get::<User>(id).await?;
        let asker = ctx.may("user.view");
        if !User::within(&found, asker, ctx.actor()) {
            return Err(Error::Missing);
        }
        if subject.id == record {
            return Ok(Reach::Own);
        }
        let at = |site: &String| site == "*" || site.parse().is_ok_and(|s| subject.sites.has(&s));
        return Ok(if found.body.sites.iter().any(at) { Reach::Site } else { Reach::All });
    }
    let id: PatientId = record.parse().map_err(|_| {
        Error::invalid("?record", "unsupported", "records of users and patients can be asked about here")
    })?;
    #[derive(Deserialize)]
    struct Patient {
        site: Option<SiteId>,
    }
    let fact: Patient = ctx.store().fact(facts::PATIENT, id).await?.ok_or(Error::Missing)?;
    let known = match (ctx.may("patient.view"), fact.site) {
        (Reach::All, _) => true,
        (reach, Some(site)) => ctx.actor().at_site(reach, site),
        _ => false,
    };
    if !known {
        return Err(Error::Missing);
    }
    Ok(if fact.site.is_some_and(|site| subject.sites.has(&site)) { Reach::Site } else { Reach::All })
}

async fn matrix(ctx: Ctx) -> Answer {
    let edition = ctx.gate().tenant.as_ref().map(|t| t.edition);
    let access = &ctx.gate().access;
    let built_in =
        authz::ROLES.iter().filter(|r| r.exists_in(edition) && r.is_personal()).map(|r| r.slug.to_string());
    let roles: Vec<String> = built_in.chain(access.custom.iter().map(|c| c.slug.clone())).collect();
    let held = |role: &String, permission: &str| {
        let holder = Holder {
            roles: std::slice::from_ref(role),
            custom: &access.custom,
            overrides: &access.overrides,
            ..Holder::default()
        };
        decide(&holder, permission, ctx.now()).reach
    };
    let line = |rule: &'static authz::Rule| {
        let reach = roles.iter().map(|role| (role.clone(), held(role, rule.permission)));
        Line {
            permission: rule.permission,
            module: rule.module,
            reach: reach.filter(|(_, r)| *r > Reach::None).collect(),
        }
    };
    let permissions = authz::rules().map(line).collect();
    ok(&Matrix { roles, permissions })
}
