//! Nobody gives what they lack (IDN-2).
use authz::*;
use jiff::Timestamp;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const HOSPITAL: Option<Edition> = Some(Edition::Hospital);
const HOMECARE: Option<Edition> = Some(Edition::Homecare);
const CLINIC: Option<Edition> = Some(Edition::Clinic);
const EAP: Option<Edition> = Some(Edition::Eap);

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

/// Everything that one role may give in an edition, in the order of the matrix.
fn given(granter: &str, edition: Option<Edition>) -> Vec<&'static str> {
    ROLES.iter().map(|role| role.slug).filter(|slug| may_grant(&[granter], edition, slug)).collect()
}

#[test]
fn each_role_gives_the_listed_roles_of_its_edition() {
    let clinic = ["doctor", "nurse", "pharmacist", "lab_technician", "receptionist", "cashier"];
    assert_eq!(given("hr", HOSPITAL), clinic);
    assert_eq!(given("hr", CLINIC), clinic);
    assert_eq!(given("hr", HOMECARE), ["care_coordinator", "carer", "tutor", "assessor", "iqa"]);
    assert!(given("hr", EAP).is_empty());
    assert_eq!(given("care_coordinator", HOMECARE), ["carer", "client", "family"]);
    assert_eq!(given("receptionist", HOSPITAL), ["patient"]);
    assert_eq!(given("eap_manager", EAP), ["eap_provider", "eap_client_contact", "beneficiary"]);
    assert_eq!(given("platform_admin", None), ["platform_admin", "platform_support", "platform_billing"]);
    for edition in Edition::ALL {
        let people: Vec<_> =
            ROLES.iter().filter(|r| r.exists_in(Some(*edition)) && r.is_personal()).map(|r| r.slug).collect();
        assert_eq!(given("tenant_admin", Some(*edition)), people);
        assert!(people.contains(&"tenant_admin"));
    }
    let granting =
        ["platform_admin", "tenant_admin", "hr", "receptionist", "care_coordinator", "eap_manager"];
    for role in ROLES.iter().filter(|role| !granting.contains(&role.slug)) {
        for edition in [None, HOSPITAL, CLINIC, HOMECARE, EAP] {
            assert!(given(role.slug, edition).is_empty(), "{}", role.slug);
        }
    }
}

#[test]
fn a_role_of_another_edition_gives_nothing_and_is_never_given() {
    assert!(given("care_coordinator", HOSPITAL).is_empty());
    assert!(given("receptionist", HOMECARE).is_empty());
    assert!(given("tenant_admin", None).is_empty(), "the platform's own tenant has operators only");
    for edition in Edition::ALL {
        assert!(
            given("platform_admin", Some(*edition)).is_empty(),
            "no operator gives a role inside a tenant"
        );
    }
    assert!(!may_grant(&["tenant_admin"], HOSPITAL, "wizard"));
    assert!(!may_grant::<&str>(&[], HOSPITAL, "patient"));
    assert!(may_grant(&["nurse", "hr"], HOSPITAL, "doctor"), "any one of the roles suffices");
}

#[test]
fn nobody_below_may_grant_above() {
    for edition in Edition::ALL {
        for above in ["tenant_admin", "hr", "finance", "auditor", "quality", "eqa"] {
            let by: Vec<_> = ROLES
                .iter()
                .map(|r| r.slug)
                .filter(|slug| may_grant(&[slug], Some(*edition), above))
                .collect();
            assert!(by.is_empty() || by == ["tenant_admin"], "{above}: {by:?}");
        }
        // Following who gives whom never leads back up, the administrators' own circle aside.
        for start in ROLES.iter().map(|role| role.slug).filter(|slug| *slug != "tenant_admin") {
            let mut reached = given(start, Some(*edition));
            let mut at = 0;
            while let Some(next) = reached.get(at) {
                assert_ne!(*next, start, "{start} could appoint its own kind");
                let further: Vec<_> =
                    given(next, Some(*edition)).into_iter().filter(|slug| !reached.contains(slug)).collect();
                reached.extend(further);
                at += 1;
            }
        }
    }
}

struct Staff {
    roles: Vec<String>,
    elevated: Vec<String>,
    sites: Vec<String>,
    modules: Vec<String>,
    custom: Vec<CustomRole>,
    edition: Option<Edition>,
}

impl Staff {
    fn of(role: &str, edition: Option<Edition>) -> Self {
        Self {
            roles: names(&[role]),
            elevated: vec![],
            sites: names(&["*"]),
            modules: names(&["*"]),
            custom: vec![],
            edition,
        }
    }

    fn granter(&self) -> Granter<'_> {
        let holder = Holder {
            roles: &self.roles,
            custom: &self.custom,
            elevated: &self.elevated,
            ..Holder::default()
        };
        Granter { holder, edition: self.edition, sites: &self.sites, modules: &self.modules }
    }

    fn gives(&self, roles: &[&str], sites: &[&str], modules: &[&str]) -> Vec<Excess> {
        let (roles, sites, modules) = (names(roles), names(sites), names(modules));
        grant_faults(&self.granter(), &Wanted { roles: &roles, sites: &sites, modules: &modules }, NOW)
    }

    fn overrides(&self, role: &str, permission: &str, reach: Reach) -> Vec<Excess> {
        let change = Override { role: role.into(), permission: permission.into(), reach, expires: None };
        override_faults(&self.granter(), &change, NOW)
    }
}

/// Story 2 of the identity specification.
#[test]
fn hr_creates_a_nurse_for_her_site_but_no_administrator_and_no_other_site() {
    let hr = Staff {
        sites: names(&["sit_hq"]),
        modules: names(&["patients", "scheduling"]),
        ..Staff::of("hr", HOSPITAL)
    };
    assert_eq!(hr.gives(&["nurse"], &["sit_hq"], &["patients"]), []);
    assert_eq!(hr.gives(&["nurse"], &[], &[]), []);
    let role = |role: &str| Excess::Role { role: role.into() };
    let site = |site: &str| Excess::Site { site: site.into() };
    assert_eq!(hr.gives(&["tenant_admin"], &["sit_hq"], &[]), [role("tenant_admin")]);
    assert_eq!(hr.gives(&["nurse"], &["sit_ikeja"], &[]), [site("sit_ikeja")]);
    assert_eq!(hr.gives(&["nurse"], &["*"], &[]), [site("*")], "all sites are more than hers");
    let module = |module: &str| Excess::Module { module: module.into() };
    assert_eq!(
        hr.gives(
            &["nurse", "hr", "wizard", "carer", "partner"],
            &["sit_hq", "sit_ikeja"],
            &["patients", "billing", "*"]
        ),
        [
            role("hr"),
            Excess::UnknownRole { role: "wizard".into() },
            Excess::UnknownRole { role: "carer".into() },
            role("partner"),
            site("sit_ikeja"),
            module("billing"),
            module("*"),
        ],
        "everything that exceeds is listed at once"
    );
}

#[test]
fn whoever_has_no_site_gives_none_and_a_star_among_others_is_all() {
    let nowhere = Staff { sites: vec![], modules: vec![], ..Staff::of("hr", HOSPITAL) };
    let faults = nowhere.gives(&["nurse"], &["sit_hq"], &["patients"]);
    assert_eq!(
        faults,
        [Excess::Site { site: "sit_hq".into() }, Excess::Module { module: "patients".into() }]
    );
    let everywhere = Staff { sites: names(&["sit_hq", "*"]), ..Staff::of("hr", HOSPITAL) };
    assert_eq!(everywhere.gives(&["nurse"], &["sit_ikeja", "*"], &[]), []);
}

#[test]
fn an_administrator_of_all_sites_gives_every_role_of_the_edition() {
    let admin = Staff::of("tenant_admin", HOSPITAL);
    assert_eq!(admin.gives(&["tenant_admin", "doctor", "patient"], &["*", "sit_hq"], &["*", "billing"]), []);
    assert_eq!(
        admin.gives(&["platform_admin"], &[], &[]),
        [Excess::UnknownRole { role: "platform_admin".into() }]
    );
    assert_eq!(admin.gives(&["public"], &[], &[]), [Excess::Role { role: "public".into() }]);
    assert_eq!(
        Staff::of("doctor", HOSPITAL).gives(&["patient"], &[], &[]),
        [Excess::Role { role: "patient".into() }]
    );
    let lifted = Staff { elevated: names(&["tenant_admin"]), ..Staff::of("pharmacist", HOSPITAL) };
    assert_eq!(lifted.gives(&["nurse"], &[], &[]), [], "while the elevation lasts");
}

/// Story 4, as far as this matrix has its nouns.
#[test]
fn an_override_above_the_ceiling_names_the_ceiling() {
    let admin = Staff::of("tenant_admin", HOMECARE);
    let clinic = Staff::of("tenant_admin", CLINIC);
    let (role, permission) = ("family".to_owned(), "patient.edit".to_owned());
    let above = Excess::Ceiling { role, permission, reach: Reach::Linked, ceiling: Reach::None };
    assert_eq!(admin.overrides("family", "patient.edit", Reach::Linked), [above]);
    assert_eq!(clinic.overrides("receptionist", "background.view", Reach::Site), []);
    let (role, permission) = ("receptionist".to_owned(), "background.view".to_owned());
    let above = Excess::Ceiling { role, permission, reach: Reach::All, ceiling: Reach::Site };
    assert_eq!(clinic.overrides("receptionist", "background.view", Reach::All), [above]);
    assert_eq!(clinic.overrides("doctor", "patient.view", Reach::None), [], "narrowing is always possible");
    let unknown = Excess::UnknownPermission { permission: "patient.teleport".into() };
    assert_eq!(clinic.overrides("doctor", "patient.teleport", Reach::Own), [unknown]);
    for nobody in ["family", "partner", "public", "platform_admin", "x_gone", ""] {
        let faults = clinic.overrides(nobody, "patient.view", Reach::None);
        assert_eq!(faults, [Excess::UnknownRole { role: nobody.into() }], "{nobody}");
    }
}

#[test]
fn an_override_never_gives_more_than_the_giver_holds_or_may_give() {
    let hr = Staff::of("hr", HOSPITAL);
    let (role, permission) = ("tenant_admin".to_owned(), "settings.edit".to_owned());
    let wide = Excess::Permission { role, permission, reach: Reach::All, limit: Reach::None };
    assert_eq!(hr.overrides("tenant_admin", "settings.edit", Reach::All), [wide]);
    assert_eq!(hr.overrides("hr", "user.create", Reach::Site), [], "what she holds herself");
    assert_eq!(
        hr.overrides("doctor", "patient.view", Reach::Site),
        [],
        "what a role reaches that she may give"
    );
    let (role, permission) = ("tenant_admin".to_owned(), "patient.identify".to_owned());
    let wide = Excess::Permission { role, permission, reach: Reach::All, limit: Reach::Site };
    assert_eq!(hr.overrides("tenant_admin", "patient.identify", Reach::All), [wide]);
}

fn ward_clerk(based_on: &str, grants: &[(&str, Reach)]) -> CustomRole {
    let grants = grants
        .iter()
        .map(|(permission, reach)| CustomGrant { permission: (*permission).into(), reach: *reach });
    CustomRole { slug: "x_ward_clerk".into(), based_on: based_on.into(), grants: grants.collect() }
}

#[test]
fn a_custom_role_is_judged_grant_by_grant() {
    let custom = ward_clerk(
        "receptionist",
        &[("patient.identify", Reach::Site), ("patient.merge", Reach::All), ("a.b", Reach::Own)],
    );
    let admin = Staff::of("tenant_admin", HOSPITAL);
    let (role, permission) = ("x_ward_clerk".to_owned(), "patient.merge".to_owned());
    let expected = [
        Excess::Ceiling { role, permission, reach: Reach::All, ceiling: Reach::Site },
        Excess::UnknownPermission { permission: "a.b".into() },
    ];
    assert_eq!(custom_role_faults(&admin.granter(), &custom, NOW), expected);
    for base in ["partner", "public", "carer", "platform_admin", "x_ward_clerk"] {
        let faults = custom_role_faults(&admin.granter(), &ward_clerk(base, &[]), NOW);
        assert_eq!(faults, [Excess::UnknownRole { role: base.into() }], "{base}");
    }
}

#[test]
fn a_custom_role_is_given_by_whoever_may_give_its_base_and_its_rights() {
    let good =
        ward_clerk("receptionist", &[("patient.identify", Reach::Site), ("patient.create", Reach::Site)]);
    let hr = Staff { custom: vec![good], ..Staff::of("hr", HOSPITAL) };
    assert_eq!(hr.gives(&["x_ward_clerk"], &[], &[]), []);
    assert_eq!(hr.overrides("x_ward_clerk", "patient.create", Reach::None), []);
    let merging = ward_clerk("receptionist", &[("patient.merge", Reach::Site)]);
    let hr = Staff { custom: vec![merging], ..Staff::of("hr", HOSPITAL) };
    let (role, permission) = ("x_ward_clerk".to_owned(), "patient.merge".to_owned());
    let wide = Excess::Permission { role, permission, reach: Reach::Site, limit: Reach::None };
    assert_eq!(
        hr.gives(&["x_ward_clerk"], &[], &[]),
        [wide],
        "hr reaches no merge, and no role she gives does"
    );
    let lofty = Staff { custom: vec![ward_clerk("tenant_admin", &[])], ..Staff::of("hr", HOSPITAL) };
    assert_eq!(lofty.gives(&["x_ward_clerk"], &[], &[]), [Excess::Role { role: "x_ward_clerk".into() }]);
}

#[test]
fn a_custom_role_gives_what_its_base_gives_unless_that_is_everything() {
    let like =
        |base: &str| Staff { custom: vec![ward_clerk(base, &[])], ..Staff::of("x_ward_clerk", HOSPITAL) };
    assert_eq!(like("hr").gives(&["nurse"], &[], &[]), []);
    assert_eq!(like("hr").gives(&["hr"], &[], &[]).len(), 1);
    assert_eq!(like("tenant_admin").gives(&["nurse"], &[], &[]), [Excess::Role { role: "nurse".into() }]);
    let shadow = CustomRole { slug: "nurse".into(), ..ward_clerk("hr", &[]) };
    let shadowing = Staff { custom: vec![shadow], ..Staff::of("nurse", HOSPITAL) };
    assert_eq!(shadowing.gives(&["doctor"], &[], &[]).len(), 1, "a built-in role is what it is");
}

#[test]
fn an_excess_tells_what_exceeds_in_json() {
    let excess = Excess::Site { site: "sit_ikeja".into() };
    assert_eq!(
        serde_json::to_value(excess).unwrap(),
        serde_json::json!({"kind": "site", "site": "sit_ikeja"})
    );
}

/// A machine's ceiling is what the matrix gives `partner`, and its maker's own reach.
#[test]
fn a_key_is_given_what_partners_may_hold_and_its_maker_has_and_no_other_site() {
    let admin = Staff { sites: names(&["sit_hq"]), ..Staff::of("tenant_admin", HOSPITAL) };
    let keys = |by: &Staff, scopes: &[&str], sites: &[&str]| {
        key_faults(&by.granter(), &names(scopes), &names(sites), NOW)
    };
    assert_eq!(keys(&admin, &["patient.view"], &["sit_hq"]), []);
    let unknown = Excess::UnknownPermission { permission: "patient.eat".into() };
    let ceiling = Excess::Ceiling {
        role: "partner".into(),
        permission: "partner_key.create".into(),
        reach: Reach::All,
        ceiling: Reach::None,
    };
    let site = Excess::Site { site: "sit_ikeja".into() };
    assert_eq!(
        keys(&admin, &["patient.eat", "partner_key.create"], &["sit_ikeja"]),
        [unknown, ceiling, site]
    );
    let nobody = Staff::of("cleaner", HOSPITAL);
    let found = keys(&nobody, &["patient.view"], &[]);
    assert!(matches!(&found[..], [Excess::Permission { limit: Reach::None, .. }]), "{found:?}");
    // A key is bound to its sites, so whoever reaches all of a site reaches as far as the key does, and nobody else.
    let at_hq = |role: &str| Staff { sites: names(&["sit_hq"]), ..Staff::of(role, HOSPITAL) };
    assert_eq!(keys(&at_hq("nurse"), &["allergy.view"], &["sit_hq"]), []);
    let found = keys(&at_hq("doctor"), &["appointment.cancel"], &["sit_hq"]);
    assert!(matches!(&found[..], [Excess::Permission { limit: Reach::Assigned, .. }]), "{found:?}");
}
