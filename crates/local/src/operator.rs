//! The platform's first operator, whom nobody can invite.

use crate::{
    demo::{Login, secret},
    functions::{Surroundings, logins},
    trouble::{Outcome, While},
};
use identity::Pool;
use serde::Deserialize;
use store::{Caller, Scope};
use web::App;

/// Who it is to be.
#[derive(Clone, Debug, Deserialize)]
pub struct Operator {
    pub username: String,
    pub email: String,
    pub given_name: String,
    pub family_name: String,
}

const SLUG: &str = "platform";

/// The operator's record, by the tenants module's own seed, and their login in the user pool with a new password.
pub async fn appoint(around: &Surroundings, app: &App, wanted: &Operator) -> Outcome<Login> {
    appoint_in(&logins(around), app, wanted).await
}

/// The same wherever table and user pool are.
pub async fn appoint_in(pool: &Pool, app: &App, wanted: &Operator) -> Outcome<Login> {
    let deed = "appoint the first operator";
    let first = tenants::FirstOperator {
        username: wanted.username.clone(),
        email: wanted.email.clone(),
        first_name: wanted.given_name.clone(),
        last_name: wanted.family_name.clone(),
    };
    let operator = tenants::seed(app, first).await.whilst(deed)?;
    let caller = Caller { by: "system:local".into(), request: "first-operator".into(), ..Caller::default() };
    let store = app.vault().open(Scope::Platform, caller).await.whilst(deed)?;
    let id = operator.to_string();
    identity::operator::appoint(&store, pool, operator).await.whilst(deed)?;
    let password = secret::password()?;
    pool.set_password(&id, &password).await.whilst(deed)?;
    let alias = format!("{SLUG}/{}", wanted.username);
    pool.set_alias(&id, &alias, Some(&wanted.email)).await.whilst(deed)?;
    Ok(Login {
        user: id,
        name: format!("{} {}", wanted.given_name, wanted.family_name),
        roles: vec!["platform_admin".into()],
        slug: SLUG.into(),
        login_name: wanted.username.clone(),
        password,
        totp_secret: None,
    })
}
