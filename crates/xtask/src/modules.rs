//! Every module of the product, one line each. Their routes are documented and compared with the template; no
//! handler is ever called here.

use web::Module;

pub fn all() -> Vec<Module> {
    vec![]
}
