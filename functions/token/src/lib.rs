//! What Cognito asks before it signs: may this login have a token, and what does it say? One function for two
//! triggers, pre-token-generation V3_0 and pre-authentication. It refers to no pool: the event names everything.
//!
//! A sign-in costs one batch of reads and one commit; a refresh the batch alone. Federated logins (IDN-7) find
//! their place in [`person`], where the attributes are read.

mod attempt;
mod claims;
pub mod event;
mod machine;
mod person;
mod reading;
mod refusal;

pub use event::{Event, Response};

use kernel::{Error, Result};
use serde_json::Value;
use web::App;

/// Answers one event of Cognito's. An error is the refusal: Cognito then gives no token (or asks for no
/// password), and its text is what the person sees.
pub async fn handle(app: &App, event: Event) -> Result<Event> {
    match event.trigger_source.as_str() {
        "TokenGeneration_ClientCredentials" => machine::answer(app, event).await,
        source if source.starts_with("TokenGeneration_") => person::answer(app, event).await,
        source if source.starts_with("PreAuthentication_") => attempt::answer(app, event).await,
        source => Err(Error::internal(format!("no trigger of ours: {source}"))),
    }
}

/// The same from and to the JSON that the runtime carries.
pub async fn answer(app: &App, event: Value) -> Result<Value> {
    let event = serde_json::from_value(event).map_err(Error::internal)?;
    serde_json::to_value(handle(app, event).await?).map_err(Error::internal)
}
