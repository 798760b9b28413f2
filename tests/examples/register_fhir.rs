//! Registers the people of FHIR R4 bundles through the API, twice; the second time every one of them must be
//! found as a duplicate.
//!
//! ```sh
//! cargo run                                             # in one terminal
//! TOKEN=$(cargo run -q -- --token grace/receptionist)   # in another
//! TOKEN=$TOKEN cargo run -p journeys --example register_fhir -- FOLDER [http://127.0.0.1:3000/v1]
//! ```

use serde_json::{Value, json};
use std::{error::Error, fs, path::Path, process::ExitCode};

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("name the folder of the bundles")?;
    let api = arguments.next().unwrap_or_else(|| "http://127.0.0.1:3000/v1".into());
    let token = std::env::var("TOKEN").map_err(|_| "set TOKEN to an access token of a receptionist")?;
    let people = people(Path::new(&folder))?;
    let http = reqwest::Client::new();
    let (mut registered, mut found) = (0, 0);
    for (round, wanted) in [(1, 201), (2, 409)] {
        for person in &people {
            let request = http.post(format!("{api}/patients")).bearer_auth(&token).json(person);
            let answer = request.send().await?;
            let status = answer.status().as_u16();
            let body: Value = answer.json().await?;
            let name = format!("{} {}", person["given_names"], person["family_name"]);
            println!("{round}  {status}  {name}  {}", said(&body));
            registered += u32::from(round == 1 && status == wanted);
            found += u32::from(round == 2 && status == wanted);
        }
    }
    println!("{} people: {registered} registered, then {found} found as duplicates", people.len());
    let all = people.len() as u32;
    Ok(if all > 0 && (registered, found) == (all, all) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Every Patient of every bundle, as our API takes it.
fn people(folder: &Path) -> Outcome<Vec<Value>> {
    let mut people = vec![];
    let mut files: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    files.sort_by_key(|f| f.path());
    for file in files.iter().filter(|f| f.path().extension().is_some_and(|e| e == "json")) {
        let bundle: Value = serde_json::from_str(&fs::read_to_string(file.path())?)?;
        let resources = bundle["entry"].as_array().into_iter().flatten().map(|e| &e["resource"]);
        people.extend(resources.filter(|r| r["resourceType"] == "Patient").map(person));
    }
    Ok(people)
}

fn person(patient: &Value) -> Value {
    let name = &patient["name"][0];
    let text = |v: &Value| v.as_str().unwrap_or_default().to_string();
    let given: Vec<String> = name["given"].as_array().into_iter().flatten().map(|g| bare(&text(g))).collect();
    let address = &patient["address"][0];
    let phones: Vec<Value> = patient["telecom"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|t| t["system"] == "phone")
        .map(|t| json!({"number": international(&text(&t["value"])), "use": "home"}))
        .collect();
    json!({
        "given_names": given.join(" "), "family_name": bare(&text(&name["family"])), "gender": patient["gender"],
        "birth_date": patient["birthDate"], "phones": phones,
        "address": {"line1": address["line"][0], "city": address["city"], "state": address["state"],
            "postcode": address["postalCode"], "country": address["country"]},
        "identifiers": identifiers(patient),
    })
}

/// Some generators number their names; nobody is called that.
fn bare(name: &str) -> String {
    name.chars().filter(|c| !c.is_ascii_digit()).collect()
}

/// The bundles' numbers are North American.
fn international(number: &str) -> String {
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    format!("+1{digits}")
}

fn identifiers(patient: &Value) -> Vec<Value> {
    let document = |identifier: &Value| {
        let (kind, issuer) = match identifier["type"]["coding"][0]["code"].as_str()? {
            "PPN" => ("passport", "US"),
            "DL" => ("drivers_licence", "US-MA"),
            _ => return None,
        };
        Some(json!({"type": kind, "value": identifier["value"], "issuer": issuer}))
    };
    patient["identifier"].as_array().into_iter().flatten().filter_map(document).collect()
}

/// What an answer says in short.
fn said(body: &Value) -> String {
    match body["number"].as_str() {
        Some(number) => number.into(),
        None => {
            let code = body["type"].as_str().and_then(|t| t.rsplit('/').next()).unwrap_or_default();
            format!("{code} {} {}", body["candidates"][0]["score"], body["errors"])
        }
    }
}
