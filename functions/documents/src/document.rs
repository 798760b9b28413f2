//! A document: one file in its versions, what it is, whom it is about, until when it holds, and how long it is kept.

pub mod content;
pub mod create;
mod edit;
pub mod expiry;
pub mod lists;
pub mod made;
mod noun;
pub mod receive;
mod upload;
mod verify;
mod versions;

pub use noun::said;

use crate::{category::Confidentiality, rights::Group, sniff::Type};
use jiff::{Timestamp, civil::Date};
use kernel::{DocumentCategoryId, DocumentId, Error, Result, SignatureId, SiteId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use web::Route;

kernel::words! {
    #[derive(Default)]
    pub enum Status {
        /// Bytes are awaited.
        #[default] AwaitingUpload = "awaiting_upload",
        /// The bytes were not what was declared, or harmful.
        Refused = "refused",
        /// Received, waits for somebody who looks at it.
        Pending = "pending",
        Rejected = "rejected",
        Verified = "verified",
        Expired = "expired",
        Renewed = "renewed",
        Disposed = "disposed",
    }
}
kernel::words! {
    pub enum FileState {
        Awaiting = "awaiting", Received = "received", Quarantined = "quarantined", Refused = "refused",
        Removed = "removed",
    }
}
kernel::words! {
    pub enum Role {
        Evidence = "evidence", Source = "source", Attachment = "attachment", Result_ = "result",
        Contract = "contract", Photo = "photo",
    }
}
kernel::words! {
    pub enum Method {
        SightOfOriginal = "sight_of_original", Register = "register", Api = "api", Automatic = "automatic",
    }
}
kernel::words! {
    pub enum Why {
        Illegible = "illegible", WrongDocument = "wrong_document", Expired = "expired", Mismatch = "mismatch",
        Forged = "forged", Other = "other",
    }
}
kernel::words! {
    pub enum Source {
        Upload = "upload", Template = "template", Signature = "signature", Import = "import", Email = "e-mail",
        System = "system",
    }
}

/// A record that the document belongs to, and what it is there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LinkTo {
    #[schemars(regex(pattern = r"^[a-z]{3}_[0-7][0-9A-HJKMNP-TV-Z]{25}$"))]
    pub record: String,
    pub role: Role,
}

/// One version's file; each lies as the part `file#<n>` under its document, the current one in the record too.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FileVersion {
    pub n: u32,
    pub file_name: Sealed<String>,
    #[serde(rename = "type")]
    pub kind: Type,
    pub content_type: String,
    /// Bytes.
    pub size: u64,
    pub sha256: String,
    /// Its last segment in the storage.
    pub key: String,
    pub state: FileState,
    pub uploaded_by: String,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<Scan>,
    /// While it is awaited in pieces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pieces: Option<Pieces>,
}

/// An upload of more than one link's bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pieces {
    /// What the storage calls it.
    pub upload: String,
    /// Bytes of each but the last.
    pub size: u64,
    /// Of each piece, in their order.
    pub sha256: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scan {
    pub engine: String,
    pub at: Timestamp,
    /// `clean`, or the code of the refusal.
    pub result: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    pub by: String,
    pub at: Timestamp,
    pub method: Method,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed<String>>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Rejection {
    pub by: String,
    pub at: Timestamp,
    pub reason_code: Why,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Sealed<String>>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    #[schemars(length(min = 1, max = 200))]
    pub title: Sealed<String>,
    pub category: DocumentCategoryId,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub category_code: String,
    #[schemars(extend("readOnly" = true))]
    pub group: Group,
    /// Of the certificate or licence.
    #[schemars(length(min = 1, max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Sealed<String>>,
    #[schemars(length(min = 1, max = 100))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    #[schemars(length(min = 1, max = 2000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Sealed<String>>,
    #[schemars(length(max = 20), inner(regex(pattern = r"^[a-z0-9-]{1,40}$")))]
    #[serde(default)]
    pub tags: Vec<String>,
    /// Keys that the category declares.
    #[serde(default)]
    pub metadata: Sealed<Map<String, Value>>,
    /// The person or thing it is about; stays.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[schemars(length(max = 20))]
    #[serde(default)]
    pub links: Vec<LinkTo>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_on: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Date>,
    /// The last day on which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<Date>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub status: Status,
    /// Number of the version in force.
    #[schemars(extend("readOnly" = true))]
    pub current: u32,
    #[schemars(extend("readOnly" = true))]
    pub file: FileVersion,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<Rejection>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<DocumentId>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<DocumentId>,
    /// A renewal that has begun.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<DocumentId>,
    /// The signature request that is open.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing: Option<SignatureId>,
    /// Signed by everybody asked: part of a set that stays together.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub signed: bool,
    /// Code of its retention class.
    #[schemars(length(min = 2, max = 40))]
    pub retention: String,
    /// The day from which its retention counts.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_on: Option<Date>,
    /// From this day on it may be disposed of.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispose_on: Option<Date>,
    /// Legal holds that lie on it.
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub holds: u32,
    pub confidentiality: Confidentiality,
    #[schemars(extend("readOnly" = true))]
    pub source: Source,
    /// Who made the record.
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub uploaded_by: String,
    /// What the category said when it was made.
    #[schemars(extend("readOnly" = true))]
    pub terms: Terms,
    /// IANA; reminders are local.
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub zone: String,
    /// How far along the way to its end it is: see `expiry`.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<i32>,
    /// When the clock looks after bytes that have not come.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_check: Option<Timestamp>,
    /// What it was before a new version was begun: back to it, if the bytes never come.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Terms {
    pub needs_verification: bool,
    #[serde(default)]
    pub remind_days: Vec<u16>,
    #[serde(default)]
    pub escalate: bool,
    #[serde(default)]
    pub subject_may_view: bool,
    /// Roles that see it; empty = those of the group.
    #[serde(default)]
    pub roles_view: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Fallback {
    pub status: Status,
    pub file: Box<FileVersion>,
}

/// The table of states: the command, from where, and to where.
const STEPS: &[(&str, &[Status], Status)] = &[
    ("verify", &[Status::Pending], Status::Verified),
    ("reject", &[Status::Pending], Status::Rejected),
    ("unverify", &[Status::Verified], Status::Pending),
    ("add_version", &[Status::Pending, Status::Rejected, Status::Refused], Status::AwaitingUpload),
    ("correct", &[Status::Verified], Status::AwaitingUpload),
    ("upload_url", &[Status::AwaitingUpload], Status::AwaitingUpload),
    ("renew", &[Status::Verified, Status::Expired], Status::Renewed),
];

/// Where a command leads from here, or 422.
pub fn step(command: &'static str, from: Status) -> Result<Status> {
    let row = STEPS.iter().find(|(name, ..)| *name == command);
    let (_, allowed, to) = row.ok_or_else(|| Error::internal("a command of no row"))?;
    if allowed.contains(&from) { Ok(*to) } else { Err(Error::State { command, state: from.to_string() }) }
}

impl Document {
    /// Subject and links, each once: the records in whose lists it stands.
    pub fn records(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.subject.iter().map(String::as_str).collect();
        all.extend(self.links.iter().map(|l| l.record.as_str()));
        let mut seen = std::collections::BTreeSet::new();
        all.retain(|r| seen.insert(*r));
        all
    }
    /// Whether nothing of the tenant's can be changed any more.
    pub fn is_stub(&self) -> bool {
        self.status == Status::Disposed
    }
    /// 409 while people are asked to sign it.
    pub fn not_in_signing(&self) -> Result<()> {
        match self.signing {
            None => Ok(()),
            Some(id) => {
                let detail = "people are asked to sign this version: cancel the request first";
                Err(Error::conflict("signature-open", detail).with("signature", id))
            }
        }
    }
}

pub fn routes() -> Vec<Route> {
    let rooms = [
        create::routes(),
        lists::routes(),
        noun::routes(),
        upload::routes(),
        content::routes(),
        verify::routes(),
        versions::routes(),
        edit::routes(),
    ];
    rooms.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_that_is_not_in_the_table_is_refused() {
        let mut allowed = 0;
        for (command, ..) in STEPS {
            for from in Status::ALL {
                match step(command, *from) {
                    Ok(_) => allowed += 1,
                    Err(e) => assert_eq!(e.code(), "state"),
                }
            }
        }
        assert_eq!(allowed, 10);
        assert!(step("verify", Status::Rejected).is_err(), "a rejected one needs a new version first");
    }
}
