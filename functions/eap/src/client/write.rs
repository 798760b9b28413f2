//! What every change of a client does: rules across fields, and the items that lie beside it.

use super::{Client, Status, contact, tax};
use crate::{
    industry,
    place::{self, Tie, counts, none},
};
use kernel::{ClientOrgId, Error, Fault, Result, UserId, error::faultless, text};
use seal::Sealed;
use std::collections::BTreeSet;
use store::{Commit, Record, is};
use web::{Ctx, Reach};

pub fn faults(client: &Client) -> Vec<Fault> {
    let mut faults = contact::faults(client);
    if client.name.trim().is_empty() {
        faults.push(Fault::new("/name", "length", "may not be empty"));
    }
    let mails = [("/email", &client.email), ("/contact_email", &client.contact_email)];
    for (at, mail) in mails {
        if let Some(Err(e)) = mail.as_ref().map(|m| text::email(m)) {
            faults.push(e.fault(at));
        }
    }
    if client.timezone.as_deref().is_some_and(|zone| jiff::tz::TimeZone::get(zone).is_err()) {
        let way = "expected a zone of the IANA list, such as Africa/Lagos";
        faults.push(Fault::new("/timezone", "time-zone", way));
    }
    faults.extend(place::metadata(&client.metadata));
    let codes: BTreeSet<&str> = client.reporting_units.iter().map(|u| u.code.as_str()).collect();
    let orphan = |u: &super::Unit| u.parent.as_deref().is_some_and(|p| p == u.code || !codes.contains(p));
    if codes.len() < client.reporting_units.len() || client.reporting_units.iter().any(orphan) {
        let way = "each code once, and parents among them";
        faults.push(Fault::new("/reporting_units", "units", way));
    }
    faults
}

/// Spelling, who may verify, and what follows from what.
pub fn before(ctx: &Ctx, action: &str, old: Option<&Record<Client>>, new: &mut Record<Client>) -> Result<()> {
    let was = old.map(|r| &r.body);
    let client = &mut new.body;
    client.name = client.name.trim().to_string();
    for mail in [&mut client.email, &mut client.contact_email] {
        *mail = mail.take().map(|m| Sealed(m.trim().to_lowercase()));
    }
    client.tags.iter_mut().for_each(|t| *t = t.trim().to_string());
    client.tags.sort();
    client.tags.dedup();
    let country = ctx.tenant().map(|t| t.country.clone()).unwrap_or_default();
    let typed = client.tax_id.as_deref().filter(|t| was.and_then(|w| w.tax_id.as_deref()) != Some(*t));
    if let Some(wrong) = typed.and_then(|t| tax::fault(&country, t)) {
        return Err(Error::Invalid(vec![Fault::new("/tax_id", "tax-id", wrong)]));
    }
    contact::mirror(was, client);
    // What becomes one again may be wrong as a whole.
    faultless(contact::faults(client))?;
    if client.join_code.is_empty() {
        client.join_code = code();
    }
    let commands = ["activate", "deactivate"];
    if was.is_some_and(|w| w.status != client.status) && !commands.contains(&action) {
        let way = "by command: POST …/activate or …/deactivate, with a reason";
        return Err(Error::field("by-command", "/status", way));
    }
    if was.is_none() && client.status == Status::Inactive {
        let way = "a new client is pending or active";
        return Err(Error::field("status", "/status", way));
    }
    verification(ctx, action, was, new)
}

/// A change of what was verified ends the verification; only who may verify sets it or takes it back.
fn verification(ctx: &Ctx, action: &str, was: Option<&Client>, new: &mut Record<Client>) -> Result<()> {
    let (now, client) = (new.updated_at, &mut new.body);
    let verified = was.is_some_and(|w| w.is_verified);
    let other = verified && was.is_some_and(|w| w.name != client.name || w.tax_id != client.tax_id);
    client.is_verified &= !other;
    if verified == client.is_verified {
        return Ok(());
    }
    if !other && ctx.may("client_org.verify") == Reach::None {
        let way = "leave it out: whoever holds client_org.verify sets it";
        let refused = Error::forbidden("forbidden", "you may not verify clients");
        return Err(refused.at(Fault::new("/is_verified", "forbidden", way)));
    }
    if verified && !other && action == "update" {
        ctx.needs_reason(None)?;
    }
    let by = ctx.actor().user.clone();
    (client.verified_at, client.verified_by) =
        if client.is_verified { (Some(now), Some(by)) } else { (None, None) };
    Ok(())
}

/// Eight characters of Crockford's alphabet, which nobody mistakes for another.
pub fn code() -> String {
    let random = kernel::Ulid::new().to_string();
    random[random.len() - 8..].to_string()
}

/// Refusals of what would strand contracts, cases or bills, as conditions.
pub fn idle(action: &str, client: ClientOrgId, commit: Commit) -> Commit {
    let used = |detail: &'static str| {
        move |counts: Option<serde_json::Value>| {
            Error::conflict("in-use", detail).with("counts", counts.unwrap_or_default())
        }
    };
    match action {
        "deactivate" => commit.check(
            &counts(client),
            none("contracts_active").and(none("cases_open")),
            used("it has an active contract or an open case: end those first"),
        ),
        "delete" => commit.check(
            &counts(client),
            none("contracts_active")
                .and(none("contracts_suspended"))
                .and(none("cases_open"))
                .and(none("bills_unpaid")),
            used("it has running contracts, open cases or unpaid bills: end those first"),
        ),
        _ => commit,
    }
}

/// Totals, its industry's count, and which logins belong to it.
pub fn around(old: Option<&Record<Client>>, new: &Record<Client>, commit: Commit) -> Commit {
    let industry_of = |r: &Record<Client>| r.body.industry.filter(|_| r.deleted_at.is_none());
    let (was, is_now) = (old.and_then(industry_of), industry_of(new));
    let commit = commit.add_many(&super::api::totals(), &super::api::moved(old, new));
    let mut commit = industry::counted(commit, was, is_now);
    let users_of = |r: &Record<Client>| -> BTreeSet<UserId> {
        let live = r.deleted_at.is_none();
        r.body.contacts.iter().filter_map(|c| c.user).filter(|_| live).collect()
    };
    let (were, are) = (old.map(users_of).unwrap_or_default(), users_of(new));
    for gone in were.difference(&are) {
        commit = commit.delete(&place::tie(&gone.to_string(), new.id, Tie::Contact));
    }
    for come in are.difference(&were) {
        let tie = place::tie(&come.to_string(), new.id, Tie::Contact);
        commit = commit.put(&tie, &serde_json::json!({"since": new.updated_at}));
    }
    commit
}

/// The condition that a client is there and active.
pub fn active(commit: Commit, client: ClientOrgId) -> Commit {
    place::live(commit, client, is("status", Status::Active), || {
        let way = "the client is not active: POST /v1/eap/clients/{id}/activate first";
        Error::field("client-inactive", "/client", way)
    })
}
