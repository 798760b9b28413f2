//! Audit.

use web::Module;

/// The module: its routes and what it does on messages.
pub fn module() -> Module {
    Module::new("audit", vec![])
}
