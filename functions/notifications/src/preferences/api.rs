//! One's own wishes; and the one click at the foot of a letter that ends a category.

use super::{Preferences, day_of};
use crate::{
    delivery::Delivery,
    ids, spelling,
    words::{Category, Channel},
};
use axum::{
    http::Method,
    routing::{get, patch, post},
};
use events::NotificationEvent;
use jiff::tz::TimeZone;
use kernel::{DeliveryId, Error, Fault, PreferencesId, Result, error::faultless};
use store::{Record, Store};
use web::{Answer, Anyone, Ctx, Door, Named, Raw, Route, check as body, noun::View, ok, route};

const PATH: &str = "/v1/notifications/preferences";
/// The purpose of links that end letters.
pub const LEAVE: &str = "notifications.leave";

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, PATH, "preference.view", "preferences.show", get(show))
            .gives::<View<'static, Preferences>>(200)
            .trips(1)
            .says("What one wants to be told, how and when"),
        route(Method::PATCH, PATH, "preference.edit", "preferences.update", patch(amend))
            .patches::<Preferences>()
            .gives::<View<'static, Preferences>>(200)
            .trips(2)
            .refuses(&["protected-notification"])
            .says("Changes them by a merge patch"),
        route(
            Method::POST,
            "/v1/notifications/unsubscribe/{token}",
            Door::Public,
            "preferences.leave",
            post(leave),
        )
        .answers(204)
        .trips(4)
        .says("Ends the letters of one category: what the link at a letter's foot does (RFC 8058)"),
    ]
}

/// The stored ones, or those of somebody who never said anything.
async fn find(store: &Store, person: &str) -> Result<Record<Preferences>> {
    let id: PreferencesId = ids::of_person(person)?;
    match store.fresh(id).await {
        Err(Error::Missing) => {
            let body = Preferences { user: person.into(), ..Preferences::default() };
            let mut record = Record::with_id(id, store.now(), body);
            record.version = 0;
            Ok(record)
        }
        other => other,
    }
}

async fn show(ctx: Ctx) -> Answer {
    let record = find(ctx.store(), &ctx.actor().user).await?;
    ok(&View::owned(&ctx, record))
}

async fn amend(ctx: Ctx, Raw(patch): Raw) -> Answer {
    let old = find(ctx.store(), &ctx.actor().user).await?;
    old.matches(ctx.if_match())?;
    let wanted: Preferences = body::merge_patch(&old.body, &patch)?;
    sound(&wanted)?;
    let event = NotificationEvent::PreferenceChanged { preferences: old.id, user: old.body.user.clone() };
    let (new, commit) = written(&ctx.store().clone(), ctx.commit(), &old, wanted);
    ctx.settle(commit.emit(event), ctx.shown(200, &new)?).await
}

fn written(
    store: &Store,
    commit: store::Commit,
    old: &Record<Preferences>,
    wanted: Preferences,
) -> (Record<Preferences>, store::Commit) {
    match old.version {
        0 => {
            let new = Record::with_id(old.id, store.now(), wanted);
            let commit = commit.create(&new);
            (new, commit)
        }
        _ => {
            let mut new = old.next(store.now());
            new.body = wanted;
            let commit = commit.update("update", old, &new);
            (new, commit)
        }
    }
}

fn sound(wanted: &Preferences) -> Result<()> {
    let mut faults = vec![];
    let known: Vec<&str> = Category::ALL.iter().map(|c| c.as_str()).collect();
    for name in wanted.categories.keys().filter(|name| !known.contains(&name.as_str())) {
        let detail = format!("there is no category {name}{}", spelling::nearest(name, &known));
        faults.push(Fault::new(format!("/categories/{name}"), "unknown", detail));
    }
    if wanted.time_zone.as_deref().is_some_and(|z| TimeZone::get(z).is_err()) {
        let detail = "expected a zone of the IANA list, such as Africa/Lagos";
        faults.push(Fault::new("/time_zone", "time-zone", detail));
    }
    if wanted.quiet.iter().flat_map(|q| &q.days).any(|d| day_of(*d).is_none()) {
        faults.push(Fault::new("/quiet/days", "range", "1 (Monday) to 7"));
    }
    faultless(faults)?;
    let account = wanted.categories.get(Category::Account.as_str());
    let declined = account.is_some_and(|w| [w.inapp, w.email, w.sms, w.push].contains(&Some(false)));
    if declined {
        let detail = "messages about one's own account cannot be switched off";
        return Err(Error::field("protected-notification", "/categories/account", detail));
    }
    Ok(())
}

/// Whoever holds the letter may end its category: the link is sealed, and says which.
async fn leave(anyone: Anyone, Named(token): Named) -> Answer {
    let (link, store) = anyone.link(&token).await?;
    let id: DeliveryId = link.is_of(LEAVE)?;
    let delivery = store.get::<Delivery>(id).await?.body;
    let old = find(&store, &delivery.recipient).await?;
    if !old.body.takes(delivery.category, Channel::Email) {
        return web::deleted();
    }
    let mut wanted = old.body.clone();
    wanted.categories.entry(delivery.category.to_string()).or_default().set(Channel::Email, false);
    let event = NotificationEvent::PreferenceChanged { preferences: old.id, user: old.body.user.clone() };
    let (_, commit) = written(&store, store.commit(), &old, wanted);
    commit.emit(event).run().await?;
    web::deleted()
}
