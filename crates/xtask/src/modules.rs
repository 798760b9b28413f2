//! Every module of the product, one line each. Their routes are documented and compared with the template; no
//! handler is ever called here, so their ports lead nowhere.

use aws_sdk_cognitoidentityprovider::{Client, Config, config::BehaviorVersion};
use identity::Cognito;
use integrations::{Https, Permit, gateway};
use std::sync::Arc;
use web::Module;

pub fn all() -> Vec<Module> {
    vec![
        tenants::module(),
        identity::module(Arc::new(pool())),
        patients::module(),
        scheduling::module(),
        audit::module(),
        documents::module(),
        notifications::module(notifications::Channels::nowhere()),
        integrations::module(Arc::new(gateway()), Arc::new(Https::new(Permit::Public))),
        workflow::module(),
        eap::module(),
    ]
}

fn cognito() -> Client {
    Client::from_conf(Config::builder().behavior_version(BehaviorVersion::latest()).build())
}

fn pool() -> Cognito {
    Cognito::new(cognito(), "none")
}

fn gateway() -> gateway::Aws {
    use aws_sdk_apigateway::{Client, Config, config::BehaviorVersion};
    let keys = Client::from_conf(Config::builder().behavior_version(BehaviorVersion::latest()).build());
    gateway::Aws::new(cognito(), keys, "none", "")
}
