//! The doors of the product: partners' keys, webhooks, the warehouse export.
//!
//! FHIR (INT-3), connectors (INT-4), imports (INT-5) and extensions (INT-7) wait for their own issues.

pub mod delivery;
mod due;
pub mod gateway;
pub mod key;
pub mod tier;
pub mod warehouse;
pub mod webhook;

pub use gateway::{Doors, Gateway};
pub use outgoing::{self, Https, Outgoing, Permit, Wire};

use web::Module;
use webhook::api::Means;

/// The module, with what stands before the API and the way to others' servers.
pub fn module(doors: Doors, wire: Wire) -> Module {
    let means = Means { wire, endpoints: Default::default() };
    let routes = [
        key::api::routes(&doors),
        webhook::api::routes(&means),
        delivery::api::routes(),
        warehouse::api::routes(),
    ];
    let mut tasks = key::tasks(&doors);
    tasks.extend([
        key::counting(),
        webhook::secret::ending(),
        delivery::replay::walking(),
        delivery::replay::catching_up(),
    ]);
    tasks.extend(webhook::health::tasks());
    tasks.extend(warehouse::export::tasks());
    tasks.extend(delivery::attempt::tasks(&means.wire));
    let mut reactions = key::reactions(&doors);
    reactions.extend(delivery::dispatch::reactions(&means.endpoints));
    Module::new("integrations", routes.into_iter().flatten().collect()).reacts(reactions).does(tasks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::reserved_fields;

    #[test]
    fn no_field_of_a_noun_collides_with_the_tables_own() {
        let all = [
            reserved_fields::<key::PartnerKey>(),
            reserved_fields::<webhook::Webhook>(),
            reserved_fields::<delivery::Delivery>(),
            reserved_fields::<warehouse::Warehouse>(),
        ];
        assert_eq!(all.concat(), [] as [String; 0]);
    }
}
