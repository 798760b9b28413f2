//! What every change of a beneficiary does beside it: the client's count of employees, and how they may be written to.

use super::{Beneficiary, Channel, SafeContact, Status};
use crate::{
    client::{self, Client},
    place,
    safely::Way,
    words::Relation,
};
use events::EapEvent;
use jiff::civil::Date;
use kernel::{BeneficiaryId, Error, Fault, Result, error::faultless};
use seal::Sealed;
use serde::Serialize;
use store::{Commit, Record, facts};
use web::{
    Ctx,
    noun::{Hooks, Written},
};

impl Hooks for Beneficiary {
    fn before(ctx: &Ctx, action: &str, old: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        let today = ctx.today();
        let b = &mut new.body;
        b.name = Sealed(b.name.trim().to_string());
        b.email = b.email.take().map(|e| Sealed(e.trim().to_lowercase()));
        if b.birth_date.as_ref().is_some_and(|born| born.0 >= today) {
            return Err(Error::invalid("/birth_date", "range", "a day before today"));
        }
        match action {
            "create" => {
                b.eligible_from.get_or_insert(today);
            }
            "end" => b.eligible_to = Some(b.eligible_to.map_or(today, |to| to.min(today))),
            "reinstate" => b.eligible_to = b.eligible_to.filter(|to| *to >= today),
            _ => {}
        }
        let said = old.is_none_or(|old| old.body.safe_contact != b.safe_contact);
        let written = |safe: &SafeContact| matches!(safe.channel, Channel::Email | Channel::Sms);
        if said && b.safe_contact.as_ref().is_some_and(|s| written(s)) && Way::of(ctx, b).is_none() {
            let way = "with this channel, an address of it that can be read: an e-mail address, or a telephone number";
            return Err(Error::invalid("/safe_contact/address", "required", way));
        }
        match old {
            Some(old) => fixed(&old.body, b),
            None => Ok(()),
        }
    }

    async fn on_write(
        ctx: &Ctx,
        Written { action, old, new }: Written<'_, Self>,
        commit: Commit,
    ) -> Result<Commit> {
        match old {
            None => belongs(ctx, &new.body).await?,
            Some(old) if old.body.unit != new.body.unit => {
                unit_of(&new.body, &client::known(ctx, new.body.client).await?.body)?;
            }
            Some(_) => {}
        }
        let commit = around(old, new, commit);
        Ok(if action == "end" { commit.emit(ended(&new.body)) } else { commit })
    }
}

/// The client is there with this unit, and the employee is one of its own.
async fn belongs(ctx: &Ctx, b: &Beneficiary) -> Result<()> {
    let employee = async {
        match b.employee {
            Some(id) => ctx.store().fresh::<Beneficiary>(id).await.map(Some),
            None => Ok(None),
        }
    };
    let (client, employee) = futures::join!(client::known(ctx, b.client), employee);
    unit_of(b, &client?.body)?;
    let theirs = |e: &Record<Beneficiary>| e.body.client == b.client && e.body.employee.is_none();
    if b.employee.is_some() && !employee.ok().flatten().as_ref().is_some_and(theirs) {
        let detail = "no employee of this client has this id";
        return Err(Error::field("unknown-employee", "/employee", detail));
    }
    Ok(())
}

/// Whose somebody is does not change: that is another person on the list.
fn fixed(was: &Beneficiary, is: &Beneficiary) -> Result<()> {
    let mut faults = vec![];
    let mut same = |pointer: &str, same: bool| {
        if !same {
            faults.push(Fault::new(pointer, "fixed", "does not change: end this one and make another"));
        }
    };
    same("/client", was.client == is.client);
    same("/relation", was.relation == is.relation);
    same("/employee", was.employee == is.employee);
    faultless(faults)
}

fn unit_of(b: &Beneficiary, client: &Client) -> Result<()> {
    let units = &client.reporting_units;
    match &b.unit {
        Some(unit) if !units.is_empty() && !units.iter().any(|u| u.code == *unit) => {
            Err(Error::field("unknown-unit", "/unit", "none of the client's reporting units has this code"))
        }
        _ => Ok(()),
    }
}

pub fn ended(b: &Beneficiary) -> EapEvent {
    EapEvent::BeneficiaryEnded { client: b.client, relation: b.relation.to_string() }
}

/// An employee who is on the list.
fn listed(record: &Record<Beneficiary>) -> bool {
    let b = &record.body;
    record.deleted_at.is_none() && b.relation == Relation::Employee && b.status == Status::Eligible
}

/// By how many the client's list of employees grows.
pub fn growth(old: Option<&Record<Beneficiary>>, new: &Record<Beneficiary>) -> i64 {
    i64::from(listed(new)) - i64::from(old.is_some_and(listed))
}

fn around(old: Option<&Record<Beneficiary>>, new: &Record<Beneficiary>, commit: Commit) -> Commit {
    let commit = match growth(old, new) {
        0 => commit,
        by => commit.add(&place::counts(new.body.client), "staff_total", by),
    };
    reachable(old, new, commit)
}

/// `contact#<ben>`: of those who have said how they may be reached, and have no login of their own.
#[derive(Serialize)]
struct Contact {
    name: Sealed<String>,
    email: Option<Sealed<String>>,
    phone: Option<Sealed<String>>,
    language: Option<Sealed<String>>,
    preferred: Option<&'static str>,
    do_not_contact: bool,
}

pub fn reachable(old: Option<&Record<Beneficiary>>, new: &Record<Beneficiary>, commit: Commit) -> Commit {
    match (old.and_then(contact), contact(new)) {
        (_, Some(fact)) => commit.fact(facts::CONTACT, new.id, &fact),
        (Some(_), None) => commit.drop_fact(facts::CONTACT, new.id),
        (None, None) => commit,
    }
}

fn contact(record: &Record<Beneficiary>) -> Option<Contact> {
    let b = &record.body;
    let safe = &b.safe_contact.as_ref().filter(|_| record.deleted_at.is_none() && b.user.is_none())?.0;
    let at = |by: Channel, own: &Option<Sealed<String>>| {
        let given = safe.address.clone().map(Sealed).or(own.clone());
        given.filter(|_| safe.channel == by)
    };
    Some(Contact {
        name: b.name.clone(),
        email: at(Channel::Email, &b.email),
        phone: at(Channel::Sms, &b.phone),
        language: b.language.clone().map(Sealed),
        preferred: match safe.channel {
            Channel::Email => Some("email"),
            Channel::Sms => Some("sms"),
            Channel::Phone | Channel::None => None,
        },
        do_not_contact: matches!(safe.channel, Channel::Phone | Channel::None),
    })
}

/// The employee of a dependant.
pub async fn employee_of(store: &store::Store, b: &Beneficiary) -> Result<Option<Beneficiary>> {
    match b.employee {
        None => Ok(None),
        Some(id) => {
            let gone = |r: Record<Beneficiary>| match r.deleted_at {
                None => r.body,
                // Taken off the list: nobody is covered by them any more.
                Some(_) => Beneficiary { eligible_to: Some(Date::MIN), ..r.body },
            };
            store.get::<Beneficiary>(id).await.map(gone).map(Some)
        }
    }
}

/// Whose login this is.
pub async fn of_user(store: &store::Store, user: &str) -> Result<Option<BeneficiaryId>> {
    store.guarded::<Beneficiary>("user", user).await
}
