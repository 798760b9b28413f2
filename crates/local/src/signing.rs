//! The signing key of this machine: a P-256 key in a file beside the master key, for its owner's eyes only.

use crate::{
    folder::Folder,
    trouble,
    trouble::{Outcome, While},
};
use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use kernel::Error;
use std::{path::Path, sync::Arc};
use web::{
    Replying,
    files::{Signed, Signer},
};

/// The file's name in the data folder.
pub const FILE: &str = "signing.key";

#[derive(Clone)]
pub struct Pen(Arc<EcdsaKeyPair>);

impl Pen {
    /// The key of the folder; made at the first start.
    pub fn of(folder: &Folder) -> Outcome<Self> {
        let path = folder.join(FILE);
        if !path.exists() {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING);
            let pkcs8 = key.and_then(|key| key.to_pkcs8v1());
            let pkcs8 = pkcs8.map_err(|_| trouble!("This machine gives no random numbers."))?;
            folder.write(FILE, pkcs8.as_ref(), true)?;
        }
        Self::read(&path)
    }

    pub fn read(path: &Path) -> Outcome<Self> {
        let pkcs8 = std::fs::read(path).whilst(format_args!("read {}", path.display()))?;
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8);
        key.map(|key| Self(Arc::new(key))).map_err(|_| trouble!("{} is not a P-256 key.", path.display()))
    }

    /// DER, SubjectPublicKeyInfo.
    pub fn public(&self) -> Vec<u8> {
        self.0.public_key().as_der().map(|der| der.as_ref().to_vec()).unwrap_or_default()
    }

    /// Told by the key itself: whoever puts another file there has another id.
    pub fn id(&self) -> String {
        format!("local/{}", &store::chain::hex_digest(&self.public())[..16])
    }
}

impl Signer for Pen {
    fn sign<'a>(&'a self, bytes: &'a [u8]) -> Replying<'a, Signed> {
        Box::pin(async move {
            let signature =
                self.0.sign(&SystemRandom::new(), bytes).map_err(|_| Error::internal("not signed"))?;
            Ok(Signed { key_id: self.id(), signature: signature.as_ref().to_vec() })
        })
    }
    fn public_key<'a>(&'a self, key_id: &'a str) -> Replying<'a, Option<Vec<u8>>> {
        Box::pin(async move { Ok((key_id == self.id()).then(|| self.public())) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::tests::folder;
    use std::os::unix::fs::PermissionsExt;

    #[tokio::test]
    async fn the_key_is_made_once_for_its_owner_and_what_it_signed_stays_provable() {
        let folder = Folder::open(&folder(), false).unwrap();
        let signed = Pen::of(&folder).unwrap().sign(b"a day").await.unwrap();
        let mode = std::fs::metadata(folder.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = Pen::of(&folder).unwrap();
        let key = again.public_key(&signed.key_id).await.unwrap().expect("the same key");
        assert!(seal::is_signed(&key, b"a day", &signed.signature));
        assert!(!seal::is_signed(&key, b"another", &signed.signature));
        assert_eq!(again.public_key("local/other").await.unwrap(), None);
    }
}
