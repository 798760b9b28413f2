//! What this module needs of the organisation where there is no request's context: its gate.

use kernel::{Error, Result};
use store::{Store, facts};
use web::gate::{Status, TenantGate};

pub struct Organisation {
    pub name: String,
    pub slug: String,
    pub gate: TenantGate,
}

impl Organisation {
    /// 404 when it is gone, closed, or not open yet.
    pub async fn of(store: &Store) -> Result<Self> {
        let gate: TenantGate = store.fact(facts::TENANT, "self").await?.ok_or(Error::Missing)?;
        match gate.status {
            Status::Closed | Status::Erased => Err(Error::Missing),
            _ => Ok(Self { name: gate.name.clone(), slug: gate.slug.clone(), gate }),
        }
    }
}
