//! A key service that refuses on demand.

use seal::{KeyService, LocalMaster, Unwrapping};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

pub(crate) struct Keys {
    master: LocalMaster,
    refuse: AtomicU64,
}

impl Default for Keys {
    fn default() -> Self {
        Self { master: LocalMaster::new([7; 32]), refuse: AtomicU64::new(0) }
    }
}

impl Keys {
    /// The next keys are not made.
    pub fn refuse(&self, times: u64) {
        self.refuse.store(times, SeqCst);
    }
}

impl KeyService for Keys {
    fn generate<'a>(&'a self, tenant: &'a str, label: &'a str) -> Unwrapping<'a, Vec<u8>> {
        if self.refuse.fetch_update(SeqCst, SeqCst, |n| n.checked_sub(1)).is_ok() {
            return Box::pin(async { Err(kernel::Error::internal("the key service does not answer")) });
        }
        self.master.generate(tenant, label)
    }
    fn unwrap<'a>(&'a self, tenant: &'a str, label: &'a str, wrapped: &'a [u8]) -> Unwrapping<'a, [u8; 32]> {
        self.master.unwrap(tenant, label, wrapped)
    }
}
