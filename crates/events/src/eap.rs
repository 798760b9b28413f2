//! Events of the `eap` module. What concerns a case carries its id, contract, category and mode; never who it is about,
//! the issue, the risk or the unit: webhooks, exports and rules see these.

use jiff::civil::Date;
use kernel::{ClientOrgId, EapContractId};
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
    ContractRenewalDue(ContractSaid),
}

/// Which contract of which client, and the dates it runs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContractSaid {
    pub contract: EapContractId,
    pub client: ClientOrgId,
    pub end_date: Date,
}
