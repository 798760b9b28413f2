//! Amazon Cognito's machine clients and API Gateway's keys.

use super::{ApiKey, Calling, Gateway, Machine, Secret};
use aws_sdk_apigateway::types::{Op, PatchOperation};
use aws_sdk_cognitoidentityprovider::{
    error::{ProvideErrorMetadata, SdkError},
    types::{ClientSecretDescriptorType, OAuthFlowType, TimeUnitsType, TokenValidityUnitsType},
};
use kernel::{Error, Result};
use std::collections::BTreeMap;

/// The scope that opens partners' routes at the gateway (`infra/identity.yaml`).
const SCOPE: &str = "api/partner";
/// Hours: each token is billed.
const TOKEN: i32 = 12;
/// Secrets that a client may have.
const SECRETS: usize = 2;
/// The largest page of clients.
const CLIENTS: i32 = 60;

pub struct Aws {
    cognito: aws_sdk_cognitoidentityprovider::Client,
    gateway: aws_sdk_apigateway::Client,
    pool: String,
    /// Ids of the usage plans by their tier.
    plans: BTreeMap<String, String>,
}

impl Aws {
    /// `plans`: `basic=abc123,professional=…`, as the template tells it.
    pub fn new(
        cognito: aws_sdk_cognitoidentityprovider::Client,
        gateway: aws_sdk_apigateway::Client,
        pool: impl Into<String>,
        plans: &str,
    ) -> Self {
        let plan = |word: &str| word.split_once('=').map(|(tier, id)| (tier.trim().into(), id.trim().into()));
        Self { cognito, gateway, pool: pool.into(), plans: plans.split(',').filter_map(plan).collect() }
    }

    fn plan(&self, tier: &str) -> Result<&str> {
        let known = self.plans.get(tier).map(String::as_str);
        known.ok_or_else(|| Error::internal(format!("this function was given no usage plan {tier}")))
    }

    async fn secrets(&self, client: &str) -> Result<Vec<ClientSecretDescriptorType>> {
        let call = self.cognito.list_user_pool_client_secrets().user_pool_id(&self.pool).client_id(client);
        let found = call.send().await.map_err(|e| refused("list a client's secrets", &e))?;
        Ok(found.client_secrets.unwrap_or_default())
    }

    async fn put_into(&self, key: &str, tier: &str) -> Result<()> {
        let call = self.gateway.create_usage_plan_key().usage_plan_id(self.plan(tier)?);
        match call.key_id(key).key_type("API_KEY").send().await {
            Ok(_) => Ok(()),
            // It lies there already.
            Err(e) if is(&e, "ConflictException") => Ok(()),
            Err(e) => Err(refused("put a key into its plan", &e)),
        }
    }
}

impl Gateway for Aws {
    fn create_client<'a>(&'a self, name: &'a str) -> Calling<'a, Machine> {
        Box::pin(async move {
            let hours = TokenValidityUnitsType::builder().access_token(TimeUnitsType::Hours).build();
            let call = self.cognito.create_user_pool_client().user_pool_id(&self.pool).client_name(name);
            let call = call
                .generate_secret(true)
                .allowed_o_auth_flows_user_pool_client(true)
                .allowed_o_auth_flows(OAuthFlowType::ClientCredentials)
                .allowed_o_auth_scopes(SCOPE)
                .token_validity_units(hours)
                .access_token_validity(TOKEN)
                .enable_token_revocation(true);
            let made = call.send().await.map_err(|e| refused("make a machine client", &e))?;
            let made = made.user_pool_client.and_then(|c| c.client_id.zip(c.client_secret));
            let (client_id, value) =
                made.ok_or_else(|| Error::internal("a machine client without a secret"))?;
            let first = self.secrets(&client_id).await?.into_iter().next();
            let id = first.and_then(|s| s.client_secret_id).unwrap_or_default();
            Ok(Machine { client_id, secret: Secret { id, value } })
        })
    }

    fn add_secret<'a>(&'a self, client: &'a str) -> Calling<'a, Option<Secret>> {
        Box::pin(async move {
            if self.secrets(client).await?.len() >= SECRETS {
                return Ok(None);
            }
            let call = self.cognito.add_user_pool_client_secret().user_pool_id(&self.pool).client_id(client);
            let made = match call.send().await {
                Err(e) if is(&e, "LimitExceededException") => return Ok(None),
                made => made.map_err(|e| refused("add a secret", &e))?,
            };
            let made =
                made.client_secret_descriptor.and_then(|s| s.client_secret_id.zip(s.client_secret_value));
            let (id, value) = made.ok_or_else(|| Error::internal("a new secret without a value"))?;
            Ok(Some(Secret { id, value }))
        })
    }

    fn keep_secrets<'a>(&'a self, client: &'a str, keep: &'a [String]) -> Calling<'a, ()> {
        Box::pin(async move {
            let known = self.secrets(client).await?.into_iter().filter_map(|s| s.client_secret_id);
            for left in known.filter(|id| !keep.contains(id)) {
                self.drop_secret(client, &left).await?;
            }
            Ok(())
        })
    }

    fn drop_secret<'a>(&'a self, client: &'a str, secret: &'a str) -> Calling<'a, ()> {
        Box::pin(async move {
            let call = self.cognito.delete_user_pool_client_secret().user_pool_id(&self.pool);
            gone_is_done("drop a secret", call.client_id(client).client_secret_id(secret).send().await)
        })
    }

    fn delete_client<'a>(&'a self, client: &'a str) -> Calling<'a, ()> {
        Box::pin(async move {
            let call = self.cognito.delete_user_pool_client().user_pool_id(&self.pool);
            gone_is_done("delete a machine client", call.client_id(client).send().await)
        })
    }

    fn create_key<'a>(&'a self, name: &'a str, plan: &'a str) -> Calling<'a, ApiKey> {
        Box::pin(async move {
            let made = self.gateway.create_api_key().name(name).enabled(true).send().await;
            let made = made.map_err(|e| refused("make a key", &e))?;
            let (id, value) =
                made.id.zip(made.value).ok_or_else(|| Error::internal("a new key without a value"))?;
            self.put_into(&id, plan).await?;
            Ok(ApiKey { id, value })
        })
    }

    /// Into the new plan first would be refused: a key lies in one plan of a stage.
    fn move_key<'a>(&'a self, key: &'a str, from: &'a str, to: &'a str) -> Calling<'a, ()> {
        Box::pin(async move {
            let call = self.gateway.delete_usage_plan_key().usage_plan_id(self.plan(from)?).key_id(key);
            gone_is_done("take a key out of its plan", call.send().await)?;
            self.put_into(key, to).await
        })
    }

    fn delete_key<'a>(&'a self, key: &'a str) -> Calling<'a, ()> {
        Box::pin(async move {
            // Off first: what refuses to be deleted (being in a plan) at least opens nothing.
            let off = PatchOperation::builder().op(Op::Replace).path("/enabled").value("false").build();
            let call = self.gateway.update_api_key().api_key(key).patch_operations(off);
            gone_is_done("switch a key off", call.send().await)?;
            gone_is_done("delete a key", self.gateway.delete_api_key().api_key(key).send().await)
        })
    }

    /// Cognito finds no client by its name, so all are gone through: only what was interrupted comes here.
    fn clear<'a>(&'a self, name: &'a str) -> Calling<'a, ()> {
        Box::pin(async move {
            let found = self.gateway.get_api_keys().name_query(name).send().await;
            let found = found.map_err(|e| refused("look for a key", &e))?;
            for left in found.items().iter().filter(|k| k.name() == Some(name)).filter_map(|k| k.id()) {
                self.delete_key(left).await?;
            }
            let all = self.cognito.list_user_pool_clients().user_pool_id(&self.pool).max_results(CLIENTS);
            let mut pages = all.into_paginator().send();
            while let Some(page) = pages.next().await {
                let page = page.map_err(|e| refused("look for a machine client", &e))?;
                let of_this_name = page.user_pool_clients().iter().filter(|c| c.client_name() == Some(name));
                for left in of_this_name.filter_map(|c| c.client_id()) {
                    self.delete_client(left).await?;
                }
            }
            Ok(())
        })
    }
}

fn is<E: ProvideErrorMetadata, R>(e: &SdkError<E, R>, code: &str) -> bool {
    e.code() == Some(code)
}

fn gone_is_done<T, E: ProvideErrorMetadata, R>(what: &str, result: Result<T, SdkError<E, R>>) -> Result<()> {
    match result {
        Ok(_) => Ok(()),
        Err(e) if is(&e, "NotFoundException") || is(&e, "ResourceNotFoundException") => Ok(()),
        Err(e) => Err(refused(what, &e)),
    }
}

/// The code only: messages of the services may quote what was sent.
fn refused<E: ProvideErrorMetadata, R>(what: &str, e: &SdkError<E, R>) -> Error {
    match e.code() {
        Some("TooManyRequestsException" | "ThrottlingException") => Error::Busy,
        code => Error::internal(format!("could not {what}: {}", code.unwrap_or("not reached"))),
    }
}
