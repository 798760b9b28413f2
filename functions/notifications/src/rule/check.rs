//! What makes a rule unusable: said when it is saved, with the nearest thing that would do.

use super::{Kind, NotificationRule, Recipient};
use crate::{catalogue, spelling};
use kernel::{Error, Fault, Result};

pub fn faults(rule: &NotificationRule) -> Vec<Fault> {
    let mut faults = vec![];
    for (n, condition) in rule.when.iter().enumerate() {
        if condition.is_empty() {
            let detail =
                "compare the field: one_of, none_of, at_least, at_most, within_hours, beyond_hours or given";
            faults.push(Fault::new(format!("/when/{n}"), "empty", detail));
        }
    }
    people(&rule.recipients, "/recipients", &mut faults);
    let mut before = 0;
    for (n, level) in rule.escalate_to.iter().enumerate() {
        people(&level.recipients, &format!("/escalate_to/{n}/recipients"), &mut faults);
        if level.after_minutes <= before {
            let at = format!("/escalate_to/{n}/after_minutes");
            faults.push(Fault::new(at, "order", "each step comes later than the one before"));
        }
        before = level.after_minutes;
    }
    if !rule.escalate_to.is_empty() && !rule.needs_ack {
        let detail = "only what has to be acknowledged can climb";
        faults.push(Fault::new("/needs_ack", "required", detail));
    }
    faults
}

fn people(all: &[Recipient], at: &str, faults: &mut Vec<Fault>) {
    for (n, recipient) in all.iter().enumerate() {
        let needed =
            matches!(recipient.kind, Kind::User | Kind::Role | Kind::RoleAtSite | Kind::Team | Kind::Address);
        let at = format!("{at}/{n}/value");
        let outside = |value: &String| value.parse::<kernel::OutsideAddressId>().is_ok();
        if recipient.kind == Kind::Address && recipient.value.as_ref().is_some_and(|v| !outside(v)) {
            let detail = "name an address by its id: POST /v1/notifications/outside_addresses makes one";
            faults.push(Fault::new(at.clone(), "format", detail));
        }
        if needed && recipient.value.is_none() {
            let detail = format!("a recipient of the kind {} needs a value", recipient.kind);
            faults.push(Fault::new(at, "required", detail));
        }
    }
}

/// Every role that is named, and where.
pub fn roles(rule: &NotificationRule) -> Vec<(String, &str)> {
    let levels = rule.escalate_to.iter().enumerate();
    let levels = levels.map(|(n, level)| (format!("/escalate_to/{n}/recipients"), &level.recipients));
    let all = [("/recipients".to_string(), &rule.recipients)].into_iter().chain(levels);
    let named = all.flat_map(|(at, recipients)| {
        recipients.iter().enumerate().map(move |(n, r)| (format!("{at}/{n}/value"), r))
    });
    let of_role = named.filter(|(_, r)| matches!(r.kind, Kind::Role | Kind::RoleAtSite));
    of_role.filter_map(|(at, r)| Some((at, r.value.as_deref()?))).collect()
}

/// The event has to exist, and to have the fields that are asked for.
pub fn event(rule: &NotificationRule) -> Result<()> {
    let Some(event) = catalogue::event(&rule.event) else {
        let known: Vec<&str> = catalogue::names().collect();
        let detail = format!("there is no event {}{}", rule.event, spelling::nearest(&rule.event, &known));
        return Err(Error::field("unknown-event", "/event", detail));
    };
    if catalogue::is_our_own(&rule.event) {
        let detail = "messages about messages would never end: choose another event";
        return Err(Error::field("unknown-event", "/event", detail));
    }
    let fields: Vec<&str> = event.keys().map(String::as_str).collect();
    let odd = rule.when.iter().enumerate().find(|(_, c)| !fields.contains(&c.field.as_str()));
    if let Some((n, condition)) = odd.filter(|_| !fields.is_empty()) {
        let near = spelling::nearest(&condition.field, &fields);
        let detail = format!("{} has no field {}{near}", rule.event, condition.field);
        return Err(Error::field("rule-invalid", format!("/when/{n}/field"), detail));
    }
    Ok(())
}

/// What may not be changed of a rule that came with the product.
pub fn change(old: &NotificationRule, new: &NotificationRule) -> Result<()> {
    let fixed = (&old.code, &old.event, old.category, &old.when, &old.condition, old.built_in, old.protected)
        == (&new.code, &new.event, new.category, &new.when, &new.condition, new.built_in, new.protected);
    if old.built_in && !fixed {
        let detail = "of a rule that came with the product, recipients, channels, urgency, text and pausing can be changed; \
                      for another event or condition make a rule of your own";
        return Err(Error::unprocessable("built-in-rule", detail));
    }
    let narrowed = !new.active
        || new.priority < old.priority
        || old.channels.iter().any(|c| !new.channels.contains(c))
        || old.recipients.iter().any(|r| !new.recipients.contains(r))
        || (old.needs_ack && !new.needs_ack)
        || old.escalate_to.len() > new.escalate_to.len();
    if old.protected && narrowed {
        let detail = "security and critical clinical messages can be widened, not switched off or narrowed";
        return Err(Error::unprocessable("protected-notification", detail));
    }
    Ok(())
}
