//! Structured logs: one JSON object a line, which the log group's queries and alarms read.

use tracing_subscriber::EnvFilter;

pub(crate) fn start() {
    let filter = EnvFilter::try_from_env("LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    // Lambda stamps the time itself.
    let _ =
        tracing_subscriber::fmt().json().with_env_filter(filter).without_time().with_target(false).try_init();
}
