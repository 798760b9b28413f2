//! What `decide` answers, told as cases, and what it must never answer.
use authz::*;
use jiff::{SignedDuration, Timestamp};
use proptest::{prelude::*, sample::select};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn roles(slugs: &[&str]) -> Vec<String> {
    slugs.iter().map(|slug| (*slug).to_owned()).collect()
}

fn change(role: &str, permission: &str, reach: Reach) -> Override {
    Override { role: role.into(), permission: permission.into(), reach, expires: None }
}

fn decided(slugs: &[&str], overrides: &[Override], permission: &str) -> Decision {
    decide(&Holder { roles: &roles(slugs), overrides, ..Holder::default() }, permission, NOW)
}

fn answer(decision: &Decision) -> (Reach, Option<Only>, DecidedBy) {
    (decision.reach, decision.only, decision.decided_by)
}

#[test]
fn without_a_role_or_a_known_permission_there_is_no_right() {
    for (slugs, permission) in [
        (&[][..], "patient.view"),
        (&["x_gone"], "patient.view"),
        (&["doctor"], "patient.teleport"),
        (&["doctor"], ""),
        (&["Doctor"], "patient.view"),
        (&["tenant_admin"], "patient.create"),
        (&["cashier"], "patient.view"),
    ] {
        let decision = decided(slugs, &[], permission);
        assert_eq!(answer(&decision), (Reach::None, None, DecidedBy::Grant), "{slugs:?} {permission}");
        assert!(!decision.is_allowed() && decision.held.is_empty());
        assert_eq!(decision.allows(Reach::Own), None);
    }
}

#[test]
fn a_grant_is_answered_with_its_restriction_and_its_trace() {
    let decision = decided(&["auditor"], &[], "patient.view");
    assert!(decision.is_allowed());
    assert_eq!(answer(&decision), (Reach::All, Some(Only::Reason), DecidedBy::Grant));
    let step = Step {
        role: "auditor".into(),
        granted: Reach::All,
        overridden: None,
        ceiling: Reach::All,
        reach: Reach::All,
        only: Some(Only::Reason),
        decided_by: DecidedBy::Grant,
    };
    assert_eq!(decision.trace, [step]);
}

#[test]
fn several_roles_give_their_union_and_none_takes_away() {
    let decision = decided(&["auditor", "cashier", "doctor"], &[], "patient.view");
    assert_eq!(answer(&decision), (Reach::All, Some(Only::Reason), DecidedBy::Grant));
    let held: Vec<_> = decision.held.iter().map(|held| (held.reach, held.only)).collect();
    assert_eq!(held, [(Reach::All, Some(Only::Reason)), (Reach::Site, None)]);
    assert_eq!(
        decision.allows(Reach::Site).unwrap().only,
        None,
        "at the own site the doctor needs no reason"
    );
    assert_eq!(decision.allows(Reach::Own).unwrap().only, None);
    assert_eq!(decision.allows(Reach::All).unwrap().only, Some(Only::Reason));
    assert_eq!(decision.allows(Reach::None), None, "no need is not a right");
    assert_eq!(decision.trace.len(), 3);

    let names = decided(&["quality", "doctor"], &[], "user.view");
    assert_eq!(names.held.len(), 1, "names at one's site are covered by names everywhere");
    let both = decided(&["quality", "hr"], &[], "user.view");
    assert_eq!(
        (both.reach, both.only, both.held.len()),
        (Reach::All, None, 1),
        "of two equals the free one counts"
    );
}

#[test]
fn a_reach_that_is_too_narrow_allows_nothing() {
    let doctor = decided(&["doctor"], &[], "appointment.view");
    assert!(doctor.allows(Reach::Assigned).is_some() && doctor.allows(Reach::Linked).is_some());
    assert!(doctor.allows(Reach::Team).is_none() && doctor.allows(Reach::Site).is_none());
}

#[test]
fn an_override_widens_up_to_the_ceiling() {
    let site = [change("receptionist", "background.view", Reach::Site)];
    let decision = decided(&["receptionist"], &site, "background.view");
    assert_eq!(answer(&decision), (Reach::Site, None, DecidedBy::Override));
    let step = &decision.trace[0];
    assert_eq!((step.granted, step.overridden, step.ceiling), (Reach::None, Some(Reach::Site), Reach::Site));

    let all = [change("receptionist", "background.view", Reach::All)];
    assert_eq!(
        answer(&decided(&["receptionist"], &all, "background.view")),
        (Reach::Site, None, DecidedBy::Ceiling)
    );

    let never = [change("family", "patient.edit", Reach::Own)];
    assert_eq!(
        answer(&decided(&["family"], &never, "patient.edit")),
        (Reach::None, None, DecidedBy::Ceiling)
    );
}

#[test]
fn an_override_touches_its_own_role_and_permission_only() {
    let none = [change("doctor", "patient.view", Reach::None)];
    assert_eq!(
        answer(&decided(&["doctor"], &none, "patient.view")),
        (Reach::None, None, DecidedBy::Override)
    );
    assert_eq!(decided(&["doctor"], &none, "patient.identify").reach, Reach::Site);
    assert_eq!(decided(&["nurse"], &none, "patient.view").reach, Reach::Site);
    let both = decided(&["doctor", "pharmacist"], &none, "patient.view");
    assert_eq!(
        answer(&both),
        (Reach::Assigned, None, DecidedBy::Grant),
        "the other role still gives what it gives"
    );
}

#[test]
fn a_narrowed_right_keeps_its_restriction() {
    let site = [change("auditor", "patient.view", Reach::Site)];
    assert_eq!(
        answer(&decided(&["auditor"], &site, "patient.view")),
        (Reach::Site, Some(Only::Reason), DecidedBy::Override)
    );
}

#[test]
fn a_right_that_was_taken_away_has_no_restriction_left() {
    let decision = decided(&["auditor"], &[change("auditor", "patient.view", Reach::None)], "patient.view");
    assert_eq!(answer(&decision), (Reach::None, None, DecidedBy::Override));
    assert_eq!(decision.trace[0].only, None);
}

#[test]
fn an_override_ends_at_its_moment() {
    let mut site = change("receptionist", "background.view", Reach::Site);
    site.expires = Some(NOW);
    let roles = roles(&["receptionist"]);
    let overrides = [site];
    let holder = Holder { roles: &roles, overrides: &overrides, ..Holder::default() };
    let second = SignedDuration::from_secs(1);
    assert_eq!(decide(&holder, "background.view", NOW - second).reach, Reach::Site);
    assert_eq!(answer(&decide(&holder, "background.view", NOW)), (Reach::None, None, DecidedBy::Grant));
    assert_eq!(decide(&holder, "background.view", NOW + second).reach, Reach::None);
}

#[test]
fn of_two_overrides_the_narrower_counts() {
    let two = [
        change("tenant_admin", "appointment.cancel", Reach::All),
        change("tenant_admin", "appointment.cancel", Reach::Site),
    ];
    assert_eq!(decided(&["tenant_admin"], &two, "appointment.cancel").reach, Reach::Site);
}

fn ward_clerk() -> CustomRole {
    let grant = |permission: &str, reach| CustomGrant { permission: permission.into(), reach };
    CustomRole {
        slug: "x_ward_clerk".into(),
        based_on: "receptionist".into(),
        grants: vec![
            grant("patient.identify", Reach::Site),
            grant("allergy.view", Reach::Own),
            grant("patient.merge", Reach::All),
            grant("patient.discharge", Reach::Site),
            grant("nothing.view", Reach::All),
        ],
    }
}

#[test]
fn a_custom_role_gets_only_its_grants_and_never_more_than_its_base_may() {
    let (roles, custom) = (roles(&["x_ward_clerk"]), [ward_clerk()]);
    let holder = Holder { roles: &roles, custom: &custom, ..Holder::default() };
    let get = |permission| answer(&decide(&holder, permission, NOW));
    assert_eq!(get("patient.identify"), (Reach::Site, None, DecidedBy::Grant));
    assert_eq!(get("allergy.view"), (Reach::Own, Some(Only::Names), DecidedBy::Grant));
    assert_eq!(get("patient.merge"), (Reach::Site, None, DecidedBy::Ceiling));
    assert_eq!(get("patient.discharge"), (Reach::None, None, DecidedBy::Ceiling));
    for not_listed in ["patient.create", "patient.view", "me.view", "nothing.view"] {
        assert_eq!(get(not_listed).0, Reach::None, "{not_listed}");
    }
    let overrides = [
        change("x_ward_clerk", "patient.create", Reach::Site),
        change("receptionist", "patient.identify", Reach::None),
    ];
    let holder = Holder { overrides: &overrides, ..holder };
    assert_eq!(answer(&decide(&holder, "patient.create", NOW)), (Reach::Site, None, DecidedBy::Override));
    assert_eq!(
        decide(&holder, "patient.identify", NOW).reach,
        Reach::Site,
        "an override of the base is not its own"
    );
}

#[test]
fn a_custom_role_cannot_take_a_built_in_name() {
    let shadow = [CustomRole { slug: "cashier".into(), ..ward_clerk() }];
    let roles = roles(&["cashier"]);
    let holder = Holder { roles: &roles, custom: &shadow, ..Holder::default() };
    assert_eq!(decide(&holder, "patient.merge", NOW).reach, Reach::None);
    assert_eq!(decide(&holder, "coverage.edit", NOW).reach, Reach::Site);
}

#[test]
fn elevation_adds_a_role_for_as_long_as_it_is_listed() {
    let (own, lifted) = (roles(&["pharmacist"]), roles(&["tenant_admin"]));
    let holder = Holder { roles: &own, elevated: &lifted, ..Holder::default() };
    assert_eq!(answer(&decide(&holder, "settings.edit", NOW)), (Reach::All, None, DecidedBy::Elevation));
    assert_eq!(answer(&decide(&holder, "allergy.edit", NOW)), (Reach::Site, None, DecidedBy::Grant));
    assert_eq!(decide(&Holder { elevated: &[], ..holder }, "settings.edit", NOW).reach, Reach::None);
    let overrides = [change("tenant_admin", "settings.edit", Reach::Site)];
    assert_eq!(
        answer(&decide(&Holder { overrides: &overrides, ..holder }, "settings.edit", NOW)),
        (Reach::Site, None, DecidedBy::Override)
    );
}

#[test]
fn a_machine_holds_what_its_key_names() {
    let (roles, scopes) = (roles(&["partner"]), roles(&["patient.view", "patient.create"]));
    let holder = Holder { roles: &roles, scopes: &scopes, ..Holder::default() };
    let get = |permission| answer(&decide(&holder, permission, NOW));
    assert_eq!(get("patient.view"), (Reach::All, None, DecidedBy::Grant));
    assert_eq!(get("patient.identify"), (Reach::None, None, DecidedBy::Ceiling), "not among its scopes");
    assert_eq!(get("patient.create"), (Reach::None, None, DecidedBy::Grant), "no scope can give it");
    assert_eq!(get("me.view"), (Reach::Own, None, DecidedBy::Grant));
    let people = roles_of_a_doctor();
    let scoped = Holder { roles: &people, ..holder };
    assert_eq!(
        decide(&scoped, "patient.create", NOW).only,
        Some(Only::Emergency),
        "scopes give people nothing"
    );
}

fn roles_of_a_doctor() -> Vec<String> {
    roles(&["doctor"])
}

#[test]
fn a_context_lends_an_operator_what_its_scope_opens() {
    let roles = roles(&["platform_support"]);
    let inside = |scope, read_only, permission| {
        let context = Some(Context { scope, read_only });
        answer(&decide(&Holder { roles: &roles, context, ..Holder::default() }, permission, NOW))
    };
    let (lent, shut) = ((Reach::All, None, DecidedBy::Elevation), (Reach::None, None, DecidedBy::Ceiling));
    assert_eq!(inside(Scope::Personal, true, "patient.view"), lent);
    assert_eq!(inside(Scope::Configuration, true, "patient.view"), shut);
    assert_eq!(inside(Scope::Metadata, true, "settings.view"), shut);
    assert_eq!(inside(Scope::Configuration, true, "settings.view"), lent);
    assert_eq!(inside(Scope::Personal, true, "settings.view"), lent);
    assert_eq!(inside(Scope::Configuration, true, "settings.edit"), shut);
    assert_eq!(inside(Scope::Configuration, false, "settings.edit"), lent);
    assert_eq!(inside(Scope::Personal, true, "timeline.view").1, Some(Only::Headings));
    assert_eq!(inside(Scope::Metadata, true, "timeline.view"), shut);
    for never in [
        "patient.edit",
        "user.create",
        "role.edit",
        "context.allow",
        "tenant.close",
        "subscription.change",
        "appointment.create",
    ] {
        assert_eq!(inside(Scope::Personal, false, never).0, Reach::None, "{never}");
    }
    for own in ["tenant.view", "me.view", "operator.view"] {
        assert_eq!(
            inside(Scope::Personal, false, own).0,
            Reach::None,
            "inside, the operator's own rights rest: {own}"
        );
    }
    assert_eq!(decided(&["platform_support"], &[], "patient.view").reach, Reach::None, "without a context");
}

#[test]
fn an_explanation_is_plain_json() {
    let site = [change("receptionist", "background.view", Reach::Site)];
    let json = serde_json::to_value(decided(&["receptionist"], &site, "background.view")).unwrap();
    let expected = serde_json::json!({
        "reach": "site", "decided_by": "override", "held": [{"reach": "site", "decided_by": "override"}],
        "trace": [{
            "role": "receptionist", "granted": "none", "overridden": "site", "ceiling": "site", "reach": "site", "decided_by": "override",
        }],
    });
    assert_eq!(json, expected);
    let read: Override =
        serde_json::from_str(r#"{"role":"nurse","permission":"patient.view","reach":"team"}"#).unwrap();
    assert_eq!((read.reach, read.expires), (Reach::Team, None));
}

fn any_role() -> impl Strategy<Value = &'static str> {
    select(ROLES.iter().map(|role| role.slug).collect::<Vec<_>>())
}

fn any_permission() -> impl Strategy<Value = &'static str> {
    select(rules().map(|rule| rule.permission).collect::<Vec<_>>())
}

fn any_reach() -> impl Strategy<Value = Reach> {
    select(Reach::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_override_and_no_custom_role_ever_passes_a_ceiling(role in any_role(), permission in any_permission(), reach in any_reach()) {
        let ceiling = rule(permission).unwrap().ceiling(role);
        let scopes = roles(&[permission]);
        let overrides = [change(role, permission, reach)];
        let held = roles(&[role]);
        let holder = Holder { roles: &held, overrides: &overrides, scopes: &scopes, ..Holder::default() };
        prop_assert_eq!(decide(&holder, permission, NOW).reach, reach.min(ceiling));

        let grants = vec![CustomGrant { permission: permission.into(), reach }];
        let custom = [CustomRole { slug: "x_any".into(), based_on: role.into(), grants }];
        let held = roles(&["x_any"]);
        let holder = Holder { roles: &held, custom: &custom, scopes: &scopes, ..Holder::default() };
        prop_assert_eq!(decide(&holder, permission, NOW).reach, reach.min(ceiling));
    }

    #[test]
    fn one_more_role_never_takes_anything_away(a in any_role(), b in any_role(), permission in any_permission(), needed in any_reach()) {
        let one = decided(&[a], &[], permission);
        for two in [decided(&[a, b], &[], permission), decided(&[b, a], &[], permission)] {
            prop_assert!(two.reach >= one.reach);
            if let Some(before) = one.allows(needed) {
                let after = two.allows(needed).unwrap();
                prop_assert!(after.only.is_none() || before.only.is_some());
            }
            for pair in two.held.windows(2) {
                prop_assert!(pair[0].reach >= pair[1].reach);
            }
        }
    }

    #[test]
    fn every_right_has_a_step_that_explains_it(a in any_role(), b in any_role(), permission in any_permission(), reach in any_reach()) {
        let decision = decided(&[a, b], &[change(a, permission, reach)], permission);
        prop_assert_eq!(decision.trace.len(), 2);
        let widest = decision.trace.iter().map(|step| step.reach).max().unwrap();
        prop_assert_eq!(decision.reach, widest);
        for held in &decision.held {
            prop_assert!(decision.trace.iter().any(|s| s.reach == held.reach && s.only == held.only && s.decided_by == held.decided_by));
        }
    }
}
