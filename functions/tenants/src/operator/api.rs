use super::{Flag, Operator, Status, flagged};
use crate::doors;
use events::TenantEvent;
use kernel::{Error, OperatorId, Result};
use store::{Commit, Key, Record, Store, When, facts, is};
use web::{
    Ctx, Route,
    gate::{AccessGate, AccessRule, Mode, Revoked},
    noun::{self, Hooks, Paths, Written},
};

const PATH: &str = "/v1/tenants/operators";

pub fn routes() -> Vec<Route> {
    let paths = Paths {
        path: PATH,
        view: "operator.view",
        create: "operator.create",
        edit: "operator.edit",
        delete: "operator.delete",
    };
    // Whether the caller may is in their own record.
    let flagged = |r: Route| match r.operation.as_str() {
        "operator.delete" | "operator.restore" => r.trips(3),
        _ => r,
    };
    let mut routes: Vec<Route> = noun::crud::<Operator>(paths).into_iter().map(flagged).collect();
    routes.extend(noun::steps::<Operator>(PATH));
    routes
}

impl Hooks for Operator {
    fn before(ctx: &Ctx, action: &str, old: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        doors::operators_only(ctx)?;
        let oneself = doors::operator(ctx) == Some(new.id);
        if oneself && matches!(action, "suspend" | "delete") {
            return Err(Error::forbidden(
                "own-record",
                "nobody takes their own access: ask another administrator",
            ));
        }
        if let Some(old) = old
            && old.body.rights_differ(&new.body)
        {
            if oneself {
                return Err(Error::forbidden(
                    "own-record",
                    "nobody changes their own rights: ask another administrator",
                ));
            }
            ctx.needs_reason(None)?;
        }
        if old.is_some() {
            new.body.generation += 1;
        }
        Ok(())
    }

    async fn on_write(
        ctx: &Ctx,
        Written { action, old, new }: Written<'_, Self>,
        commit: Commit,
    ) -> Result<Commit> {
        if matches!(action, "delete" | "restore") {
            flagged(ctx, Flag::Delete).await?;
        }
        let gone = new.deleted_at.is_some();
        let status = if gone { "deleted".to_string() } else { new.body.status.to_string() };
        let commit = count(commit.emit(TenantEvent::OperatorChanged { status }), old, Some(new));
        admit(ctx.store(), commit, new, gone || new.body.status == Status::Suspended).await
    }
}

/// Administrators beside the one that must remain.
fn spare() -> Key {
    Key::quota("platform_admins", 0)
}

/// Keeps the number of spare administrators; the last one stays.
fn count(commit: Commit, old: Option<&Record<Operator>>, new: Option<&Record<Operator>>) -> Commit {
    let is_admin =
        |r: Option<&Record<Operator>>| r.is_some_and(|r| r.deleted_at.is_none() && r.body.is_active_admin());
    match (is_admin(old), is_admin(new)) {
        (false, true) => commit.add(&spare(), "left", 1),
        (true, false) => commit.add_if(&spare(), "left", -1, When::Above("left", 0), |_| {
            Error::conflict("last-administrator", "the platform keeps at least one active administrator")
        }),
        _ => commit,
    }
}

/// The first administrator is nobody's spare one.
pub fn first(commit: Commit) -> Commit {
    commit.put_if(&spare(), &serde_json::json!({"left": 0}), When::Absent, |_| {
        Error::conflict("exists", "there is one already")
    })
}

/// Writes what the guard reads of an operator at every request: their networks, and whether their tokens ended.
/// In the platform's own part the operators are the only users, so their module writes `access#self`.
async fn admit(platform: &Store, commit: Commit, operator: &Record<Operator>, ended: bool) -> Result<Commit> {
    let old: Option<AccessGate> = platform.fact(facts::ACCESS, "self").await?;
    let mut new = old.clone().unwrap_or_default();
    let id: OperatorId = operator.id;
    let name = id.to_string();
    new.rules.retain(|rule| rule.role != name);
    let allow_cidr = operator.body.networks();
    if !allow_cidr.is_empty() {
        new.rules.push(AccessRule {
            role: name.clone(),
            mode: Mode::Enforce,
            allow_cidr,
            allow_countries: vec![],
            deny_unknown_country: false,
            idle_minutes: None,
            absolute_hours: None,
        });
    }
    if operator.version > 1 {
        let (generation, at) = (operator.body.generation, platform.now());
        new.revoked.insert(name, Revoked { generation, at, ended });
    }
    let unchanged = match &old {
        None => When::Absent,
        Some(old) => is("rules", &old.rules).and(is("revoked", &old.revoked)),
    };
    let raced = |_| {
        Error::conflict("changed-meanwhile", "another operator was changed at the same moment; try again")
    };
    Ok(commit.put_if(&Key::fact(facts::ACCESS, "self"), &new, unchanged, raced))
}
