//! Uploads in parts, as S3 has them: pieces that come in any order, joined by whoever names them all.

use super::{Label, Shelf, beside};
use kernel::{Error, Result};
use std::{
    collections::BTreeMap,
    fs,
    io::{ErrorKind, Read, Write},
    path::{Path, PathBuf},
};
use web::files::{Arrived, File, Piece};

/// What a link to a piece says.
pub fn said(upload: &str, piece: &Piece) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("upload".to_string(), upload.to_string()),
        ("part".to_string(), piece.n.to_string()),
        ("size".to_string(), piece.size.to_string()),
        ("sha256".to_string(), piece.sha256.clone()),
    ])
}

impl Shelf {
    /// The folder of an upload; its name is ours, so that nothing of a caller's becomes a path.
    fn uploading(&self, upload: &str) -> Result<PathBuf> {
        let known = ulid::Ulid::from_string(upload).map_err(Error::internal)?;
        Ok(self.folder.join("uploads").join(known.to_string()))
    }

    pub fn begun(&self, to: &File, content_type: &str) -> Result<String> {
        self.place(to.bucket(), to.key())?;
        let upload = ulid::Ulid::new().to_string();
        let folder = self.uploading(&upload)?;
        fs::create_dir_all(&folder).map_err(Error::internal)?;
        fs::write(folder.join("type"), content_type).map_err(Error::internal)?;
        Ok(upload)
    }

    /// A piece whose bytes lie in a temporary file. Its mark is its digest.
    pub fn piece_came(&self, upload: &str, n: &str, sha256: &str, from: &Path) -> Result<bool> {
        let n: u16 = n.parse().map_err(Error::internal)?;
        let folder = self.uploading(upload)?;
        if !folder.join("type").exists() {
            let _ = fs::remove_file(from);
            return Ok(false);
        }
        fs::rename(from, folder.join(format!("{n}.{sha256}"))).map_err(Error::internal)?;
        Ok(true)
    }

    pub fn joined(&self, to: &File, upload: &str, pieces: &[Arrived]) -> Result<bool> {
        let folder = self.uploading(upload)?;
        let content_type = match fs::read_to_string(folder.join("type")) {
            Ok(content_type) => content_type,
            Err(e) if e.kind() == ErrorKind::NotFound => {
                return Ok(self.label(to.bucket(), to.key())?.is_some());
            }
            Err(e) => return Err(Error::internal(e)),
        };
        let (mut out, whole) = self.part(&self.place(to.bucket(), to.key())?)?;
        let (mut digest, mut size) = (seal::Sha256::default(), 0u64);
        for piece in pieces {
            let Ok(mut came) = fs::File::open(folder.join(format!("{}.{}", piece.n, piece.sha256))) else {
                let _ = fs::remove_file(whole);
                return Ok(false);
            };
            let mut chunk = vec![0; 1 << 20];
            loop {
                let read = came.read(&mut chunk).map_err(Error::internal)?;
                if read == 0 {
                    break;
                }
                digest.update(&chunk[..read]);
                out.write_all(&chunk[..read]).map_err(Error::internal)?;
                size += read as u64;
            }
        }
        out.sync_all().map_err(Error::internal)?;
        let label = Label { size, sha256: hex::encode(digest.finish()), content_type, held: false };
        self.keep(to.bucket(), to.key(), &label, &whole)?;
        self.abandoned(upload)?;
        Ok(beside(&self.place(to.bucket(), to.key())?, "json").exists())
    }

    pub fn abandoned(&self, upload: &str) -> Result<()> {
        match fs::remove_dir_all(self.uploading(upload)?) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::internal(e)),
            _ => Ok(()),
        }
    }
}
