//! Every function named in the template is a folder with a binary of that name, and the other way round.

use crate::workspace::Function as Built;
use local::template::function::Function;
use std::collections::BTreeMap;

/// `binaries` by the function's logical name: what the template says it is built from.
pub fn differences(
    declared: &[Function],
    binaries: &BTreeMap<String, String>,
    built: &[Built],
) -> Vec<String> {
    let mut found = vec![];
    for Function { name, .. } in declared {
        match built.iter().find(|b| b.name == *name) {
            None => {
                found.push(format!("{name}: a function of the template without a folder functions/{name}"))
            }
            Some(b) if !b.binaries.contains(name) => {
                found.push(format!("{name}: functions/{name} builds no binary {name}"))
            }
            Some(_) => {}
        }
        let id = format!("{}Function", capital(name));
        match binaries.get(&id) {
            Some(binary) if binary == name => {}
            Some(binary) => found.push(format!("{name}: {id} is built from the binary {binary:?}")),
            None => found.push(format!("{name}: its resource is not called {id}")),
        }
    }
    for Built { name, .. } in built.iter().filter(|b| !b.binaries.is_empty()) {
        if !declared.iter().any(|function| function.name == *name) {
            found.push(format!("{name}: functions/{name} is no function of the template"));
        }
    }
    found
}

pub(super) fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn declared(name: &str) -> Function {
        Function {
            name: name.into(),
            environment: BTreeMap::new(),
            timeout: Duration::from_secs(1),
            sources: vec![],
        }
    }

    fn built(name: &str, binaries: &[&str]) -> Built {
        Built { name: name.into(), binaries: binaries.iter().map(|b| b.to_string()).collect() }
    }

    fn found(functions: &[&str], folders: &[Built]) -> Vec<String> {
        let declared: Vec<_> = functions.iter().map(|name| declared(name)).collect();
        let binaries = BTreeMap::from([
            ("RoomsFunction".to_string(), "rooms".to_string()),
            ("BedsFunction".into(), "bed".into()),
        ]);
        differences(&declared, &binaries, folders)
    }

    #[test]
    fn a_function_is_a_folder_with_a_binary() {
        assert_eq!(found(&["rooms"], &[built("rooms", &["rooms"])]), Vec::<String>::new());
        assert!(found(&["rooms"], &[])[0].contains("without a folder"));
        assert!(found(&["rooms"], &[built("rooms", &["room"])])[0].contains("builds no binary rooms"));
        assert!(
            found(&["beds"], &[built("beds", &["beds"])])[0].contains("is built from the binary \"bed\"")
        );
    }

    #[test]
    fn a_folder_with_a_binary_is_a_function() {
        assert!(found(&[], &[built("rooms", &["rooms"])])[0].contains("no function of the template"));
        assert_eq!(found(&[], &[built("rooms", &[])]), Vec::<String>::new(), "a library is not deployed");
    }
}
