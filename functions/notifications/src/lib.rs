//! Turns events into messages to the right people, by the right way, at a decent hour, once.
//!
//! What has no provider yet: push goes to browsers alone (Web Push), phones' own ways (FCM, APNs) are refused when a
//! device registers; SMS goes by SNS, local providers come with the connectors (INT-4), and with them the replies to an
//! SMS (STOP).

mod asked;
pub mod broadcast;
pub mod cap;
pub mod carrier;
mod catalogue;
mod circuit;
pub mod delivery;
mod desk;
mod direct;
mod due;
mod escalation;
mod fan_out;
mod ids;
pub mod notification;
pub mod outside;
mod people;
pub mod preferences;
pub mod push_endpoint;
mod reactions;
pub mod rule;
pub mod socket;
mod spelling;
pub mod suppression;
pub mod template;
mod why;
pub mod words;

pub use carrier::{
    Admission, Carrier, Channels, Nobody, Outgoing, Receipt, Recorder, Ses, Sns, Subscription, Trouble,
    WebPush,
};

use desk::Desk;
use std::sync::Arc;
use web::Module;

/// The module, with the ways out that this deployment has.
pub fn module(channels: Channels) -> Module {
    let desk = Arc::new(Desk::new(channels));
    let routes = [
        notification::api::routes(),
        delivery::api::routes(&desk),
        rule::api::routes(&desk),
        template::api::routes(&desk),
        preferences::api::routes(),
        push_endpoint::routes(&desk),
        suppression::api::routes(),
        outside::routes(),
        cap::api::routes(),
        broadcast::api::routes(),
        socket::routes(&desk),
    ];
    let tasks = [
        delivery::due::tasks(&desk),
        direct::tasks(&desk),
        delivery::status::tasks(&desk),
        notification::due::tasks(&desk),
        notification::api::tasks(&desk),
        broadcast::tasks(&desk),
        socket::tasks(&desk),
    ];
    let sockets = desk.clone();
    Module::new("notifications", routes.into_iter().flatten().collect())
        .reacts(reactions::all(&desk))
        .reacts(socket::reactions(&desk))
        .does(tasks.into_iter().flatten().collect())
        .connects(move |app, event| {
            let desk = sockets.clone();
            async move { socket::answer(&desk, &app, &event).await }
        })
}

#[cfg(test)]
mod tests {
    use store::reserved_fields;

    #[test]
    fn no_noun_has_a_field_of_the_tables_own() {
        let all = [
            reserved_fields::<crate::notification::Notification>(),
            reserved_fields::<crate::delivery::Delivery>(),
            reserved_fields::<crate::rule::NotificationRule>(),
            reserved_fields::<crate::template::MessageTemplate>(),
            reserved_fields::<crate::preferences::Preferences>(),
            reserved_fields::<crate::push_endpoint::PushEndpoint>(),
            reserved_fields::<crate::suppression::Suppression>(),
            reserved_fields::<crate::outside::OutsideAddress>(),
            reserved_fields::<crate::broadcast::Broadcast>(),
        ];
        assert_eq!(all.concat(), [] as [String; 0]);
    }
}
