//! What texts may do with a value: dates in the reader's zone, money, masked numbers.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use kernel::{money::Money, phone::E164};
use minijinja::{Environment, Error, ErrorKind, Value};

/// How a reader writes dates.
#[derive(Clone, Debug)]
pub struct Reader {
    pub zone: TimeZone,
    pub now: Timestamp,
}

fn wrong(detail: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, detail.into())
}

pub fn add(env: &mut Environment<'_>, reader: &Reader) {
    let of = reader.clone();
    env.add_filter("date", move |v: Value| day(&of, &v));
    let of = reader.clone();
    env.add_filter("time", move |v: Value| local(&of, &v, "%H:%M"));
    let of = reader.clone();
    env.add_filter("datetime", move |v: Value| local(&of, &v, "%-d %B %Y, %H:%M"));
    let of = reader.clone();
    env.add_filter("relative", move |v: Value| relative(&of, &v));
    env.add_filter("money", money);
    env.add_filter("phone_masked", |v: String| E164::stored(&v).map_or_else(|_| "…".into(), |p| p.masked()));
    env.add_filter("initials", |name: String| initials(&name));
    env.add_filter("words", |code: String| code.replace(['_', '.'], " "));
    env.add_filter("truncate", |text: String, most: usize| truncate(&text, most));
    env.add_filter("upper", |text: String| text.to_uppercase());
    env.add_filter("default", minijinja::filters::default);
    env.add_test("defined", minijinja::tests::is_defined);
    env.add_test("undefined", minijinja::tests::is_undefined);
}

fn moment(value: &Value) -> Result<Timestamp, Error> {
    let text = value.as_str().ok_or_else(|| wrong("expected a time"))?;
    text.parse().map_err(|_| wrong(format!("{text} is no time")))
}

fn local(reader: &Reader, value: &Value, format: &str) -> Result<String, Error> {
    Ok(moment(value)?.to_zoned(reader.zone.clone()).strftime(format).to_string())
}

fn day(reader: &Reader, value: &Value) -> Result<String, Error> {
    let text = value.as_str().ok_or_else(|| wrong("expected a date"))?;
    let date = match text.parse::<Date>() {
        Ok(date) if text.len() <= 10 => date,
        _ => moment(value)?.to_zoned(reader.zone.clone()).date(),
    };
    Ok(date.strftime("%-d %B %Y").to_string())
}

fn relative(reader: &Reader, value: &Value) -> Result<String, Error> {
    let minutes = moment(value)?.duration_since(reader.now).as_mins();
    let said = match minutes.abs() {
        m if m < 60 => format!("{m} min"),
        m if m < 48 * 60 => format!("{} h", m / 60),
        m => format!("{} d", m / (24 * 60)),
    };
    Ok(if minutes < 0 { format!("{said} ago") } else { format!("in {said}") })
}

fn money(value: Value) -> Result<String, Error> {
    let json = serde_json::to_value(&value).map_err(|e| wrong(e.to_string()))?;
    let money: Money = serde_json::from_value(json).map_err(|_| wrong("expected {amount, currency}"))?;
    Ok(money.to_string())
}

pub fn initials(name: &str) -> String {
    name.split_whitespace().filter_map(|word| word.chars().next()).map(|c| format!("{c}.")).collect()
}

pub fn truncate(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.into();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}
