//! The log: everything into a file of the data folder, trouble to the terminal as well.

use crate::{
    folder::Folder,
    trouble::{Outcome, While},
};
use std::{fs::File, sync::Mutex};
use tracing_subscriber::{
    EnvFilter, Layer, filter::LevelFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt,
};

/// `RUST_LOG` chooses what goes into the file (default: our own words from `info`, others' from `warn`).
pub fn into(folder: &Folder) -> Outcome<()> {
    let file = File::create(folder.join("lumina.log")).whilst("open the log")?;
    let chosen = EnvFilter::try_from_default_env();
    let chosen =
        chosen.unwrap_or_else(|_| EnvFilter::new("info,hyper=warn,aws_smithy_runtime=warn,dynoxide=error"));
    let file = fmt::layer().with_ansi(false).with_writer(Mutex::new(file)).with_filter(chosen);
    let terminal = fmt::layer().without_time().with_writer(std::io::stderr).with_filter(LevelFilter::ERROR);
    // A second platform in one process (a test) keeps the first one's log.
    let _ = tracing_subscriber::registry().with(file).with(terminal).try_init();
    Ok(())
}
