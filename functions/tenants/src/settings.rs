//! TEN-6: what an organisation decides for itself. One record per section, each with its own version, so that two
//! administrators at two sections never meet.

mod api;
pub mod custom;
pub mod numbering;
pub mod parts;
pub mod policies;

pub use api::routes;
pub use parts::Hours;

use jiff::Timestamp;
use kernel::{Id, Result, SettingsId, Ulid, country::Country};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use store::{Commit, Entity, List, Record};
use web::{Actor, Noun, Reach, gate::TenantGate};

kernel::words! {
    pub enum Section {
        Brand = "brand",
        Locale = "locale",
        Tax = "tax",
        Hours = "hours",
        Scheduling = "scheduling",
        Numbering = "numbering",
        CustomFields = "custom_fields",
        Policies = "policies",
        Ui = "ui",
        Modules = "modules",
        Access = "access",
    }
}

/// One section as it is stored.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    pub section: Section,
    pub values: Value,
}

impl Entity for Settings {
    type Id = SettingsId;
    const NOUN: &'static str = "settings";
    const LISTS: &'static [List<Self>] = &[List::newest()];
}
impl Noun for Settings {
    /// Who sees which section is the handlers' rule.
    fn within(_: &Record<Self>, reach: Reach, _: &Actor) -> bool {
        reach > Reach::None
    }
}

impl Section {
    /// A section's record has the same id in every organisation.
    pub fn id(self) -> SettingsId {
        let hash = seal::sha256(format!("settings:{self}").as_bytes());
        SettingsId::of(Ulid::from_bytes(hash[..16].try_into().expect("sixteen bytes")))
    }
}

/// A section's values: their form is their schema, their sense is checked here.
pub trait Part: Serialize + DeserializeOwned + JsonSchema + Clone + 'static {
    const SECTION: Section;
    /// What an organisation in this country begins with.
    fn first(country: Country) -> Self;
    /// Rules across fields, and against what was before.
    fn check(&mut self, _old: &Self, _gate: &TenantGate) -> Result<()> {
        Ok(())
    }
    /// What every request needs of it goes into the gate, so that no request reads settings.
    fn publish(&self, _gate: &mut TenantGate) {}
}

/// Bytes of one section.
pub const LARGEST: usize = 64 * 1024;

/// All sections of a new organisation, with what they publish.
pub fn found(mut commit: Commit, now: Timestamp, country: Country, gate: &mut TenantGate) -> Commit {
    for section in Section::ALL {
        let (values, published) = parts::first(*section, country, gate);
        *gate = published;
        gate.settings.insert(section.to_string(), 1);
        let record = Record::with_id(section.id(), now, Settings { section: *section, values });
        commit = commit.create(&record);
    }
    commit
}
