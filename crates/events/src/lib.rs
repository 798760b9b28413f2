//! What happened, in words that other modules hear. One tagged enum per module; ids and codes only, never
//! personal data. The outbox rule: an event travels in the change record of the commit that caused it, so it
//! can be neither lost nor sent for something that did not happen.

pub mod audit;
pub mod documents;
pub mod eap;
pub mod identity;
pub mod integrations;
pub mod jobs;
pub mod notifications;
pub mod patients;
pub mod scheduling;
pub mod tenants;
pub mod workflow;

pub use audit::AuditEvent;
pub use documents::DocumentEvent;
pub use eap::EapEvent;
pub use identity::IdentityEvent;
pub use integrations::IntegrationEvent;
pub use jobs::JobEvent;
pub use notifications::NotificationEvent;
pub use patients::PatientEvent;
pub use scheduling::SchedulingEvent;
pub use tenants::TenantEvent;
pub use workflow::WorkflowEvent;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Fields of an event's data that name whom it is about, the likeliest first.
const SUBJECT: [&str; 9] =
    ["subject", "patient", "person", "employee", "candidate", "learner", "beneficiary", "user", "member"];
/// Records that are somebody: users, patients, employees, service users, beneficiaries, candidates.
const SOMEBODY: [&str; 6] = ["usr", "pat", "emp", "svu", "ben", "cdt"];

/// The person that an event's data says it is about.
pub fn subject(data: &Map<String, Value>) -> Option<&str> {
    SUBJECT.iter().find_map(|name| data.get(*name)?.as_str())
}

/// What the place of a change record says of it: its partition is `<tenant>#chg#<kind>#<record>`, and `trailsk`, the
/// order of the trail, begins with its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeAt<'a> {
    pub tenant: &'a str,
    pub kind: &'a str,
    pub record: &'a str,
    pub version: u64,
    /// RFC 3339, the commit's time.
    pub at: &'a str,
}

impl<'a> ChangeAt<'a> {
    /// `change`: the plain attributes; `None` if it is no change record.
    pub fn read(pk: &'a str, change: &'a Value) -> Option<Self> {
        let (tenant, record) = pk.split_once("#chg#")?;
        let (kind, record) = record.split_once('#')?;
        let (at, _) = change.get("trailsk")?.as_str()?.split_once('#')?;
        Some(Self { tenant, kind, record, version: change.get("version")?.as_u64()?, at })
    }

    /// As events and consumers name it: `<kind>#<record>#<version>`.
    pub fn id(&self) -> String {
        format!("{}#{}#{}", self.kind, self.record, self.version)
    }
}

/// An event as it travels: on the bus (`detail`), in queues, to webhooks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// `<kind>#<record id>#<version>`: what consumers remember to do a thing once.
    pub id: String,
    /// The tenant's key prefix, or `platform`.
    pub tenant: String,
    /// `<noun>.<past participle>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// RFC 3339, the commit's time.
    pub at: String,
    pub by: String,
    /// The record the change belongs to, and its version: consumers compare it, since order is not kept.
    pub record: String,
    pub version: u64,
    /// Where rules stand behind it: the first change of the chain, then the rules in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cause: Vec<String>,
    #[serde(default)]
    pub data: Value,
}

impl Envelope {
    /// From the attributes of a change record; `None` if it carries no event.
    pub fn from_change(pk: &str, change: &Value) -> Option<Self> {
        let event = change.get("event")?;
        let at = ChangeAt::read(pk, change)?;
        Some(Self {
            id: at.id(),
            tenant: at.tenant.into(),
            kind: event.get("type")?.as_str()?.into(),
            at: at.at.into(),
            by: change.get("by")?.as_str()?.into(),
            record: at.record.into(),
            version: at.version,
            cause: change
                .get("cause")
                .and_then(|c| serde_json::from_value(c.clone()).ok())
                .unwrap_or_default(),
            data: event.get("data").cloned().unwrap_or(Value::Null),
        })
    }

    /// Whom it is about: whom its data names, or whose record it is.
    pub fn subject(&self) -> Option<&str> {
        let own = || self.record.split_once('_').filter(|(kind, _)| SOMEBODY.contains(kind));
        self.data.as_object().and_then(subject).or_else(|| own().map(|_| self.record.as_str()))
    }

    /// The event as its module declares it; `None` if this code does not know it (yet).
    pub fn read<E: DeserializeOwned>(&self) -> Option<E> {
        let event = if self.data.is_null() {
            serde_json::json!({"type": self.kind})
        } else {
            serde_json::json!({"type": self.kind, "data": self.data})
        };
        serde_json::from_value(event).ok()
    }
}
