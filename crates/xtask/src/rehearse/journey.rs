//! What is done with the deployed product: an organisation from its sign-up to its first patient and appointment, by
//! the steps that its own people take (`local::demo`), through the gateway, the pool's login page and the letters.

mod doors;
mod house;
mod rest;

use super::{lodge::Lodge, stack::Stack, steps::Steps};
use kernel::Clock;
use local::{demo::Visitor, trouble::Outcome};

/// What every step has at hand.
pub struct Scene<'a> {
    pub steps: &'a Steps,
    pub stack: &'a Stack,
    /// Somebody at the API without a token.
    pub door: Visitor,
    pub clock: Clock,
}

pub async fn go(steps: &Steps, stack: &Stack) -> Outcome<()> {
    let lodge = Lodge::open(&steps.aws, stack).await?;
    let door = Visitor::between(&stack.api(&steps.aws)?, &lodge.address)?;
    let scene = Scene { steps, stack, door, clock: Clock::default() };
    steps.take("health", &["tenants"], doors::health(&scene)).await?;
    steps.take("strangers", &["patients"], doors::strangers(&scene)).await?;
    let operator = steps.take("operator", &["token", "identity"], doors::operator(&scene)).await?;
    let signup = steps.take("sign-up", &["tenants"], house::sign_up(&scene)).await?;
    steps.take("approval", &["tenants", "token"], house::approve(&scene, &operator, &signup)).await?;
    let chain = ["tenants", "dispatch", "identity"];
    steps.take("event to letter", &chain, house::letter(&scene)).await?;
    let admin = steps.take("administrator", &["identity", "token"], house::administrator(&scene)).await?;
    steps.take("token", &["token"], house::token(&admin)).await?;
    let house = steps.take("staff", &["identity", "tenants", "scheduling"], house::staff(&scene, admin)).await?;
    let patient = steps.take("patient", &["patients"], house::patient(&house)).await?;
    steps.take("appointment", &["scheduling"], house::appointment(&house, &patient)).await?;
    steps.take("clock", &["clock"], rest::clock(&scene)).await?;
    steps.take("queues", &all(), rest::queues(&scene)).await?;
    steps.take("policies", &[], rest::policies(&scene)).await
}

/// The functions that queues wake.
fn all() -> Vec<&'static str> {
    vec!["dispatch", "tenants", "identity", "patients", "scheduling", "audit", "documents", "notifications"]
}
