//! Records of a demo organisation, written down as the calls that make them. `$name` is the id that an earlier call
//! answered, `$user:<login>` somebody's, `$today+30` a day and `$month` a month of the organisation's.

use super::{Organisation, Visitor};
use crate::{
    trouble,
    trouble::{Outcome, While},
};
use jiff::{ToSpan, civil::Date};
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
    #[serde(default)]
    pub method: Option<String>,
    pub path: String,
    pub body: Value,
}

/// Makes the calls in their order.
pub async fn play(admin: &Visitor, organisation: &Organisation, steps: &[Step]) -> Outcome<()> {
    if steps.is_empty() {
        return Ok(());
    }
    let today = super::organisation::today(admin)?.parse().whilst("read today's date")?;
    let mut known = Known { today, ids: BTreeMap::new(), organisation };
    for step in steps {
        let path =
            step.path.split('/').map(|word| known.word(word)).collect::<Outcome<Vec<String>>>()?.join("/");
        let mut body = step.body.clone();
        known.fill(&mut body)?;
        let method = match step.method.as_deref() {
            Some("PUT") => Method::PUT,
            Some("PATCH") => Method::PATCH,
            _ => Method::POST,
        };
        let answer = admin.send(method, &path, &[], Some(&body)).await?.fine()?;
        if let (Some(name), Some(id)) = (&step.name, answer["id"].as_str()) {
            known.ids.insert(name.clone(), id.into());
        }
    }
    Ok(())
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
            let of = |l: &&super::Login| l.login_name.split('@').next() == Some(login);
            let found = self.organisation.users.iter().find(of);
            return found.map(|l| l.user.clone()).ok_or_else(|| trouble!("There is no login {login}."));
        }
        self.ids.get(name).cloned().ok_or_else(|| trouble!("Nothing was made that is called {name}."))
    }
}
