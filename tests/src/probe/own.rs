//! What an organisation's own people find when they follow its lists.

use crate::house::House;
use std::collections::{BTreeMap, BTreeSet};
use testkit::Actor;
use web::{Door, Route};

/// Values of path parameters, by the path that they stand in: `/v1/patients/{id}/allergies/{part}` → patient, allergy.
pub struct Resources {
    by_path: BTreeMap<String, Vec<String>>,
    /// Ids by their kind.
    pub ids: BTreeMap<String, Vec<String>>,
    /// Continuations of its lists, by the list's path.
    pub cursors: BTreeMap<String, String>,
    /// Bytes that its own people were shown.
    pub shown: Vec<u8>,
}

impl Resources {
    /// Asks every route that reads, first those without a parameter, then those whose parameters are known by then.
    pub async fn of(house: &House, routes: &[Route]) -> Self {
        let who = house.everybody();
        let mut found =
            Self { by_path: BTreeMap::new(), ids: BTreeMap::new(), cursors: BTreeMap::new(), shown: vec![] };
        for asked in house.asked.iter().filter(|a| a.method == "POST") {
            if let Some(id) = asked.answer["id"].as_str() {
                found.learn(routes, &format!("{}/{id}", asked.path));
            }
        }
        let mut done = BTreeSet::new();
        loop {
            let known = found.by_path.len();
            for route in routes.iter().filter(|r| r.method == "GET" && r.door != Door::Public) {
                let Some(path) = found.filled(&route.path) else { continue };
                if done.insert(path.clone()) {
                    found.ask(&who, routes, &path).await;
                }
            }
            if found.by_path.len() == known {
                return found;
            }
        }
    }

    async fn ask(&mut self, who: &Actor, routes: &[Route], path: &str) {
        // With a limit of one, so that there is a continuation where there are two.
        let short = who.get(&format!("{path}?limit=1")).await;
        if let Some(next) = short.body["next"].as_str() {
            self.cursors.insert(path.into(), next.into());
        }
        let reply = who.call("GET", path).because("the house looks at itself").send().await;
        self.shown.extend_from_slice(&reply.bytes);
        for row in reply.body["data"].as_array().into_iter().flatten() {
            for name in ["id", "code", "version", "day", "slug"] {
                if let Some(id) = row[name].as_str() {
                    self.learn(routes, &format!("{path}/{id}"));
                }
            }
        }
    }

    /// That something lies at a path.
    fn learn(&mut self, routes: &[Route], path: &str) {
        for route in routes {
            if let Some((template, values)) = matched(&route.path, path) {
                for value in &values {
                    let Some((kind, _)) = value.split_once('_').filter(|(k, _)| k.len() == 3) else {
                        continue;
                    };
                    let of_kind = self.ids.entry(kind.into()).or_default();
                    if !of_kind.contains(value) {
                        of_kind.push(value.clone());
                    }
                }
                self.by_path.entry(template).or_insert(values);
            }
        }
    }

    /// The values of this path's parameters, if everything up to the last of them is known.
    pub fn values(&self, path: &str) -> Option<Vec<String>> {
        let template = stem(path);
        if template.is_empty() {
            return Some(vec![]);
        }
        if let Some(values) = self.by_path.get(&template) {
            return Some(values.clone());
        }
        // A version of what is known; any record where any may be asked for.
        let (front, last) = template.rsplit_once('/')?;
        match last {
            "{version}" => self.values(front).map(|v| [v, vec!["1".into()]].concat()),
            "{section}" => Some(vec!["locale".into()]),
            "{id}" | "{record}" if front.starts_with("/v1/audit") => {
                Some(vec![self.ids.get("pat")?[0].clone()])
            }
            _ => None,
        }
    }

    fn filled(&self, path: &str) -> Option<String> {
        Some(fill(path, &self.values(path)?))
    }

    pub fn id(&self, kind: &str) -> Option<&String> {
        self.ids.get(kind)?.first()
    }
}

/// A path up to its last parameter; nothing, if it has none.
pub fn stem(path: &str) -> String {
    path.rfind('}').map(|at| path[..=at].to_string()).unwrap_or_default()
}

pub fn fill(path: &str, values: &[String]) -> String {
    let mut values = values.iter();
    let word =
        |w: &str| if w.starts_with('{') { values.next().cloned().unwrap_or_default() } else { w.into() };
    path.split('/').map(word).collect::<Vec<String>>().join("/")
}

/// The stem of a route's path that a concrete one fits in, and what stands at its parameters.
fn matched(route: &str, path: &str) -> Option<(String, Vec<String>)> {
    let template = stem(route);
    let words: Vec<&str> = path.split('/').collect();
    let mut values = vec![];
    // A prefix of the stem that ends with a parameter.
    let parts: Vec<&str> = template.split('/').collect();
    if parts.len() < words.len() || !parts.get(words.len() - 1)?.starts_with('{') {
        return None;
    }
    for (part, word) in parts.iter().zip(&words) {
        match part.starts_with('{') {
            true => values.push((*word).to_string()),
            false if part == word => {}
            false => return None,
        }
    }
    Some((parts[..words.len()].join("/"), values))
}

/// Whether a concrete path is one of this route's.
pub fn fits(route: &str, path: &str) -> bool {
    let (route, path): (Vec<&str>, Vec<&str>) = (route.split('/').collect(), path.split('/').collect());
    route.len() == path.len() && route.iter().zip(path).all(|(r, p)| r.starts_with('{') || *r == p)
}
