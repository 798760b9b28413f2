//! The doors of the product: who is let in, and who is not.

use super::Scene;
use crate::rehearse::stack::SENDER;
use local::{
    demo::{Login, Visitor, visitor::Answered},
    hosted,
    template::REGION,
    trouble,
    trouble::{Outcome, While},
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::Command;

pub async fn health(scene: &Scene<'_>) -> Outcome<((), String)> {
    let health = scene.door.get("/v1/health").await?;
    Ok(((), health.to_string()))
}

/// Who has no token is refused by the gateway, who has no role by the roles.
pub async fn strangers(scene: &Scene<'_>) -> Outcome<((), String)> {
    for (path, status) in [("/v1/patients", 401), ("/partner/v1/patients", 401), ("/v1/nowhere", 404)] {
        let answered = scene.door.send(Method::GET, path, &[], None).await?;
        refused(path, &answered, status)?;
    }
    let forged = scene.door.with(Some("e30.e30.e30"));
    refused("a forged token", &forged.send(Method::GET, "/v1/patients", &[], None).await?, 401)?;
    let roles = scene.steps.aws.query("iam", "ListRoles", &[]).await?;
    let roles = crate::rehearse::aws::texts(&roles, "Arn");
    let tenant = roles.iter().find(|arn| arn.contains("-TenantRole-"));
    let tenant = tenant.ok_or_else(|| trouble!("There is no tenants' role among {}.", roles.join(", ")))?;
    let asked = [("RoleArn", *tenant), ("RoleSessionName", "stranger"), ("Version", "2011-06-15")];
    let asked = asked.map(|(name, value)| (name.to_string(), value.to_string()));
    match scene.steps.aws.query("sts", "AssumeRole", &asked).await {
        Ok(_) => Err(trouble!("The account's owner could assume the tenants' role.")),
        Err(why) if why.0.contains("AccessDenied") => {
            Ok(((), "no token, a forged one, no such path, no function's role: all refused".into()))
        }
        Err(other) => Err(other),
    }
}

fn refused(what: &str, answered: &Answered, status: u16) -> Outcome<()> {
    match answered.status == status && answered.body["status"] == status {
        true => Ok(()),
        false => Err(trouble!("{what} was answered {} {}", answered.status, answered.body)),
    }
}

/// The first operator, appointed by the command that a person uses (`cargo xtask operator`), signed in with a second
/// factor.
pub async fn operator(scene: &Scene<'_>) -> Outcome<(Visitor, String)> {
    let deed = "appoint the first operator";
    let key = crate::rehearse::aws::KEY;
    let program = std::env::current_exe().whilst(deed)?;
    let appointed = Command::new(program)
        .args(["operator", "operator@lumina.example", "Olu", "Platform"])
        .envs([("AWS_ACCESS_KEY_ID", key), ("AWS_SECRET_ACCESS_KEY", key), ("AWS_REGION", REGION)])
        .env("AWS_ENDPOINT_URL", &scene.steps.aws.address)
        .envs([("TABLE", scene.stack.output("TableName")?), ("KEY_ID", scene.stack.output("KeyArn")?)])
        .envs([("USER_POOL", scene.stack.output("PoolId")?), ("REGION_NAME", REGION)])
        .envs([("STAGE", crate::rehearse::stack::STAGE), ("SENDER", SENDER)])
        .output()
        .await
        .whilst(deed)?;
    if !appointed.status.success() {
        return Err(trouble!("Could not {deed}: {}", String::from_utf8_lossy(&appointed.stderr)));
    }
    let mut login: Login = serde_json::from_slice(&appointed.stdout).whilst("read the operator's login")?;
    asks_before_the_password(scene, &login).await?;
    let person = login.enter(&scene.door, &scene.clock).await?;
    if login.totp_secret.is_none() {
        return Err(trouble!("An operator could sign in without being asked for a second factor."));
    }
    Ok((person, format!("{} signed in with a second factor", login.user)))
}

/// The emulator knows no trigger before the password, so its event is sent to the function by hand.
async fn asks_before_the_password(scene: &Scene<'_>, login: &Login) -> Outcome<()> {
    let account = json!({"UserPoolId": scene.stack.output("PoolId")?, "Username": login.user});
    let target = "AWSCognitoIdentityProviderService.AdminGetUser";
    let account = scene.steps.aws.json("cognito-idp", target, &account).await?;
    let attributes = account["UserAttributes"].as_array().into_iter().flatten();
    let named = |one: &Value| (one["Name"].as_str().unwrap_or_default().to_string(), one["Value"].clone());
    let event = json!({
        "version": "1", "triggerSource": "PreAuthentication_Authentication", "region": REGION,
        "userPoolId": scene.stack.output("PoolId")?, "userName": login.user,
        "callerContext": {"awsSdkVersion": "rehearsal", "clientId": scene.stack.output("AdminClientId")?},
        "request": {"userAttributes": attributes.map(named).collect::<serde_json::Map<_, _>>()}, "response": {},
    });
    let answer = invoke(scene, "token", &event).await?;
    match answer["response"].is_object() {
        true => Ok(()),
        false => Err(trouble!("The pool's question before the password was answered {answer}")),
    }
}

/// Calls a function as Lambda's API does.
pub async fn invoke(scene: &Scene<'_>, function: &str, event: &Value) -> Outcome<Value> {
    let name = format!("{}-{function}", crate::rehearse::stack::NAME);
    let path = format!("/2015-03-31/functions/{name}/invocations");
    let answer = scene.steps.aws.rest("lambda", Method::POST, &path, event.to_string().into()).await?;
    serde_json::from_str(&answer).whilst(format_args!("read the answer of {name}"))
}

/// The claims of a token, as the gateway would read them.
pub fn claims(person: &Visitor) -> Outcome<Value> {
    hosted::claims(person.token()).ok_or_else(|| trouble!("That is no token: {}", person.token()))
}
