//! Letters about trials and unpaid bills.

use super::{Status, Tenant};
use crate::{doors, tenant::life::Opened};
use kernel::{Result, TenantId};
use web::{App, Letter};

/// The clock came: the notice that is due now, and only that one, however late the clock is.
pub async fn send(app: &App, rung: &doors::Rung) -> Result<()> {
    let id: TenantId = rung.id.parse()?;
    let opened = Opened::by_clock(app, id, "subscription").await?;
    let ten = &opened.standing.ten;
    let mut told = ten.body.clone();
    while let Some((notice, at)) = told.next_notice()
        && at <= opened.platform.now()
    {
        told.told = Some(notice);
    }
    if told.told == ten.body.told {
        return Ok(());
    }
    if let Some(letter) = letter(&ten.body) {
        app.mail().send(letter).await?;
    }
    let mut new = ten.next(opened.platform.now());
    new.body = told;
    opened.platform.commit().update("notice", ten, &new).run().await
}

fn letter(ten: &Tenant) -> Option<Letter> {
    let to = ten.details.email.as_ref()?.0.clone();
    let (subject, text) = match (ten.status, ten.trial_ends_on, ten.suspend_on) {
        (Status::Trial, Some(day), _) => (
            format!("The trial of {} ends on {day}", ten.name),
            format!(
                "The trial of {} ends on {day} at midnight. Subscribe before then, and nothing changes.\n",
                ten.name
            ),
        ),
        (Status::PastDue, _, Some(day)) => (
            format!("An invoice of {} is unpaid", ten.name),
            format!(
                "An invoice of {} is unpaid. Everything works as before; on {day} access ends until it is paid.\n",
                ten.name
            ),
        ),
        _ => return None,
    };
    Some(Letter { to, subject, text })
}

/// What a suspended organisation's administrator is told, if the operator wants it told.
pub async fn suspended(app: &App, ten: &Tenant, code: &str) {
    let Some(to) = ten.details.email.as_ref().map(|e| e.0.clone()) else { return };
    let text = format!(
        "Access to {} is suspended ({code}). Nothing is deleted; everything is as before once it is reactivated.\n",
        ten.name
    );
    let letter = Letter { to, subject: format!("{} is suspended", ten.name), text };
    if let Err(error) = app.mail().send(letter).await {
        tracing::warn!(%error, "a suspension was not told");
    }
}
