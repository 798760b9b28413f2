//! Accounts that the emulator has lost, made again from the table.
//!
//! The table knows who may sign in (`usr` records); Cognito holds the password and the second factor. When the
//! emulator itself was killed, an account may be missing there: it is made again under the same name and with
//! the same `sub`, which the token function compares. Its password comes from `demo.json`, if it stands there;
//! otherwise the person needs a new invitation.

use crate::emulator::{Caller, Refusal, pool::Pool};
use serde_json::{Value, json};

/// What Cognito has to know of a person.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Account {
    /// The tenant's 26 characters, or `platform`.
    pub tenant: String,
    /// `usr_…` or `opr_…`
    pub user: String,
    pub sub: String,
    /// `{slug}/{login name}`, once a password was set.
    pub alias: Option<String>,
}

/// What had to be made again.
#[derive(Debug, Default, PartialEq)]
pub struct Restored {
    /// With their password.
    pub whole: Vec<String>,
    /// Without: they need a new invitation.
    pub bare: Vec<String>,
}

/// Makes the missing ones of `accounts` again. `password` is asked by user id.
pub async fn restore(
    caller: &Caller,
    pool: &Pool,
    accounts: &[Account],
    password: impl Fn(&str) -> Option<String>,
) -> Result<Restored, Refusal> {
    let mut restored = Restored::default();
    for account in accounts {
        let known = json!({"UserPoolId": pool.id, "Username": account.user});
        match caller.cognito("AdminGetUser", &known).await {
            Ok(_) => continue,
            Err(refusal) if refusal.kind == "UserNotFoundException" => {}
            Err(refusal) => return Err(refusal),
        }
        create(caller, pool, account).await?;
        match password(&account.user) {
            Some(password) => {
                set_password(caller, pool, account, &password).await?;
                restored.whole.push(account.user.clone());
            }
            None => restored.bare.push(account.user.clone()),
        }
    }
    Ok(restored)
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

async fn set_password(
    caller: &Caller,
    pool: &Pool,
    account: &Account,
    password: &str,
) -> Result<(), Refusal> {
    let ask = json!({
        "UserPoolId": pool.id, "Username": account.user, "Password": password, "Permanent": true,
    });
    caller.cognito("AdminSetUserPassword", &ask).await?;
    match &account.alias {
        Some(alias) => update(caller, pool, &account.user, attribute(("preferred_username", alias))).await,
        None => Ok(()),
    }
}

async fn update(caller: &Caller, pool: &Pool, user: &str, attribute: Value) -> Result<(), Refusal> {
    let ask = json!({"UserPoolId": pool.id, "Username": user, "UserAttributes": [attribute]});
    caller.cognito("AdminUpdateUserAttributes", &ask).await.map(drop)
}

fn attribute((name, value): (&str, &String)) -> Value {
    json!({"Name": name, "Value": value})
}

/// The accounts of the table's records: every person whose account Cognito was once asked to make.
/// `slug` names a tenant's slug.
pub fn of_records(items: &[Value], slug: impl Fn(&str) -> Option<String>) -> Vec<Account> {
    let account = |item: &Value| {
        let text = |name: &str| item[name]["S"].as_str().map(String::from);
        let mut key = item["pk"]["S"].as_str()?.split('#');
        let (tenant, _, user) = (key.next()?, key.next()?, key.next()?);
        let alias =
            slug(tenant).zip(text("login_name")).map(|(slug, name)| format!("{slug}/{name}").to_lowercase());
        Some(Account { tenant: tenant.into(), user: user.into(), sub: text("sub")?, alias })
    };
    items.iter().filter_map(account).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_tells_the_account() {
        let record = |sub: Option<&str>| {
            let mut item =
                json!({"pk": {"S": "01J#usr#usr_1"}, "sk": {"S": "."}, "login_name": {"S": "Ada@x.ng"}});
            if let Some(sub) = sub {
                item["sub"] = json!({"S": sub});
            }
            item
        };
        let found = of_records(&[record(Some("s-1")), record(None)], |tenant| {
            (tenant == "01J").then(|| "grace".into())
        });
        let want = Account {
            tenant: "01J".into(),
            user: "usr_1".into(),
            sub: "s-1".into(),
            alias: Some("grace/ada@x.ng".into()),
        };
        assert_eq!(found, [want]);
    }
}
