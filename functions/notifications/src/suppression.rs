//! Addresses that nothing is sent to: they bounced, their owner complained or asked for it, or somebody of the
//! organisation said so. Kept by blind index; the address itself is not.

pub mod api;

use crate::{ids, words::Channel};
use jiff::Timestamp;
use kernel::SuppressionId;
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Entity, List, Record, Row, Store};
use web::{Actor, Ctx, Noun, Reach};

kernel::words! {
    pub enum Reason { Bounce = "bounce", Complaint = "complaint", OptOut = "opt_out", Manual = "manual" }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Suppression {
    pub channel: Channel,
    /// Blind index of the address.
    pub blind: String,
    /// As a person recognises it.
    pub address: Sealed<String>,
    pub reason: Reason,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Sealed<String>>,
    /// Lifted again, with a reason.
    pub active: bool,
}

/// An address as it is compared.
pub fn blind(store: &Store, channel: Channel, address: &str) -> String {
    store.blind(&format!("address.{channel}"), &address.trim().to_lowercase())
}

/// One record per address, however often it is suppressed and lifted.
pub fn id(channel: Channel, blind: &str) -> SuppressionId {
    ids::fixed(&["suppression", channel.as_str(), blind])
}

/// `n•••@example.com`, `+234•••4567`: enough to know which, too little to use.
pub fn masked(channel: Channel, address: &str) -> String {
    match (channel, address.split_once('@')) {
        (Channel::Email, Some((name, domain))) => {
            format!("{}•••@{domain}", name.chars().next().unwrap_or_default())
        }
        (Channel::Push, _) => "•••".into(),
        _ => {
            let all: Vec<char> = address.chars().collect();
            let (head, tail) = (all.iter().take(4), all.iter().skip(all.len().saturating_sub(4).max(4)));
            format!("{}•••{}", head.collect::<String>(), tail.collect::<String>())
        }
    }
}

impl Entity for Suppression {
    type Id = SuppressionId;
    const NOUN: &'static str = "suppression";
    const LISTS: &'static [List<Self>] = &[
        List::by("active", &[], |r| {
            if r.body.active { vec![Row::new(&[], &[&store::stamp(r.body.at), &r.id])] } else { vec![] }
        }),
        List::by("channel", &["channel"], |r| match r.body.active {
            true => vec![Row::new(&[&r.body.channel], &[&store::stamp(r.body.at), &r.id])],
            false => vec![],
        }),
    ];
}

impl Noun for Suppression {
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach > Reach::None
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let lift = record.body.active && ctx.may("suppression.edit") > Reach::None;
        if lift { vec!["lift"] } else { vec![] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_address_is_known_by_its_owner_alone() {
        assert_eq!(masked(Channel::Email, "ngozi@example.org"), "n•••@example.org");
        assert_eq!(masked(Channel::Sms, "+2348031234567"), "+234•••4567");
        assert_eq!(masked(Channel::Push, "token"), "•••");
    }
}
