//! Who somebody is, what they may do, from where and for how long.
//!
//! Device keys (IDN-6), single sign-on (IDN-7) and SCIM (IDN-11) wait: their kinds `dev`, `idp` and `scm` are in
//! the list, and `token` leaves the branch for federated logins to them.

pub mod access;
pub mod attempt;
pub mod invitation;
pub mod letter;
pub mod lock;
pub mod login;
pub mod logins;
pub mod lookup;
pub mod operator;
pub mod organisation;
pub mod password;
mod reactions;
pub mod session;
mod spelling;
pub mod user;

pub use logins::{Cognito, Logins, NewLogin, Pool};

use std::sync::Arc;
use web::Module;

/// The module, with the user pool it keeps in step.
pub fn module(logins: Arc<dyn Logins>) -> Module {
    let mut routes = user::api::routes();
    routes.extend(invitation::api::routes(&logins));
    routes.extend(session::api::routes());
    Module::new("identity", routes).reacts(reactions::reactions(&logins)).does(session::seen::tasks())
}
