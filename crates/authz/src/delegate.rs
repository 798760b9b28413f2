//! Delegation (IDN-2): nobody gives what they lack. A list of roles that each role may give stands in
//! for "what they hold", since an administrator must appoint doctors without being able to prescribe.
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    decide::{CustomRole, Holder, Override, decide},
    reach::Reach,
    role::{Edition, MayGrant, ROLES, role},
    rule::rule,
};

/// Who gives, in which tenant (`edition: None` is the platform's own).
#[derive(Clone, Copy, Debug)]
pub struct Granter<'a> {
    pub holder: Holder<'a>,
    pub edition: Option<Edition>,
    /// `*` is all.
    pub sites: &'a [String],
    pub modules: &'a [String],
}

/// What is to be given. Empty sites and modules are nothing, `*` is all.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub roles: &'a [String],
    pub sites: &'a [String],
    pub modules: &'a [String],
}

/// One thing that goes too far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Excess {
    /// No such role in this organisation.
    UnknownRole {
        role: String,
    },
    /// No such permission.
    UnknownPermission {
        permission: String,
    },
    /// A role that the granter may not give.
    Role {
        role: String,
    },
    Site {
        site: String,
    },
    Module {
        module: String,
    },
    /// Further than anything the granter holds or may give.
    Permission {
        role: String,
        permission: String,
        reach: Reach,
        limit: Reach,
    },
    /// Further than the role may ever reach, whoever gives it (422 `above-ceiling`).
    Ceiling {
        role: String,
        permission: String,
        reach: Reach,
        ceiling: Reach,
    },
}

/// Whether one of these roles may give `wanted`, a built-in role. Custom roles are judged through
/// `grant_faults`, which knows what they are based on.
pub fn may_grant<R: AsRef<str>>(granter_roles: &[R], edition: Option<Edition>, wanted: &str) -> bool {
    let Some(wanted) = role(wanted) else { return false };
    // Machines get their role by their key, strangers by being strangers.
    if !wanted.is_personal() || !wanted.exists_in(edition) {
        return false;
    }
    granter_roles.iter().filter_map(|slug| role(slug.as_ref())).filter(|role| role.exists_in(edition)).any(
        |granter| match granter.may_grant {
            MayGrant::Nobody => false,
            MayGrant::These(slugs) => slugs.contains(&wanted.slug),
            MayGrant::Edition | MayGrant::Platform => true,
        },
    )
}

/// All that exceeds the granter, in the order of the request; empty when everything may be given.
pub fn grant_faults(granter: &Granter, wanted: &Wanted, now: Timestamp) -> Vec<Excess> {
    let mut found: Vec<Excess> = Vec::new();
    for slug in wanted.roles {
        match known_custom(granter.holder.custom, slug) {
            Some(custom) if !granter.may_give(&custom.based_on) => {
                found.push(Excess::Role { role: slug.clone() })
            }
            Some(custom) => found.extend(custom_role_faults(granter, custom, now)),
            None if role(slug).is_none_or(|role| !role.exists_in(granter.edition)) => {
                found.push(Excess::UnknownRole { role: slug.clone() });
            }
            None if !granter.may_give(slug) => found.push(Excess::Role { role: slug.clone() }),
            None => {}
        }
    }
    let sites = beyond(granter.sites, wanted.sites).map(|site| Excess::Site { site: site.clone() });
    let modules =
        beyond(granter.modules, wanted.modules).map(|module| Excess::Module { module: module.clone() });
    found.extend(sites.chain(modules));
    found
}

/// All that is wrong with defining this custom role.
pub fn custom_role_faults(granter: &Granter, custom: &CustomRole, now: Timestamp) -> Vec<Excess> {
    let Some(base) =
        role(&custom.based_on).filter(|role| role.is_personal() && role.exists_in(granter.edition))
    else {
        return vec![Excess::UnknownRole { role: custom.based_on.clone() }];
    };
    let judged = custom.grants.iter();
    judged.filter_map(|g| granter.judge(&custom.slug, base.slug, &g.permission, g.reach, now)).collect()
}

/// All that is wrong with setting this override. Narrowing is never wrong.
pub fn override_faults(granter: &Granter, change: &Override, now: Timestamp) -> Vec<Excess> {
    let custom = known_custom(granter.holder.custom, &change.role);
    let base = custom.map_or(change.role.as_str(), |custom| custom.based_on.as_str());
    if role(base).is_none_or(|role| !role.is_personal() || !role.exists_in(granter.edition)) {
        return vec![Excess::UnknownRole { role: change.role.clone() }];
    }
    granter.judge(&change.role, base, &change.permission, change.reach, now).into_iter().collect()
}

/// All that is wrong with giving a machine these permissions at these sites. A key's ceiling is what the matrix
/// gives the role `partner`.
pub fn key_faults(granter: &Granter, scopes: &[String], sites: &[String], now: Timestamp) -> Vec<Excess> {
    let judge = |permission: &String| {
        let (role, permission) = ("partner".to_owned(), permission.clone());
        let Some(known) = rule(&permission) else { return Some(Excess::UnknownPermission { permission }) };
        let reach = known.grant("partner").map_or(Reach::None, |grant| grant.reach);
        if reach == Reach::None {
            return Some(Excess::Ceiling { role, permission, reach: Reach::All, ceiling: Reach::None });
        }
        let limit = granter.limit(&permission, now);
        (reach.min(Reach::Site) > limit).then_some(Excess::Permission { role, permission, reach, limit })
    };
    let mut found: Vec<Excess> = scopes.iter().filter_map(judge).collect();
    found.extend(beyond(granter.sites, sites).map(|site| Excess::Site { site: site.clone() }));
    found
}

impl Granter<'_> {
    fn judge(
        &self,
        slug: &str,
        base: &str,
        permission: &str,
        reach: Reach,
        now: Timestamp,
    ) -> Option<Excess> {
        let Some(known) = rule(permission) else {
            return Some(Excess::UnknownPermission { permission: permission.to_owned() });
        };
        let (role, permission) = (slug.to_owned(), permission.to_owned());
        let ceiling = known.ceiling(base);
        if reach > ceiling {
            return Some(Excess::Ceiling { role, permission, reach, ceiling });
        }
        let limit = self.limit(&permission, now);
        (reach > limit).then_some(Excess::Permission { role, permission, reach, limit })
    }

    /// The furthest this granter may give of a permission: what they hold themselves, or what a role
    /// reaches that they may give.
    fn limit(&self, permission: &str, now: Timestamp) -> Reach {
        let held = decide(&self.holder, permission, now).reach;
        let given = ROLES.iter().filter(|role| self.may_give(role.slug));
        let given =
            given.filter_map(|role| rule(permission)?.grant(role.slug)).map(|grant| grant.reach).max();
        held.max(given.unwrap_or(Reach::None))
    }

    /// Elevated roles count as long as they last. A custom role gives what its base does, unless that is
    /// everything: it was made to hold less than an administrator.
    fn may_give(&self, wanted: &str) -> bool {
        let holder = self.holder;
        let slugs = holder.roles.iter().chain(holder.elevated).filter_map(|slug| {
            let Some(custom) = known_custom(holder.custom, slug) else { return Some(slug.as_str()) };
            let bounded = matches!(role(&custom.based_on)?.may_grant, MayGrant::These(_));
            bounded.then_some(custom.based_on.as_str())
        });
        may_grant(&slugs.collect::<Vec<_>>(), self.edition, wanted)
    }
}

/// The tenant's custom role of this name; a built-in role cannot be shadowed.
fn known_custom<'a>(custom: &'a [CustomRole], slug: &str) -> Option<&'a CustomRole> {
    custom.iter().find(|custom| custom.slug == slug && role(slug).is_none())
}

/// What of `wanted` is not in `held`, where `*` is everything.
fn beyond<'a>(held: &'a [String], wanted: &'a [String]) -> impl Iterator<Item = &'a String> {
    let all = held.iter().any(|name| name == "*");
    wanted.iter().filter(move |name| !all && !held.contains(name))
}
