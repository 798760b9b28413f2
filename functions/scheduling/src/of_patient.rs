//! What appointments, visits and follow-ups have in common: they are about a patient, at a site, and with somebody.

use crate::place::linked;
use axum::extract::RawQuery;
use kernel::{Error, PatientId, Result, SiteId, UserId};
use store::Record;
use web::{
    Actor, Answer, Ctx, Noun, Reach,
    noun::{self, Pages, View},
    ok,
};

pub trait OfPatient: Noun {
    /// What a link must be for, that opens them to patients and their guardians.
    const LINK: &'static str;
    fn patient(&self) -> PatientId;
    /// The survivor's, where the patient was merged.
    fn listed_under(&mut self) -> &mut Option<PatientId>;
    fn site(&self) -> SiteId;
    fn practitioner_user(&self) -> Option<UserId>;
}

macro_rules! of_patient {
    ($($noun:ty: $link:literal),+) => { $(impl OfPatient for $noun {
        const LINK: &'static str = $link;
        fn patient(&self) -> PatientId { self.patient_id }
        fn listed_under(&mut self) -> &mut Option<PatientId> { &mut self.listed_under }
        fn site(&self) -> SiteId { self.site }
        fn practitioner_user(&self) -> Option<UserId> { self.practitioner_user }
    })+ };
}
of_patient!(
    crate::appointment::Appointment: "appointments",
    crate::visit::Visit: "visits",
    crate::follow_up::FollowUp: "appointments"
);

pub fn within<E: OfPatient>(record: &Record<E>, reach: Reach, actor: &Actor) -> bool {
    match reach {
        Reach::All => true,
        Reach::Site | Reach::Team => actor.sites.has(&record.body.site()),
        Reach::Assigned => record.body.practitioner_user().is_some_and(|u| u.to_string() == actor.user),
        _ => false,
    }
}

fn is_narrow(ctx: &Ctx) -> bool {
    matches!(ctx.reach(), Reach::Own | Reach::Linked)
}

/// Patients and their guardians, by the link that the patients module keeps.
pub async fn proven<E: OfPatient>(ctx: &Ctx, record: &Record<E>) -> Result<bool> {
    Ok(is_narrow(ctx) && linked(ctx, record.body.patient(), E::LINK).await?)
}

/// A page within the caller's reach.
pub async fn list<E: OfPatient>(ctx: Ctx, RawQuery(query): RawQuery) -> Answer {
    let (list, wanted) = noun::wanted::<E>(query.as_deref().unwrap_or_default())?;
    if is_narrow(&ctx) {
        let patient = wanted.by.first().and_then(|id| id.parse().ok()).filter(|_| list.name == "patient");
        match patient {
            Some(patient) if linked(&ctx, patient, E::LINK).await? => {}
            _ => {
                let detail = "name yourself or whom you care for: ?patient=";
                return Err(Error::forbidden("list-too-wide", detail).into());
            }
        }
        let page = ctx.list(list, &wanted).await?;
        return ok(&Pages::from(page.map(|record| View::owned(&ctx, record))));
    }
    let mut page = ctx.store().list(list, &wanted).await?;
    // A patient's list holds records of other sites too: those are not this caller's to know of.
    page.data.retain(|r| E::within(r, ctx.reach(), ctx.actor()));
    ctx.looked_at::<E>(page.data.iter().map(|r| r.id)).await?;
    ok(&Pages::from(page.map(|record| View::owned(&ctx, record))))
}
