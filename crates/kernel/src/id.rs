//! Ids: `<kind>_<ulid>`. The list below is append-only: a kind is unique over the whole product, and a
//! retired one is never reused, because old keys still carry it.

use crate::{Error, Ulid, chance};
use std::fmt;

pub trait Id:
    Copy
    + Eq
    + Ord
    + std::hash::Hash
    + fmt::Debug
    + fmt::Display
    + std::str::FromStr<Err = Error>
    + serde::Serialize
    + serde::de::DeserializeOwned
    + schemars::JsonSchema
    + Send
    + Sync
    + 'static
{
    const KIND: &'static str;
    fn of(ulid: Ulid) -> Self;
    fn ulid(self) -> Ulid;
    /// A new id whose time part is `at`, so that ids sort by the clock that the tests move.
    fn at(at: jiff::Timestamp) -> Self {
        let ms = at.as_millisecond() as u64;
        Self::of(Ulid::from_parts(ms, chance::random().unwrap_or_else(|| Ulid::new().random())))
    }
}

macro_rules! ids { ($($(#[$doc:meta])* $name:ident => $kind:literal),+ $(,)?) => {
    $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Ulid);

        impl Id for $name {
            const KIND: &'static str = $kind;
            fn of(ulid: Ulid) -> Self { Self(ulid) }
            fn ulid(self) -> Ulid { self.0 }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, concat!($kind, "_{}"), self.0) }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self, f) }
        }
        impl std::str::FromStr for $name {
            type Err = Error;
            /// `Missing`, since an id of another form names nothing.
            fn from_str(s: &str) -> Result<Self, Error> {
                let ulid = s.strip_prefix(concat!($kind, "_")).and_then(canonical).ok_or(Error::Missing)?;
                Ok(Self(ulid))
            }
        }
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> { s.collect_str(self) }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let s = std::borrow::Cow::<'de, str>::deserialize(d)?;
                s.parse().map_err(|_| serde::de::Error::custom(concat!("expected ", $kind, "_<ulid>")))
            }
        }
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> { stringify!($name).into() }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "pattern": concat!("^", $kind, "_[0-7][0-9A-HJKMNP-TV-Z]{25}$")})
            }
            fn inline_schema() -> bool { true }
        }
    )+
    /// Every kind with the name of its type.
    pub const KINDS: &[(&str, &str)] = &[$(($kind, stringify!($name))),+];
} }

/// Only the form that we print: 26 upper-case Crockford letters. Other spellings of the same number would
/// be a second name of the same record.
fn canonical(s: &str) -> Option<Ulid> {
    let ulid = Ulid::from_string(s).ok()?;
    (s.len() == 26 && ulid.to_string() == s).then_some(ulid)
}

ids! {
    // tenants
    TenantId => "ten",
    SignupId => "sgn",
    PlanId => "tpn",
    ProvisioningId => "pvn",
    OperatorId => "opr",
    ContextId => "opx",
    UsageId => "usg",
    OrganisationId => "org",
    SettingsId => "cfg",
    SiteId => "sit",
    DepartmentId => "dpt",
    // identity
    UserId => "usr",
    CustomRoleId => "rol",
    OverrideId => "ovr",
    TeamId => "tem",
    DeviceId => "dev",
    SessionId => "ses",
    LoginId => "lgn",
    ElevationId => "elv",
    BreakGlassId => "brk",
    AccessRuleId => "rul",
    PartnerKeyId => "pky",
    // patients
    PatientId => "pat",
    RelatedPersonId => "rlp",
    AllergyId => "alg",
    FlagId => "flg",
    BackgroundId => "bkg",
    CoverageId => "cov",
    MergeId => "mrg",
    ProxyId => "prx",
    // scheduling
    PractitionerId => "prc",
    AvailabilityId => "avl",
    BlockId => "blk",
    AppointmentId => "apt",
    VisitId => "pvi",
    FollowUpId => "flw",
    QueueId => "que",
    // audit
    ChangeId => "chn",
    AccessId => "acc",
    DigestId => "dig",
    VerificationId => "vrf",
    AuditExportId => "axp",
    SurgeId => "srg",
    // documents
    DocumentId => "doc",
    DocumentCategoryId => "dct",
    DocumentTemplateId => "dtp",
    SignatureId => "sig",
    ShareId => "shr",
    RetentionClassId => "rtc",
    HoldId => "hld",
    DisposalId => "ddp",
    // notifications
    NotificationId => "ntf",
    DeliveryId => "dlv",
    NotificationRuleId => "nrl",
    MessageTemplateId => "ntp",
    PreferencesId => "npf",
    PushEndpointId => "psh",
    SuppressionId => "sup",
    BroadcastId => "brd",
    ConnectionId => "wsc",
    OutsideAddressId => "nad",
    // integrations
    WebhookId => "whe",
    WebhookDeliveryId => "whd",
    WarehouseId => "whx",
    // workflow
    TaskId => "tsk",
    RuleId => "wfr",
    FiringId => "frn",
    ApprovalId => "apv",
    ApprovalPolicyId => "apy",
    SequenceId => "sqt",
    SequenceRunId => "sqr",
    /// What a rule asked another module for, and the answer.
    RuleActionId => "wfa",
    RuleAnswerId => "wfn",
    // eap
    ClientOrgId => "clo",
    IndustryId => "ind",
    EapContractId => "ecn",
    ServiceCategoryId => "eca",
    EapServiceId => "eas",
    EapProviderId => "epv",
    EapAssignmentId => "eag",
    BeneficiaryId => "ben",
    EapCaseId => "ecs",
    EapSessionId => "ess",
    OrgServiceId => "oev",
    KpiId => "kpd",
    KpiAssignmentId => "kpa",
    ClientReportId => "crp",
    ClientBillId => "ebl",
    SatisfactionId => "esa",
    OnCallId => "eoc",
    // named by these modules, kept by others
    EmployeeId => "emp",
    EncounterId => "enc",
    JobId => "wrk",
    ConsentId => "cns",
}

impl TenantId {
    /// The bare ULID: the prefix of every key of the tenant, and the `tenant` claim.
    pub fn prefix(self) -> String {
        self.0.to_string()
    }
    /// From the `tenant` claim.
    pub fn from_prefix(s: &str) -> Option<Self> {
        canonical(s).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_begins_with_the_time_that_it_is_given() {
        let at: jiff::Timestamp = "2026-11-29T08:00:00.125Z".parse().unwrap();
        assert_eq!(SiteId::at(at).ulid().timestamp_ms(), 1_795_939_200_125);
    }

    #[test]
    fn a_tenants_prefix_is_its_bare_ulid_and_reads_back() {
        let tenant = TenantId::of(Ulid::new());
        assert_eq!(format!("ten_{}", tenant.prefix()), tenant.to_string());
        assert_eq!(TenantId::from_prefix(&tenant.prefix()), Some(tenant));
        assert_eq!(TenantId::from_prefix(&tenant.to_string()), None);
    }

    #[test]
    fn a_kind_is_never_given_twice() {
        let mut kinds: Vec<_> = KINDS.iter().map(|(k, _)| k).collect();
        kinds.sort();
        kinds.dedup();
        assert_eq!(kinds.len(), KINDS.len());
    }

    #[test]
    fn a_kind_is_three_small_letters_and_no_word_of_the_table() {
        for (kind, _) in KINDS {
            assert!(kind.len() == 3 && kind.bytes().all(|b| b.is_ascii_lowercase()), "{kind}");
            assert!(!["chg", "seq", "idm"].contains(kind), "{kind}");
        }
    }

    #[test]
    fn an_id_reads_back_only_in_the_form_it_is_printed() {
        let id = PatientId::of(Ulid::from_parts(1_700_000_000_000, 42));
        assert_eq!(id.to_string().parse::<PatientId>().unwrap(), id);
        assert!(id.to_string().to_lowercase().parse::<PatientId>().is_err());
        assert!(id.to_string().replace("pat_", "usr_").parse::<PatientId>().is_err());
        assert!(format!("{id}0").parse::<PatientId>().is_err());
        assert!("pat_".parse::<PatientId>().is_err());
    }

    #[test]
    fn ids_sort_by_the_time_they_were_given() {
        let early = PatientId::at("2026-01-01T00:00:00Z".parse().unwrap());
        let late = PatientId::at("2026-01-01T00:00:00.001Z".parse().unwrap());
        assert!(early.to_string() < late.to_string());
    }
}
