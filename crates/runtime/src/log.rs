//! Structured logs: one JSON object a line, which the log group's queries and alarms read.

use tracing_subscriber::{filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

/// `LOG` says what is kept, as in `info` or `warn,store=debug`. By target and level alone: filters by fields would bring
/// a second engine of regular expressions into every function.
pub(crate) fn start() {
    let wanted = std::env::var("LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let filter = wanted.unwrap_or_else(|| Targets::new().with_default(tracing::Level::INFO));
    // Lambda stamps the time itself.
    let lines = tracing_subscriber::fmt::layer().json().without_time().with_target(false);
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
}
