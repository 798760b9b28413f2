//! The states of a user (`spec/identity.md` §3).

use super::User;
use kernel::{Lifecycle, Step};

kernel::words! {
    pub enum Status {
        /// Made; has not signed in yet.
        Invited = "invited",
        /// The invitation ran out.
        Lapsed = "lapsed",
        Active = "active",
        Suspended = "suspended",
        Disabled = "disabled",
        /// One administrator has barred them, a second has to confirm it.
        Barred = "barred",
    }
}

use Status::*;

impl Status {
    /// Takes up one of the plan's users.
    pub fn counts(self) -> bool {
        matches!(self, Invited | Active | Suspended)
    }
    /// May be named as an assignee, gets messages.
    pub fn works(self) -> bool {
        matches!(self, Invited | Active)
    }
}

impl Lifecycle for User {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] = &[
        Step::of("resend", "user.create", &[Invited, Lapsed], Invited),
        // The user pool has lost the login, or has it under another identity (`docs/restore.md`).
        Step::<Self>::of("renew-login", "user.renew_login", &[Active], Invited).reason(),
        Step::<Self>::of("suspend", "user.suspend", &[Active], Suspended).reason(),
        Step::<Self>::of("reactivate", "user.suspend", &[Suspended], Active).reason(),
        Step::<Self>::of("disable", "user.disable", &[Invited, Lapsed, Active, Suspended], Disabled).reason(),
        // Who never signed in is invited again.
        Step::<Self>::of("enable", "user.disable", &[Disabled], Active).reason(),
        Step::<Self>::of("bar", "user.bar", &[Invited, Lapsed, Active, Suspended, Disabled], Barred).reason(),
        Step::<Self>::of("confirm-bar", "user.bar", &[Barred], Disabled).reason(),
    ];
}
