//! The functions in this process: the one place that knows every module.

mod inside;

pub use inside::{app, consumer, place};

use crate::{
    emulator::{Caller, pool::Pool},
    files::Shelf,
    gateway,
    handler::{Handler, Work},
    live::Hub,
    machines::Machines,
    queue::Queues,
    signing::Pen,
    table::Table,
    template::{STACK, Template},
    trouble::Outcome,
};
use integrations::{Https, Permit};
use kernel::Clock;
use serde_json::Value;
use std::{collections::HashMap, net::SocketAddr, sync::Arc};
use web::{App, Module};

/// What functions find around them.
pub struct Surroundings {
    pub template: Arc<Template>,
    pub table: Arc<Table>,
    /// Where the functions reach the table.
    pub table_address: SocketAddr,
    pub queues: Arc<Queues>,
    /// Where queues and bus answer to the SDK.
    pub queues_address: SocketAddr,
    pub clock: Clock,
    pub pool: Pool,
    /// The emulator's services.
    pub emulator: Caller,
    /// Where the API answers, for links in mails.
    pub public_url: String,
    /// What tenants' keys are wrapped with.
    pub master: [u8; 32],
    pub shelf: Arc<Shelf>,
    /// Open connections of the live updates.
    pub live: Arc<Hub>,
    /// Partners' machines and their API keys.
    pub machines: Arc<Machines>,
    /// Where webhooks may go.
    pub webhooks: Permit,
    /// What digests and signed documents are signed with.
    pub pen: Pen,
}

impl Surroundings {
    /// Whom letters come from.
    pub fn sender(&self) -> String {
        let declared = self.template.functions.iter().find_map(|function| function.environment.get("SENDER"));
        declared.cloned().unwrap_or_default()
    }
}

/// The functions by their name in the template.
#[derive(Default)]
pub struct Functions {
    /// Those behind the API.
    pub http: gateway::Functions,
    /// Those woken by queues, the stream, schedules or Cognito (`token`).
    pub handlers: HashMap<String, Handler>,
}

impl Functions {
    /// A module serves its routes and consumes its queue.
    pub fn add(&mut self, around: &Surroundings, module: Module) -> Outcome<()> {
        let declared = around.template.function(module.name)?;
        let app = app(around);
        self.http.insert(module.name.into(), web::mount(&module, app.clone()));
        let name = module.name.to_string();
        self.handlers.insert(name, consumer(Arc::new(module), app, declared.timeout));
        Ok(())
    }

    /// A function without routes: what the stream, a schedule or Cognito wakes.
    fn wake(
        &mut self,
        around: &Surroundings,
        name: &str,
        run: impl Fn(Value) -> Work + Send + Sync + 'static,
    ) -> Outcome<()> {
        let declared = around.template.function(name)?;
        self.handlers.insert(name.into(), Handler::new(declared.timeout, run));
        Ok(())
    }
}

/// Every module of the product, each with the ports it needs. As when deployed, no function sees what another has
/// cached: each has an [`App`] of its own.
pub async fn assemble(around: &Surroundings) -> Outcome<Functions> {
    let mut functions = Functions::default();
    functions.add(around, tenants::module())?;
    functions.add(around, identity::module(logins(around)))?;
    functions.add(around, patients::module())?;
    functions.add(around, scheduling::module())?;
    functions.add(around, audit::module())?;
    functions.add(around, documents::module())?;
    functions.add(around, notifications::module(channels(around)))?;
    let wire = Arc::new(Https::new(around.webhooks));
    functions.add(around, integrations::module(around.machines.clone(), wire))?;
    functions.add(around, workflow::module())?;
    functions.add(around, eap::module())?;
    functions.wake(around, "dispatch", dispatch(around))?;
    functions.wake(around, "clock", clock(app(around)))?;
    functions.wake(around, "token", token(app(around)))?;
    Ok(functions)
}

/// The table's stream goes to the bus as when deployed, through the SDK.
fn dispatch(around: &Surroundings) -> impl Fn(Value) -> Work + Send + Sync + 'static {
    let client = aws_sdk_eventbridge::Client::new(&place(&format!("http://{}", around.queues_address)));
    let bus = Arc::new(dispatch::EventBridge::new(client, STACK));
    let app = app(around);
    move |batch| {
        let (app, bus) = (app.clone(), bus.clone());
        Box::pin(async move { dispatch::handle(&app, &*bus, &batch).await.map_err(|cause| told(&cause)) })
    }
}

fn clock(app: App) -> impl Fn(Value) -> Work + Send + Sync + 'static {
    let clock = Arc::new(clock::Clock::default());
    move |beat| {
        let (app, clock) = (app.clone(), clock.clone());
        Box::pin(async move { clock.beat(&app, &beat).await.map_err(|cause| told(&cause)) })
    }
}

fn token(app: App) -> impl Fn(Value) -> Work + Send + Sync + 'static {
    move |event| {
        let app = app.clone();
        Box::pin(async move { token::answer(&app, event).await.map_err(|cause| told(&cause)) })
    }
}

/// The user pool on the emulator, through the SDK as when deployed.
pub fn logins(around: &Surroundings) -> identity::Pool {
    let client = aws_sdk_cognitoidentityprovider::Client::new(&place(&around.emulator.address));
    Arc::new(identity::Cognito::new(client, &around.pool.id))
}

/// Letters by the emulator's SES; SMS and push are recorded, and shown by `GET /v1/notifications/outbox`.
fn channels(around: &Surroundings) -> notifications::Channels {
    let client = aws_sdk_sesv2::Client::new(&place(&around.emulator.address));
    let recorder = |channel| Arc::new(notifications::Recorder::new(channel, around.clock.clone()));
    notifications::Channels {
        email: Arc::new(notifications::Ses::new(client, &around.sender(), None)),
        sms: recorder("sms"),
        push: recorder("push"),
        sockets: around.live.clone(),
    }
}

/// An error with its source, which callers of the API do not get to see.
fn told(cause: &kernel::Error) -> String {
    match cause {
        kernel::Error::Internal(source) => source.to_string(),
        other => other.to_string(),
    }
}
