//! `GET /v1/scheduling/slots`.

use super::{Diary, Slot, Wanted};
use crate::{host::Host, kinds, practitioner::Practitioner};
use authz::Only;
use axum::{http::Method, routing::get};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp, ToSpan, civil::Date};
use kernel::{DepartmentId, Error, PractitionerId, Result, SiteId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Entity, Record};
use web::{Answer, Ctx, Query, Reach, Route, ok, route};

/// Days of one question, and practitioners of a specialty.
const DAYS: i32 = 14;
const PRACTITIONERS: i32 = 20;

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/v1/scheduling/slots", "slot.view", "slot.list", get(list))
            .asks::<Asked>()
            .gives::<Slots>(200)
            // One wave for one practitioner; a specialty's practitioners are looked up before.
            .trips(1)
            .refuses(&["too-many-days", "host"])
            .says("Free slots of a practitioner, a specialty or a department: rules − blocks − claims"),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct Asked {
    practitioner: Option<PractitionerId>,
    department: Option<DepartmentId>,
    #[schemars(length(max = 40))]
    specialty: Option<String>,
    site: SiteId,
    /// Local days of the site, at most 14.
    from: Date,
    to: Option<Date>,
    #[serde(rename = "type")]
    #[schemars(length(max = 40))]
    kind: Option<String>,
    #[schemars(range(min = 5, max = 120))]
    minutes: Option<u32>,
}

/// Free slots, earliest first.
#[derive(Serialize, JsonSchema)]
struct Slots {
    data: Vec<Slot>,
}

async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Answer {
    let to = asked.to.unwrap_or(asked.from);
    if to < asked.from || asked.from.checked_add(DAYS.days()).is_ok_and(|end| to >= end) {
        return Err(Error::field("too-many-days", "?to", "from the first day to at most the 14th").into());
    }
    if let Some(kind) = &asked.kind {
        kinds::known(&ctx, kind)?;
    }
    let hosts = hosts(&ctx, &asked).await?;
    let days = (asked.from, to);
    let read = hosts.iter().map(|host| Diary::read(&ctx, *host, asked.site, days, None));
    let mut data: Vec<Slot> = vec![];
    for diary in try_join_all(read).await? {
        data.extend(offered(&ctx, &diary, &asked, to));
    }
    data.sort_by_key(|s| (s.start, s.practitioner));
    ok(&Slots { data })
}

/// What this caller may be offered: patients only what they may book themselves.
fn offered(ctx: &Ctx, diary: &Diary, asked: &Asked, to: Date) -> Vec<Slot> {
    let mut wanted =
        Wanted { from: ctx.now(), to: Timestamp::MAX, minutes: asked.minutes, kind: asked.kind.clone() };
    if let Some(p) = diary.profile() {
        let kind_fits = |k: &String| p.bookable_types.is_empty() || p.bookable_types.contains(k);
        if !p.active || !asked.kind.as_ref().is_none_or(kind_fits) {
            return vec![];
        }
        if ctx.only() == Some(Only::SelfBooking) {
            if !p.self_booking {
                return vec![];
            }
            wanted.from = ctx.now() + SignedDuration::from_mins(i64::from(p.min_notice_minutes));
            wanted.to = ctx.now() + SignedDuration::from_hours(24 * i64::from(p.max_ahead_days));
        }
    }
    diary.slots(asked.from, to, &wanted)
}

async fn hosts(ctx: &Ctx, asked: &Asked) -> Result<Vec<Host>> {
    let Some(specialty) = &asked.specialty else {
        return Ok(vec![Host::named(asked.practitioner, asked.department)?]);
    };
    if asked.practitioner.is_some() || asked.department.is_some() {
        return Err(Error::field("host", "?specialty", "name a practitioner, a department or a specialty"));
    }
    let wanted = store::Wanted::by(&[specialty], PRACTITIONERS);
    let page = ctx.store().list(&Practitioner::LISTS[2], &wanted).await?;
    let here = |r: &Record<Practitioner>| r.body.active && r.body.sites.contains(&asked.site);
    Ok(page.data.iter().filter(|r| here(r)).map(|r| Host::Practitioner(r.id)).collect())
}

/// Whether the caller's rights end at a site they do not have.
pub fn at_site(ctx: &Ctx, site: SiteId) -> Result<()> {
    match ctx.reach() {
        Reach::Site | Reach::Team if !ctx.actor().sites.has(&site) => {
            Err(Error::forbidden("other-site", "this site is not one of yours"))
        }
        _ => Ok(()),
    }
}
