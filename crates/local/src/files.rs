//! Files as S3 keeps them, in a folder of this machine: links that let in exactly the bytes they name, digests that
//! are written once. What was answered with success is on the disk.

mod door;
mod pieces;

pub use door::{Stored, router};

use aws_lc_rs::{digest, hmac};
use jiff::{SignedDuration, Timestamp};
use kernel::{Clock, Error, Result};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
};
use web::{
    Replying,
    files::{Arrived, Bucket, File, Files, Link, Named, Piece, Stored as Found, Upload},
};

/// The folder, and the key that its links are signed with.
pub struct Shelf {
    folder: PathBuf,
    /// Where the gateway answers.
    address: String,
    signs: hmac::Key,
    clock: Clock,
}

/// What lies beside a file's bytes and says which they are. It is written last: a file without it is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Label {
    size: u64,
    /// Hex; the bytes lie beside it under this name.
    sha256: String,
    content_type: String,
    /// Under a legal hold.
    #[serde(default)]
    held: bool,
}

impl Shelf {
    /// `master` is the key that wraps the tenants' keys; the links' key derives from it.
    pub fn new(folder: PathBuf, address: &str, master: &[u8; 32], clock: Clock) -> Self {
        let master = hmac::Key::new(hmac::HMAC_SHA256, master);
        let derived = hmac::sign(&master, b"links to files");
        let signs = hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref());
        Self { folder, address: address.into(), signs, clock }
    }

    /// A key's place: folders by its segments, its last one marked, so that `a` and `a/b` can both be files.
    fn place(&self, bucket: Bucket, key: &str) -> Result<PathBuf> {
        let mut segments: Vec<&str> = key.split('/').collect();
        let fine = |s: &&str| {
            let known = |c: char| c.is_ascii_alphanumeric() || "._~@-".contains(c);
            !s.is_empty() && s.len() <= 120 && !s.starts_with('.') && s.chars().all(known)
        };
        if !segments.iter().all(fine) {
            return Err(Error::internal("a file's key holds letters, digits and . _ ~ @ - only"));
        }
        let last = segments.pop().unwrap_or_default();
        let folder = segments.iter().fold(self.folder.join(bucket.as_str()), |at, s| at.join(s));
        Ok(folder.join(format!("={last}")))
    }

    fn label(&self, bucket: Bucket, key: &str) -> Result<Option<(Label, PathBuf)>> {
        let place = self.place(bucket, key)?;
        match fs::read(beside(&place, "json")) {
            Ok(bytes) => {
                let label: Label = serde_json::from_slice(&bytes).map_err(Error::internal)?;
                let bytes = beside(&place, &label.sha256);
                Ok(Some((label, bytes)))
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::internal(e)),
        }
    }

    /// Puts bytes that lie whole in a temporary file where they belong, and labels them.
    fn keep(&self, bucket: Bucket, key: &str, label: &Label, from: &Path) -> Result<()> {
        let known = self.label(bucket, key)?;
        if let Some((there, _)) = known.as_ref().filter(|_| bucket == Bucket::Digests) {
            let _ = fs::remove_file(from);
            return if there.sha256 == label.sha256 { Ok(()) } else { Err(locked()) };
        }
        let place = self.place(bucket, key)?;
        let folder = place.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder).map_err(Error::internal)?;
        fs::rename(from, beside(&place, &label.sha256)).map_err(Error::internal)?;
        let (mut out, part) = self.part(&place)?;
        out.write_all(&serde_json::to_vec(label).map_err(Error::internal)?).map_err(Error::internal)?;
        out.sync_all().map_err(Error::internal)?;
        let card = beside(&place, "json");
        if bucket == Bucket::Digests {
            // A link is made only where nothing lies: of two at once, one is the first.
            let made = fs::hard_link(&part, &card);
            let _ = fs::remove_file(&part);
            if made.is_err() {
                let there = self
                    .label(bucket, key)?
                    .ok_or_else(|| Error::internal("the folder cannot be written"))?;
                return if there.0.sha256 == label.sha256 { Ok(()) } else { Err(locked()) };
            }
        } else {
            fs::rename(&part, &card).map_err(Error::internal)?;
        }
        fs::File::open(folder).and_then(|f| f.sync_all()).map_err(Error::internal)?;
        if let Some((_, old)) = known.filter(|(there, _)| there.sha256 != label.sha256) {
            let _ = fs::remove_file(old);
        }
        Ok(())
    }

    /// Another label in the place of one.
    fn write_label(&self, card: &Path, label: &Label) -> Result<()> {
        let (mut out, part) = self.part(card)?;
        let bytes = serde_json::to_vec(label).map_err(Error::internal)?;
        out.write_all(&bytes).and_then(|()| out.sync_all()).map_err(Error::internal)?;
        fs::rename(&part, card).map_err(Error::internal)
    }

    /// A new temporary file beside a place.
    fn part(&self, place: &Path) -> Result<(fs::File, PathBuf)> {
        let part = self.folder.join("parts");
        fs::create_dir_all(&part).map_err(Error::internal)?;
        let name = place.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let part = part.join(format!("{}{name}", ulid::Ulid::new()));
        let file = fs::File::options().write(true).create_new(true).open(&part).map_err(Error::internal)?;
        Ok((file, part))
    }

    /// Everything that a link says, signed: what is changed in it opens nothing.
    fn seal(&self, method: &str, bucket: &str, key: &str, said: &BTreeMap<String, String>) -> String {
        let mut context = hmac::Context::with_key(&self.signs);
        for word in [method, bucket, key] {
            context.update(word.as_bytes());
            context.update(b"\n");
        }
        for (name, value) in said {
            context.update(format!("{name}={}:{value}\n", value.len()).as_bytes());
        }
        hex::encode(context.sign().as_ref())
    }

    fn url(&self, method: &str, file: &File, said: &BTreeMap<String, String>) -> String {
        let bucket = file.bucket().as_str();
        let signature = self.seal(method, bucket, file.key(), said);
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(said);
        query.append_pair("signature", &signature);
        format!("{}/local/files/{bucket}/{}?{}", self.address, file.key(), query.finish())
    }
}

fn beside(place: &Path, what: &str) -> PathBuf {
    let mut name = place.as_os_str().to_owned();
    name.push(".");
    name.push(what);
    name.into()
}

fn locked() -> Error {
    Error::internal("under Object Lock, and other bytes")
}

/// A link with everything that it says.
fn link(
    shelf: &Shelf,
    method: &str,
    file: &File,
    mut said: BTreeMap<String, String>,
    until: Timestamp,
) -> Link {
    said.insert("expires".into(), until.as_second().to_string());
    let url = shelf.url(method, file, &said);
    Link { method: method.into(), url, headers: BTreeMap::new(), expires_at: until }
}

/// Reads and writes of a disk are quick here, and nobody waits for another's.
fn done<'a, T: Send + 'a>(work: impl FnOnce() -> Result<T> + Send + 'a) -> Replying<'a, T> {
    Box::pin(async move { work() })
}

impl Files for Shelf {
    fn upload<'a>(&'a self, to: &'a File, what: &'a Upload, life: SignedDuration) -> Replying<'a, Link> {
        done(move || {
            self.place(to.bucket(), to.key())?;
            let said = BTreeMap::from([
                ("size".to_string(), what.size.to_string()),
                ("sha256".to_string(), what.sha256.clone()),
                ("type".to_string(), what.content_type.clone()),
            ]);
            let mut link = link(self, "PUT", to, said, self.clock.now() + life);
            link.headers.insert("content-type".into(), what.content_type.clone());
            Ok(link)
        })
    }
    fn download<'a>(&'a self, of: &'a File, named: &'a Named, life: SignedDuration) -> Replying<'a, Link> {
        done(move || {
            let said = BTreeMap::from([
                ("name".to_string(), named.name.clone()),
                ("type".to_string(), named.content_type.clone()),
            ]);
            Ok(link(self, "GET", of, said, self.clock.now() + life))
        })
    }
    fn begin<'a>(&'a self, to: &'a File, content_type: &'a str) -> Replying<'a, String> {
        done(move || self.begun(to, content_type))
    }
    fn piece<'a>(
        &'a self,
        to: &'a File,
        upload: &'a str,
        piece: &'a Piece,
        life: SignedDuration,
    ) -> Replying<'a, Link> {
        done(move || Ok(link(self, "PUT", to, pieces::said(upload, piece), self.clock.now() + life)))
    }
    fn join<'a>(&'a self, to: &'a File, upload: &'a str, pieces: &'a [Arrived]) -> Replying<'a, bool> {
        done(move || self.joined(to, upload, pieces))
    }
    fn abandon<'a>(&'a self, _: &'a File, upload: &'a str) -> Replying<'a, ()> {
        done(move || self.abandoned(upload))
    }
    fn sha256<'a>(&'a self, file: &'a File) -> Replying<'a, Option<String>> {
        done(move || Ok(self.label(file.bucket(), file.key())?.map(|(label, _)| label.sha256)))
    }
    fn hold<'a>(&'a self, file: &'a File, on: bool) -> Replying<'a, ()> {
        done(move || match self.label(file.bucket(), file.key())? {
            Some((label, _)) if label.held != on => {
                let card = beside(&self.place(file.bucket(), file.key())?, "json");
                self.write_label(&card, &Label { held: on, ..label })
            }
            _ => Ok(()),
        })
    }
    fn stat<'a>(&'a self, file: &'a File) -> Replying<'a, Option<Found>> {
        done(move || {
            let found = self.label(file.bucket(), file.key())?;
            Ok(found.map(|(l, _)| Found {
                size: l.size,
                sha256: Some(l.sha256),
                content_type: l.content_type,
                held: l.held,
            }))
        })
    }
    fn read<'a>(&'a self, file: &'a File, most: Option<u64>) -> Replying<'a, Option<Vec<u8>>> {
        done(move || {
            let Some((_, bytes)) = self.label(file.bucket(), file.key())? else { return Ok(None) };
            let mut read = vec![];
            let file = fs::File::open(bytes).map_err(Error::internal)?;
            file.take(most.unwrap_or(u64::MAX)).read_to_end(&mut read).map_err(Error::internal)?;
            Ok(Some(read))
        })
    }
    fn write<'a>(&'a self, file: &'a File, content_type: &'a str, bytes: Vec<u8>) -> Replying<'a, ()> {
        done(move || {
            let (mut out, part) = self.part(&self.place(file.bucket(), file.key())?)?;
            out.write_all(&bytes).and_then(|()| out.sync_all()).map_err(Error::internal)?;
            let sha256 = hex::encode(digest::digest(&digest::SHA256, &bytes).as_ref());
            let content_type = content_type.into();
            let label = Label { size: bytes.len() as u64, sha256, content_type, held: false };
            self.keep(file.bucket(), file.key(), &label, &part)
        })
    }
    fn remove<'a>(&'a self, file: &'a File) -> Replying<'a, ()> {
        done(move || {
            if file.bucket() == Bucket::Digests {
                return Err(Error::internal("under Object Lock"));
            }
            let Some((label, bytes)) = self.label(file.bucket(), file.key())? else { return Ok(()) };
            if label.held {
                return Err(Error::internal("under a legal hold"));
            }
            let place = self.place(file.bucket(), file.key())?;
            fs::remove_file(beside(&place, "json")).map_err(Error::internal)?;
            fs::remove_file(bytes).map_err(Error::internal)
        })
    }
    fn list<'a>(&'a self, under: &'a File, after: Option<&'a str>) -> Replying<'a, Vec<String>> {
        done(move || {
            let mut found = vec![];
            let root = self.folder.join(under.bucket().as_str());
            // The tenant's part of the key is whole, so nothing of others is walked through.
            let whole = under.key().rsplit_once('/').map_or("", |(folder, _)| folder);
            walk(&whole.split('/').fold(root, |at, s| at.join(s)), whole, &mut found)?;
            found.retain(|key| key.starts_with(under.key()) && after.is_none_or(|a| key.as_str() > a));
            found.sort();
            found.truncate(1000);
            Ok(found)
        })
    }
}

/// Every key under a folder.
fn walk(folder: &Path, at: &str, found: &mut Vec<String>) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(Error::internal)?,
    };
    for entry in entries {
        let entry = entry.map_err(Error::internal)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let below = |name: &str| if at.is_empty() { name.to_string() } else { format!("{at}/{name}") };
        match name.strip_prefix('=') {
            Some(leaf) => found.extend(leaf.strip_suffix(".json").map(below)),
            None => walk(&entry.path(), &below(&name), found)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
