//! What a condition is told of an event: ids and codes, and of the record what lies open.

use super::catalogue;
use events::Envelope;
use kernel::Result;
use serde_json::{Map, Value, json};
use store::{Changed, Plain};
use web::Ctx;

/// The input for everything that listens to this event.
pub async fn of(ctx: &Ctx, event: &Envelope) -> Result<Value> {
    let change = ctx.store().change_of(&event.id).await?;
    let record = match &change {
        Some(_) => ctx.store().plain_record(&event.record).await?,
        None => None,
    };
    Ok(build(ctx, event, change.as_ref(), record.as_ref()))
}

pub fn build(ctx: &Ctx, event: &Envelope, change: Option<&Changed>, record: Option<&Plain>) -> Value {
    let roles = change.map(|c| c.change.roles.clone()).unwrap_or_default();
    let (before, after, fields) = change.map(|c| differences(c, record)).unwrap_or_default();
    let module = catalogue::events().get(&event.kind).map(|e| e.module.as_str()).unwrap_or_default();
    json!({
        "event": {
            "name": event.kind, "module": module, "at": event.at, "record": event.record,
            "subject": event.subject(), "site": event.data["site"].as_str(), "data": event.data,
        },
        "change": {
            "action": change.map(|c| c.change.action.clone()), "command": change.map(|c| c.change.action.clone()),
            "fields": fields, "before": before, "after": after,
        },
        "actor": {"id": event.by, "kind": web::conditions::kind(&event.by), "roles": roles},
        "tenant": web::conditions::tenant(ctx),
        "now": ctx.now(),
    })
}

/// Open fields before and after, and the names of all that changed. A field that is sealed, or that is not there any
/// more and so cannot be told to be open, is a name only.
fn differences(
    change: &Changed,
    record: Option<&Plain>,
) -> (Map<String, Value>, Map<String, Value>, Vec<String>) {
    let (mut before, mut after, mut fields) = (Map::new(), Map::new(), vec![]);
    let open = record.map(|r| &r.body);
    let operations = change.change.patch.0.as_array().cloned().unwrap_or_default();
    for operation in operations {
        let Some(path) = operation["path"].as_str() else { continue };
        let dotted = path.trim_start_matches('/').replace('/', ".");
        if matches!(dotted.as_str(), "version" | "updated_at") {
            continue;
        }
        let lies_open = open.is_some_and(|body| body.pointer(path).is_some());
        if lies_open {
            let is = |name: &str| operation.get(name).cloned();
            is("old").into_iter().for_each(|value| put(&mut before, &dotted, value));
            is("value").into_iter().for_each(|value| put(&mut after, &dotted, value));
        }
        fields.push(dotted);
    }
    if change.change.version == 1
        && let Some(Value::Object(body)) = open
    {
        after.extend(body.clone());
    }
    (before, after, fields)
}

/// At a dotted path, with the maps on the way.
fn put(into: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            into.insert(path.into(), value);
        }
        Some((first, rest)) => {
            let within = into.entry(first).or_insert_with(|| json!({}));
            if let Some(within) = within.as_object_mut() {
                put(within, rest, value);
            }
        }
    }
}

/// A change as the event that it carries, for looking back.
pub async fn of_record(ctx: &Ctx, change: &Changed) -> Result<Option<(Envelope, Value)>> {
    let Some(kind) = change.change.event["type"].as_str() else { return Ok(None) };
    let event = Envelope {
        id: change.id.clone(),
        tenant: ctx.scope().to_string(),
        kind: kind.into(),
        at: store::stamp(change.change.at),
        by: change.change.by.clone(),
        record: change.record.clone(),
        version: change.change.version,
        cause: change.change.cause.clone(),
        data: change.change.event["data"].clone(),
    };
    let record = ctx.store().plain_record(&event.record).await?;
    let input = build(ctx, &event, Some(change), record.as_ref());
    Ok(Some((event, input)))
}
