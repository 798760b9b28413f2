//! The AWS clients of one environment, built once, without a call.

use crate::{Config, Error, Kms, KmsSigner, S3, Ses, Sqs, credentials::Assumed};
use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
    retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use kernel::{Clock, TenantId};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use store::{Scope, Vault, sdk};
use web::{App, Place, Ports};

/// What AWS's endpoints are trusted by.
const AMAZON: &[u8] = include_bytes!("../data/amazon-roots.pem");

pub struct Aws {
    pub config: Config,
    pub sdk: SdkConfig,
    app: OnceLock<App>,
}

impl Aws {
    /// Nothing is dialled, and no file is read: region, credentials and an emulator's address come from the
    /// environment alone, the roots of trust from this binary (decision 0022).
    pub fn load(config: Config) -> Result<Self, Error> {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(4));
        let region = std::env::var("AWS_REGION").unwrap_or_else(|_| config.region.clone());
        let own = SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new());
        let roots = TrustStore::empty().with_pem_certificate(AMAZON);
        let tls = TlsContext::builder().with_trust_store(roots).build()?;
        let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).tls_context(tls);
        let mut sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .credentials_provider(own)
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .timeout_config(timeouts.build())
            .http_client(http.build_https());
        sdk.set_endpoint_url(std::env::var("AWS_ENDPOINT_URL").ok().filter(|url| !url.is_empty()));
        Ok(Self { config, sdk: sdk.build(), app: OnceLock::new() })
    }

    /// What every request and message of this environment shares.
    pub fn shared(&self) -> &App {
        self.app.get_or_init(|| self.app())
    }

    fn app(&self) -> App {
        let Config { table, stage, region, backup_region, public_url, access_queue, sender, .. } =
            &self.config;
        let clients = self.scoped();
        let keys = Kms::new(self.config.key_id.clone(), self.scoped_config());
        let vault = Vault::new(table, clients, Arc::new(keys), Clock::default()).spanning(self.spanning());
        let post = Sqs::new(aws_sdk_sqs::Client::new(&self.sdk), access_queue);
        let mail = Ses::new(aws_sdk_sesv2::Client::new(&self.sdk), sender);
        let place = Place {
            stage: stage.clone(),
            region: region.clone(),
            backup_region: backup_region.clone(),
            public_url: public_url.clone(),
        };
        let mut ports = Ports::new(Arc::new(post), Arc::new(mail));
        ports.files = Arc::new(S3::new(&self.config, self.scoped_config(), Clock::default()));
        let signer = KmsSigner::new(aws_sdk_kms::Client::new(&self.sdk), &self.config.signing_key);
        ports.signer = Arc::new(signer);
        App::new(vault, ports, place)
    }

    /// Clients of the table, each with the credentials of its scope.
    fn scoped(&self) -> impl Fn(Scope) -> sdk::Client + Send + Sync + 'static {
        let configured = self.scoped_config();
        move |scope| {
            let config = sdk::config::Builder::from(&configured(scope)).build();
            #[expect(clippy::disallowed_methods, reason = "handed to the store, which alone uses it")]
            sdk::Client::from_conf(config)
        }
    }

    /// A commit of the provisioner reaches the register and one tenant: the platform's role with that tenant's tag.
    fn spanning(&self) -> impl Fn(TenantId) -> sdk::Client + Send + Sync + 'static {
        let (sdk, config) = (self.sdk.clone(), self.config.clone());
        let sts = aws_sdk_sts::Client::new(&self.sdk);
        move |tenant| {
            let mut builder = sdk::config::Builder::from(&sdk);
            if config.isolate {
                let provider = Assumed::spanning(sts.clone(), &config.platform_role, tenant);
                builder = builder.credentials_provider(SharedCredentialsProvider::new(provider));
            }
            #[expect(clippy::disallowed_methods, reason = "handed to the store, which alone uses it")]
            sdk::Client::from_conf(builder.build())
        }
    }

    fn scoped_config(&self) -> impl Fn(Scope) -> SdkConfig + Send + Sync + Clone + 'static {
        let (sdk, config) = (self.sdk.clone(), self.config.clone());
        let sts = aws_sdk_sts::Client::new(&self.sdk);
        move |scope| {
            if !config.isolate {
                return sdk.clone();
            }
            let role = if scope == Scope::Platform { &config.platform_role } else { &config.tenant_role };
            let provider = Assumed::new(sts.clone(), role, scope);
            // Cached by the client until shortly before they expire, one call at a time.
            sdk.to_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn clients_are_built_with_amazons_roots_and_without_a_call() {
        let config = Config::read(|name| match name {
            "TABLE" | "STAGE" | "REGION_NAME" | "KEY_ID" => Some("x".into()),
            "ISOLATE" => Some("false".into()),
            _ => None,
        });
        let aws = Aws::load(config.unwrap()).unwrap();
        // Building a client reads the roots, and panics where one does not read.
        aws.shared();
        assert_eq!(AMAZON.windows(11).filter(|w| w == b"-----BEGIN ").count(), 5);
    }
}
