//! The port to the user pool: one login per person and organisation, named by the user's id. Passwords and
//! second factors live there and nowhere else; everything about rights lives in our own records.

mod cognito;

pub use cognito::Cognito;

use kernel::Result;
use std::{future::Future, pin::Pin, sync::Arc};

pub type Calling<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;
/// As handlers and reactions hold it.
pub type Pool = Arc<dyn Logins>;

/// A login to be made, without a password: nobody can sign in with it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLogin {
    /// `usr_…` or `opr_…`; never changes.
    pub user: String,
    /// The tenant's key prefix, or `platform`; never changes.
    pub tenant: String,
}

/// All calls may be repeated: each leaves the same state behind however often it is made.
pub trait Logins: Send + Sync {
    /// Makes the login, or finds the one made before; its `sub`.
    fn create<'a>(&'a self, new: &'a NewLogin) -> Calling<'a, String>;
    /// A permanent password. 422 `weak-password` if the pool's policy refuses it.
    fn set_password<'a>(&'a self, user: &'a str, password: &'a str) -> Calling<'a, ()>;
    /// `{slug}/{login name}`, possible only once a password is set; and where codes for a forgotten one go.
    /// 409 `login-name-taken` if another login has the alias.
    fn set_alias<'a>(&'a self, user: &'a str, alias: &'a str, email: Option<&'a str>) -> Calling<'a, ()>;
    /// Ends all refresh tokens.
    fn sign_out<'a>(&'a self, user: &'a str) -> Calling<'a, ()>;
    fn disable<'a>(&'a self, user: &'a str) -> Calling<'a, ()>;
    fn enable<'a>(&'a self, user: &'a str) -> Calling<'a, ()>;
    /// Whether the authenticator's code is asked for at sign-in.
    fn prefer_totp<'a>(&'a self, user: &'a str, on: bool) -> Calling<'a, ()>;
    /// A new secret for an authenticator, base32; needs the person's own access token with the scope for it.
    fn associate_totp<'a>(&'a self, access_token: &'a str) -> Calling<'a, String>;
    /// Whether the code fits the secret last given out.
    fn verify_totp<'a>(&'a self, access_token: &'a str, code: &'a str) -> Calling<'a, bool>;
    fn delete<'a>(&'a self, user: &'a str) -> Calling<'a, ()>;
}
