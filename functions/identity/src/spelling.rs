//! What people type, brought into the one spelling that is kept.

use kernel::{
    Fault,
    country::Country,
    phone::E164,
    text::{self, person_name},
};

/// A part of a name; what is wrong with it goes to `faults`.
pub fn name(typed: String, at: &str, faults: &mut Vec<Fault>) -> String {
    person_name(&typed).unwrap_or_else(|e| {
        faults.push(e.fault(at));
        typed
    })
}

pub fn email(typed: Option<String>, faults: &mut Vec<Fault>) -> Option<String> {
    let read = typed.map(|typed| text::email(&typed))?;
    read.map_err(|e| faults.push(e.fault("/email"))).ok()
}

/// E.164, from what is dialled in a country (ISO 3166).
pub fn phone(typed: Option<String>, country: &str, faults: &mut Vec<Fault>) -> Option<String> {
    let home: Country = country.parse().unwrap_or(Country::NG);
    let read = typed.map(|typed| E164::parse(&typed, home))?;
    read.map(|phone| phone.as_str().to_string()).map_err(|e| faults.push(e.fault("/phone"))).ok()
}

pub fn zone(name: &str, faults: &mut Vec<Fault>) {
    if jiff::tz::TimeZone::get(name).is_err() {
        faults.push(Fault::new(
            "/time_zone",
            "time-zone",
            "expected a zone of the IANA list, such as Africa/Lagos",
        ));
    }
}
