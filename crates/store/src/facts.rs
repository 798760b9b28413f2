//! Facts: what a module publishes for others to require in their commits. One list, agreed across modules
//! (`spec/names.md`); the owner alone writes them.

/// A fact's name and the module that writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fact {
    pub name: &'static str,
    pub owner: &'static str,
}

macro_rules! facts {
    ($($(#[$doc:meta])* $konst:ident = $name:literal of $owner:literal),+ $(,)?) => {
        $($(#[$doc])* pub const $konst: Fact = Fact { name: $name, owner: $owner };)+
        pub const ALL: &[Fact] = &[$($konst),+];
    };
}

facts! {
    /// `self`: status, modules, features, limits, settings versions. Read and cached; never a condition,
    /// since every write of the tenant would contend on it.
    TENANT = "tenant" of "tenants",
    /// `<opx>`: an operator's context is open.
    CONTEXT = "context" of "tenants",
    /// `<sit>`: {open, code, path, time_zone, name}
    SITE = "site" of "tenants",
    /// `<dpt>`: {open, site}
    DEPARTMENT = "department" of "tenants",
    /// `self`: revoked sessions, elevations, overrides, custom roles, access rules. Read and cached.
    ACCESS = "access" of "identity",
    /// `<usr>`: may be named as assignee or signer.
    ACTIVE_USER = "active_user" of "identity",
    /// `<usr|pat|rlp>`: {name S, email S, phone S, language, zone, preferred, do_not_contact}
    CONTACT = "contact" of "identity",
    /// `role~<role>`, `team~<team>`: one item per member.
    MEMBERS = "members" of "identity",
    /// `<usr>~<record>`: break-glass is open, until it expires.
    GLASS = "glass" of "identity",
    /// `<pat>`: {live, status, merged_into, aliases, gender, birth_date S, site, confidentiality, user_id}
    PATIENT = "patient" of "patients",
    /// `<pat>`: {status, rev, codes, classes, criticality}; absent while never asked.
    ALLERGIES = "allergies" of "patients",
    /// `<pat>`: {codes}
    FLAGS = "flags" of "patients",
    /// `<pat>`: {coverages}
    COVERAGE = "coverage" of "patients",
    /// `<usr>~<person>`: {scopes, until, basis}
    LINKED = "linked" of "patients",
    /// `<person>`: {at}
    DECEASED = "deceased" of "patients",
    /// `<prc>~<utc date>`: {rev, intervals}: the blocks of a day.
    DAY = "day" of "scheduling",
    /// `<doc>`: {category, until}: received and verified.
    DOCUMENT = "document" of "documents",
    /// `<record or person>`: a legal hold lies on it; its absence is required by deletion, disposal, erasure.
    HELD = "held" of "documents",
    /// `<person>~<key>`: the gate step of a sequence is done.
    GATE = "gate" of "workflow",
    /// `<command>`: the approval policies of a command. Read and cached; never a condition.
    APPROVAL_POLICY = "approval_policy" of "workflow",
    /// `<pky>`: {live, client_id, gateway_key, scopes, sites, modules, ip_allow, generation}
    PARTNER_KEY = "partner_key" of "integrations",
    /// `<epv>`: approved, and the licence is in date.
    EAP_PROVIDER_READY = "eap_provider_ready" of "eap",
    /// `<ecs>`: {}; there is such a case. For who breaks its glass.
    EAP_CASE = "eap_case" of "eap",
    /// `self`: {month, used, keys: {<pky>: {day, used, allowed}}}. Read and cached; never a condition.
    API_CALLS = "api_calls" of "integrations",
    /// `<subject>~<purpose>`
    CONSENT = "consent" of "privacy",
    /// `<usr>`: whose manager is whom.
    MANAGER = "manager" of "identity",
    /// `<person>`: one item per linked user, the reverse of `linked`.
    CIRCLE = "circle" of "patients",
    /// `<usr>`: {until}
    ON_SHIFT = "on_shift" of "rostering",
    /// `<usr>`: {<capability>_until}; absent where vetting is off.
    CLEARED = "cleared" of "compliance",
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_fact_has_one_owner() {
        let mut names: Vec<_> = super::ALL.iter().map(|f| f.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), super::ALL.len());
    }
}
