//! One's own profile: how one is called, reached and shown things (IDN-10). Rights and addresses are not in it.

use super::changing;
use crate::{
    spelling,
    user::{Accessibility, ContactPreference, Gender, User, standing},
};
use axum::{
    http::Method,
    routing::{get, patch},
};
use events::IdentityEvent;
use jiff::civil::Date;
use kernel::{DocumentId, Error, error::faultless};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use web::{Answer, Ctx, Door, Raw, Route, check, noun::View, route};

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    preferred_name: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    date_of_birth: Option<Sealed<Date>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gender: Option<Sealed<Gender>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image: Option<DocumentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1000))]
    bio: Option<Sealed<String>>,
    /// BCP 47.
    #[schemars(regex(pattern = r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"), length(max = 35))]
    language: String,
    /// IANA.
    #[schemars(length(min = 1, max = 60))]
    time_zone: String,
    #[serde(default)]
    contact_preference: ContactPreference,
    #[serde(default)]
    accessibility: Accessibility,
}

impl Profile {
    fn of(user: User) -> Self {
        let User { preferred_name, date_of_birth, gender, image, bio, language, time_zone, .. } = user;
        let User { contact_preference, accessibility, .. } = user;
        Self {
            preferred_name,
            date_of_birth,
            gender,
            image,
            bio,
            language,
            time_zone,
            contact_preference,
            accessibility,
        }
    }

    fn onto(self, user: &mut User) {
        let Self { preferred_name, date_of_birth, gender, image, bio, language, time_zone, .. } = self;
        (user.preferred_name, user.date_of_birth, user.gender) = (preferred_name, date_of_birth, gender);
        (user.image, user.bio, user.language, user.time_zone) = (image, bio, language, time_zone);
        (user.contact_preference, user.accessibility) = (self.contact_preference, self.accessibility);
    }
}

pub fn routes() -> Vec<Route> {
    let path = "/v1/identity/me";
    vec![
        route(Method::GET, path, Door::SignedIn, "me.show", get(show))
            .gives::<View<'static, User>>(200)
            .trips(1)
            .says("One's own record"),
        route(Method::PATCH, path, Door::SignedIn, "me.update", patch(amend))
            .patches::<Profile>()
            .gives::<View<'static, User>>(200)
            .trips(2)
            .says("Changes one's own profile and preferences"),
    ]
}

async fn show(ctx: Ctx) -> Answer {
    let own = super::own(&ctx).await?.ok_or(Error::Missing)?;
    Ok(ctx.shown(200, &own)?.respond())
}

async fn amend(ctx: Ctx, Raw(patch): Raw) -> Answer {
    let old = changing(&ctx).await?;
    old.matches(ctx.if_match())?;
    let mut profile = check::merge_patch(&Profile::of(old.body.clone()), &patch)?;
    let mut faults = vec![];
    profile.preferred_name =
        profile.preferred_name.map(|n| spelling::name(n.0, "/preferred_name", &mut faults).into());
    spelling::zone(&profile.time_zone, &mut faults);
    faultless(faults)?;
    let mut new = old.next(ctx.now());
    profile.onto(&mut new.body);
    let commit = ctx.commit().update("update", &old, &new).emit(IdentityEvent::UserChanged { user: new.id });
    let commit = standing::follow(commit, Some(&old), &new);
    let shown = ctx.shown(200, &new)?;
    ctx.settle(commit, shown).await
}
