//! What the document says about a body follows from the one declaration of it.

use axum::routing::post;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use web::{Module, openapi, route};

#[derive(Serialize, Deserialize, JsonSchema)]
struct Bed {
    #[schemars(length(min = 1, max = 40))]
    name: String,
    #[serde(default)]
    pillows: u8,
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    number: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Note {
    text: Option<String>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Search {
    q: String,
    limit: Option<u8>,
}

fn document() -> Value {
    let answer = || post(|| async { "" });
    let routes = vec![
        route("POST".parse().unwrap(), "/v1/beds", "site.edit", "bed.create", answer())
            .takes::<Bed>()
            .gives::<Bed>(201),
        route("PATCH".parse().unwrap(), "/v1/beds/{id}", "site.edit", "bed.update", answer())
            .patches::<Bed>(),
        route("POST".parse().unwrap(), "/v1/notes", "site.edit", "note.create", answer()).takes::<Note>(),
        route("GET".parse().unwrap(), "/v1/beds", "site.edit", "bed.find", answer()).asks::<Search>(),
        route("GET".parse().unwrap(), "/v1/beds/own", "site.edit", "bed.find", answer()).also_at("own"),
    ];
    openapi::document("Test", "1", &[Module::new("wards", routes)])
}

#[test]
fn a_body_is_closed_and_without_what_the_system_sets() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    let sent = &schemas["BedInput"];
    assert_eq!(sent["additionalProperties"], false);
    assert_eq!(sent["required"], json!(["name"]));
    assert_eq!(sent["properties"].get("number"), None);
    assert_eq!(sent["properties"]["pillows"]["default"], 0);
    assert_eq!(
        schemas["Bed"]["properties"]["number"],
        json!({"type": "string", "readOnly": true}),
        "answers have it"
    );
}

#[test]
fn a_patch_requires_nothing_and_fills_in_nothing() {
    let document = document();
    let patch = &document["components"]["schemas"]["BedPatch"];
    assert_eq!(patch.get("required"), None);
    assert_eq!(patch["properties"]["pillows"].get("default"), None);
    assert_eq!(patch["properties"]["name"]["maxLength"], 40);
}

#[test]
fn a_body_that_requires_nothing_says_so_by_silence() {
    // `required: null` is no schema.
    assert_eq!(document()["components"]["schemas"]["NoteInput"].get("required"), None);
}

#[test]
fn an_operation_at_two_addresses_has_two_names() {
    let paths = document()["paths"].clone();
    assert_eq!(paths["/v1/beds"]["get"]["operationId"], "bed.find");
    assert_eq!(paths["/v1/beds/own"]["get"]["operationId"], "bed.find.own");
}

#[test]
fn only_what_is_referred_to_is_described() {
    let document = document();
    let names: Vec<_> = document["components"]["schemas"].as_object().unwrap().keys().cloned().collect();
    // Note itself is met only as what NoteInput is made of; Fault is part of Problem.
    assert_eq!(names, ["Bed", "BedInput", "BedPatch", "Fault", "NoteInput", "Problem"]);
}

#[test]
fn operations_stand_under_their_module_and_parameters_are_told() {
    let found = document()["paths"]["/v1/beds"]["get"].clone();
    assert_eq!(found["tags"], json!(["wards"]));
    let required: Vec<_> = found["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (&p["name"], p.get("required").is_some()))
        .collect();
    assert_eq!(required, [(&json!("limit"), false), (&json!("q"), true)]);
}
