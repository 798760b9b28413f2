//! What every request of one environment shares.

use crate::{access::Post, claims::Seen, cors::Origins, gate::Gates, mail::Mail, pace::Pace};
use kernel::Clock;
use std::sync::Arc;
use store::Vault;

/// Cheap to clone; one per process.
#[derive(Clone)]
pub struct App(Arc<Shared>);

pub(crate) struct Shared {
    pub vault: Vault,
    pub post: Arc<dyn Post>,
    pub mail: Arc<dyn Mail>,
    pub gates: Gates,
    pub seen: Seen,
    pub origins: Origins,
    pub pace: Pace,
    pub place: Place,
}

/// Where this deployment is: the same for every request.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// `local`, `dev`, `prod`.
    pub stage: String,
    /// `af-south-1` or `eu-west-1`.
    pub region: String,
    /// Where every tenant's data is replicated to, if anywhere.
    pub backup_region: Option<String>,
    /// Base of hosted pages and personal links, without a slash at its end.
    pub public_url: String,
}

impl App {
    pub fn new(vault: Vault, post: Arc<dyn Post>, mail: Arc<dyn Mail>, place: Place) -> Self {
        let (gates, seen, origins, pace) =
            (Gates::default(), Seen::default(), Origins::default(), Pace::default());
        Self(Arc::new(Shared { vault, post, mail, gates, seen, origins, pace, place }))
    }
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }
    pub fn clock(&self) -> &Clock {
        self.0.vault.clock()
    }
    pub fn post(&self) -> &dyn Post {
        &*self.0.post
    }
    pub fn gates(&self) -> &Gates {
        &self.0.gates
    }
    /// Fairness between people and between organisations.
    pub fn pace(&self) -> &Pace {
        &self.0.pace
    }
    pub(crate) fn origins(&self) -> &Origins {
        &self.0.origins
    }
    pub(crate) fn seen(&self) -> &Seen {
        &self.0.seen
    }
    pub fn mail(&self) -> &dyn Mail {
        &*self.0.mail
    }
    pub fn place(&self) -> &Place {
        &self.0.place
    }
}
