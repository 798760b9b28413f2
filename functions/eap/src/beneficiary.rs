//! Who may use the programme: a client's employees and those they may bring. Nothing here tells of use; a case finds
//! its person by a reference that nobody can make without the clinical key.

pub mod api;
pub mod hooks;

use crate::words::{AgeBand, Relation};
use jiff::civil::Date;
use kernel::{BeneficiaryId, ClientOrgId, Error, Fault, JobId, Lifecycle, Result, Step, UserId};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Entity, List, Record, Row, Unique};
use web::{Actor, Ctx, Noun, Reach, noun};

kernel::words! {
    #[derive(Default)]
    pub enum Source { Import = "import", Own = "self", #[default] Manual = "manual" }
}
kernel::words! { #[derive(Default)] pub enum Status { #[default] Eligible = "eligible", Ended = "ended" } }
kernel::words! {
    /// By which way somebody may be written to without anybody learning why.
    pub enum Channel { Email = "email", Sms = "sms", Phone = "phone", None = "none" }
}

/// How and when contact is safe, in the person's own words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SafeContact {
    pub channel: Channel,
    /// An e-mail address or a number, if it is another than the record's.
    #[schemars(length(min = 3, max = 254))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// `after 18:00`, `never at work`.
    #[schemars(length(min = 1, max = 200))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Beneficiary {
    pub client: ClientOrgId,
    pub relation: Relation,
    /// Of dependants: whose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee: Option<BeneficiaryId>,
    #[schemars(length(min = 1, max = 200))]
    pub name: Sealed<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth_date: Option<Sealed<Date>>,
    #[schemars(length(min = 3, max = 254))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Sealed<String>>,
    #[schemars(length(min = 3, max = 50))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Sealed<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safe_contact: Option<Sealed<SafeContact>>,
    /// Of employees; one client has each number once.
    #[schemars(length(min = 1, max = 40))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub employee_number: Option<Sealed<String>>,
    /// Code of one of the client's reporting units.
    #[schemars(length(min = 1, max = 40))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// BCP 47.
    #[schemars(length(min = 2, max = 20))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eligible_from: Option<Date>,
    /// The last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eligible_to: Option<Date>,
    /// The login that is this person's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<UserId>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub source: Source,
    #[schemars(extend("readOnly" = true))]
    #[serde(default)]
    pub status: Status,
    /// The import that made it.
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<JobId>,
}

/// How many dependants of one employee are looked at.
pub const DEPENDANTS: i32 = 50;

impl Beneficiary {
    /// Whether somebody may begin something new on that day; `employee` is the record of a dependant's.
    pub fn eligible(&self, employee: Option<&Self>, day: Date) -> bool {
        let own = self.status == Status::Eligible && self.covered(day, 0);
        own && employee.is_none_or(|e| e.eligible(None, day))
    }

    /// Whether what was begun may go on: so many days longer.
    pub fn may_go_on(&self, employee: Option<&Self>, day: Date, grace_days: u16) -> bool {
        self.covered(day, grace_days) && employee.is_none_or(|e| e.covered(day, grace_days))
    }

    fn covered(&self, day: Date, grace_days: u16) -> bool {
        let last =
            self.eligible_to.map(|to| to.saturating_add(jiff::Span::new().days(i64::from(grace_days))));
        self.eligible_from.is_none_or(|from| from <= day) && last.is_none_or(|last| day <= last)
    }

    pub fn age_band(&self, day: Date) -> Option<AgeBand> {
        self.birth_date.as_ref().map(|born| AgeBand::on(born.0, day))
    }

    /// The employee whom a cap of the household is kept by.
    pub fn household(&self, own: BeneficiaryId) -> BeneficiaryId {
        self.employee.unwrap_or(own)
    }

    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = vec![];
        let mut add = |pointer: &str, code: &'static str, detail: &str| {
            faults.push(Fault::new(pointer, code, detail));
        };
        match (self.relation, self.employee) {
            (Relation::Employee, Some(_)) => {
                add("/employee", "not-allowed", "an employee belongs to no other employee");
            }
            (Relation::Employee, None) => {}
            (_, None) => add("/employee", "required", "whose dependant this is: the employee's id"),
            (_, Some(_)) if self.employee_number.is_some() => {
                add(
                    "/employee_number",
                    "not-allowed",
                    "only employees have a number; a dependant has an employee",
                );
            }
            _ => {}
        }
        if let (Some(from), Some(to)) = (self.eligible_from, self.eligible_to)
            && to < from
        {
            add("/eligible_to", "range", "not before eligible_from");
        }
        if self.name.trim().is_empty() {
            add("/name", "blank", "a name has a letter");
        }
        if self.email.as_ref().is_some_and(|e| kernel::text::email(e).is_err()) {
            add("/email", "format", "expected an e-mail address");
        }
        faults
    }
}

/// A number as it is compared: spaces and case do not matter.
pub fn folded(text: &str) -> String {
    text.split_whitespace().collect::<String>().to_lowercase()
}

/// What is one employee's alone.
pub fn number_of(client: ClientOrgId, number: &str) -> String {
    format!("{client}~{}", folded(number))
}

/// What tells one dependant of an employee from another.
pub fn dependant_of(employee: BeneficiaryId, relation: Relation, name: &str, born: Option<Date>) -> String {
    let born = born.map(|b| b.to_string()).unwrap_or_default();
    format!("{employee}~{relation}~{}~{born}", folded(name))
}

impl Entity for Beneficiary {
    type Id = BeneficiaryId;
    const NOUN: &'static str = "beneficiary";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[
        List::<Self>::by("client", &["client"], |r| {
            let unit = r.body.unit.as_deref().unwrap_or("-");
            vec![Row::new(&[&r.body.client], &[&unit, &r.id])]
        })
        .then(&["unit"])
        .oldest_first(),
        List::<Self>::by("employee", &["employee"], |r| {
            r.body.employee.iter().map(|e| Row::new(&[e], &[&r.id])).collect()
        })
        .oldest_first(),
    ];
    const UNIQUE: &'static [Unique<Self>] = &[
        Unique::of("employee_number", "duplicate", |b| {
            b.employee_number.iter().map(|n| number_of(b.client, n)).collect()
        }),
        Unique::of("dependant", "duplicate", |b| {
            let born = b.birth_date.as_ref().map(|d| d.0);
            b.employee.iter().map(|e| dependant_of(*e, b.relation, &b.name, born)).collect()
        }),
        Unique::of("user", "user-linked", |b| b.user.iter().map(ToString::to_string).collect()),
    ];
}

impl Lifecycle for Beneficiary {
    kernel::state_of!(status: Status);
    const STEPS: &'static [Step<Self>] = &[
        Step::of("end", "beneficiary.create", &[Status::Eligible], Status::Ended),
        Step::of("reinstate", "beneficiary.create", &[Status::Ended], Status::Eligible),
    ];
}

impl Noun for Beneficiary {
    fn within(record: &Record<Self>, reach: Reach, actor: &Actor) -> bool {
        let own = record.body.user.is_some_and(|u| u.to_string() == actor.user);
        reach == Reach::All || (reach > Reach::None && own)
    }
    /// A counsellor knows of those whose case they have.
    async fn proven(ctx: &Ctx, record: &Record<Self>) -> Result<bool> {
        match ctx.reach() {
            Reach::Assigned => crate::case::has_case_of(ctx, record.id).await,
            _ => Ok(false),
        }
    }
    fn check(&self) -> Vec<Fault> {
        self.faults()
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        noun::possible(record, ctx)
    }
}

/// Nobody by these words: the same sentence whatever is wrong.
pub fn nobody(pointer: &str) -> Error {
    Error::field("not-eligible", pointer, "nobody on the client's list is covered by these words")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use jiff::civil::date;
    use kernel::Id;

    pub fn ada() -> Beneficiary {
        Beneficiary {
            client: ClientOrgId::at(jiff::Timestamp::UNIX_EPOCH),
            relation: Relation::Employee,
            employee: None,
            name: "Ada Obi".into(),
            birth_date: Some(Sealed(date(1990, 1, 31))),
            email: None,
            phone: None,
            safe_contact: None,
            employee_number: Some("E 001".into()),
            unit: None,
            language: None,
            eligible_from: Some(date(2026, 1, 1)),
            eligible_to: None,
            user: None,
            source: Source::Manual,
            status: Status::Eligible,
            batch: None,
        }
    }

    #[test]
    fn what_was_begun_goes_on_to_the_end_of_grace() {
        let ended = Beneficiary { status: Status::Ended, eligible_to: Some(date(2026, 6, 30)), ..ada() };
        assert!(!ended.eligible(None, date(2026, 6, 30)) && ended.may_go_on(None, date(2026, 7, 30), 30));
        assert!(!ended.may_go_on(None, date(2026, 7, 31), 30));
        assert!(ada().eligible(None, date(2026, 1, 1)) && !ada().eligible(None, date(2025, 12, 31)));
    }

    #[test]
    fn a_dependant_is_covered_as_long_as_the_employee_is() {
        let employee = Beneficiary { eligible_to: Some(date(2026, 6, 30)), ..ada() };
        let son = Beneficiary { relation: Relation::Child, employee_number: None, ..ada() };
        assert!(son.eligible(Some(&employee), date(2026, 6, 30)));
        assert!(!son.eligible(Some(&employee), date(2026, 7, 1)));
    }

    #[test]
    fn a_number_is_the_same_however_it_is_typed() {
        let client = ada().client;
        assert_eq!(number_of(client, " e 001"), number_of(client, "E001"));
        assert_ne!(
            number_of(client, "E001"),
            number_of(ClientOrgId::at("2026-01-01T00:00:00Z".parse().unwrap()), "E001")
        );
    }

    #[test]
    fn who_belongs_to_whom_is_said_once() {
        let codes = |b: &Beneficiary| b.faults().into_iter().map(|f| f.pointer).collect::<Vec<_>>();
        assert_eq!(codes(&ada()), [] as [String; 0]);
        assert_eq!(codes(&Beneficiary { relation: Relation::Spouse, ..ada() }), ["/employee"]);
        let back = Beneficiary { eligible_to: Some(date(2025, 1, 1)), ..ada() };
        assert_eq!(codes(&back), ["/eligible_to"]);
    }
}
