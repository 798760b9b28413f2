//! Files: uploads and downloads by links that say exactly what may pass, and what modules write themselves. S3 in
//! the cloud, a folder locally, memory in tests. As in the table, the tenant is written into the key here alone.

use jiff::{SignedDuration, Timestamp};
use kernel::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt::Display};
use store::Scope;

use crate::access::Replying;

kernel::words! {
    pub enum Bucket {
        /// Versioned, without a default lock.
        Documents = "documents",
        /// Under Object Lock: what was written can neither be changed nor removed before its time.
        Digests = "digests",
    }
}

/// Where a file lies. No names of people or files in it: keys stand in logs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct File {
    bucket: Bucket,
    scope: Scope,
    key: String,
}

impl File {
    /// `{tenant}/{path}` among the documents.
    pub fn document(scope: Scope, path: impl Display) -> Self {
        Self { bucket: Bucket::Documents, scope, key: format!("{scope}/{path}") }
    }
    /// `warehouse/{tenant}/{path}` among the documents.
    pub fn warehouse(scope: Scope, path: impl Display) -> Self {
        Self { bucket: Bucket::Documents, scope, key: format!("warehouse/{scope}/{path}") }
    }
    /// `audit/{tenant}/{path}` under Object Lock.
    pub fn digest(scope: Scope, path: impl Display) -> Self {
        Self { bucket: Bucket::Digests, scope, key: format!("audit/{scope}/{path}") }
    }
    pub fn bucket(&self) -> Bucket {
        self.bucket
    }
    /// Whose credentials open it.
    pub fn scope(&self) -> Scope {
        self.scope
    }
    pub fn key(&self) -> &str {
        &self.key
    }
    /// The file of the same tenant and bucket at a key that [`Files::list`] gave.
    pub fn at(&self, key: String) -> Self {
        Self { key, ..self.clone() }
    }
}

/// What a link lets in: these bytes and no others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Bytes.
    pub size: u64,
    /// Hex, lower case.
    pub sha256: String,
    pub content_type: String,
}

/// A piece of an upload in parts. Each but the last has at least 5 MB, as S3 wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// From 1 on.
    pub n: u16,
    /// Bytes.
    pub size: u64,
    /// Hex, lower case.
    pub sha256: String,
}

/// A piece that has arrived, by the mark that the storage gave for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    pub n: u16,
    pub etag: String,
    pub sha256: String,
}

/// A request that the holder may make without a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Link {
    pub method: String,
    pub url: String,
    /// Headers that have to come with it, exactly.
    pub headers: BTreeMap<String, String>,
    pub expires_at: Timestamp,
}

/// What lies there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Bytes.
    pub size: u64,
    /// Hex; as the storage itself computed it at the upload, where it did.
    pub sha256: Option<String>,
    pub content_type: String,
    /// Under the storage's own legal hold, as far as the caller may see that (S3: `GetObjectLegalHold`).
    pub held: bool,
}

/// How a download is named and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The file's name for the reader (RFC 6266, always as an attachment).
    pub name: String,
    pub content_type: String,
}

/// `Content-Disposition` of a download (RFC 6266): plain letters for old readers, the name itself for all others.
pub fn disposition(name: &str) -> String {
    let plain =
        |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ' ') { c } else { '_' };
    let coded: String = name
        .bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(b).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect();
    format!(
        "attachment; filename=\"{}\"; filename*=UTF-8''{coded}",
        name.chars().map(plain).collect::<String>()
    )
}

pub trait Files: Send + Sync {
    /// A link for one upload; the storage refuses other bytes.
    fn upload<'a>(&'a self, to: &'a File, what: &'a Upload, life: SignedDuration) -> Replying<'a, Link>;
    /// A link for one download.
    fn download<'a>(&'a self, of: &'a File, named: &'a Named, life: SignedDuration) -> Replying<'a, Link>;
    /// Begins an upload in parts; answers what the storage calls it.
    fn begin<'a>(&'a self, to: &'a File, content_type: &'a str) -> Replying<'a, String>;
    /// A link for one piece of it; the storage refuses other bytes.
    fn piece<'a>(
        &'a self,
        to: &'a File,
        upload: &'a str,
        piece: &'a Piece,
        life: SignedDuration,
    ) -> Replying<'a, Link>;
    /// Makes one file of the pieces; also true if it was made before. False if pieces are missing or others than these.
    fn join<'a>(&'a self, to: &'a File, upload: &'a str, pieces: &'a [Arrived]) -> Replying<'a, bool>;
    /// Gives an upload in parts up, with every piece of it; one that is not there (any more) is success.
    fn abandon<'a>(&'a self, to: &'a File, upload: &'a str) -> Replying<'a, ()>;
    /// `None` if nothing lies there.
    fn stat<'a>(&'a self, file: &'a File) -> Replying<'a, Option<Stored>>;
    /// The bytes, or the first `most` of them; `None` if nothing lies there.
    fn read<'a>(&'a self, file: &'a File, most: Option<u64>) -> Replying<'a, Option<Vec<u8>>>;
    /// SHA-256 of the whole, hex, however large it is; `None` if nothing lies there.
    fn sha256<'a>(&'a self, file: &'a File) -> Replying<'a, Option<String>>;
    /// Sets or lifts the storage's own legal hold: while it is set nobody removes the file. Nothing there is success.
    fn hold<'a>(&'a self, file: &'a File, on: bool) -> Replying<'a, ()>;
    /// Writes, replacing what lay there; among the digests what lies there already is kept, and the same bytes again
    /// are success.
    fn write<'a>(&'a self, file: &'a File, content_type: &'a str, bytes: Vec<u8>) -> Replying<'a, ()>;
    /// Removes every version; nothing there is success. Refused among the digests.
    fn remove<'a>(&'a self, file: &'a File) -> Replying<'a, ()>;
    /// Keys that begin with this file's key, in their order, after `after`, at most 1,000.
    fn list<'a>(&'a self, under: &'a File, after: Option<&'a str>) -> Replying<'a, Vec<String>>;
}

/// Signs digests of the audit and seals of signed documents: ECDSA P-256 over SHA-256.
pub trait Signer: Send + Sync {
    /// The signature (ASN.1 DER) over the bytes, with the key's id.
    fn sign<'a>(&'a self, bytes: &'a [u8]) -> Replying<'a, Signed>;
    /// The public key (DER, SubjectPublicKeyInfo) of an id that signed once; `None` if it is not known.
    fn public_key<'a>(&'a self, key_id: &'a str) -> Replying<'a, Option<Vec<u8>>>;
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    pub key_id: String,
    pub signature: Vec<u8>,
}

/// A deployment without this part: a clear error instead of a guess.
pub struct Nowhere;

fn none<'a, T: 'a>(what: &'static str) -> Replying<'a, T> {
    Box::pin(
        async move { Result::Err(kernel::Error::internal(format!("this function was given no {what}"))) },
    )
}

impl Files for Nowhere {
    fn upload<'a>(&'a self, _: &'a File, _: &'a Upload, _: SignedDuration) -> Replying<'a, Link> {
        none("files")
    }
    fn download<'a>(&'a self, _: &'a File, _: &'a Named, _: SignedDuration) -> Replying<'a, Link> {
        none("files")
    }
    fn begin<'a>(&'a self, _: &'a File, _: &'a str) -> Replying<'a, String> {
        none("files")
    }
    fn piece<'a>(&'a self, _: &'a File, _: &'a str, _: &'a Piece, _: SignedDuration) -> Replying<'a, Link> {
        none("files")
    }
    fn join<'a>(&'a self, _: &'a File, _: &'a str, _: &'a [Arrived]) -> Replying<'a, bool> {
        none("files")
    }
    fn abandon<'a>(&'a self, _: &'a File, _: &'a str) -> Replying<'a, ()> {
        none("files")
    }
    fn sha256<'a>(&'a self, _: &'a File) -> Replying<'a, Option<String>> {
        none("files")
    }
    fn hold<'a>(&'a self, _: &'a File, _: bool) -> Replying<'a, ()> {
        none("files")
    }
    fn stat<'a>(&'a self, _: &'a File) -> Replying<'a, Option<Stored>> {
        none("files")
    }
    fn read<'a>(&'a self, _: &'a File, _: Option<u64>) -> Replying<'a, Option<Vec<u8>>> {
        none("files")
    }
    fn write<'a>(&'a self, _: &'a File, _: &'a str, _: Vec<u8>) -> Replying<'a, ()> {
        none("files")
    }
    fn remove<'a>(&'a self, _: &'a File) -> Replying<'a, ()> {
        none("files")
    }
    fn list<'a>(&'a self, _: &'a File, _: Option<&'a str>) -> Replying<'a, Vec<String>> {
        none("files")
    }
}

impl Signer for Nowhere {
    fn sign<'a>(&'a self, _: &'a [u8]) -> Replying<'a, Signed> {
        none("signing key")
    }
    fn public_key<'a>(&'a self, _: &'a str) -> Replying<'a, Option<Vec<u8>>> {
        none("signing key")
    }
}
