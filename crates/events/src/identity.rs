//! Events of the `identity` module.

use kernel::{BreakGlassId, CustomRoleId, ElevationId, OverrideId, TeamId, UserId};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum IdentityEvent {
    /// The first administrator's record is there; the organisation may open.
    #[serde(rename = "user.prepared")]
    UserPrepared { user: UserId },
    /// An invitation is to be sent: for the first time, or again.
    #[serde(rename = "user.invited")]
    UserInvited { user: UserId },
    /// The first sign-in.
    #[serde(rename = "user.activated")]
    UserActivated { user: UserId, person: Option<String> },
    #[serde(rename = "user.signed_in")]
    UserSignedIn { user: UserId, client: String },
    #[serde(rename = "user.changed")]
    UserChanged { user: UserId },
    #[serde(rename = "user.rights_changed")]
    UserRightsChanged { user: UserId, generation: u64 },
    #[serde(rename = "user.suspended")]
    UserSuspended { user: UserId },
    #[serde(rename = "user.reactivated")]
    UserReactivated { user: UserId },
    #[serde(rename = "user.disabled")]
    UserDisabled { user: UserId },
    #[serde(rename = "user.barred")]
    UserBarred { user: UserId },
    #[serde(rename = "user.locked")]
    UserLocked { user: UserId },
    #[serde(rename = "user.signed_out")]
    UserSignedOut { user: UserId },
    #[serde(rename = "mfa.enabled")]
    MfaEnabled { user: UserId },
    #[serde(rename = "mfa.reset")]
    MfaReset { user: UserId },
    #[serde(rename = "role.changed")]
    RoleChanged { role: CustomRoleId, slug: String },
    #[serde(rename = "override.changed")]
    OverrideChanged { grant_override: OverrideId, role: String, permission: String },
    #[serde(rename = "team.changed")]
    TeamChanged { team: TeamId },
    #[serde(rename = "elevation.requested")]
    ElevationRequested { elevation: ElevationId, user: UserId, role: String },
    #[serde(rename = "elevation.granted")]
    ElevationGranted { elevation: ElevationId, user: UserId, role: String },
    #[serde(rename = "elevation.ended")]
    ElevationEnded { elevation: ElevationId, user: UserId, role: String },
    #[serde(rename = "break_glass.used")]
    BreakGlassUsed { break_glass: BreakGlassId, user: UserId, record: String },
    #[serde(rename = "break_glass.reviewed")]
    BreakGlassReviewed { break_glass: BreakGlassId, outcome: String },
    /// Five refusals in ten minutes.
    #[serde(rename = "login.refused")]
    LoginRefused { user: UserId },
}
