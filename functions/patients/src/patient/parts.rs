//! Parts of a patient: words and small structures.

use crate::matching::Member;
use jiff::Timestamp;
use kernel::{DocumentId, PatientId, identifier::Scheme};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};

kernel::words! {
    pub enum Status {
        Registered = "registered",
        InDiagnosis = "in_diagnosis",
        Treatment = "treatment",
        Discharged = "discharged",
        Deceased = "deceased",
    }
}
kernel::words! {
    /// FHIR's administrative gender.
    pub enum Gender { Male = "male", Female = "female", Other = "other", Unknown = "unknown" }
}
kernel::words! {
    /// How much of a birth date is known. An estimated one is 1 July of its year.
    pub enum Precision { Day = "day", Month = "month", Year = "year", Estimated = "estimated" }
}
kernel::words! {
    pub enum BloodGroup {
        APositive = "A+", ANegative = "A-", BPositive = "B+", BNegative = "B-",
        AbPositive = "AB+", AbNegative = "AB-", OPositive = "O+", ONegative = "O-",
    }
}
kernel::words! {
    /// Haemoglobin genotype.
    pub enum Genotype { AA = "AA", AS = "AS", AC = "AC", SS = "SS", SC = "SC", CC = "CC", Other = "other" }
}
kernel::words! {
    /// A laboratory's finding stands against what is only reported.
    pub enum Source { Lab = "lab", Reported = "reported" }
}
kernel::words! {
    pub enum MaritalStatus {
        Single = "single", Married = "married", Divorced = "divorced", Widowed = "widowed", Separated = "separated",
        Partnered = "partnered", Unknown = "unknown",
    }
}
kernel::words! {
    /// Normal; restricted (staff, well-known people); very restricted: the named care team alone.
    pub enum Confidentiality { N = "N", R = "R", V = "V" }
}
kernel::words! {
    pub enum Registration { Full = "full", Provisional = "provisional", Unidentified = "unidentified" }
}
kernel::words! {
    /// Nobody has asked; somebody asserted that there are none; there are some.
    pub enum AllergyStatus { Unknown = "unknown", NoneKnown = "none_known", Listed = "listed" }
}
kernel::words! {
    pub enum PhoneUse { Mobile = "mobile", Home = "home", Work = "work" }
}
kernel::words! {
    pub enum PhoneOwner { Own = "self", Relative = "relative" }
}
kernel::words! {
    pub enum Channel { Sms = "sms", Email = "email", Phone = "phone", Whatsapp = "whatsapp", Post = "post" }
}
kernel::words! {
    pub enum DeathPrecision { Minute = "minute", Hour = "hour", Day = "day", Month = "month", Year = "year" }
}
kernel::words! {
    pub enum DeathSource {
        Clinician = "clinician",
        Certificate = "death_certificate",
        Relative = "relative",
        Register = "register",
    }
}

macro_rules! first_is_default { ($($name:ident => $variant:ident),+ $(,)?) => {
    $(impl Default for $name { fn default() -> Self { Self::$variant } })+
} }
first_is_default! {
    Status => Registered, Precision => Day, Confidentiality => N, Registration => Full, AllergyStatus => Unknown,
    PhoneUse => Mobile, PhoneOwner => Own,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LegacyNumber {
    #[schemars(length(min = 1, max = 40))]
    pub system: String,
    #[schemars(length(min = 1, max = 40))]
    pub value: String,
}

/// Which of how many.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MultipleBirth {
    #[schemars(range(min = 1, max = 9))]
    pub ordinal: u8,
    #[schemars(range(min = 2, max = 9))]
    pub of: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Phone {
    #[schemars(length(min = 3, max = 40))]
    pub number: String,
    #[serde(default, rename = "use")]
    pub used: PhoneUse,
    #[serde(default)]
    pub primary: bool,
    #[serde(default)]
    pub owner: PhoneOwner,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Address {
    #[schemars(length(min = 1, max = 120))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line1: Option<String>,
    #[schemars(length(min = 1, max = 120))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    #[schemars(length(min = 1, max = 80))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Local government area.
    #[schemars(length(min = 1, max = 80))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lga: Option<String>,
    /// In Nigeria the code of ISO 3166-2 without `NG-`.
    #[schemars(length(min = 1, max = 60))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[schemars(length(min = 1, max = 12))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
    /// ISO 3166.
    #[schemars(length(min = 2, max = 2))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// How to find the house.
    #[schemars(length(min = 1, max = 300))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directions: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Identifier {
    #[serde(rename = "type")]
    pub scheme: Scheme,
    #[schemars(length(min = 1, max = 60))]
    pub value: String,
    /// The authority; documents of one kind are unique only within it.
    #[schemars(length(min = 1, max = 60))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<jiff::civil::Date>,
    /// Somebody saw the document or asked its register.
    #[serde(default)]
    pub verified: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ContactPreference {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// BCP 47.
    #[schemars(length(min = 2, max = 35))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(default)]
    pub ok_sms: bool,
    #[serde(default)]
    pub ok_email: bool,
    #[serde(default)]
    pub do_not_contact: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Deceased {
    pub at: Timestamp,
    pub precision: DeathPrecision,
    pub source: DeathSource,
    /// ICD-10.
    #[schemars(length(min = 3, max = 10))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause_code: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_document_id: Option<DocumentId>,
    /// What the status was, should the death be reversed.
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub former_status: Status,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Asserted {
    pub by: String,
    pub at: Timestamp,
}

/// One active cover, as the search for duplicates needs it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Membership {
    pub payer: String,
    pub number: String,
    pub relation: String,
    pub ordinal: u8,
}

impl Membership {
    pub fn compared(&self) -> Member {
        let Self { payer, number, relation, ordinal } = self.clone();
        Member { payer, number, relation, ordinal }
    }
}

/// Whom a merged record now belongs to, and whom it was.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Pointer {
    pub from: PatientId,
    pub to: PatientId,
}
