//! The deployment, rehearsed: the templates are deployed into an emulated AWS in which the built functions run as
//! processes of their own, and people use the API that comes of it. What that proves and what it cannot:
//! `docs/rehearsal.md`.

mod adapt;
mod aws;
mod code;
mod journey;
mod lodge;
mod options;
mod stack;
mod steps;

pub use options::Options;

use aws::{Aws, KEY};
use local::{
    emulator::{Emulator, python},
    trouble,
    trouble::{Outcome, While},
};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};
use steps::Steps;

/// Beside the emulator: what transforms SAM's templates, and the AWS client that it wants.
const PACKAGES: [&str; 2] = ["aws-sam-translator==1.115.0", "boto3==1.43.106"];

pub fn run(options: &Options) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.whilst("start")?.block_on(rehearse(options))
}

async fn rehearse(options: &Options) -> Outcome<()> {
    let begun = Instant::now();
    let home = options.root.join(".local/rehearsal");
    let python = python::ready_with(&home.join("venv"), &PACKAGES, &|line| println!("{line}")).await?;
    let folder = home.join(format!("run-{}", std::process::id()));
    let temporary = folder.join("tmp").to_string_lossy().into_owned();
    // The account's owner has these keys; policies are judged for everybody else.
    let environment = [
        ("AUTH", "true"),
        ("TMPDIR", temporary.as_str()),
        ("AWS_ACCESS_KEY_ID", KEY),
        ("AWS_SECRET_ACCESS_KEY", KEY),
    ];
    let around = include_str!("rehearse/emulator.py");
    let emulator = Emulator::start_with(&python, &folder, around, &environment).await?;
    let done = tokio::select! {
        done = act(options, &emulator.address, &python, &folder) => done,
        _ = tokio::signal::ctrl_c() => Err(trouble!("The rehearsal was stopped.")),
    };
    emulator.stop().await;
    if options.keep {
        println!("Kept: {}", folder.display());
    } else {
        fs::remove_dir_all(&folder).whilst(format_args!("remove {}", folder.display()))?;
    }
    done?;
    println!("The deployment is rehearsed ({:.0} s).", begun.elapsed().as_secs_f64());
    Ok(())
}

async fn act(options: &Options, address: &str, python: &Path, folder: &Path) -> Outcome<()> {
    let aws = Aws::at(address)?;
    let steps = Steps { aws: aws.clone(), log: log(folder) };
    let read = async {
        let templates = stack::Templates::read(options, python)?;
        templates.changes.iter().for_each(|change| println!("   {change}"));
        let said = format!(
            "{} resources, {} of them not as in AWS (above, and docs/rehearsal.md)",
            templates.resources,
            templates.changes.len()
        );
        Ok((templates, said))
    };
    let templates = steps.take("templates", &[], read).await?;
    let upload = async {
        stack::prepare(&aws).await?;
        code::upload(&aws, options, python, folder, &templates.programs).await?;
        Ok(((), templates.programs.join(", ")))
    };
    steps.take("programs", &[], upload).await?;
    let deploy = async {
        let stack = stack::deploy(&aws, &templates).await?;
        let url = stack.output("Url")?.to_string();
        Ok((stack, url))
    };
    let stack = steps.take("stack", &[], deploy).await?;
    journey::go(&steps, &stack).await
}

fn log(folder: &Path) -> PathBuf {
    folder.join("ministack.log")
}
