//! What stories of cases begin with: a client with a contract, its people, and two counsellors.

use crate::stage::{Stage, id, merge};
use serde_json::{Value, json};
use testkit::{Actor, Reply};

pub struct Care {
    pub s: Stage,
    pub client: Value,
    pub contract: Value,
    pub service: String,
    /// Ada Okafor and Tunde Bello, counsellors.
    pub ada: (Value, Actor),
    pub tunde: (Value, Actor),
}

impl Care {
    pub async fn begin() -> Self {
        Self::of(Stage::set().await, json!({})).await
    }
    pub async fn contended() -> Self {
        Self::of(Stage::contended().await, json!({})).await
    }
    pub async fn under(contract: Value) -> Self {
        Self::of(Stage::set().await, contract).await
    }

    async fn of(s: Stage, contract: Value) -> Self {
        let client =
            s.active("Zenith Mills", json!({"reporting_units": [{"code": "LAG", "name": "Lagos"}]})).await;
        let service = s.service("Counselling", "counselling").await;
        let contract = s.contract(&client, &service, contract).await;
        let ada = s.provider(json!({})).await;
        let more =
            json!({"name": "Tunde Bello", "languages": ["ha"], "specialties": ["grief"], "modes": ["video"]});
        let tunde = s.provider(more).await;
        Self { s, client, contract, service, ada, tunde }
    }

    /// An employee on the list.
    pub async fn employee(&self, number: &str, more: Value) -> Value {
        let mut body = json!({
            "client": self.client["id"], "relation": "employee", "name": format!("Person {number}"),
            "employee_number": number, "birth_date": "1990-01-31", "unit": "LAG",
        });
        merge(&mut body, more);
        self.s.manager.post("/v1/eap/beneficiaries", body).await.created()
    }

    /// The employee's own login.
    pub async fn login_of(&self, person: &Value) -> Actor {
        let login = self.s.axis.staff("beneficiary");
        let path = format!("/v1/eap/beneficiaries/{}", id(person));
        self.s.manager.patch(&path, json!({"user": login.user()})).await.ok();
        login
    }

    pub fn intake(&self, person: &Value, issue: &str) -> Value {
        json!({"beneficiary": person["id"], "service": self.service, "presenting_issue": issue})
    }

    /// A case of Ada's, triaged and assigned.
    pub async fn case(&self, person: &Value, issue: &str) -> Value {
        let case = self.ada.1.post("/v1/eap/cases", self.intake(person, issue)).await.created();
        self.says(&case, "triage", json!({"risk": "low"})).await.ok();
        let assigned = json!({"provider": self.ada.0["id"]});
        self.s.gives("cases", &case, "assign", assigned).await.ok();
        self.ada.1.get(&format!("/v1/eap/cases/{}", id(&case))).await.ok()
    }

    /// A command of Ada's.
    pub async fn says(&self, case: &Value, command: &str, body: Value) -> Reply {
        self.ada.1.post(&format!("/v1/eap/cases/{}/{command}", id(case)), body).await
    }

    pub fn session(&self, case: &Value, at: &str) -> Value {
        json!({"case": case["id"], "starts_at": at, "mode": "video"})
    }
    pub async fn books(&self, case: &Value, at: &str) -> Reply {
        self.ada.1.post("/v1/eap/sessions", self.session(case, at)).await
    }
    pub async fn ends(&self, session: &Value, command: &str, body: Value) -> Reply {
        self.ada.1.post(&format!("/v1/eap/sessions/{}/{command}", id(session)), body).await
    }
    /// Used, booked and left.
    pub async fn balance(&self, case: &Value) -> (u64, u64, u64) {
        let shown = self.s.shows("cases", case).await;
        let of = |name: &str| shown["sessions"][name].as_u64().unwrap();
        (of("used"), of("booked"), of("left"))
    }
}
