//! Events of the `documents` module.

use jiff::civil::Date;
use kernel::{DisposalId, DocumentId, DocumentTemplateId, HoldId, ShareId, SignatureId};
use serde::{Deserialize, Serialize};

/// Which document, of what kind, about whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    pub document: DocumentId,
    /// The category's code: `dbs_certificate`.
    pub category: String,
    /// Whom or what it is about: `usr_…`, `pat_…`, a vehicle's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<Date>,
    /// Who uploaded it: `usr_…`, or `system:…`.
    pub uploaded_by: String,
}

/// A signature request and one of its signers, counted from 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signing {
    pub signature: SignatureId,
    pub document: DocumentId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<u32>,
    /// The signer's login, if the signer has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whose turn it has become: signers counted from 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<u32>,
    /// Logins of those whose turn it has become, and of whoever asked for the signatures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked_users: Vec<String>,
    pub by: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    pub share: ShareId,
    pub document: DocumentId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hold {
    pub hold: HoldId,
    /// `HOLD-2026-1`
    pub number: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Disposal {
    pub disposal: DisposalId,
    /// `DISP-2026-1`
    pub number: String,
    pub items: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum DocumentEvent {
    #[serde(rename = "document.created")]
    Created(Document),
    #[serde(rename = "document.received")]
    Received {
        #[serde(flatten)]
        document: Document,
        /// The category asks for no verification: it counts as verified.
        verified: bool,
        sha256: String,
    },
    #[serde(rename = "document.refused")]
    Refused {
        #[serde(flatten)]
        document: Document,
        /// `checksum-mismatch`, `content-mismatch`, `malware`, `encrypted`, `macros`.
        code: String,
    },
    #[serde(rename = "document.verified")]
    Verified {
        #[serde(flatten)]
        document: Document,
        by: String,
        method: String,
    },
    #[serde(rename = "document.unverified")]
    Unverified(Document),
    #[serde(rename = "document.rejected")]
    Rejected {
        #[serde(flatten)]
        document: Document,
        code: String,
    },
    #[serde(rename = "document.expiring")]
    Expiring {
        #[serde(flatten)]
        document: Document,
        days: u16,
        /// A renewal has begun: whom to ask is who verifies it.
        renewal: Option<DocumentId>,
    },
    #[serde(rename = "document.expired")]
    Expired(Document),
    #[serde(rename = "document.overdue")]
    Overdue {
        #[serde(flatten)]
        document: Document,
        days: u16,
        renewal: Option<DocumentId>,
    },
    #[serde(rename = "document.renewal_started")]
    RenewalStarted {
        #[serde(flatten)]
        document: Document,
        renewal: DocumentId,
    },
    #[serde(rename = "document.renewed")]
    Renewed {
        #[serde(flatten)]
        document: Document,
        replaced_by: DocumentId,
    },
    #[serde(rename = "document.deleted")]
    Deleted(Document),
    #[serde(rename = "document.restored")]
    Restored(Document),
    #[serde(rename = "document.disposed")]
    Disposed {
        #[serde(flatten)]
        document: Document,
        disposal: DisposalId,
    },
    /// Asked for by any module; the values are read from the sealed item that `data_ref` names (`events::documents`).
    #[serde(rename = "document.requested")]
    Requested(Requested),
    #[serde(rename = "document.generated")]
    Generated {
        #[serde(flatten)]
        document: Document,
        template: DocumentTemplateId,
        /// The id of the event that asked, if one did.
        request: Option<String>,
    },
    #[serde(rename = "template.published")]
    TemplatePublished { template: DocumentTemplateId, code: String, edition: u32 },
    #[serde(rename = "signature.requested")]
    SignatureRequested(Signing),
    #[serde(rename = "signature.opened")]
    SignatureOpened(Signing),
    #[serde(rename = "signature.signed")]
    SignatureSigned(Signing),
    #[serde(rename = "signature.declined")]
    SignatureDeclined(Signing),
    #[serde(rename = "signature.completed")]
    SignatureCompleted {
        #[serde(flatten)]
        signing: Signing,
        final_document: DocumentId,
    },
    #[serde(rename = "signature.expired")]
    SignatureExpired(Signing),
    #[serde(rename = "signature.cancelled")]
    SignatureCancelled(Signing),
    #[serde(rename = "share.created")]
    ShareCreated(Share),
    #[serde(rename = "share.downloaded")]
    ShareDownloaded {
        #[serde(flatten)]
        share: Share,
        downloads: u32,
    },
    #[serde(rename = "share.revoked")]
    ShareRevoked(Share),
    #[serde(rename = "hold.placed")]
    HoldPlaced(Hold),
    #[serde(rename = "hold.released")]
    HoldReleased(Hold),
    #[serde(rename = "disposal.proposed")]
    DisposalProposed(Disposal),
    #[serde(rename = "disposal.completed")]
    DisposalCompleted(Disposal),
}

/// What a module asks documents to make, or to have signed. Values are personal and do not travel: they lie as
/// `{"data": {…}, "signers": [{"name", "role", "email" or "user"}]}`, both sealed, at
/// `Key::item("asked", data_ref, ".")`, put there in the commit that emits this. With signers, a request for their
/// signatures is sent under what was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Requested {
    /// A template's code; empty where a document is given.
    #[serde(default)]
    pub template: String,
    /// Nothing is made: this one is to be signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<DocumentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_ref: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What it is linked to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// `pdf` (the default) or `docx`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
}
