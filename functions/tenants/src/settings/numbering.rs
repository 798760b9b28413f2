//! How numbers of records look: `PT-{YYYY}-{SEQ:5}` → `PT-2026-00001`.

use super::{Part, Section};
use jiff::civil::Date;
use kernel::{Error, Result, country::Country};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use web::gate::TenantGate;

kernel::words! {
    /// When counting begins again.
    pub enum Reset { Never = "never", Year = "year", Month = "month" }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Format {
    /// Text and tokens: `{YYYY} {YY} {MM} {SITE} {FAC} {SEQ:n}`, n from 3 to 9. For the hospital number also
    /// `same` (the patient's) or `manual`.
    #[schemars(length(min = 3, max = 60))]
    pub format: String,
    #[serde(default = "year")]
    pub reset: Reset,
    /// The next number, to go on from another system's; never back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 999999999))]
    pub next: Option<u64>,
    /// Advanced inside the commit that uses it, where the record declares it so.
    #[serde(default)]
    #[schemars(extend("readOnly" = true))]
    pub gap_free: bool,
}

fn year() -> Reset {
    Reset::Year
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Numbering {
    pub patient: Format,
    pub hospital: Format,
}

/// A piece of a format.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Year4,
    Year2,
    Month,
    Site,
    Facility,
    Sequence(usize),
}

fn pieces(format: &str) -> Result<Vec<Piece>, String> {
    let mut all = vec![];
    let mut rest = format;
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix('{') {
            let (name, after) = tail.split_once('}').ok_or("a token is not closed")?;
            all.push(token(name)?);
            rest = after;
        } else {
            let end = rest.find('{').unwrap_or(rest.len());
            let text = &rest[..end];
            if !text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "-/._".contains(c)) {
                return Err("write capitals, digits and - / . _ between the tokens".into());
            }
            all.push(Piece::Text(text.into()));
            rest = &rest[end..];
        }
    }
    Ok(all)
}

fn token(name: &str) -> Result<Piece, String> {
    Ok(match name {
        "YYYY" => Piece::Year4,
        "YY" => Piece::Year2,
        "MM" => Piece::Month,
        "SITE" => Piece::Site,
        "FAC" => Piece::Facility,
        _ => match name.strip_prefix("SEQ:").and_then(|n| n.parse().ok()) {
            Some(digits @ 3..=9) => Piece::Sequence(digits),
            _ => {
                return Err(format!(
                    "there is no token {{{name}}}: {{YYYY}} {{YY}} {{MM}} {{SITE}} {{FAC}} {{SEQ:3}} to {{SEQ:9}}"
                ));
            }
        },
    })
}

impl Format {
    /// Whether numbers of this format can never meet: one sequence, marked off, and every period named.
    fn sound(&self) -> Result<(), String> {
        let pieces = pieces(&self.format)?;
        let has = |wanted: &[Piece]| pieces.iter().any(|p| wanted.contains(p));
        let sequences: Vec<usize> = pieces
            .iter()
            .enumerate()
            .filter(|(_, p)| matches!(p, Piece::Sequence(_)))
            .map(|(n, _)| n)
            .collect();
        let [at] = sequences[..] else { return Err("a format has exactly one {SEQ:n}".into()) };
        // Digits beside the sequence could make one number of two: 1 + 0234 and 10 + 234.
        let before = at.checked_sub(1).map(|n| &pieces[n]);
        let touching = |p: Option<&Piece>, ends: fn(&str) -> Option<char>| match p {
            None => false,
            Some(Piece::Text(text)) => ends(text).is_some_and(|c| c.is_ascii_digit()),
            Some(_) => true,
        };
        if touching(before, |t| t.chars().last()) || touching(pieces.get(at + 1), |t| t.chars().next()) {
            return Err("put a letter or a sign between {SEQ:n} and its neighbours".into());
        }
        let year = has(&[Piece::Year4, Piece::Year2]);
        match self.reset {
            Reset::Year if !year => {
                Err("counting begins again every year: the format needs {YYYY} or {YY}".into())
            }
            Reset::Month if !(year && has(&[Piece::Month])) => {
                Err("counting begins again every month: the format needs the year and {MM}".into())
            }
            _ => Ok(()),
        }
    }

    /// A number of this format. `site` and `facility` are their codes.
    pub fn number(&self, day: Date, site: &str, facility: &str, sequence: u64) -> Result<String> {
        let pieces = pieces(&self.format).map_err(|e| Error::field("format", "/format", e))?;
        let words = pieces.into_iter().map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Year4 => format!("{:04}", day.year()),
            Piece::Year2 => format!("{:02}", day.year().rem_euclid(100)),
            Piece::Month => format!("{:02}", day.month()),
            Piece::Site => site.into(),
            Piece::Facility => facility.into(),
            Piece::Sequence(digits) => format!("{sequence:0digits$}"),
        });
        Ok(words.collect())
    }

    /// The scope of the counter on a day.
    pub fn scope(&self, day: Date) -> String {
        match self.reset {
            Reset::Never => "all".into(),
            Reset::Year => format!("{:04}", day.year()),
            Reset::Month => format!("{:04}-{:02}", day.year(), day.month()),
        }
    }

    pub fn check(&self, at: &str) -> Result<()> {
        self.sound().map_err(|detail| Error::field("format", format!("{at}/format"), detail))
    }
}

impl Numbering {
    /// Counters to be raised: name and next number.
    pub fn raised(&self, old: &Self) -> Vec<(&'static str, &Format, u64)> {
        let pairs = [("patient", &self.patient, &old.patient), ("hospital", &self.hospital, &old.hospital)];
        pairs
            .into_iter()
            .filter(|(_, new, old)| new.next != old.next)
            .filter_map(|(name, new, _)| Some((name, new, new.next?)))
            .collect()
    }
}

impl Part for Numbering {
    const SECTION: Section = Section::Numbering;
    fn first(_: Country) -> Self {
        let format =
            |text: &str| Format { format: text.into(), reset: Reset::Year, next: None, gap_free: false };
        Self { patient: format("PT-{YYYY}-{SEQ:5}"), hospital: format("same") }
    }
    fn check(&mut self, _: &Self, _: &TenantGate) -> Result<()> {
        self.patient.check("/patient")?;
        match self.hospital.format.as_str() {
            "same" | "manual" => Ok(()),
            _ => self.hospital.check("/hospital"),
        }
    }
    fn publish(&self, gate: &mut TenantGate) {
        for (name, format) in [("numbering.patient", &self.patient), ("numbering.hospital", &self.hospital)] {
            gate.policies.insert(name.into(), json!({"format": format.format, "reset": format.reset}));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn format(text: &str, reset: Reset) -> Format {
        Format { format: text.into(), reset, next: None, gap_free: false }
    }

    #[test]
    fn a_number_is_written_as_its_format_says() {
        let day = date(2026, 3, 9);
        for (text, number) in [
            ("PT-{YYYY}-{SEQ:5}", "PT-2026-00042"),
            ("{FAC}/{YY}/{SEQ:6}", "GRACE/26/000042"),
            ("{SITE}.{YY}{MM}-{SEQ:3}", "MAIN.2603-042"),
        ] {
            assert_eq!(format(text, Reset::Year).number(day, "MAIN", "GRACE", 42).unwrap(), number);
        }
        assert_eq!(
            format("P-{SEQ:3}", Reset::Never).number(day, "", "", 12345).unwrap(),
            "P-12345",
            "longer than planned"
        );
    }

    #[test]
    fn a_format_that_could_give_a_number_twice_is_refused() {
        for (text, reset, sound) in [
            ("PT-{YYYY}-{SEQ:5}", Reset::Year, true),
            ("PT-{SEQ:5}", Reset::Never, true),
            ("PT-{SEQ:5}", Reset::Year, false),
            ("PT-{YY}-{SEQ:5}", Reset::Month, false),
            ("PT-{YY}{MM}-{SEQ:5}", Reset::Month, true),
            ("PT-{YYYY}", Reset::Year, false),
            ("PT-{YYYY}{SEQ:5}", Reset::Year, false),
            ("PT1{SEQ:5}", Reset::Never, false),
            ("PT-{YYYY}-{SEQ:5}-{SEQ:5}", Reset::Year, false),
            ("PT-{YYYY}-{SEQ:2}", Reset::Year, false),
            ("PT-{YYYY}-{SEQ:10}", Reset::Year, false),
            ("pt-{YYYY}-{SEQ:5}", Reset::Year, false),
            ("PT-{YYYY-{SEQ:5}", Reset::Year, false),
            ("PT#{YYYY}-{SEQ:5}", Reset::Year, false),
        ] {
            assert_eq!(format(text, reset).sound().is_ok(), sound, "{text} {reset}");
        }
    }

    #[test]
    fn counting_has_a_scope_per_period() {
        let day = date(2026, 3, 9);
        let scopes = [Reset::Never, Reset::Year, Reset::Month].map(|r| format("x", r).scope(day));
        assert_eq!(scopes, ["all", "2026", "2026-03"]);
    }
}
