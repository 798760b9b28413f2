//! An export as it lies in a folder: `table.ndjson`, `files.ndjson` with the bytes under `files/`, `logins.ndjson`, and
//! `manifest.json`, which is written last and names the digest of each: what was interrupted or changed is refused.

use super::accounts::Account;
use kernel::TenantId;
use local::{
    folder, trouble,
    trouble::{Outcome, While},
};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};
use store::Scope;
use web::files::{Bucket, File};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Of this format: 1.
    pub format: u8,
    pub tenant: TenantId,
    pub exported_at: String,
    pub items: usize,
    pub files: usize,
    pub logins: usize,
    /// SHA-256, hex, of each list.
    pub table: String,
    pub file_list: String,
    pub login_list: String,
    /// What an export cannot hold.
    pub without: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Listed {
    bucket: Bucket,
    key: String,
    sha256: String,
    content_type: String,
    /// The storage's own legal hold was set.
    #[serde(default)]
    held: bool,
}

/// A file as it lay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lain {
    pub bytes: Vec<u8>,
    pub content_type: String,
    pub held: bool,
}

const WITHOUT: [&str; 3] = [
    "passwords, second factors and sessions: a user pool gives them to nobody",
    "partners' client secrets and API keys: the gateway's and the pool's",
    "the platform's register of the organisation: it stays where it is",
];

pub struct Bundle {
    folder: PathBuf,
    lines: Vec<String>,
    files: Vec<Listed>,
    accounts: Vec<Account>,
}

impl Bundle {
    /// In a new folder, for the owner's eyes only.
    pub fn create(folder: &Path) -> Outcome<Self> {
        if folder.exists() {
            return Err(trouble!("{} is there already; name a new folder.", folder.display()));
        }
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder.join("files"));
        made.whilst(format_args!("make {}", folder.display()))?;
        Ok(Self { folder: folder.into(), lines: vec![], files: vec![], accounts: vec![] })
    }

    pub(super) fn items(&mut self, lines: Vec<String>) {
        self.lines = lines;
    }
    pub(super) fn account(&mut self, account: &Account) {
        self.accounts.push(account.clone());
    }
    pub(super) fn file(&mut self, file: &File, lain: &Lain) -> Outcome<()> {
        let sha256 = store::chain::hex_digest(&lain.bytes);
        let listed = Listed {
            bucket: file.bucket(),
            key: file.key().into(),
            sha256,
            content_type: lain.content_type.clone(),
            held: lain.held,
        };
        // By its digest: two files of the same bytes lie there once, and no key of a file is a path of ours.
        let path = self.folder.join("files").join(&listed.sha256);
        folder::write(&path, &lain.bytes, true).whilst(format_args!("write {}", path.display()))?;
        self.files.push(listed);
        Ok(())
    }

    pub(super) fn close(&mut self, tenant: TenantId, at: &str) -> Outcome<()> {
        self.accounts.sort_by(|a, b| a.user.cmp(&b.user));
        let (table, files, logins) = (self.lines.join("\n"), lines(&self.files)?, lines(&self.accounts)?);
        for (name, text) in [("table", &table), ("files", &files), ("logins", &logins)] {
            let path = self.folder.join(format!("{name}.ndjson"));
            folder::write(&path, text.as_bytes(), true).whilst(format_args!("write {}", path.display()))?;
        }
        let digest = |text: &String| store::chain::hex_digest(text.as_bytes());
        let manifest = Manifest {
            format: 1,
            tenant,
            exported_at: at.into(),
            items: self.lines.len(),
            files: self.files.len(),
            logins: self.accounts.len(),
            table: digest(&table),
            file_list: digest(&files),
            login_list: digest(&logins),
            without: WITHOUT.map(String::from).to_vec(),
        };
        let text = serde_json::to_string_pretty(&manifest).whilst("write the manifest")?;
        folder::write(&self.folder.join("manifest.json"), text.as_bytes(), true).whilst("write the manifest")
    }

    /// An export that was finished, of this organisation, with nothing changed in it.
    pub fn open(folder: &Path, tenant: TenantId) -> Outcome<Self> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read_to_string(&path).whilst(format_args!("read {}", path.display()))
        };
        let manifest: Manifest = serde_json::from_str(&read("manifest.json")?).whilst("read the manifest")?;
        if manifest.tenant != tenant {
            return Err(trouble!(
                "{} is an export of {}, not of {tenant}.",
                folder.display(),
                manifest.tenant
            ));
        }
        let checked = |name: &str, want: &str| {
            let text = read(name)?;
            if store::chain::hex_digest(text.as_bytes()) != want {
                return Err(trouble!("{name} of {} is not as it was exported.", folder.display()));
            }
            Ok(text)
        };
        let table = checked("table.ndjson", &manifest.table)?;
        let files = parsed(&checked("files.ndjson", &manifest.file_list)?)?;
        let accounts = parsed(&checked("logins.ndjson", &manifest.login_list)?)?;
        Ok(Self { folder: folder.into(), lines: table.lines().map(String::from).collect(), files, accounts })
    }

    pub fn lines(&self) -> &Vec<String> {
        &self.lines
    }
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }
    pub(super) fn has(&self, file: &File) -> bool {
        self.files.iter().any(|f| f.bucket == file.bucket() && f.key == file.key())
    }

    /// Files as they lay; each is compared with its digest.
    pub fn files(&self, tenant: TenantId) -> Outcome<Vec<(File, Lain)>> {
        let one = |listed: &Listed| {
            let path = self.folder.join("files").join(&listed.sha256);
            let bytes = fs::read(&path).whilst(format_args!("read {}", path.display()))?;
            if store::chain::hex_digest(&bytes) != listed.sha256 {
                return Err(trouble!("{} is not as it was exported.", path.display()));
            }
            let root = match listed.bucket {
                Bucket::Documents => File::document(Scope::Tenant(tenant), ""),
                Bucket::Digests => File::digest(Scope::Tenant(tenant), ""),
            };
            let own = format!("{}/", tenant.prefix());
            if !["", "warehouse/", "audit/"]
                .iter()
                .any(|front| listed.key.starts_with(&format!("{front}{own}")))
            {
                return Err(trouble!("The file {} is not this organisation's.", listed.key));
            }
            let (content_type, held) = (listed.content_type.clone(), listed.held);
            Ok((root.at(listed.key.clone()), Lain { bytes, content_type, held }))
        };
        self.files.iter().map(one).collect()
    }
}

fn lines<T: Serialize>(all: &[T]) -> Outcome<String> {
    let lines: Result<Vec<String>, _> = all.iter().map(serde_json::to_string).collect();
    Ok(lines.whilst("write a list")?.join("\n"))
}

fn parsed<T: serde::de::DeserializeOwned>(text: &str) -> Outcome<Vec<T>> {
    text.lines().map(|line| serde_json::from_str(line).whilst("read a list")).collect()
}
