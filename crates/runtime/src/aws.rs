//! The AWS clients of one environment, built once, without a call.

use crate::{Config, Kms, KmsSigner, S3, Ses, Sqs, credentials::Assumed};
use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
    retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;
use kernel::{Clock, TenantId};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use store::{Scope, Vault, sdk};
use web::{App, Place, Ports};

pub struct Aws {
    pub config: Config,
    pub sdk: SdkConfig,
    app: OnceLock<App>,
}

impl Aws {
    pub async fn load(config: Config) -> Self {
        // Region and credentials come from the environment alone: nothing is asked of the metadata service.
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(4));
        let region = std::env::var("AWS_REGION").unwrap_or_else(|_| config.region.clone());
        let sdk = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region))
            .credentials_provider(EnvironmentVariableCredentialsProvider::new())
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .timeout_config(timeouts.build())
            .load()
            .await;
        Self { config, sdk, app: OnceLock::new() }
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
