//! An organisation from its sign-up to staff who can work, every step by the API as its own people take it.

use super::{Visitor, login::Login};
use crate::{
    trouble,
    trouble::{Outcome, While},
};
use kernel::Clock;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What is to be opened.
#[derive(Clone, Debug, Deserialize)]
pub struct Wanted {
    /// A plan's code.
    pub plan: String,
    /// The form, as `POST /v1/tenants/signups` takes it; the plan's id is added.
    pub signup: Value,
    /// Sections of the organisation's settings, as its administrator changes them.
    #[serde(default)]
    pub settings: BTreeMap<String, Value>,
    pub sites: Vec<Value>,
    pub staff: Vec<Staff>,
    /// A partner's machine gets a key.
    #[serde(default)]
    pub partner: bool,
}

impl Wanted {
    /// A hospital in Lagos with nothing in it yet: for rehearsals and tests.
    pub fn hospital(slug: &str, admin_email: &str) -> Self {
        let n = slug.bytes().map(u32::from).sum::<u32>() % 10_000;
        Self {
            plan: "Professional".into(),
            signup: json!({
                "organisation_name": format!("{slug} hospital"), "edition": "hospital", "country": "NG",
                "region": "af-south-1", "transfer_basis": "contract_clauses", "address": "14 Marina Road",
                "city": "Lagos", "state": "LA", "phone": "+234 803 555 0100",
                "email": format!("office@{slug}.example"), "registration_number": format!("HEFAMAA-{n:05}"),
                "slug": slug, "billing_period": "month", "admin_given_name": "Ada", "admin_family_name": "Obi",
                "admin_email": admin_email, "admin_phone": "+234 803 555 0101",
                "accepted_terms": {"version": "2026-11"},
            }),
            settings: BTreeMap::new(),
            sites: vec![],
            staff: vec![],
            partner: false,
        }
    }
    /// With a partner's machine, and without clearances: the vetting module gives those, which is not there yet.
    pub fn with_partner(mut self) -> Self {
        self.settings.insert("modules".into(), json!({"switched": {"compliance": false}}));
        Self { partner: true, ..self }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct Staff {
    pub given_name: String,
    pub family_name: String,
    pub roles: Vec<String>,
    /// Codes of sites, or `*`.
    pub sites: Vec<String>,
    /// For those whom patients can book: the letter before their tokens.
    #[serde(default)]
    pub books: Option<String>,
}

/// What has been opened. Stands in `demo.json` as it is here.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Organisation {
    pub name: String,
    pub slug: String,
    pub edition: String,
    /// `ten_…`
    pub tenant: String,
    /// Ids by code.
    pub sites: BTreeMap<String, String>,
    /// Practitioners' ids by the login name.
    pub practitioners: BTreeMap<String, String>,
    pub users: Vec<Login>,
}

fn text(value: &Value) -> Outcome<String> {
    value
        .as_str()
        .map(String::from)
        .ok_or_else(|| trouble!("The API answered {value} where a text was expected."))
}

/// Signs up, proves the address, submits: the sign-up's id.
pub async fn sign_up(door: &Visitor, wanted: &Wanted) -> Outcome<String> {
    let plans = door.get("/v1/tenants/plans").await?;
    let mut plans = plans["data"].as_array().into_iter().flatten();
    let plan = plans.find(|plan| plan["code"] == wanted.plan.as_str());
    let plan = plan.ok_or_else(|| trouble!("There is no plan {}.", wanted.plan))?;
    let mut form = wanted.signup.clone();
    form["plan"] = plan["id"].clone();
    let begun = door.post("/v1/tenants/signups", form).await?;
    let one = format!("/v1/tenants/signups/{}", text(&begun["id"])?);
    let letter =
        door.letter(wanted.signup["admin_email"].as_str().unwrap_or_default(), "Your code is ").await?;
    let (_, rest) = letter.split_once("Your code is ").ok_or_else(|| trouble!("The letter has no code."))?;
    let code: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let token = &begun["token"];
    door.post(&format!("{one}/verify-email"), json!({"code": code, "token": token})).await?;
    door.post(&format!("{one}/submit"), json!({ "token": token })).await?;
    text(&begun["id"])
}

/// Signed up, approved by `operator`, its administrator signed in.
pub async fn open(
    door: &Visitor,
    operator: &Visitor,
    wanted: &Wanted,
    clock: &Clock,
) -> Outcome<(Organisation, Visitor)> {
    let signup = sign_up(door, wanted).await?;
    let because = json!({"reason": "Checked with the registrar."});
    operator.post(&format!("/v1/tenants/signups/{signup}/approve"), because).await?;
    let (mut login, admin) = Login::take_up(door, &text(&wanted.signup["admin_email"])?, clock).await?;
    login.name = format!(
        "{} {}",
        text(&wanted.signup["admin_given_name"])?,
        text(&wanted.signup["admin_family_name"])?
    );
    let me = admin.get("/v1/me").await?;
    let sites = admin.get("/v1/tenants/sites").await?;
    let (code, main) = (text(&sites["data"][0]["code"])?, text(&sites["data"][0]["id"])?);
    let organisation = Organisation {
        name: text(&wanted.signup["organisation_name"])?,
        slug: login.slug.clone(),
        edition: text(&wanted.signup["edition"])?,
        tenant: text(&me["tenant"]["id"])?,
        sites: BTreeMap::from([(code, main)]),
        practitioners: BTreeMap::new(),
        users: vec![login],
    };
    for (section, change) in &wanted.settings {
        admin.patch(&format!("/v1/tenants/self/settings/{section}"), change.clone()).await?;
    }
    Ok((organisation, admin))
}

impl Organisation {
    /// Opens the further sites and invites everybody, who then sign in for the first time.
    pub async fn furnish(
        &mut self,
        door: &Visitor,
        admin: &Visitor,
        wanted: &Wanted,
        clock: &Clock,
    ) -> Outcome<()> {
        for site in &wanted.sites {
            let made = admin.post("/v1/tenants/sites", site.clone()).await?;
            self.sites.insert(text(&site["code"])?, text(&made["id"])?);
        }
        let host = text(&wanted.signup["email"])?;
        let host = host.rsplit('@').next().unwrap_or_default().to_string();
        for staff in &wanted.staff {
            let login = self.invite(door, admin, staff, &host, clock).await?;
            if let Some(letter) = &staff.books {
                let id = self.take_bookings(admin, staff, &login, letter).await?;
                self.practitioners.insert(login.login_name.clone(), id);
            }
            self.users.push(login);
        }
        Ok(())
    }

    /// Invites somebody to `given.family@host` and lets them take it up.
    pub async fn invite(
        &self,
        door: &Visitor,
        admin: &Visitor,
        staff: &Staff,
        host: &str,
        clock: &Clock,
    ) -> Outcome<Login> {
        let email = format!("{}.{}@{host}", staff.given_name, staff.family_name).to_lowercase();
        let invited = json!({
            "given_name": staff.given_name, "family_name": staff.family_name, "email": email,
            "roles": staff.roles, "sites": self.ids(&staff.sites)?,
        });
        admin.post("/v1/identity/users", invited).await?;
        let (mut login, _) = Login::take_up(door, &email, clock).await?;
        login.name = format!("{} {}", staff.given_name, staff.family_name);
        Ok(login)
    }

    fn ids(&self, codes: &[String]) -> Outcome<Vec<String>> {
        let id = |code: &String| match code.as_str() {
            "*" => Ok("*".to_string()),
            code => self.sites.get(code).cloned().ok_or_else(|| trouble!("There is no site {code}.")),
        };
        codes.iter().map(id).collect()
    }

    /// Somebody whom patients can book at every hour of every day, in slots of 15 minutes, so that a visitor always
    /// finds free ones: the practitioner's id.
    pub async fn take_bookings(
        &self,
        admin: &Visitor,
        staff: &Staff,
        login: &Login,
        letter: &str,
    ) -> Outcome<String> {
        let sites = self.ids(&staff.sites)?;
        let practitioner = json!({
            "user_id": login.user, "display_name": format!("Dr {}", login.name), "sites": sites,
            "specialties": ["general_practice"], "queue_prefix": letter, "default_slot_minutes": 15,
        });
        let made = admin.post("/v1/scheduling/practitioners", practitioner).await?;
        let id = text(&made["id"])?;
        let from = today(admin)?;
        let weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        for site in sites {
            let rule = json!({
                "practitioner_id": id, "site": site, "valid_from": from, "weekdays": weekdays,
                "start": "00:00:00", "end": "23:45:00", "slot_minutes": 15,
            });
            admin.post("/v1/scheduling/availabilities", rule).await?;
        }
        Ok(id)
    }
}

/// The date of the administrator's token, in UTC: not after today anywhere in the organisation's zone.
pub(super) fn today(admin: &Visitor) -> Outcome<String> {
    let issued =
        crate::hosted::claims(admin.token()).and_then(|claims| claims["iat"].as_i64()).unwrap_or_default();
    let at = jiff::Timestamp::from_second(issued).whilst("read the token's time")?;
    Ok(at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
}
