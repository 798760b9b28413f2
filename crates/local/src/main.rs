//! `cargo run`

use local::{
    accounts,
    arguments::{Arguments, HELP},
    demo::{self, Demo, Visitor, login::now},
    platform::{self, Platform},
    trouble,
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
    if let Some(who) = &arguments.token {
        return token(&arguments, who).await;
    }
    let mut platform = tokio::select! {
        started = platform::start(&arguments, &say) => started?,
        () = local::signal::stop() => return Ok(()),
    };
    let outcome = tokio::select! {
        outcome = serve(&mut platform) => outcome,
        () = local::signal::stop() => Ok(()),
    };
    println!("\nstopping");
    platform.stop().await;
    outcome
}

fn say(line: &str) {
    println!("  · {line}");
}

/// Announces everything, and waits until the emulator ends, which it should not.
async fn serve(platform: &mut Platform) -> Outcome<()> {
    let mut demo = demo::ready(platform, &say).await?;
    let restored = accounts::restore(platform, demo.as_mut()).await?;
    if let Some(told) = restored.told() {
        println!("{told}");
        if let Some(demo) = &demo {
            demo.write(&platform.folder)?;
        }
    }
    println!("API      {0}/v1   (health: {0}/v1/health)", platform.address);
    println!("Docs     {}/docs", platform.address);
    println!("Sign in  {}/local/login", platform.address);
    println!("Mail     {}/local/mail", platform.address);
    println!("Data     {}", platform.folder.path().display());
    match &demo {
        Some(demo) => println!("\n{}", demo::told(demo)),
        None => println!("\nThis folder has data but no demo.json, so its logins are not known here."),
    }
    println!("\nCtrl-C stops everything.");
    platform.emulator.ended().await;
    let log = platform.folder.join("ministack/ministack.log");
    Err(trouble!("The emulator has ended by itself (see {}); start again.", log.display()))
}

/// Signs somebody of `demo.json` in at the running platform and prints the access token.
async fn token(arguments: &Arguments, who: &str) -> Outcome<()> {
    let folder = arguments.folder()?;
    let demo = Demo::read(&folder)?
        .ok_or_else(|| trouble!("There is no demo.json in {}; start the platform first.", folder.display()))?;
    let login = demo.who(who).ok_or_else(|| trouble!("demo.json knows no {who}."))?;
    let door = Visitor::at(demo.api.trim_end_matches("/v1"))?;
    let person = door.sign_in(login, now(&kernel::Clock::default())).await?;
    println!("{}", person.token());
    Ok(())
}
