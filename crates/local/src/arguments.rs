//! The command line.

use crate::{
    trouble,
    trouble::{Outcome, While},
};
use std::path::{Path, PathBuf};

pub const HELP: &str = "\
Starts the whole product on this machine: http://127.0.0.1:3000/v1

  cargo run -- [--fresh] [--port PORT] [--data DIR] [--loopback-webhooks]
  cargo run -q -- --token SLUG/WHO [--data DIR]

  --fresh      start clean: forget all data of this folder first
  --port PORT  where the API answers (default 3000)
  --data DIR   where table, queues, accounts and demo.json are kept (default .local/)
  --loopback-webhooks
               webhooks may also go to this machine: http://127.0.0.1 on any port (never when deployed)
  --token WHO  while the platform runs: prints an access token of somebody in demo.json, named by role or
               login name: grace/receptionist, platform/operator
";

#[derive(Debug, PartialEq)]
pub struct Arguments {
    pub fresh: bool,
    pub port: u16,
    pub data: Option<PathBuf>,
    /// Webhooks may also go to this machine.
    pub loopback_webhooks: bool,
    /// Only print somebody's access token.
    pub token: Option<String>,
}

impl Arguments {
    /// `None`: help was asked for.
    pub fn parse(words: impl IntoIterator<Item = String>) -> Outcome<Option<Arguments>> {
        let mut arguments =
            Arguments { fresh: false, port: 3000, data: None, loopback_webhooks: false, token: None };
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let (name, inline) = match word.split_once('=') {
                Some((name, value)) => (name.to_string(), Some(value.to_string())),
                None => (word, None),
            };
            let mut value = || inline.clone().or_else(|| words.next()).filter(|value| !value.is_empty());
            match name.as_str() {
                "--fresh" => arguments.fresh = true,
                "--loopback-webhooks" => arguments.loopback_webhooks = true,
                "--port" => {
                    let given = value().and_then(|value| value.parse().ok()).filter(|port| *port > 0);
                    arguments.port =
                        given.ok_or_else(|| trouble!("--port needs a number from 1 to 65535."))?;
                }
                "--data" => {
                    let given = value().ok_or_else(|| trouble!("--data needs a folder."))?;
                    arguments.data = Some(given.into());
                }
                "--token" => {
                    let given = value().filter(|who| who.contains('/'));
                    let wrong = || trouble!("--token needs a login, such as grace/receptionist.");
                    arguments.token = Some(given.ok_or_else(wrong)?);
                }
                "--help" | "-h" => return Ok(None),
                other => return Err(trouble!("There is no option {other}; --help lists them.")),
            }
        }
        Ok(Some(arguments))
    }
}

impl Arguments {
    /// Where everything is kept.
    pub fn folder(&self) -> Outcome<PathBuf> {
        match &self.data {
            Some(folder) => Ok(folder.clone()),
            None => Ok(workspace()?.join(".local")),
        }
    }
}

/// The folder of the workspace: the nearest one upwards with a `template.yaml`, or where this was built.
pub fn workspace() -> Outcome<PathBuf> {
    let here = std::env::current_dir().whilst("find the current folder")?;
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let upwards = here.ancestors().map(Path::to_path_buf).chain([built]);
    let mut found = upwards.filter(|folder| folder.join("template.yaml").is_file());
    found.next().ok_or_else(|| trouble!("No template.yaml here or above; run this inside the repository."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Outcome<Option<Arguments>> {
        Arguments::parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn options_are_read_in_both_spellings() {
        let want = Arguments {
            fresh: true,
            port: 4000,
            data: Some("x".into()),
            loopback_webhooks: true,
            token: None,
        };
        assert_eq!(parse("--fresh --port 4000 --loopback-webhooks --data=x").unwrap(), Some(want));
        assert_eq!(parse("--help").unwrap(), None);
        assert_eq!(parse("").unwrap().unwrap().port, 3000);
    }

    #[test]
    fn what_is_wrong_is_said_in_one_sentence() {
        for (line, word) in [
            ("--port", "--port"),
            ("--port 99999", "65535"),
            ("--data", "folder"),
            ("--token grace", "grace/receptionist"),
            ("--quick", "--quick"),
        ] {
            assert!(parse(line).unwrap_err().0.contains(word), "{line}");
        }
    }
}
