//! What a text may call beside the language's own functions.

use crate::{Known, value};
use cel::{Context, Env, ExecutionError, Value as Cel, extractors::This, objects::Key};
use jiff::{Timestamp, Zoned, civil::Date, civil::Weekday, tz::TimeZone};
use kernel::money::Money;
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex},
};

type Text = Arc<String>;
type Said = Result<Cel, ExecutionError>;

/// Without optional values: they are syntax that nobody needs here.
pub(crate) fn environment() -> Env {
    Env::stdlib().with_optional_support(false)
}

static SHARED: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(environment()));

/// What the functions know of the input beside their arguments.
#[derive(Clone)]
struct About {
    now: Timestamp,
    zone: TimeZone,
    holidays: Arc<Vec<Date>>,
    roles: Arc<Vec<String>>,
    fields: Arc<Vec<String>>,
    /// The currency of the first `money` of this evaluation: amounts of two cannot be compared.
    currency: Arc<Mutex<Option<String>>>,
}

impl About {
    fn of(input: &Value) -> Self {
        let words = |v: &Value| -> Vec<String> {
            v.as_array().into_iter().flatten().filter_map(|w| w.as_str().map(Into::into)).collect()
        };
        let zone = input["tenant"]["zone"].as_str().and_then(|z| TimeZone::get(z).ok());
        let holidays = words(&input["tenant"]["settings"]["holidays"]);
        Self {
            now: input["now"].as_str().and_then(|t| t.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH),
            zone: zone.unwrap_or(TimeZone::UTC),
            holidays: Arc::new(holidays.iter().filter_map(|d| d.parse().ok()).collect()),
            roles: Arc::new(words(&input["actor"]["roles"])),
            fields: Arc::new(words(&input["change"]["fields"])),
            currency: Arc::default(),
        }
    }

    /// A time, or a date's beginning here.
    fn moment(&self, function: &str, text: &str) -> Result<Zoned, ExecutionError> {
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(at.to_zoned(self.zone.clone()));
        }
        let date = text.parse::<Date>().ok().and_then(|d| d.to_zoned(self.zone.clone()).ok());
        date.ok_or_else(|| {
            ExecutionError::function_error(function, format!("'{text}' is no time and no date"))
        })
    }
    fn works(&self, day: Date) -> bool {
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !self.holidays.contains(&day)
    }
}

/// The variables of an input and the functions over them.
pub(crate) fn context(known: &Known, input: &Value) -> Context<'static, 'static> {
    let mut context = Context::with_env(SHARED.clone());
    for name in known.variables() {
        if let Some(given) = input.get(name) {
            context.add_variable_from_value(name, value::of_json(given));
        }
    }
    let about = About::of(input);
    if add(&mut context, &about).is_err() {
        // Our names are none of the language's: a test calls each of them.
        debug_assert!(false, "a function of ours has a name of the language");
    }
    context
}

fn add(context: &mut Context<'static, 'static>, about: &About) -> Result<(), cel::DeclarationError> {
    let a = about.clone();
    context.add_function("time", move |t: Text| -> Said {
        Ok(Cel::Int(a.moment("time", &t)?.timestamp().as_second()))
    })?;
    let a = about.clone();
    context.add_function("local", move |t: Text| -> Said { Ok(local(&a.moment("local", &t)?)) })?;
    let a = about.clone();
    context.add_function("days_between", move |from: Text, to: Text| -> Said {
        let (from, to) = (a.moment("days_between", &from)?, a.moment("days_between", &to)?);
        let days = from.date().duration_until(to.date()).as_hours() / 24;
        Ok(Cel::Int(days))
    })?;
    let a = about.clone();
    context.add_function("age_hours", move |t: Text| -> Said {
        let seconds = a.now.duration_since(a.moment("age_hours", &t)?.timestamp()).as_secs();
        Ok(Cel::Float(seconds as f64 / 3600.0))
    })?;
    let a = about.clone();
    context.add_function("in_hours", move |from: Text, to: Text| -> Said { in_hours(&a, &from, &to) })?;
    let a = about.clone();
    context.add_function("working_day", move |t: Text| -> Said {
        Ok(Cel::Bool(a.works(a.moment("working_day", &t)?.date())))
    })?;
    let a = about.clone();
    context.add_function("has_role", move |role: Text| -> Said { Ok(Cel::Bool(a.roles.contains(&role))) })?;
    let a = about.clone();
    context.add_function("changed", move |path: Text| -> Said {
        let under = format!("{path}.");
        Ok(Cel::Bool(a.fields.iter().any(|f| *f == *path || f.starts_with(&under))))
    })?;
    let a = about.clone();
    context.add_function("money", move |m: Cel| -> Said { money(&a, &m) })?;
    context.add_function("matches", |This(text): This<Text>, pattern: Text| -> Said {
        let pattern = regex_lite::Regex::new(&pattern);
        let pattern = pattern.map_err(|e| ExecutionError::function_error("matches", e))?;
        Ok(Cel::Bool(pattern.is_match(&text)))
    })
}

fn local(at: &Zoned) -> Cel {
    let text = |t: String| Cel::String(Arc::new(t));
    let weekday = at.strftime("%A").to_string().to_lowercase();
    let entries = [
        ("date", text(at.date().to_string())),
        ("time", text(at.strftime("%H:%M").to_string())),
        ("weekday", text(weekday)),
        ("year", Cel::Int(at.year().into())),
        ("month", Cel::Int(at.month().into())),
        ("day", Cel::Int(at.day().into())),
        ("hour", Cel::Int(at.hour().into())),
        ("minute", Cel::Int(at.minute().into())),
    ];
    let entries: HashMap<Key, Cel> =
        entries.into_iter().map(|(k, v)| (Key::String(Arc::new(k.to_string())), v)).collect();
    Cel::from(entries)
}

/// Whether it is now between two times of the day; over midnight, if the second is the smaller.
fn in_hours(about: &About, from: &str, to: &str) -> Said {
    let read = |t: &str| {
        let time = jiff::civil::Time::strptime("%H:%M", t);
        time.map_err(|_| ExecutionError::function_error("in_hours", format!("'{t}' is no time: write 08:00")))
    };
    let (from, to) = (read(from)?, read(to)?);
    let now = about.now.to_zoned(about.zone.clone()).time();
    let within = if from <= to { from <= now && now < to } else { now >= from || now < to };
    Ok(Cel::Bool(within))
}

fn money(about: &About, given: &Cel) -> Said {
    let wrong = |detail: String| ExecutionError::function_error("money", detail);
    let given = value::to_json(given).map_err(wrong)?;
    let money: Money = serde_json::from_value(given).map_err(|_| {
        wrong("expected an amount and a currency: {'amount': '50.00', 'currency': 'NGN'}".into())
    })?;
    let code = money.currency().code().to_string();
    let mut seen = about.currency.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    match &*seen {
        Some(other) if *other != code => Err(wrong(format!("{other} and {code} cannot be compared"))),
        _ => {
            *seen = Some(code);
            Ok(Cel::Int(money.in_minor()))
        }
    }
}
