//! The API's document in the words that the emulator reads.

use local::{trouble, trouble::Outcome};
use serde_json::{Map, Value, json};

const ANY: &str = "x-amazon-apigateway-any-method";
const ANSWERS: &str = "x-amazon-apigateway-gateway-responses";
const VERBS: [&str; 6] = ["get", "post", "put", "patch", "delete", "head"];

/// Every verb that a path does not name itself is written out; the gateway's own answers become resources.
pub fn adapt(api: &str, resources: &mut Value) -> Outcome<()> {
    let body = &mut resources[api]["Properties"]["Body"];
    let document = body.as_object_mut().ok_or_else(|| trouble!("{api} has no document to adapt."))?;
    let answers = document.remove(ANSWERS).unwrap_or_default();
    for path in document.get_mut("paths").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut)
    {
        let Some(path) = path.as_object_mut() else { continue };
        let Some(any) = path.remove(ANY) else { continue };
        for verb in VERBS {
            path.entry(verb).or_insert_with(|| any.clone());
        }
    }
    for (kind, answer) in answers.as_object().into_iter().flatten() {
        resources[format!("{api}Answers{}", kind.replace('_', ""))] = json!({
            "Type": "AWS::ApiGateway::GatewayResponse",
            "Properties": {
                "RestApiId": {"Ref": api}, "ResponseType": kind, "StatusCode": answer["statusCode"],
                "ResponseParameters": answer["responseParameters"],
                "ResponseTemplates": answer["responseTemplates"],
            },
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_of_its_own_stays_and_the_others_are_those_of_any() {
        let paths = json!({"/a": {ANY: {"n": 1}, "get": {"n": 2}}, "/b": {"post": {"n": 3}}});
        let answers = json!({"DEFAULT_4XX": {"responseTemplates": {"application/json": "{}"}}});
        let mut all = json!({"Api": {"Properties": {"Body": {"paths": paths, ANSWERS: answers}}}});
        adapt("Api", &mut all).unwrap();
        let paths = &all["Api"]["Properties"]["Body"]["paths"];
        assert_eq!(paths["/a"]["get"]["n"], 2);
        assert_eq!(paths["/a"]["delete"]["n"], 1);
        assert!(paths["/a"][ANY].is_null());
        assert_eq!(paths["/b"], json!({"post": {"n": 3}}));
        assert_eq!(all["ApiAnswersDEFAULT4XX"]["Properties"]["ResponseType"], "DEFAULT_4XX");
    }
}
