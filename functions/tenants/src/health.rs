//! Is the function there, and does it reach the table?

use axum::{http::Method, routing::get};
use kernel::Error;
use schemars::JsonSchema;
use serde::Serialize;
use store::Key;
use web::{Answer, Anyone, Door, Route, ok, route};

#[derive(Serialize, JsonSchema)]
struct Health {
    status: &'static str,
    stage: String,
    region: String,
}

pub fn routes() -> Vec<Route> {
    vec![
        route(Method::GET, "/v1/health", Door::Public, "health.view", get(health))
            .trips(0)
            .gives::<Health>(200)
            .says("The function answers"),
        route(Method::GET, "/v1/ready", Door::Public, "health.ready", get(ready))
            .trips(1)
            .gives::<Health>(200)
            .says("The function answers, and the table does: keys are unwrapped and an item is read"),
    ]
}

fn state(anyone: &Anyone, status: &'static str) -> Health {
    let place = anyone.app().place();
    Health { status, stage: place.stage.clone(), region: place.region.clone() }
}

async fn health(anyone: Anyone) -> Answer {
    ok(&state(&anyone, "ok"))
}

async fn ready(anyone: Anyone) -> Answer {
    let reached = async {
        let platform = anyone.platform().await?;
        platform.read::<serde_json::Value>(&Key::quota("platform_admins", 0)).await
    };
    match reached.await {
        Ok(Some(_)) => ok(&state(&anyone, "ready")),
        Ok(None) => Err(unready("the platform is not seeded yet").into()),
        Err(error) => {
            tracing::error!(%error, "not ready");
            Err(unready("the table does not answer").into())
        }
    }
}

fn unready(detail: &str) -> Error {
    Error::refuse(kernel::Kind::Unavailable, "not-ready", detail)
}
