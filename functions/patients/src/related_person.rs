//! Related persons: next of kin, emergency contacts, guardians, payers.

use crate::{
    chart::{self, Command, Entry, Written},
    patient::{Gender, Patient, Phone, PhoneOwner, check::Desk},
};
use kernel::{Error, Fault, PatientId, RelatedPersonId, Result, phone::E164, text};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use store::{Commit, Entity, Key, List, Record, Row, Unique, facts};
use web::{Ctx, Noun, Reach, Route};

kernel::words! {
    pub enum Relationship {
        Mother = "mother", Father = "father", Parent = "parent", Guardian = "guardian", Spouse = "spouse",
        Child = "child", Sibling = "sibling", Friend = "friend", Employer = "employer", Carer = "carer", Other = "other",
    }
}
kernel::words! {
    pub enum RoleOf {
        NextOfKin = "next_of_kin", EmergencyContact = "emergency_contact", Guardian = "guardian", Payer = "payer",
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RelatedPerson {
    #[schemars(extend("readOnly" = true))]
    #[serde(default = "chart::nobody")]
    pub patient_id: PatientId,
    #[schemars(length(min = 1, max = 120))]
    pub name: Sealed<String>,
    pub relationship: Relationship,
    #[schemars(length(max = 2))]
    #[serde(default)]
    pub phones: Sealed<Vec<Phone>>,
    #[schemars(length(min = 3, max = 254))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Sealed<String>>,
    #[schemars(length(min = 1, max = 300))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Sealed<String>>,
    #[schemars(length(max = 4))]
    #[serde(default)]
    pub roles: Vec<RoleOf>,
    /// 1 is asked first.
    #[schemars(range(min = 1, max = 5))]
    #[serde(default = "last")]
    pub priority: u8,
    #[schemars(length(min = 1, max = 1000))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<Sealed<String>>,
    /// The related person's own record, if they are a patient too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub related_patient_id: Option<PatientId>,
    #[schemars(extend("readOnly" = true))]
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

fn last() -> u8 {
    5
}

impl Entity for RelatedPerson {
    type Id = RelatedPersonId;
    const NOUN: &'static str = "related_person";
    const PERSONAL: bool = true;
    const LISTS: &'static [List<Self>] = &[List::<Self>::by("patient", &["patient"], |r| {
        vec![Row::new(&[&r.body.patient_id], &[&r.body.priority, &r.id])]
    })
    .oldest_first()];
    /// At most one next of kin is the first.
    const UNIQUE: &'static [Unique<Self>] = &[Unique::of("first", "next-of-kin-taken", |r| {
        match r.priority == 1 && r.roles.contains(&RoleOf::NextOfKin) && !r.ended {
            true => vec![r.patient_id.to_string()],
            false => vec![],
        }
    })];
}

impl Noun for RelatedPerson {
    fn within(_: &Record<Self>, reach: Reach, _: &web::Actor) -> bool {
        reach == Reach::All
    }
    fn actions(record: &Record<Self>, ctx: &Ctx) -> Vec<&'static str> {
        let open = !record.body.ended && ctx.may(Self::EDIT) > Reach::None;
        if open { vec!["end"] } else { vec![] }
    }
}

impl Entry for RelatedPerson {
    const PATH: &'static str = "related_persons";
    const VIEW: &'static str = "patient.view";
    const EDIT: &'static str = "patient.edit";
    const MOST: usize = 10;
    const COMMANDS: &'static [Command<Self>] = &[Command {
        name: "end",
        reason: false,
        says: "This person is no longer related to the patient",
        run: |r, _, _| match std::mem::replace(&mut r.ended, true) {
            true => Err(Error::State { command: "end", state: "ended".into() }),
            false => Ok(()),
        },
    }];

    fn patient(&self) -> PatientId {
        self.patient_id
    }
    fn belongs(&mut self, patient: PatientId) {
        self.patient_id = patient;
    }
    fn normalise(&mut self, desk: Desk) -> Vec<Fault> {
        let mut faults = vec![];
        match text::line(&self.name, 120) {
            Ok(kept) => self.name.0 = kept,
            Err(e) => faults.push(e.fault("/name")),
        }
        for (n, phone) in self.phones.iter_mut().enumerate() {
            match E164::parse(&phone.number, desk.country) {
                Ok(number) => phone.number = number.to_string(),
                Err(e) => faults.push(e.fault(format!("/phones/{n}/number"))),
            }
        }
        if let Some(email) = &mut self.email {
            match text::email(email) {
                Ok(kept) => email.0 = kept,
                Err(e) => faults.push(e.fault("/email")),
            }
        }
        self.roles.sort();
        self.roles.dedup();
        faults
    }

    fn commit(ctx: &Ctx, w: Written<'_, Self>) -> Result<Commit> {
        let commit = circle(contact(w.begin(ctx), w.new), w.old, w.new);
        Ok(chart::require_live(commit, w.patient.id, true))
    }
}

/// Kin are reached without a login.
fn contact(commit: Commit, record: &Record<RelatedPerson>) -> Commit {
    let r = &record.body;
    if r.ended {
        return commit.drop_fact(facts::CONTACT, record.id);
    }
    #[derive(Serialize)]
    struct Contact<'a> {
        name: &'a Sealed<String>,
        email: &'a Option<Sealed<String>>,
        phone: Option<Sealed<String>>,
        do_not_contact: bool,
    }
    let phone = r.phones.first().map(|p| Sealed(p.number.clone()));
    commit.fact(
        facts::CONTACT,
        record.id,
        &Contact { name: &r.name, email: &r.email, phone, do_not_contact: false },
    )
}

fn is_guardian(record: &Record<RelatedPerson>) -> bool {
    let r = &record.body;
    !r.ended && record.deleted_at.is_none() && r.roles.contains(&RoleOf::Guardian)
}

/// Guardians without a login stand in the circle of whom they look after: messages about a child go to them.
fn circle(commit: Commit, old: Option<&Record<RelatedPerson>>, new: &Record<RelatedPerson>) -> Commit {
    let place = Key::member(facts::CIRCLE, new.body.patient_id, new.id);
    match (old.is_some_and(is_guardian), is_guardian(new)) {
        (false, true) => commit.put(&place, &serde_json::json!({"basis": "guardian", "roles": ["guardian"]})),
        (true, false) => commit.delete(&place),
        _ => commit,
    }
}

/// Kin who come with the registration, in its commit.
pub fn add_all(ctx: &Ctx, commit: Commit, patient: PatientId, all: &[RelatedPerson]) -> Commit {
    all.iter().fold(commit, |commit, kin| {
        let mut body = kin.clone();
        body.belongs(patient);
        let new = Record::new(ctx.now(), body);
        circle(contact(commit.create(&new), &new), None, &new)
    })
}

/// Mother and newborn name each other.
pub fn link_child(ctx: &Ctx, commit: Commit, mother: &Record<Patient>, child: &Record<Patient>) -> Commit {
    let link =
        |of: PatientId, other: &Record<Patient>, relationship, roles: Vec<RoleOf>, priority| RelatedPerson {
            patient_id: of,
            name: Sealed(other.body.full_name()),
            relationship,
            phones: Sealed(
                other
                    .body
                    .person
                    .phones
                    .iter()
                    .filter(|p| p.owner == PhoneOwner::Own)
                    .take(2)
                    .cloned()
                    .collect(),
            ),
            email: None,
            address: None,
            roles,
            priority,
            notes: None,
            related_patient_id: Some(other.id),
            ended: false,
        };
    let kin = vec![RoleOf::NextOfKin, RoleOf::EmergencyContact, RoleOf::Guardian];
    let of_child = link(child.id, mother, Relationship::Mother, kin, 1);
    let of_mother = link(mother.id, child, Relationship::Child, vec![], 5);
    debug_assert!(mother.body.person.gender != Gender::Male);
    let commit = add(ctx, commit, of_child);
    add(ctx, commit, of_mother)
}

fn add(ctx: &Ctx, commit: Commit, body: RelatedPerson) -> Commit {
    let new = Record::new(ctx.now(), body);
    contact(commit.create(&new), &new)
}

pub fn routes() -> Vec<Route> {
    chart::routes::<RelatedPerson>()
}
