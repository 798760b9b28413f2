//! The table's part: every item as one line of the database's own JSON, in the order of its bytes.
//!
//! Found by a scan, which only this tool may do: it costs what the whole table costs to read. Held in memory: some
//! gigabytes at most.

use super::Place;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use kernel::{Clock, TenantId};
use local::{
    trouble,
    trouble::{Outcome, While},
};
use serde_json::Value;
use std::{collections::HashMap, time::Duration};
use store::{
    chain::{canonical, typed},
    sdk::{
        primitives::Blob,
        types::{AttributeValue as Av, DeleteRequest, PutRequest, WriteRequest},
    },
};

type Item = HashMap<String, Av>;

/// Sorted.
pub(super) async fn all(place: &Place, tenant: TenantId) -> Outcome<Vec<String>> {
    let mut lines = vec![];
    let mut pages = place
        .sdk
        .scan()
        .table_name(&place.table)
        .consistent_read(true)
        .filter_expression("begins_with(pk, :p)")
        .expression_attribute_values(":p", Av::S(format!("{}#", tenant.prefix())))
        .into_paginator()
        .items()
        .send();
    while let Some(item) = pages.next().await {
        lines.push(line(&item.whilst("read the table")?)?);
    }
    lines.sort();
    Ok(lines)
}

/// The database's own JSON with its names in order.
fn line(item: &Item) -> Outcome<String> {
    if let Some(value) = item.values().find(|value| !is_known(value)) {
        return Err(trouble!("A value has a type that no item of ours has: {value:?}"));
    }
    String::from_utf8(canonical(&typed(item))).whilst("write an item")
}

fn is_known(value: &Av) -> bool {
    match value {
        Av::L(all) => all.iter().all(is_known),
        Av::M(map) => map.values().all(is_known),
        Av::S(_) | Av::N(_) | Av::B(_) | Av::Bool(_) | Av::Null(_) => true,
        _ => false,
    }
}

/// The keys of the organisation go in last: until then nobody can work in what is half there.
pub(super) async fn put(place: &Place, lines: &[String]) -> Outcome<usize> {
    let (keys, others): (Vec<&String>, Vec<&String>) = lines.iter().partition(|line| is_key(line));
    for lines in others.chunks(25).chain(keys.chunks(25)) {
        let request = |line: &&String| -> Outcome<WriteRequest> {
            let item = PutRequest::builder().set_item(Some(item(line)?)).build().whilst("build an item")?;
            Ok(WriteRequest::builder().put_request(item).build())
        };
        write(place, lines.iter().map(request).collect::<Outcome<_>>()?).await?;
    }
    Ok(lines.len())
}

/// The keys go first: from then on nobody works there any more, and what is sealed stays so.
pub(super) async fn remove(place: &Place, lines: &[String]) -> Outcome<usize> {
    let (keys, others): (Vec<&String>, Vec<&String>) = lines.iter().partition(|line| is_key(line));
    for lines in keys.chunks(25).chain(others.chunks(25)) {
        let request = |line: &&String| -> Outcome<WriteRequest> {
            let mut item = item(line)?;
            item.retain(|name, _| name == "pk" || name == "sk");
            let key = DeleteRequest::builder().set_key(Some(item)).build().whilst("build a key")?;
            Ok(WriteRequest::builder().delete_request(key).build())
        };
        write(place, lines.iter().map(request).collect::<Outcome<_>>()?).await?;
    }
    Ok(lines.len())
}

/// What the table did not take is sent again.
async fn write(place: &Place, mut requests: Vec<WriteRequest>) -> Outcome<()> {
    let mut pause = Duration::from_millis(50);
    while !requests.is_empty() {
        let sent = place.sdk.batch_write_item().request_items(&place.table, requests).send().await;
        let left = sent.whilst("write to the table")?.unprocessed_items.unwrap_or_default();
        requests = left.into_values().flatten().collect();
        if !requests.is_empty() {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }
    Ok(())
}

/// Before anything is written: an export sealed under another master key would be of no use here.
pub(super) async fn unwrap(place: &Place, tenant: TenantId, lines: &[String]) -> Outcome<()> {
    let mut keys = 0;
    for line in lines.iter().filter(|line| is_key(line)) {
        let item = item(line)?;
        let label = item["pk"].as_s().ok().and_then(|pk| pk.split('#').nth(2)).unwrap_or_default();
        let Some(Av::B(wrapped)) = item.get("wrapped") else { continue };
        place.keys.unwrap(&tenant.prefix(), label, wrapped.as_ref()).await.map_err(|cause| {
            trouble!("The organisation's key does not open here ({cause}): this export belongs to another installation.")
        })?;
        keys += 1;
    }
    if keys == 0 {
        return Err(trouble!("The export holds no key of the organisation: nothing sealed could be read."));
    }
    Ok(())
}

fn is_key(line: &str) -> bool {
    place_of(line).split('#').nth(1) == Some("key")
}

/// `{pk} {sk}` of a line.
pub(super) fn place_of(line: &str) -> String {
    let item: Value = serde_json::from_str(line).unwrap_or_default();
    let text = |name: &str| item[name]["S"].as_str().unwrap_or_default().to_string();
    format!("{} {}", text("pk"), text("sk"))
}

fn item(line: &str) -> Outcome<Item> {
    attributes(&serde_json::from_str(line).whilst("read a line of the export")?)
}

/// An item of the database's own JSON as the SDK takes it.
pub fn attributes(item: &Value) -> Outcome<Item> {
    let members = item.as_object().ok_or_else(|| trouble!("A line of the export is no item."))?;
    members.iter().map(|(name, value)| Ok((name.clone(), untyped(value)?))).collect()
}

/// What [`typed`] wrote.
fn untyped(value: &Value) -> Outcome<Av> {
    let odd = || trouble!("A value of the export has a type that no item of ours has: {value}");
    let (kind, inner) = value.as_object().and_then(|map| map.iter().next()).ok_or_else(odd)?;
    let text = || inner.as_str().map(String::from).ok_or_else(odd);
    Ok(match kind.as_str() {
        "S" => Av::S(text()?),
        "N" => Av::N(text()?),
        "B" => Av::B(Blob::new(BASE64_STANDARD.decode(text()?).whilst("read a sealed value")?)),
        "BOOL" => Av::Bool(inner.as_bool().ok_or_else(odd)?),
        "NULL" => Av::Null(true),
        "L" => Av::L(inner.as_array().ok_or_else(odd)?.iter().map(untyped).collect::<Outcome<_>>()?),
        "M" => {
            let members = inner.as_object().ok_or_else(odd)?.iter();
            Av::M(members.map(|(name, v)| Ok((name.clone(), untyped(v)?))).collect::<Outcome<_>>()?)
        }
        _ => return Err(odd()),
    })
}

/// A clock's time as manifests say it.
pub fn now() -> String {
    store::stamp(Clock::default().now())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_read_back_is_what_was_written() {
        let line_of = |text: &str| super::line(&item(text).unwrap()).unwrap();
        let line = json!({
            "pk": {"S": "01J#key#default"}, "sk": {"S": "0000000001"}, "n": {"N": "-7.50"}, "b": {"B": "AAEC/w=="},
            "m": {"M": {"l": {"L": [{"BOOL": true}, {"NULL": true}, {"S": "ẹ\"\n"}]}}},
        });
        let written = String::from_utf8(canonical(&line)).unwrap();
        assert_eq!(line_of(&written), written);
        assert!(is_key(&written) && place_of(&written) == "01J#key#default 0000000001");
        assert!(item(r#"{"pk": {"SS": ["a"]}}"#).unwrap_err().0.contains("no item of ours"));
    }
}
