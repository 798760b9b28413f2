//! Files by S3. A link dies with the credentials that signed it, so it is signed only with those that outlive it.

use crate::Config;
use aws_config::SdkConfig;
use aws_credential_types::{Credentials, provider::ProvideCredentials};
use aws_sdk_s3::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    presigning::PresigningConfig,
    primitives::ByteStream,
    types::{
        ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier,
        ObjectLockLegalHold, ObjectLockLegalHoldStatus,
    },
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use jiff::{SignedDuration, Timestamp};
use kernel::{Clock, Error, Result};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Mutex,
    time::Duration,
};
use store::Scope;
use web::{
    Replying,
    files::{Arrived, Bucket, File, Files, Link, Named, Piece, Stored, Upload, disposition},
};

/// Tenants' files, each with the credentials of its scope.
pub struct S3 {
    documents: String,
    digests: String,
    configured: Box<dyn Fn(Scope) -> SdkConfig + Send + Sync>,
    clock: Clock,
    opened: Mutex<HashMap<Scope, Opened>>,
}

#[derive(Clone)]
struct Opened {
    client: Client,
    /// None: of the environment, which says no end.
    until: Option<Timestamp>,
}

/// What credentials have to be good for beyond a link's life.
const MARGIN: SignedDuration = SignedDuration::from_mins(2);
/// Most scopes whose clients are remembered.
const SCOPES: usize = 500;

impl S3 {
    pub fn new(
        config: &Config,
        configured: impl Fn(Scope) -> SdkConfig + Send + Sync + 'static,
        clock: Clock,
    ) -> Self {
        let (documents, digests) = (config.documents_bucket.clone(), config.digests_bucket.clone());
        Self { documents, digests, configured: Box::new(configured), clock, opened: Mutex::default() }
    }

    fn bucket(&self, file: &File) -> &str {
        match file.bucket() {
            Bucket::Documents => &self.documents,
            Bucket::Digests => &self.digests,
        }
    }

    /// A client whose credentials are good for `life` and a little more.
    async fn client(&self, scope: Scope, life: SignedDuration) -> Result<Client> {
        let needed = self.clock.now() + life + MARGIN;
        let known = self.opened.lock().expect("never poisoned").get(&scope).cloned();
        if let Some(open) = known.filter(|o| o.until.is_none_or(|until| until > needed)) {
            return Ok(open.client);
        }
        let config = (self.configured)(scope);
        let provider = config.credentials_provider().ok_or_else(|| Error::internal("S3: no credentials"))?;
        let given = provider.provide_credentials().await.map_err(|e| failed("credentials", e))?;
        let until = given.expiry().and_then(|at| Timestamp::try_from(at).ok());
        let client = signing(&config, given);
        let mut opened = self.opened.lock().expect("never poisoned");
        if opened.len() >= SCOPES {
            opened.clear();
        }
        opened.insert(scope, Opened { client: client.clone(), until });
        Ok(client)
    }

    /// A client for a call that is made now.
    async fn now(&self, scope: Scope) -> Result<Client> {
        self.client(scope, SignedDuration::from_mins(1)).await
    }

    fn link(
        &self,
        signed: &aws_sdk_s3::presigning::PresignedRequest,
        life: SignedDuration,
        said: &[&str],
    ) -> Link {
        let headers = signed.headers().map(|(name, value)| (name.to_ascii_lowercase(), value.to_string()));
        // Length and host are every client's own to send.
        let headers: BTreeMap<_, _> = headers.filter(|(name, _)| said.contains(&name.as_str())).collect();
        let expires_at = self.clock.now() + life;
        Link { method: signed.method().into(), url: signed.uri().into(), headers, expires_at }
    }

    async fn versions(&self, client: &Client, file: &File) -> Result<Vec<ObjectIdentifier>> {
        let asked = client.list_object_versions().bucket(self.bucket(file)).prefix(file.key());
        let page = asked.send().await.map_err(|e| failed("versions", e))?;
        let objects =
            page.versions.unwrap_or_default().into_iter().filter_map(|v| Some((v.key?, v.version_id)));
        let marks =
            page.delete_markers.unwrap_or_default().into_iter().filter_map(|m| Some((m.key?, m.version_id)));
        let of = |(key, version)| ObjectIdentifier::builder().key(key).set_version_id(version).build();
        let mine = objects.chain(marks).filter(|(key, _)| key == file.key());
        mine.map(|found| of(found).map_err(Error::internal)).collect()
    }
}

impl S3 {
    /// What a refused read means: who may not list a whole bucket is not told what is missing. A list of this very key,
    /// which is allowed, tells.
    async fn lacks(&self, client: &Client, file: &File) -> Result<bool> {
        let asked = client.list_objects_v2().bucket(self.bucket(file)).prefix(file.key()).max_keys(1);
        let page = asked.send().await.map_err(|e| failed("list", e))?;
        Ok(!page.contents.unwrap_or_default().iter().any(|o| o.key.as_deref() == Some(file.key())))
    }
}

fn is_denied<E>(e: &SdkError<E>) -> bool {
    e.raw_response().is_some_and(|r| r.status().as_u16() == 403)
}

/// A client with these credentials and no others, so that it is known until when it signs.
fn signing(config: &SdkConfig, given: Credentials) -> Client {
    let config = aws_sdk_s3::config::Builder::from(config).credentials_provider(given);
    Client::from_conf(config.build())
}

fn presigning(life: SignedDuration) -> Result<PresigningConfig> {
    let life = Duration::try_from(life).map_err(Error::internal)?;
    PresigningConfig::expires_in(life).map_err(Error::internal)
}

/// Base64, as S3 writes checksums, of hex, as we do.
fn checksum(sha256: &str) -> Result<String> {
    Ok(BASE64_STANDARD.encode(hex::decode(sha256).map_err(Error::internal)?))
}

fn hex_of(checksum: &str) -> Option<String> {
    Some(hex::encode(BASE64_STANDARD.decode(checksum).ok()?)).filter(|sha| sha.len() == 64)
}

fn code<E: ProvideErrorMetadata, R>(e: &SdkError<E, R>) -> Option<&str> {
    e.as_service_error().and_then(ProvideErrorMetadata::code)
}

fn failed(what: &str, e: impl std::error::Error) -> Error {
    // The code alone: an SDK error prints whole answers.
    Error::internal(format!("S3, {what}: {e}"))
}

impl Files for S3 {
    fn upload<'a>(&'a self, to: &'a File, what: &'a Upload, life: SignedDuration) -> Replying<'a, Link> {
        Box::pin(async move {
            let client = self.client(to.scope(), life).await?;
            let length = i64::try_from(what.size).map_err(Error::internal)?;
            let request = client.put_object().bucket(self.bucket(to)).key(to.key());
            let request = request.content_length(length).content_type(&what.content_type);
            let request = request.checksum_sha256(checksum(&what.sha256)?);
            let signed = request.presigned(presigning(life)?).await.map_err(|e| failed("signing", e))?;
            Ok(self.link(&signed, life, &["content-type", "x-amz-checksum-sha256"]))
        })
    }
    fn download<'a>(&'a self, of: &'a File, named: &'a Named, life: SignedDuration) -> Replying<'a, Link> {
        Box::pin(async move {
            let client = self.client(of.scope(), life).await?;
            let request = client.get_object().bucket(self.bucket(of)).key(of.key());
            let request = request.response_content_disposition(disposition(&named.name));
            let request = request.response_content_type(&named.content_type);
            let signed = request.presigned(presigning(life)?).await.map_err(|e| failed("signing", e))?;
            Ok(self.link(&signed, life, &[]))
        })
    }
    fn begin<'a>(&'a self, to: &'a File, content_type: &'a str) -> Replying<'a, String> {
        Box::pin(async move {
            let client = self.now(to.scope()).await?;
            let asked = client.create_multipart_upload().bucket(self.bucket(to)).key(to.key());
            let asked = asked.content_type(content_type).checksum_algorithm(ChecksumAlgorithm::Sha256);
            let begun = asked.send().await.map_err(|e| failed("parts", e))?;
            begun.upload_id.ok_or_else(|| Error::internal("S3, parts: no id"))
        })
    }
    fn piece<'a>(
        &'a self,
        to: &'a File,
        upload: &'a str,
        piece: &'a Piece,
        life: SignedDuration,
    ) -> Replying<'a, Link> {
        Box::pin(async move {
            let client = self.client(to.scope(), life).await?;
            let length = i64::try_from(piece.size).map_err(Error::internal)?;
            let request = client.upload_part().bucket(self.bucket(to)).key(to.key()).upload_id(upload);
            let request = request.part_number(i32::from(piece.n)).content_length(length);
            let request = request.checksum_sha256(checksum(&piece.sha256)?);
            let signed = request.presigned(presigning(life)?).await.map_err(|e| failed("signing", e))?;
            Ok(self.link(&signed, life, &["x-amz-checksum-sha256"]))
        })
    }
    fn join<'a>(&'a self, to: &'a File, upload: &'a str, pieces: &'a [Arrived]) -> Replying<'a, bool> {
        Box::pin(async move {
            let client = self.now(to.scope()).await?;
            let mut whole = CompletedMultipartUpload::builder();
            for piece in pieces {
                let part = CompletedPart::builder().part_number(i32::from(piece.n)).e_tag(&piece.etag);
                whole = whole.parts(part.checksum_sha256(checksum(&piece.sha256)?).build());
            }
            let asked = client.complete_multipart_upload().bucket(self.bucket(to)).key(to.key());
            match asked.upload_id(upload).multipart_upload(whole.build()).send().await {
                Ok(_) => Ok(true),
                Err(e) => match code(&e) {
                    Some("NoSuchUpload") => Ok(self.stat(to).await?.is_some()),
                    Some("InvalidPart" | "InvalidPartOrder" | "EntityTooSmall" | "BadDigest") => Ok(false),
                    _ => Err(failed("joining", e)),
                },
            }
        })
    }
    fn abandon<'a>(&'a self, to: &'a File, upload: &'a str) -> Replying<'a, ()> {
        Box::pin(async move {
            let client = self.now(to.scope()).await?;
            let asked = client.abort_multipart_upload().bucket(self.bucket(to)).key(to.key());
            match asked.upload_id(upload).send().await {
                Ok(_) => Ok(()),
                Err(e) if code(&e) == Some("NoSuchUpload") => Ok(()),
                Err(e) => Err(failed("abandoning", e)),
            }
        })
    }
    fn sha256<'a>(&'a self, file: &'a File) -> Replying<'a, Option<String>> {
        Box::pin(async move {
            let client = self.now(file.scope()).await?;
            match client.get_object().bucket(self.bucket(file)).key(file.key()).send().await {
                Ok(mut found) => {
                    let mut digest = seal::Sha256::default();
                    while let Some(chunk) = found.body.try_next().await.map_err(|e| failed("reading", e))? {
                        digest.update(&chunk);
                    }
                    Ok(Some(hex::encode(digest.finish())))
                }
                Err(e) if e.as_service_error().is_some_and(|e| e.is_no_such_key()) => Ok(None),
                Err(e) if is_denied(&e) && self.lacks(&client, file).await? => Ok(None),
                Err(e) => Err(failed("get", e)),
            }
        })
    }
    fn hold<'a>(&'a self, file: &'a File, on: bool) -> Replying<'a, ()> {
        Box::pin(async move {
            let client = self.now(file.scope()).await?;
            let status = if on { ObjectLockLegalHoldStatus::On } else { ObjectLockLegalHoldStatus::Off };
            let hold = ObjectLockLegalHold::builder().status(status).build();
            let asked = client.put_object_legal_hold().bucket(self.bucket(file)).key(file.key());
            match asked.legal_hold(hold).send().await {
                Ok(_) => Ok(()),
                Err(e) if code(&e) == Some("NoSuchKey") => Ok(()),
                Err(e) if is_denied(&e) && self.lacks(&client, file).await? => Ok(()),
                Err(e) => Err(failed("legal hold", e)),
            }
        })
    }
    fn stat<'a>(&'a self, file: &'a File) -> Replying<'a, Option<Stored>> {
        Box::pin(async move {
            let client = self.now(file.scope()).await?;
            let asked = client.head_object().bucket(self.bucket(file)).key(file.key());
            match asked.checksum_mode(ChecksumMode::Enabled).send().await {
                Ok(head) => Ok(Some(Stored {
                    size: head.content_length.unwrap_or_default().unsigned_abs(),
                    sha256: head.checksum_sha256.as_deref().and_then(hex_of),
                    content_type: head.content_type.unwrap_or_default(),
                    held: head.object_lock_legal_hold_status == Some(ObjectLockLegalHoldStatus::On),
                })),
                Err(e) if e.as_service_error().is_some_and(|e| e.is_not_found()) => Ok(None),
                Err(e) if is_denied(&e) && self.lacks(&client, file).await? => Ok(None),
                Err(e) => Err(failed("head", e)),
            }
        })
    }
    fn read<'a>(&'a self, file: &'a File, most: Option<u64>) -> Replying<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let client = self.now(file.scope()).await?;
            let asked = client.get_object().bucket(self.bucket(file)).key(file.key());
            let range = most.map(|most| format!("bytes=0-{}", most.saturating_sub(1)));
            match asked.set_range(range).send().await {
                Ok(found) => {
                    let bytes = found.body.collect().await.map_err(|e| failed("reading", e))?;
                    Ok(Some(bytes.to_vec()))
                }
                Err(e) if e.as_service_error().is_some_and(|e| e.is_no_such_key()) => Ok(None),
                Err(e) if is_denied(&e) && self.lacks(&client, file).await? => Ok(None),
                // An empty file has no first byte.
                Err(e) if code(&e) == Some("InvalidRange") => Ok(Some(vec![])),
                Err(e) => Err(failed("get", e)),
            }
        })
    }
    fn write<'a>(&'a self, file: &'a File, content_type: &'a str, bytes: Vec<u8>) -> Replying<'a, ()> {
        Box::pin(async move {
            let client = self.now(file.scope()).await?;
            let sha256 = hex::encode(seal::sha256(&bytes));
            let request = client.put_object().bucket(self.bucket(file)).key(file.key());
            let request = request.content_type(content_type).checksum_sha256(checksum(&sha256)?);
            let once = file.bucket() == Bucket::Digests;
            let request = request.set_if_none_match(once.then(|| "*".to_string()));
            match request.body(ByteStream::from(bytes)).send().await {
                Ok(_) => Ok(()),
                Err(e) if once && code(&e) == Some("PreconditionFailed") => {
                    match self.stat(file).await?.and_then(|s| s.sha256) {
                        Some(there) if there == sha256 => Ok(()),
                        _ => Err(Error::internal("under Object Lock, and other bytes")),
                    }
                }
                Err(e) => Err(failed("put", e)),
            }
        })
    }
    fn remove<'a>(&'a self, file: &'a File) -> Replying<'a, ()> {
        Box::pin(async move {
            if file.bucket() == Bucket::Digests {
                return Err(Error::internal("under Object Lock"));
            }
            let client = self.now(file.scope()).await?;
            loop {
                let versions = self.versions(&client, file).await?;
                if versions.is_empty() {
                    return Ok(());
                }
                let gone = Delete::builder().set_objects(Some(versions)).quiet(true).build();
                let request = client.delete_objects().bucket(self.bucket(file));
                let done = request.delete(gone.map_err(Error::internal)?).send().await;
                let done = done.map_err(|e| failed("delete", e))?;
                if let Some(kept) = done.errors.unwrap_or_default().first() {
                    let code = kept.code.clone().unwrap_or_default();
                    return Err(Error::internal(format!("S3, delete: {code}")));
                }
            }
        })
    }
    fn list<'a>(&'a self, under: &'a File, after: Option<&'a str>) -> Replying<'a, Vec<String>> {
        Box::pin(async move {
            let client = self.now(under.scope()).await?;
            let asked = client.list_objects_v2().bucket(self.bucket(under)).prefix(under.key());
            let page = asked.set_start_after(after.map(Into::into)).max_keys(1000).send().await;
            let page = page.map_err(|e| failed("list", e))?;
            Ok(page.contents.unwrap_or_default().into_iter().filter_map(|o| o.key).collect())
        })
    }
}

#[cfg(test)]
mod tests;
