//! The history of a case, for those who may see it: the counsellor whose it is, the person themselves in part, and
//! whoever broke its glass.

use super::{Case, clinical, file};
use crate::history::{self, Entry, Paging, differences};
use axum::{http::Method, routing::get};
use kernel::{EapCaseId, Error, Result};
use serde_json::Value;
use store::{Label, Store};
use web::{Answer, At, Ctx, Query, Reach, Route, noun::Pages, ok, route};

/// Of the head.
const FIELDS: &[&str] = &[
    "alarm",
    "closed_at",
    "closure_reason",
    "contact_by",
    "contract",
    "first_contact_at",
    "follow_up_at",
    "language",
    "provider",
    "status",
];
/// Of the head, for the person.
const OWN: &[&str] = &["closed_at", "closure_reason", "first_contact_at", "provider", "status"];
/// Of the file.
const FILE: &[&str] = &["presenting_issue", "secondary", "risk", "consent", "referral"];

pub fn routes(one: &str) -> Vec<Route> {
    let shown = |route: Route| route.asks::<Paging>().gives::<Pages<Entry>>(200);
    vec![
        shown(route(Method::GET, format!("{one}/history"), "eap_case.view", "eap_case.history", get(of_own)))
            .trips(4)
            .says("What changed in a case, the newest first; the person sees where it stood and when"),
        shown(route(
            Method::GET,
            format!("{one}/glass/history"),
            "eap_case.glass",
            "eap_case.glass_history",
            get(under_glass),
        ))
        .trips(4)
        .says("The same of a case whose glass was broken: X-Break-Glass names the opening"),
    ]
}

async fn of_own(ctx: Ctx, At(id): At<EapCaseId>, Query(paging): Query<Paging>) -> Answer {
    ctx.get::<Case>(id).await?;
    if ctx.reach() == Reach::Own {
        let changes = ctx.store().history::<Case>(id, paging.before, paging.limit()).await?;
        return ok(&history::page(changes, OWN, paging.limit(), true));
    }
    ok(&whole(&ctx, &clinical(&ctx).await?, id, &paging).await?)
}

async fn under_glass(ctx: Ctx, At(id): At<EapCaseId>, Query(paging): Query<Paging>) -> Answer {
    let clinical = ctx.under_glass(Label::EapClinical, id).await?;
    ctx.looked_at::<Case>([id].into_iter()).await?;
    ok(&whole(&ctx, &clinical, id, &paging).await?)
}

/// The head's changes, and with each version the page of the file that it came with.
async fn whole(ctx: &Ctx, clinical: &Store, id: EapCaseId, paging: &Paging) -> Result<Pages<Entry>> {
    let (changes, pages) = futures::try_join!(
        ctx.store().history::<Case>(id, paging.before, paging.limit()),
        file::pages(clinical, id)
    )?;
    let mut shown = history::page(changes, FIELDS, paging.limit(), false);
    let value = |page: &file::CaseFile| serde_json::to_value(page).map_err(Error::internal);
    for both in pages.windows(2) {
        let [(_, old), (version, new)] = both else { continue };
        if let Some(entry) = shown.data.iter_mut().find(|e| e.version == *version) {
            let (old, new): (Value, Value) = (value(old)?, value(new)?);
            entry.changes.extend(differences("file", &old, &new, FILE));
        }
    }
    Ok(shown)
}
