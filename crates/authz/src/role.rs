//! The built-in roles. Rooms that tenants furnish themselves are `CustomRole`s, based on one of these.

kernel::words! {
    /// Who runs the organisation.
    pub enum Edition { Hospital = "hospital", Clinic = "clinic", Homecare = "homecare", Eap = "eap" }
}

/// The roles that a role may give to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MayGrant {
    Nobody,
    These(&'static [&'static str]),
    /// Every role that people of the tenant's edition hold, this one included.
    Edition,
    /// The operators' roles, in the platform's own tenant.
    Platform,
}

#[derive(Clone, Copy, Debug)]
pub struct Role {
    pub slug: &'static str,
    pub title: &'static str,
    /// Where the role exists; empty for the operators of the platform.
    pub editions: &'static [Edition],
    pub may_grant: MayGrant,
    /// A second factor is required in every edition (`Role::needs_mfa` adds the hospitals' rule).
    pub mfa_required: bool,
    /// Minutes without a request after which a session ends; 0 for machines, which have no session.
    pub idle_minutes: u16,
    /// Treats patients, and so may break the glass.
    pub clinical: bool,
    /// Works for the organisation (as opposed to being served by it).
    pub staff: bool,
}

impl Role {
    /// Whether a user with this role must have a second factor: some roles everywhere, and all staff of
    /// a hospital.
    pub fn needs_mfa(&self, edition: Option<Edition>) -> bool {
        self.mfa_required || (self.staff && edition == Some(Edition::Hospital))
    }

    /// Operators of the platform, who live in its own tenant.
    pub const fn is_platform(&self) -> bool {
        self.editions.is_empty()
    }

    /// Held by a person with a login: neither a machine nor a stranger.
    pub fn is_personal(&self) -> bool {
        !matches!(self.slug, "partner" | "public")
    }

    /// Whether the role exists in a tenant of this edition (`None`: the platform's own tenant).
    pub fn exists_in(&self, edition: Option<Edition>) -> bool {
        edition.map_or(self.is_platform(), |edition| self.editions.contains(&edition))
    }
}

pub fn role(slug: &str) -> Option<&'static Role> {
    ROLES.iter().find(|role| role.slug == slug)
}

const EVERYWHERE: &[Edition] = Edition::ALL;
const HC: &[Edition] = &[Edition::Hospital, Edition::Clinic];
const L: &[Edition] = &[Edition::Homecare];
const E: &[Edition] = &[Edition::Eap];

/// Office, clinical and portal sessions.
const SHORT: u16 = 15;
/// Operators of the platform and administrators.
const LONG: u16 = 30;
/// A carer's phone, which has its own lock.
const SHIFT: u16 = 12 * 60;

const fn staff(slug: &'static str, title: &'static str, editions: &'static [Edition]) -> Role {
    Role {
        slug,
        title,
        editions,
        may_grant: MayGrant::Nobody,
        mfa_required: false,
        idle_minutes: SHORT,
        clinical: false,
        staff: true,
    }
}

const fn served(slug: &'static str, title: &'static str, editions: &'static [Edition]) -> Role {
    Role { staff: false, ..staff(slug, title, editions) }
}

impl Role {
    const fn grants(self, roles: &'static [&'static str]) -> Self {
        Self { may_grant: MayGrant::These(roles), ..self }
    }
    const fn mfa(self) -> Self {
        Self { mfa_required: true, ..self }
    }
    const fn idle(self, idle_minutes: u16) -> Self {
        Self { idle_minutes, ..self }
    }
    const fn clinical(self) -> Self {
        Self { clinical: true, ..self }
    }
}

const fn operator(slug: &'static str, title: &'static str, may_grant: MayGrant) -> Role {
    Role { may_grant, ..served(slug, title, &[]) }.mfa().idle(LONG)
}

/// Every built-in role, in the order of the printed matrix.
pub const ROLES: &[Role] = &[
    operator("platform_admin", "Platform administrator", MayGrant::Platform),
    operator("platform_support", "Platform support", MayGrant::Nobody),
    operator("platform_billing", "Platform billing", MayGrant::Nobody),
    Role { may_grant: MayGrant::Edition, ..staff("tenant_admin", "Administrator", EVERYWHERE) }
        .mfa()
        .idle(LONG),
    staff("hr", "Human resources", EVERYWHERE).mfa().grants(&[
        "doctor",
        "nurse",
        "pharmacist",
        "lab_technician",
        "receptionist",
        "cashier",
        "carer",
        "care_coordinator",
        "tutor",
        "assessor",
        "iqa",
    ]),
    staff("finance", "Finance", EVERYWHERE).mfa(),
    staff("auditor", "Auditor", EVERYWHERE).mfa(),
    staff("quality", "Quality", EVERYWHERE).mfa(),
    staff("doctor", "Doctor", HC).mfa().clinical(),
    staff("nurse", "Nurse", HC).clinical(),
    staff("pharmacist", "Pharmacist", HC).mfa().clinical(),
    staff("lab_technician", "Laboratory technician", HC).clinical(),
    staff("receptionist", "Receptionist", HC).grants(&["patient"]),
    staff("cashier", "Cashier", HC),
    served("patient", "Patient", HC),
    served("guardian", "Guardian", HC),
    staff("care_coordinator", "Care coordinator", L).mfa().grants(&["carer", "client", "family"]),
    staff("carer", "Carer", L).idle(SHIFT),
    served("client", "Client", L),
    served("family", "Family", L),
    staff("tutor", "Tutor", L),
    staff("assessor", "Assessor", L),
    staff("iqa", "Internal quality assurer", L),
    // Samples from outside and reads only, yet signs in like staff.
    staff("eqa", "External quality assurer", L),
    staff("eap_manager", "Programme manager", E).mfa().grants(&[
        "eap_provider",
        "eap_client_contact",
        "beneficiary",
    ]),
    staff("eap_provider", "Counsellor", E).mfa(),
    served("eap_client_contact", "Client organisation's contact", E),
    served("beneficiary", "Beneficiary", E),
    served("partner", "Partner machine", EVERYWHERE).idle(0),
    served("public", "Nobody signed in", EVERYWHERE).idle(0),
];
