//! A role of the organisation's own: a name, what it is based on, and what it grants. It never reaches further
//! than the role it is based on could (IDN-3).

use crate::{
    access::Access,
    gated::Gated,
    user::delegation::{Giving, refuse},
};
use authz::{CustomGrant, CustomRole, custom_role_faults};
use events::IdentityEvent;
use kernel::{CustomRoleId, Error, Fault, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::{Entity, List, Record, Unique};
use web::{Ctx, Noun};

/// More would make the gate's fact too large to be read with every change of rights.
const MOST: usize = 40;

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Role {
    #[schemars(regex(pattern = r"^x_[a-z0-9_]{2,30}$"))]
    pub slug: String,
    #[schemars(length(min = 1, max = 60))]
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 500))]
    pub description: Option<String>,
    /// A built-in role, whose ceilings and restrictions hold.
    #[schemars(length(min = 1, max = 40))]
    pub based_on: String,
    #[schemars(length(max = 300))]
    pub grants: Vec<CustomGrant>,
}

impl Role {
    fn custom(&self) -> CustomRole {
        let Self { slug, based_on, grants, .. } = self.clone();
        CustomRole { slug, based_on, grants }
    }
}

impl Entity for Role {
    type Id = CustomRoleId;
    const NOUN: &'static str = "role";
    const LISTS: &'static [List<Self>] = &[List::newest()];
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("slug", "duplicate", |r| vec![r.slug.clone()])];
}

impl Noun for Role {
    fn check(&self) -> Vec<Fault> {
        let mut seen = BTreeSet::new();
        let twice = self.grants.iter().enumerate().filter(|(_, g)| !seen.insert(&g.permission));
        twice
            .map(|(n, _)| {
                Fault::new(format!("/grants/{n}/permission"), "repeated", "is granted above already")
            })
            .collect()
    }
}

impl Gated for Role {
    const REASON: bool = true;

    fn permit(ctx: &Ctx, old: Option<&Self>, new: &Self) -> Result<()> {
        if old.is_some_and(|old| old.slug != new.slug) {
            return Err(Error::field(
                "immutable",
                "/slug",
                "users hold the role by this word; make a new role instead",
            ));
        }
        if old.is_none() && ctx.gate().access.custom.len() >= MOST {
            return Err(Error::conflict("limit-reached", "an organisation has at most 40 roles of its own"));
        }
        let licensed = ctx.tenant()?.features.iter().any(|f| f == "custom_roles");
        if !licensed {
            return Err(Error::forbidden(
                "feature-not-licensed",
                "the plan does not include roles of one's own",
            ));
        }
        let giving = Giving::by(ctx);
        refuse(custom_role_faults(&giving.granter(ctx), &new.custom(), ctx.now()))
    }
    fn put(&self, access: Access) -> Access {
        access.set_role(self.custom())
    }
    fn take(&self, access: Access) -> Access {
        access.drop_role(&self.slug)
    }
    fn event(record: &Record<Self>) -> Option<IdentityEvent> {
        Some(IdentityEvent::RoleChanged { role: record.id, slug: record.body.slug.clone() })
    }
}
