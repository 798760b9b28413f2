//! Eligibility files (EAP-4): a client's list of employees and dependants as CSV, checked row by row, run once, taken
//! back whole. What is answered is made of the file alone, so that it is the same whoever of its people is registered,
//! or has a case.

pub mod api;
mod csv;
mod roll_back;
mod rows;
mod run;

pub use rows::{Checked, Good, RowError, Rules, check};
pub use run::{reactions, tasks};

use crate::{client::Client, place};
use jiff::{SignedDuration, Timestamp, civil::Date};
use kernel::{BeneficiaryId, ClientOrgId, Error, JobId, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Due, Entity, Key, List, Record, Row, Scope};
use web::{Ctx, Noun, files::File};

kernel::words! {
    /// Whether who is missing in the file stays (`delta`), or is ended (`full`).
    #[derive(Default)]
    pub enum Extent { #[default] Delta = "delta", Full = "full" }
}
kernel::words! {
    pub enum State {
        /// The file has still to be sent to the link.
        Awaited = "awaited",
        /// Looked at, and nothing done.
        Checked = "checked",
        Running = "running",
        Done = "done",
        RollingBack = "rolling_back",
        RolledBack = "rolled_back",
        /// Never run; its file is gone.
        Expired = "expired",
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Import {
    pub client: ClientOrgId,
    pub extent: Extent,
    pub status: State,
    /// Rows of the file without its heading.
    pub rows: usize,
    pub valid: usize,
    pub invalid: usize,
    /// Of bad rows, the first thousand faults.
    pub errors: Vec<RowError>,
    /// The local day of the file: who is ended by it ends then.
    pub day: Date,
    /// Hex, of the file.
    pub sha256: String,
    pub requested_by: String,
    /// When the clock looks whether it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_at: Option<Timestamp>,
}

/// Faults that an answer lists.
pub const LISTED: usize = 1000;
/// If nothing was heard of a run for so long, the clock takes it up again.
pub const SILENCE: SignedDuration = SignedDuration::from_mins(3);
/// How long a file waits to be run.
pub const WAITS: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Bytes of a file.
pub const LARGEST: u64 = 10 * 1024 * 1024;

impl Import {
    pub fn file(scope: Scope, id: JobId) -> File {
        File::document(scope, format!("eap/imports/{}", kernel::Id::ulid(id)))
    }
}

/// What one transaction of a run did, so that it is done once and can be taken back: kept beside the import, by its
/// number.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Did {
    pub created: Vec<BeneficiaryId>,
    /// With the version that each had before.
    pub changed: Vec<(BeneficiaryId, u64)>,
}

pub fn did(id: JobId, step: &str) -> Key {
    Key::part(id, "did", step)
}

impl Entity for Import {
    type Id = JobId;
    const NOUN: &'static str = "beneficiary_import";
    const LISTS: &'static [List<Self>] =
        &[List::by("client", &["client"], |r| vec![Row::new(&[&r.body.client], &[&r.id])])];
    fn due(record: &Record<Self>) -> Vec<Due> {
        record.body.look_at.map(|at| Due { at, what: "go_on" }).into_iter().collect()
    }
}

impl Noun for Import {
    fn within(_: &Record<Self>, reach: web::Reach, _: &web::Actor) -> bool {
        reach == web::Reach::All
    }
    async fn proven(ctx: &Ctx, record: &Record<Self>) -> Result<bool> {
        place::near(ctx, record.body.client).await
    }
    fn actions(record: &Record<Self>, _: &Ctx) -> Vec<&'static str> {
        match record.body.status {
            State::Awaited => vec!["check"],
            State::Checked => vec!["run"],
            State::Done => vec!["roll_back"],
            _ => vec![],
        }
    }
}

/// The file's rows against the client's rules.
pub fn looked_through(bytes: &[u8], client: &Client, today: Date) -> Result<Checked> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Error::field("not-utf8", "/csv", "save the file as CSV in UTF-8"))?;
    let units: Vec<String> = client.reporting_units.iter().map(|u| u.code.clone()).collect();
    check(text, &Rules { units: &units, today })
}
