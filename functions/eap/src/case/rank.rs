//! Who could take a case, the best first. Nothing of the case's issue goes into it: whoever assigns may not know it, and
//! would read it out of the order.

use super::Case;
use crate::{provider::Provider, words::Mode};
use kernel::{EapCaseId, EapProviderId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::{Entity, Record, Wanted};
use web::{Answer, At, Ctx, Query, noun::Pages, ok};

/// What the case needs, as far as whoever assigns it says.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
pub struct Asked {
    /// BCP 47; the case's own where nothing is said.
    #[schemars(length(min = 2, max = 20))]
    pub language: Option<String>,
    #[schemars(length(min = 1, max = 40))]
    pub specialty: Option<String>,
    pub mode: Option<Mode>,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Candidate {
    pub provider: EapProviderId,
    /// Of language, specialty and mode, what fits.
    pub fits: Vec<&'static str>,
    /// Cases in progress.
    pub load: u32,
    /// Sessions a week, where a bound is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_per_week: Option<u8>,
}

/// Providers that are looked at.
const MOST: i32 = 50;

pub async fn list(ctx: Ctx, At(id): At<EapCaseId>, Query(mut asked): Query<Asked>) -> Answer {
    let case = ctx.get::<Case>(id).await?;
    asked.language = asked.language.or(case.body.language.clone());
    let wanted = Wanted::by(&[&"approved"], MOST);
    let providers = ctx.store().list(&Provider::LISTS[0], &wanted).await?.data;
    let ready: Vec<Record<Provider>> = providers
        .into_iter()
        .filter(|p| p.body.is_ready(ctx.today()) && p.body.user.is_some())
        .filter(|p| p.body.services.is_empty() || p.body.services.contains(&case.body.service))
        .collect();
    let loads = ready.iter().map(|p| load(&ctx, &p.body));
    let loads = futures::future::try_join_all(loads).await?;
    let data = ranked(&asked, ready.iter().zip(loads).map(|(p, load)| (p.id, &p.body, load)));
    ok(&Pages { data, next: None })
}

async fn load(ctx: &Ctx, provider: &Provider) -> kernel::Result<u32> {
    let Some(user) = provider.user else { return Ok(0) };
    let wanted = Wanted { then: vec!["in_progress".into()], ..Wanted::by(&[&user], 100) };
    Ok(ctx.store().list(Case::list("counsellor"), &wanted).await?.data.len() as u32)
}

/// By how much fits, then by how little they have for what they can take.
pub fn ranked<'a>(
    asked: &Asked,
    all: impl Iterator<Item = (EapProviderId, &'a Provider, u32)>,
) -> Vec<Candidate> {
    let mut out: Vec<Candidate> = all
        .map(|(provider, p, load)| Candidate {
            provider,
            fits: fits(asked, p),
            load,
            capacity_per_week: p.capacity_per_week,
        })
        .collect();
    let share =
        |c: &Candidate| u64::from(c.load) * 1000 / u64::from(c.capacity_per_week.unwrap_or(20).max(1));
    out.sort_by_key(|c| (std::cmp::Reverse(weight(&c.fits)), share(c), c.provider));
    out
}

fn fits(asked: &Asked, p: &Provider) -> Vec<&'static str> {
    let speaks = |wanted: &str| {
        let language = |tag: &str| tag.split('-').next().unwrap_or_default().to_lowercase();
        p.languages.iter().any(|l| language(l) == language(wanted))
    };
    let mut fits = vec![];
    if asked.language.as_deref().is_none_or(speaks) {
        fits.push("language");
    }
    if asked.specialty.as_ref().is_none_or(|s| p.specialties.contains(s)) {
        fits.push("specialty");
    }
    if asked.mode.is_none_or(|m| p.modes.contains(&m)) {
        fits.push("mode");
    }
    fits
}

/// A common language before a specialty, a specialty before the way of meeting.
fn weight(fits: &[&str]) -> u32 {
    let one = |fit: &&str| match *fit {
        "language" => 4,
        "specialty" => 2,
        _ => 1,
    };
    fits.iter().map(one).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Id;
    use serde_json::json;

    fn provider(languages: &[&str], specialties: &[&str], capacity: u8) -> Provider {
        let body = json!({
            "name": "A", "languages": languages, "specialties": specialties, "modes": ["video"],
            "capacity_per_week": capacity,
        });
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn a_language_comes_before_a_specialty_and_the_less_laden_first() {
        let id = |n: u64| EapProviderId::of(kernel::Ulid::from_parts(n, 0));
        let speaks = provider(&["yo-NG"], &[], 20);
        let knows = provider(&["en"], &["trauma"], 20);
        let laden = provider(&["yo"], &[], 20);
        let small = provider(&["yo"], &[], 5);
        let asked =
            Asked { language: Some("yo".into()), specialty: Some("trauma".into()), mode: Some(Mode::Video) };
        let all = [(id(1), &knows, 0), (id(2), &laden, 9), (id(3), &small, 2), (id(4), &speaks, 2)];
        let order: Vec<EapProviderId> =
            ranked(&asked, all.into_iter()).into_iter().map(|c| c.provider).collect();
        assert_eq!(order, [id(4), id(3), id(2), id(1)]);
    }
}
