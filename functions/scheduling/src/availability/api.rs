//! Routes of availability. Rules of one host change one at a time: their `rev` stands in each commit, so two
//! rules that overlap cannot slip in side by side. Bookings never touch it.

use super::{Availability, overlapping};
use crate::{
    appointment,
    host::Host,
    practitioner::{self, Practitioner},
};
use events::SchedulingEvent;
use jiff::civil::Date;
use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use store::{Commit, Key, Record, Wanted};
use web::{
    Ctx, Noun, Reach, Route,
    noun::{self, Hooks, Paths, Written},
};

pub fn routes() -> Vec<Route> {
    let edit = "availability.edit";
    noun::crud::<Availability>(Paths {
        path: "/v1/scheduling/availabilities",
        view: "availability.view",
        create: edit,
        edit,
        delete: edit,
    })
    .into_iter()
    // What lies beside it is read first: the host, its other rules, and what is sold of a changed one.
    .map(|r| match r.operation.as_str() {
        "availability.create" => r.trips(3).refuses(&["availability-overlap"]),
        "availability.update" | "availability.restore" => {
            r.trips(4).refuses(&["availability-overlap", "capacity-sold"])
        }
        "availability.delete" => r.trips(4),
        _ => r,
    })
    .collect()
}

/// Every rule of a host that can still hold on or after a day.
pub async fn of_host(ctx: &Ctx, host: Host, from: Date) -> Result<Vec<Record<Availability>>> {
    let list = match host {
        Host::Practitioner(_) => &<Availability as store::Entity>::LISTS[0],
        Host::Department(_) => &<Availability as store::Entity>::LISTS[1],
    };
    let wanted = Wanted { from: Some(from.to_string()), ..Wanted::by(&[&host], 100) };
    ctx.store().list_all(list, wanted).await
}

#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Rev {
    rev: u64,
}

fn rev_key(host: Host) -> Key {
    Key::item("avl", host, "rev")
}

/// The commit happens only if no other rule of the host has changed since `seen`.
fn changed_rules(commit: Commit, host: Host, seen: Rev) -> Commit {
    commit.put_over(&rev_key(host), seen.rev, &Rev { rev: seen.rev + 1 })
}

async fn guarded(ctx: &Ctx, record: &Record<Availability>, commit: Commit) -> Result<Commit> {
    let rule = &record.body;
    let host = Host::named(rule.practitioner_id, rule.department_id)?;
    let key = rev_key(host);
    let (rules, rev) =
        futures::try_join!(of_host(ctx, host, rule.valid_from), ctx.store().read::<Rev>(&key))?;
    let others = rules.iter().filter(|r| r.id != record.id && record.deleted_at.is_none());
    for other in others {
        if let Some(day) = overlapping(rule, &other.body) {
            let detail = format!("on {day} this would overlap another rule of the same practitioner");
            return Err(Error::unprocessable("availability-overlap", detail).with("availability", other.id));
        }
    }
    Ok(changed_rules(commit, host, rev.unwrap_or_default()))
}

fn event(record: &Record<Availability>) -> SchedulingEvent {
    let of = record.body.host().map(|h| h.to_string()).unwrap_or_default();
    SchedulingEvent::AvailabilityChanged { availability: record.id, of }
}

impl Hooks for Availability {
    fn before(ctx: &Ctx, _: &str, old: Option<&Record<Self>>, new: &mut Record<Self>) -> Result<()> {
        if old.is_some_and(|old| old.body.host() != new.body.host()) {
            return Err(Error::field("fixed", "/practitioner_id", "a rule stays with whom it was made for"));
        }
        if ctx.reach() < Reach::All
            && ctx.reach() >= Reach::Site
            && !Self::within(new, ctx.reach(), ctx.actor())
        {
            return Err(Error::forbidden("other-site", "this site is not one of yours"));
        }
        Ok(())
    }

    async fn on_write(
        ctx: &Ctx,
        Written { old, new, .. }: Written<'_, Self>,
        commit: Commit,
    ) -> Result<Commit> {
        match old {
            None => own_rule(ctx, new).await?,
            Some(old) if new.body.capacity < old.body.capacity && new.deleted_at.is_none() => {
                appointment::refuse_if_sold(ctx, new).await?;
            }
            Some(_) => {}
        }
        guarded(ctx, new, commit.emit(event(new))).await
    }
}

/// The practitioner exists; who keeps only their own rules makes them for themselves.
async fn own_rule(ctx: &Ctx, new: &Record<Availability>) -> Result<()> {
    let Some(id) = new.body.practitioner_id else {
        return match ctx.reach() {
            Reach::Own => Err(Error::forbidden("forbidden", "a department's rules are kept by the desk")),
            _ => Ok(()),
        };
    };
    let practitioner = practitioner::known(ctx.store().get(id).await)?;
    if !Practitioner::within(&practitioner, ctx.reach(), ctx.actor()) {
        return Err(practitioner::unknown());
    }
    if !practitioner.body.sites.contains(&new.body.site) {
        return Err(Error::field("other-site", "/site", "this practitioner does not work at this site"));
    }
    Ok(())
}
