//! Integrations.

use web::Module;

/// The module: its routes and what it does on messages.
pub fn module() -> Module {
    Module::new("integrations", vec![])
}
