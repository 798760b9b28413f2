//! The timeline: one entry per record of any module that names the patient, kept up by reactions. A projection:
//! no versions of its own, and nothing is written to it by requests.

mod api;
pub mod heard;

pub use api::routes;
pub use heard::HEARD;

use events::Envelope;
use jiff::Timestamp;
use kernel::{Error, PatientId, Result, Ulid};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Key, When};
use web::Ctx;

/// Where an entry stands: `{time of the source record}#{kind}#{id}`. The time is that of the record's id, so
/// every event of one record meets the same entry, in whatever order they come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Moment {
    /// `visit`, `appointment`, `note`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// The record it is about.
    #[serde(rename = "ref")]
    pub record: String,
    pub at: Timestamp,
    /// What became of it: the last word of the newest event.
    pub status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub practitioner: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    #[serde(default)]
    pub source_version: u64,
}

pub fn key(patient: PatientId, place: &str) -> Key {
    Key::item("tml", patient, place)
}

/// The patient an event names.
pub fn patient_of(event: &Envelope) -> Option<PatientId> {
    ["patient", "patient_id"].iter().find_map(|name| event.data[*name].as_str()?.parse().ok())
}

fn text(data: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| data[*name].as_str().map(String::from))
}

/// When a record came into being, from its id.
fn born(event: &Envelope) -> Option<Timestamp> {
    let ulid = Ulid::from_string(event.record.get(4..)?).ok()?;
    Timestamp::from_millisecond(i64::try_from(ulid.timestamp_ms()).ok()?).ok()
}

impl Moment {
    pub fn of(event: &Envelope, kind: &str) -> Option<(String, Self)> {
        let at = born(event).or_else(|| event.at.parse().ok())?;
        let codes = event.data["codes"].as_array().into_iter().flatten();
        let moment = Self {
            kind: kind.into(),
            record: event.record.clone(),
            at,
            status: event.kind.rsplit('.').next().unwrap_or_default().into(),
            site: text(&event.data, &["site", "site_id"]),
            practitioner: text(&event.data, &["practitioner", "doctor", "assigned_doctor"]),
            codes: codes.filter_map(|c| c.as_str().map(String::from)).collect(),
            source_version: event.version,
        };
        Some((format!("{}#{}", store::stamp(at), event.record), moment))
    }
}

/// Puts the entry, unless a newer event of its record has been there.
pub async fn keep(ctx: &Ctx, patient: PatientId, place: &str, moment: &Moment) -> Result<()> {
    let version = i64::try_from(moment.source_version).map_err(Error::internal)?;
    let newer = When::Absent.or(When::Below("source_version", version));
    let known = |_| Error::conflict("seen-already", "a newer event has been here");
    match ctx.store().commit().put_if(&key(patient, place), moment, newer, known).run().await {
        Err(e) if e.code() == "seen-already" => Ok(()),
        other => other,
    }
}
