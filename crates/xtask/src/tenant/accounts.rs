//! Logins as a user pool shows them: names, attributes, whether they are enabled. Never a secret.

use aws_sdk_cognitoidentityprovider::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{AttributeType, MessageActionType},
};
use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, future::Future, pin::Pin};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// `usr_…`
    pub user: String,
    /// What the token function compares with the record.
    pub sub: String,
    pub enabled: bool,
    /// A second factor was set up; its secret is not in here.
    pub second_factor: bool,
    /// `custom:tenant`, `preferred_username`, `email`, …
    pub attributes: BTreeMap<String, String>,
}

/// What became of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// The same, without its password and second factor.
    Same,
    /// Nothing yet: the place makes it again from the table by itself.
    Later,
    /// With another `sub`, which the pool chooses: the token function refuses it, and the person needs a new
    /// invitation.
    Stranger,
}

pub type Calling<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

pub trait Accounts: Send + Sync {
    /// `None` if there is none.
    fn show<'a>(&'a self, user: &'a str) -> Calling<'a, Option<Account>>;
    /// Nothing there is success.
    fn remove<'a>(&'a self, user: &'a str) -> Calling<'a, ()>;
    /// Without a password; one that is there already is left.
    fn make<'a>(&'a self, account: &'a Account) -> Calling<'a, Made>;
}

/// Whom the table's lines name as somebody with a login.
pub(super) fn named(lines: &[String]) -> Vec<String> {
    let user = |line: &String| {
        let item: Value = serde_json::from_str(line).ok()?;
        let mut key = item["pk"]["S"].as_str()?.split('#').skip(1);
        let (kind, user) = (key.next()?, key.next()?);
        (kind == "usr" && item["sk"]["S"] == "." && item["sub"]["S"].is_string()).then(|| user.to_string())
    };
    lines.iter().filter_map(user).collect()
}

/// Amazon Cognito, or what emulates it.
pub struct Cognito {
    pub client: Client,
    pub pool: String,
    /// The local platform makes logins that its pool lacks at its next start, with the `sub` of the record, which no
    /// other pool lets anybody choose (`local::accounts`).
    pub heals: bool,
}

impl Accounts for Cognito {
    fn show<'a>(&'a self, user: &'a str) -> Calling<'a, Option<Account>> {
        Box::pin(async move {
            let found = self.client.admin_get_user().user_pool_id(&self.pool).username(user).send().await;
            let found = match found {
                Err(e) if is(&e, "UserNotFoundException") => return Ok(None),
                found => found.map_err(|e| refused("look at a login", &e))?,
            };
            let attribute = |a: &AttributeType| Some((a.name().to_string(), a.value()?.to_string()));
            let mut attributes: BTreeMap<String, String> =
                found.user_attributes().iter().filter_map(attribute).collect();
            Ok(Some(Account {
                user: user.into(),
                sub: attributes.remove("sub").unwrap_or_default(),
                enabled: found.enabled(),
                second_factor: !found.user_mfa_setting_list().is_empty(),
                attributes,
            }))
        })
    }

    fn remove<'a>(&'a self, user: &'a str) -> Calling<'a, ()> {
        Box::pin(async move {
            match self.client.admin_delete_user().user_pool_id(&self.pool).username(user).send().await {
                Err(e) if !is(&e, "UserNotFoundException") => Err(refused("remove a login", &e)),
                _ => Ok(()),
            }
        })
    }

    fn make<'a>(&'a self, account: &'a Account) -> Calling<'a, Made> {
        Box::pin(async move {
            if self.heals {
                return Ok(Made::Later);
            }
            // An alias may be set only on a login with a password: it comes with the new one.
            let fixed = account.attributes.iter().filter(|(name, _)| name.starts_with("custom:"));
            let call = self.client.admin_create_user().user_pool_id(&self.pool).username(&account.user);
            let call = call.message_action(MessageActionType::Suppress);
            let attributes = fixed.map(|(n, v)| attribute(n, v)).collect::<Result<Vec<_>>>()?;
            match call.set_user_attributes(Some(attributes)).send().await {
                Err(e) if !is(&e, "UsernameExistsException") => return Err(refused("make a login", &e)),
                _ => {}
            }
            if !account.enabled {
                let call = self.client.admin_disable_user().user_pool_id(&self.pool).username(&account.user);
                call.send().await.map_err(|e| refused("disable a login", &e))?;
            }
            let made = self.show(&account.user).await?;
            Ok(if made.is_some_and(|m| m.sub == account.sub) { Made::Same } else { Made::Stranger })
        })
    }
}

fn attribute(name: &str, value: &str) -> Result<AttributeType> {
    AttributeType::builder().name(name).value(value).build().map_err(Error::internal)
}

fn is<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>, code: &str) -> bool {
    error.as_service_error().and_then(|e| e.code()) == Some(code)
}

fn refused<E: ProvideErrorMetadata, R>(what: &str, error: &SdkError<E, R>) -> Error {
    let code = error.as_service_error().and_then(|e| e.code()).unwrap_or("no answer");
    Error::internal(format!("could not {what}: {code}"))
}
