//! Who wraps a tenant's key: KMS in the cloud (in `runtime`), a master key in a file on a laptop.

use crate::Ring;
use kernel::{Error, Result};
use std::{future::Future, pin::Pin};

pub type Unwrapping<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Wraps and unwraps 32-byte keys. `tenant` is the encryption context: a key wrapped for one tenant does not
/// unwrap for another.
pub trait KeyService: Send + Sync {
    /// A fresh key, only in its wrapped form.
    fn generate<'a>(&'a self, tenant: &'a str, label: &'a str) -> Unwrapping<'a, Vec<u8>>;
    fn unwrap<'a>(&'a self, tenant: &'a str, label: &'a str, wrapped: &'a [u8]) -> Unwrapping<'a, [u8; 32]>;
}

/// A key service in this process, under one master key.
pub struct LocalMaster(Ring);

impl LocalMaster {
    pub fn new(master: [u8; 32]) -> Self {
        Self(Ring::new([(1, master)]).expect("one key"))
    }
}

impl KeyService for LocalMaster {
    fn generate<'a>(&'a self, tenant: &'a str, label: &'a str) -> Unwrapping<'a, Vec<u8>> {
        Box::pin(async move {
            let mut key = vec![0u8; 32];
            aws_lc_rs::rand::fill(&mut key).map_err(|_| Error::internal("no randomness"))?;
            Ok(self.0.seal(&format!("{tenant}|{label}"), key))
        })
    }
    fn unwrap<'a>(&'a self, tenant: &'a str, label: &'a str, wrapped: &'a [u8]) -> Unwrapping<'a, [u8; 32]> {
        Box::pin(async move {
            let key = self.0.unseal(&format!("{tenant}|{label}"), wrapped)?;
            key.try_into().map_err(|_| Error::internal("a wrapped key of another length"))
        })
    }
}
