//! Who may do what, and to whose records: roles, the permission matrix as data, the decision, and what
//! may be delegated. No IO; the same values feed the guard, `explain`, the docs and the golden grid.
//!
//! ```
//! use authz::{Holder, Reach, decide};
//! let roles = ["receptionist".to_owned()];
//! let holder = Holder { roles: &roles, ..Holder::default() };
//! assert_eq!(decide(&holder, "patient.create", jiff::Timestamp::UNIX_EPOCH).reach, Reach::Site);
//! ```

pub mod decide;
pub mod delegate;
pub mod grid;
pub mod matrix;
pub mod reach;
pub mod role;
pub mod rule;

pub use decide::{
    Context, CustomGrant, CustomRole, DecidedBy, Decision, Held, Holder, Override, Step, decide,
};
pub use delegate::{
    Excess, Granter, Wanted, custom_role_faults, grant_faults, key_faults, may_grant, override_faults,
};
pub use reach::Reach;
pub use role::{Edition, MayGrant, ROLES, Role, role};
pub use rule::{Grant, Only, Rule, Scope, rule, rules};
