//! What is declared twice in this repository is the same twice.

use xtask::{budgets, modules, openapi, template, workspace};

#[test]
fn the_documented_api_is_the_one_that_answers() {
    if let Err(trouble) = openapi::check(&workspace::root()) {
        panic!("{trouble}");
    }
}

#[test]
fn the_templates_are_what_the_code_is() {
    if let Err(trouble) = template::check(&workspace::root()) {
        panic!("{trouble}");
    }
}

#[test]
fn every_operation_states_what_it_costs() {
    let found = budgets::stated(&modules::all());
    assert!(found.is_empty(), "{}", found.join("\n"));
}
