//! A hospital whose desk works through a day, and people who come to it.

use serde_json::{Value, json};
use testkit::{Actor, Chance, Reply, Tenant, World};
use tokio::runtime::Handle;

/// Monday, 23 November 2026, 07:00 in Lagos.
const MORNING: &str = "2026-11-23T06:00:00Z";

pub struct Hospital {
    pub world: World,
    pub grace: Tenant,
    pub site: String,
}

/// A place at the desk: somebody who registers and books, with a doctor whose diary is theirs alone.
pub struct Desk {
    pub who: Actor,
    practitioner: String,
    site: String,
    chance: Chance,
    /// Slots given away so far.
    booked: usize,
}

impl Hospital {
    pub async fn open(table: &Handle) -> Self {
        let modules = vec![patients::module(), scheduling::module()];
        let world = World::measured(modules, table).await;
        world.quiet();
        world.clock.set(MORNING.parse().expect("a time"));
        let grace = world.hospital("grace").await;
        let site = grace.sites[0].to_string();
        Self { world, grace, site }
    }

    pub async fn desk(&self, seed: u64) -> Desk {
        let admin = self.grace.staff("tenant_admin");
        let doctor = self.grace.staff("doctor");
        let body = json!({
            "user_id": doctor.user(), "display_name": "Dr Adaeze Obi", "specialties": ["general_practice"],
            "sites": [self.site], "default_slot_minutes": 15,
        });
        let made = admin.post("/v1/scheduling/practitioners", body).await.created();
        let practitioner = made["id"].as_str().expect("an id").to_string();
        let hours = json!({
            "practitioner_id": practitioner, "site": self.site, "valid_from": "2026-11-01",
            "weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
            "start": "06:00", "end": "22:00",
        });
        admin.post("/v1/scheduling/availabilities", hours).await.created();
        let who = self.grace.staff("receptionist");
        Desk { who, practitioner, site: self.site.clone(), chance: Chance::seeded(seed), booked: 0 }
    }
}

/// Parts of names: enough of them that two people are rarely the same.
const SYLLABLES: [&str; 32] = [
    "a", "ba", "chi", "da", "e", "fo", "gbe", "ha", "i", "jo", "ka", "lu", "ma", "ne", "nwa", "o", "pe",
    "que", "ra", "si", "ta", "u", "va", "we", "xi", "ya", "zu", "mbe", "oke", "ola", "ade", "ife",
];

impl Desk {
    fn name(&mut self, syllables: usize) -> String {
        let mut one = || SYLLABLES[self.chance.below(SYLLABLES.len() as u64) as usize];
        let mut name: String = (0..syllables).map(|_| one()).collect();
        name[..1].make_ascii_uppercase();
        name
    }

    /// Somebody who was never here.
    pub fn person(&mut self) -> Value {
        let (given, family) = (self.name(4), self.name(6));
        let mut number = |from: u64, to: u64| from + self.chance.below(to - from + 1);
        let born = format!("{}-{:02}-{:02}", number(1930, 2019), number(1, 12), number(1, 28));
        let phone = format!("080{}", number(20_000_000, 99_999_999));
        json!({
            "given_names": given, "family_name": family, "birth_date": born, "gender": "female",
            "phones": [{"number": phone}],
        })
    }

    pub async fn registers(&mut self) -> (Reply, Value) {
        let person = self.person();
        (self.who.post("/v1/patients", person.clone()).await, person)
    }
    pub async fn searches(&self, person: &Value) -> Reply {
        let word = |name: &str| person[name].as_str().unwrap_or_default().to_lowercase();
        self.who.get(&format!("/v1/patients?q={}%20{}", word("family_name"), word("given_names"))).await
    }
    pub async fn shows(&self, patient: &str) -> Reply {
        self.who.get(&format!("/v1/patients/{patient}")).await
    }
    pub async fn lists(&self) -> Reply {
        self.who.get("/v1/patients?limit=25").await
    }
    pub async fn updates(&self, patient: &str) -> Reply {
        self.who.patch(&format!("/v1/patients/{patient}"), json!({"preferred_name": "Ada"})).await
    }
    /// The next free quarter of an hour of one's own doctor, from tomorrow on.
    pub async fn books(&mut self, patient: &str) -> Reply {
        let (day, slot) = (1 + self.booked / 64, self.booked % 64);
        self.booked += 1;
        let start = jiff::civil::date(2026, 11, 23).at(5, 0, 0, 0);
        let minutes = (day * 24 * 60 + slot * 15) as i64;
        let start = start.checked_add(jiff::SignedDuration::from_mins(minutes)).expect("a time");
        let body = json!({
            "patient_id": patient, "practitioner_id": self.practitioner, "site": self.site,
            "start": format!("{start}Z"), "type": "routine",
        });
        self.who.post("/v1/scheduling/appointments", body).await
    }
    pub async fn checks_in(&self, patient: &str) -> Reply {
        let body = json!({
            "patient_id": patient, "practitioner_id": self.practitioner, "site": self.site, "visit_type": "routine",
        });
        self.who.post("/v1/scheduling/patient_visits", body).await
    }
}
