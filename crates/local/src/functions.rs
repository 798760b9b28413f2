//! The functions in this process: the one place that knows every module.

mod inside;

pub use inside::{app, consumer};

use crate::{
    emulator::{Caller, pool::Pool},
    gateway,
    handler::Handler,
    queue::Queues,
    table::Table,
    template::Template,
    trouble::Outcome,
};
use kernel::Clock;
use std::{collections::HashMap, sync::Arc};
use web::{App, Module};

/// What functions find around them.
pub struct Surroundings {
    pub template: Arc<Template>,
    pub table: Arc<Table>,
    pub queues: Arc<Queues>,
    pub clock: Clock,
    pub pool: Pool,
    /// The emulator's services.
    pub emulator: Caller,
    /// Where the API answers, for links in mails.
    pub public_url: String,
    /// What tenants' keys are wrapped with.
    pub master: [u8; 32],
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
    pub fn add(&mut self, around: &Surroundings, module: Module, app: &App) -> Outcome<()> {
        let declared = around.template.function(module.name)?;
        self.http.insert(module.name.into(), web::mount(&module, app.clone()));
        let name = module.name.to_string();
        self.handlers.insert(name, consumer(Arc::new(module), app.clone(), declared.timeout));
        Ok(())
    }
}

/// Every module of the product, each with the ports it needs.
pub async fn assemble(around: &Surroundings) -> Outcome<Functions> {
    let _app = app(around);
    // The modules' crates are added here one by one: `functions.add(around, patients::module(), &app)?`.
    Ok(Functions::default())
}
