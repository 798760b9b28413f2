//! Employee assistance (EAP-1 to EAP-7): client organisations and their contracts, the people they cover, cases and
//! sessions, and reports that tell a client what its programme did without ever showing a person.
//!
//! Rooms: `client`, `industry`, `contract`, `service`, `provider`, `assignment` are the programme's side;
//! `beneficiary`, `case`, `session` the confidential one; `kpi`, `report`, `bill` what leaves the house.

pub mod cap;
pub mod risk;
pub mod use_of;
pub mod words;

use web::Module;

/// The module: its routes, what it does on events, and what the clock brings it.
pub fn module() -> Module {
    Module::new("eap", Vec::new())
}
