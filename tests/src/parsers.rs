//! Everything of ours that reads bytes of strangers, each as a function that panics if the reader does or if what it
//! promises does not hold. `tests/tests/parsers.rs` feeds them on any compiler; `fuzz/` hands the same functions to
//! libFuzzer (`.ci/libfuzzer`).

use jiff::civil::Date;
use kernel::{Id, KINDS, PatientId, TenantId, Ulid, country::Country, money::Money, phone::E164};
use seal::Ring;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::LazyLock;
use store::Scope;

pub struct Parser {
    pub name: &'static str,
    /// What it reads when all is well: inputs are made from these.
    pub seeds: &'static [&'static str],
    pub feed: fn(&[u8]),
}

pub const PARSERS: &[Parser] = &[
    Parser {
        name: "id",
        seeds: &["pat_01J00000000000000000000000", "01J00000000000000000000000", "platform"],
        feed: id,
    },
    Parser {
        name: "phone",
        seeds: &["+234 803 555 0100", "08031234567", "020 7946 0018", "(0)803-555-0100 ext 4"],
        feed: phone,
    },
    Parser {
        name: "money",
        seeds: &["1250000.00", "-0.0001", "99999999999999.9999", "1,000.00"],
        feed: money,
    },
    Parser {
        name: "json",
        seeds: &[
            r#"{"a": [1, -2.5e3, null, true, "\u00e9\ud83d\ude00"], "b": {"c": {}}}"#,
            r#"{"a":1,"a":2}"#,
        ],
        feed: body,
    },
    Parser {
        name: "merge_patch",
        seeds: &[
            r#"{"name": null, "lines": [{"text": "a", "n": 1}], "day": "2026-11-23"}"#,
            r#"{"deep": {"on": false}}"#,
        ],
        feed: patch,
    },
    Parser {
        name: "query",
        seeds: &["name=a&day=2026-11-23&n=7", "name=%C3%A9&lines=&n=+7", "deep=a,b,c"],
        feed: query,
    },
    Parser {
        name: "sealed",
        seeds: &["\u{1}\u{0}\u{0}\u{0}\u{1}abcdefghijklmnopqrstuvwxyz0123456789"],
        feed: sealed,
    },
    Parser {
        name: "signature",
        seeds: &["0E\u{2}!\u{0}abcdefabcdefabcdefabcdefabcdefab\u{2} abcdefabcdefabcdefabcdefabcdefab"],
        feed: signature,
    },
    Parser {
        name: "rule",
        seeds: &[
            "event.data.severity in ['high','critical'] && event.data.kind == 'fall'",
            "size(event.data.x) > 3 || !has(event.data.y)",
            "request.body.amount > 50000.0",
            "event.data.a ? 'x' : \"y\" + 'z'",
        ],
        feed: rule,
    },
    Parser {
        name: "markup",
        seeds: &[
            "# Offer\n\nDear **Ada**,\n\n- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[[sign:employee]]\n[l](https://x.y)\n",
        ],
        feed: markup,
    },
    Parser {
        name: "image",
        seeds: &[
            "\u{89}PNG\r\n\u{1a}\n\u{0}\u{0}\u{0}\rIHDR\u{0}\u{0}\u{0}\u{1}\u{0}\u{0}\u{0}\u{1}\u{8}\u{2}\u{0}\u{0}\u{0}",
            "\u{ff}\u{d8}\u{ff}\u{e0}\u{0}\u{10}JFIF",
        ],
        feed: image,
    },
    Parser {
        name: "pdf",
        seeds: &[
            "%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 10 10]>>endobj\nxref\n0 4\n0000000000 65535 f \ntrailer<</Size 4/Root 1 0 R>>\nstartxref\n9\n%%EOF\n",
        ],
        feed: pdf,
    },
    Parser {
        name: "file_type",
        seeds: &["%PDF-1.7\n%%EOF", "PK\u{3}\u{4}", "a,b,c\n1,2,3\n", "<!doctype html>", "MZ\u{90}"],
        feed: file_type,
    },
    Parser {
        name: "event_pattern",
        seeds: &["patient.registered", "task.*", "*", "*.created"],
        feed: pattern,
    },
    Parser {
        name: "claims",
        seeds: &[
            r#"{"token_use":"access","tenant":"01J00000000000000000000000","user":"usr_01J00000000000000000000000","roles":"nurse doctor","sites":"*","gen":"1","seen":"1790000000"}"#,
        ],
        feed: claims,
    },
    Parser {
        name: "trail",
        seeds: &[
            r#"{"pk":{"S":"01J#chg#pat#pat_1"},"sk":{"S":"v#0000000001"},"version":{"N":"1"},"hash":{"B":"qw=="},"prev":{"B":"zQ=="},"trailsk":{"S":"2026-11-23T08:00:00.000Z#pat_1#0000000001"},"by":{"S":"usr_1"}}"#,
        ],
        feed: trail,
    },
    Parser {
        name: "template_language",
        seeds: &[
            "Dear {{ name|upper }}, {% if due %}{{ due|date }}{% endif %}",
            "{{ sum|money }} {# note #} {% for x in lines %}{{ x }}{% endfor %}",
        ],
        feed: template,
    },
    Parser { name: "calendar_and_country", seeds: &["NG", "2026-02-29", "GB", "2026-11-23"], feed: country },
];

/// What has a meaning to some parser of ours.
pub const WORDS: &[&[u8]] = &[
    b"{{",
    b"}}",
    b"{%",
    b"%}",
    b"[[",
    b"]]",
    b"#",
    b"|",
    b"\\",
    b"\"",
    b"'",
    b"(",
    b")",
    b"[",
    b"]",
    b"{",
    b"}",
    b"<<",
    b">>",
    b"%",
    b"%00",
    b"\0",
    b"\xff",
    b"\xc3\x28",
    "\u{202e}".as_bytes(),
    "\u{feff}".as_bytes(),
    "ß".as_bytes(),
    "\u{1f469}\u{200d}\u{1f680}".as_bytes(),
    b"-",
    b".",
    b"..",
    b",",
    b"_",
    b"0",
    b"-0",
    b"1e999",
    b"9223372036854775808",
    b"18446744073709551616",
    b"0.00000000000000000001",
    b"null",
    b"true",
    b" obj",
    b"endobj",
    b"stream\n",
];

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// One name for one record: what reads, prints as it was read; and no two scopes share a beginning.
fn id(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(id) = text.parse::<PatientId>() {
        assert_eq!(id.to_string(), text);
        assert!(text.starts_with("pat_") && !text.contains('#'));
    }
    if let Some(tenant) = TenantId::from_prefix(text) {
        assert_eq!((tenant.prefix().as_str(), text.len()), (text, 26));
    }
    if let Some(scope) = Scope::from_claim(text) {
        assert_eq!(scope.to_string(), text);
    }
    assert!(!store::segment(text).contains('#'));
    assert!(KINDS.iter().all(|(kind, _)| kind.len() == 3));
}

fn phone(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    for home in ["NG", "GB", "US"] {
        let home: Country = home.parse().expect("a country");
        if let Ok(phone) = E164::parse(text, home) {
            let again = E164::parse(&phone.to_string(), home).expect("what it prints, it reads");
            assert_eq!(again.to_string(), phone.to_string());
        }
    }
}

fn money(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    for currency in ["NGN", "JPY", "KWD"] {
        let Ok(currency) = currency.parse() else { continue };
        if let Ok(money) = Money::parse(text, currency) {
            let written = serde_json::to_value(money).expect("JSON");
            assert!(serde_json::from_value::<Money>(written).expect("reads") == money);
        }
    }
}

fn body(bytes: &[u8]) {
    if let Ok(value) = web::check::json(bytes) {
        let again = web::check::json(value.to_string().as_bytes()).expect("what it prints, it reads");
        // A decimal of more digits than a float has may move by its last one.
        assert!(again == value || has_decimals(&value), "{value} became {again}");
    }
}

fn has_decimals(value: &Value) -> bool {
    match value {
        Value::Number(n) => n.is_f64(),
        Value::Array(all) => all.iter().any(has_decimals),
        Value::Object(all) => all.values().any(has_decimals),
        _ => false,
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
struct Line {
    #[schemars(length(min = 1, max = 20))]
    text: String,
    n: u8,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
struct Noun {
    #[schemars(length(min = 1, max = 20))]
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    day: Option<Date>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 3))]
    lines: Vec<Line>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<i32>,
}

/// What a patch leaves is a whole noun, and the same patch again changes nothing.
fn patch(bytes: &[u8]) {
    let Ok(patch) = web::check::json(bytes) else { return };
    let stored =
        Noun { name: "a".into(), day: None, lines: vec![Line { text: "x".into(), n: 1 }], n: Some(3) };
    if let Ok(patched) = web::check::merge_patch(&stored, &patch) {
        assert!(!patched.name.is_empty() && patched.lines.len() <= 3);
        assert_eq!(web::check::merge_patch(&patched, &patch).expect("again"), patched);
    }
}

fn query(bytes: &[u8]) {
    if let Some(noun) = text(bytes).and_then(|t| web::check::query::<Noun>(t).ok()) {
        assert!(!noun.name.is_empty() && noun.name.chars().count() <= 20);
    }
}

/// Nothing opens that was not sealed here, at this place.
fn sealed(bytes: &[u8]) {
    static RING: LazyLock<Ring> = LazyLock::new(|| Ring::new([(1, [3; 32])]).expect("a ring"));
    assert!(RING.unseal("place", bytes).is_err());
    let mut whole = RING.seal("place", b"plain".to_vec());
    assert!(RING.unseal("other place", &whole).is_err());
    // The given bytes say where to break it, and how.
    if let [at, with, ..] = bytes {
        let at = usize::from(*at) % whole.len();
        let was = std::mem::replace(&mut whole[at], *with);
        assert_eq!(RING.unseal("place", &whole).is_ok(), was == *with);
    }
}

fn signature(bytes: &[u8]) {
    let (key, rest) = bytes.split_at(bytes.len() / 2);
    assert!(!seal::is_signed(key, b"message", rest));
}

fn rule(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    for known in [rules::Known::events(), rules::Known::approvals()] {
        match rules::Condition::compile(text, &known) {
            Err(fault) => {
                assert!(fault.column <= text.chars().count() + 1 && !fault.detail.is_empty(), "{fault:?}")
            }
            Ok(condition) => {
                let input = json!({"event": {"name": "x", "data": {"severity": "high", "n": 3}}, "request": {"body": {"amount": 3}}});
                condition.test(&input);
                condition.test(&Value::Null);
                condition.paths();
                condition.parts();
            }
        }
    }
}

fn markup(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Err(faults) = reports::markup::parse(text) {
        assert!(!faults.is_empty());
    }
}

fn image(bytes: &[u8]) {
    let _ = reports::Image::new(bytes.to_vec());
}

fn pdf(bytes: &[u8]) {
    let page = reports::Document::default();
    if let Ok(made) = reports::append(bytes, &page) {
        assert!(made.starts_with(bytes), "the original's bytes stay");
    }
}

fn file_type(bytes: &[u8]) {
    for declared in documents::sniff::Type::ALL {
        let _ = documents::sniff::check(*declared, bytes);
    }
    if let Some(text) = text(bytes) {
        let _ = documents::sniff::Type::of_media(text);
    }
}

fn pattern(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    use integrations::webhook::pattern::{hears, is_one, noun};
    if is_one(text) {
        hears(text, "patient.registered");
        noun(text);
    }
}

fn claims(bytes: &[u8]) {
    let Some(Value::Object(claims)) = web::check::json(bytes).ok() else { return };
    if let Ok(actor) = web::Actor::from_claims(&claims) {
        assert!(
            ["usr_", "opr_", "pky_"].iter().any(|k| actor.user.starts_with(k)) && !actor.user.contains('#')
        );
    }
}

fn trail(bytes: &[u8]) {
    use store::chain::{Head, Kept, Link, canonical, item_digest, lines};
    let Ok(item) = serde_json::from_slice::<Value>(bytes) else { return };
    let _ = (Link::read(&item), Head::read(&item), Kept::read(&item), lines::<Value>(bytes));
    if has_decimals(&item) {
        return; // the trail's numbers stand in texts
    }
    let form = canonical(&item);
    let again: Value = serde_json::from_slice(&form).expect("JSON");
    assert_eq!(canonical(&again), form);
    assert_eq!(item_digest(&item), item_digest(&again));
    let key = item["pk"]["S"].as_str().unwrap_or_default();
    let _ = events::Envelope::from_change(key, &item);
}

fn template(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    let made = json!({
        "code": "a_code", "name": "A", "language": "en", "category": "offer_letter", "body": text, "outputs": ["pdf"],
        "fields": [{"name": "name", "type": "text"}, {"name": "due", "type": "date"}, {"name": "sum", "type": "money"}],
    });
    if let Ok(template) = web::check::read::<documents::template::Template>(&made) {
        let _ = documents::template::rehearse(&template);
    }
}

fn country(bytes: &[u8]) {
    let Some(text) = text(bytes) else { return };
    if let Ok(country) = text.parse::<Country>() {
        assert_eq!(country.to_string(), text);
    }
    let _ = text.parse::<Date>();
    let _ = text.parse::<Ulid>();
    let _ = PatientId::KIND;
}
