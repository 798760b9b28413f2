//! The data folder: what lies in it, who holds it, and starting it clean.

use crate::{
    demo::UNFINISHED,
    trouble,
    trouble::{Outcome, While},
};
use std::{
    fs::File,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// Everything the platform keeps. One process holds it at a time.
pub struct Folder {
    path: PathBuf,
    _held: File,
}

/// What `--fresh` forgets; nothing else in the folder is ours to delete.
const OURS: [&str; 13] = [
    "table.db",
    "table.db-wal",
    "table.db-shm",
    "queues.db",
    "queues.db-wal",
    "queues.db-shm",
    "ministack",
    "files",
    "demo.json",
    UNFINISHED,
    "master.key",
    crate::signing::FILE,
    "keys.json",
];

impl Folder {
    pub fn open(path: &Path, fresh: bool) -> Outcome<Folder> {
        // For the owner's eyes only: logins lie in it.
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.whilst(format_args!("make {}", path.display()))?;
        let held =
            File::create(path.join("running")).whilst(format_args!("write into {}", path.display()))?;
        // The last run may have been killed a moment ago.
        let free = (0..50).any(|n| {
            std::thread::sleep(std::time::Duration::from_millis(if n == 0 { 0 } else { 100 }));
            held.try_lock().is_ok()
        });
        if !free {
            return Err(trouble!("Another local platform is running on {}.", path.display()));
        }
        // Nobody was told of a demo that was not finished: nothing of anybody's lies there.
        if fresh || path.join(UNFINISHED).exists() {
            for name in OURS {
                let ours = path.join(name);
                let gone =
                    if ours.is_dir() { std::fs::remove_dir_all(&ours) } else { std::fs::remove_file(&ours) };
                match gone {
                    Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                        return Err(trouble!("Could not forget {}: {cause}", ours.display()));
                    }
                    _ => {}
                }
            }
        }
        let path = path.canonicalize().whilst(format_args!("find {}", path.display()))?;
        Ok(Folder { path, _held: held })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file whole or not at all; `private`: for the owner's eyes only.
    pub fn write(&self, name: &str, content: &[u8], private: bool) -> Outcome<()> {
        let path = self.join(name);
        write(&path, content, private).whilst(format_args!("write {}", path.display()))
    }
}

/// The same for whoever knows the file and not the folder.
pub fn write(path: &Path, content: &[u8], private: bool) -> std::io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let _ = std::fs::remove_file(&part);
    let mode = if private { 0o600 } else { 0o644 };
    let mut file = File::options().write(true).create_new(true).mode(mode).open(&part)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&part, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::tests::folder;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn fresh_forgets_what_is_ours_and_nothing_else() {
        let path = folder();
        std::fs::write(path.join("notes.txt"), "mine").unwrap();
        std::fs::write(path.join("table.db"), "old").unwrap();
        std::fs::create_dir(path.join("ministack")).unwrap();
        drop(Folder::open(&path, false).unwrap());
        assert!(path.join("table.db").exists());
        drop(Folder::open(&path, true).unwrap());
        assert!(!path.join("table.db").exists() && !path.join("ministack").exists());
        assert!(path.join("notes.txt").exists());
    }

    #[test]
    fn a_demo_that_was_not_finished_is_begun_anew() {
        let path = folder();
        std::fs::write(path.join("table.db"), "half").unwrap();
        drop(Folder::open(&path, false).unwrap());
        assert!(path.join("table.db").exists());
        std::fs::write(path.join(UNFINISHED), "").unwrap();
        drop(Folder::open(&path, false).unwrap());
        assert!(!path.join("table.db").exists() && !path.join(UNFINISHED).exists());
    }

    #[test]
    fn a_secret_is_for_its_owner_only() {
        let folder = Folder::open(&folder(), false).unwrap();
        folder.write("master.key", b"secret", true).unwrap();
        let mode = std::fs::metadata(folder.join("master.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn two_platforms_do_not_share_a_folder() {
        let path = folder();
        let _one = Folder::open(&path, false).unwrap();
        assert!(Folder::open(&path, false).err().unwrap().0.contains("Another"));
    }
}
