//! Tenants and subscriptions: who our customers are, what they may use, and how their organisation is set up.
//! Records of the platform lie in its own partition; each organisation's copy lies in that organisation's.

pub mod closing;
pub mod context;
pub mod dead_letter;
pub mod department;
pub mod details;
mod doors;
pub mod fact;
pub mod health;
pub mod limits;
pub mod operator;
pub mod organisation;
pub mod plan;
pub mod provisioning;
pub mod public;
mod reactions;
pub mod region;
mod seed;
pub mod settings;
pub mod signup;
pub mod site;
pub mod subscription;
pub mod tenant;

pub use seed::{FirstOperator, seed};

use web::Module;

/// The whole product's API, as `cargo xtask openapi` writes it. One function serves it, so one carries it.
const OPENAPI: &str = include_str!("../../../docs/openapi.json");

/// The whole module, as the function, the local platform and the tests mount it.
pub fn module() -> Module {
    let routes = [
        signup::routes(),
        plan::routes(),
        tenant::routes(),
        closing::routes(),
        provisioning::routes(),
        organisation::routes(),
        settings::routes(),
        site::routes(),
        department::routes(),
        subscription::routes(),
        limits::routes(),
        operator::routes(),
        context::routes(),
        dead_letter::routes(),
        public::routes(),
        health::routes(),
        web::docs::routes(OPENAPI),
    ];
    Module::new("tenants", routes.into_iter().flatten().collect())
        .reacts(reactions::reactions())
        .does(reactions::tasks())
}
