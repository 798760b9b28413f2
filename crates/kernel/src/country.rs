//! Countries and territories (ISO 3166-1) with the defaults that an organisation there starts from,
//! and the states of Nigeria (ISO 3166-2:NG). The tables are `data/countries.json` and
//! `data/nigeria_states.json`, each with its source and date.
use std::{borrow::Cow, fmt, str::FromStr, sync::LazyLock};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{Fault, money::Currency};

/// A country or territory that ISO 3166-1 knows, written as its two capital letters (`NG`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

crate::words! {
    /// The AWS region in which an organisation's records live: Cape Town or Ireland.
    pub enum Region { Africa = "af-south-1", Europe = "eu-west-1" }
}

impl Region {
    /// The country the machines of the region stand in; records of any other country cross a border.
    pub const fn country(self) -> Country {
        match self {
            Self::Africa => Country::ZA,
            Self::Europe => Country::IE,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no country code of ISO 3166-1: write two capital letters, such as NG or GB")]
pub struct UnknownCountry(pub String);

impl UnknownCountry {
    pub const fn code(&self) -> &'static str {
        "country-unknown"
    }

    pub fn fault(&self, pointer: impl Into<String>) -> Fault {
        Fault::new(pointer, self.code(), self.to_string())
    }
}

#[derive(Deserialize)]
struct Table<R> {
    rows: Vec<R>,
}

/// The rows of a data file that is built into the program, sorted by their first column.
pub(crate) fn rows<R: Deserialize<'static>>(file: &'static str) -> Vec<R> {
    serde_json::from_str::<Table<R>>(file).expect("the file was read by this crate's tests").rows
}

/// alpha2, name, calling code, currency, time zone, language, region
type Row = (&'static str, &'static str, Option<&'static str>, Currency, &'static str, &'static str, Region);

static COUNTRIES: LazyLock<Vec<Row>> = LazyLock::new(|| rows(include_str!("../data/countries.json")));

impl Country {
    pub const GB: Self = Self(*b"GB");
    pub const IE: Self = Self(*b"IE");
    pub const NG: Self = Self(*b"NG");
    pub const ZA: Self = Self(*b"ZA");

    /// Every country, in the order of the codes.
    pub fn all() -> impl Iterator<Item = Self> {
        COUNTRIES.iter().filter_map(|row| row.0.as_bytes().try_into().ok().map(Self))
    }

    pub fn code(&self) -> &str {
        // Made only from codes of the table, which are ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The English name.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Digits after the `+`, if the territory has a telephone code of its own.
    pub fn calling_code(self) -> Option<&'static str> {
        self.row().2
    }

    pub fn currency(self) -> Currency {
        self.row().3
    }

    /// IANA name of the capital's or the largest city's zone.
    pub fn time_zone(self) -> &'static str {
        self.row().4
    }

    /// BCP 47 tag of the language that an organisation there most likely writes (`en-NG`).
    pub fn language(self) -> &'static str {
        self.row().5
    }

    pub fn region(self) -> Region {
        self.row().6
    }

    fn row(self) -> &'static Row {
        find(self.code()).expect("a Country exists only for a row of the table")
    }
}

fn find(code: &str) -> Option<&'static Row> {
    COUNTRIES.binary_search_by(|row| row.0.cmp(code)).ok().map(|at| &COUNTRIES[at])
}

impl FromStr for Country {
    type Err = UnknownCountry;

    fn from_str(code: &str) -> Result<Self, UnknownCountry> {
        find(code)
            .and_then(|row| row.0.as_bytes().try_into().ok())
            .map(Self)
            .ok_or_else(|| UnknownCountry(code.chars().take(8).collect()))
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Country {
    fn schema_name() -> Cow<'static, str> {
        "Country".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "pattern": "^[A-Z]{2}$", "examples": ["NG", "GB"],
            "description": "ISO 3166-1 alpha-2 code of a country",
        })
    }

    fn inline_schema() -> bool {
        true
    }
}

static NIGERIA: LazyLock<Vec<(&'static str, &'static str)>> =
    LazyLock::new(|| rows(include_str!("../data/nigeria_states.json")));

/// Codes and names of the 36 states and the Federal Capital Territory, in the order of the codes
/// (`("LA", "Lagos")`); the code is that of ISO 3166-2 without `NG-`.
pub fn nigerian_states() -> &'static [(&'static str, &'static str)] {
    &NIGERIA
}

/// The name that belongs to a code such as `LA`.
pub fn nigerian_state(code: &str) -> Option<&'static str> {
    NIGERIA.binary_search_by(|row| row.0.cmp(code)).ok().map(|at| NIGERIA[at].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nigeria_and_britain_start_from_their_own_defaults() {
        let ng: Country = "NG".parse().unwrap();
        assert_eq!(ng, Country::NG);
        assert_eq!((ng.name(), ng.calling_code()), ("Nigeria", Some("234")));
        assert_eq!((ng.currency(), ng.time_zone(), ng.language()), (Currency::NGN, "Africa/Lagos", "en-NG"));
        assert_eq!(ng.region(), Region::Africa);
        let gb = Country::GB;
        assert_eq!((gb.name(), gb.calling_code()), ("United Kingdom", Some("44")));
        assert_eq!((gb.currency(), gb.time_zone(), gb.language()), (Currency::GBP, "Europe/London", "en-GB"));
        assert_eq!(gb.region(), Region::Europe);
    }

    #[test]
    fn a_code_is_two_capital_letters_of_the_list() {
        for wrong in ["", "N", "ng", "Ng", "NGA", "XX", "UK", " NG", "N\u{0}"] {
            let refusal = wrong.parse::<Country>().unwrap_err();
            assert_eq!((refusal.code(), refusal.0.as_str()), ("country-unknown", wrong));
        }
        let long = "N".repeat(10_000_000).parse::<Country>().unwrap_err();
        assert_eq!(long.0.len(), 8, "a refusal does not repeat ten megabytes");
    }

    #[test]
    fn every_row_is_in_order_and_usable() {
        let codes: Vec<_> = Country::all().map(|c| c.to_string()).collect();
        assert_eq!(codes.len(), 249);
        assert!(codes.is_sorted() && codes.windows(2).all(|pair| pair[0] != pair[1]));
        for country in Country::all() {
            assert_eq!(country.code().parse(), Ok(country));
            assert!(!country.name().is_empty());
            assert!(
                country.calling_code().is_none_or(|c| c.len() < 4 && c.bytes().all(|b| b.is_ascii_digit()))
            );
            assert!(
                jiff::tz::TimeZone::get(country.time_zone()).is_ok(),
                "{country}: {}",
                country.time_zone()
            );
            assert!(country.language().ends_with(country.code()));
        }
        for region in [Region::Africa, Region::Europe] {
            assert_eq!(region.country().region(), region);
        }
    }

    #[test]
    fn fifty_five_countries_live_in_the_african_region() {
        assert_eq!(Country::all().filter(|c| c.region() == Region::Africa).count(), 55);
        let at = |code: &str| code.parse::<Country>().unwrap().region();
        assert_eq!(["GH", "KE", "EG", "ZA", "SN"].map(at), [Region::Africa; 5]);
        assert_eq!(["IE", "US", "IN", "RE", "SH"].map(at), [Region::Europe; 5]);
    }

    #[test]
    fn json_is_the_plain_code() {
        assert_eq!(serde_json::to_string(&Country::NG).unwrap(), r#""NG""#);
        assert_eq!(serde_json::from_str::<Country>(r#""GB""#).unwrap(), Country::GB);
        assert!(serde_json::from_str::<Country>(r#""gb""#).is_err());
        assert_eq!(serde_json::to_string(&Region::Africa).unwrap(), format!("\"{}\"", Region::Africa));
        assert_eq!(serde_json::to_string(&Region::Europe).unwrap(), format!("\"{}\"", Region::Europe));
    }

    #[test]
    fn the_schema_is_two_capital_letters() {
        let schema = serde_json::to_value(schemars::schema_for!(Vec<Country>)).unwrap();
        assert_eq!(schema["items"]["pattern"], "^[A-Z]{2}$", "inline, without a reference");
    }

    #[test]
    fn nigeria_has_36_states_and_one_capital_territory() {
        let states = nigerian_states();
        assert_eq!(states.len(), 37);
        assert!(states.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(nigerian_state("LA"), Some("Lagos"));
        assert_eq!(nigerian_state("FC"), Some("Federal Capital Territory"));
        for wrong in ["", "la", "XX", "NG-LA", "Lagos"] {
            assert_eq!(nigerian_state(wrong), None, "{wrong}");
        }
    }
}
