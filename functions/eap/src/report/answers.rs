//! How content people are, counted from answers that name nobody.

use crate::{
    kpi::formula::Satisfied,
    satisfaction::{self, Satisfaction},
};
use kernel::{ClientOrgId, Result};
use web::Ctx;

/// All answers of a client in the given months.
pub async fn satisfied(ctx: &Ctx, client: ClientOrgId, months: &[String]) -> Result<Satisfied> {
    let mut all = Satisfied::default();
    for month in months {
        let answers: Vec<(String, Satisfaction)> =
            ctx.store().every(&satisfaction::key(client, month, "")).await?;
        answers.iter().for_each(|(_, answer)| all.count(&answer.scores));
    }
    Ok(all)
}
