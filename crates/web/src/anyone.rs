//! A request without a token, at a route that is public.

use crate::App;
use jiff::Timestamp;
use kernel::{Error, Result};
use std::time::Instant;
use store::{Caller, Scope, Store};

/// Whoever it is.
#[derive(Clone)]
pub struct Anyone {
    app: App,
    caller: Caller,
    deadline: Instant,
}

impl Anyone {
    pub(crate) fn new(app: App, caller: Caller, deadline: Instant) -> Self {
        Self { app, caller, deadline }
    }
    pub fn app(&self) -> &App {
        &self.app
    }
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
    /// The caller's address; empty if unknown.
    pub fn ip(&self) -> &str {
        &self.caller.ip
    }
    pub fn now(&self) -> Timestamp {
        self.app.clock().now()
    }
    /// The platform's part of the table, for what belongs to nobody yet.
    pub async fn platform(&self) -> Result<Store> {
        self.open(Scope::Platform, "public").await
    }
    /// A tenant's part, once a slug, a host or a personal link has named it; `by` is the link, which stands
    /// in the change records.
    pub async fn open(&self, scope: Scope, by: &str) -> Result<Store> {
        let caller = Caller { by: by.into(), ..self.caller.clone() };
        Ok(self.app.vault().open(scope, caller).await?.until(self.deadline))
    }
    /// 429 beyond `most` requests of one kind per hour from one address.
    pub async fn hourly(&self, what: &str, most: u64) -> Result<()> {
        let now = self.now();
        let hour = now.strftime("%Y-%m-%dT%H").to_string();
        let platform = self.platform().await?;
        // An address is somebody's: it lies there as a blind index.
        let from = platform.blind("rate", &network(self.ip()));
        let key = store::Key::item("rate", format!("{what}~{from}"), &hour);
        let ttl = now + jiff::SignedDuration::from_hours(2);
        if platform.count(&key, ttl).await? > most {
            let detail = format!("more than {most} requests an hour came from your address; try again later");
            return Err(Error::too_many("rate-limited", detail, 3600));
        }
        Ok(())
    }
}

/// Whom a limit per address counts: of IPv6 the network of 64 bits, which one subscriber has whole.
fn network(ip: &str) -> String {
    match ip.parse::<std::net::Ipv6Addr>() {
        Ok(v6) => v6.segments()[..4].iter().map(|s| format!("{s:x}:")).collect(),
        Err(_) => ip.into(),
    }
}
