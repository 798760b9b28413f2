//! What one environment of the function keeps: the channels it was given, and for a minute the rules and texts of
//! each organisation.

use crate::{
    carrier::{Carrier, Channels},
    circuit::Circuit,
    rule::{self, NotificationRule, shipped},
    template::{self, MessageTemplate, Status, Text},
    words::{Channel, Medium},
};
use kernel::Result;
use rules::Condition;
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};
use store::{Entity, Scope, Wanted};
use web::Ctx;

pub struct Desk {
    pub channels: Channels,
    pub circuit: Circuit,
    known: Mutex<HashMap<Scope, (Instant, Arc<Known>)>>,
    /// Whether anybody of an organisation listens to live updates, and until when that is believed.
    listened: Mutex<HashMap<Scope, (Instant, bool)>>,
}

/// The rules and texts of one organisation.
pub struct Known {
    rules: Vec<NotificationRule>,
    /// Conditions of rules that have one, by the rule's code.
    conditions: HashMap<String, Condition>,
    texts: Vec<Own>,
}

struct Own {
    code: String,
    medium: Medium,
    language: String,
    text: Text,
    version: u64,
}

/// A text that was found, and where.
pub struct Chosen {
    pub text: Text,
    pub language: String,
    /// None for the product's own.
    pub version: Option<u64>,
}

const KEPT: Duration = Duration::from_secs(60);
/// Another environment's first listener waits so long for its first frame at most.
const LISTENED: Duration = Duration::from_secs(5);
/// Most rules and texts that one organisation has of its own.
const MOST: usize = 2000;

impl Desk {
    pub fn new(channels: Channels) -> Self {
        Self { channels, circuit: Circuit::default(), known: Mutex::default(), listened: Mutex::default() }
    }

    pub fn carrier(&self, channel: Channel) -> &dyn Carrier {
        match channel {
            Channel::Email => &*self.channels.email,
            Channel::Sms => &*self.channels.sms,
            Channel::Push => &*self.channels.push,
        }
    }

    fn cache(&self) -> MutexGuard<'_, HashMap<Scope, (Instant, Arc<Known>)>> {
        self.known.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub async fn known(&self, ctx: &Ctx) -> Result<Arc<Known>> {
        if let Some((until, known)) = self.cache().get(&ctx.scope())
            && *until > Instant::now()
        {
            return Ok(known.clone());
        }
        let known = Arc::new(read(ctx).await?);
        self.cache().insert(ctx.scope(), (Instant::now() + KEPT, known.clone()));
        Ok(known)
    }

    /// Asked for every event, so kept: a first listener is told of by its own greeting.
    pub async fn listened(&self, ctx: &Ctx) -> Result<bool> {
        let known = self.listened.lock().unwrap_or_else(|p| p.into_inner()).get(&ctx.scope()).copied();
        if let Some((_, listened)) = known.filter(|(until, _)| *until > Instant::now()) {
            return Ok(listened);
        }
        let listened = crate::socket::anybody(ctx).await?;
        let entry = (Instant::now() + LISTENED, listened);
        self.listened.lock().unwrap_or_else(|p| p.into_inner()).insert(ctx.scope(), entry);
        Ok(listened)
    }
    pub fn listening(&self, scope: Scope) {
        let entry = (Instant::now() + LISTENED, true);
        self.listened.lock().unwrap_or_else(|p| p.into_inner()).insert(scope, entry);
    }

    /// Whoever has just changed a rule or a text need not wait for the minute to pass.
    pub fn forget(&self, scope: Scope) {
        self.cache().remove(&scope);
    }
}

async fn read(ctx: &Ctx) -> Result<Known> {
    let (rules, texts) = futures::try_join!(all::<NotificationRule>(ctx), all::<MessageTemplate>(ctx))?;
    let own = rules.into_iter().map(|r| r.body).collect();
    let texts = texts.into_iter().filter(|t| t.body.status == Status::Published);
    let texts = texts.map(|t| Own {
        text: t.body.text(),
        version: t.version,
        code: t.body.code,
        medium: t.body.medium,
        language: t.body.language.to_lowercase(),
    });
    let rules = effective(own);
    Ok(Known { conditions: conditions(&rules), rules, texts: texts.collect() })
}

/// A condition that does not read any more never holds.
fn conditions(all: &[NotificationRule]) -> HashMap<String, Condition> {
    let compiled = all.iter().filter_map(|r| Some((r.code.clone(), rule::compile(r).ok()??)));
    compiled.collect()
}

async fn all<E: Entity>(ctx: &Ctx) -> Result<Vec<store::Record<E>>> {
    let mut found = vec![];
    let mut wanted = Wanted::all(100);
    loop {
        let page = ctx.store().list(&E::LISTS[0], &wanted).await?;
        found.extend(page.data);
        match page.next {
            Some(next) if found.len() < MOST => wanted.cursor = Some(next),
            _ => return Ok(found),
        }
    }
}

/// The product's rules, those of the same code replaced by the organisation's, and its own.
fn effective(own: Vec<NotificationRule>) -> Vec<NotificationRule> {
    let kept = shipped().iter().filter(|rule| !own.iter().any(|o| o.code == rule.code)).cloned();
    let mut all: Vec<NotificationRule> = kept.collect();
    all.extend(own);
    all
}

impl Known {
    pub fn rules_of(&self, event: &str) -> impl Iterator<Item = &NotificationRule> {
        self.rules.iter().filter(move |rule| rule.active && rule.event == event)
    }
    /// Whether the rule's own condition holds of what happened.
    pub fn holds(&self, rule: &NotificationRule, input: impl FnOnce() -> Value) -> bool {
        match (&rule.condition, self.conditions.get(&rule.code)) {
            (None, _) => true,
            (Some(_), Some(condition)) => condition.test(&input()).matched,
            (Some(_), None) => false,
        }
    }
    pub fn rule(&self, code: &str) -> Option<&NotificationRule> {
        self.rules.iter().find(|rule| rule.code == code)
    }

    /// The text in the reader's language, else in the organisation's, else in English; the organisation's own words
    /// before the product's.
    pub fn text(&self, code: &str, medium: Medium, reader: &str, organisation: &str) -> Option<Chosen> {
        let wanted = [reader, organisation, "en"];
        wanted
            .iter()
            .find_map(|language| self.own(code, medium, language).or_else(|| product(code, medium, language)))
    }

    fn own(&self, code: &str, medium: Medium, language: &str) -> Option<Chosen> {
        let language = language.to_lowercase();
        let tongue = language.split('-').next().unwrap_or_default().to_string();
        let mut mine = self.texts.iter().filter(|t| t.code == code && t.medium == medium);
        let exact = mine.clone().find(|t| t.language == language);
        let found = exact.or_else(|| mine.find(|t| t.language == tongue))?;
        Some(Chosen {
            text: found.text.clone(),
            language: found.language.clone(),
            version: Some(found.version),
        })
    }
}

/// The product's text, if it has one in that tongue.
fn product(code: &str, medium: Medium, language: &str) -> Option<Chosen> {
    if !language.to_lowercase().starts_with("en") {
        return None;
    }
    let text = template::shipped_text(code, medium, language)?;
    Some(Chosen { text, language: language.into(), version: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(texts: &[(&str, &str)]) -> Known {
        let own = |(language, body): &(&str, &str)| Own {
            code: "appointment_reminder".into(),
            medium: Medium::Sms,
            language: language.to_string(),
            text: Text { title: String::new(), body: body.to_string() },
            version: 3,
        };
        Known { rules: effective(vec![]), conditions: HashMap::new(), texts: texts.iter().map(own).collect() }
    }

    #[test]
    fn a_reader_of_hausa_gets_hausa_and_another_the_organisations_language() {
        let known = known(&[("ha", "Barka"), ("en-ng", "Welcome")]);
        let said =
            |reader| known.text("appointment_reminder", Medium::Sms, reader, "en-NG").unwrap().text.body;
        assert_eq!(said("ha"), "Barka");
        assert_eq!(said("ha-NG"), "Barka");
        assert_eq!(said("yo"), "Welcome");
        assert!(known.text("document_expiring", Medium::Sms, "yo", "fr").is_some(), "English after all");
    }

    #[test]
    fn a_rule_of_the_organisation_stands_for_the_products_of_the_same_code() {
        let mut paused = shipped()[0].clone();
        paused.active = false;
        let all = effective(vec![paused.clone()]);
        assert_eq!(all.iter().filter(|r| r.code == paused.code).count(), 1);
        assert_eq!(all.len(), shipped().len());
    }
}
