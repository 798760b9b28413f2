//! `prove [--full] [--seed N] [section …]`

use super::{Form, SECTIONS};
use local::{trouble, trouble::Outcome};

pub struct Options {
    pub form: Form,
    pub seed: u64,
    /// Sections by name; none = all.
    pub only: Vec<String>,
}

/// Unless told otherwise: CI tries the same every time, and says which.
const SEED: u64 = 1;

impl Options {
    pub fn read(words: &[&str]) -> Outcome<Self> {
        let mut options = Self { form: Form::Quick, seed: SEED, only: vec![] };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--full" => options.form = Form::Full,
                "--seed" => {
                    let seed = words.next().and_then(|n| n.parse().ok());
                    options.seed = seed.ok_or_else(|| trouble!("--seed takes a number."))?;
                }
                name if SECTIONS.iter().any(|s| s.name == name) => options.only.push(name.into()),
                other => {
                    let names: Vec<_> = SECTIONS.iter().map(|s| s.name).collect();
                    return Err(trouble!("prove knows no {other}; sections are {}.", names.join(", ")));
                }
            }
        }
        Ok(options)
    }

    pub fn wants(&self, section: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == section)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_form_of_everything_is_what_nobody_has_to_ask_for() {
        let options = Options::read(&[]).unwrap();
        assert_eq!((options.form, options.seed), (Form::Quick, SEED));
        assert!(options.wants("anything"));
        let options = Options::read(&["--full", "--seed", "9"]).unwrap();
        assert_eq!((options.form, options.seed), (Form::Full, 9));
    }

    #[test]
    fn a_word_that_is_no_section_is_refused() {
        assert!(Options::read(&["nonsense"]).is_err());
        assert!(Options::read(&["--seed", "x"]).is_err());
    }
}
