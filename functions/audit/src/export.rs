//! Exports: changes, access entries, appearances of a record in lists, or everything that proves itself offline, as a
//! file that is there for seven days.

pub mod api;
mod csv;
mod proof;
mod rows;
mod run;

pub use run::{reactions, tasks};

use jiff::{SignedDuration, Timestamp};
use kernel::AuditExportId;
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Due, Entity, List, Record, Scope};
use web::{Noun, files::File};

kernel::words! {
    pub enum Source {
        Changes = "changes",
        Access = "access",
        /// Where a record was shown in a list; needs `record`.
        Appearances = "appearances",
        /// Changes and digests as they lie there, for `cargo xtask verify-audit`.
        Proof = "proof",
    }
}
kernel::words! { pub enum Format { Csv = "csv", Json = "json" } }
kernel::words! {
    #[derive(Default)]
    pub enum State {
        #[default] Queued = "queued", Running = "running", Ready = "ready", Expired = "expired", Failed = "failed",
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Export {
    pub source: Source,
    pub format: Format,
    pub from: Timestamp,
    pub to: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    pub reason: Sealed<String>,
    pub requested_by: String,
    #[serde(default)]
    pub status: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Of the file, hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// What was wrong, in a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    #[serde(default)]
    pub tries: u32,
    /// When the clock looks at it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_at: Option<Timestamp>,
}

/// How long the file is there.
const LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);
/// If nothing was heard of a run for so long, the clock takes it up again.
const SILENCE: SignedDuration = SignedDuration::from_mins(2);
const TRIES: u32 = 5;
/// Rows of one file.
const ROWS: usize = 50_000;

impl Export {
    pub fn file(scope: Scope, id: AuditExportId) -> File {
        File::document(scope, format!("audit/exports/{}", kernel::Id::ulid(id)))
    }
    pub fn media(&self) -> &'static str {
        match self.format {
            Format::Csv => "text/csv; charset=utf-8",
            Format::Json => "application/x-ndjson",
        }
    }
    pub fn name(&self) -> String {
        let ending = if self.format == Format::Csv { "csv" } else { "ndjson" };
        let day = |at: Timestamp| at.strftime("%Y%m%d").to_string();
        format!("audit-{}-{}-{}.{ending}", self.source, day(self.from), day(self.to))
    }
}

impl Entity for Export {
    type Id = AuditExportId;
    const NOUN: &'static str = "audit_export";
    const LISTS: &'static [List<Self>] = &[List::newest()];

    fn due(record: &Record<Self>) -> Vec<Due> {
        let what = match record.body.status {
            State::Queued | State::Running => "run",
            State::Ready => "expire",
            State::Expired | State::Failed => return vec![],
        };
        record.body.look_at.map(|at| Due { at, what }).into_iter().collect()
    }
}

impl Noun for Export {
    fn actions(record: &Record<Self>, _: &web::Ctx) -> Vec<&'static str> {
        if record.body.status == State::Ready { vec!["download"] } else { vec![] }
    }
}
