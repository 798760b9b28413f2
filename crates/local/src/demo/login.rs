//! A person's way in: from the invitation's letter to a login that works, as a person would take it.

use super::{Visitor, secret};
use crate::{trouble, trouble::Outcome};
use kernel::Clock;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What somebody signs in with. Stands in `demo.json` as it is here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Login {
    /// `usr_…` or `opr_…`
    pub user: String,
    pub name: String,
    pub roles: Vec<String>,
    /// The organisation's short name, `platform` for operators.
    pub slug: String,
    pub login_name: String,
    pub password: String,
    /// Base32; none where no second factor is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totp_secret: Option<String>,
}

/// Seconds since 1970.
pub fn now(clock: &Clock) -> u64 {
    clock.now().as_second().unsigned_abs()
}

impl Login {
    /// Opens the invitation that came to an address, sets a password and, where it is asked for, sets up the
    /// second factor. Answers the login and the signed-in person.
    pub async fn take_up(door: &Visitor, email: &str, clock: &Clock) -> Outcome<(Login, Visitor)> {
        let letter = door.letter(email, "/v1/identity/invitations/").await?;
        let path = link(&letter).ok_or_else(|| trouble!("The invitation to {email} has no link."))?;
        let password = secret::password()?;
        let accepted = door.with(None).post(&path, json!({ "password": password })).await?;
        let text = |name: &str| accepted[name].as_str().unwrap_or_default().to_string();
        let mut login =
            Login { slug: text("slug"), login_name: text("login_name"), password, ..Login::default() };
        let person = login.enter(door, clock).await?;
        let me = person.get("/v1/me").await?;
        login.user = me["user"].as_str().unwrap_or_default().into();
        login.roles = serde_json::from_value(me["roles"].clone()).unwrap_or_default();
        Ok((login, person))
    }

    /// Signs in; whoever has to set up a second factor does so first.
    pub async fn enter(&mut self, door: &Visitor, clock: &Clock) -> Outcome<Visitor> {
        let person = door.sign_in(self, now(clock)).await?;
        let enrols = crate::hosted::claims(person.token()).is_some_and(|claims| claims["enrol"] == "mfa");
        if !enrols {
            return Ok(person);
        }
        let begun = person.post("/v1/identity/me/mfa/totp", json!({})).await?;
        let secret = begun["secret"].as_str().unwrap_or_default().to_string();
        let code = secret::code(&secret, now(clock))?;
        person.post("/v1/identity/me/mfa/verify", json!({ "code": code })).await?;
        self.totp_secret = Some(secret);
        door.sign_in(self, now(clock)).await
    }
}

/// The path of an invitation's link in a letter's text.
fn link(letter: &str) -> Option<String> {
    let (_, rest) = letter.split_once("/v1/identity/invitations/")?;
    let token: String =
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
    (!token.is_empty()).then(|| format!("/v1/identity/invitations/{token}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_is_found_in_a_letter() {
        let letter =
            "Dear Ada,\n\nhttp://127.0.0.1:3000/v1/identity/invitations/ab-C_9\n\nThe link works once.";
        assert_eq!(link(letter).as_deref(), Some("/v1/identity/invitations/ab-C_9"));
        assert_eq!(link("Your code is 123456"), None);
    }
}
