//! What an organisation changes of the matrix: one permission of one role, wider or narrower, never above the
//! ceiling that the product sets (IDN-4).

use crate::{
    access::Access,
    gated::Gated,
    user::delegation::{Giving, refuse},
};
use authz::{Override, Reach, override_faults};
use events::IdentityEvent;
use jiff::Timestamp;
use kernel::{Error, OverrideId, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Entity, List, Record, Row, Unique};
use web::{Ctx, Noun};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GrantOverride {
    #[schemars(length(min = 1, max = 40))]
    pub role: String,
    #[schemars(length(min = 1, max = 80))]
    pub permission: String,
    /// `none` takes the right away.
    pub reach: Reach,
    /// From then on it no longer counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

impl GrantOverride {
    fn change(&self) -> Override {
        let Self { role, permission, reach, expires } = self.clone();
        Override { role, permission, reach, expires }
    }
}

impl Entity for GrantOverride {
    type Id = OverrideId;
    const NOUN: &'static str = "override";
    const LISTS: &'static [List<Self>] =
        &[List::newest(), List::by("role", &["role"], |r| vec![Row::new(&[&r.body.role], &[&r.id])])];
    const UNIQUE: &'static [Unique<Self>] =
        &[Unique::of("permission", "duplicate", |o| vec![format!("{}~{}", o.role, o.permission)])];
}

impl Noun for GrantOverride {}

impl Gated for GrantOverride {
    const REASON: bool = true;

    fn permit(ctx: &Ctx, old: Option<&Self>, new: &Self) -> Result<()> {
        if old.is_some_and(|old| (&old.role, &old.permission) != (&new.role, &new.permission)) {
            return Err(Error::field("immutable", "/permission", "take this override back and make another"));
        }
        if new.expires.is_some_and(|end| end <= ctx.now()) {
            return Err(Error::field("past", "/expires", "this moment has passed"));
        }
        let giving = Giving::by(ctx);
        refuse(override_faults(&giving.granter(ctx), &new.change(), ctx.now()))
    }
    fn put(&self, access: Access) -> Access {
        access.set_override(self.change())
    }
    fn take(&self, access: Access) -> Access {
        access.drop_override(&self.role, &self.permission)
    }
    fn event(record: &Record<Self>) -> Option<IdentityEvent> {
        let GrantOverride { role, permission, .. } = record.body.clone();
        Some(IdentityEvent::OverrideChanged { grant_override: record.id, role, permission })
    }
}
