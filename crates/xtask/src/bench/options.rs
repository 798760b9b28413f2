//! What `cargo xtask bench` is told.

use local::{trouble, trouble::Outcome};
use std::path::PathBuf;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    Counts,
    Floor,
    Starts,
    Times,
}

const PARTS: [(&str, Part); 4] =
    [("counts", Part::Counts), ("floor", Part::Floor), ("starts", Part::Starts), ("times", Part::Times)];

#[derive(Debug)]
pub struct Options {
    /// Minutes instead of an hour.
    pub quick: bool,
    /// Of each function.
    pub starts: usize,
    /// Of the largest tenant; none = as the measuring program thinks right.
    pub patients: Option<usize>,
    pub region: String,
    /// Where a run of the stories has left what they cost; they are run otherwise.
    pub harvest: Option<PathBuf>,
    /// All, if empty.
    only: Vec<Part>,
    /// Of the starts; all, if empty.
    pub functions: Vec<String>,
}

impl Options {
    pub fn read(words: &[&str]) -> Outcome<Options> {
        let mut options = Options {
            quick: false,
            starts: 0,
            patients: None,
            region: "us-east-1".into(),
            harvest: None,
            only: vec![],
            functions: vec![],
        };
        let mut words = words.iter();
        let number = |word: Option<&&str>, name: &str| {
            let number = word.and_then(|w| w.parse().ok()).filter(|n: &usize| *n > 0);
            number.ok_or_else(|| trouble!("{name} takes a number from 1 up."))
        };
        while let Some(word) = words.next() {
            match *word {
                "--quick" => options.quick = true,
                "--starts" => options.starts = number(words.next(), "--starts")?,
                "--patients" => options.patients = Some(number(words.next(), "--patients")?),
                "--region" => options.region = words.next().copied().unwrap_or_default().into(),
                "--harvest" => options.harvest = words.next().map(PathBuf::from),
                "--only" => options.only = parts(words.next().copied().unwrap_or_default())?,
                unknown if unknown.starts_with('-') => {
                    return Err(trouble!("bench does not know {unknown}."));
                }
                function => options.functions.push(function.into()),
            }
        }
        if options.starts == 0 {
            options.starts = if options.quick { 20 } else { 200 };
        }
        Ok(options)
    }

    pub fn has(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}

fn parts(words: &str) -> Outcome<Vec<Part>> {
    let known = || PARTS.map(|(name, _)| name).join(", ");
    let part = |word: &str| PARTS.iter().find(|(name, _)| *name == word).map(|(_, part)| *part);
    words
        .split(',')
        .map(|word| part(word).ok_or_else(|| trouble!("--only takes some of {}.", known())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_measured_and_else_everything() {
        let all = Options::read(&[]).unwrap();
        assert!(all.has(Part::Counts) && all.has(Part::Times) && all.starts == 200);
        let some = Options::read(&["--quick", "--only", "starts,floor", "patients"]).unwrap();
        assert!(some.has(Part::Starts) && some.has(Part::Floor) && !some.has(Part::Times));
        assert_eq!((some.starts, &*some.functions), (20, &["patients".to_string()][..]));
        for wrong in [&["--starts", "0"][..], &["--only", "speed"], &["--fast"]] {
            assert!(Options::read(wrong).is_err(), "{wrong:?}");
        }
    }
}
