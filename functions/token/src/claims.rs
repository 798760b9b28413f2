//! What an access token says. All of it is text, at most 2 KB.

use crate::{
    event::Access,
    reading::{Asked, Found, Registered},
};
use authz::{CustomRole, Role};
use identity::{
    session::{Alive, Client},
    user::standing::needs_mfa,
};
use std::collections::BTreeMap;
use web::gate::AccessGate;

/// Lets a person change their own login at Cognito: only while a second factor is being set up.
const OWN_LOGIN: &str = "aws.cognito.signin.user.admin";
/// Where a role has none of its own.
const IDLE: i64 = 15;
/// Bytes of a machine's permissions beyond which its record is read instead.
const SCOPES: usize = 1024;

/// The built-in roles behind these slugs.
fn built_in<'a>(roles: &'a [String], custom: &'a [CustomRole]) -> impl Iterator<Item = &'static Role> + 'a {
    roles.iter().filter_map(|slug| {
        let base = custom.iter().find(|c| c.slug == *slug).map(|c| c.based_on.as_str());
        authz::role(slug).or_else(|| authz::role(base?))
    })
}

/// The shortest of what the roles allow; a rule of the organisation stands in for its role's own.
pub fn idle_minutes(roles: &[String], access: &AccessGate) -> i64 {
    let ruled = |slug: &str| access.rules.iter().find(|r| r.role == slug).and_then(|r| r.idle_minutes);
    let of = |slug: &String| {
        let own = built_in(std::slice::from_ref(slug), &access.custom).next().map(|r| r.idle_minutes);
        ruled(slug).or(own).filter(|minutes| *minutes > 0)
    };
    roles.iter().filter_map(of).min().map_or(IDLE, i64::from)
}

pub fn absolute_hours(roles: &[String], access: &AccessGate, client: Client) -> i64 {
    let ruled = access.rules.iter().filter(|r| roles.contains(&r.role)).filter_map(|r| r.absolute_hours);
    ruled.map(i64::from).min().unwrap_or(i64::MAX).min(client.absolute_hours())
}

pub fn of_person(asked: &Asked, found: &Found, alive: &Alive, client: Client) -> Access {
    let Found { tenant, access, person, enrolling, .. } = found;
    let edition = tenant.as_ref().map(|t| t.edition);
    let missing = !person.mfa.is_on() && (*enrolling || needs_mfa(&person.roles, &access.custom, edition));
    let mut claims = base(&asked.store.scope().to_string(), &asked.user, client);
    let mut add = |name: &str, value: String| claims.insert(name.into(), value);
    add("roles", person.roles.join(" "));
    add("sites", person.sites.join(" "));
    add("modules", person.modules.join(" "));
    add("gen", person.generation.to_string());
    add("seen", alive.last().as_second().to_string());
    add("idle", idle_minutes(&person.roles, access).to_string());
    if let Some(at) = alive.mfa_at {
        add("mfa", at.as_second().to_string());
    }
    if missing {
        add("enrol", "mfa".into());
    }
    Access {
        claims_to_add_or_override: claims,
        scopes_to_add: vec!["api/use".into()],
        scopes_to_suppress: if missing { vec![] } else { vec![OWN_LOGIN.into()] },
    }
}

pub fn of_machine(tenant: &str, key: &str, client: &Registered) -> Access {
    let mut claims = base(tenant, key, Client::Machine);
    let scopes = client.scopes.join(" ");
    let mut add = |name: &str, value: String| claims.insert(name.into(), value);
    add("roles", "partner".into());
    add("sites", client.sites.join(" "));
    add("modules", client.modules.join(" "));
    add("gen", client.generation.to_string());
    add("gateway_key", client.gateway_key.clone());
    add("scopes", if scopes.len() > SCOPES { "~".into() } else { scopes });
    Access {
        claims_to_add_or_override: claims,
        scopes_to_add: vec!["api/partner".into()],
        scopes_to_suppress: vec![],
    }
}

fn base(tenant: &str, user: &str, client: Client) -> BTreeMap<String, String> {
    [("tenant", tenant.to_string()), ("user", user.into()), ("client", client.to_string())]
        .map(|(name, value)| (name.to_string(), value))
        .into()
}
