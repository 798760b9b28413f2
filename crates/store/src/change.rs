//! Change records: audit entry, version and outbox event in one item, written in the same transaction as
//! what they describe, and chained by hash.

use crate::{
    Caller, Store,
    chain::{Content, Form, hex_digest, typed_digest},
    item::{Item, b, blob, digest, n, s, text},
    list::stamp,
    schema::{DAY_SHARDS, GSI4, GSI5, GSI6, PK, SK, TRAIL},
};
use jiff::Timestamp;
use kernel::{Error, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A full copy of the record every so many versions, so that `?at=` replays few patches.
pub(crate) const SNAPSHOT_EVERY: u64 = 50;

/// Digest of the record's own item as this change left it.
pub(crate) const AFTER: &str = "after";
/// See [`Content::checks`].
pub(crate) const CHECKS: &str = "checks";

/// Bytes of patch and snapshot in one change.
const ROOM: usize = 300 * 1024;

/// One version of a record: who, what, when, why.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    pub version: u64,
    pub at: Timestamp,
    pub by: String,
    #[serde(default)]
    pub roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub elevated: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf: Option<String>,
    pub request: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The route's operation; of changes that a request made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// The first change of a chain of rules, then the rules in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cause: Vec<String>,
    /// `create`, `update`, `delete`, `restore`, or the command.
    pub action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Sealed<String>>,
    /// JSON Patch with the `old` values; at version 1 empty, since everything is new.
    #[serde(default)]
    pub patch: Sealed<Value>,
    /// Ids and codes only.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub event: Value,
    pub prev: String,
    pub hash: String,
}

/// A change about to be written.
pub(crate) struct Draft {
    pub kind: &'static str,
    pub id: String,
    pub version: u64,
    pub action: String,
    pub at: Timestamp,
    pub old: Option<Value>,
    pub new: Value,
    pub prev: String,
    pub event: Value,
    /// The earliest due time this version has.
    pub due: Option<Timestamp>,
}

/// Who caused it, beside the caller's public part.
#[derive(Serialize, Deserialize, Default)]
pub(crate) struct Context {
    pub reason: Option<String>,
    pub ip: String,
    pub agent: String,
}

impl Draft {
    /// The item and its hash. `after`: digest of the record's own item, as this change leaves it.
    pub fn item(&self, store: &Store, reason: Option<&str>, after: String) -> Result<(Item, String)> {
        let Caller { by, roles, elevated, on_behalf, request, cause, ip, agent, session, route } =
            &*store.caller;
        let pk = format!("{}#chg#{}#{}", store.scope, self.kind, self.id);
        let sk = format!("v#{:010}", self.version);
        let place = |name: &str| format!("{pk}|{sk}|{name}");
        let seal = |name: &str, value: &Value| store.ring.seal(&place(name), value.to_string().into_bytes());

        let patch = self.old.as_ref().map(|old| seal("patch", &patch(old, &self.new)));
        let snapshot = (self.version == 1 || self.version.is_multiple_of(SNAPSHOT_EVERY))
            .then(|| seal("snapshot", &self.new));
        // Beside a large patch there is no room for a copy of a large record: the one before is replayed from instead.
        let patched = patch.as_ref().map_or(0, Vec::len);
        let snapshot = snapshot.filter(|s| self.version == 1 || s.len() + patched <= ROOM);
        let context = Context { reason: reason.map(Into::into), ip: ip.clone(), agent: agent.clone() };
        let context = seal("context", &serde_json::to_value(context).map_err(Error::internal)?);
        let event: Option<aws_sdk_dynamodb::types::AttributeValue> = (!self.event.is_null())
            .then(|| serde_dynamo::to_attribute_value(&self.event))
            .transpose()
            .map_err(Error::internal)?;

        let content = Content {
            patch: patch.as_deref().map(hex_digest),
            snapshot: snapshot.as_deref().map(hex_digest),
            context: Some(hex_digest(&context)),
            event: event.as_ref().map(typed_digest),
            record: Some(after.clone()),
        };
        let form = Form {
            pk: pk.clone(),
            version: self.version,
            at: stamp(self.at),
            by: by.clone(),
            roles: roles.clone(),
            elevated: elevated.clone(),
            on_behalf: on_behalf.clone(),
            request: request.clone(),
            session: session.clone(),
            route: route.clone(),
            action: self.action.clone(),
            content,
            prev: self.prev.clone(),
        };
        let hash = form.hash();

        // Nothing stands here that its place says, and no digest of what lies beside it: below 1 KB it costs two units.
        let own = json!({"by": by, "roles": roles, "request": request, "action": self.action});
        let mut item: Item = serde_dynamo::to_item(own).map_err(Error::internal)?;
        let mut put = |name: &str, value| item.insert(name.into(), value);
        put("prev", digest(&self.prev)?);
        put("hash", digest(&hash)?);
        put(AFTER, digest(&after)?);
        put(CHECKS, b(form.content.checks()));
        put(PK, s(&pk));
        put(SK, s(&sk));
        put("version", n(self.version));
        put("context", b(context));
        if let Some(e) = elevated {
            put("elevated", s(e));
        }
        let own = [("on_behalf", on_behalf), ("session", session), ("route", route)];
        for (name, value) in own.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            put(name, s(value));
        }
        if !cause.is_empty() {
            put("cause", serde_dynamo::to_attribute_value(cause).map_err(Error::internal)?);
        }
        if let Some(p) = patch {
            put("patch", b(p));
        }
        if let Some(p) = snapshot {
            put("snapshot", b(p));
        }
        if let Some(e) = event {
            put("event", e);
        }
        if let Some(due) = self.due {
            put("due", s(stamp(due)));
        }
        self.index(store, by, &form.at, &mut item);
        Ok((item, hash))
    }

    fn index(&self, store: &Store, by: &str, at: &str, item: &mut Item) {
        let scope = store.scope;
        let shard = self.id.bytes().fold(0u32, |h, b| h.wrapping_mul(31).wrapping_add(b.into())) % DAY_SHARDS;
        let (day, month) = (&at[..10], &at[..7]);
        let mut put = |name: &str, value: String| item.insert(name.into(), s(value));
        put(GSI4.pk, format!("{scope}#change#{day}#{shard}"));
        put(GSI5.pk, format!("{scope}#actor#{}", crate::segment(by)));
        put(GSI6.pk, format!("{scope}#act#{}.{}#{month}", self.kind, crate::segment(&self.action)));
        put(TRAIL, sort(at, &self.id, self.version));
    }
}

/// Where a change stands in the order of the trail.
pub(crate) fn sort(at: &str, id: &str, version: u64) -> String {
    format!("{at}#{id}#{version:010}")
}

/// Kind and record of a change, by its partition key; none of another item's.
pub(crate) fn record_at(pk: &str) -> Option<(&str, &str)> {
    pk.split_once("#chg#")?.1.split_once('#')
}

pub(crate) fn record_of(item: &Item) -> Result<(&str, &str)> {
    record_at(text(item, PK)?).ok_or_else(|| Error::internal("a change record at an odd place"))
}

/// When a change was made: its place in the trail begins with it.
pub(crate) fn made_at(item: &Item) -> Result<&str> {
    Ok(text(item, TRAIL)?.split('#').next().unwrap_or_default())
}

/// A change record as it is told: with what its place says of it, its digests in hexadecimal, and without what is sealed.
pub(crate) fn told(mut item: Item) -> Result<Item> {
    let (kind, id) = record_of(&item)?;
    let mut names = vec![("kind", s(kind)), ("id", s(id)), ("at", s(made_at(&item)?))];
    for name in ["prev", "hash"] {
        names.extend(blob(&item, name).map(|digest| (name, s(hex::encode(digest)))));
    }
    item.retain(|_, value| !value.is_b());
    item.extend(names.into_iter().map(|(name, value)| (name.to_string(), value)));
    Ok(item)
}

/// RFC 6902, each operation with the value it replaced.
fn patch(old: &Value, new: &Value) -> Value {
    let mut patch = serde_json::to_value(json_patch::diff(old, new)).unwrap_or_default();
    for operation in patch.as_array_mut().into_iter().flatten() {
        let was = operation["path"].as_str().and_then(|p| old.pointer(p)).cloned();
        if let Some(was) = was.filter(|_| operation["op"] != "add") {
            operation["old"] = was;
        }
    }
    patch
}
