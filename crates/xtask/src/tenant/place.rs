//! The places: a local platform's data folder while nothing runs on it, and a deployed stack.

use super::{Cognito, Done, Place, erase, export, items, named, restore};
use crate::verify;
use aws_sdk_cognitoidentityprovider::Client;
use kernel::Clock;
use local::{
    emulator::{Emulator, python},
    files::Shelf,
    folder::Folder,
    functions::place,
    queue::Queues,
    sources::READER,
    table::Table,
    template::Template,
    trouble,
    trouble::{Outcome, While},
};
use seal::LocalMaster;
use serde_json::{Value, json};
use std::{path::Path, sync::Arc};
use store::sdk;

/// `export`, `erase` or `restore`.
async fn does(place: &Place, verb: &str, tenant: &str, folder: &Path) -> Outcome<Done> {
    let tenant = named(tenant)?;
    match verb {
        "export" => export(place, tenant, folder, &items::now()).await,
        "erase" => erase(place, tenant, folder).await,
        "restore" => restore(place, tenant, folder).await,
        other => Err(trouble!("There is no `tenant {other}`: export, erase, restore.")),
    }
}

fn tell(verb: &str, tenant: &str, done: &Done) {
    let Done { items, files, logins, locked, strangers } = done;
    println!(
        "{verb} {tenant}: {items} items, {files} files, {logins} logins; {locked} digests under Object Lock"
    );
    if verb == "restore" && *logins > 0 {
        println!("  logins have neither password nor second factor now: see docs/restore.md");
    }
    if !strangers.is_empty() {
        println!(
            "  these need a new invitation, since the pool gave them another identity: {}",
            strangers.join(", ")
        );
    }
}

/// On a data folder. What is written does not pass the functions again as if it were new.
pub fn local(root: &Path, data: &Path, verb: &str, tenant: &str, folder: &Path) -> Outcome<()> {
    let runtime = tokio::runtime::Runtime::new().whilst("start")?;
    let done = runtime.block_on(async {
        if !data.join("table.db").exists() {
            return Err(trouble!("{} holds no table.db.", data.display()));
        }
        let data = Folder::open(data, false)?;
        let template = Template::load(&root.join("template.yaml"))?;
        let clock = Clock::default();
        let master = std::fs::read(data.join("master.key")).whilst("read master.key")?;
        let master: [u8; 32] =
            master.try_into().map_err(|_| trouble!("master.key is not a key of 32 bytes."))?;
        let table = Table::open(&data.join("table.db"), &template.table).await?;
        let queues = Queues::open(&data.join("queues.db"), &template.queues, &template.rules, clock.clone())?;
        let python = python::ready(&root.join(".local/venv"), &|line| println!("{line}")).await?;
        let emulator = Emulator::start(&python, &data.join("ministack")).await?;
        let pools = emulator.caller().cognito("ListUserPools", &json!({"MaxResults": 60})).await;
        let pools = pools.whilst("find the user pool")?;
        let pool = pools["UserPools"][0]["Id"].as_str().unwrap_or_default().to_string();
        #[expect(clippy::disallowed_methods, reason = "the tool's own: no function ever scans")]
        let sdk = sdk::Client::new(&place(&format!("http://{}", table.address)));
        let here = Place {
            sdk,
            table: table.name().into(),
            files: Arc::new(Shelf::new(data.join("files"), "", &master, clock)),
            keys: Arc::new(LocalMaster::new(master)),
            accounts: Arc::new(Cognito { client: Client::new(&place(&emulator.address)), pool, heals: true }),
        };
        let own = format!("{}#", named(tenant)?.prefix());
        // What it did must be handed on before it is taken out, or its consumers never hear of it. Where its key is
        // missing nobody works: what waits there is an interrupted run's of this tool.
        let lives = table.has_key_beginning(&format!("{own}key#")).await?;
        if lives && (waits(&table, queues.place(READER)?, &own).await? || queues.speak_of(&own)?) {
            return Err(trouble!(
                "Something of {tenant} waits to be handed on; start the platform, stop it with Ctrl-C (it hands \
                 everything on before it ends), and repeat."
            ));
        }
        let done = does(&here, verb, tenant, folder).await;
        // What is removed or put back happened long ago: nobody is told again, and nothing of it stays behind.
        if verb != "export" {
            table.forget(&own).await?;
        }
        emulator.stop().await;
        table.close().await;
        done
    })?;
    tell(verb, tenant, &done);
    if verb == "restore" {
        verify::data(root, data)?;
    }
    Ok(())
}

/// Whether a change of this part of the table stands in the stream behind this place; entries of reads and what is
/// only removed go nowhere.
async fn waits(table: &Table, mut place: i64, own: &str) -> Outcome<bool> {
    loop {
        let records = table.records(place, 1000).await?;
        let Some(last) = records.last() else { return Ok(false) };
        place = last.place;
        let is_change = |record: &Value| {
            let key = record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap_or_default();
            record["eventName"] == "INSERT" && key.starts_with(own) && key.contains("#chg#")
        };
        if records.iter().any(|r| is_change(&r.record)) {
            return Ok(true);
        }
    }
}

/// On a deployed stack, with the environment that the functions have and the caller's own rights. Not run on AWS.
pub fn stack(verb: &str, tenant: &str, folder: &Path) -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.whilst("start")?.block_on(async {
        let read =
            |name: &str| if name == "ISOLATE" { Some("false".into()) } else { std::env::var(name).ok() };
        let config = runtime::Config::read(read).whilst("read the stack's environment")?;
        let aws = runtime::Aws::load(config).whilst("read the roots of trust")?;
        let own = aws.sdk.clone();
        #[expect(clippy::disallowed_methods, reason = "the tool's own: no function ever scans")]
        let sdk = sdk::Client::new(&aws.sdk);
        let here = Place {
            sdk,
            table: aws.config.table.clone(),
            files: Arc::new(runtime::S3::new(&aws.config, move |_| own.clone(), Clock::default())),
            keys: Arc::new(runtime::Kms::new(aws.config.key_id.clone(), {
                let own = aws.sdk.clone();
                move |_| own.clone()
            })),
            accounts: Arc::new(Cognito {
                client: Client::new(&aws.sdk),
                pool: aws.config.user_pool.clone(),
                heals: false,
            }),
        };
        does(&here, verb, tenant, folder).await
    })?;
    tell(verb, tenant, &done);
    Ok(())
}
