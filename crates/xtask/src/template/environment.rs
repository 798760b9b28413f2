//! What the functions read from their environment is what the template gives them.

use local::template::function::Function;
use runtime::Config;
use std::{cell::RefCell, collections::BTreeSet};
use web::Module;

/// Variables that some functions alone are given. All others are everybody's.
const OF_SOME: [(&str, Whose); 8] = [
    ("PUBLIC_URL", Whose::Routed),
    ("USER_POOL", Whose::Named(&["identity", "integrations"])),
    ("APP_CLIENT", Whose::Named(&["identity"])),
    ("ADMIN_CLIENT", Whose::Named(&["identity"])),
    ("USAGE_PLANS", Whose::Named(&["integrations"])),
    ("SIGNING_KEY", Whose::Named(&["audit", "documents"])),
    ("CONFIGURATION_SET", Whose::Named(&["notifications"])),
    ("SOCKET_ENDPOINT", Whose::Named(&["notifications"])),
];

/// Read by what we use, not by us.
const OF_LIBRARIES: [&str; 1] = ["AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH"];

#[derive(Clone, Copy)]
enum Whose {
    /// Every function behind the API.
    Routed,
    Named(&'static [&'static str]),
}

pub fn differences(functions: &[Function], modules: &[Module]) -> Vec<String> {
    let read = read_by_config();
    let mut found = vec![];
    for function in functions {
        let Function { name, environment, .. } = function;
        let wanted: BTreeSet<&str> =
            read.iter().map(String::as_str).filter(|v| wants(name, v, modules)).collect();
        let missing = wanted.iter().filter(|variable| !environment.contains_key(**variable));
        found.extend(missing.map(|variable| format!("{name}: is not given {variable}")));
        let unread = environment
            .keys()
            .filter(|v| !wanted.contains(v.as_str()) && !OF_LIBRARIES.contains(&v.as_str()));
        found.extend(unread.map(|variable| format!("{name}: is given {variable}, which it does not read")));
        if let Err(error) = Config::read(|variable| environment.get(variable).cloned()) {
            found.push(format!("{name}: would not start: {}", cause(&error)));
        }
    }
    found
}

fn wants(function: &str, variable: &str, modules: &[Module]) -> bool {
    match OF_SOME.iter().find(|(name, _)| *name == variable) {
        None => true,
        Some((_, Whose::Named(names))) => names.contains(&function),
        Some((_, Whose::Routed)) => modules.iter().any(|m| m.name == function && !m.routes.is_empty()),
    }
}

/// The names that the configuration asks for.
fn read_by_config() -> BTreeSet<String> {
    let asked = RefCell::new(BTreeSet::new());
    let _ = Config::read(|name| {
        asked.borrow_mut().insert(name.to_string());
        Some("x".into())
    });
    asked.into_inner()
}

fn cause(error: &kernel::Error) -> String {
    match error {
        kernel::Error::Internal(source) => source.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn given(name: &str, change: impl Fn(&str) -> Option<&'static str>) -> Function {
        let all = read_by_config();
        let environment = all
            .iter()
            .filter(|v| wants(name, v, &[]))
            .filter_map(|v| Some((v.clone(), change(v)?.to_string())));
        Function {
            name: name.into(),
            environment: environment.collect(),
            timeout: Duration::from_secs(1),
            sources: vec![],
        }
    }

    #[test]
    fn what_is_read_is_given() {
        assert!(read_by_config().contains("TABLE"));
        assert_eq!(
            differences(&[given("dispatch", |_| Some("x")), given("identity", |_| Some("x"))], &[]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn a_missing_variable_is_named_with_its_function() {
        let found = differences(&[given("dispatch", |v| (v != "BUS").then_some("x"))], &[]);
        assert_eq!(found, ["dispatch: is not given BUS"]);
        let found = differences(&[given("identity", |v| (v != "USER_POOL").then_some("x"))], &[]);
        assert_eq!(found, ["identity: is not given USER_POOL"]);
    }

    #[test]
    fn an_empty_variable_that_is_needed_would_stop_the_function() {
        let found = differences(&[given("dispatch", |v| Some(if v == "TABLE" { "" } else { "x" }))], &[]);
        assert_eq!(found, ["dispatch: would not start: the variable TABLE is not set"]);
    }

    #[test]
    fn a_variable_that_nobody_reads_is_named() {
        let mut function = given("dispatch", |_| Some("x"));
        function.environment.insert("POOL".into(), "x".into());
        assert_eq!(differences(&[function], &[]), ["dispatch: is given POOL, which it does not read"]);
    }
}
