//! Which module's queue hears of a kind that is due.

use kernel::{
    AppointmentId, BreakGlassId, ContextId, CoverageId, DeviceId, ElevationId, FlagId, FollowUpId, Id,
    OverrideId, PatientId, ProvisioningId, ProxyId, SignupId, TenantId, UserId,
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
];

pub(crate) fn queue(kind: &str) -> Option<Queue> {
    OWNERS.iter().find(|(k, _)| *k == kind).map(|(_, queue)| *queue)
}
