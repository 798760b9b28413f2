//! Employee assistance (EAP-1 to EAP-7): client organisations and their contracts, the people they cover, cases and
//! sessions, and reports that tell a client what its programme did without ever showing a person.
//!
//! Rooms: `client`, `industry`, `contract`, `service`, `provider`, `assignment` are the programme's side;
//! `beneficiary`, `case`, `session` the confidential one; `kpi`, `report`, `bill` what leaves the house.
//!
//! Waits: a video link by a connector (there is none; a counsellor sets it); surveys of a client's people are feedback's
//! (FBK-1).

pub mod beneficiary;
pub mod cap;
pub mod case;
mod history;
pub mod import;
pub mod on_call;
mod register;
pub mod risk;
pub mod safely;
mod satisfaction;
pub mod session;
pub mod use_of;
pub mod words;

mod assignment;
mod bill;
pub mod charge;
mod client;
pub mod contract;
mod industry;
pub mod kpi;
mod org_service;
mod place;
pub mod provider;
pub mod report;
mod service;

use web::Module;

/// The module: its routes, what it does on events, and what the clock brings it.
pub fn module() -> Module {
    let rooms = [
        client::routes(),
        industry::routes(),
        contract::routes(),
        service::routes(),
        provider::routes(),
        assignment::routes(),
        org_service::routes(),
        bill::routes(),
        beneficiary::api::routes(),
        import::api::routes(),
        register::routes(),
        case::api::routes(),
        case::alarm::routes(),
        case::ask::routes(),
        session::api::routes(),
        on_call::routes(),
        satisfaction::routes(),
        kpi::routes(),
        kpi::target_routes(),
        report::routes(),
    ];
    let tasks = [
        contract::tasks(),
        bill::tasks(),
        provider::tasks(),
        import::tasks(),
        register::tasks(),
        case::tasks(),
        session::tasks(),
    ];
    let reactions = [
        contract::reactions(),
        bill::reactions(),
        provider::reactions(),
        import::reactions(),
        case::reactions(),
        case::ask::reactions(),
        session::reactions(),
    ];
    Module::new("eap", rooms.into_iter().flatten().collect())
        .reacts(reactions.into_iter().flatten().collect())
        .does(tasks.into_iter().flatten().collect())
}

#[cfg(test)]
mod tests {
    use store::reserved_fields;

    #[test]
    fn no_noun_has_a_field_of_the_tables_own() {
        let all = [
            reserved_fields::<crate::client::Client>(),
            reserved_fields::<crate::industry::Industry>(),
            reserved_fields::<crate::contract::Contract>(),
            reserved_fields::<crate::service::Category>(),
            reserved_fields::<crate::service::Service>(),
            reserved_fields::<crate::provider::Provider>(),
            reserved_fields::<crate::assignment::Assignment>(),
            reserved_fields::<crate::org_service::OrgService>(),
            reserved_fields::<crate::bill::Bill>(),
            reserved_fields::<crate::beneficiary::Beneficiary>(),
            reserved_fields::<crate::import::Import>(),
            reserved_fields::<crate::case::Case>(),
            reserved_fields::<crate::session::Session>(),
            reserved_fields::<crate::on_call::OnCall>(),
            reserved_fields::<crate::kpi::Kpi>(),
            reserved_fields::<crate::kpi::Assignment>(),
            reserved_fields::<crate::report::Report>(),
        ];
        assert!(all.iter().all(Vec::is_empty), "{all:?}");
    }
}
