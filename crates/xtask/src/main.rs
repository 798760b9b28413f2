use local::{
    trouble,
    trouble::{Outcome, While},
};
use std::process::ExitCode;
use xtask::{bench, openapi, operator, package, rehearse, template, tenant, verify, webhooks, workspace};

const USAGE: &str = "cargo xtask <command>

  openapi [--check]    writes docs/openapi.json from the modules' routes; --check only compares
  template             compares template.yaml and infra/*.yaml with the code
  verify-audit <folder> | --data <folder>
                       verifies exports of the audit trail (source `proof`), or the trail of a local platform's data
                       folder; names the first broken link
  webhooks             prints signed messages for .ci/webhooks to verify
  package [function …] release build of every function, zipped under target/lambda/<function>/
  bench [--starts N] [function …]
                       start, memory and size of the packaged functions; writes target/bench.json
  rehearse [--profile dev|release] [--binaries DIR] [--keep]
                       deploys the templates into an emulated AWS and uses the product there (docs/rehearsal.md)
  tenant export|erase|restore <ten_…> [--data DIR] <folder>
                       one organisation whole, byte for byte (docs/restore.md): on a local platform's data folder while
                       nothing runs on it, or on a deployed stack with the functions' environment
  operator <email> <given name> <family name>
                       the first operator of a deployed stack (docs/deploy.md)";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("{trouble}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Outcome<()> {
    let root = workspace::root();
    match words {
        ["openapi"] => openapi::write(&root),
        ["openapi", "--check"] => openapi::check(&root),
        ["template"] => template::check(&root),
        ["verify-audit", "--data", folder] => verify::data(&root, folder.as_ref()),
        ["verify-audit", folder] => verify::exports(folder.as_ref()),
        ["tenant", verb, tenant, "--data", data, folder] => {
            tenant::local(&root, data.as_ref(), verb, tenant, folder.as_ref())
        }
        ["tenant", verb, tenant, folder] => tenant::stack(verb, tenant, folder.as_ref()),
        ["webhooks"] => {
            println!("{}", webhooks::samples().whilst("sign messages")?);
            Ok(())
        }
        ["package", functions @ ..] => package::all(&root, functions),
        ["bench", "--starts", starts, functions @ ..] => {
            let starts = starts.parse().ok().filter(|n| *n > 0);
            bench::all(
                &root,
                starts.ok_or_else(|| trouble!("--starts takes a number from 1 up."))?,
                functions,
            )
        }
        ["rehearse", words @ ..] => rehearse::run(&rehearse::Options::read(&root, words)?),
        ["operator", email, given_name, family_name] => operator::appoint(email, given_name, family_name),
        ["bench", functions @ ..] => bench::all(&root, bench::STARTS, functions),
        _ => Err(trouble!("{USAGE}")),
    }
}
