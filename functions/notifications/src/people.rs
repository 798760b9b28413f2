//! Whom a message is for, from facts alone: how they are reached, what they hold, what they want.

use crate::{ids, preferences::Preferences, words::Channel};
use jiff::{Timestamp, tz::TimeZone};
use kernel::{Error, PreferencesId, Result};
use seal::Sealed;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::HashMap;
use store::{Key, facts};
use web::Ctx;

/// `contact#<id>`, whoever publishes it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Contact {
    pub name: Sealed<String>,
    #[serde(default)]
    pub email: Option<Sealed<String>>,
    #[serde(default)]
    pub phone: Option<Sealed<String>>,
    #[serde(default)]
    pub language: Option<Sealed<String>>,
    #[serde(default)]
    pub zone: Option<String>,
    #[serde(default)]
    pub preferred: Option<String>,
    #[serde(default)]
    pub do_not_contact: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Active {
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    sites: Vec<String>,
}

#[derive(Deserialize)]
struct Shift {
    until: Timestamp,
}

#[derive(Deserialize)]
struct Patient {
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    merged_into: Option<String>,
}

/// One recipient.
#[derive(Clone, Debug)]
pub struct Person {
    /// The owner of the inbox: the user where there is a login, else the person.
    pub id: String,
    /// The ids this recipient was asked for by.
    pub asked: Vec<String>,
    pub contact: Contact,
    pub sites: Vec<String>,
    pub has_login: bool,
    pub staff: bool,
    pub deceased: bool,
    pub on_shift: bool,
    pub wants: Preferences,
    pub zone: TimeZone,
    pub language: String,
}

impl Person {
    pub fn at_site(&self, site: &str) -> bool {
        self.sites.iter().any(|s| s == site || s == "*")
    }
    /// Where a letter or an SMS goes. A push goes to devices, which are read apart.
    pub fn address(&self, channel: Channel) -> Option<&str> {
        match channel {
            Channel::Email => self.contact.email.as_ref().map(|s| s.0.as_str()),
            Channel::Sms => self.contact.phone.as_ref().map(|s| s.0.as_str()),
            Channel::Push => None,
        }
        .filter(|a| !a.is_empty())
    }
    pub fn preferred(&self) -> Option<Channel> {
        self.wants.preferred.or_else(|| self.contact.preferred.as_deref()?.parse().ok())
    }
}

/// Everybody of these who can be told anything, each once. Two rounds at most: people with a login are told by it.
pub async fn read(ctx: &Ctx, asked: &[String]) -> Result<Vec<Person>> {
    let owners = owners(ctx, asked).await?;
    let mut ids: Vec<String> = owners.values().cloned().collect();
    ids.sort();
    ids.dedup();
    let keys: Vec<Key> = ids.iter().map(|id| keys(id)).collect::<Result<Vec<_>>>()?.concat();
    let mut found = ctx.store().read_many(&keys).await?.into_iter();
    let mut people = vec![];
    for id in ids {
        let facts: Vec<Option<Value>> = found.by_ref().take(EACH).collect();
        let asked = owners.iter().filter(|(_, owner)| **owner == id).map(|(a, _)| a.clone()).collect();
        people.extend(person(ctx, id, asked, facts)?);
    }
    Ok(people)
}

/// Who stands for each of these: a patient's login, the survivor of a merge, or they themselves.
async fn owners(ctx: &Ctx, asked: &[String]) -> Result<HashMap<String, String>> {
    let patients: Vec<&String> = asked.iter().filter(|id| id.starts_with("pat_")).collect();
    let keys: Vec<Key> = patients.iter().map(|id| Key::fact(facts::PATIENT, id)).collect();
    let found = if keys.is_empty() { vec![] } else { ctx.store().read_many(&keys).await? };
    let mut owners: HashMap<String, String> = asked.iter().map(|id| (id.clone(), id.clone())).collect();
    for (id, fact) in patients.into_iter().zip(found) {
        let known: Option<Patient> = read_as(fact)?;
        if let Some(owner) = known.and_then(|p| p.user_id.or(p.merged_into)) {
            owners.insert(id.clone(), owner);
        }
    }
    Ok(owners)
}

/// Items read of each person.
const EACH: usize = 5;

fn keys(id: &str) -> Result<Vec<Key>> {
    // Whatever is no id of ours has no preferences: its place is empty.
    let wants = ids::of_person::<PreferencesId>(id).unwrap_or_else(|_| ids::fixed(&["nobody", id]));
    Ok(vec![
        Key::fact(facts::CONTACT, id),
        Key::fact(facts::ACTIVE_USER, id),
        Key::fact(facts::DECEASED, id),
        Key::fact(facts::ON_SHIFT, id),
        Key::record(wants),
    ])
}

fn person(ctx: &Ctx, id: String, asked: Vec<String>, facts: Vec<Option<Value>>) -> Result<Option<Person>> {
    let mut facts = facts.into_iter();
    let mut next = || facts.next().flatten();
    let contact: Option<Contact> = read_as(next())?;
    let active: Option<Active> = read_as(next())?;
    let deceased = next().is_some();
    let shift: Option<Shift> = read_as(next())?;
    let wants: Option<Preferences> = read_as(next())?;
    let Some(contact) = contact else {
        tracing::debug!(%id, "nobody who could be told");
        return Ok(None);
    };
    let wants = wants.unwrap_or_default();
    let gate = ctx.tenant()?;
    let zone = wants.time_zone.as_deref().or(contact.zone.as_deref()).and_then(|z| TimeZone::get(z).ok());
    let language = wants.language.clone().or_else(|| contact.language.as_ref().map(|l| l.0.clone()));
    let roles = active.as_ref().map(|a| a.roles.as_slice()).unwrap_or_default();
    Ok(Some(Person {
        staff: id.starts_with("usr_") && !roles.iter().all(|r| authz::role(r).is_some_and(|r| !r.staff)),
        has_login: id.starts_with("usr_"),
        on_shift: shift.is_some_and(|s| s.until > ctx.now()),
        zone: zone.unwrap_or_else(|| gate.zone()),
        language: language.unwrap_or_else(|| gate.language.clone()),
        sites: active.map(|a| a.sites).unwrap_or_default(),
        id,
        asked,
        contact,
        deceased,
        wants,
    }))
}

fn read_as<T: DeserializeOwned>(fact: Option<Value>) -> Result<Option<T>> {
    fact.map(serde_json::from_value)
        .transpose()
        .map_err(|_| Error::internal("a fact about a person does not read"))
}
