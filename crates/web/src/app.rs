//! What every request of one environment shares.

use crate::{
    access::Post,
    approval::Policies,
    claims::Seen,
    cors::Origins,
    files::{Files, Nowhere, Signer},
    gate::Gates,
    mail::Mail,
    pace::Pace,
};
use kernel::Clock;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};
use store::Vault;

/// Cheap to clone; one per process.
#[derive(Clone)]
pub struct App(Arc<Shared>);

pub(crate) struct Shared {
    pub vault: Vault,
    pub ports: Ports,
    pub gates: Gates,
    pub seen: Seen,
    pub origins: Origins,
    pub policies: Policies,
    pub pace: Pace,
    pub place: Place,
    pub life: AtomicU64,
}

/// What lies outside, behind one trait each: AWS in the cloud, this machine locally, memory in tests.
#[derive(Clone)]
pub struct Ports {
    pub post: Arc<dyn Post>,
    pub mail: Arc<dyn Mail>,
    pub files: Arc<dyn Files>,
    pub signer: Arc<dyn Signer>,
}

impl Ports {
    /// Post and mail, which every module needs; files and a signing key are added where there are some.
    pub fn new(post: Arc<dyn Post>, mail: Arc<dyn Mail>) -> Self {
        Self { post, mail, files: Arc::new(Nowhere), signer: Arc::new(Nowhere) }
    }
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
    pub fn new(vault: Vault, ports: Ports, place: Place) -> Self {
        let (gates, seen, origins, pace, policies) =
            (Gates::default(), Seen::default(), Origins::default(), Pace::default(), Policies::default());
        Self(Arc::new(Shared {
            vault,
            ports,
            gates,
            seen,
            origins,
            policies,
            pace,
            place,
            life: AtomicU64::new(0),
        }))
    }
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }
    pub fn clock(&self) -> &Clock {
        self.0.vault.clock()
    }
    pub fn post(&self) -> &dyn Post {
        &*self.0.ports.post
    }
    pub fn gates(&self) -> &Gates {
        &self.0.gates
    }
    /// Forgets what is cached of the table, as a new process begins.
    pub fn forget(&self) {
        self.0.gates.forget_all();
        self.0.policies.forget_all();
        self.0.origins.forget_all();
        self.0.vault.forget_all();
        self.0.life.fetch_add(1, Relaxed);
    }
    /// Changes whenever everything is forgotten: part of the key of what a module keeps of the table by itself.
    pub fn life(&self) -> u64 {
        self.0.life.load(Relaxed)
    }
    /// Fairness between people and between organisations.
    pub fn pace(&self) -> &Pace {
        &self.0.pace
    }
    /// Approval policies, as they are cached.
    pub fn policies(&self) -> &Policies {
        &self.0.policies
    }
    pub(crate) fn origins(&self) -> &Origins {
        &self.0.origins
    }
    pub(crate) fn seen(&self) -> &Seen {
        &self.0.seen
    }
    pub fn mail(&self) -> &dyn Mail {
        &*self.0.ports.mail
    }
    pub fn files(&self) -> &dyn Files {
        &*self.0.ports.files
    }
    pub fn signer(&self) -> &dyn Signer {
        &*self.0.ports.signer
    }
    pub fn place(&self) -> &Place {
        &self.0.place
    }
}
