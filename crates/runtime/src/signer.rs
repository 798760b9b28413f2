//! KMS as the signer: an asymmetric key that never leaves it, asked with the function's own credentials, since what
//! is signed is no tenant's secret.

use aws_sdk_kms::{
    Client,
    primitives::Blob,
    types::{MessageType, SigningAlgorithmSpec},
};
use kernel::Error;
use std::{collections::HashMap, sync::Mutex};
use web::{
    Replying,
    files::{Signed, Signer},
};

pub struct KmsSigner {
    client: Client,
    /// Empty where this function signs nothing.
    key: String,
    /// Public keys never change.
    known: Mutex<HashMap<String, Vec<u8>>>,
}

impl KmsSigner {
    pub fn new(client: Client, key: &str) -> Self {
        Self { client, key: key.into(), known: Mutex::default() }
    }
}

impl Signer for KmsSigner {
    fn sign<'a>(&'a self, bytes: &'a [u8]) -> Replying<'a, Signed> {
        Box::pin(async move {
            if self.key.is_empty() {
                return Err(Error::internal("this function was given no signing key"));
            }
            // The digest, since KMS takes no message above 4 KB.
            let digest = Blob::new(seal::sha256(bytes).to_vec());
            let request = self.client.sign().key_id(&self.key).message(digest);
            let request = request.message_type(MessageType::Digest);
            let request = request.signing_algorithm(SigningAlgorithmSpec::EcdsaSha256);
            let answer = request.send().await.map_err(|e| Error::internal(format!("KMS, signing: {e}")))?;
            let signature = answer.signature.ok_or_else(|| Error::internal("no signature in the answer"))?;
            Ok(Signed {
                key_id: answer.key_id.unwrap_or_else(|| self.key.clone()),
                signature: signature.into_inner(),
            })
        })
    }

    fn public_key<'a>(&'a self, key_id: &'a str) -> Replying<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            if let Some(known) = self.known.lock().expect("never poisoned").get(key_id) {
                return Ok(Some(known.clone()));
            }
            let answer = self.client.get_public_key().key_id(key_id).send().await;
            let der = match answer {
                Ok(answer) => answer.public_key.map(Blob::into_inner),
                Err(e) if e.as_service_error().is_some_and(|e| e.is_not_found_exception()) => None,
                Err(e) => return Err(Error::internal(format!("KMS, public key: {e}"))),
            };
            if let Some(der) = &der {
                self.known.lock().expect("never poisoned").insert(key_id.into(), der.clone());
            }
            Ok(der)
        })
    }
}
