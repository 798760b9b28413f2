//! An organisation: sign-up, approval, its administrator, staff, a patient, an appointment.

use super::{Scene, doors::claims};
use jiff::tz::TimeZone;
use local::{
    demo::{Login, Organisation, Staff, Visitor, Wanted, organisation},
    trouble,
    trouble::{Outcome, While},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const ADMINISTRATOR: &str = "ada.obi@grace.example";
const HOST: &str = "grace.example";
/// Who is at the desk, and the name of all staff.
const DESK: &str = "Ngozi";
const FAMILY: &str = "Bello";

fn wanted() -> Wanted {
    Wanted::hospital("grace", ADMINISTRATOR)
}

fn text(value: &Value) -> Outcome<String> {
    let found = value.as_str().map(String::from);
    found.ok_or_else(|| trouble!("The API answered {value} where a text was expected."))
}

/// The form, the code from the letter, the proof, the submission.
pub async fn sign_up(scene: &Scene<'_>) -> Outcome<(String, String)> {
    let signup = organisation::sign_up(&scene.door, &wanted()).await?;
    Ok((signup.clone(), format!("{signup} submitted, with the code from the letter")))
}

pub async fn approve(operator: &Visitor, signup: &str) -> Outcome<((), String)> {
    let because = json!({"reason": "Checked with the registrar."});
    let approved = operator.post(&format!("/v1/tenants/signups/{signup}/approve"), because).await?;
    Ok(((), format!("the sign-up is {}", approved["status"])))
}

/// `tenant.provisioned` from the table's stream over bus, rule and queue to the function that invites.
pub async fn letter(scene: &Scene<'_>) -> Outcome<((), String)> {
    scene.door.letter(ADMINISTRATOR, "/v1/identity/invitations/").await?;
    Ok(((), format!("stream, dispatch, bus, rule, queue, identity, SES: invitation to {ADMINISTRATOR}")))
}

/// The organisation with its administrator, signed in.
pub struct House<'a> {
    scene: &'a Scene<'a>,
    organisation: Organisation,
    admin: Visitor,
    desk: Option<(Login, Visitor)>,
    practitioner: String,
}

pub async fn administrator<'a>(scene: &'a Scene<'a>) -> Outcome<(House<'a>, String)> {
    let (login, admin) = Login::take_up(&scene.door, ADMINISTRATOR, &scene.clock).await?;
    if login.totp_secret.is_none() {
        return Err(trouble!("An administrator could sign in without being asked for a second factor."));
    }
    let (me, sites) = (admin.get("/v1/me").await?, admin.get("/v1/tenants/sites").await?);
    let site = (text(&sites["data"][0]["code"])?, text(&sites["data"][0]["id"])?);
    let organisation = Organisation {
        slug: login.slug.clone(),
        tenant: text(&me["tenant"]["id"])?,
        sites: BTreeMap::from([site]),
        ..Organisation::default()
    };
    let said = format!(
        "{} of {} signed in by the login page, as {:?}",
        login.user, organisation.tenant, login.roles
    );
    let (desk, practitioner) = (None, String::new());
    Ok((House { scene, organisation, admin, desk, practitioner }, said))
}

/// What the trigger has put on the access token.
pub async fn token(house: &House<'_>) -> Outcome<((), String)> {
    let claims = claims(&house.admin)?;
    let scopes = claims["scope"].as_str().unwrap_or_default();
    let whole = claims["token_use"] == "access"
        && house.organisation.tenant.ends_with(claims["tenant"].as_str().unwrap_or("?"))
        && claims["roles"].as_str().is_some_and(|roles| roles.contains("tenant_admin"))
        && scopes.split(' ').any(|scope| scope == "api/use");
    match whole {
        true => Ok(((), format!("tenant {}, roles {}, scope {scopes}", claims["tenant"], claims["roles"]))),
        false => Err(trouble!("The access token says {claims}")),
    }
}

/// A receptionist and a doctor with hours, invited and signed in.
pub async fn staff<'a>(mut house: House<'a>) -> Outcome<(House<'a>, String)> {
    // Clearances are given by a module that is not there yet; without them nobody could be booked.
    let off = json!({"switched": {"compliance": false}});
    house.admin.patch("/v1/tenants/self/settings/modules", off).await?;
    house.desk = Some(house.invite(DESK, "receptionist").await?);
    let (login, _) = house.invite("Tunde", "doctor").await?;
    let doctor = person("Tunde", "doctor", &house.organisation);
    house.practitioner = house.organisation.take_bookings(&house.admin, &doctor, &login, "A").await?;
    let said = format!("a receptionist and a doctor with hours ({})", house.practitioner);
    Ok((house, said))
}

fn person(given_name: &str, role: &str, organisation: &Organisation) -> Staff {
    Staff {
        given_name: given_name.into(),
        family_name: FAMILY.into(),
        roles: vec![role.into()],
        sites: organisation.sites.keys().cloned().collect(),
        books: None,
    }
}

impl House<'_> {
    pub fn tenant(&self) -> &str {
        &self.organisation.tenant
    }

    async fn invite(&self, given_name: &str, role: &str) -> Outcome<(Login, Visitor)> {
        let (door, clock) = (&self.scene.door, &self.scene.clock);
        let staff = person(given_name, role, &self.organisation);
        let mut login = self.organisation.invite(door, &self.admin, &staff, HOST, clock).await?;
        let person = login.enter(door, clock).await?;
        Ok((login, person))
    }

    pub fn admin(&self) -> &Visitor {
        &self.admin
    }
    /// Somebody at the API without a token.
    pub fn door(&self) -> &Visitor {
        &self.scene.door
    }

    pub fn desk(&self) -> Outcome<&Visitor> {
        self.at_the_desk().map(|(_, person)| person)
    }
    pub fn desk_login(&self) -> Outcome<&Login> {
        self.at_the_desk().map(|(login, _)| login)
    }
    pub fn desk_address(&self) -> String {
        format!("{DESK}.{FAMILY}@{HOST}").to_lowercase()
    }
    fn at_the_desk(&self) -> Outcome<&(Login, Visitor)> {
        self.desk.as_ref().ok_or_else(|| trouble!("There is nobody at the desk."))
    }
    /// With the rights of now.
    pub async fn signs_in_again(&mut self) -> Outcome<()> {
        let mut login = self.desk_login()?.clone();
        let person = login.enter(&self.scene.door, &self.scene.clock).await?;
        self.desk = Some((login, person));
        Ok(())
    }
}

/// Registered, found by telephone and shown: sealed in the table, open to who may see it.
pub async fn patient(house: &House<'_>) -> Outcome<(String, String)> {
    let desk = house.desk()?;
    let form = json!({
        "given_names": "Chidinma", "family_name": "Okonkwo", "birth_date": "1988-04-17", "gender": "female",
        "phones": [{"number": "0803 123 4567", "use": "mobile", "primary": true, "owner": "self"}],
    });
    let made = desk.post("/v1/patients", form).await?;
    let id = text(&made["id"])?;
    let found = desk.get("/v1/patients?q=08031234567").await?;
    if found["data"][0]["id"] != id.as_str() {
        return Err(trouble!("Looked for by telephone, {id} was not found: {found}"));
    }
    let shown = desk.get(&format!("/v1/patients/{id}")).await?;
    match shown["family_name"] == "Okonkwo" {
        true => Ok((id.clone(), format!("{} is {id}, found and shown", text(&made["number"])?))),
        false => Err(trouble!("{id} was shown as {shown}")),
    }
}

pub async fn appointment(house: &House<'_>, patient: &str) -> Outcome<((), String)> {
    let (desk, doctor) = (house.desk()?, &house.practitioner);
    let site = house.organisation.sites.values().next().cloned().unwrap_or_default();
    let lagos = TimeZone::get("Africa/Lagos").whilst("find the time of Lagos")?;
    let day = house.scene.clock.today(&lagos).tomorrow().whilst("find tomorrow")?;
    let slots =
        desk.get(&format!("/v1/scheduling/slots?practitioner={doctor}&site={site}&from={day}")).await?;
    let start = text(&slots["data"][0]["start"])?;
    let booking = json!({
        "patient_id": patient, "practitioner_id": doctor, "site": site, "start": start, "minutes": 15,
        "type": "routine", "reason": "headache",
    });
    let made = desk.post("/v1/scheduling/appointments", booking).await?;
    Ok(((), format!("{} at {start}, {}", text(&made["id"])?, made["status"])))
}
