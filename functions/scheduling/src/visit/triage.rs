//! Triage: by vital signs that the encounters module scored, or by a nurse's judgement. An automatic raise never
//! lowers a class, and never touches one that was set by hand to something more urgent.

use super::{Acuity, SetBy, Triage, Visit, commands::possible};
use crate::queue::order::Class;
use jiff::Timestamp;
use kernel::{Result, VisitId};
use schemars::JsonSchema;
use serde::Deserialize;
use web::{Answer, At, Body, Ctx};

#[derive(Deserialize, JsonSchema)]
pub struct Judged {
    pub acuity: Acuity,
    #[schemars(range(max = 20))]
    pub news2: Option<u8>,
}

/// The class that a colour stands for; none leaves the class as it is.
fn class_of(acuity: Acuity) -> Option<Class> {
    match acuity {
        Acuity::Red => Some(Class::Emergency),
        Acuity::Orange => Some(Class::Urgent),
        Acuity::Yellow => Some(Class::Priority),
        Acuity::Green | Acuity::Blue => None,
    }
}

pub async fn triage(ctx: Ctx, At(id): At<VisitId>, Body(body): Body<Judged>) -> Answer {
    let old = ctx.change::<Visit>(id).await?;
    possible("triage", old.body.status)?;
    let mut new = old.next(ctx.now());
    let vitals_id = old.body.triage.as_ref().and_then(|t| t.vitals_id.clone());
    let news2 = body.news2.or(old.body.triage.as_ref().and_then(|t| t.news2));
    let by = ctx.actor().user.clone();
    new.body.triage = Some(Triage { vitals_id, news2, acuity: body.acuity, at: ctx.now(), by });
    if let Some(class) = class_of(body.acuity) {
        new.body.class = class;
        new.body.class_by = SetBy::Hand;
    }
    let commit = ctx.commit().update("triage", &old, &new);
    ctx.settle(commit, ctx.shown(200, &new)?).await
}

/// What `vitals.recorded` says of a visit.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Raised {
    pub vitals: Option<String>,
    pub news2: Option<u8>,
    /// `low`, `low_medium` (any single parameter scores 3), `medium`, `high`.
    pub risk: Option<String>,
    #[serde(default)]
    pub red_flags: Vec<serde_json::Value>,
}

/// 7 or a red flag: red; 5–6 or any single 3: orange; else the nurse decides.
pub fn acuity(of: &Raised) -> Option<Acuity> {
    let news2 = of.news2.unwrap_or_default();
    let single = matches!(of.risk.as_deref(), Some("low_medium" | "medium"));
    match news2 {
        _ if news2 >= 7 || !of.red_flags.is_empty() => Some(Acuity::Red),
        _ if news2 >= 5 || single => Some(Acuity::Orange),
        _ => None,
    }
}

/// Writes the result and raises the class.
pub async fn raise(ctx: &Ctx, id: VisitId, of: &Raised, at: Timestamp) -> Result<()> {
    web::update::<Visit>(ctx, id, |old| {
        // An older set that arrives late says nothing new.
        let news = old.body.is_open() && old.body.triage.as_ref().is_none_or(|t| t.at < at);
        news.then(|| {
            let mut new = old.next(ctx.now());
            noted(&mut new.body, of, at, &ctx.actor().user);
            ctx.commit().update("triage", old, &new)
        })
    })
    .await
}

fn noted(body: &mut Visit, of: &Raised, at: Timestamp, by: &str) {
    let raised = acuity(of);
    let judged = body.triage.as_ref().map(|t| t.acuity);
    // `red` is the least of the words: the more urgent of both stays.
    let acuity = [raised, judged].into_iter().flatten().min();
    let Some(acuity) = acuity else { return };
    body.triage = Some(Triage { vitals_id: of.vitals.clone(), news2: of.news2, acuity, at, by: by.into() });
    if let Some(class) = raised.and_then(class_of).filter(|class| *class < body.class) {
        body.class = class;
        body.class_by = SetBy::Triage;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(news2: u8, risk: &str, flags: usize) -> Raised {
        let red_flags = vec![serde_json::json!("sepsis"); flags];
        Raised { vitals: None, news2: Some(news2), risk: Some(risk.into()), red_flags }
    }

    #[test]
    fn seven_is_red_five_is_orange_and_below_the_nurse_decides() {
        assert_eq!(acuity(&set(8, "high", 0)), Some(Acuity::Red));
        assert_eq!(acuity(&set(7, "high", 0)), Some(Acuity::Red));
        assert_eq!(acuity(&set(6, "medium", 0)), Some(Acuity::Orange));
        assert_eq!(acuity(&set(3, "low_medium", 0)), Some(Acuity::Orange), "a single 3");
        assert_eq!(acuity(&set(4, "low", 0)), None);
        assert_eq!(acuity(&set(0, "low", 1)), Some(Acuity::Red), "a red flag");
    }

    #[test]
    fn every_colour_but_the_calm_ones_has_a_class() {
        assert_eq!(class_of(Acuity::Red), Some(Class::Emergency));
        assert_eq!(class_of(Acuity::Orange), Some(Class::Urgent));
        assert_eq!(class_of(Acuity::Blue), None);
    }
}
