//! Amazon Cognito.

use super::{Calling, Logins, NewLogin};
use aws_sdk_cognitoidentityprovider::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{AttributeType, MessageActionType, SoftwareTokenMfaSettingsType},
};
use kernel::{Error, Result};

/// One user pool, with the function's own credentials.
#[derive(Clone, Debug)]
pub struct Cognito {
    client: Client,
    pool: String,
}

impl Cognito {
    pub fn new(client: Client, pool: impl Into<String>) -> Self {
        Self { client, pool: pool.into() }
    }

    async fn sub(&self, user: &str) -> Result<String> {
        let found = self.client.admin_get_user().user_pool_id(&self.pool).username(user).send().await;
        let found = found.map_err(|e| refused("find a login", &e))?;
        sub(found.user_attributes()).ok_or_else(|| Error::internal("a login without a sub"))
    }
}

impl Logins for Cognito {
    fn create<'a>(&'a self, new: &'a NewLogin) -> Calling<'a, String> {
        Box::pin(async move {
            let made = self
                .client
                .admin_create_user()
                .user_pool_id(&self.pool)
                .username(&new.user)
                .message_action(MessageActionType::Suppress)
                .user_attributes(attribute("custom:tenant", &new.tenant)?)
                .user_attributes(attribute("custom:user", &new.user)?)
                .send()
                .await;
            match made {
                Ok(made) => sub(made.user().map(|u| u.attributes()).unwrap_or_default())
                    .ok_or_else(|| Error::internal("a new login without a sub")),
                Err(e) if is(&e, "UsernameExistsException") => self.sub(&new.user).await,
                Err(e) => Err(refused("make a login", &e)),
            }
        })
    }

    fn set_password<'a>(&'a self, user: &'a str, password: &'a str) -> Calling<'a, ()> {
        Box::pin(async move {
            let call = self.client.admin_set_user_password().user_pool_id(&self.pool).username(user);
            match call.password(password).permanent(true).send().await {
                Ok(_) => Ok(()),
                Err(e)
                    if is(&e, "InvalidPasswordException")
                        || is(&e, "PasswordHistoryPolicyViolationException") =>
                {
                    Err(Error::field(
                        "weak-password",
                        "/password",
                        "choose another password: this one is not strong enough, or was used before",
                    ))
                }
                Err(e) => Err(refused("set a password", &e)),
            }
        })
    }

    fn set_alias<'a>(&'a self, user: &'a str, alias: &'a str, email: Option<&'a str>) -> Calling<'a, ()> {
        Box::pin(async move {
            let mut call = self.client.admin_update_user_attributes().user_pool_id(&self.pool).username(user);
            call = call.user_attributes(attribute("preferred_username", alias)?);
            if let Some(email) = email {
                call = call.user_attributes(attribute("email", email)?);
                call = call.user_attributes(attribute("email_verified", "true")?);
            }
            match call.send().await {
                Ok(_) => Ok(()),
                Err(e) if is(&e, "AliasExistsException") => {
                    Err(Error::conflict("login-name-taken", "another login has this name"))
                }
                Err(e) => Err(refused("name a login", &e)),
            }
        })
    }

    fn sign_out<'a>(&'a self, user: &'a str) -> Calling<'a, ()> {
        Box::pin(async move {
            gone_is_done(
                "sign a login out",
                self.client.admin_user_global_sign_out().user_pool_id(&self.pool).username(user).send().await,
            )
        })
    }

    fn disable<'a>(&'a self, user: &'a str) -> Calling<'a, ()> {
        Box::pin(async move {
            gone_is_done(
                "disable a login",
                self.client.admin_disable_user().user_pool_id(&self.pool).username(user).send().await,
            )
        })
    }

    fn enable<'a>(&'a self, user: &'a str) -> Calling<'a, ()> {
        Box::pin(async move {
            gone_is_done(
                "enable a login",
                self.client.admin_enable_user().user_pool_id(&self.pool).username(user).send().await,
            )
        })
    }

    fn prefer_totp<'a>(&'a self, user: &'a str, on: bool) -> Calling<'a, ()> {
        Box::pin(async move {
            let settings = SoftwareTokenMfaSettingsType::builder().enabled(on).preferred_mfa(on).build();
            let call = self.client.admin_set_user_mfa_preference().user_pool_id(&self.pool).username(user);
            call.software_token_mfa_settings(settings)
                .send()
                .await
                .map(drop)
                .map_err(|e| refused("prefer a factor", &e))
        })
    }

    fn associate_totp<'a>(&'a self, access_token: &'a str) -> Calling<'a, String> {
        Box::pin(async move {
            let made = self.client.associate_software_token().access_token(access_token).send().await;
            match made {
                Ok(made) => {
                    made.secret_code.ok_or_else(|| Error::internal("an authenticator without a secret"))
                }
                Err(e) if is(&e, "NotAuthorizedException") => Err(Error::forbidden(
                    "mfa-not-begun",
                    "this token may not set up a second factor: POST /v1/identity/me/mfa/begin, then refresh it",
                )),
                Err(e) => Err(refused("associate an authenticator", &e)),
            }
        })
    }

    fn verify_totp<'a>(&'a self, access_token: &'a str, code: &'a str) -> Calling<'a, bool> {
        Box::pin(async move {
            let call = self.client.verify_software_token().access_token(access_token).user_code(code);
            match call.friendly_device_name("authenticator").send().await {
                Ok(_) => Ok(true),
                Err(e) if is(&e, "EnableSoftwareTokenMFAException") || is(&e, "CodeMismatchException") => {
                    Ok(false)
                }
                Err(e) => Err(refused("verify a code", &e)),
            }
        })
    }

    fn delete<'a>(&'a self, user: &'a str) -> Calling<'a, ()> {
        Box::pin(async move {
            gone_is_done(
                "delete a login",
                self.client.admin_delete_user().user_pool_id(&self.pool).username(user).send().await,
            )
        })
    }
}

fn attribute(name: &str, value: &str) -> Result<AttributeType> {
    AttributeType::builder().name(name).value(value).build().map_err(Error::internal)
}

fn sub(attributes: &[AttributeType]) -> Option<String> {
    attributes.iter().find(|a| a.name() == "sub").and_then(|a| a.value()).map(String::from)
}

fn is<E: ProvideErrorMetadata, R>(e: &SdkError<E, R>, code: &str) -> bool {
    e.code() == Some(code)
}

/// What is to end and is not there has ended.
fn gone_is_done<T, E: ProvideErrorMetadata, R>(what: &str, result: Result<T, SdkError<E, R>>) -> Result<()> {
    match result {
        Ok(_) => Ok(()),
        Err(e) if is(&e, "UserNotFoundException") => Ok(()),
        Err(e) => Err(refused(what, &e)),
    }
}

/// The code only: messages of the service may quote what was sent.
fn refused<E: ProvideErrorMetadata, R>(what: &str, e: &SdkError<E, R>) -> Error {
    match e.code() {
        Some("TooManyRequestsException" | "ThrottlingException" | "LimitExceededException") => Error::Busy,
        code => Error::internal(format!("could not {what}: {}", code.unwrap_or("not reached"))),
    }
}
