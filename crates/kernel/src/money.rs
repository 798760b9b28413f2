//! Amounts of money: exact, in whole minor units (kobo, pence), never in floating point.
//! Currencies and their minor digits are `data/currencies.json` (ISO 4217).
use std::{borrow::Cow, cmp::Ordering, fmt, str::FromStr, sync::LazyLock};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::Fault;

/// A currency of ISO 4217, written as its three capital letters (`NGN`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    digits: u8,
}

/// Code, minor digits, English name.
static CURRENCIES: LazyLock<Vec<(&'static str, u8, &'static str)>> =
    LazyLock::new(|| crate::country::rows(include_str!("../data/currencies.json")));

impl Currency {
    pub const EUR: Self = Self { code: *b"EUR", digits: 2 };
    pub const GBP: Self = Self { code: *b"GBP", digits: 2 };
    pub const NGN: Self = Self { code: *b"NGN", digits: 2 };
    pub const USD: Self = Self { code: *b"USD", digits: 2 };

    pub fn code(&self) -> &str {
        // Made only from codes of the table, which are ASCII.
        std::str::from_utf8(&self.code).unwrap_or_default()
    }

    /// Decimal places of the smallest unit: 2 for naira, 0 for yen, 3 for dinar.
    pub const fn minor_digits(self) -> u32 {
        self.digits as u32
    }

    /// Every currency of the table, in the order of the codes.
    pub fn all() -> impl Iterator<Item = Self> {
        CURRENCIES.iter().filter_map(|row| row.0.parse().ok())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let row = CURRENCIES.binary_search_by(|row| row.0.cmp(text)).ok().map(|at| &CURRENCIES[at]);
        row.and_then(|row| Some(Self { code: row.0.as_bytes().try_into().ok()?, digits: row.1 }))
            .ok_or(MoneyError::UnknownCurrency)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("write the amount as a decimal without separators, such as 1250.00")]
    NotDecimal,
    #[error("the currency has only {0} decimal places")]
    TooPrecise(u32),
    #[error("the amount is too large")]
    TooLarge,
    #[error("this is no currency code of ISO 4217: write three capital letters, such as NGN")]
    UnknownCurrency,
    #[error("{0} and {1} cannot be added without a rate")]
    MixedCurrencies(Currency, Currency),
}

impl MoneyError {
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotDecimal => "amount-not-decimal",
            Self::TooPrecise(_) => "amount-too-precise",
            Self::TooLarge => "amount-too-large",
            Self::UnknownCurrency => "currency-unknown",
            Self::MixedCurrencies(..) => "currencies-differ",
        }
    }

    pub fn fault(self, pointer: impl Into<String>) -> Fault {
        Fault::new(pointer, self.code(), self.to_string())
    }
}

/// What happens to the part of a minor unit that a share leaves over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest, halves away from zero: what invoices and payslips use.
    HalfUp,
    /// To the nearest, halves to the even neighbour.
    HalfEven,
    /// Towards zero.
    Down,
}

/// An exact amount. In JSON `{"amount": "1250.00", "currency": "NGN"}`, always with all minor digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Digits before the point that are accepted: far above any ledger, far below an overflow.
const WHOLE_DIGITS: usize = 14;

impl Money {
    /// From minor units: `Money::minor(125_000, Currency::NGN)` is NGN 1250.00.
    pub const fn minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// From a decimal such as `1250`, `1250.5` or `-0.05`; never rounds.
    pub fn parse(amount: &str, currency: Currency) -> Result<Self, MoneyError> {
        let (negative, digits) = amount.strip_prefix('-').map_or((false, amount), |rest| (true, rest));
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return Err(MoneyError::NotDecimal),
            Some(parts) => parts,
            None => (digits, ""),
        };
        let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return Err(MoneyError::NotDecimal);
        }
        if whole.len() > 1 && whole.starts_with('0') {
            return Err(MoneyError::NotDecimal);
        }
        let places = currency.minor_digits();
        if fraction.len() > places as usize {
            return Err(MoneyError::TooPrecise(places));
        }
        if whole.len() > WHOLE_DIGITS {
            return Err(MoneyError::TooLarge);
        }
        // At most 14 + 4 digits, which an i64 holds.
        let minor = whole.bytes().chain(fraction.bytes()).fold(0, |sum, b| sum * 10 + i64::from(b - b'0'));
        let minor = minor * 10_i64.pow(places - fraction.len() as u32);
        Ok(Self { minor: if negative { -minor } else { minor }, currency })
    }

    pub const fn in_minor(self) -> i64 {
        self.minor
    }

    pub const fn currency(self) -> Currency {
        self.currency
    }

    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// The decimal with all minor digits: `1250.00`.
    pub fn amount(self) -> String {
        let places = self.currency.minor_digits() as usize;
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0width$}", self.minor.unsigned_abs(), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }

    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_add(other.minor))
    }

    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_sub(other.minor))
    }

    pub fn times(self, count: i64) -> Result<Self, MoneyError> {
        self.with(self.minor.checked_mul(count))
    }

    pub fn negated(self) -> Result<Self, MoneyError> {
        self.with(self.minor.checked_neg())
    }

    /// `numerator / denominator` of the amount; 7.5 % is `share(75, 1000, …)`. A denominator of zero
    /// has no answer and is `TooLarge`.
    pub fn share(self, numerator: i64, denominator: i64, rounding: Rounding) -> Result<Self, MoneyError> {
        if denominator == 0 {
            return Err(MoneyError::TooLarge);
        }
        let product = i128::from(self.minor) * i128::from(numerator);
        let rounded = divide(product, i128::from(denominator), rounding);
        self.with(i64::try_from(rounded).ok())
    }

    /// Cut into `parts` amounts that differ by at most one minor unit and sum to the whole; the larger
    /// ones come first. No parts give an empty list.
    pub fn split(self, parts: u32) -> Vec<Self> {
        let count = i64::from(parts);
        (0..count)
            .map(|at| {
                let (each, left) = (self.minor / count, self.minor % count);
                let extra = if at < left.abs() { left.signum() } else { 0 };
                Self { minor: each + extra, currency: self.currency }
            })
            .collect()
    }

    /// The order of two amounts of one currency; amounts of two currencies have none.
    pub fn compare(self, other: Self) -> Result<Ordering, MoneyError> {
        self.same_currency(other)?;
        Ok(self.minor.cmp(&other.minor))
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::MixedCurrencies(self.currency, other.currency))
    }

    fn with(self, minor: Option<i64>) -> Result<Self, MoneyError> {
        minor.map(|minor| Self { minor, ..self }).ok_or(MoneyError::TooLarge)
    }
}

fn divide(product: i128, denominator: i128, rounding: Rounding) -> i128 {
    let (whole, rest) = (product / denominator, product % denominator);
    let away = if (product < 0) == (denominator < 0) { 1 } else { -1 };
    let up = match (rest.unsigned_abs() * 2).cmp(&denominator.unsigned_abs()) {
        Ordering::Less => false,
        Ordering::Equal => match rounding {
            Rounding::HalfUp => true,
            Rounding::HalfEven => whole % 2 != 0,
            Rounding::Down => false,
        },
        Ordering::Greater => rounding != Rounding::Down,
    };
    if up { whole + away } else { whole }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency, self.amount())
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    #[serde(borrow)]
    amount: Cow<'a, str>,
    currency: Currency,
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Wire { amount: self.amount().into(), currency: self.currency }.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(from)?;
        Self::parse(&wire.amount, wire.currency).map_err(D::Error::custom)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "pattern": "^[A-Z]{3}$", "examples": ["NGN", "GBP"],
            "description": "ISO 4217 code of a currency",
        })
    }

    fn inline_schema() -> bool {
        true
    }
}

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object", "required": ["amount", "currency"], "additionalProperties": false,
            "properties": {
                "amount": {
                    "type": "string", "pattern": r"^-?(0|[1-9][0-9]{0,13})(\.[0-9]{1,4})?$",
                    "maxLength": 20, "examples": ["1250.00"],
                    "description": "Decimal with at most the currency's minor digits",
                },
                "currency": generator.subschema_for::<Currency>(),
            },
        })
    }
}

#[cfg(test)]
#[path = "money_tests.rs"]
mod tests;
