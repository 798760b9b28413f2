//! A new e-mail address: a code goes to the new one, a notice to the old one.

use super::changing;
use crate::{
    code, letter, spelling,
    user::{User, standing},
};
use axum::{http::Method, routing::post};
use events::IdentityEvent;
use kernel::{Error, error::faultless};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use store::Entity;
use web::{Answer, Body, Ctx, Door, Route, Shown, noun::View, route};

#[derive(Deserialize, JsonSchema)]
pub struct Wanted {
    #[schemars(email, length(max = 254))]
    email: String,
}

#[derive(Deserialize, JsonSchema)]
pub struct Code {
    #[schemars(regex(pattern = r"^[0-9]{6}$"))]
    pub code: String,
}

const PURPOSE: &str = "email";

pub fn routes() -> Vec<Route> {
    let path = "/v1/identity/me/email";
    vec![
        route(Method::POST, path, Door::SignedIn, "me.change-email", post(ask))
            .trips(4)
            .takes::<Wanted>()
            .answers(202)
            .refuses(&["too-many-codes", "duplicate"])
            .says("Sends a code to a new e-mail address"),
        route(Method::POST, format!("{path}/verify"), Door::SignedIn, "me.verify-email", post(verify))
            .trips(3)
            .takes::<Code>()
            .gives::<View<'static, User>>(200)
            .refuses(&["wrong-code", "duplicate"])
            .says("Confirms the new address by its code"),
    ]
}

async fn ask(ctx: Ctx, Body(wanted): Body<Wanted>) -> Answer {
    let own = changing(&ctx).await?;
    let mut faults = vec![];
    let email = spelling::email(Some(wanted.email), &mut faults);
    faultless(faults)?;
    let email = email.ok_or(Error::Missing)?;
    let field = User::UNIQUE[0].field;
    if ctx.store().guarded::<User>(field, &email).await?.is_some() {
        return Err(Error::Duplicate { field, code: "duplicate", owner: String::new() }.into());
    }
    let code = code::issue(ctx.store(), PURPOSE, &own.id.to_string(), Some(&email)).await?;
    ctx.app().mail().send(letter::address_code(&email, &ctx.tenant()?.name, &code)).await?;
    let answer = json!({"message": "a code was sent to the new address; it works for 15 minutes"});
    Ok(Shown::of(202, &answer)?.respond())
}

/// The name to sign in with stays; only the address changes.
async fn verify(ctx: Ctx, Body(Code { code }): Body<Code>) -> Answer {
    let old = changing(&ctx).await?;
    let (ended, address) = code::redeem(ctx.store(), PURPOSE, &old.id.to_string(), &code).await?;
    let address = address.ok_or(Error::Missing)?;
    let mut new = old.next(ctx.now());
    (new.body.email, new.body.email_verified_at) = (Some(address.into()), Some(new.updated_at));
    let commit =
        ctx.commit().update("verify-email", &old, &new).emit(IdentityEvent::UserChanged { user: new.id });
    let commit = standing::follow(commit, Some(&old), &new).joined(ended);
    let shown = ctx.shown(200, &new)?;
    let answer = ctx.settle(commit, shown).await?;
    let what = "The e-mail address of your account was changed.";
    if let Some(letter) = letter::notice(&old.body, &ctx.tenant()?.name, what) {
        ctx.app().mail().send(letter).await?;
    }
    Ok(answer)
}
