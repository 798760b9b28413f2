//! The states of a user (`spec/identity.md` §3).

use super::User;
use kernel::{Lifecycle, Step, always};

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

const fn step(
    command: &'static str,
    permission: &'static str,
    from: &'static [Status],
    to: Status,
    reason: bool,
) -> Step<User> {
    Step { command, permission, from, to, reason, guard: always }
}

impl Lifecycle for User {
    type State = Status;
    const STATES: &'static [Status] = Status::ALL;
    const STEPS: &'static [Step<Self>] = &[
        step("resend", "user.create", &[Invited, Lapsed], Invited, false),
        // The user pool has lost the login, or has it under another identity (`docs/restore.md`).
        step("renew-login", "user.renew_login", &[Active], Invited, true),
        step("suspend", "user.suspend", &[Active], Suspended, true),
        step("reactivate", "user.suspend", &[Suspended], Active, true),
        step("disable", "user.disable", &[Invited, Lapsed, Active, Suspended], Disabled, true),
        // Who never signed in is invited again.
        step("enable", "user.disable", &[Disabled], Active, true),
        step("bar", "user.bar", &[Invited, Lapsed, Active, Suspended, Disabled], Barred, true),
        step("confirm-bar", "user.bar", &[Barred], Disabled, true),
    ];
    fn state(&self) -> Status {
        self.status
    }
    fn set_state(&mut self, state: Status) {
        self.status = state;
    }
}
