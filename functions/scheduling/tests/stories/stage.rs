//! A hospital in Lagos on a Monday morning: a desk, a doctor who can be booked, and patients as the patients
//! module would have published them.

use jiff::{SignedDuration, Timestamp};
use kernel::{Id, PatientId, UserId};
use seal::Sealed;
use serde::Serialize;
use serde_json::{Value, json};
use store::facts;
use testkit::{Actor, Tenant, World};

/// Monday, 23 November 2026, 07:00 in Lagos.
pub const MORNING: &str = "2026-11-23T06:00:00Z";

pub struct Stage {
    pub world: World,
    pub grace: Tenant,
    pub admin: Actor,
    pub desk: Actor,
    pub nurse: Actor,
    pub doctor: Actor,
    /// The doctor's profile.
    pub prc: String,
    pub site: String,
}

impl Stage {
    pub async fn set() -> Self {
        Self::on(World::with(vec![scheduling::module()]).await).await
    }
    pub async fn contended() -> Self {
        Self::on(World::contended(vec![scheduling::module()]).await).await
    }

    async fn on(world: World) -> Self {
        world.clock.set(MORNING.parse().unwrap());
        let grace = world.hospital("grace").await;
        let (admin, desk, nurse, doctor) = (
            grace.staff("tenant_admin"),
            grace.staff("receptionist"),
            grace.staff("nurse"),
            grace.staff("doctor"),
        );
        let site = grace.sites[0].to_string();
        let mut stage = Self { world, grace, admin, desk, nurse, doctor, prc: String::new(), site };
        stage.prc = stage.practitioner(&stage.doctor.user(), json!({})).await;
        stage
    }

    /// A profile for a user at the main site; `more` overrides fields.
    pub async fn practitioner(&self, user: &str, more: Value) -> String {
        let mut body = json!({
            "user_id": user, "display_name": "Dr Adaeze Obi", "specialties": ["general_practice"],
            "sites": [self.site], "default_slot_minutes": 15,
        });
        merge(&mut body, more);
        id(&self.admin.post("/v1/scheduling/practitioners", body).await.created())
    }

    /// Mondays to Fridays 09:00–12:00, with a break at half past ten; `more` overrides fields.
    pub async fn mornings(&self, prc: &str, more: Value) -> String {
        let mut body = json!({
            "practitioner_id": prc, "site": self.site, "valid_from": "2026-11-01",
            "weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "start": "09:00", "end": "12:00", "breaks": [{"start": "10:30", "end": "10:45"}],
        });
        merge(&mut body, more);
        id(&self.admin.post("/v1/scheduling/availabilities", body).await.created())
    }

    /// A live patient, as `fact#patient` tells it.
    pub async fn patient(&self) -> String {
        self.patient_like(json!({"live": true, "status": "registered"})).await
    }
    pub async fn patient_like(&self, fact: Value) -> String {
        let id = PatientId::at(self.world.clock.now());
        self.change_patient(&id.to_string(), fact).await;
        id.to_string()
    }
    pub async fn change_patient(&self, id: &str, fact: Value) {
        self.grace.store().await.commit().fact(facts::PATIENT, id, &fact).run().await.unwrap();
    }
    /// With the sealed birth date, which is what priority by age needs.
    pub async fn patient_born(&self, date: &str) -> String {
        #[derive(Serialize)]
        struct Fact {
            live: bool,
            status: &'static str,
            birth_date: Sealed<String>,
        }
        let id = PatientId::at(self.world.clock.now());
        let fact = Fact { live: true, status: "registered", birth_date: Sealed(date.into()) };
        self.grace.store().await.commit().fact(facts::PATIENT, id, &fact).run().await.unwrap();
        id.to_string()
    }
    pub async fn patients(&self, count: usize) -> Vec<String> {
        let mut all = vec![];
        for _ in 0..count {
            all.push(self.patient().await);
        }
        all
    }
    pub fn someone(&self) -> String {
        UserId::at(self.world.clock.now()).to_string()
    }

    pub fn booking(&self, patient: &str, start: &str) -> Value {
        json!({
            "patient_id": patient, "practitioner_id": self.prc, "site": self.site, "start": start, "type": "routine",
        })
    }
    pub async fn books(&self, patient: &str, start: &str) -> Value {
        self.desk.post("/v1/scheduling/appointments", self.booking(patient, start)).await.created()
    }
    pub fn arrival(&self, patient: &str) -> Value {
        json!({"patient_id": patient, "practitioner_id": self.prc, "site": self.site, "visit_type": "routine"})
    }
    pub async fn checks_in(&self, patient: &str) -> Value {
        self.desk.post("/v1/scheduling/patient_visits", self.arrival(patient)).await.created()
    }
    pub async fn arrives(&self, patient: &str, appointment: &Value) -> Value {
        let mut body = self.arrival(patient);
        body["appointment_id"] = appointment["id"].clone();
        self.desk.post("/v1/scheduling/patient_visits", body).await.created()
    }
    pub async fn calls_next(&self, queue: &Value) -> Value {
        let path = format!("/v1/scheduling/queues/{}/call_next", queue.as_str().unwrap());
        self.doctor.post(&path, json!({})).await.ok()
    }
    /// Free slots of the doctor on a local day, as local times.
    pub async fn free(&self, day: &str) -> Vec<String> {
        let path = format!("/v1/scheduling/slots?practitioner={}&site={}&from={day}", self.prc, self.site);
        times(&self.desk.get(&path).await.ok()["data"])
    }
    /// A command on a record, by somebody.
    pub async fn gives(
        &self,
        who: &Actor,
        what: &str,
        of: &Value,
        command: &str,
        body: Value,
    ) -> testkit::Reply {
        let id = of["id"].as_str().unwrap_or_else(|| of.as_str().unwrap_or_default());
        who.post(&format!("/v1/scheduling/{what}/{id}/{command}"), body).await
    }
    pub async fn shows(&self, what: &str, of: &Value) -> Value {
        let id = of["id"].as_str().unwrap_or_else(|| of.as_str().unwrap_or_default());
        self.admin.get(&format!("/v1/scheduling/{what}/{id}")).await.ok()
    }
    pub fn at(&self, time: &str) {
        self.world.clock.set(time.parse().unwrap());
    }
    pub fn later(&self, minutes: i64) {
        self.world.clock.advance(SignedDuration::from_mins(minutes));
    }
    /// Names of the events written so far about one record.
    pub async fn events_of(&self, record: &Value) -> Vec<String> {
        let id = record["id"].as_str().unwrap();
        self.world.events().await.into_iter().filter(|e| e.record == id).map(|e| e.kind).collect()
    }
    /// An event of another module, handed over as its queue would.
    pub async fn hears(&self, kind: &str, record: &str, data: Value) {
        let event = events::Envelope {
            id: format!("x#{record}#{}#{}", kind, self.world.clock.now()),
            tenant: self.grace.id.prefix(),
            kind: kind.into(),
            at: store::stamp(self.world.clock.now()),
            by: self.doctor.user(),
            record: record.into(),
            version: 1,
            cause: vec![],
            data,
        };
        self.world.hand_over(&event).await;
    }
}

pub fn id(record: &Value) -> String {
    record["id"].as_str().expect("an id").to_string()
}

/// Local times in Lagos of what has a `start`.
pub fn times(slots: &Value) -> Vec<String> {
    let zone = jiff::tz::TimeZone::get("Africa/Lagos").unwrap();
    let start = |s: &Value| s["start"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let all = slots.as_array().expect("slots").iter();
    all.map(|s| start(s).to_zoned(zone.clone()).strftime("%H:%M").to_string()).collect()
}

fn merge(into: &mut Value, more: Value) {
    for (name, value) in more.as_object().expect("an object") {
        match value.is_null() {
            true => into.as_object_mut().unwrap().remove(name),
            false => into.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
}
