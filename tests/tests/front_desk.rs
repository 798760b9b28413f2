//! A hospital's front desk by HTTP alone: the local platform as `cargo run` starts it, and people with tokens from
//! its login.

use futures::future::join_all;
use journeys::platform::World;
use local::demo::{Login, Organisation, Staff, Visitor, Wanted, login::now, visitor::Answered};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

async fn hospital<'a>(world: &'a World, slug: &str) -> House<'a> {
    let host = format!("{slug}.example");
    let (organisation, admin) =
        world.open(&Wanted::hospital(slug, &format!("ada@{host}")).with_partner()).await;
    House { world, organisation, admin, host }
}

/// An organisation and its administrator.
struct House<'a> {
    world: &'a World,
    organisation: Organisation,
    admin: Visitor,
    host: String,
}

impl House<'_> {
    fn site(&self) -> &str {
        self.organisation.sites.values().next().unwrap()
    }

    /// Invited, with a password and, in a hospital, a second factor; signed in.
    async fn staff(&self, given_name: &str, role: &str) -> (Login, Visitor) {
        let clock = &self.world.platform.around.clock;
        let staff = self.named(given_name, role);
        let login =
            self.organisation.invite(&self.world.door, &self.admin, &staff, &self.host, clock).await.unwrap();
        let person = self.world.door.sign_in(&login, now(clock)).await.unwrap();
        (login, person)
    }

    fn named(&self, given_name: &str, role: &str) -> Staff {
        Staff {
            given_name: given_name.into(),
            family_name: "Bello".into(),
            roles: vec![role.into()],
            sites: self.organisation.sites.keys().cloned().collect(),
            books: None,
        }
    }

    /// A doctor who can be booked: the signed-in person and the practitioner's id.
    async fn doctor(&self, given_name: &str) -> (Visitor, String) {
        let (login, person) = self.staff(given_name, "doctor").await;
        let staff = self.named(given_name, "doctor");
        let id = self.organisation.take_bookings(&self.admin, &staff, &login, "A").await.unwrap();
        (person, id)
    }

    async fn free_slot(&self, desk: &Visitor, doctor: &str, days_ahead: i64) -> String {
        let zone = jiff::tz::TimeZone::get("Africa/Lagos").unwrap();
        let day = self.world.platform.around.clock.now() + jiff::SignedDuration::from_hours(24 * days_ahead);
        let day = day.to_zoned(zone).date();
        let path = format!("/v1/scheduling/slots?practitioner={doctor}&site={}&from={day}", self.site());
        let slots = desk.get(&path).await.unwrap();
        slots["data"][0]["start"].as_str().unwrap_or_else(|| panic!("a free slot on {day}: {slots}")).into()
    }

    fn booking(&self, patient: &str, doctor: &str, start: &str) -> Value {
        json!({
            "patient_id": patient, "practitioner_id": doctor, "site": self.site(), "start": start,
            "minutes": 15, "type": "routine", "reason": "headache",
        })
    }

    fn check_in(&self, patient: &str, doctor: &str) -> Value {
        json!({
            "patient_id": patient, "practitioner_id": doctor, "site": self.site(), "visit_type": "routine",
            "purpose": "headache",
        })
    }
}

fn person(given: &str, family: &str, phone: &str) -> Value {
    json!({
        "given_names": given, "family_name": family, "birth_date": "1988-04-17", "gender": "female",
        "phones": [{"number": phone, "use": "mobile", "primary": true, "owner": "self"}],
    })
}

/// 64 people who are nobody's double: every name, date and telephone of their own.
fn crowd() -> Vec<Value> {
    let sounds = ["Ba", "Chi", "Du", "Fe", "Go", "Ka", "Lo", "Mi"];
    let pick = |n: usize| sounds[n % 8];
    let one = |n: usize| {
        let mut person = person(
            &format!("{}{}ra", pick(n / 8), pick(n).to_lowercase()),
            &format!("{}{}du", pick(n), pick(n / 8).to_lowercase()),
            &format!("+23480355{:05}", 10_000 + n * 37),
        );
        person["birth_date"] = json!(format!("{}-{:02}-{:02}", 1940 + n, 1 + n % 12, 1 + (n * 7) % 28));
        person
    };
    (0..64).map(one).collect()
}

/// The same problem, whoever asked and when.
fn anonymous(answer: &Answered) -> Value {
    let mut body = answer.body.clone();
    for volatile in ["instance", "request_id"] {
        body.as_object_mut().unwrap().remove(volatile);
    }
    body
}

async fn post(who: &Visitor, path: &str, body: &Value) -> Answered {
    who.send(Method::POST, path, &[], Some(body)).await.unwrap()
}

async fn look(who: &Visitor, path: &str) -> Answered {
    who.send(Method::GET, path, &[], None).await.unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}")).into()
}

/// The day: sign-up, approval, invitation, first password and second factor, registration, booking,
/// check-in, tokens, call, end; then a stranger's look, and suspension.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_at_the_front_desk() {
    let world = World::start(None).await;
    let grace = hospital(&world, "grace").await;
    let me = grace.admin.get("/v1/me").await.unwrap();
    assert_eq!(me["roles"], json!(["tenant_admin"]));
    assert!(grace.organisation.users[0].totp_secret.is_some(), "an administrator has a second factor");

    let (login, desk) = grace.staff("Ngozi", "receptionist").await;
    without_its_second_factor_a_login_gives_no_token(&world, &login).await;
    let (doctor, practitioner) = grace.doctor("Tunde").await;
    let patients = three_patients_of_whom_one_was_spelt_twice(&desk).await;
    the_queue_goes_from_token_to_token(&grace, &desk, &doctor, &practitioner, &patients).await;

    let harmony = hospital(&world, "harmony").await;
    another_organisation_learns_nothing(&harmony.admin, &patients[0]).await;
    a_suspension_bites_within_a_minute(&world, &grace, &login, &desk).await;
    harmony.admin.get("/v1/tenants/sites").await.unwrap();
    world.stop().await;
}

async fn without_its_second_factor_a_login_gives_no_token(world: &World, login: &Login) {
    let asked = |totp: Option<&str>| {
        let mut asked =
            json!({"slug": login.slug, "login_name": login.login_name, "password": login.password});
        if let Some(totp) = totp {
            asked["totp"] = json!(totp);
        }
        asked
    };
    let bare = post(&world.door, "/local/login", &asked(None)).await;
    assert_eq!((bare.status, bare.problem()), (401, "totp-required"));
    let wrong = post(&world.door, "/local/login", &asked(Some("000000"))).await;
    assert_eq!((wrong.status, wrong.problem()), (401, "wrong-code"));
    assert_eq!(look(&world.door, "/v1/patients").await.status, 401);
}

async fn three_patients_of_whom_one_was_spelt_twice(desk: &Visitor) -> Vec<String> {
    let mut ids = vec![];
    for (n, (given, family, phone)) in [
        ("Chidinma", "Okonkwo", "0803 123 4567"),
        ("Fatima", "Bello", "0805 222 1111"),
        ("Yetunde", "Adebayo", "0806 333 2222"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = person(given, family, phone);
        body["birth_date"] = json!(format!("19{}-0{}-1{n}", 60 + n * 11, n + 2));
        let made = desk.post("/v1/patients", body).await.unwrap();
        assert!(text(&made["number"]).ends_with(&format!("-0000{}", n + 1)), "{}", made["number"]);
        ids.push(text(&made["id"]));
    }
    let mut again = person("Chidinma", "Okonkwor", "+234 803 123 4567");
    again["birth_date"] = json!("1960-02-10");
    let matches = desk.post("/v1/patients/matches", again.clone()).await.unwrap();
    assert_eq!(matches["candidates"][0]["id"], json!(ids[0]), "{matches}");
    let refused = post(desk, "/v1/patients", &again).await;
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert!(refused.problem().ends_with("duplicate") || refused.problem() == "duplicate-patient");
    assert!(refused.body.to_string().contains(&ids[0]));
    let found = desk.get("/v1/patients?q=08031234567").await.unwrap();
    assert_eq!(found["data"][0]["id"], json!(ids[0]));
    ids
}

async fn the_queue_goes_from_token_to_token(
    grace: &House<'_>,
    desk: &Visitor,
    doctor: &Visitor,
    practitioner: &str,
    patients: &[String],
) {
    let start = grace.free_slot(desk, practitioner, 0).await;
    let booked = grace.booking(&patients[0], practitioner, &start);
    let appointment = desk.post("/v1/scheduling/appointments", booked).await.unwrap();
    assert_eq!(appointment["status"], "scheduled");
    let taken =
        post(desk, "/v1/scheduling/appointments", &grace.booking(&patients[1], practitioner, &start)).await;
    assert_eq!((taken.status, taken.problem()), (409, "slot-taken"));

    let mut queue = String::new();
    for (n, patient) in patients.iter().enumerate() {
        let mut arrival = grace.check_in(patient, practitioner);
        if n == 0 {
            arrival["appointment_id"] = appointment["id"].clone();
        }
        let visit = desk.post("/v1/scheduling/patient_visits", arrival).await.unwrap();
        assert_eq!(visit["token"], json!(n + 1), "{visit}");
        queue = text(&visit["queue_id"]);
    }
    let twice =
        post(desk, "/v1/scheduling/patient_visits", &grace.check_in(&patients[1], practitioner)).await;
    assert_eq!((twice.status, twice.problem()), (409, "already-checked-in"));

    let next = format!("/v1/scheduling/queues/{queue}/call_next");
    let mut called = BTreeSet::new();
    for _ in patients {
        let visit = doctor.post(&next, json!({"room": "2"})).await.unwrap();
        assert_eq!(visit["status"], "called");
        called.insert(visit["token"].as_u64().unwrap());
        let one = format!("/v1/scheduling/patient_visits/{}", text(&visit["id"]));
        doctor.post(&format!("{one}/start"), json!({})).await.unwrap();
        let done = doctor.post(&format!("{one}/complete"), json!({})).await.unwrap();
        assert_eq!(done["status"], "completed");
    }
    assert_eq!(called, BTreeSet::from([1, 2, 3]));
    assert_eq!(doctor.post(&next, json!({"room": "2"})).await.unwrap(), Value::Null, "nobody waits any more");
}

async fn another_organisation_learns_nothing(stranger: &Visitor, patient: &str) {
    let nobody = format!("pat_{}", kernel::Ulid::new());
    for rest in ["", "/history"] {
        let theirs = look(stranger, &format!("/v1/patients/{patient}{rest}")).await;
        let none = look(stranger, &format!("/v1/patients/{nobody}{rest}")).await;
        assert_eq!(theirs.status, 404);
        assert_eq!(anonymous(&theirs), anonymous(&none));
    }
}

async fn a_suspension_bites_within_a_minute(world: &World, house: &House<'_>, login: &Login, desk: &Visitor) {
    desk.get("/v1/patients?q=okonkwo").await.unwrap();
    let suspend =
        json!({"reason_code": "security", "reason": "Reported by its own administrator.", "notify": false});
    let path = format!("/v1/tenants/{}/suspend", house.organisation.tenant);
    world.operator.post(&path, suspend).await.unwrap();
    let began = Instant::now();
    loop {
        let answer = look(desk, "/v1/patients?q=okonkwo").await;
        if answer.status == 423 {
            assert_eq!(answer.problem(), "tenant-suspended");
            break;
        }
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(began.elapsed() < Duration::from_secs(60), "still open after a minute");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let refused = world.door.sign_in(login, now(&world.platform.around.clock)).await;
    assert!(refused.err().unwrap().0.contains("403"), "a suspended organisation's people cannot sign in");
}

/// Few people at the desk, 64 requests at once, against a table that contends as the real one does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_at_once_get_a_number_a_slot_and_a_token_each_or_a_clear_no() {
    let world = World::start(Some(Box::new(|table| Box::pin(testkit::contention::in_front_of(table))))).await;
    let grace = hospital(&world, "grace").await;
    let desks = [
        grace.staff("Ngozi", "receptionist").await.1,
        grace.staff("Sade", "receptionist").await.1,
        grace.staff("Kemi", "receptionist").await.1,
        grace.staff("Bisi", "receptionist").await.1,
    ];
    let (doctor, practitioner) = grace.doctor("Tunde").await;
    let desk = |n: usize| &desks[n % desks.len()];

    let people = crowd();
    let answers = join_all(people.iter().enumerate().map(|(n, p)| post(desk(n), "/v1/patients", p))).await;
    let numbers: BTreeSet<String> = answers.iter().map(|a| text(&made(a)["number"])).collect();
    assert_eq!(numbers.len(), 64, "no patient number twice");
    let patients: Vec<String> = answers.iter().map(|a| text(&a.body["id"])).collect();

    let same = person("Amaka", "Igwe", "0809 999 8888");
    let answers = join_all((0..64).map(|n| post(desk(n), "/v1/patients", &same))).await;
    assert_eq!(statuses(&answers), (1, 63), "one person is registered once: {:?}", others(&answers));

    let start = grace.free_slot(desk(0), &practitioner, 1).await;
    let bookings: Vec<Value> = patients.iter().map(|p| grace.booking(p, &practitioner, &start)).collect();
    let path = "/v1/scheduling/appointments";
    let answers = join_all(bookings.iter().enumerate().map(|(n, b)| post(desk(n), path, b))).await;
    assert_eq!(statuses(&answers), (1, 63), "a slot is sold once: {:?}", others(&answers));
    assert!(answers.iter().filter(|a| a.status == 409).all(|a| a.problem() == "slot-taken"));

    let arrivals: Vec<Value> = patients.iter().map(|p| grace.check_in(p, &practitioner)).collect();
    let path = "/v1/scheduling/patient_visits";
    let answers = join_all(arrivals.iter().enumerate().map(|(n, a)| post(desk(n), path, a))).await;
    let tokens: BTreeSet<u64> = answers.iter().map(|a| made(a)["token"].as_u64().unwrap()).collect();
    assert_eq!(tokens, (1..=64).collect(), "no token twice, and no gap");

    let next = format!("/v1/scheduling/queues/{}/call_next", text(&answers[0].body["queue_id"]));
    let room = json!({"room": "1"});
    let called = join_all((0..16).map(|_| post(&doctor, &next, &room))).await;
    let visits: BTreeSet<String> = called.iter().map(|a| text(&a.body["id"])).collect();
    assert_eq!(visits.len(), 16, "nobody is called by two rooms");
    world.stop().await;
}

fn made(answer: &Answered) -> &Value {
    assert_eq!(answer.status, 201, "{}", answer.body);
    &answer.body
}

/// How many were made, and how many refused as a conflict.
fn statuses(answers: &[Answered]) -> (usize, usize) {
    let count = |status| answers.iter().filter(|a| a.status == status).count();
    (count(201), count(409))
}

fn others(answers: &[Answered]) -> Vec<&Value> {
    answers.iter().filter(|a| !matches!(a.status, 201 | 409)).map(|a| &a.body).take(3).collect()
}
