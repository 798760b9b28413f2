//! Every route of the code is reached as its door says, and nothing is open that the code does not know.

use local::gateway::route::{Answer, Method, Routes};
use std::collections::BTreeSet;
use web::{Door, Module, Route};

const PEOPLE: &str = "api/use";
const PARTNERS: &str = "api/partner";

pub fn differences(methods: &[Method], modules: &[Module]) -> Vec<String> {
    let routes = Routes::new(methods.iter().cloned());
    let mut found = vec![];
    for module in modules {
        for route in &module.routes {
            found.extend(behind_its_door(&routes, module, route));
        }
    }
    found.extend(methods.iter().filter_map(|method| open_by_accident(method, modules)));
    found.extend(methods.iter().filter_map(of_partners));
    found.extend(methods.iter().filter_map(|method| to_no_module(method, modules)));
    found.extend(without_preflight(methods));
    found
}

fn behind_its_door(routes: &Routes, module: &Module, route: &Route) -> Vec<String> {
    let (verb, path) = (route.method.as_str(), filled(&route.path));
    if route.door == Door::Public {
        return reached(routes, module, verb, &path, route, &Wanted::Public).into_iter().collect();
    }
    let mut found: Vec<_> =
        reached(routes, module, verb, &path, route, &Wanted::People).into_iter().collect();
    // What lies outside the module's own addresses (/v1/me) is for people alone.
    if within(&route.path, &format!("/v1/{}", module.name)) {
        found.extend(reached(routes, module, verb, &format!("/partner{path}"), route, &Wanted::Partners));
    }
    found
}

fn within(path: &str, base: &str) -> bool {
    path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

enum Wanted {
    Public,
    People,
    Partners,
}

impl Wanted {
    /// What is wrong with the method, if anything.
    fn refuses(&self, method: &Method) -> Option<&'static str> {
        let scopes: Option<Vec<&str>> =
            method.scopes.as_ref().map(|all| all.iter().map(String::as_str).collect());
        let is = |scope| scopes.as_deref() == Some(&[scope]);
        match self {
            Wanted::Public if method.scopes.is_some() || method.key_required => {
                Some("is public in the code, and behind the authorizer in the template")
            }
            Wanted::Public if method.verb == "ANY" => {
                Some("is public in the code, where the template opens every method")
            }
            Wanted::Public => None,
            Wanted::People if method.scopes.is_none() => {
                Some("is not public in the code, and public in the template")
            }
            Wanted::People if !is(PEOPLE) || method.key_required => {
                Some("must ask for the scope api/use and no key")
            }
            Wanted::People => None,
            Wanted::Partners if !is(PARTNERS) || !method.key_required => {
                Some("must ask partners for the scope api/partner and an API key")
            }
            Wanted::Partners => None,
        }
    }
}

fn reached(
    routes: &Routes,
    module: &Module,
    verb: &str,
    path: &str,
    route: &Route,
    wanted: &Wanted,
) -> Option<String> {
    let partner = if path.starts_with("/partner/") { "/partner" } else { "" };
    let name = format!("{verb} {partner}{} ({})", route.path, route.operation);
    let Ok((method, _)) = routes.find(verb, path) else {
        return Some(format!("{name}: the template has no method that answers it"));
    };
    let place = format!("{} {}", method.verb, method.resource);
    if method.answer != Answer::Function(module.name.into()) {
        return Some(format!("{name}: {place} does not lead to {}", module.name));
    }
    wanted.refuses(method).map(|why| format!("{name}: {why} ({place})"))
}

/// A public method that no public route of the code stands behind.
fn open_by_accident(method: &Method, modules: &[Module]) -> Option<String> {
    let Method { resource, verb, .. } = method;
    if method.scopes.is_some() || verb == "OPTIONS" {
        return None;
    }
    if verb == "ANY" {
        return Some(format!("ANY {resource}: public for every method; name the methods"));
    }
    let Answer::Function(function) = &method.answer else { return None };
    let module = modules.iter().find(|module| module.name == function);
    let mut open = module.into_iter().flat_map(|m| &m.routes).filter(|r| r.door == Door::Public);
    let known = open.any(|route| route.method.as_str() == verb && stands_behind(resource, &route.path));
    (!known).then(|| format!("{verb} {resource}: public in the template, and no public route of {function}"))
}

/// `{a}` is `{b}`; `{proxy+}` is one or more segments.
fn stands_behind(resource: &str, path: &str) -> bool {
    let (mut resource, mut path) = (resource.split('/'), path.split('/'));
    loop {
        match (resource.next(), path.next()) {
            (None, None) => return true,
            (Some(rest), Some(_)) if rest.ends_with("+}") => return true,
            (Some(a), Some(b))
                if a == b || (a.starts_with('{') && b.starts_with('{') && !b.starts_with("{*")) => {}
            _ => return false,
        }
    }
}

fn of_partners(method: &Method) -> Option<String> {
    let partner = method.resource.starts_with("/partner/") && method.verb != "OPTIONS";
    let why = Wanted::Partners.refuses(method).filter(|_| partner)?;
    Some(format!("{} {}: {why}", method.verb, method.resource))
}

fn to_no_module(method: &Method, modules: &[Module]) -> Option<String> {
    let Answer::Function(name) = &method.answer else { return None };
    let known = modules.iter().any(|module| module.name == name && !module.routes.is_empty());
    (!known).then(|| format!("{} {}: {name} is no module with routes", method.verb, method.resource))
}

/// A browser asks before it calls, and has no token yet.
fn without_preflight(methods: &[Method]) -> Vec<String> {
    let open = methods.iter().filter(|m| m.verb == "OPTIONS" && m.scopes.is_none() && !m.key_required);
    let open: BTreeSet<&str> = open.map(|m| m.resource.as_str()).collect();
    let all: BTreeSet<&str> = methods.iter().map(|m| m.resource.as_str()).collect();
    all.difference(&open).map(|resource| format!("{resource}: has no public OPTIONS")).collect()
}

/// A path as somebody calls it, with a word at every parameter that is no literal anywhere.
fn filled(path: &str) -> String {
    let segment = |s: &str| if s.starts_with('{') { "~".to_string() } else { s.to_string() };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests;
