//! `cargo run`

use local::{
    accounts,
    arguments::{Arguments, HELP},
    demo::{self, Demo, Visitor, login::now},
    platform::{self, Platform},
    trouble,
    trouble::Outcome,
};
use std::{io::Write, process::ExitCode};

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
        // On the heap: what starts a whole platform is deep.
        started = Box::pin(platform::start(&arguments, &say)) => started?,
        () = local::signal::stop() => return Ok(()),
    };
    let outcome = tokio::select! {
        outcome = Box::pin(serve(&mut platform)) => outcome,
        () = local::signal::stop() => Ok(()),
    };
    tell("\nstopping");
    platform.stop().await;
    outcome
}

fn say(line: &str) {
    tell(&format!("  · {line}"));
}

/// Whoever read this may have gone: that is no reason to stop without saving.
fn tell(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Announces everything, and waits until the emulator ends, which it should not.
async fn serve(platform: &mut Platform) -> Outcome<()> {
    let mut demo = Box::pin(demo::ready(platform, &say)).await?;
    let restored = accounts::restore(platform, demo.as_mut()).await?;
    if let Some(told) = restored.told() {
        tell(&told);
        if let Some(demo) = &demo {
            demo.write(&platform.folder)?;
        }
    }
    let (base, folder) = (&platform.address, platform.folder.path());
    tell(&format!("API      {base}/v1   (health: {base}/v1/health)"));
    tell(&format!("Docs     {base}/docs"));
    tell(&format!("Sign in  {base}/local/login"));
    tell(&format!("Mail     {base}/local/mail"));
    tell(&format!("Data     {}", folder.display()));
    tell(&match &demo {
        Some(demo) => format!("\n{}", demo::told(demo, folder)),
        None => "\nThis folder has data but no demo.json, so its logins are not known here.".into(),
    });
    tell("\nCtrl-C stops everything.");
    platform.emulator.ended().await;
    let log = platform.folder.join("ministack/ministack.log");
    Err(trouble!("The emulator has ended by itself (see {}); start again.", log.display()))
}

/// Signs somebody of `demo.json` in at the running platform and prints the access token.
async fn token(arguments: &Arguments, who: &str) -> Outcome<()> {
    let folder = arguments.folder()?;
    let demo = Demo::read(&folder)?.ok_or_else(|| {
        trouble!("There is no demo.json in {}; start the platform first.", folder.display())
    })?;
    let login = demo.who(who).ok_or_else(|| trouble!("demo.json knows no {who}."))?;
    let door = Visitor::at(demo.api.trim_end_matches("/v1"))?;
    let person = door.sign_in(login, now(&kernel::Clock::default())).await?;
    println!("{}", person.token());
    Ok(())
}
