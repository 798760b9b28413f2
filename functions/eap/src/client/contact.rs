//! A client's own people: the source's `contact_*` fields are the primary one of them.

use super::Client;
use kernel::{Fault, UserId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};

kernel::words! {
    pub enum Role {
        Hr = "hr", Manager = "manager", Finance = "finance", Union = "union", Executive = "executive", Other = "other",
    }
}

/// One of the client's people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ClientContact")]
pub struct Contact {
    #[schemars(length(min = 1, max = 255))]
    pub name: Sealed<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 254), extend("format" = "email"))]
    pub email: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 50))]
    pub phone: Option<Sealed<String>>,
    pub role: Role,
    #[serde(default)]
    pub is_primary: bool,
    /// Their login, which then sees its own organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
}

type Shown<'a> = (Option<&'a Sealed<String>>, Option<&'a Sealed<String>>, Option<&'a Sealed<String>>);

fn shown(client: &Client) -> Shown<'_> {
    (client.contact_person.as_ref(), client.contact_email.as_ref(), client.contact_phone.as_ref())
}

pub fn faults(client: &Client) -> Vec<Fault> {
    let primary = client.contacts.iter().filter(|c| c.is_primary).count();
    let mut faults = vec![];
    if primary > 1 || (primary == 0 && !client.contacts.is_empty() && client.contact_person.is_none()) {
        faults.push(Fault::new("/contacts", "one-primary", "exactly one contact is the primary one"));
    }
    let unnamed = client.contact_person.is_none()
        && primary == 0
        && (client.contact_email.is_some() || client.contact_phone.is_some());
    if unnamed {
        faults.push(Fault::new(
            "/contact_person",
            "required",
            "an address or number is somebody's: name them",
        ));
    }
    faults
}

/// The primary contact and the three fields that show it become one again: whichever was changed wins.
pub fn mirror(old: Option<&Client>, new: &mut Client) {
    let typed = match old {
        Some(old) => shown(old) != shown(new),
        None => shown(new) != (None, None, None),
    };
    let primary = new.contacts.iter_mut().find(|c| c.is_primary);
    match (primary, new.contact_person.clone()) {
        (Some(primary), Some(name)) if typed => {
            (primary.name, primary.email, primary.phone) =
                (name, new.contact_email.clone(), new.contact_phone.clone());
        }
        (Some(primary), _) if !typed => {
            new.contact_person = Some(primary.name.clone());
            (new.contact_email, new.contact_phone) = (primary.email.clone(), primary.phone.clone());
        }
        // The fields were emptied: there is no primary contact any more.
        (Some(_), _) => {
            new.contacts.retain(|c| !c.is_primary);
            (new.contact_email, new.contact_phone) = (None, None);
        }
        (None, Some(name)) => new.contacts.insert(
            0,
            Contact {
                name,
                email: new.contact_email.clone(),
                phone: new.contact_phone.clone(),
                role: Role::Hr,
                is_primary: true,
                user: None,
            },
        ),
        (None, None) => {}
    }
}
