//! `tenant#self`: the fact every request of an organisation stands on. Every change of it starts from the revision
//! that was read, so that two changes at once cannot lose one another.

use crate::{
    limits::{self, Limits},
    organisation::Organisation,
    plan::{Plan, Status as PlanStatus},
    tenant::Tenant,
};
use kernel::{Error, Id, OrganisationId, Result, TenantId};
use store::{Commit, Entity, Key, Record, Store, Wanted, facts, is};
use web::gate::{BUILT, TenantGate};

/// The code of the refusal when somebody else changed the fact between reading and writing.
pub const CHANGED: &str = "changed-meanwhile";

pub async fn read(tenant: &Store) -> Result<TenantGate> {
    tenant.fact(facts::TENANT, "self").await?.ok_or(Error::Missing)
}

/// Puts the next revision of the fact; `old` is what was read.
pub fn write(commit: Commit, old: &TenantGate, new: &TenantGate) -> Commit {
    let next = TenantGate { rev: old.rev + 1, ..new.clone() };
    let changed = |_| {
        Error::conflict(CHANGED, "the organisation's settings were changed at the same moment; try again")
    };
    commit.put_if(&Key::fact(facts::TENANT, "self"), &next, is("rev", old.rev), changed)
}

/// What the plan decides of the fact.
pub fn license(gate: &mut TenantGate, plan: &Plan, special: &Limits, on_sale: &[Plan]) {
    let limits = plan.limits.with(special);
    let off = |m: &&String| BUILT.contains(&m.as_str()) && !gate.on.contains(m);
    let was_off: Vec<String> = gate.licensed.iter().filter(off).cloned().collect();
    gate.plan = plan.code.clone();
    gate.licensed = plan.licensed(gate.edition);
    let runs = |m: &&String| BUILT.contains(&m.as_str()) && !was_off.contains(m);
    gate.on = gate.licensed.iter().filter(runs).cloned().collect();
    gate.features = plan.features.clone();
    // What the guard lets one organisation do in a second, in each environment.
    gate.policies.insert("rate.rps".into(), plan.rate.rps.into());
    gate.lifted_by = limits::lifted_by(&limits, &gate.licensed, gate.edition, on_sale);
    gate.limits = limits.map();
}

/// The plans that are sold now.
pub async fn on_sale(platform: &Store) -> Result<Vec<Plan>> {
    let page = platform.list(&Plan::LISTS[1], &Wanted::by(&[&PlanStatus::Published], 100)).await?;
    Ok(page.data.into_iter().map(|r| r.body).collect())
}

pub fn organisation_of(tenant: TenantId) -> OrganisationId {
    OrganisationId::of(tenant.ulid())
}

/// The three places in which an organisation's state stands: the register, its own record, the fact.
pub struct Standing {
    pub ten: Record<Tenant>,
    pub org: Record<Organisation>,
    pub gate: TenantGate,
}

impl Standing {
    /// As it is now, strongly read, at once.
    pub async fn read(platform: &Store, tenant: &Store, id: TenantId) -> Result<Self> {
        let org = organisation_of(id);
        let (ten, org, gate) =
            futures::join!(platform.fresh::<Tenant>(id), tenant.fresh::<Organisation>(org), read(tenant));
        Ok(Self { ten: ten?, org: org?, gate: gate? })
    }
}
