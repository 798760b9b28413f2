//! Who is meant by a rule, from what the event says and from facts.

use super::Occasion;
use crate::{
    people::Person,
    rule::{Kind, Recipient},
};
use events::subject;
use kernel::Result;
use serde_json::{Map, Value};
use store::{Fact, Key, facts};
use web::Ctx;

/// Somebody who is meant, and where they have to work for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub id: String,
    pub at_site: Option<String>,
}

impl Wanted {
    fn anywhere(id: impl Into<String>) -> Self {
        Self { id: id.into(), at_site: None }
    }
    pub fn is(&self, person: &Person) -> bool {
        person.asked.contains(&self.id) && self.at_site.as_ref().is_none_or(|site| person.at_site(site))
    }
}

/// Members of one list; the table gives about 10,000 of them in a page.
const MEMBERS: i32 = 5000;

pub async fn find(ctx: &Ctx, all: &[Recipient], occasion: &Occasion) -> Result<Vec<Wanted>> {
    let mut found: Vec<Wanted> = vec![];
    for recipient in all {
        for wanted in of(ctx, recipient, occasion).await? {
            if !found.contains(&wanted) {
                found.push(wanted);
            }
        }
    }
    Ok(found)
}

async fn of(ctx: &Ctx, recipient: &Recipient, occasion: &Occasion) -> Result<Vec<Wanted>> {
    let value = recipient.value.as_deref();
    let data = &occasion.data;
    let about = || value.map_or_else(|| subject(data).into_iter().collect(), |field| named(data, field));
    Ok(match recipient.kind {
        Kind::User | Kind::Address => value.map(Wanted::anywhere).into_iter().collect(),
        Kind::Actor => vec![Wanted::anywhere(&occasion.by)],
        Kind::Subject => about().into_iter().map(Wanted::anywhere).collect(),
        Kind::Assignee => {
            let mut all = vec![];
            for named in named(data, value.unwrap_or("assignee")) {
                all.extend(assigned(ctx, named).await?);
            }
            all
        }
        Kind::Role => {
            let value = value.unwrap_or_default();
            // The event may name the roles itself.
            let of_event = data.get(value).is_some_and(Value::is_array);
            let mut all = vec![];
            for role in if of_event { named(data, value) } else { vec![value] } {
                all.extend(role_at(ctx, role, None).await?);
            }
            all
        }
        Kind::RoleAtSite => {
            // An event that names no site is everybody's.
            let site = data.get("site").and_then(Value::as_str).map(String::from);
            role_at(ctx, value.unwrap_or_default(), site).await?
        }
        Kind::Team => {
            let field = value.unwrap_or_default();
            let team = data.get(field).and_then(Value::as_str).unwrap_or(field);
            let all = members(ctx, facts::MEMBERS, &format!("team~{team}")).await?;
            all.into_iter().map(|(id, _)| Wanted::anywhere(id)).collect()
        }
        Kind::Manager => {
            let mut all = vec![];
            for id in about() {
                let fact: Option<Value> = ctx.store().fact(facts::MANAGER, id).await?;
                all.extend(fact.and_then(|f| Some(Wanted::anywhere(f["manager"].as_str()?))));
            }
            all
        }
        Kind::Guardian | Kind::CareCircle => {
            let mut all = vec![];
            for id in about() {
                let circle = members(ctx, facts::CIRCLE, id).await?;
                let wanted = circle.into_iter().filter(|(_, link)| allowed(recipient.kind, link));
                all.extend(wanted.map(|(id, _)| Wanted::anywhere(id)));
            }
            all
        }
    })
}

/// Why a telling found nobody, in words: what of each recipient is missing.
pub async fn why_nobody(ctx: &Ctx, all: &[Recipient], occasion: &Occasion) -> Result<String> {
    let mut why = vec![];
    for recipient in all {
        let found = of(ctx, recipient, occasion).await?;
        why.push(if found.is_empty() { absent(recipient) } else { unreached(recipient) });
    }
    Ok(why.join("; "))
}

fn unreached(recipient: &Recipient) -> String {
    let kind = recipient.kind;
    if kind == Kind::Address {
        return "the outside address is not known, or was deleted".into();
    }
    format!("{kind}: whoever is meant works elsewhere, has left or died, or is no user and has no contact")
}

fn absent(recipient: &Recipient) -> String {
    let value = recipient.value.as_deref();
    match (recipient.kind, value) {
        (Kind::User, _) => "no user is named".into(),
        (Kind::Address, _) => "no outside address is named".into(),
        (Kind::Role | Kind::RoleAtSite, role) => {
            format!("nobody has the role {}", role.unwrap_or("(none named)"))
        }
        (Kind::Team, team) => format!("the team {} has no members", team.unwrap_or("(none named)")),
        (Kind::Subject, None) => "the event names nobody whom it is about".into(),
        (Kind::Subject, Some(field)) => format!("the event names nobody as {field}"),
        (Kind::Assignee, field) => format!("the event names nobody as {}", field.unwrap_or("assignee")),
        (Kind::Manager, _) => "no manager is known of whom the event is about".into(),
        (Kind::Guardian, _) => "no guardian is known of whom the event is about".into(),
        (Kind::CareCircle, _) => "nobody of the care circle is told of alerts".into(),
        (Kind::Actor, _) => "nobody did it".into(),
    }
}

/// Guardians by what they are; the others of a circle only where their link says that they are told.
fn allowed(kind: Kind, link: &Value) -> bool {
    let has = |field: &str, word: &str| match &link[field] {
        Value::Array(all) => all.iter().any(|v| v == word),
        Value::String(one) => one == word,
        _ => false,
    };
    match kind {
        Kind::Guardian => has("basis", "guardian") || has("roles", "guardian"),
        _ => has("scopes", "alerts"),
    }
}

/// The ids in one field of the event, which may be one or a list.
fn named<'a>(data: &'a Map<String, Value>, field: &str) -> Vec<&'a str> {
    match data.get(field) {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    }
}

/// As the workflow names whom a task is for: `user~<usr>`, `role~<role>`, `role_at_site~<role>~<sit>`, `team~<tem>`;
/// elsewhere it is a person's id.
async fn assigned(ctx: &Ctx, named: &str) -> Result<Vec<Wanted>> {
    let words: Vec<&str> = named.split('~').collect();
    Ok(match words[..] {
        ["user", user] => vec![Wanted::anywhere(user)],
        ["role", role] => role_at(ctx, role, None).await?,
        ["role_at_site", role, site] => role_at(ctx, role, Some(site.into())).await?,
        ["team", team] => {
            let all = members(ctx, facts::MEMBERS, &format!("team~{team}")).await?;
            all.into_iter().map(|(id, _)| Wanted::anywhere(id)).collect()
        }
        _ => vec![Wanted::anywhere(named)],
    })
}

async fn role_at(ctx: &Ctx, role: &str, at_site: Option<String>) -> Result<Vec<Wanted>> {
    let all = members(ctx, facts::MEMBERS, &format!("role~{role}")).await?;
    Ok(all.into_iter().map(|(id, _)| Wanted { id, at_site: at_site.clone() }).collect())
}

async fn members(ctx: &Ctx, fact: Fact, of: &str) -> Result<Vec<(String, Value)>> {
    ctx.store().under(&Key::fact(fact, of), "", MEMBERS).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_subject_is_in_the_first_of_the_usual_fields() {
        let data = json!({"user": "usr_1", "patient": "pat_1"});
        assert_eq!(subject(data.as_object().unwrap()), Some("pat_1"));
        assert_eq!(subject(json!({"site": "sit_1"}).as_object().unwrap()), None);
    }

    #[test]
    fn family_is_told_only_where_the_link_allows_it() {
        assert!(!allowed(Kind::CareCircle, &json!({"scopes": ["visits"]})));
        assert!(allowed(Kind::CareCircle, &json!({"scopes": ["visits", "alerts"]})));
        assert!(allowed(Kind::Guardian, &json!({"basis": "guardian", "scopes": []})));
        assert!(!allowed(Kind::Guardian, &json!({"basis": "self"})));
    }

    #[test]
    fn a_field_may_hold_one_id_or_several() {
        let data = json!({"approver": ["usr_1", "usr_2"], "requester": "usr_3"});
        assert_eq!(named(data.as_object().unwrap(), "approver"), ["usr_1", "usr_2"]);
        assert_eq!(named(data.as_object().unwrap(), "requester"), ["usr_3"]);
    }
}
