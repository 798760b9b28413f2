//! KMS as the key service: a tenant's key is wrapped with the tenant as encryption context, and asked for with
//! that tenant's credentials.

use aws_config::SdkConfig;
use aws_sdk_kms::{Client, primitives::Blob, types::DataKeySpec};
use kernel::{Error, Result};
use seal::{KeyService, Unwrapping};
use store::Scope;

pub struct Kms {
    key_id: String,
    configured: Box<dyn Fn(Scope) -> SdkConfig + Send + Sync>,
}

impl Kms {
    pub fn new(key_id: String, configured: impl Fn(Scope) -> SdkConfig + Send + Sync + 'static) -> Self {
        Self { key_id, configured: Box::new(configured) }
    }

    fn client(&self, tenant: &str) -> Result<Client> {
        let scope = Scope::from_claim(tenant).ok_or_else(|| Error::internal("a key of no tenant"))?;
        Ok(Client::new(&(self.configured)(scope)))
    }
}

impl KeyService for Kms {
    fn generate<'a>(&'a self, tenant: &'a str, label: &'a str) -> Unwrapping<'a, Vec<u8>> {
        Box::pin(async move {
            let request = self.client(tenant)?.generate_data_key_without_plaintext().key_id(&self.key_id);
            let request = request.key_spec(DataKeySpec::Aes256);
            let request = request.encryption_context("tenant", tenant).encryption_context("label", label);
            let answer = request.send().await.map_err(|e| failed("generating", e))?;
            let wrapped = answer.ciphertext_blob.ok_or_else(|| Error::internal("no key in the answer"))?;
            Ok(wrapped.into_inner())
        })
    }
    fn unwrap<'a>(&'a self, tenant: &'a str, label: &'a str, wrapped: &'a [u8]) -> Unwrapping<'a, [u8; 32]> {
        Box::pin(async move {
            let request =
                self.client(tenant)?.decrypt().key_id(&self.key_id).ciphertext_blob(Blob::new(wrapped));
            let request = request.encryption_context("tenant", tenant).encryption_context("label", label);
            let answer = request.send().await.map_err(|e| failed("unwrapping", e))?;
            let plain = answer.plaintext.ok_or_else(|| Error::internal("no key in the answer"))?;
            plain.into_inner().try_into().map_err(|_| Error::internal("a key of another length"))
        })
    }
}

fn failed(what: &str, e: impl std::error::Error) -> Error {
    // The code alone: an SDK error prints whole answers.
    Error::internal(format!("KMS, {what}: {e}"))
}
