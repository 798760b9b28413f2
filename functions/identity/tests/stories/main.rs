//! The stories of `spec/identity.md` §10, told by people who sign in through the token function.

mod access_rules;
mod administrators;
mod bad_input;
mod break_glass;
mod discovery;
mod elevation;
mod explain;
mod grants;
mod invitation;
mod lockout;
mod mfa;
mod operators;
mod profile;
mod rights;
mod rounds;
mod sessions;
mod support;
mod teams;
