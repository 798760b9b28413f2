//! Which kinds of documents a role reaches, where the matrix says "all people kinds", "all clinical", "all money".
//! A pure table; the matrix says how far within the kinds.

use authz::Holder;
use web::Ctx;

kernel::words! {
    /// What a category belongs to.
    pub enum Group {
        People = "people",
        Clinical = "clinical",
        /// Clinical results: reports and images.
        Results = "results",
        Care = "care",
        Training = "training",
        Money = "money",
        Policy = "policy",
        Vehicle = "vehicle",
        General = "general",
        /// Case files of the assistance programme.
        CaseFile = "case_file",
    }
}

use Group::*;

const NON_CLINICAL: &[Group] = &[People, Care, Training, Money, Policy, Vehicle, General];
const PEOPLE: &[Group] = &[People, Training, Vehicle, Policy, General];
const DESK: &[Group] = &[Care, Training, Money, Policy, Vehicle, General];
const BUT_CASE_FILES: &[Group] =
    &[People, Clinical, Results, Care, Training, Money, Policy, Vehicle, General];

/// What a role may see of all that its reach covers.
fn seen_by(role: &str) -> &'static [Group] {
    match role {
        "tenant_admin" => Group::ALL,
        // The rest with a reason: see `Document::proven`.
        "auditor" => NON_CLINICAL,
        "hr" => PEOPLE,
        "quality" => NON_CLINICAL,
        "doctor" | "nurse" | "pharmacist" => &[Clinical, Results, Care, General],
        "lab_technician" => &[Results],
        // Staff's own papers are not the desk's.
        "receptionist" => DESK,
        "care_coordinator" => &[Care, Clinical, Results, Vehicle, General],
        "tutor" | "assessor" | "iqa" | "eqa" => &[Training],
        "finance" => &[Money],
        "eap_manager" => BUT_CASE_FILES,
        // Their reach is a person's, not a kind's.
        "carer" | "eap_provider" | "eap_client_contact" => Group::ALL,
        "patient" | "guardian" | "client" | "family" | "beneficiary" | "partner" => Group::ALL,
        _ => &[],
    }
}

/// What a role may verify: narrower than what it sees.
fn verified_by(role: &str) -> &'static [Group] {
    match role {
        "quality" => &[Policy],
        "care_coordinator" => &[Vehicle],
        "tutor" | "assessor" => &[Training],
        "tenant_admin" | "hr" | "finance" | "eap_manager" => seen_by(role),
        _ => &[],
    }
}

/// What the caller is about to do with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    See,
    Verify,
}

pub fn reaches<'a>(mut roles: impl Iterator<Item = &'a str>, group: Group, deed: Deed) -> bool {
    let table = match deed {
        Deed::See => seen_by,
        Deed::Verify => verified_by,
    };
    roles.any(|role| table(role).contains(&group))
}

/// The caller's roles as the matrix knows them: a custom role is what it is based on, a lent one counts.
pub fn roles<'a>(holder: &Holder<'a>) -> Vec<&'a str> {
    let custom = holder.custom;
    let built_in = |slug: &'a String| -> &'a str {
        custom.iter().find(|c| c.slug == *slug).map_or(slug.as_str(), |c| c.based_on.as_str())
    };
    holder.roles.iter().chain(holder.elevated).map(built_in).collect()
}

/// Whether the caller (of whatever roles) reaches documents of this group. What the product does itself, and an
/// operator's context, which stands in the place of all roles, are bounded by the matrix alone.
pub fn may(ctx: &Ctx, group: Group, deed: Deed) -> bool {
    let holder = ctx.holder();
    let unbounded = ctx.actor().user.starts_with("system:") || holder.context.is_some();
    unbounded || reaches(roles(&holder).into_iter(), group, deed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sees(role: &str, group: Group) -> bool {
        reaches([role].into_iter(), group, Deed::See)
    }
    fn verifies(role: &str, group: Group) -> bool {
        reaches([role].into_iter(), group, Deed::Verify)
    }

    #[test]
    fn nobody_verifies_what_they_do_not_see() {
        for role in authz::ROLES {
            for group in Group::ALL {
                assert!(!verifies(role.slug, *group) || sees(role.slug, *group), "{} {group}", role.slug);
            }
        }
    }

    #[test]
    fn clinical_kinds_are_for_clinical_staff() {
        for role in ["hr", "quality", "receptionist", "finance", "tutor"] {
            assert!(!sees(role, Clinical) && !sees(role, Results), "{role}");
        }
        assert!(sees("doctor", Clinical) && sees("lab_technician", Results));
        assert!(!sees("lab_technician", Clinical) && !sees("doctor", People));
    }

    #[test]
    fn a_verifier_is_of_the_field() {
        assert!(
            verifies("hr", People) && verifies("care_coordinator", Vehicle) && verifies("finance", Money)
        );
        assert!(
            !verifies("care_coordinator", Care)
                && !verifies("doctor", Clinical)
                && !verifies("quality", People)
        );
        assert!(!verifies("patient", General) && !verifies("family", General));
    }

    #[test]
    fn a_role_that_this_table_does_not_know_sees_nothing() {
        assert!(!sees("x_night_desk", General));
    }
}
