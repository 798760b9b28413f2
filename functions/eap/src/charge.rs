//! What sessions and events cost, noted in the commit in which they are done: all that a bill is made of. A note holds
//! no case and no name; who used the service stands in it as a blind index of that contract, only to be counted.

use jiff::civil::Date;
use kernel::{EapContractId, EapServiceId, Id, Result, money::Money};
use serde::{Deserialize, Serialize};
use store::{Commit, Key, Store};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Charge {
    /// What was given; of an event nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<EapServiceId>,
    /// The label of an event's line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// An event's price; a session's is the contract's rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
}

fn key(contract: EapContractId, place: &str) -> Key {
    Key::item("eap_charge", contract, place)
}

/// A session that was completed, or counts as if it were, on the day on which that was entered.
pub fn session(
    commit: Commit,
    store: &Store,
    (contract, day): (EapContractId, Date),
    source: impl Id,
    service: EapServiceId,
    person_ref: &str,
) -> Commit {
    let person = Some(store.blind("eap_charge.person", &format!("{contract}|{person_ref}")));
    let charge = Charge { service: Some(service), event: None, fee: None, person };
    commit.put(&key(contract, &format!("{day}#{source}")), &charge)
}

/// An event that was held at a price.
pub fn event(
    commit: Commit,
    (contract, day): (EapContractId, Date),
    source: impl Id,
    label: &str,
    fee: Money,
) -> Commit {
    let charge = Charge { service: None, event: Some(label.into()), fee: Some(fee), person: None };
    commit.put(&key(contract, &format!("{day}#{source}")), &charge)
}

/// Items of one page.
const PAGE: i32 = 1000;

/// Everything noted from one day to another, both included.
pub async fn between(store: &Store, contract: EapContractId, from: Date, to: Date) -> Result<Vec<Charge>> {
    let (mut all, mut before) = (vec![], format!("{to}#~"));
    loop {
        let page = store.latest::<Charge>(&key(contract, ""), &from.to_string(), &before, PAGE).await?;
        let more = page.len() as i32 == PAGE;
        if let Some((last, _)) = page.last() {
            before = last.clone();
        }
        all.extend(page.into_iter().map(|(_, charge)| charge));
        if !more {
            return Ok(all);
        }
    }
}
