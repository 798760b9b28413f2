//! Intake: a case is opened by the person themselves or at the counsellor line, or the one that is open already is
//! found again.

use super::{
    Case, Status, api, clinical, course,
    file::{self, CaseFile, Consent},
    person::{self, Named},
};
use crate::{
    beneficiary::Beneficiary,
    contract::{CapPool, Contract},
    place,
    risk::Risk,
    service::Service,
    words::{Issue, Referral, Relation},
};
use events::EapEvent;
use kernel::{EapCaseId, EapContractId, EapServiceId, Error, Result, Ulid, error::found};
use schemars::JsonSchema;
use serde::Deserialize;
use store::{Entity, Record, Store, Wanted, facts};
use web::{Answer, Body, Ctx, Reach, Refused, Shown};

#[derive(Deserialize, JsonSchema)]
pub struct New {
    #[serde(flatten)]
    pub person: Named,
    pub service: EapServiceId,
    /// Where several of the client's contracts cover the service.
    pub contract: Option<EapContractId>,
    pub presenting_issue: Issue,
    #[serde(default)]
    #[schemars(length(max = 10))]
    pub secondary: Vec<Issue>,
    #[serde(default)]
    pub referral: Option<Referral>,
    #[schemars(length(min = 2, max = 20))]
    pub language: Option<String>,
    /// A case of its own although one of the same issue is open.
    #[serde(default)]
    pub separate: bool,
    pub consent: Option<Consent>,
}

pub async fn create(ctx: Ctx, Body(new): Body<New>) -> Answer {
    let clinical = clinical(&ctx).await?;
    let (person, _) = person::find(&ctx, &new.person).await?;
    let person_ref = person::reference(&clinical, person.id);
    let issue_key = person::issue(&clinical, &person_ref, new.presenting_issue);
    let open = already(&ctx, &issue_key).await?.filter(|_| !new.separate);
    if let Some(open) = open {
        return again(&ctx, &clinical, open).await;
    }
    let (contract, service) =
        futures::try_join!(covering(&ctx, &person.body, &new), service(&ctx, new.service))?;
    let pool_ref = match contract.body.cap_pool {
        CapPool::Person => person_ref.clone(),
        CapPool::Household => person::household(&clinical, person.body.household(person.id)),
    };
    let case = Case {
        reference: reference(),
        cap_issue: person::issue(&clinical, &pool_ref, new.presenting_issue),
        pool_ref,
        cap_root: root(&ctx, &contract, &person_ref, &issue_key).await?,
        person_ref,
        issue_key,
        client: person.body.client,
        contract: contract.id,
        service: service.id,
        category: service.body.category.clone(),
        clinical: service.body.clinical,
        // Whoever comes by themselves is told nothing of a case that others opened for them: theirs stands beside it.
        separate: new.separate || own(&ctx),
        status: Status::Intake,
        language: new.language.clone().or(person.body.language.clone()),
        provider: None,
        // Whoever takes the call keeps the case until it is assigned.
        provider_user: Some(ctx.actor().user.clone()).filter(|_| ctx.reach() == Reach::Assigned),
        portal_user: Some(ctx.actor().user.clone()).filter(|_| own(&ctx)),
        opened_at: ctx.now(),
        opened_on: ctx.today(),
        held: 0,
        first_contact_at: None,
        contact_by: Some(Risk::None.contact_by(ctx.now(), &ctx.zone())),
        closed_at: None,
        closure_reason: None,
        follow_up_at: None,
        alarm: None,
    };
    let record = Record::new(ctx.now(), case);
    let file = CaseFile {
        beneficiary: person.id,
        unit: person.body.unit.clone(),
        age_band: person.body.age_band(ctx.today()),
        relation: person.body.relation,
        presenting_issue: new.presenting_issue,
        secondary: new.secondary,
        referral: new.referral.unwrap_or_default(),
        risk: None,
        consent: new.consent,
        by: ctx.actor().user.clone(),
        at: ctx.now(),
    };
    let commit = ctx.commit().create(&record).emit(EapEvent::CaseOpened(record.body.said(record.id)));
    let commit = commit.fact(facts::EAP_CASE, record.id, &serde_json::json!({}));
    let commit = commit.add(&place::counts(record.body.client), "cases_open", 1);
    let commit = commit.joined(file::write(&clinical, &file::place(record.id, "file", 1), &file));
    let parts = file::Parts::default();
    let commit = commit.joined(course::keep(&clinical, &record, &file, &parts));
    let shown = Shown::of(201, &api::full(&ctx, &record, file, parts, None))?;
    match ctx.settle(commit, Shown { version: Some(1), ..shown }).await {
        // Opened twice at once: this one finds the other's, if it may.
        Err(Refused(Error::Duplicate { field: "issue", owner, .. })) => {
            again(&ctx, &clinical, owner.parse()?).await
        }
        answer => answer,
    }
}

/// The person themselves is at the other end. Who they are is known by nothing that their employer does not know, until
/// a counsellor has spoken with them.
fn own(ctx: &Ctx) -> bool {
    ctx.reach() == Reach::Own
}

/// The open case of this person and issue; of whoever comes themselves, among those that they opened.
async fn already(ctx: &Ctx, issue_key: &str) -> Result<Option<EapCaseId>> {
    if !own(ctx) {
        return ctx.store().guarded::<Case>("issue", issue_key).await;
    }
    let wanted = Wanted::by(&[&ctx.actor().user], 100);
    let cases = ctx.store().list(Case::list("person"), &wanted).await?;
    let same = |c: &&Record<Case>| c.body.issue_key == issue_key && c.body.is_open();
    Ok(cases.data.iter().find(same).map(|c| c.id))
}

/// The same person's open case of the same issue: shown to who may see it.
async fn again(ctx: &Ctx, clinical: &Store, open: EapCaseId) -> Answer {
    let case = ctx.store().fresh::<Case>(open).await?;
    match ctx.reached(case).await {
        Ok(_) => {
            let (case, file, parts) = file::whole(clinical, open).await?;
            ctx.looked_at::<Case>([open].into_iter()).await?;
            let shown = Shown::of(200, &api::full(ctx, &case, file, parts, None))?;
            Ok(Shown { version: Some(case.version), ..shown }.respond())
        }
        Err(Error::Missing) => {
            let detail = "this issue is looked after already: ask the manager to assign the case to you, or send \
                          separate: true";
            Err(Error::conflict("case-open", detail).into())
        }
        Err(e) => Err(e.into()),
    }
}

/// `K7QF-2M9D`
fn reference() -> String {
    let random = Ulid::new().to_string();
    let last = &random[random.len() - 8..];
    format!("{}-{}", &last[..4], &last[4..])
}

async fn service(ctx: &Ctx, id: EapServiceId) -> Result<Record<Service>> {
    let unknown = || Error::field("unknown-service", "/service", "there is no such service");
    let offered = |s: &Record<Service>| s.deleted_at.is_none() && s.body.is_offered();
    found(ctx.store().get::<Service>(id).await)?.filter(offered).ok_or_else(unknown)
}

/// The client's contract that covers this service for this person today.
async fn covering(ctx: &Ctx, person: &Beneficiary, new: &New) -> Result<Record<Contract>> {
    let wanted = Wanted::by(&[&person.client], 50);
    let all = ctx.store().list(&Contract::LISTS[1], &wanted).await?;
    let covers = |c: &&Record<Contract>| {
        let named = new.contract.is_none_or(|id| id == c.id);
        let whom = person.relation == Relation::Employee || c.body.covers_dependants;
        named && whom && c.body.is_active(c.body.today(ctx.now())) && c.body.services.contains(&new.service)
    };
    all.data.iter().find(covers).cloned().ok_or_else(|| {
        let detail = "no running contract of the client covers this service for this person";
        Error::field("not-eligible", "/service", detail)
    })
}

/// Of a renewed contract, the one that the count of this issue began with.
async fn root(ctx: &Ctx, contract: &Record<Contract>, person: &str, issue: &str) -> Result<EapContractId> {
    if contract.body.renewed_from.is_none() {
        return Ok(contract.id);
    }
    let wanted = Wanted::by(&[&person], 100);
    let cases = ctx.store().list(Case::list("who"), &wanted).await?;
    let same = |c: &&Record<Case>| c.body.issue_key == issue && c.body.client == contract.body.client;
    Ok(cases.data.iter().find(same).map_or(contract.id, |c| c.body.cap_root))
}
