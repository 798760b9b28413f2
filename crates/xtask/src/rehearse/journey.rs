//! What is done with the deployed product: an organisation from its sign-up to its first patient and appointment, by
//! the steps that its own people take (`local::demo`), through the gateway, the pool's login page and the letters.

mod doors;
mod house;
mod rest;
mod spine;
mod walls;

use super::{stack::Stack, steps::Steps};
use kernel::Clock;
use local::{demo::Visitor, trouble::Outcome};
use std::path::Path;

/// What every step has at hand.
pub struct Scene<'a> {
    pub steps: &'a Steps,
    pub stack: &'a Stack,
    /// Somebody at the API without a token.
    pub door: Visitor,
    pub clock: Clock,
    /// Where the run keeps its files, and what runs the emulator.
    pub folder: &'a Path,
    pub python: &'a Path,
}

/// `functions`: all of them.
pub async fn go(scene: &Scene<'_>, functions: &[&str]) -> Outcome<()> {
    let steps = scene.steps;
    steps.take("health", &["tenants"], doors::health(scene)).await?;
    steps.take("strangers", &["patients"], doors::strangers(scene)).await?;
    let operator = steps.take("operator", &["token", "identity"], doors::operator(scene)).await?;
    let signup = steps.take("sign-up", &["tenants"], house::sign_up(scene)).await?;
    steps.take("approval", &["tenants", "token"], house::approve(&operator, &signup)).await?;
    let chain = ["tenants", "dispatch", "identity"];
    steps.take("event to letter", &chain, house::letter(scene)).await?;
    let admin = steps.take("administrator", &["identity", "token"], house::administrator(scene)).await?;
    steps.take("token", &["token"], house::token(&admin)).await?;
    let house = steps.take("staff", &["identity", "tenants", "scheduling"], house::staff(admin)).await?;
    let heard = ["identity", "dispatch", "notifications"];
    let house = steps.take("message", &heard, spine::message(house)).await?;
    steps.take("file", &["documents"], spine::file(&house)).await?;
    steps.take("live updates", &["notifications"], spine::live(scene, &house)).await?;
    let patient = steps.take("patient", &["patients"], house::patient(&house)).await?;
    steps.take("appointment", &["scheduling"], house::appointment(&house, &patient)).await?;
    steps.take("walls", &["probe"], walls::hold(scene, house.tenant())).await?;
    steps.take("clock", &["clock"], rest::clock(scene)).await?;
    steps.take("queues", functions, rest::queues(scene)).await?;
    steps.take("policies", &[], rest::policies(scene)).await
}
