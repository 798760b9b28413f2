//! The steps of a round, and what a reader can rely on in each.

use super::Round;
use crate::Reply;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Members that every version has for itself, and what its reader may do.
const OWN: [&str; 5] = ["version", "updated_at", "deleted_at", "actions", "head"];

impl Round<'_> {
    pub(super) async fn walk(self) {
        let one = self.one();
        let began = self.shown().await;
        self.listed(began.as_ref()).await;
        let patched = self.patched(began.as_ref()).await;
        let stands = match &patched {
            Some(patched) => Some(patched.clone()),
            None => began.clone(),
        };
        let newest = self.told(began.as_ref(), stands.as_ref()).await;
        self.stood(began.as_ref(), stands.as_ref(), newest).await;
        self.differs(began.as_ref(), patched.as_ref(), newest).await;
        if self.has("delete", "DELETE", &one) {
            self.removed(stands.as_ref()).await;
        }
    }

    /// It is shown, with its version as its ETag.
    async fn shown(&self) -> Option<Value> {
        if !self.has("show", "GET", &self.one()) {
            return None;
        }
        let reply = self.reader.get(&self.one()).await;
        let etag = reply.etag.clone();
        let body = reply.ok();
        assert_eq!(body["id"], *self.id, "{}: {body:#}", self.one());
        if let Some(version) = body["version"].as_u64() {
            assert_eq!(etag, Some(format!("\"{version}\"")), "the ETag of {}", self.one());
        }
        Some(body)
    }

    /// Its list holds it, as it is shown.
    async fn listed(&self, shown: Option<&Value>) {
        if !self.has("list", "GET", &self.path) {
            return;
        }
        let found = self.find().await;
        let found = found.unwrap_or_else(|| panic!("{}{} does not list {}", self.path, self.query, self.id));
        if let Some(shown) = shown {
            let (found, shown) = (self.fields(&found), self.fields(shown));
            for (name, value) in found.as_object().into_iter().flatten() {
                if let Some(own) = shown.get(name) {
                    assert_eq!(own, value, "{name} of {} in its list", self.one());
                }
            }
        }
    }

    async fn find(&self) -> Option<Value> {
        let mut cursor: Option<String> = None;
        loop {
            let separator = if self.query.is_empty() { '?' } else { '&' };
            let more = cursor.map(|c| format!("{separator}cursor={c}")).unwrap_or_default();
            let page = self.reader.get(&format!("{}{}{more}", self.path, self.query)).await.ok();
            let all =
                page["data"].as_array().unwrap_or_else(|| panic!("{} has no data: {page:#}", self.path));
            if let Some(found) = all.iter().find(|one| one["id"] == *self.id) {
                return Some(found.clone());
            }
            cursor = Some(page["next"].as_str()?.to_string());
        }
    }

    /// It is changed at the version that was read, and at no other; the answer is what is shown from then on.
    async fn patched(&self, began: Option<&Value>) -> Option<Value> {
        let one = self.one();
        if !self.has("patch", "PATCH", &one) {
            assert!(self.change.is_none(), "{one} is told to change, and declares no PATCH");
            return None;
        }
        let Some(change) = self.change.clone() else {
            let (status, code) =
                self.refused("patch").unwrap_or_else(|| panic!("{one} can be changed: say how"));
            self.call(self.by, "PATCH", &one).body(json!({})).send().await.refused(status, code);
            return None;
        };
        if let Some((status, code)) = self.refused("patch") {
            self.call(self.by, "PATCH", &one).body(change).send().await.refused(status, code);
            return None;
        }
        let version = began.and_then(|b| b["version"].as_u64());
        let mut call = self.call(self.by, "PATCH", &one).body(change.clone());
        if let Some(version) = version {
            let stale = self.call(self.by, "PATCH", &one).body(change.clone()).if_match(version + 40);
            stale.send().await.refused(412, "stale");
            call = call.if_match(version);
        }
        let reply = call.send().await;
        let etag = reply.etag.clone();
        let answer = reply.ok();
        if let Some(version) = version {
            assert_eq!(answer["version"], version + 1, "PATCH {one}");
            assert_eq!(etag, Some(format!("\"{}\"", version + 1)), "the ETag of a changed {one}");
        }
        holds(&answer, &change, &one);
        let Some(shown) = self.shown().await else { return Some(answer) };
        if answer["id"] == shown["id"] && answer["version"] == shown["version"] {
            for (name, value) in answer.as_object().into_iter().flatten().filter(|(n, _)| *n != "actions") {
                assert_eq!(
                    shown.get(name).unwrap_or(&Value::Null),
                    value,
                    "{name} of {one}, changed and shown"
                );
            }
        }
        Some(shown)
    }

    /// Its history has each version once, newest first, with who and when.
    async fn told(&self, began: Option<&Value>, stands: Option<&Value>) -> Option<u64> {
        let path = format!("{}/history", self.one());
        if !self.has("history", "GET", &path) {
            return None;
        }
        let told = self.reader.get(&path).await.ok();
        let lines = told["data"].as_array().unwrap_or_else(|| panic!("{path}: {told:#}"));
        let versions: Vec<u64> = lines.iter().filter_map(|line| line["version"].as_u64()).collect();
        let newest = *versions.first().unwrap_or_else(|| panic!("{path} tells of no version: {told:#}"));
        let due: Vec<u64> = (1..=newest).rev().take(lines.len()).collect();
        assert_eq!(versions, due, "{path}: each version once, newest first");
        assert!(lines.len() as u64 == newest || lines.len() == 25, "{path} leaves versions out: {told:#}");
        for line in lines {
            let said = |name: &str| line[name].as_str().is_some_and(|text| !text.is_empty());
            assert!(said("by") && said("at") && said("action"), "{path}: who, when and what: {line:#}");
        }
        if let Some(version) = stands.and_then(|s| s["version"].as_u64()) {
            assert_eq!(newest, version, "{path}");
        }
        if self.change.is_some() && began != stands {
            assert_eq!(lines[0]["by"], *self.by.user(), "{path}: {:#}", lines[0]);
            if let Some(reason) = &self.reason {
                assert_eq!(lines[0]["reason"], **reason, "{path}: {:#}", lines[0]);
            }
        }
        if self.by.ledger.asks("GET", &path) {
            let page = self.reader.get(&format!("{path}?limit=1")).await.ok();
            assert_eq!(page["data"].as_array().map(Vec::len), Some(1), "{path}?limit=1: {page:#}");
            assert_eq!(page["next"].is_null(), newest == 1, "{path}?limit=1: {page:#}");
        }
        Some(newest)
    }

    /// The first version reads as it was made, the newest as it is shown.
    async fn stood(&self, began: Option<&Value>, stands: Option<&Value>, newest: Option<u64>) {
        let Some(first) = self.version(1).await else { return };
        assert_eq!(first["change"]["version"], 1, "{}: {first:#}", self.one());
        self.is_as(&first["record"], began.filter(|b| b["version"] == 1), "version 1");
        if let Some(newest) = newest.filter(|newest| *newest > 1)
            && let Some(last) = self.version(newest).await
        {
            self.is_as(&last["record"], stands, "the newest version");
        }
        let beyond = format!("{}/history/{}", self.one(), newest.unwrap_or(1) + 1);
        self.reader.get(&beyond).await.missing();
    }

    async fn version(&self, version: u64) -> Option<Value> {
        let path = format!("{}/history/{version}", self.one());
        if !self.has("version", "GET", &path) {
            return None;
        }
        let stood = self.reader.get(&path).await.ok();
        assert_eq!(stood["record"]["id"], *self.id, "{path}: {stood:#}");
        assert_eq!(stood["record"]["version"], version, "{path}: {stood:#}");
        Some(stood)
    }

    /// What a version holds is what was shown of it.
    fn is_as(&self, version: &Value, shown: Option<&Value>, which: &str) {
        let Some(shown) = shown else { return };
        let (version, shown) = (self.fields(version), self.fields(shown));
        for (name, value) in shown.as_object().into_iter().flatten() {
            assert_eq!(
                version.get(name).unwrap_or(&Value::Null),
                value,
                "{name} of {which} of {}",
                self.one()
            );
        }
    }

    /// The difference of two versions names what differs between them, and nothing else.
    async fn differs(&self, began: Option<&Value>, patched: Option<&Value>, newest: Option<u64>) {
        let path = format!("{}/history/diff", self.one());
        if !self.has("diff", "GET", &path) {
            return;
        }
        let version = |shown: Option<&Value>| shown.and_then(|s| s["version"].as_u64());
        let newest = version(patched).or(newest).unwrap_or(1);
        let before = version(began).filter(|_| patched.is_some()).unwrap_or(1);
        let told = self.reader.get(&format!("{path}?from={before}&to={newest}")).await.ok();
        let changes = told["data"].as_array().unwrap_or_else(|| panic!("{path}: {told:#}"));
        let named: BTreeSet<&str> = changes.iter().filter_map(|c| c["path"].as_str()).map(member).collect();
        for change in changes {
            assert_ne!(change["from"], change["to"], "{path} names what did not change: {told:#}");
        }
        if let (Some(old), Some(new)) = (began, patched) {
            let (old, new) = (self.fields(old), self.fields(new));
            let names = [&old, &new].into_iter().flat_map(|r| r.as_object()).flatten().map(|(name, _)| name);
            let differ = |name: &&String| old.get(*name) != new.get(*name);
            let shown: BTreeSet<&str> = names.filter(differ).map(String::as_str).collect();
            assert_eq!(named, shown, "{path}: what it names, and what differs in what was shown");
        }
        let none = self.reader.get(&format!("{path}?from={newest}&to={newest}")).await.ok();
        assert_eq!(none["data"], json!([]), "{path}: nothing differs from itself");
        self.reader.get(&format!("{path}?from={}&to={newest}", newest + 1)).await.refused(422, "bad-range");
    }

    /// Deleted, it is neither shown nor listed, and cannot be deleted again; brought back, it is as it was.
    async fn removed(&self, stands: Option<&Value>) {
        let (one, restore) = (self.one(), format!("{}/restore", self.one()));
        if let Some((status, code)) = self.refused("delete") {
            self.call(self.remover, "DELETE", &one).send().await.refused(status, code);
            return;
        }
        if self.has("restore", "POST", &restore) {
            let early = self.call(self.remover, "POST", &restore).send().await;
            early.refused(422, "state");
        }
        self.call(self.remover, "DELETE", &one).send().await.done();
        self.call(self.remover, "DELETE", &one).send().await.missing();
        if self.has("show", "GET", &one) {
            self.reader.get(&one).await.missing();
        }
        if self.has("list", "GET", &self.path) {
            assert_eq!(self.find().await, None, "{} is deleted, and listed", self.one());
        }
        if !self.has("restore", "POST", &restore) {
            return;
        }
        if let Some((status, code)) = self.refused("restore") {
            self.call(self.remover, "POST", &restore).send().await.refused(status, code);
            return;
        }
        let back: Reply = self.call(self.remover, "POST", &restore).send().await;
        let back = back.ok();
        assert_eq!(back["id"], *self.id, "{restore}: {back:#}");
        if let (Some(stands), Some(shown)) = (stands, self.shown().await) {
            assert_eq!(self.fields(&shown), self.fields(stands), "{restore}: as it was");
            assert_eq!(shown["version"].as_u64(), stands["version"].as_u64().map(|v| v + 2), "{restore}");
        }
    }

    /// A record's fields, without what each version has for itself; what is not there is null.
    fn fields(&self, record: &Value) -> Value {
        let mut record = record.clone();
        if let Some(members) = record.as_object_mut() {
            members.retain(|name, value| {
                !OWN.contains(&name.as_str()) && !self.derived.contains(&name.as_str()) && !value.is_null()
            });
        }
        record
    }
}

/// `/name/0` → `name`
fn member(pointer: &str) -> &str {
    pointer.trim_start_matches('/').split('/').next().unwrap_or_default()
}

/// An answer holds what was sent.
fn holds(answer: &Value, sent: &Value, what: &str) {
    match (answer, sent) {
        (Value::Object(_), Value::Object(members)) => {
            for (name, value) in members {
                holds(answer.get(name).unwrap_or(&Value::Null), value, what);
            }
        }
        (answer, sent) => assert_eq!(answer, sent, "{what} was told to hold it"),
    }
}
