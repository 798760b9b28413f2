//! The decision: what somebody holds of one permission, and why.
//!
//! Each role is weighed by itself: its grant (of the matrix, or the custom role's own list), which a
//! live override replaces, clipped to the ceiling. The union of what the roles give is what is held.
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    reach::Reach,
    role,
    rule::{Only, Rule, Scope, rule},
};

/// Somebody with all that their rights come from. Whoever is not signed in holds the role `public`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Holder<'a> {
    /// Slugs of built-in and custom roles.
    pub roles: &'a [String],
    /// The tenant's custom roles, among which those of `roles` are looked up.
    pub custom: &'a [CustomRole],
    /// The tenant's overrides, expired ones included.
    pub overrides: &'a [Override],
    /// Roles held for a while by elevation; only those live now.
    pub elevated: &'a [String],
    /// The permissions that a partner's key names.
    pub scopes: &'a [String],
    /// An operator's way into this tenant; it stands in the place of all roles.
    pub context: Option<Context>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Context {
    pub scope: Scope,
    pub read_only: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CustomRole {
    /// `x_…`
    pub slug: String,
    /// The built-in role whose ceilings and restrictions hold.
    pub based_on: String,
    pub grants: Vec<CustomGrant>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CustomGrant {
    pub permission: String,
    pub reach: Reach,
}

/// What a tenant changed of the matrix; one per role and permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Override {
    pub role: String,
    pub permission: String,
    pub reach: Reach,
    /// From this moment on it no longer counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl CustomRole {
    pub fn reach(&self, permission: &str) -> Reach {
        let grant = self.grants.iter().find(|grant| grant.permission == permission);
        grant.map_or(Reach::None, |grant| grant.reach)
    }
}

impl Override {
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|end| now < end)
    }
}

kernel::words! {
    /// What had the last word. `authz` itself answers the first four; the others come before or after it
    /// in the order of the decision and are `web`'s.
    pub enum DecidedBy {
        Grant = "grant",
        Override = "override",
        Ceiling = "ceiling",
        Elevation = "elevation",
        BreakGlass = "break_glass",
        Module = "module",
        Rule = "rule",
        Tenant = "tenant",
    }
}

/// One role's part in the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Step {
    pub role: String,
    /// What the matrix or the custom role gives.
    pub granted: Reach,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Reach>,
    pub ceiling: Reach,
    /// What is left of it.
    pub reach: Reach,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
    pub decided_by: DecidedBy,
}

/// A reach that is held, with what it is restricted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Held {
    pub reach: Reach,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
    pub decided_by: DecidedBy,
}

impl Held {
    /// Whether this makes the other superfluous.
    fn covers(self, other: Self) -> bool {
        self.reach >= other.reach && (self.only.is_none() || self.only == other.only)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Decision {
    /// The widest reach held, and what it is restricted to.
    pub reach: Reach,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<Only>,
    pub decided_by: DecidedBy,
    /// All that is held, widest first: an auditor who is also a doctor has `all` with a reason and `site`
    /// without. Nothing in it is covered by another.
    pub held: Vec<Held>,
    /// One step per role, for `explain`.
    pub trace: Vec<Step>,
}

impl Decision {
    pub fn is_allowed(&self) -> bool {
        self.reach > Reach::None
    }

    /// What lets the holder at a record that needs this reach: the least restricted of what suffices.
    /// `Reach::None` is no need and is never answered.
    pub fn allows(&self, needed: Reach) -> Option<Held> {
        let enough = || self.held.iter().filter(|held| needed > Reach::None && held.reach >= needed);
        enough().find(|held| held.only.is_none()).or_else(|| enough().next()).copied()
    }

    fn of(trace: Vec<Step>) -> Self {
        let mut found: Vec<Held> =
            trace.iter().filter(|step| step.reach > Reach::None).map(Step::held).collect();
        // Stable, so that of two equals the first role's stays.
        found.sort_by_key(|held| (std::cmp::Reverse(held.reach), held.only.is_some()));
        let mut held: Vec<Held> = Vec::with_capacity(found.len());
        for next in found {
            if !held.iter().any(|kept| kept.covers(next)) {
                held.push(next);
            }
        }
        let refusal = [DecidedBy::Ceiling, DecidedBy::Override];
        let refused_by = refusal.into_iter().find(|by| trace.iter().any(|step| step.decided_by == *by));
        let first = held.first().copied().unwrap_or(Held {
            reach: Reach::None,
            only: None,
            decided_by: refused_by.unwrap_or(DecidedBy::Grant),
        });
        Self { reach: first.reach, only: first.only, decided_by: first.decided_by, held, trace }
    }
}

impl Step {
    fn held(&self) -> Held {
        Held { reach: self.reach, only: self.only, decided_by: self.decided_by }
    }
}

/// Weighs all that the holder has of one permission. A permission that no table names is held by nobody.
pub fn decide(holder: &Holder, permission: &str, now: Timestamp) -> Decision {
    let Some(rule) = rule(permission) else { return Decision::of(Vec::new()) };
    if let Some(context) = holder.context {
        return Decision::of(vec![lent(rule, context)]);
    }
    let own = holder.roles.iter().map(|role| weigh(holder, rule, role, now, DecidedBy::Grant));
    let lent = holder.elevated.iter().map(|role| weigh(holder, rule, role, now, DecidedBy::Elevation));
    Decision::of(own.chain(lent).collect())
}

fn weigh(holder: &Holder, rule: &Rule, slug: &str, now: Timestamp, source: DecidedBy) -> Step {
    let custom = holder.custom.iter().find(|custom| custom.slug == slug);
    // A custom role is bounded by what it is based on; a tenant cannot shadow a built-in slug.
    let custom = custom.filter(|_| role::role(slug).is_none());
    let base = custom.map_or(slug, |custom| custom.based_on.as_str());
    let cell = rule.grant(base);
    let in_scope = cell.and_then(|cell| cell.only) != Some(Only::Scope)
        || holder.scopes.iter().any(|scope| scope == rule.permission);
    let granted = match custom {
        Some(custom) => custom.reach(rule.permission),
        None => cell.map_or(Reach::None, |cell| cell.reach),
    };
    let replaced = holder.overrides.iter().filter(|o| o.role == slug && o.permission == rule.permission);
    // There is one at most; should there be two, the narrower counts.
    let overridden = replaced.filter(|o| o.is_live(now)).map(|o| o.reach).min();
    let wanted = overridden.unwrap_or(granted);
    let ceiling = if in_scope { rule.ceiling(base) } else { Reach::None };
    let reach = wanted.min(ceiling);
    Step {
        role: slug.to_owned(),
        granted,
        overridden,
        ceiling,
        reach,
        only: cell.and_then(|cell| cell.only).filter(|only| reach > Reach::None && *only != Only::Scope),
        decided_by: match overridden {
            _ if reach < wanted => DecidedBy::Ceiling,
            Some(_) => DecidedBy::Override,
            None => source,
        },
    }
}

/// An operator inside a tenant holds what its administrator does of the permissions that the context's
/// scope opens; a read-only context changes nothing.
fn lent(rule: &Rule, context: Context) -> Step {
    let cell = rule.grant("tenant_admin");
    let granted = cell.map_or(Reach::None, |cell| cell.reach);
    let opened = rule.context.is_some_and(|scope| scope <= context.scope);
    let usable = opened && (rule.reads() || !context.read_only);
    let ceiling = if usable { granted } else { Reach::None };
    Step {
        role: "tenant_admin".to_owned(),
        granted,
        overridden: None,
        ceiling,
        reach: ceiling,
        only: cell.and_then(|cell| cell.only).filter(|_| usable),
        decided_by: if granted > ceiling { DecidedBy::Ceiling } else { DecidedBy::Elevation },
    }
}
