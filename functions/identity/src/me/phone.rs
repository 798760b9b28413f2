//! One's telephone: a code sent to it shows that it is one's own. Codes go to no other telephone.

use super::{address::Code, changing};
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
use web::{Answer, Body, Ctx, Door, Route, Shown, Sms, noun::View, route};

#[derive(Deserialize, JsonSchema)]
pub struct Wanted {
    /// As it is dialled in the organisation's country.
    #[schemars(length(min = 5, max = 40))]
    phone: String,
}

const PURPOSE: &str = "phone";

pub fn routes() -> Vec<Route> {
    let path = "/v1/identity/me/phone";
    vec![
        route(Method::POST, path, Door::SignedIn, "me.change-phone", post(ask))
            .takes::<Wanted>()
            .answers(202)
            .trips(4)
            .refuses(&["too-many-codes"])
            .says("Sends a code by SMS to one's telephone"),
        route(Method::POST, format!("{path}/verify"), Door::SignedIn, "me.verify-phone", post(verify))
            .takes::<Code>()
            .gives::<View<'static, User>>(200)
            .trips(4)
            .refuses(&["wrong-code"])
            .says("Confirms the telephone by its code"),
    ]
}

async fn ask(ctx: Ctx, Body(wanted): Body<Wanted>) -> Answer {
    let own = changing(&ctx).await?;
    let tenant = ctx.tenant()?;
    let mut faults = vec![];
    let phone = spelling::phone(Some(wanted.phone), &tenant.country, &mut faults);
    faultless(faults)?;
    let phone = phone.ok_or(Error::Missing)?;
    let code = code::issue(ctx.store(), PURPOSE, &own.id.to_string(), Some(&phone)).await?;
    let text = letter::short_code(&tenant.name, &code);
    Sms::new(ctx.store(), &phone, text, code::LASTS).send(ctx.app(), ctx.store()).await?;
    let answer = json!({"message": "a code was sent by SMS; it works for 15 minutes"});
    Ok(Shown::of(202, &answer)?.respond())
}

async fn verify(ctx: Ctx, Body(Code { code }): Body<Code>) -> Answer {
    let old = changing(&ctx).await?;
    let (ended, phone) = code::redeem(ctx.store(), PURPOSE, &old.id.to_string(), &code).await?;
    let phone = phone.ok_or(Error::Missing)?;
    let mut new = old.next(ctx.now());
    (new.body.phone, new.body.phone_verified_at) = (Some(phone.into()), Some(new.updated_at));
    let commit =
        ctx.commit().update("verify-phone", &old, &new).emit(IdentityEvent::UserChanged { user: new.id });
    let commit = standing::follow(commit, Some(&old), &new).joined(ended);
    let answer = ctx.settle(commit, ctx.shown(200, &new)?).await?;
    let what = "The telephone of your account was changed.";
    if let Some(letter) = letter::notice(&old.body, &ctx.tenant()?.name, what) {
        ctx.app().mail().send(letter).await?;
    }
    Ok(answer)
}
