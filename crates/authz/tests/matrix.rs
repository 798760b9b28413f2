//! The printed matrix, and what must hold of it whatever is changed.
use std::{collections::BTreeSet, fs, path::Path};

use authz::{Edition, Only, ROLES, Reach, Role, Scope, grid, role, rule, rules};

#[test]
fn the_matrix_is_the_golden_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/matrix.txt");
    let printed = grid::print();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &printed).unwrap();
    }
    let golden = fs::read_to_string(&path).unwrap_or_default();
    for (line, (printed, golden)) in printed.lines().zip(golden.lines()).enumerate() {
        assert_eq!(printed, golden, "line {}; UPDATE_GOLDEN=1 rewrites it", line + 1);
    }
    assert_eq!(printed, golden, "UPDATE_GOLDEN=1 rewrites it");
}

#[test]
fn no_permission_is_declared_twice() {
    let names: Vec<_> = rules().map(|rule| rule.permission).collect();
    assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "sorted and distinct, or `rule` would miss some");
    for name in names {
        assert_eq!(rule(name).map(|rule| rule.permission), Some(name));
    }
    for unknown in ["", "patient", "patient.", "patient.vie", "patient.views", "zzz.view", "aaa.view"] {
        assert!(rule(unknown).is_none(), "{unknown}");
    }
}

#[test]
fn a_permission_is_a_noun_and_an_action() {
    for rule in rules() {
        let word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        assert!(word(rule.noun()) && word(rule.action()), "{}", rule.permission);
        assert_eq!(rule.permission, format!("{}.{}", rule.noun(), rule.action()));
        assert!(
            [
                "tenants",
                "identity",
                "patients",
                "scheduling",
                "audit",
                "documents",
                "notifications",
                "integrations",
                "workflow",
                "eap"
            ]
            .contains(&rule.module)
        );
    }
}

#[test]
fn a_ceiling_is_never_below_its_grant() {
    for rule in rules() {
        for grant in rule.grants {
            assert!(rule.ceiling(grant.role) >= grant.reach, "{} {}", rule.permission, grant.role);
            assert!(grant.reach > Reach::None);
        }
        for (slug, ceiling) in rule.ceilings {
            assert!(
                *ceiling > rule.grant(slug).map_or(Reach::None, |grant| grant.reach),
                "listed only if wider"
            );
            assert_eq!(rule.ceiling(slug), *ceiling);
        }
    }
}

#[test]
fn somebody_has_every_right_and_only_known_roles_do() {
    for rule in rules() {
        assert!(!rule.grants.is_empty(), "{}", rule.permission);
        let slugs: BTreeSet<_> = rule.grants.iter().map(|grant| grant.role).collect();
        assert_eq!(slugs.len(), rule.grants.len(), "{}", rule.permission);
        assert!(slugs.iter().all(|slug| role(slug).is_some()), "{}", rule.permission);
    }
}

#[test]
fn the_roles_are_those_of_the_specification() {
    let slugs: Vec<_> = ROLES.iter().map(|role| role.slug).collect();
    assert_eq!(slugs.len(), 30);
    assert_eq!(slugs.iter().collect::<BTreeSet<_>>().len(), 30);
    let of =
        |edition| ROLES.iter().filter(|r| r.is_personal() && r.exists_in(edition)).map(|r| r.slug).collect();
    let own: Vec<&str> = of(None);
    assert_eq!(own, ["platform_admin", "platform_support", "platform_billing"]);
    let hospital: Vec<&str> = of(Some(Edition::Hospital));
    let everywhere = ["tenant_admin", "hr", "finance", "auditor", "quality"];
    let clinic =
        ["doctor", "nurse", "pharmacist", "lab_technician", "receptionist", "cashier", "patient", "guardian"];
    assert_eq!(hospital, [everywhere.as_slice(), &clinic].concat());
    assert_eq!(hospital, of(Some(Edition::Clinic)));
    let homecare: Vec<&str> = of(Some(Edition::Homecare));
    let care = ["care_coordinator", "carer", "client", "family", "tutor", "assessor", "iqa", "eqa"];
    assert_eq!(homecare, [everywhere.as_slice(), &care].concat());
    let eap: Vec<&str> = of(Some(Edition::Eap));
    assert_eq!(
        eap,
        [everywhere.as_slice(), &["eap_manager", "eap_provider", "eap_client_contact", "beneficiary"]]
            .concat()
    );
}

fn roles_where(holds: impl Fn(&Role) -> bool) -> Vec<&'static str> {
    ROLES.iter().filter(|role| holds(role)).map(|role| role.slug).collect()
}

#[test]
fn the_second_factor_is_required_where_the_specification_says() {
    let everywhere = roles_where(|role| role.needs_mfa(Some(Edition::Clinic)));
    let asked = [
        "platform_admin",
        "platform_support",
        "platform_billing",
        "tenant_admin",
        "hr",
        "finance",
        "auditor",
        "quality",
        "doctor",
        "pharmacist",
        "care_coordinator",
        "eap_manager",
        "eap_provider",
    ];
    assert_eq!(everywhere, asked);
    assert_eq!(roles_where(|role| role.needs_mfa(None)), asked);
    let hospital: BTreeSet<_> =
        roles_where(|role| role.needs_mfa(Some(Edition::Hospital))).into_iter().collect();
    for slug in ["nurse", "lab_technician", "receptionist", "cashier", "doctor"] {
        assert!(hospital.contains(slug), "all staff of a hospital: {slug}");
    }
    for slug in ["patient", "guardian", "partner", "public"] {
        assert!(!hospital.contains(slug), "{slug}");
    }
}

#[test]
fn sessions_end_after_the_specified_idle_time() {
    assert_eq!(
        roles_where(|role| role.idle_minutes == 30),
        ["platform_admin", "platform_support", "platform_billing", "tenant_admin"]
    );
    assert_eq!(roles_where(|role| role.idle_minutes == 720), ["carer"]);
    assert_eq!(roles_where(|role| role.idle_minutes == 0), ["partner", "public"]);
    assert_eq!(roles_where(|role| role.idle_minutes == 15).len(), ROLES.len() - 7);
}

#[test]
fn only_clinical_roles_and_coordinators_break_the_glass() {
    let those = |permission| -> std::collections::BTreeSet<&str> {
        rule(permission).unwrap().grants.iter().map(|grant| grant.role).collect()
    };
    let of_patients = [roles_where(|role| role.clinical), vec!["care_coordinator", "eap_manager"]].concat();
    assert_eq!(those("break_glass.patient"), of_patients.iter().copied().collect());
    let of_cases = std::collections::BTreeSet::from(["tenant_admin", "eap_manager", "finance", "auditor"]);
    assert_eq!(those("eap_case.glass"), of_cases);
    assert_eq!(those("break_glass.open"), &those("break_glass.patient") | &of_cases);
    assert_eq!(roles_where(|role| role.clinical), ["doctor", "nurse", "pharmacist", "lab_technician"]);
}

#[test]
fn everybody_with_a_login_reaches_their_own_account_and_nothing_else_is_for_all() {
    for slug in roles_where(Role::is_personal) {
        for permission in ["me.view", "profile.view", "profile.edit", "mfa.enrol", "session.end"] {
            let grant = rule(permission).unwrap().grant(slug).unwrap();
            assert!(grant.reach >= Reach::Own && grant.only.is_none(), "{slug} {permission}");
        }
    }
    let everybodys: Vec<_> =
        rules().filter(|rule| rule.grants.len() >= 28).map(|rule| rule.permission).collect();
    assert_eq!(
        everybodys,
        [
            "login.view",
            "me.view",
            "mfa.enrol",
            "organisation.view",
            "permission.explain",
            "profile.edit",
            "profile.view",
            "session.end",
            "session.view"
        ]
    );
    let support =
        rules().filter(|rule| rule.module != "identity" && rule.grant("platform_support").is_some());
    assert_eq!(
        support.map(|rule| rule.permission).collect::<Vec<_>>(),
        [
            "change.view",
            "context.open",
            "context.revoke",
            "context.view",
            "dead_letter.resend",
            "dead_letter.view",
            "digest.view",
            "operator.view",
            "organisation.view",
            "plan.view",
            "provisioning.view",
            "signup.view",
            "tenant.view",
            "verification.create",
            "verification.view"
        ]
    );
}

#[test]
fn operators_hold_nothing_of_patients_without_a_context() {
    for rule in rules().filter(|rule| matches!(rule.module, "patients" | "scheduling")) {
        for operator in ["platform_admin", "platform_support", "platform_billing"] {
            assert!(
                rule.grant(operator).is_none() && rule.ceiling(operator) == Reach::None,
                "{}",
                rule.permission
            );
        }
    }
}

#[test]
fn strangers_hold_only_what_is_public() {
    let open: Vec<_> =
        rules().filter(|rule| rule.grant("public").is_some()).map(|rule| rule.permission).collect();
    assert_eq!(
        open,
        [
            "discovery.create",
            "docs.view",
            "health.view",
            "invitation.accept",
            "invitation.view",
            "link.open",
            "plan.view",
            "recovery.create",
            "signup.create",
            "signup.edit",
            "slug.view",
        ]
    );
    assert_eq!(rule("plan.view").unwrap().grant("public").unwrap().only, Some(Only::Published));
}

#[test]
fn a_machine_holds_nothing_but_itself_without_a_scope() {
    for rule in rules() {
        if let Some(grant) = rule.grant("partner") {
            let of_itself = grant.reach == Reach::Own && grant.only.is_none();
            let by_scope = grant.only == Some(Only::Scope);
            assert!(of_itself || by_scope, "{}", rule.permission);
        }
        assert!(rule.grants.iter().all(|grant| grant.role == "partner" || grant.only != Some(Only::Scope)));
    }
}

#[test]
fn auditors_change_nothing_and_read_clinical_content_with_a_reason_only() {
    // Verifications and exports change nothing of what they are about.
    let own =
        ["me.view", "mfa.enrol", "profile.edit", "session.end", "verification.create", "audit_export.create"];
    for rule in rules().filter(|rule| !own.contains(&rule.permission)) {
        if let Some(grant) = rule.grant("auditor") {
            // What is one's own (an inbox, a task, a calendar) is one's own to change.
            assert!(rule.reads() || grant.reach == Reach::Own, "{}", rule.permission);
            // Messages to people are as personal as what is clinical.
            // So is that somebody is on a client's list, or has a case at all.
            let noun = matches!(
                rule.noun(),
                "allergy" | "background" | "timeline" | "delivery" | "beneficiary" | "eap_case"
            );
            let clinical = noun || rule.permission == "patient.view";
            // A broken glass has its reason in the opening, and is reviewed.
            let glass = rule.permission == "eap_case.glass";
            assert_eq!(grant.only == Some(Only::Reason), clinical && !glass, "{}", rule.permission);
        }
    }
}

#[test]
fn people_served_never_reach_past_themselves_and_their_own() {
    for rule in rules().filter(|rule| rule.module != "tenants") {
        for (slug, most) in [
            ("patient", Reach::Own),
            ("guardian", Reach::Linked),
            ("client", Reach::Own),
            ("beneficiary", Reach::Own),
        ] {
            let public = [Some(Only::Card), Some(Only::SelfBooking)];
            // Which categories of papers there are is nobody's data.
            let catalogue = rule.permission == "category.view";
            let grant = rule.grant(slug).filter(|grant| !public.contains(&grant.only) && !catalogue);
            assert!(grant.is_none_or(|grant| grant.reach <= most), "{} {slug}", rule.permission);
        }
    }
}

#[test]
fn what_a_context_lends_is_read_or_is_configuration_and_the_administrators() {
    for rule in rules().filter(|rule| rule.context.is_some()) {
        assert!(rule.grant("tenant_admin").is_some(), "{}", rule.permission);
        let configured =
            matches!(rule.permission, "settings.edit" | "site.edit" | "department.edit" | "user.renew_login");
        assert!(rule.reads() || configured, "{}", rule.permission);
        if matches!(rule.module, "patients" | "scheduling") {
            assert_eq!(rule.context, Some(Scope::Personal), "{}", rule.permission);
        }
    }
}

#[test]
fn the_commands_that_need_a_signature_are_marked() {
    let signed: Vec<_> = rules().filter(|rule| rule.signed).map(|rule| rule.permission).collect();
    assert_eq!(
        signed,
        [
            "access_rule.edit",
            "context.approve",
            "context.open",
            "operator.create",
            "operator.delete",
            "operator.edit",
            "operator.suspend",
            "override.edit",
            "plan.create",
            "plan.edit",
            "plan.publish",
            "role.edit",
            "tenant.approve",
            "tenant.close",
            "tenant.edit",
            "tenant.erase",
            "tenant.reactivate",
            "tenant.suspend",
        ]
    );
}

/// A second reading of the specifications' tables, cell by cell where a slip would hurt.
#[test]
fn the_cells_that_matter_most_are_as_specified() {
    let cell = |permission: &str, slug: &str| {
        let grant = rule(permission).unwrap_or_else(|| panic!("{permission}")).grant(slug);
        grant.map_or("-".to_owned(), |g| {
            g.reach.letter().to_string() + &g.only.map_or(String::new(), |o| format!(" {o}"))
        })
    };
    for (permission, slug, expected) in [
        ("patient.view", "doctor", "S"),
        ("patient.view", "pharmacist", "G"),
        ("patient.view", "cashier", "-"),
        ("patient.view", "finance", "-"),
        ("patient.identify", "cashier", "S"),
        ("patient.identify", "tenant_admin", "A"),
        ("patient.create", "receptionist", "S"),
        ("patient.create", "nurse", "S emergency"),
        ("patient.create", "tenant_admin", "-"),
        ("patient.edit", "doctor", "G"),
        ("patient.edit", "patient", "O contact"),
        ("patient.merge", "receptionist", "-"),
        ("patient.merge", "tenant_admin", "A"),
        ("patient.deceased", "receptionist", "S certificate"),
        ("patient.discharge", "nurse", "-"),
        ("allergy.edit", "pharmacist", "S"),
        ("allergy.edit", "tenant_admin", "-"),
        ("background.view", "tenant_admin", "-"),
        ("coverage.edit", "cashier", "S"),
        ("coverage.view", "quality", "A"),
        ("timeline.view", "receptionist", "S headings"),
        ("appointment.view", "doctor", "G"),
        ("appointment.create", "tenant_admin", "-"),
        ("appointment.create", "patient", "O"),
        ("appointment.overbook", "doctor", "O"),
        ("appointment.overbook", "nurse", "-"),
        ("patient_visit.check_in", "receptionist", "S"),
        ("patient_visit.check_in", "doctor", "-"),
        ("patient_visit.call", "doctor", "G"),
        ("patient_visit.call", "cashier", "-"),
        ("patient_visit.prioritise", "receptionist", "-"),
        ("practitioner.edit", "doctor", "O not_fee"),
        ("practitioner.edit", "receptionist", "-"),
        ("user.create", "hr", "S may_grant"),
        ("user.create", "eap_manager", "A may_grant"),
        ("user.edit", "receptionist", "-"),
        ("user.view", "doctor", "S names"),
        ("user.view", "receptionist", "S names"),
        ("user.view", "patient", "O"),
        ("role.edit", "hr", "-"),
        ("override.edit", "tenant_admin", "A"),
        ("elevation.approve", "tenant_admin", "A not_own"),
        ("elevation.request", "auditor", "-"),
        ("break_glass.review", "quality", "A not_own"),
        ("permission.explain", "receptionist", "O"),
        ("tenant.view", "platform_support", "A"),
        ("tenant.view", "tenant_admin", "-"),
        ("tenant.extend", "platform_billing", "A"),
        ("tenant.suspend", "platform_billing", "-"),
        ("tenant.erase", "tenant_admin", "-"),
        ("tenant.close", "tenant_admin", "A approval"),
        ("settings.view", "nurse", "A basics"),
        ("settings.edit", "platform_admin", "-"),
        ("site.view", "nurse", "S"),
        ("site.edit", "hr", "-"),
        ("organisation.view", "patient", "A card"),
        ("subscription.view", "hr", "-"),
        ("subscription.view", "finance", "A"),
        ("context.open", "platform_support", "A approval"),
        ("context.revoke", "tenant_admin", "A"),
        ("operator.view", "platform_billing", "O"),
    ] {
        assert_eq!(cell(permission, slug), expected, "{permission} {slug}");
    }
    for (permission, slug, ceiling) in [
        ("patient.merge", "receptionist", Reach::Site),
        ("patient.undo_merge", "receptionist", Reach::Site),
        ("patient.register_duplicate", "receptionist", Reach::Site),
        ("background.view", "receptionist", Reach::Site),
        ("background.edit", "receptionist", Reach::None),
        ("appointment.view", "doctor", Reach::Site),
        ("appointment.cancel", "tenant_admin", Reach::All),
        ("patient_visit.check_in", "doctor", Reach::Site),
        ("patient_visit.prioritise", "receptionist", Reach::Site),
        ("patient.edit", "family", Reach::None),
        ("patient.edit", "doctor", Reach::Assigned),
    ] {
        assert_eq!(rule(permission).unwrap().ceiling(slug), ceiling, "{permission} {slug}");
    }
}
