//! Reports for client organisations (EAP-6). What may be shown at all is decided here, from counts of different people;
//! nothing below this room knows a name, a case or a day.

pub mod attack;
pub mod frame;
pub mod suppress;
#[cfg(test)]
mod suppress_tests;
