//! Persons as cases know them: references that only the clinical index key can make, so that whoever holds a
//! beneficiary's id and not that key finds no case.

use super::{Case, clinical};
use crate::{
    beneficiary::{self, Beneficiary, hooks},
    words::{Issue, Relation},
};
use jiff::civil::Date;
use kernel::{BeneficiaryId, ClientOrgId, Error, Result, error::found};
use schemars::JsonSchema;
use serde::Deserialize;
use store::{Entity, Record, Store, Wanted};
use web::{Ctx, Reach};

pub fn reference(clinical: &Store, person: BeneficiaryId) -> String {
    clinical.blind("eap.person", &person.to_string())
}

pub fn household(clinical: &Store, employee: BeneficiaryId) -> String {
    clinical.blind("eap.household", &employee.to_string())
}

pub fn issue(clinical: &Store, person_ref: &str, issue: Issue) -> String {
    clinical.blind("eap.issue", &format!("{person_ref}~{issue}"))
}

/// Whether the calling counsellor has a case of this person.
pub async fn has_case_of(ctx: &Ctx, person: BeneficiaryId) -> Result<bool> {
    let person = reference(&clinical(ctx).await?, person);
    let wanted = Wanted::by(&[&person], 100);
    let cases = ctx.store().list(Case::list("who"), &wanted).await?;
    Ok(cases.data.iter().any(|c| c.body.of_counsellor(&ctx.actor().user)))
}

/// Who somebody at intake speaks of.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Named {
    pub beneficiary: Option<BeneficiaryId>,
    /// With `employee_number`, where the id is not known.
    pub client: Option<ClientOrgId>,
    #[schemars(length(min = 1, max = 40))]
    pub employee_number: Option<String>,
    /// Whose dependant of the employee's: with `birth_date`.
    pub relation: Option<Relation>,
    pub birth_date: Option<Date>,
}

/// The person and, of a dependant, the employee. One refusal whatever is wrong, so that it tells nothing.
pub async fn find(ctx: &Ctx, named: &Named) -> Result<(Record<Beneficiary>, Option<Beneficiary>)> {
    let id = match ctx.reach() {
        Reach::Own => hooks::of_user(ctx.store(), &ctx.actor().user).await?,
        _ => match (named.beneficiary, named.client, &named.employee_number) {
            (Some(id), ..) => Some(id),
            (None, Some(client), Some(number)) => by_number(ctx, client, number, named).await?,
            _ => {
                let detail = "beneficiary, or client and employee_number";
                return Err(Error::invalid("/beneficiary", "required", detail));
            }
        },
    };
    let nobody = || beneficiary::nobody("/beneficiary");
    let person = found(ctx.store().get::<Beneficiary>(id.ok_or_else(nobody)?).await)?;
    let person = person.filter(|p| p.deleted_at.is_none()).ok_or_else(nobody)?;
    let employee = hooks::employee_of(ctx.store(), &person.body).await?;
    if !person.body.eligible(employee.as_ref(), ctx.today()) {
        return Err(nobody());
    }
    Ok((person, employee))
}

async fn by_number(
    ctx: &Ctx,
    client: ClientOrgId,
    number: &str,
    named: &Named,
) -> Result<Option<BeneficiaryId>> {
    let number = beneficiary::number_of(client, number);
    let employee = ctx.store().guarded::<Beneficiary>("employee_number", &number).await?;
    let (Some(employee), Some(relation)) = (employee, named.relation.filter(|r| *r != Relation::Employee))
    else {
        return Ok(employee);
    };
    let wanted = Wanted::by(&[&employee], beneficiary::DEPENDANTS);
    let dependants = ctx.store().list(&Beneficiary::LISTS[1], &wanted).await?;
    let born = |b: &Beneficiary| b.birth_date.as_ref().map(|d| d.0);
    let is = |r: &&Record<Beneficiary>| {
        r.body.relation == relation && born(&r.body) == named.birth_date && named.birth_date.is_some()
    };
    Ok(dependants.data.iter().find(is).map(|r| r.id))
}
