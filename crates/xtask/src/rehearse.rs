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
use journey::Scene;
use kernel::Clock;
use local::{
    demo::Visitor,
    emulator::{Emulator, python},
    trouble,
    trouble::{Outcome, While},
};
use lodge::Lodge;
use std::{collections::BTreeSet, fs, path::Path, time::Instant};
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
    sweep(&home);
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

/// Removes what runs that were killed have left; each folder carries its process's number.
fn sweep(home: &Path) {
    for folder in fs::read_dir(home).into_iter().flatten().flatten() {
        let name = folder.file_name().to_string_lossy().into_owned();
        let over =
            name.strip_prefix("run-").is_some_and(|process| !Path::new("/proc").join(process).exists());
        if over {
            let _ = fs::remove_dir_all(folder.path());
        }
    }
}

async fn act(options: &Options, address: &str, python: &Path, folder: &Path) -> Outcome<()> {
    let aws = Aws::at(address)?;
    let steps = Steps { aws: aws.clone(), log: folder.join("ministack.log") };
    let read = async {
        let templates = stack::Templates::read(options, python)?;
        let lines: BTreeSet<String> = templates.changes.iter().map(ToString::to_string).collect();
        lines.iter().for_each(|line| println!("   {line}"));
        let other = templates.changes.iter().filter(|change| !change.is_kept()).count();
        let all = templates.resources;
        Ok((
            templates,
            format!("{all} resources; {other} could not stand as they are (above, and docs/rehearsal.md)"),
        ))
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
    let lodge = Lodge::open(&aws, &stack).await?;
    let door = Visitor::between(&stack.api(&aws)?, &lodge.address)?;
    let scene = Scene { steps: &steps, stack: &stack, door, clock: Clock::default(), folder, python };
    let functions: Vec<&str> = templates.programs.iter().map(String::as_str).collect();
    journey::go(&scene, &functions).await
}
