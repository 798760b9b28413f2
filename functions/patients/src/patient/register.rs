//! Registration: the search for duplicates, the number, and everything in one commit.

use super::{
    Demographics, Membership, Patient, Precision, Registration, Status, check,
    duplicates::{self, Candidate, Found},
    emergency, facts, guards,
    number::{self, Numbering},
};
use crate::{
    allergy::{self, Allergy},
    chart,
    coverage::{self, Coverage},
    flag,
    matching::{Band, Options},
    related_person::{self, RelatedPerson},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use events::PatientEvent;
use jiff::{SignedDuration, Timestamp, civil::Date};
use kernel::{Error, PatientId, Result, SiteId, Ulid};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Commit, Key, Record, When};
use web::{Answer, Body, Ctx, Reached, noun::Shown};

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

/// Where a match token remembers what was shown.
#[derive(Serialize, Deserialize)]
struct Token {
    input: String,
    until: Timestamp,
    candidates: Vec<PatientId>,
}

const TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(15);
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
    let match_token = token(&ctx, &asked.person, &found)?;
    web::ok(&Matches { candidates: found.candidates, match_token })
}

/// A search may leave out what a registration needs.
fn known(faults: Vec<kernel::Fault>) -> Vec<kernel::Fault> {
    faults
        .into_iter()
        .filter(|f| !matches!(&*f.code, "phone-required" | "name-required" | "issuer-required"))
        .collect()
}

fn token(ctx: &Ctx, person: &Demographics, found: &Found) -> Result<String> {
    let ids = found.candidates.iter().map(|c| c.id).collect();
    let token = Token { input: digest(person)?, until: ctx.now() + TOKEN_LIFE, candidates: ids };
    let plain = serde_json::to_vec(&token).map_err(Error::internal)?;
    Ok(BASE64.encode(ctx.store().seal("match", plain)))
}

fn digest(person: &Demographics) -> Result<String> {
    let plain = seal::open(|| serde_json::to_vec(person)).map_err(Error::internal)?;
    Ok(hex::encode(seal::sha256(&plain)))
}

/// What the token's holder has seen; nothing, if it has expired or was given for other input.
fn seen(ctx: &Ctx, token: &str, person: &Demographics) -> Option<Vec<PatientId>> {
    let sealed = BASE64.decode(token).ok()?;
    let token: Token = serde_json::from_slice(&ctx.store().unseal("match", &sealed).ok()?).ok()?;
    (token.until > ctx.now() && token.input == digest(person).ok()?).then_some(token.candidates)
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
    let overridden = judge(ctx, &arrival, &found).await?;
    for _ in 0..NUMBERS {
        let number = number::next(ctx, "patient", &numbering, &place).await?;
        let new = record(ctx, &arrival, site, number, &members, &overridden, &found).await?;
        match settle(ctx, &arrival, &new, &overridden, &found).await {
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

/// Whether this may be registered in view of who is there already; the candidates that were overridden.
async fn judge(ctx: &Ctx, arrival: &Arrival, found: &Found) -> Result<Vec<PatientId>> {
    if let Some((_, owner)) = found.documents.first() {
        let detail = "this identity number is registered already: open that record, or check the card";
        let known = found
            .candidates
            .iter()
            .filter(|c| c.id == *owner || c.merged_from == Some(*owner))
            .cloned()
            .collect();
        return Err(refuse(ctx, arrival, "identifier-taken", detail, known).await?.with("record", owner));
    }
    let likely = found.at_least(Band::Probable);
    if likely.is_empty() {
        return Ok(vec![]);
    }
    let certain = likely.iter().any(|c| c.band == Band::Certain);
    let (code, detail) = match certain {
        true => ("duplicate-patient", "this person is registered already: go on with that record"),
        false => (
            "possible-duplicate",
            "this may be somebody registered already: look at the candidates, then go on with one of them or send duplicate_decision",
        ),
    };
    let Some(decision) = &arrival.decision else {
        return Err(refuse(ctx, arrival, code, detail, likely.into_iter().cloned().collect()).await?);
    };
    if certain {
        ctx.need("patient.register_duplicate")?;
    }
    if likely.iter().any(|c| !decision.candidates.contains(&c.id)) {
        let detail = "the decision does not name every candidate: look at them all, and name them";
        return Err(refuse(ctx, arrival, code, detail, likely.into_iter().cloned().collect()).await?);
    }
    Ok(likely.iter().map(|c| c.id).collect())
}

async fn refuse(
    ctx: &Ctx,
    arrival: &Arrival,
    code: &'static str,
    detail: &str,
    mut all: Vec<Candidate>,
) -> Result<Error> {
    duplicates::shown(ctx, &all).await?;
    if let Some(seen) = arrival.token.as_deref().and_then(|t| seen(ctx, t, &arrival.person)) {
        all.iter_mut().for_each(|c| c.fresh = !seen.contains(&c.id));
    }
    let shown = seal::open(|| serde_json::to_value(&all)).map_err(Error::internal)?;
    Ok(Error::conflict(code, detail).with("candidates", shown))
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

/// One commit: the patient, who belongs to it, facts, guards, and one of the plan's patients.
async fn settle(
    ctx: &Ctx,
    arrival: &Arrival,
    new: &Record<Patient>,
    overridden: &[PatientId],
    found: &Found,
) -> Answer {
    let event = PatientEvent::Registered {
        patient: new.id,
        number: new.body.number.clone(),
        site: new.body.site_id,
        registration: new.body.person.registration.to_string(),
        overridden: overridden.to_vec(),
        mother: new.body.mother_id,
    };
    let build = |beyond: bool| -> Result<Commit> {
        let reason = arrival.decision.as_ref().filter(|_| !overridden.is_empty()).map(|d| d.reason.clone());
        let mut commit = ctx.commit().because(reason).create(new).emit(&event);
        commit = guards::take(commit, new);
        commit = facts::publish(commit, None, new);
        commit = related_person::add_all(ctx, commit, new.id, &arrival.kin);
        commit = allergy::add_all(ctx, commit, new, &arrival.allergies);
        commit = coverage::add_all(ctx, commit, new.id, &arrival.coverages);
        commit = flag::raise_for_genotype(ctx, commit, new, None)?;
        if let Some(mother) = &arrival.mother {
            commit = related_person::link_child(ctx, commit, mother, new);
        }
        Ok(if beyond { over_the_limit(ctx, commit)? } else { commit.take("patients", SHARDS, new.id) })
    };
    let warnings: Vec<&Candidate> = found.candidates.iter().collect();
    duplicates::shown(ctx, &found.candidates).await?;
    let shown = || Shown::record_with(ctx, 201, new, &json!({"warnings": open(&warnings)?}));
    match ctx.settle(build(false)?, shown()?).await {
        Err(e) if e.0.code() == "limit-reached" && new.body.person.unidentified() => {
            ctx.settle(build(true)?, shown()?).await.map_err(|e| limit(ctx, e.0).into())
        }
        other => other.map_err(|e| limit(ctx, e.0).into()),
    }
}

fn open(warnings: &[&Candidate]) -> Result<serde_json::Value> {
    seal::open(|| serde_json::to_value(warnings)).map_err(Error::internal)
}

pub const SHARDS: u32 = 16;

/// An unconscious person is registered whatever the plan says, up to 5 % above it.
fn over_the_limit(ctx: &Ctx, commit: Commit) -> Result<Commit> {
    let allowed = ctx.tenant()?.limits.get("patients").copied().unwrap_or_default();
    let beyond = i64::try_from(allowed / 20).unwrap_or(i64::MAX).max(1);
    let full = |_| Error::conflict("limit-reached", "the limit of patients is reached");
    Ok(commit.add_if(&Key::quota("patients", 0), "left", -1, When::Above("left", -beyond), full))
}

/// The limit's refusal as patients tell it: which limit, of which plan.
pub fn limit(ctx: &Ctx, error: Error) -> Error {
    if error.code() != "limit-reached" {
        return error;
    }
    let Ok(tenant) = ctx.tenant() else { return error };
    let allowed = tenant.limits.get("patients").copied();
    let detail = format!("the plan {} allows no more patients; an administrator can change it", tenant.plan);
    Error::conflict("plan-limit", detail)
        .with("limit", "patients")
        .with("plan", &tenant.plan)
        .with("allowed", allowed)
}
