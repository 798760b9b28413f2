//! The second wall: credentials that reach one tenant's keys, files and data key, and no others.

use aws_credential_types::{
    Credentials,
    provider::{self, ProvideCredentials, error::CredentialsError, future},
};
use aws_sdk_sts::types::Tag;
use kernel::TenantId;
use std::time::SystemTime;
use store::Scope;

/// `AssumeRole` with the transitive session tag `tenant`; the platform's role has none.
#[derive(Debug)]
pub(crate) struct Assumed {
    sts: aws_sdk_sts::Client,
    role: String,
    tenant: Option<String>,
}

/// Seconds: the most that role chaining allows.
const LIFE: i32 = 3600;

impl Assumed {
    pub fn new(sts: aws_sdk_sts::Client, role: &str, scope: Scope) -> Self {
        Self { sts, role: role.into(), tenant: scope.tenant().map(|t| t.prefix()) }
    }

    /// The provisioner's: the platform's role, tagged with the one tenant that a commit spans.
    pub fn spanning(sts: aws_sdk_sts::Client, role: &str, tenant: TenantId) -> Self {
        Self { sts, role: role.into(), tenant: Some(tenant.prefix()) }
    }

    async fn assume(&self) -> provider::Result {
        let name = self.tenant.as_deref().unwrap_or("platform");
        let mut request =
            self.sts.assume_role().role_arn(&self.role).role_session_name(name).duration_seconds(LIFE);
        if let Some(tenant) = &self.tenant {
            let tag = Tag::builder()
                .key("tenant")
                .value(tenant)
                .build()
                .map_err(CredentialsError::invalid_configuration)?;
            request = request.tags(tag).transitive_tag_keys("tenant");
        }
        let answer = request.send().await.map_err(CredentialsError::provider_error)?;
        let given = answer
            .credentials
            .ok_or_else(|| CredentialsError::provider_error("no credentials in the answer"))?;
        let expires = SystemTime::try_from(given.expiration).map_err(CredentialsError::provider_error)?;
        let token = Some(given.session_token);
        Ok(Credentials::new(given.access_key_id, given.secret_access_key, token, Some(expires), "tenant"))
    }
}

impl ProvideCredentials for Assumed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.assume())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{Id, Ulid};

    #[test]
    fn a_commit_that_spans_uses_the_platforms_role_with_the_tenants_tag() {
        let config =
            aws_sdk_sts::Config::builder().behavior_version(aws_sdk_sts::config::BehaviorVersion::latest());
        let sts = aws_sdk_sts::Client::from_conf(
            config.region(aws_sdk_sts::config::Region::new("eu-west-1")).build(),
        );
        let tenant = TenantId::of(Ulid::from_parts(1, 2));
        let own = Assumed::new(sts.clone(), "arn:provisioner", Scope::Platform);
        assert_eq!((own.role.as_str(), own.tenant), ("arn:provisioner", None));
        let spanning = Assumed::spanning(sts, "arn:provisioner", tenant);
        assert_eq!((spanning.role.as_str(), spanning.tenant), ("arn:provisioner", Some(tenant.prefix())));
    }
}
