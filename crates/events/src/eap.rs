//! Events of the `eap` module. What concerns a case carries its id, contract, category and mode; never who it is about,
//! the issue, the risk or the unit: webhooks, exports and rules see these.

use jiff::civil::Date;
use kernel::{
    ClientBillId, ClientOrgId, ClientReportId, EapCaseId, EapContractId, EapProviderId, EapSessionId, JobId,
    KpiAssignmentId, KpiId, OrgServiceId, UserId, money::Money,
};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum EapEvent {
    #[serde(rename = "client_org.created")]
    ClientCreated { client: ClientOrgId },
    #[serde(rename = "client_org.updated")]
    ClientUpdated { client: ClientOrgId },
    #[serde(rename = "client_org.verified")]
    ClientVerified { client: ClientOrgId },
    #[serde(rename = "client_org.activated")]
    ClientActivated { client: ClientOrgId },
    #[serde(rename = "client_org.deactivated")]
    ClientDeactivated { client: ClientOrgId },
    #[serde(rename = "client_org.deleted")]
    ClientDeleted { client: ClientOrgId },

    #[serde(rename = "eap_contract.activated")]
    ContractActivated(ContractSaid),
    #[serde(rename = "eap_contract.suspended")]
    ContractSuspended(ContractSaid),
    #[serde(rename = "eap_contract.renewed")]
    ContractRenewed(ContractSaid),
    #[serde(rename = "eap_contract.expired")]
    ContractExpired(ContractSaid),
    #[serde(rename = "eap_contract.terminated")]
    ContractTerminated(ContractSaid),
    #[serde(rename = "eap_contract.renewal_due")]
    ContractRenewalDue(RenewalDue),

    #[serde(rename = "eap_billing.approved")]
    BillingApproved(BillSaid),
    #[serde(rename = "eap_billing.voided")]
    BillingVoided { bill: ClientBillId, contract: EapContractId, client: ClientOrgId },
    /// A provider's licence ends in so many days, or is over (then the days are below zero).
    #[serde(rename = "eap_provider.licence_due")]
    ProviderLicenceDue { provider: EapProviderId, user: Option<UserId>, expires: Date, days: i32 },
    #[serde(rename = "org_service.held")]
    OrgServiceHeld { org_service: OrgServiceId, client: ClientOrgId, kind: String, attended: u32 },

    #[serde(rename = "beneficiary.registered")]
    BeneficiaryRegistered { client: ClientOrgId, relation: String },
    #[serde(rename = "beneficiary.ended")]
    BeneficiaryEnded { client: ClientOrgId, relation: String },
    #[serde(rename = "beneficiary_import.requested")]
    ImportRequested { import: JobId },
    #[serde(rename = "beneficiary_import.rollback_requested")]
    ImportRollbackRequested { import: JobId },

    #[serde(rename = "eap_case.opened")]
    CaseOpened(CaseSaid),
    #[serde(rename = "eap_case.assigned")]
    CaseAssigned(CaseSaid),
    #[serde(rename = "eap_case.closed")]
    CaseClosed(CaseSaid),
    #[serde(rename = "eap_case.reopened")]
    CaseReopened(CaseSaid),
    /// Somebody on call has to look at a case at once.
    #[serde(rename = "eap_case.risk_raised")]
    RiskRaised { case: EapCaseId, to: String, step: u32 },
    #[serde(rename = "eap_session.booked")]
    SessionBooked(SessionSaid),
    #[serde(rename = "eap_session.completed")]
    SessionCompleted(SessionSaid),
    #[serde(rename = "eap_session.missed")]
    SessionMissed(SessionSaid),
    #[serde(rename = "eap_session.cancelled")]
    SessionCancelled(SessionSaid),
    #[serde(rename = "eap_session.balance_low")]
    BalanceLow { case: EapCaseId, counsellor: Option<String>, left: u32 },

    #[serde(rename = "eap_kpi.measured")]
    KpiMeasured { assignment: KpiAssignmentId, kpi: KpiId, period: String },
    #[serde(rename = "client_report.released")]
    ReportReleased { report: ClientReportId, client: ClientOrgId, period: String },
}

/// What is said of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseSaid {
    pub case: EapCaseId,
    pub contract: EapContractId,
    /// Code of the service's category.
    pub category: String,
}

/// What is said of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SessionSaid {
    pub session: EapSessionId,
    pub case: EapCaseId,
    pub contract: EapContractId,
    pub category: String,
    pub mode: String,
}

/// Which contract of which client, and the dates it runs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContractSaid {
    pub contract: EapContractId,
    pub client: ClientOrgId,
    pub end_date: Date,
    /// Of a renewal: the contract that it follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<EapContractId>,
}

/// A contract ends in so many days; who is to be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RenewalDue {
    pub contract: EapContractId,
    pub client: ClientOrgId,
    pub days: i32,
    pub ends_on: Date,
    pub auto_renew: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<UserId>,
    /// The client's primary contact, where the contract does not renew itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<UserId>,
}

/// A bill as billing makes an invoice of it: codes and amounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BillSaid {
    pub bill: ClientBillId,
    pub contract: EapContractId,
    pub client: ClientOrgId,
    pub lines: Vec<BillLine>,
    pub tax: Money,
    pub total: Money,
    pub due: Date,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BillLine {
    pub label: String,
    pub quantity: u64,
    pub amount: Money,
}
