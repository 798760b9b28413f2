use local::{
    trouble,
    trouble::{Outcome, While},
};
use std::process::ExitCode;
use xtask::{
    bench, budgets, openapi, operator, package, prove, rehearse, template, tenant, verify, webhooks,
    workspace,
};

const USAGE: &str = "cargo xtask <command>

  openapi [--check]    writes docs/openapi.json from the modules' routes; --check only compares
  template             compares template.yaml and infra/*.yaml with the code
  verify-audit <folder> | --data <folder>
                       verifies exports of the audit trail (source `proof`), or the trail of a local platform's data
                       folder; names the first broken link
  webhooks             prints signed messages for .ci/webhooks to verify
  package [function …] release build of every function, zipped under target/lambda/<function>/
  budgets [--update] [--harvest DIR]
                       runs every module's stories and compares what they cost with functions/<module>/budgets.txt;
                       --update writes these files, --harvest reads what a run with HARVEST=DIR has left
  bench [--quick] [--only counts,floor,starts,times] [--harvest DIR] [--starts N] [--patients N] [--region R]
        [function …]   what the product costs in round trips, units, money and time, against its goals; writes
                       target/bench/figures.json and index.html
  prove [--full] [--seed N] [section …]
                       tries what must hold whatever happens; writes target/prove/
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
        ["budgets"] => budgets::run(&root, None, false),
        ["budgets", "--update"] => budgets::run(&root, None, true),
        ["budgets", "--harvest", folder] => budgets::run(&root, Some(folder.as_ref()), false),
        ["budgets", "--update", "--harvest", folder] => budgets::run(&root, Some(folder.as_ref()), true),
        ["bench", words @ ..] => bench::run(&root, &bench::Options::read(words)?),
        ["prove", words @ ..] => prove::run(&root, &prove::Options::read(words)?),
        ["rehearse", words @ ..] => rehearse::run(&rehearse::Options::read(&root, words)?),
        ["operator", email, given_name, family_name] => operator::appoint(email, given_name, family_name),
        _ => Err(trouble!("{USAGE}")),
    }
}
