//! CSV (RFC 4180) that a spreadsheet reads as text and never as a formula.

use serde_json::Value;

/// So that spreadsheets read the file as UTF-8.
pub const MARK: &str = "\u{feff}";

pub fn row(cells: impl Iterator<Item = String>) -> String {
    let mut line = cells.map(|c| cell(&c)).collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

fn cell(text: &str) -> String {
    let guarded =
        if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.into() };
    if guarded.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

/// A member of a row: lists joined by spaces.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_as_a_formula_does() {
        for (given, wanted) in [
            ("=cmd", "'=cmd"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@x", "'@x"),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
            ("a,b", "\"a,b\""),
            ("say \"x\"\n", "\"say \"\"x\"\"\n\""),
            ("plain", "plain"),
        ] {
            assert_eq!(cell(given), wanted);
        }
        assert_eq!(row(["a", "=b", "c,d"].map(String::from).into_iter()), "a,'=b,\"c,d\"\r\n");
    }
}
