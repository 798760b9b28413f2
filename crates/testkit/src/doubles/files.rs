//! Files in memory, as strict as the storage: an upload link takes the bytes that it names and no others.

use crate::{Back, Keeps};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use jiff::{SignedDuration, Timestamp};
use kernel::{Clock, Error};
use seal::sha256;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};
use web::{
    access::Replying,
    files::{Arrived, Bucket, File, Files, Link, Named, Piece, Signed, Signer, Stored, Upload},
};

/// `memory:<bucket>/<key>`, and what was promised of it.
pub struct Cabinet {
    clock: Clock,
    kept: Mutex<BTreeMap<(Bucket, String), Kept>>,
    promised: Mutex<BTreeMap<String, (File, Upload, Timestamp)>>,
    parts: Mutex<BTreeMap<String, InParts>>,
    down: AtomicBool,
}

/// An upload in parts: of which file and type, and the pieces that have come.
struct InParts {
    file: File,
    content_type: String,
    pieces: BTreeMap<u16, Vec<u8>>,
}

#[derive(Clone)]
struct Kept {
    bytes: Vec<u8>,
    content_type: String,
    /// Joined of pieces: the storage knows no checksum of the whole.
    joined: bool,
    /// Under a legal hold.
    held: bool,
}

impl Cabinet {
    pub fn new(clock: Clock) -> Self {
        let (kept, promised, parts) = (Mutex::default(), Mutex::default(), Mutex::default());
        Self { clock, kept, promised, parts, down: AtomicBool::new(false) }
    }

    /// From now on the storage does not answer (or does again).
    pub fn down(&self, down: bool) {
        self.down.store(down, SeqCst);
    }

    /// What a client does with an upload link; the storage's words if it refuses.
    pub fn put(&self, url: &str, bytes: &[u8]) -> Result<(), String> {
        let promised = self.promised.lock().expect("never poisoned").get(url).cloned();
        let (file, upload, until) = promised.ok_or("SignatureDoesNotMatch")?;
        if self.clock.now() > until {
            return Err("AccessDenied: Request has expired".into());
        }
        if bytes.len() as u64 != upload.size || hex::encode(sha256(bytes)) != upload.sha256 {
            return Err("BadDigest".into());
        }
        match upload.content_type.split_once('|') {
            // A piece of an upload in parts.
            Some((id, n)) => {
                let mut parts = self.parts.lock().expect("never poisoned");
                let upload = parts.get_mut(id).ok_or("NoSuchUpload")?;
                upload.pieces.insert(n.parse().map_err(|_| "InvalidPart")?, bytes.to_vec());
            }
            None => self.keep(&file, &upload.content_type, bytes.to_vec()),
        }
        Ok(())
    }

    /// Uploads in parts that were begun and neither joined nor given up.
    pub fn unfinished(&self) -> usize {
        self.parts.lock().expect("never poisoned").len()
    }

    /// Keys of a bucket that lie under a legal hold.
    pub fn held(&self, bucket: Bucket) -> Vec<String> {
        let kept = self.kept.lock().expect("never poisoned");
        kept.iter().filter(|((b, _), k)| *b == bucket && k.held).map(|((_, key), _)| key.clone()).collect()
    }

    fn promise(&self, to: &File, what: Upload, life: SignedDuration, piece: &str) -> Link {
        let expires_at = self.clock.now() + life;
        let url =
            format!("memory:{}/{}?until={expires_at}&sha256={}{piece}", to.bucket(), to.key(), what.sha256);
        let headers = match piece.is_empty() {
            true => BTreeMap::from([("content-type".to_string(), what.content_type.clone())]),
            false => BTreeMap::new(),
        };
        self.promised.lock().expect("never poisoned").insert(url.clone(), (to.clone(), what, expires_at));
        Link { method: "PUT".into(), url, headers, expires_at }
    }

    /// What a client gets by a download link.
    pub fn get(&self, url: &str) -> Option<Vec<u8>> {
        let key = url.strip_prefix("memory:")?.split('?').next()?;
        let (bucket, key) = key.split_once('/')?;
        let kept = self.kept.lock().expect("never poisoned");
        kept.get(&(bucket.parse().ok()?, key.to_string())).map(|k| k.bytes.clone())
    }

    /// Every key of a bucket.
    pub fn keys(&self, bucket: Bucket) -> Vec<String> {
        let kept = self.kept.lock().expect("never poisoned");
        kept.keys().filter(|(b, _)| *b == bucket).map(|(_, key)| key.clone()).collect()
    }

    /// Changes what lies there behind the product's back; `None` removes it.
    pub fn tamper(&self, bucket: Bucket, key: &str, bytes: Option<Vec<u8>>) {
        let mut kept = self.kept.lock().expect("never poisoned");
        match bytes {
            None => drop(kept.remove(&(bucket, key.into()))),
            Some(bytes) => {
                let content_type =
                    kept.get(&(bucket, key.into())).map(|k| k.content_type.clone()).unwrap_or_default();
                kept.insert((bucket, key.into()), Kept { bytes, content_type, joined: false, held: false });
            }
        }
    }

    fn keep(&self, file: &File, content_type: &str, bytes: Vec<u8>) {
        let kept = Kept { bytes, content_type: content_type.into(), joined: false, held: false };
        self.kept.lock().expect("never poisoned").insert((file.bucket(), file.key().into()), kept);
    }

    fn found(&self, file: &File) -> Option<Kept> {
        self.kept.lock().expect("never poisoned").get(&(file.bucket(), file.key().into())).cloned()
    }

    fn answers<'a, T: Send + 'a>(
        &'a self,
        work: impl FnOnce() -> kernel::Result<T> + Send + 'a,
    ) -> Replying<'a, T> {
        Box::pin(async move {
            if self.down.load(SeqCst) {
                return Err(Error::internal("the storage does not answer"));
            }
            work()
        })
    }
}

impl Keeps for Cabinet {
    fn keep(self: Arc<Self>) -> Back {
        let kept = self.kept.lock().expect("never poisoned").clone();
        let promised = self.promised.lock().expect("never poisoned").clone();
        Box::new(move || {
            self.kept.lock().expect("never poisoned").clone_from(&kept);
            self.promised.lock().expect("never poisoned").clone_from(&promised);
        })
    }
}

impl Files for Cabinet {
    fn upload<'a>(&'a self, to: &'a File, what: &'a Upload, life: SignedDuration) -> Replying<'a, Link> {
        self.answers(move || Ok(self.promise(to, what.clone(), life, "")))
    }
    fn download<'a>(&'a self, of: &'a File, _: &'a Named, life: SignedDuration) -> Replying<'a, Link> {
        self.answers(move || {
            let expires_at = self.clock.now() + life;
            let url = format!("memory:{}/{}?until={expires_at}", of.bucket(), of.key());
            Ok(Link { method: "GET".into(), url, headers: BTreeMap::new(), expires_at })
        })
    }
    fn begin<'a>(&'a self, to: &'a File, content_type: &'a str) -> Replying<'a, String> {
        self.answers(move || {
            let mut parts = self.parts.lock().expect("never poisoned");
            let id = format!("{}-{}", to.key(), parts.len());
            let (file, content_type, pieces) = (to.clone(), content_type.into(), BTreeMap::new());
            parts.insert(id.clone(), InParts { file, content_type, pieces });
            Ok(id)
        })
    }
    fn piece<'a>(
        &'a self,
        to: &'a File,
        upload: &'a str,
        piece: &'a Piece,
        life: SignedDuration,
    ) -> Replying<'a, Link> {
        self.answers(move || {
            let content_type = format!("{upload}|{}", piece.n);
            let what = Upload { size: piece.size, sha256: piece.sha256.clone(), content_type };
            Ok(self.promise(to, what, life, &format!("&part={}", piece.n)))
        })
    }
    fn join<'a>(&'a self, to: &'a File, upload: &'a str, pieces: &'a [Arrived]) -> Replying<'a, bool> {
        self.answers(move || {
            let mut parts = self.parts.lock().expect("never poisoned");
            let Some(InParts { file, content_type, pieces: came }) = parts.get(upload) else {
                return Ok(self.found(to).is_some());
            };
            let these = |(n, bytes): (&u16, &Vec<u8>)| (*n, hex::encode(sha256(bytes)));
            let wanted: Vec<_> = pieces.iter().map(|p| (p.n, p.sha256.clone())).collect();
            if came.iter().map(these).collect::<Vec<_>>() != wanted {
                return Ok(false);
            }
            let kept = Kept {
                bytes: came.values().flatten().copied().collect(),
                content_type: content_type.clone(),
                joined: true,
                held: false,
            };
            self.kept.lock().expect("never poisoned").insert((file.bucket(), file.key().into()), kept);
            parts.remove(upload);
            Ok(true)
        })
    }
    fn abandon<'a>(&'a self, _: &'a File, upload: &'a str) -> Replying<'a, ()> {
        self.answers(move || {
            self.parts.lock().expect("never poisoned").remove(upload);
            Ok(())
        })
    }
    fn sha256<'a>(&'a self, file: &'a File) -> Replying<'a, Option<String>> {
        self.answers(move || Ok(self.found(file).map(|k| hex::encode(sha256(&k.bytes)))))
    }
    fn hold<'a>(&'a self, file: &'a File, on: bool) -> Replying<'a, ()> {
        self.answers(move || {
            let mut kept = self.kept.lock().expect("never poisoned");
            if let Some(kept) = kept.get_mut(&(file.bucket(), file.key().into())) {
                kept.held = on;
            }
            Ok(())
        })
    }
    fn stat<'a>(&'a self, file: &'a File) -> Replying<'a, Option<Stored>> {
        self.answers(move || {
            Ok(self.found(file).map(|k| Stored {
                size: k.bytes.len() as u64,
                sha256: (!k.joined).then(|| hex::encode(sha256(&k.bytes))),
                content_type: k.content_type,
                held: k.held,
            }))
        })
    }
    fn read<'a>(&'a self, file: &'a File, most: Option<u64>) -> Replying<'a, Option<Vec<u8>>> {
        self.answers(move || {
            Ok(self.found(file).map(|mut k| {
                k.bytes.truncate(most.map_or(usize::MAX, |m| usize::try_from(m).unwrap_or(usize::MAX)));
                k.bytes
            }))
        })
    }
    fn write<'a>(&'a self, file: &'a File, content_type: &'a str, bytes: Vec<u8>) -> Replying<'a, ()> {
        self.answers(move || {
            match self.found(file).filter(|_| file.bucket() == Bucket::Digests) {
                Some(kept) if kept.bytes == bytes => {}
                Some(_) => return Err(Error::internal("under Object Lock, and other bytes")),
                None => self.keep(file, content_type, bytes),
            }
            Ok(())
        })
    }
    fn remove<'a>(&'a self, file: &'a File) -> Replying<'a, ()> {
        self.answers(move || {
            if file.bucket() == Bucket::Digests {
                return Err(Error::internal("under Object Lock"));
            }
            if self.found(file).is_some_and(|k| k.held) {
                return Err(Error::internal("under a legal hold"));
            }
            self.kept.lock().expect("never poisoned").remove(&(file.bucket(), file.key().into()));
            Ok(())
        })
    }
    fn list<'a>(&'a self, under: &'a File, after: Option<&'a str>) -> Replying<'a, Vec<String>> {
        self.answers(move || {
            let keys = self.keys(under.bucket()).into_iter();
            let wanted = keys.filter(|k| k.starts_with(under.key()) && after.is_none_or(|a| k.as_str() > a));
            Ok(wanted.take(1000).collect())
        })
    }
}

/// A signing key of the test's own.
pub struct Pen(EcdsaKeyPair);

impl Default for Pen {
    fn default() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key"))
    }
}

impl Signer for Pen {
    fn sign<'a>(&'a self, bytes: &'a [u8]) -> Replying<'a, Signed> {
        Box::pin(async move {
            let signature =
                self.0.sign(&SystemRandom::new(), bytes).map_err(|_| Error::internal("not signed"))?;
            Ok(Signed { key_id: "test".into(), signature: signature.as_ref().to_vec() })
        })
    }
    fn public_key<'a>(&'a self, key_id: &'a str) -> Replying<'a, Option<Vec<u8>>> {
        use aws_lc_rs::encoding::AsDer;
        Box::pin(async move {
            let der = self.0.public_key().as_der().map_err(|_| Error::internal("no public key"))?;
            Ok((key_id == "test").then(|| der.as_ref().to_vec()))
        })
    }
}
