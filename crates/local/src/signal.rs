//! Ctrl-C, and what a supervisor sends.

use tokio::signal::unix::{SignalKind, signal};

/// Resolves when this process is asked to stop.
pub async fn stop() {
    let asked = async |kind| match signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = asked(SignalKind::interrupt()) => {}
        () = asked(SignalKind::terminate()) => {}
        () = asked(SignalKind::hangup()) => {}
    }
}
