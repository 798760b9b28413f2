//! Letters that nobody can prefer not to get: invitations, codes, notices about one's own account.

use crate::user::User;
use jiff::{Timestamp, tz::TimeZone};
use web::Letter;

fn when(at: Timestamp, user: &User) -> String {
    let zone = TimeZone::get(&user.time_zone).unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).strftime("%-d %B %Y, %H:%M").to_string()
}

fn to(user: &User, subject: String, text: String) -> Option<Letter> {
    let address = user.email.as_ref()?;
    let text = format!("Dear {},\n\n{text}\n", user.called());
    Some(Letter { to: address.0.clone(), subject, text })
}

/// None for a user without an address: their link is handed over by whoever invited them.
pub fn invitation(user: &User, organisation: &str, link: &str, until: Timestamp) -> Option<Letter> {
    let text = format!(
        "{organisation} has made an account for you. Choose a password here:\n\n{link}\n\n\
         The link works once, until {}. You then sign in with: {}\n\n\
         If you do not know {organisation}, ignore this letter.",
        when(until, user),
        *user.login_name,
    );
    to(user, format!("Your account at {organisation}"), text)
}

pub fn code(user: &User, organisation: &str, code: &str) -> Option<Letter> {
    let text = format!(
        "Your code for {organisation} is\n\n    {code}\n\nIt works for 15 minutes. We never ask for it by telephone. \
         If you did not ask for a code, somebody may know one of your recovery codes: tell your administrator."
    );
    to(user, format!("Your code: {organisation}"), text)
}

/// The same by SMS.
pub fn short_code(organisation: &str, code: &str) -> String {
    format!(
        "{code} is your code for {organisation}. It works for 15 minutes; we never ask for it by telephone."
    )
}

/// A code to an address that is not the user's yet.
pub fn address_code(to: &str, organisation: &str, code: &str) -> Letter {
    let text = format!(
        "Somebody wants to use this address for an account at {organisation}. The code is\n\n    {code}\n\n\
         It works for 15 minutes. If this was not you, ignore this letter.\n"
    );
    Letter { to: to.into(), subject: format!("Confirm your address: {organisation}"), text }
}

/// Something about the account has changed; sent whatever the person prefers.
pub fn notice(user: &User, organisation: &str, what: &str) -> Option<Letter> {
    let text = format!("{what}\n\nIf this was not you, tell your administrator at {organisation} at once.");
    to(user, format!("About your account at {organisation}"), text)
}

/// The organisations where an address has an account.
pub fn organisations(address: &str, slugs: &[String]) -> Letter {
    let list: Vec<String> = slugs.iter().map(|slug| format!("    {slug}")).collect();
    let text = format!(
        "You have an account at these organisations. Sign in with the short name of the one you want:\n\n{}\n\n\
         If you did not ask for this, ignore this letter.\n",
        list.join("\n"),
    );
    Letter { to: address.into(), subject: "Where you have an account".into(), text }
}
