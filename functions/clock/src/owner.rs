//! Which module's queue hears of a kind that is due.

use kernel::{
    AppointmentId, ApprovalId, AuditExportId, BreakGlassId, BroadcastId, ContextId, CoverageId, DeliveryId,
    DeviceId, DigestId, DisposalId, DocumentId, EapCaseId, EapContractId, EapProviderId, EapSessionId,
    ElevationId, FlagId, FollowUpId, Id, JobId, NotificationId, OverrideId, PartnerKeyId, PatientId,
    PreferencesId, ProvisioningId, ProxyId, RuleId, SequenceRunId, ShareId, SignatureId, SignupId, TaskId,
    TenantId, UserId, VerificationId, WarehouseId, WebhookDeliveryId, WebhookId,
};
use web::Queue;

/// Kinds with due dates, by their owner. A module that gives a noun its first due date adds its kind here.
const OWNERS: &[(&str, Queue)] = &[
    (TenantId::KIND, Queue::Tenants),
    (SignupId::KIND, Queue::Tenants),
    (ProvisioningId::KIND, Queue::Tenants),
    (ContextId::KIND, Queue::Tenants),
    (UserId::KIND, Queue::Identity),
    (DeviceId::KIND, Queue::Identity),
    (ElevationId::KIND, Queue::Identity),
    (BreakGlassId::KIND, Queue::Identity),
    (OverrideId::KIND, Queue::Identity),
    (PatientId::KIND, Queue::Patients),
    (CoverageId::KIND, Queue::Patients),
    (FlagId::KIND, Queue::Patients),
    (ProxyId::KIND, Queue::Patients),
    (AppointmentId::KIND, Queue::Scheduling),
    (FollowUpId::KIND, Queue::Scheduling),
    (DigestId::KIND, Queue::Audit),
    (VerificationId::KIND, Queue::Audit),
    (AuditExportId::KIND, Queue::Audit),
    (DocumentId::KIND, Queue::Documents),
    (SignatureId::KIND, Queue::Documents),
    (ShareId::KIND, Queue::Documents),
    (DisposalId::KIND, Queue::Documents),
    (NotificationId::KIND, Queue::Notifications),
    (DeliveryId::KIND, Queue::Notifications),
    (BroadcastId::KIND, Queue::Notifications),
    (PreferencesId::KIND, Queue::Notifications),
    (PartnerKeyId::KIND, Queue::Integrations),
    (WebhookId::KIND, Queue::Integrations),
    (WebhookDeliveryId::KIND, Queue::Integrations),
    (WarehouseId::KIND, Queue::Integrations),
    (TaskId::KIND, Queue::Workflow),
    (RuleId::KIND, Queue::Workflow),
    (ApprovalId::KIND, Queue::Workflow),
    (SequenceRunId::KIND, Queue::Workflow),
    (EapCaseId::KIND, Queue::Eap),
    (EapSessionId::KIND, Queue::Eap),
    (JobId::KIND, Queue::Eap),
    (EapContractId::KIND, Queue::Eap),
    (EapProviderId::KIND, Queue::Eap),
];

pub(crate) fn queue(kind: &str) -> Option<Queue> {
    OWNERS.iter().find(|(k, _)| *k == kind).map(|(_, queue)| *queue)
}
