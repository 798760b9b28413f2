//! Registration: the search for duplicates, the number, and everything in one commit.

mod decision;
mod settle;

pub use settle::{SHARDS, limit};

use super::{
    Demographics, Membership, Patient, Precision, Registration, Status, check,
    duplicates::{self, Candidate, Found},
    emergency,
    number::{self, Numbering},
};
use crate::{
    allergy::Allergy,
    chart,
    coverage::{self, Coverage},
    matching::Options,
    related_person::RelatedPerson,
};
use jiff::civil::Date;
use kernel::{Error, PatientId, Result, SiteId, Ulid};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::Record;
use web::{Answer, Body, Ctx, Reached};

/// Somebody, described: as much as is known.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Described {
    #[serde(flatten)]
    pub person: Demographics,
    /// Where only the age is known.
    #[schemars(range(min = 0, max = 130))]
    pub age_years: Option<i16>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub struct Request {
    #[serde(flatten)]
    pub person: Demographics,
    #[schemars(range(min = 0, max = 130))]
    pub age_years: Option<i16>,
    /// One of the caller's sites; needed by those who have several.
    pub site_id: Option<SiteId>,
    /// From `POST /v1/patients/matches`: tells which candidates are new since then.
    #[schemars(length(min = 1, max = 8000))]
    pub match_token: Option<String>,
    pub duplicate_decision: Option<Decision>,
    #[schemars(length(max = 10))]
    #[serde(default)]
    pub related_persons: Vec<RelatedPerson>,
    #[schemars(length(max = 10))]
    #[serde(default)]
    pub allergies: Vec<Allergy>,
    #[schemars(length(max = 5))]
    #[serde(default)]
    pub coverages: Vec<Coverage>,
}

/// Somebody looked at the candidates and says that this is another person.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Decision {
    pub decision: Verdict,
    #[schemars(length(min = 1, max = 60))]
    pub candidates: Vec<PatientId>,
    #[schemars(length(min = 10, max = 2000))]
    pub reason: String,
}

kernel::words! {
    pub enum Verdict { DifferentPerson = "different_person" }
}

#[derive(Serialize, JsonSchema)]
pub struct Matches {
    pub candidates: Vec<Candidate>,
    /// Good for 15 minutes.
    pub match_token: String,
}

/// Numbers that imported records may already have in a row.
const NUMBERS: usize = 20;

pub async fn matches(ctx: Ctx, Body(mut asked): Body<Described>) -> Answer {
    let desk = check::Desk::of(&ctx);
    estimate(&mut asked.person, asked.age_years, desk.today);
    check::sensible(known(check::normalise(&mut asked.person, desk)))?;
    let wanted =
        duplicates::Wanted { person: &asked.person, members: &[], kin: &[], options: Options::default() };
    let found = duplicates::look(&ctx, &wanted).await?;
    duplicates::shown(&ctx, &found.candidates).await?;
    let match_token = decision::token(&ctx, &asked.person, &found)?;
    web::ok(&Matches { candidates: found.candidates, match_token })
}

/// A search may leave out what a registration needs.
fn known(faults: Vec<kernel::Fault>) -> Vec<kernel::Fault> {
    faults
        .into_iter()
        .filter(|f| !matches!(&*f.code, "phone-required" | "name-required" | "issuer-required"))
        .collect()
}

/// Only the age is known: 1 July of the year.
pub fn estimate(person: &mut Demographics, age: Option<i16>, today: Date) {
    if let (Some(age), None) = (age, &person.birth_date) {
        let born = check::mid_year(jiff::civil::date(today.year() - age, 7, 1), today);
        person.birth_date = Some(Sealed(born.to_string()));
        person.birth_date_precision = Precision::Estimated;
    }
}

pub async fn create(ctx: Ctx, Body(mut request): Body<Request>) -> Answer {
    permitted(&ctx, &request)?;
    let desk = check::Desk::of(&ctx);
    estimate(&mut request.person, request.age_years, desk.today);
    let mut faults = check::normalise(&mut request.person, desk);
    faults.extend(chart::normalise_all("related_persons", &mut request.related_persons, desk));
    faults.extend(chart::normalise_all("allergies", &mut request.allergies, desk));
    faults.extend(chart::normalise_all("coverages", &mut request.coverages, desk));
    check::sensible(faults)?;
    if request.person.hospital_number.is_some() {
        number::by_hand(&ctx)?;
    }
    let arrival = Arrival { options: Options::default(), mother: None, ..Arrival::from(request) };
    register(&ctx, arrival).await
}

/// Emergency staff register whom they cannot identify, and nobody else.
fn permitted(ctx: &Ctx, request: &Request) -> Result<()> {
    if ctx.only() == Some(authz::Only::Emergency) && request.person.registration == Registration::Full {
        let detail = "your role registers emergencies: send registration `provisional` or `unidentified`; reception completes it";
        return Err(Error::forbidden("emergency-form-only", detail));
    }
    Ok(())
}

/// Somebody to be registered, with everything that comes in the same commit.
pub struct Arrival {
    pub person: Demographics,
    pub site: Option<SiteId>,
    pub token: Option<String>,
    pub decision: Option<Decision>,
    pub kin: Vec<RelatedPerson>,
    pub allergies: Vec<Allergy>,
    pub coverages: Vec<Coverage>,
    pub options: Options,
    pub mother: Option<Record<Patient>>,
}

impl From<Request> for Arrival {
    fn from(r: Request) -> Self {
        Self {
            person: r.person,
            site: r.site_id,
            token: r.match_token,
            decision: r.duplicate_decision,
            kin: r.related_persons,
            allergies: r.allergies,
            coverages: r.coverages,
            options: Options::default(),
            mother: None,
        }
    }
}

/// Search, number, commit. A number that an import has used already is skipped.
pub async fn register(ctx: &Ctx, arrival: Arrival) -> Answer {
    let site = site(ctx, arrival.site)?;
    let numbering = Numbering::of_patients(ctx);
    let members: Vec<Membership> = arrival.coverages.iter().filter_map(Coverage::membership).collect();
    let kin: Vec<String> =
        arrival.kin.iter().flat_map(|k| k.phones.iter().map(|p| p.number.clone())).collect();
    let wanted = duplicates::Wanted {
        person: &arrival.person,
        members: &members,
        kin: &kin,
        options: arrival.options,
    };
    let (found, place, replayed) = futures::join!(
        duplicates::look(ctx, &wanted),
        number::Place::of(ctx, &numbering, site),
        replayed(ctx)
    );
    replayed?;
    let (found, place) = (found?, place?);
    let overridden = decision::judge(ctx, &arrival, &found).await?;
    for _ in 0..NUMBERS {
        let number = number::next(ctx, "patient", &numbering, &place).await?;
        let new = record(ctx, &arrival, site, number, &members, &overridden, &found).await?;
        match settle::settle(ctx, &arrival, &new, &overridden, &found).await {
            Err(e) if e.0.code() == "number-taken" => continue,
            other => return other,
        }
    }
    Err(Error::conflict("numbers-taken", "the next numbers are all taken by imported records; try again")
        .into())
}

/// A retry with the same key takes no second number.
async fn replayed(ctx: &Ctx) -> Result<()> {
    match ctx.once() {
        Some(once) => ctx.store().replay(once).await,
        None => Ok(()),
    }
}

/// The registrar's only site, or the one named; the organisation's main site for those who have all.
fn site(ctx: &Ctx, named: Option<SiteId>) -> Result<SiteId> {
    let sites = &ctx.actor().sites;
    match (named, sites) {
        (Some(site), _) if sites.has(&site) => Ok(site),
        (Some(_), _) => Err(Error::field("site-not-yours", "/site_id", "this is none of your sites")),
        (None, Reached::These(all)) if all.len() == 1 => Ok(*all.first().expect("one")),
        (None, Reached::All) => {
            let main = ctx.tenant()?.policies.get("main_site").and_then(|v| v.as_str()?.parse().ok());
            Ok(main.unwrap_or(kernel::Id::of(Ulid::nil())))
        }
        (None, _) => {
            Err(Error::field("site-required", "/site_id", "you work at several sites: say at which this is"))
        }
    }
}

/// The new record, with what follows from who it is.
async fn record(
    ctx: &Ctx,
    arrival: &Arrival,
    site: SiteId,
    number: String,
    members: &[Membership],
    overridden: &[PatientId],
    found: &Found,
) -> Result<Record<Patient>> {
    let mut person = arrival.person.clone();
    if person.unidentified() {
        emergency::name(&mut person, &number);
    }
    if person.hospital_number.is_none() {
        person.hospital_number = hospital_number(ctx, &number, site).await?;
    }
    let now = ctx.now();
    let reminder_at = (person.registration != Registration::Full).then(|| emergency::next_reminder(now));
    let patient = Patient {
        number,
        status: Status::Registered,
        status_at: Some(now),
        inpatient: false,
        deceased: None,
        allergy_status: if arrival.allergies.is_empty() {
            super::AllergyStatus::Unknown
        } else {
            super::AllergyStatus::Listed
        },
        allergy_asserted: None,
        members: Sealed(members.to_vec()),
        nhis_number: coverage::nhis_number(members).map(Sealed),
        mother_id: arrival.mother.as_ref().map(|m| m.id),
        user_id: None,
        registered_by: ctx.actor().user.clone(),
        registration_date: ctx.today(),
        site_id: site,
        merged_into: None,
        aliases: vec![],
        not_same_as: overridden.to_vec(),
        // The guard's owner stays who it is.
        shares_guard: found.person.is_some() && !overridden.is_empty(),
        has_records: false,
        reminder_at,
        person,
    };
    Ok(Record::new(now, patient))
}

async fn hospital_number(ctx: &Ctx, number: &str, site: SiteId) -> Result<Option<String>> {
    if Numbering::hospital_is_same(ctx) {
        return Ok(Some(number.into()));
    }
    let Some(numbering) = Numbering::of_hospital(ctx) else { return Ok(None) };
    let place = number::Place::of(ctx, &numbering, site).await?;
    Ok(Some(number::next(ctx, "hospital", &numbering, &place).await?))
}
