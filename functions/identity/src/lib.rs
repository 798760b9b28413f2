//! Who somebody is, what they may do, from where and for how long.
//!
//! Device keys (IDN-6), single sign-on (IDN-7) and SCIM (IDN-11) wait: their kinds `dev`, `idp` and `scm` are in
//! the list, and `token` leaves the branch for federated logins to them.

pub mod access;
pub mod access_rule;
pub mod attempt;
pub mod break_glass;
pub mod code;
pub mod discovery;
pub mod elevation;
pub mod explain;
pub mod gated;
pub mod grant_override;
pub mod invitation;
pub mod letter;
pub mod lock;
pub mod login;
pub mod logins;
pub mod lookup;
mod machine;
pub mod me;
pub mod operator;
pub mod organisation;
pub mod password;
mod reactions;
pub mod recovery;
pub mod role;
pub mod session;
mod spelling;
pub mod team;
pub mod user;

pub use logins::{Cognito, Logins, NewLogin, Pool};

use access_rule::AccessRule;
use grant_override::GrantOverride;
use std::sync::Arc;
use web::Module;

/// The module, with the user pool it keeps in step.
pub fn module(logins: Arc<dyn Logins>) -> Module {
    let mut routes = user::api::routes();
    routes.extend(invitation::api::routes(&logins));
    routes.extend(session::api::routes());
    routes.extend(me::routes(&logins));
    routes.extend(recovery::routes());
    routes.extend(discovery::routes());
    routes.extend(gated::routes::<role::Role>("/v1/identity/roles", "role.view", "role.edit"));
    routes.extend(gated::routes::<GrantOverride>("/v1/identity/overrides", "override.view", "override.edit"));
    routes.extend(gated::routes::<AccessRule>(
        "/v1/identity/access-rules",
        "access_rule.view",
        "access_rule.edit",
    ));
    routes.extend(team::routes());
    routes.extend(elevation::api::routes());
    routes.extend(break_glass::api::routes());
    routes.extend(explain::routes());
    let mut tasks = session::seen::tasks();
    tasks.extend(user::due::tasks());
    tasks.extend(elevation::due::tasks());
    tasks.extend(break_glass::due::tasks());
    Module::new("identity", routes).reacts(reactions::reactions(&logins)).does(tasks)
}
