//! Records of a demo organisation, written down as the calls that make them. `$name` is the id that an earlier call
//! answered, `$user:<login>` somebody's, `$today+30` a day and `$month` a month of the organisation's, `$link` what the
//! letter holds that was waited for last.

use super::{Login, Organisation, Visitor, login::now};
use crate::{
    trouble,
    trouble::{Outcome, While},
};
use jiff::{ToSpan, civil::Date};
use kernel::Clock;
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One call.
#[derive(Clone, Debug, Deserialize)]
pub struct Step {
    /// What later calls name its answer by.
    #[serde(default, rename = "as")]
    pub name: Option<String>,
    /// Which field of the answer that is; its id otherwise.
    #[serde(default)]
    pub keeps: Option<String>,
    /// The login of who makes it; the administrator otherwise.
    #[serde(default)]
    pub by: Option<String>,
    /// An address to which a letter with a link has to come first.
    #[serde(default)]
    pub letter: Option<String>,
    #[serde(default)]
    pub method: Option<String>,
    pub path: String,
    pub body: Value,
}

/// Makes the calls in their order.
pub async fn play(
    admin: &Visitor,
    organisation: &Organisation,
    steps: &[Step],
    clock: &Clock,
) -> Outcome<()> {
    if steps.is_empty() {
        return Ok(());
    }
    let today = super::organisation::today(admin)?.parse().whilst("read today's date")?;
    let mut known = Known { today, ids: BTreeMap::new(), organisation };
    for step in steps {
        if let Some(address) = &step.letter {
            known.ids.insert("link".into(), linked(admin, address).await?);
        }
        let actor = match &step.by {
            Some(by) => admin.sign_in(known.login(by)?, now(clock)).await?,
            None => admin.clone(),
        };
        let path =
            step.path.split('/').map(|word| known.word(word)).collect::<Outcome<Vec<String>>>()?.join("/");
        let mut body = step.body.clone();
        known.fill(&mut body)?;
        let method = match step.method.as_deref() {
            Some("PUT") => Method::PUT,
            Some("PATCH") => Method::PATCH,
            _ => Method::POST,
        };
        let answer = actor.send(method, &path, &[], Some(&body)).await?.fine()?;
        let field = step.keeps.as_deref().unwrap_or("id");
        if let (Some(name), Some(id)) = (&step.name, answer[field].as_str()) {
            known.ids.insert(name.clone(), id.into());
        }
    }
    Ok(())
}

/// The personal link that an address was sent.
async fn linked(door: &Visitor, address: &str) -> Outcome<String> {
    let letter = door.letter(address, "/p/").await?;
    let url = letter.split_whitespace().find(|word| word.contains("/p/")).unwrap_or_default();
    Ok(url.into())
}

struct Known<'a> {
    today: Date,
    ids: BTreeMap<String, String>,
    organisation: &'a Organisation,
}

impl Known<'_> {
    fn fill(&self, value: &mut Value) -> Outcome<()> {
        match value {
            Value::String(word) => *word = self.word(word)?,
            Value::Array(all) => all.iter_mut().try_for_each(|v| self.fill(v))?,
            Value::Object(all) => all.values_mut().try_for_each(|v| self.fill(v))?,
            _ => {}
        }
        Ok(())
    }

    fn word(&self, word: &str) -> Outcome<String> {
        let Some(name) = word.strip_prefix('$') else { return Ok(word.into()) };
        if let Some(rest) = name.strip_prefix("today") {
            let (days, time) = rest.split_once('T').map_or((rest, None), |(days, time)| (days, Some(time)));
            let days: i32 = days.trim_start_matches('+').parse().unwrap_or_default();
            let day = self.today.saturating_add(days.days());
            return Ok(time.map_or(day.to_string(), |time| format!("{day}T{time}")));
        }
        if name == "month" {
            return Ok(self.today.strftime("%Y-%m").to_string());
        }
        if let Some(login) = name.strip_prefix("user:") {
            return self.login(login).map(|l| l.user.clone());
        }
        self.ids.get(name).cloned().ok_or_else(|| trouble!("Nothing was made that is called {name}."))
    }

    fn login(&self, name: &str) -> Outcome<&Login> {
        let of = |l: &&Login| l.login_name.split('@').next() == Some(name);
        let found = self.organisation.users.iter().find(of);
        found.ok_or_else(|| trouble!("There is no login {name}."))
    }
}
