//! The first operator of a deployed stack, whom nobody can invite, and the plans that it begins with.
//!
//! Runs with the environment that the functions have (`TABLE`, `KEY_ID`, `USER_POOL`, `REGION_NAME`, `STAGE`, from the
//! stack's outputs) and the caller's own credentials. Repeating it gives the same operator a new password.

use local::{
    demo::Login,
    operator::{Operator, appoint_in},
    trouble,
    trouble::{Outcome, While},
};
use std::sync::Arc;

/// Prints the login as JSON, once: the password is stored nowhere.
pub fn appoint(email: &str, given_name: &str, family_name: &str) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let wanted = Operator {
        username: "operator".into(),
        email: email.into(),
        given_name: given_name.into(),
        family_name: family_name.into(),
    };
    let login = runtime.whilst("start")?.block_on(appointed(wanted))?;
    println!("{}", serde_json::to_string_pretty(&login).whilst("print the login")?);
    Ok(())
}

async fn appointed(wanted: Operator) -> Outcome<Login> {
    // Whoever may do this reaches the table with their own rights and no role of a function's.
    let read = |name: &str| if name == "ISOLATE" { Some("false".into()) } else { std::env::var(name).ok() };
    let config = runtime::Config::read(read).whilst("read the stack's environment")?;
    let aws = runtime::Aws::load(config).map_err(|e| trouble!("{e}"))?;
    let client = aws_sdk_cognitoidentityprovider::Client::new(&aws.sdk);
    let pool: identity::Pool = Arc::new(identity::Cognito::new(client, &aws.config.user_pool));
    appoint_in(&pool, aws.shared(), &wanted).await
}
