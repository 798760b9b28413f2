//! `cargo run`

use local::{
    arguments::{Arguments, HELP},
    platform,
    trouble::Outcome,
};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("{trouble}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Outcome<()> {
    let Some(arguments) = Arguments::parse(std::env::args().skip(1))? else {
        print!("{HELP}");
        return Ok(());
    };
    let platform = tokio::select! {
        started = platform::start(&arguments, &|line| println!("  · {line}")) => started?,
        () = local::signal::stop() => return Ok(()),
    };
    println!("API      {}/v1   (health: {}/v1/health)", platform.address, platform.address);
    println!("Docs     {}/docs", platform.address);
    println!("Sign in  {}/local/login", platform.address);
    println!("Mail     {}/local/mail", platform.address);
    println!("Data     {}", platform.folder.path().display());
    println!("Ctrl-C stops everything.");
    let mut platform = platform;
    let outcome = tokio::select! {
        () = local::signal::stop() => Ok(()),
        () = platform.emulator.ended() => {
            let log = platform.folder.join("ministack/ministack.log");
            Err(local::trouble!("The emulator has ended by itself (see {}); start again.", log.display()))
        }
    };
    println!("\nstopping");
    platform.stop().await;
    outcome
}
