//! Which method of the API answers a request, as API Gateway's resource tree decides it.
//!
//! Literal segments win over `{id}`, `{id}` over `{proxy+}`. A resource that exists hides the proxy beside it,
//! also for methods it does not have: such a request is refused, exactly as when deployed.

use std::{cmp::Reverse, collections::BTreeMap};

/// One method of one resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Method {
    /// `/v1/tenants/signups/{id}`
    pub resource: String,
    /// `GET`, … or `ANY`
    pub verb: String,
    pub answer: Answer,
    /// Scopes of which the access token must hold one; `None`: no authorizer.
    pub scopes: Option<Vec<String>>,
    pub key_required: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The logical name of the function.
    Function(String),
    /// A mock integration: status and headers are the gateway's own (a static CORS answer).
    Fixed { status: u16, headers: Vec<(String, String)> },
}

impl Default for Answer {
    fn default() -> Self {
        Answer::Fixed { status: 200, headers: Vec::new() }
    }
}

/// The methods by resource; resources without methods are there too, as they hide proxies.
#[derive(Debug, Default)]
pub struct Routes {
    resources: BTreeMap<String, BTreeMap<String, Method>>,
}

/// Name and value of each `{…}` of the resource.
pub type Parameters = Vec<(String, String)>;

#[derive(Debug)]
pub enum Miss {
    NoResource,
    NoMethod,
}

impl Routes {
    pub fn new(methods: impl IntoIterator<Item = Method>) -> Routes {
        let mut routes = Routes::default();
        for method in methods {
            for (at, _) in method.resource.match_indices('/').skip(1) {
                routes.resources.entry(method.resource[..at].into()).or_default();
            }
            let verbs = routes.resources.entry(method.resource.clone()).or_default();
            verbs.insert(method.verb.clone(), method);
        }
        routes
    }

    pub fn iter(&self) -> impl Iterator<Item = &Method> {
        self.resources.values().flat_map(BTreeMap::values)
    }

    /// The method for a verb and a path (without stage), with the path's parameters.
    pub fn find(&self, verb: &str, path: &str) -> Result<(&Method, Parameters), Miss> {
        let segments = split(path);
        let candidates = self.resources.iter().filter(|(resource, _)| fits(&split(resource), &segments));
        let (resource, verbs) =
            candidates.max_by_key(|(resource, _)| rank(&split(resource))).ok_or(Miss::NoResource)?;
        let method = verbs.get(verb).or_else(|| verbs.get("ANY")).ok_or(Miss::NoMethod)?;
        Ok((method, parameters(&split(resource), &segments)))
    }
}

fn split(path: &str) -> Vec<&str> {
    path.trim_matches('/').split('/').collect()
}

fn fits(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.first(), path.first()) {
        (None, None) => true,
        (Some(last), Some(first)) if is_proxy(last) => pattern.len() == 1 && !first.is_empty(),
        (Some(segment), Some(first)) => {
            (segment == first || (is_parameter(segment) && !first.is_empty()))
                && fits(&pattern[1..], &path[1..])
        }
        _ => false,
    }
}

/// Greater is more specific, from the left.
fn rank(pattern: &[&str]) -> Vec<Reverse<u8>> {
    let kind = |segment: &&str| Reverse(is_parameter(segment) as u8 + is_proxy(segment) as u8);
    pattern.iter().map(kind).collect()
}

fn parameters(pattern: &[&str], path: &[&str]) -> Parameters {
    let mut found = Vec::new();
    for (n, segment) in pattern.iter().enumerate().filter(|(_, segment)| is_parameter(segment)) {
        let name = segment.trim_matches(['{', '}', '+']).to_string();
        let value = if is_proxy(segment) { path[n..].join("/") } else { path[n].to_string() };
        found.push((name, value));
    }
    found
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{')
}

fn is_proxy(segment: &str) -> bool {
    segment.ends_with("+}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes() -> Routes {
        let method = |verb: &str, resource: &str, scope: Option<&str>| Method {
            resource: resource.into(),
            verb: verb.into(),
            scopes: scope.map(|s| vec![s.into()]),
            ..Method::default()
        };
        Routes::new([
            method("ANY", "/v1/tenants", Some("api/use")),
            method("ANY", "/v1/tenants/{proxy+}", Some("api/use")),
            method("POST", "/v1/tenants/signups", None),
            method("ANY", "/v1/tenants/signups", Some("api/use")),
            method("GET", "/v1/tenants/signups/{id}", None),
            method("POST", "/v1/tenants/signups/{id}/submit", None),
            method("GET", "/docs/{proxy+}", None),
        ])
    }

    fn found(verb: &str, path: &str) -> Option<(String, String)> {
        let routes = routes();
        routes.find(verb, path).ok().map(|(m, _)| (m.verb.clone(), m.resource.clone()))
    }

    #[test]
    fn the_most_specific_resource_answers() {
        let is = |verb: &str, path: &str, want: (&str, &str)| {
            assert_eq!(found(verb, path), Some((want.0.into(), want.1.into())), "{verb} {path}");
        };
        is("GET", "/v1/tenants/", ("ANY", "/v1/tenants"));
        is("GET", "/v1/tenants/self/settings", ("ANY", "/v1/tenants/{proxy+}"));
        is("POST", "/v1/tenants/signups", ("POST", "/v1/tenants/signups"));
        is("GET", "/v1/tenants/signups", ("ANY", "/v1/tenants/signups"));
        is("POST", "/v1/tenants/signups/sgn_1/submit", ("POST", "/v1/tenants/signups/{id}/submit"));
        is("POST", "/v1/tenants/signups/sgn_1/approve", ("ANY", "/v1/tenants/{proxy+}"));
    }

    #[test]
    fn a_resource_hides_the_proxy_even_for_methods_it_lacks() {
        assert!(matches!(routes().find("DELETE", "/v1/tenants/signups/sgn_1"), Err(Miss::NoMethod)));
        assert!(matches!(routes().find("GET", "/docs"), Err(Miss::NoMethod)));
        assert!(matches!(routes().find("GET", "/v2/tenants"), Err(Miss::NoResource)));
        assert!(matches!(routes().find("GET", "/v1/tenants//x"), Err(Miss::NoResource)));
    }

    #[test]
    fn path_parameters_are_named() {
        let routes = routes();
        let (_, one) = routes.find("GET", "/v1/tenants/signups/sgn_1").unwrap();
        assert_eq!(one, [("id".into(), "sgn_1".into())]);
        let (_, rest) = routes.find("GET", "/docs/assets/a.css").unwrap();
        assert_eq!(rest, [("proxy".into(), "assets/a.css".into())]);
    }
}
