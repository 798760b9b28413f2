//! Accounts that the emulator has lost, made again from the table.
//!
//! The table knows who may sign in (`usr` records, operators); Cognito holds the password and the second factor.
//! When the emulator's own state is gone, accounts are made again under the same name and with the same `sub`,
//! which the token function compares. Their passwords come from `demo.json`, if they stand there; otherwise the
//! person needs a new invitation.

use crate::{
    demo::{Demo, Login, login::now, secret},
    emulator::{Caller, Refusal, pool::Pool},
    platform::Platform,
    trouble,
    trouble::{Outcome, While},
};
use kernel::Clock;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What Cognito has to know of somebody.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// The tenant's 26 characters, or `platform`.
    pub tenant: String,
    /// `usr_…` or `opr_…`
    pub user: String,
    pub sub: String,
}

/// What had to be made again.
#[derive(Debug, Default, PartialEq)]
pub struct Restored {
    /// With their password and, where they had one, a new second factor.
    pub whole: Vec<String>,
    /// Without: they need a new invitation.
    pub bare: Vec<String>,
}

impl Restored {
    /// What the person at the terminal is told; nothing when nothing was lost.
    pub fn told(&self) -> Option<String> {
        let (whole, bare) = (self.whole.len(), self.bare.len());
        let told = format!(
            "The emulated Cognito had lost {} accounts; they were made again from the table, {whole} with the \
             password of demo.json (new authenticator secrets stand there), {bare} without: {}.",
            whole + bare,
            if bare == 0 { "none".into() } else { format!("{} need a new invitation", self.bare.join(", ")) },
        );
        (whole + bare > 0).then_some(told)
    }
}

/// Makes again whatever the table names and the user pool lacks; new authenticator secrets are put into `demo`.
pub async fn restore(platform: &Platform, demo: Option<&mut Demo>) -> Outcome<Restored> {
    let deed = "restore the accounts";
    let table = &platform.around.table;
    let mut records = table.items_of_kind("usr").await?;
    records.extend(table.items_of_kind("operator").await?);
    let (caller, pool) = (&platform.around.emulator, &platform.around.pool);
    let known = known(caller, pool).await.whilst(deed)?;
    let mut lost: Vec<Account> = records.iter().filter_map(of_record).collect();
    lost.retain(|account| !known.contains(&account.user));
    let mut logins: Vec<&mut Login> = demo.map(|demo| demo.logins_mut().collect()).unwrap_or_default();
    let mut restored = Restored::default();
    for account in lost {
        create(caller, pool, &account).await.whilst(deed)?;
        match logins.iter_mut().find(|login| login.user == account.user) {
            Some(login) => {
                hand_back(caller, pool, login, &platform.around.clock).await?;
                restored.whole.push(account.user);
            }
            None => restored.bare.push(account.user),
        }
    }
    Ok(restored)
}

/// The names of all accounts.
async fn known(caller: &Caller, pool: &Pool) -> Result<BTreeSet<String>, Refusal> {
    let mut names = BTreeSet::new();
    let mut ask = json!({"UserPoolId": pool.id, "Limit": 60});
    loop {
        let page = caller.cognito("ListUsers", &ask).await?;
        let users = page["Users"].as_array().into_iter().flatten();
        names.extend(users.filter_map(|user| user["Username"].as_str().map(String::from)));
        match page["PaginationToken"].as_str() {
            Some(next) => ask["PaginationToken"] = json!(next),
            None => return Ok(names),
        }
    }
}

async fn create(caller: &Caller, pool: &Pool, account: &Account) -> Result<(), Refusal> {
    let attributes = [("custom:tenant", &account.tenant), ("custom:user", &account.user)];
    let ask = json!({
        "UserPoolId": pool.id, "Username": account.user, "MessageAction": "SUPPRESS",
        "UserAttributes": attributes.map(attribute),
    });
    caller.cognito("AdminCreateUser", &ask).await?;
    // Possible on the emulator only, and the reason why nobody has to be invited anew.
    update(caller, pool, &account.user, attribute(("sub", &account.sub))).await
}

/// Password and name as they were; a second factor anew, since its secret cannot be chosen.
async fn hand_back(caller: &Caller, pool: &Pool, login: &mut Login, clock: &Clock) -> Outcome<()> {
    let deed = format!("restore the login of {}", login.login_name);
    let named = json!({"UserPoolId": pool.id, "Username": login.user});
    let with = |name: &str, value: Value| {
        let mut ask = named.clone();
        ask[name] = value;
        ask
    };
    let mut password = with("Password", json!(login.password));
    password["Permanent"] = json!(true);
    caller.cognito("AdminSetUserPassword", &password).await.whilst(&deed)?;
    let alias = format!("{}/{}", login.slug, login.login_name).to_lowercase();
    update(caller, pool, &login.user, attribute(("preferred_username", &alias))).await.whilst(&deed)?;
    if login.totp_secret.is_none() {
        return Ok(());
    }
    let client = pool.client(if login.slug == "platform" { "AdminClient" } else { "AppClient" });
    let begin = json!({
        "ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": {"USERNAME": alias, "PASSWORD": login.password},
    });
    let tokens = caller.cognito("InitiateAuth", &begin).await.whilst(&deed)?;
    let token = &tokens["AuthenticationResult"]["AccessToken"];
    let made =
        caller.cognito("AssociateSoftwareToken", &json!({ "AccessToken": token })).await.whilst(&deed)?;
    let new =
        made["SecretCode"].as_str().ok_or_else(|| trouble!("Could not {deed}: no secret was given."))?;
    let code = secret::code(new, now(clock))?;
    let verify = json!({"AccessToken": token, "UserCode": code});
    caller.cognito("VerifySoftwareToken", &verify).await.whilst(&deed)?;
    let prefer = with("SoftwareTokenMfaSettings", json!({"Enabled": true, "PreferredMfa": true}));
    caller.cognito("AdminSetUserMFAPreference", &prefer).await.whilst(&deed)?;
    login.totp_secret = Some(new.into());
    Ok(())
}

async fn update(caller: &Caller, pool: &Pool, user: &str, attribute: Value) -> Result<(), Refusal> {
    let ask = json!({"UserPoolId": pool.id, "Username": user, "UserAttributes": [attribute]});
    caller.cognito("AdminUpdateUserAttributes", &ask).await.map(drop)
}

fn attribute((name, value): (&str, &String)) -> Value {
    json!({"Name": name, "Value": value})
}

/// The account of a record, if Cognito was ever asked to make one.
fn of_record(item: &Value) -> Option<Account> {
    let mut key = item["pk"]["S"].as_str()?.split('#');
    let (tenant, _, user) = (key.next()?, key.next()?, key.next()?);
    let sub = item["sub"]["S"].as_str()?;
    Some(Account { tenant: tenant.into(), user: user.into(), sub: sub.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_tells_the_account() {
        let record = |sub: Option<&str>| {
            let mut item =
                json!({"pk": {"S": "01J#usr#usr_1"}, "sk": {"S": "."}, "login_name": {"B": "AA=="}});
            if let Some(sub) = sub {
                item["sub"] = json!({"S": sub});
            }
            item
        };
        let want = Account { tenant: "01J".into(), user: "usr_1".into(), sub: "s-1".into() };
        assert_eq!(of_record(&record(Some("s-1"))), Some(want));
        assert_eq!(of_record(&record(None)), None);
    }

    #[test]
    fn nothing_is_said_when_nothing_was_lost() {
        assert_eq!(Restored::default().told(), None);
        let lost = Restored { whole: vec!["usr_1".into()], bare: vec!["usr_2".into()] };
        assert!(lost.told().unwrap().contains("usr_2 need a new invitation"));
    }
}
