//! Where and how somebody signs in. Whoever asks learns nothing that they did not bring.

use crate::{letter, lookup};
use axum::{http::Method, routing::post};
use kernel::{Error, Result, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use web::{Answer, Anyone, Body, Door, Route, Shown, ok, route};

#[derive(Deserialize, JsonSchema)]
pub struct Discover {
    /// The organisation's short name.
    #[schemars(length(min = 1, max = 30))]
    slug: Option<String>,
    #[schemars(length(min = 1, max = 254))]
    login_name: String,
}

/// With an organisation: what the hosted login takes as the user's name. Computed, not looked up.
#[derive(Serialize, JsonSchema)]
pub struct Way {
    method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    login_hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'static str>,
}

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::POST, "/v1/identity/discover", Door::Public, "discovery.create", post(discover))
            .trips(2)
            .takes::<Discover>()
            .gives::<Way>(200)
            .or(202)
            .refuses(&["rate-limited"])
            .says("How to sign in; without an organisation, a letter lists where the address has accounts"),
    ]
}

async fn discover(anyone: Anyone, Body(asked): Body<Discover>) -> Answer {
    let name = asked.login_name.trim().to_lowercase();
    if let Some(slug) = asked.slug {
        text::slug(&slug).map_err(|e| Error::Invalid(vec![e.fault("/slug")]))?;
        return ok(&Way { method: "password", login_hint: Some(format!("{slug}/{name}")), message: None });
    }
    let address = text::email(&name).map_err(|_| {
        Error::invalid("/slug", "required", "name the organisation, or sign in with an e-mail address")
    })?;
    anyone.hourly("discover", 20).await?;
    write(&anyone, &address).await?;
    let message = Some("we have written to you: the letter lists your organisations");
    Ok(Shown::of(202, &Way { method: "letter", login_hint: None, message })?.respond())
}

/// Only to addresses that have an account: a letter to a stranger would be unwanted mail in our name.
async fn write(anyone: &Anyone, address: &str) -> Result<()> {
    let platform = anyone.platform().await?;
    let found = lookup::address(&platform, address).await?;
    if found.is_empty() {
        return Ok(());
    }
    let slugs: Vec<String> = found.into_iter().map(|f| f.slug).collect();
    anyone.app().mail().send(letter::organisations(address, &slugs)).await
}
