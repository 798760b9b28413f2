//! Stories of sign-up, plans, settings, sites, operators and closing.

mod common;
mod dead_letters;
mod life;
mod operators;
mod provisioning;
mod rounds;
mod settings;
mod signup;
mod sites;
mod subscription;
