//! The walk over a schema and a value.

use super::format;
use kernel::Fault;
use serde_json::{Map, Value};

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    /// A body: what is required is there, what is read-only is not.
    Whole,
    /// A merge patch: nothing is required, `null` removes.
    Patch,
    /// The result of a merge: what the system set is there too.
    Merged,
}

/// The words of JSON Schema this walk knows; a test over all routes wants no other.
pub const KEYWORDS: &[&str] = &[
    "$defs",
    "$ref",
    "$schema",
    "additionalProperties",
    "anyOf",
    "const",
    "default",
    "deprecated",
    "description",
    "enum",
    "examples",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "oneOf",
    "pattern",
    "properties",
    "readOnly",
    "required",
    "title",
    "type",
    "uniqueItems",
    "writeOnly",
    "x-kept",
    "x-sealed",
    "maxProperties",
    "propertyNames",
];

/// Levels of a body; the table keeps 32 of an item.
const DEEPEST: usize = 24;

pub(crate) struct Walk<'a> {
    pub root: &'a Value,
    pub faults: &'a mut Vec<Fault>,
    pub mode: Mode,
}

impl<'a> Walk<'a> {
    fn fault(&mut self, at: &str, code: &'static str, detail: impl Into<String>) {
        self.faults.push(Fault::new(at, code, detail));
    }

    pub fn visit(&mut self, schema: &'a Value, value: &Value, at: String) {
        let Some(s) = schema.as_object() else { return self.free(value, &at) };
        if let Some(reference) = s.get("$ref").and_then(Value::as_str) {
            if let Some(target) = self.root.pointer(&reference[1..]) {
                self.visit(target, value, at);
            }
            return;
        }
        if let Some(forms) = s.get("anyOf").or(s.get("oneOf")).and_then(Value::as_array) {
            return self.forms(forms, value, at);
        }
        if !self.type_fits(s, value, &at) || !self.among(s, value, &at) {
            return;
        }
        match value {
            Value::String(text) => format::text(s, text, &at, self.faults),
            Value::Number(n) => self.number(s, n.as_f64().unwrap_or_default(), &at),
            Value::Array(all) => self.array(s, all, &at),
            Value::Object(map) => self.object(s, map, &at),
            _ => {}
        }
    }

    fn type_fits(&mut self, s: &Map<String, Value>, value: &Value, at: &str) -> bool {
        let names: Vec<&str> = match s.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            _ => return true,
        };
        let fits = |name: &&str| match *name {
            "null" => value.is_null(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            "number" => value.is_number(),
            "integer" => value.is_i64() || value.is_u64(),
            _ => true,
        };
        let ok = names.iter().any(fits);
        if !ok {
            self.fault(at, "type", format!("expected {}", names.join(" or ")));
        }
        ok
    }

    fn among(&mut self, s: &Map<String, Value>, value: &Value, at: &str) -> bool {
        let words = |all: &[Value]| -> Vec<String> {
            all.iter().map(|v| v.as_str().map_or_else(|| v.to_string(), Into::into)).collect()
        };
        if let Some(all) = s.get("enum").and_then(Value::as_array)
            && !all.contains(value)
        {
            self.fault(at, "enum", format!("expected one of {}", words(all).join(", ")));
            return false;
        }
        if let Some(wanted) = s.get("const")
            && wanted != value
        {
            self.fault(at, "enum", format!("expected {wanted}"));
            return false;
        }
        true
    }

    fn number(&mut self, s: &Map<String, Value>, n: f64, at: &str) {
        // What the table can hold.
        if n.abs() > 1e125 || (n != 0.0 && n.abs() < 1e-129) {
            return self.fault(at, "range", "a number between 1e-129 and 1e125");
        }
        let bound = |name: &str| s.get(name).and_then(Value::as_f64);
        if bound("minimum").is_some_and(|least| n < least) {
            self.fault(at, "range", format!("at least {}", s["minimum"]));
        }
        if bound("maximum").is_some_and(|most| n > most) {
            self.fault(at, "range", format!("at most {}", s["maximum"]));
        }
    }

    fn array(&mut self, s: &'a Map<String, Value>, all: &[Value], at: &str) {
        let bound = |name: &str| s.get(name).and_then(Value::as_u64);
        let count = all.len() as u64;
        if let Some(least) = bound("minItems").filter(|least| count < *least) {
            self.fault(at, "length", format!("at least {least} entries"));
        }
        if let Some(most) = bound("maxItems").or(Some(1000)).filter(|most| count > *most) {
            return self.fault(at, "length", format!("at most {most} entries"));
        }
        let unique = s.get("uniqueItems") == Some(&Value::Bool(true));
        for (n, value) in all.iter().enumerate() {
            if unique && all[..n].contains(value) {
                self.fault(&format!("{at}/{n}"), "repeated", "is there already");
            }
            match s.get("items") {
                Some(items) => self.visit(items, value, format!("{at}/{n}")),
                None => self.free(value, &format!("{at}/{n}")),
            }
        }
    }

    fn object(&mut self, s: &'a Map<String, Value>, map: &Map<String, Value>, at: &str) {
        let properties = s.get("properties").and_then(Value::as_object);
        let free = s.get("additionalProperties").filter(|a| a.is_object() || **a == Value::Bool(true));
        if let Some(most) =
            s.get("maxProperties").and_then(Value::as_u64).or(Some(300)).filter(|m| map.len() as u64 > *m)
        {
            return self.fault(at, "length", format!("at most {most} entries"));
        }
        if properties.is_none() && free.is_none() && s.get("additionalProperties").is_none() {
            return self.free_members(map, at);
        }
        for (name, value) in map {
            let here = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            match properties.and_then(|p| p.get(name)) {
                Some(property) => self.property(s, property, name, value, here),
                None => match free {
                    Some(schema) => {
                        self.free_name(name, at);
                        // `null` takes an entry of a free map away.
                        if !(value.is_null() && self.mode == Mode::Patch) {
                            self.visit(schema, value, here);
                        }
                    }
                    None => self.unknown(properties, name, here),
                },
            }
        }
        if self.mode != Mode::Patch {
            self.required(s, properties, map, at);
        }
    }

    fn property(
        &mut self,
        s: &Map<String, Value>,
        property: &'a Value,
        name: &str,
        value: &Value,
        here: String,
    ) {
        if self.mode != Mode::Merged && property.get("readOnly") == Some(&Value::Bool(true)) {
            return self.fault(&here, "read-only", "is set by the system or by a command");
        }
        let optional = !required(s).any(|r| r == name);
        match (value.is_null(), self.mode) {
            // `null` removes in a patch and means "not given" in a body.
            (true, Mode::Patch | Mode::Whole) if optional => {}
            (true, Mode::Patch) => self.fault(&here, "required", "cannot be removed"),
            _ => self.visit(property, value, here),
        }
    }

    /// What no schema describes: still text that can be read, and no deeper than the table keeps.
    fn free(&mut self, value: &Value, at: &str) {
        let none = Map::new();
        match value {
            _ if at.matches('/').count() > DEEPEST => {
                self.fault(at, "depth", format!("at most {DEEPEST} levels"))
            }
            Value::String(text) => {
                if let Some(c) = format::hostile(text) {
                    self.fault(at, "hostile", format!("may not hold the character U+{:04X}", c as u32));
                }
            }
            Value::Number(n) => self.number(&none, n.as_f64().unwrap_or_default(), at),
            Value::Array(all) => all.iter().enumerate().for_each(|(n, v)| self.free(v, &format!("{at}/{n}"))),
            Value::Object(map) => self.free_members(map, at),
            _ => {}
        }
    }

    fn free_members(&mut self, map: &Map<String, Value>, at: &str) {
        for (name, value) in map {
            self.free_name(name, at);
            self.free(value, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")));
        }
    }

    fn free_name(&mut self, name: &str, at: &str) {
        if name.chars().count() > 100 || format::hostile(name).is_some() {
            self.fault(at, "name", "a name holds at most 100 printable characters");
        }
    }

    fn unknown(&mut self, properties: Option<&Map<String, Value>>, name: &str, here: String) {
        let names = properties.into_iter().flat_map(Map::keys);
        let nearest = names.map(|p| (strsim::damerau_levenshtein(p, name), p)).min();
        match nearest {
            Some((distance, near)) if distance <= 3 && distance < name.chars().count() => {
                self.fault(&here, "unknown", format!("no such field; did you mean {near}?"))
            }
            _ => self.fault(&here, "unknown", "no such field"),
        }
    }

    fn required(
        &mut self,
        s: &Map<String, Value>,
        properties: Option<&Map<String, Value>>,
        map: &Map<String, Value>,
        at: &str,
    ) {
        for name in required(s) {
            let ours = properties.and_then(|p| p.get(name)).is_some_and(|p| p.get("readOnly").is_some());
            if !(map.contains_key(name) || ours && self.mode == Mode::Whole) {
                self.fault(&format!("{at}/{name}"), "required", "is required");
            }
        }
    }

    /// One of several forms. With one form (beside null) its own faults are told; with several, which there are.
    fn forms(&mut self, forms: &'a [Value], value: &Value, at: String) {
        let is_null = |s: &&Value| s.get("type").and_then(Value::as_str) == Some("null");
        if value.is_null() && forms.iter().any(|s| is_null(&s)) {
            return;
        }
        let real: Vec<&Value> = forms.iter().filter(|s| !is_null(s)).collect();
        if let [one] = real[..] {
            return self.visit(one, value, at);
        }
        let mut nearest: Option<Vec<Fault>> = None;
        let mut words = vec![];
        for form in real {
            let mut found = vec![];
            Walk { root: self.root, faults: &mut found, mode: self.mode }.visit(form, value, at.clone());
            if found.is_empty() {
                return;
            }
            words.extend(form.get("const").and_then(Value::as_str));
            words.extend(
                form.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str),
            );
            // The form whose tag fits is the one that was meant.
            let meant = !found.iter().any(|f| f.code == "type" && f.pointer == at || f.code == "enum");
            if meant && nearest.as_ref().is_none_or(|n| found.len() < n.len()) {
                nearest = Some(found);
            }
        }
        match nearest {
            Some(found) => self.faults.extend(found),
            None if !words.is_empty() => {
                self.fault(&at, "enum", format!("expected one of {}", words.join(", ")))
            }
            None => self.fault(&at, "form", "matches none of the allowed forms"),
        }
    }
}

fn required(s: &Map<String, Value>) -> impl Iterator<Item = &str> {
    s.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}
