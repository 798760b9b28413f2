//! Histories of cases and sessions: what changed, by whom and when. Their records hold references that are never shown,
//! and a case's file lies under a label of its own, so the shared history, which shows changes whole, cannot serve them:
//! here each noun names the fields that may be seen.

use jiff::Timestamp;
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Change;
use web::noun::Pages;

#[derive(Deserialize, JsonSchema)]
pub struct Paging {
    #[schemars(range(min = 1, max = 100))]
    limit: Option<i32>,
    /// Versions below this one.
    #[schemars(range(min = 1))]
    pub before: Option<u64>,
}

impl Paging {
    pub fn limit(&self) -> i32 {
        self.limit.unwrap_or(25)
    }
}

/// One version: what a reader may know of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "EapHistoryEntry")]
pub struct Entry {
    pub version: u64,
    pub at: Timestamp,
    /// `create`, or the command.
    pub action: String,
    /// Not for the person helped: who works on a case beside their counsellor is not theirs to know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Sealed<String>>,
    pub changes: Vec<Changed>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "EapHistoryChange")]
pub struct Changed {
    /// `status`; of a case's file `file/risk`.
    pub field: String,
    /// Null where there was nothing.
    pub from: Sealed<Value>,
    pub to: Sealed<Value>,
}

/// What may be seen of changes, newest first: of these fields alone. `own` is the person's own view.
pub fn page(changes: Vec<Change>, fields: &[&str], limit: i32, own: bool) -> Pages<Entry> {
    let last = changes.last().filter(|c| c.version > 1 && changes.len() as i32 == limit);
    let next = last.map(|c| c.version.to_string());
    Pages { data: changes.into_iter().map(|change| entry(change, fields, own)).collect(), next }
}

fn entry(change: Change, fields: &[&str], own: bool) -> Entry {
    let operations = change.patch.0.as_array().cloned().unwrap_or_default();
    let seen = |operation: &Value| {
        let field = operation["path"].as_str()?.strip_prefix('/')?;
        fields.contains(&field.split('/').next()?).then(|| Changed {
            field: field.into(),
            from: Sealed(operation["old"].clone()),
            to: Sealed(operation["value"].clone()),
        })
    };
    Entry {
        version: change.version,
        at: change.at,
        action: change.action,
        by: Some(change.by).filter(|_| !own),
        reason: change.reason.filter(|_| !own),
        changes: operations.iter().filter_map(seen).collect(),
    }
}

/// The members in which two bodies differ, below a name.
pub fn differences(below: &str, old: &Value, new: &Value, fields: &[&str]) -> Vec<Changed> {
    let differs = |name: &&&str| old[**name] != new[**name];
    let changed = |name: &&str| Changed {
        field: format!("{below}/{name}"),
        from: Sealed(old[*name].clone()),
        to: Sealed(new[*name].clone()),
    };
    fields.iter().filter(differs).map(changed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(version: u64, patch: Value) -> Change {
        serde_json::from_value(json!({
            "version": version, "at": "2026-11-23T08:00:00Z", "by": "usr_1", "request": "r", "action": "assign",
            "reason": "language", "patch": patch, "prev": "", "hash": "",
        }))
        .unwrap()
    }

    #[test]
    fn what_is_not_named_is_not_seen() {
        let patch = json!([
            {"op": "replace", "path": "/status", "old": "open", "value": "in_progress"},
            {"op": "replace", "path": "/person_ref", "old": "a", "value": "b"},
            {"op": "add", "path": "/alarm/step", "value": 1},
        ]);
        let of = |own| page(vec![change(2, patch.clone())], &["status", "alarm"], 25, own).data.remove(0);
        let names = |e: &Entry| e.changes.iter().map(|c| c.field.clone()).collect::<Vec<_>>();
        assert_eq!(names(&of(false)), ["status", "alarm/step"]);
        assert_eq!((of(false).by.as_deref(), of(false).reason.is_some()), (Some("usr_1"), true));
        assert_eq!((of(true).by, of(true).reason.is_none()), (None, true));
    }

    #[test]
    fn a_page_goes_on_until_the_first_version() {
        let two = || vec![change(3, json!([])), change(2, json!([]))];
        assert_eq!(page(two(), &[], 2, false).next.as_deref(), Some("2"));
        assert_eq!(page(two(), &[], 3, false).next, None);
        assert_eq!(page(vec![change(1, json!([]))], &[], 1, false).next, None);
    }
}
