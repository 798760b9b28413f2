//! Events of the `tenants` module. Life-cycle events of an organisation are emitted inside its own partition;
//! those of sign-ups, plans and operators inside the platform's.

use kernel::{ContextId, DepartmentId, PlanId, SignupId, SiteId, TenantId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum TenantEvent {
    #[serde(rename = "signup.submitted")]
    SignupSubmitted { plan: PlanId, edition: String, country: String },
    #[serde(rename = "signup.expired")]
    SignupExpired,
    #[serde(rename = "tenant.approved")]
    Approved { tenant: TenantId, signup: SignupId, plan: PlanId },
    #[serde(rename = "tenant.rejected")]
    Rejected,
    /// Keys and first records exist: other modules install theirs and answer with their own event.
    #[serde(rename = "tenant.prepared")]
    Prepared { tenant: TenantId, edition: String, country: String, plan: String },
    #[serde(rename = "tenant.provisioned")]
    Provisioned { tenant: TenantId, status: String },
    #[serde(rename = "tenant.activated")]
    Activated { tenant: TenantId, plan: String },
    #[serde(rename = "tenant.overdue")]
    Overdue { tenant: TenantId, suspend_on: String },
    #[serde(rename = "tenant.suspended")]
    Suspended { tenant: TenantId, reason: String },
    #[serde(rename = "tenant.reactivated")]
    Reactivated { tenant: TenantId },
    #[serde(rename = "tenant.closing")]
    Closing { tenant: TenantId },
    #[serde(rename = "tenant.closed")]
    Closed { tenant: TenantId, erase_after: String },
    #[serde(rename = "tenant.plan_changed")]
    PlanChanged { tenant: TenantId, from: String, to: String },
    #[serde(rename = "plan.published")]
    PlanPublished { code: String, revision: u32 },
    /// Names of the fields that changed.
    #[serde(rename = "organisation.changed")]
    OrganisationChanged { fields: Vec<String> },
    #[serde(rename = "tenant.settings_changed")]
    SettingsChanged { section: String },
    #[serde(rename = "modules.switched")]
    ModulesSwitched { on: Vec<String>, off: Vec<String> },
    #[serde(rename = "limit.neared")]
    LimitNeared { limit: String, percent: u8 },
    #[serde(rename = "limit.reached")]
    LimitReached { limit: String },
    #[serde(rename = "site.opened")]
    SiteOpened { site: SiteId },
    #[serde(rename = "site.changed")]
    SiteChanged { site: SiteId },
    /// `move_to` takes over what was open there.
    #[serde(rename = "site.closed")]
    SiteClosed {
        site: SiteId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        move_to: Option<SiteId>,
    },
    #[serde(rename = "department.changed")]
    DepartmentChanged { department: DepartmentId, site: SiteId, open: bool },
    #[serde(rename = "operator.changed")]
    OperatorChanged { status: String },
    #[serde(rename = "context.opened")]
    ContextOpened { context: ContextId, scope: String, read_only: bool },
    #[serde(rename = "context.ended")]
    ContextEnded { context: ContextId, how: String },
}
