//! How the rehearsal is called.

use local::{trouble, trouble::Outcome};
use std::path::{Path, PathBuf};

#[derive(Debug, PartialEq)]
pub struct Options {
    pub root: PathBuf,
    /// `release`: what `cargo xtask package` has made; `dev`: what `cargo build` has.
    pub profile: String,
    /// Another folder of programs, or of packages as `cargo xtask package` leaves them.
    pub binaries: Option<PathBuf>,
    /// The folder with the emulator's log stays.
    pub keep: bool,
}

impl Options {
    pub fn read(root: &Path, words: &[&str]) -> Outcome<Options> {
        let mut options =
            Options { root: root.into(), profile: "release".into(), binaries: None, keep: false };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--keep" => options.keep = true,
                "--profile" => match words.next() {
                    Some(name @ (&"dev" | &"release")) => options.profile = name.to_string(),
                    _ => return Err(trouble!("--profile takes dev or release.")),
                },
                "--binaries" => match words.next() {
                    Some(folder) => options.binaries = Some(folder.into()),
                    None => return Err(trouble!("--binaries takes a folder.")),
                },
                other => {
                    return Err(trouble!("rehearse knows --profile, --binaries and --keep, not {other}."));
                }
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_wrong_ones_named() {
        let read = |words: &[&str]| Options::read(Path::new("/w"), words);
        let usual = read(&[]).unwrap();
        assert_eq!((usual.profile.as_str(), &usual.binaries, usual.keep), ("release", &None, false));
        let other = read(&["--keep", "--profile", "dev", "--binaries", "x"]).unwrap();
        assert_eq!((other.profile.as_str(), other.binaries, other.keep), ("dev", Some("x".into()), true));
        for wrong in [&["--profile", "fast"][..], &["--binaries"], &["--quick"]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
