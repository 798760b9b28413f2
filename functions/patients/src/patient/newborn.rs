//! Newborns: registered from the mother's record. Her name and telephone say nothing about who the child is.

use super::{
    Confidentiality, Demographics, Gender, MultipleBirth, Patient, Phone, PhoneOwner, Precision,
    Registration, check,
    register::{self, Arrival},
};
use crate::{
    chart,
    coverage::{Coverage, Relation, State, seat},
    matching::Options,
};
use kernel::{Error, PatientId, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::Deserialize;
use store::{Record, Wanted};
use web::{Answer, At, Body, Ctx};

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Request {
    /// A child without a name yet is `Baby`.
    #[schemars(length(min = 1, max = 60))]
    pub given_names: Option<Sealed<String>>,
    /// The mother's, if none is given.
    #[schemars(length(min = 1, max = 60))]
    pub family_name: Option<Sealed<String>>,
    pub gender: Gender,
    #[schemars(length(min = 1, max = 20))]
    pub birth_date: Sealed<String>,
    #[schemars(length(min = 5, max = 8))]
    pub birth_time: Option<Sealed<String>>,
    pub multiple_birth: Option<MultipleBirth>,
    pub duplicate_decision: Option<register::Decision>,
}

pub async fn create(ctx: Ctx, At(id): At<PatientId>, Body(request): Body<Request>) -> Answer {
    let (mother, covers) = futures::join!(chart::patient(&ctx, id), covers(&ctx, id));
    let (mother, covers) = (mother?, covers?);
    if mother.body.merged_into.is_some() {
        chart::standing(&mother)?;
    }
    if mother.body.person.gender == Gender::Male {
        return Err(Error::unprocessable("not-a-mother", "this patient is registered as male").into());
    }
    let (decision, site) = (request.duplicate_decision.clone(), mother.body.site_id);
    let mut person = child(&mother, request);
    check::sensible(check::normalise(&mut person, check::Desk::of(&ctx)))?;
    let arrival = Arrival {
        person,
        site: ctx.actor().sites.has(&site).then_some(site),
        token: None,
        decision,
        kin: vec![],
        allergies: vec![],
        coverages: dependants(&ctx, covers).await?,
        options: Options { newborn: true },
        mother: Some(mother),
    };
    register::register(&ctx, arrival).await
}

async fn covers(ctx: &Ctx, id: PatientId) -> Result<Vec<Coverage>> {
    let wanted = Wanted::by(&[&id], 20);
    let page = ctx.store().list(&<Coverage as store::Entity>::LISTS[0], &wanted).await?;
    Ok(page.data.into_iter().map(|r| r.body).filter(|c| c.status == State::Active).collect())
}

/// The mother's covers, with the child as the first dependant that the payer does not have yet.
async fn dependants(ctx: &Ctx, covers: Vec<Coverage>) -> Result<Vec<Coverage>> {
    let child = |cover: &Coverage, ordinal: u8| Coverage {
        relation: Relation::Child,
        ordinal,
        verified: None,
        card_document_id: None,
        ..cover.clone()
    };
    let all: Vec<Coverage> = covers.iter().flat_map(|c| (1..=9).map(move |n| child(c, n))).collect();
    let seats: Vec<(&str, String)> =
        all.iter().filter_map(|c| Some(("member", seat(&c.membership()?)))).collect();
    if seats.is_empty() {
        return Ok(vec![]);
    }
    let held = ctx.store().guarded_many::<Coverage>(&seats).await?;
    let taken = |c: &Coverage| {
        let own = c.membership().map(|m| seat(&m));
        own.is_none_or(|own| seats.iter().zip(&held).any(|((_, s), owner)| *s == own && owner.is_some()))
    };
    let free = covers.iter().filter_map(|c| (1..=9).map(|n| child(c, n)).find(|c| !taken(c)));
    Ok(free.collect())
}

fn child(mother: &Record<Patient>, request: Request) -> Demographics {
    let hers = &mother.body.person;
    let relative = |p: &Phone| Phone { owner: PhoneOwner::Relative, ..p.clone() };
    let phones: Vec<Phone> = hers.phones.iter().map(relative).collect();
    Demographics {
        hospital_number: None,
        legacy_numbers: vec![],
        given_names: Some(request.given_names.unwrap_or_else(|| "Baby".into())),
        middle_names: None,
        family_name: request.family_name.or_else(|| hers.family_name.clone()),
        single_name: false,
        preferred_name: None,
        previous_names: Sealed(vec![]),
        title: None,
        birth_date: Some(request.birth_date),
        birth_date_precision: Precision::Day,
        birth_time: request.birth_time,
        multiple_birth: request.multiple_birth,
        gender: request.gender,
        blood_group: None,
        blood_group_source: None,
        genotype: None,
        genotype_source: None,
        no_phone_reason: phones.is_empty().then(|| "newborn".into()),
        phones: Sealed(phones),
        email: None,
        address: hers.address.clone(),
        identifiers: Sealed(vec![]),
        nationality: hers.nationality.clone(),
        language: hers.language.clone(),
        religion: None,
        occupation: None,
        marital_status: None,
        state_of_origin: hers.state_of_origin.clone(),
        photo_document_id: None,
        confidentiality: Confidentiality::N,
        contact_preference: None,
        // Reception completes what the delivery room cannot know.
        registration: Registration::Provisional,
        custom: Sealed(serde_json::Map::new()),
    }
}
