//! The sections, one struct each.

use super::{Part, Section};
use ipnet::IpNet;
use jiff::{
    civil::{Date, Time},
    tz::TimeZone,
};
use kernel::{DocumentId, Error, Fault, Result, country::Country, error::faultless, money::Currency};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use web::gate::{BUILT, CORE, TenantGate};

/// Calls a function that is generic over the section's type.
macro_rules! with_part {
    ($section:expr, $f:ident($($arg:expr),*)) => {
        match $section {
            $crate::settings::Section::Brand => $f::<$crate::settings::parts::Brand>($($arg),*),
            $crate::settings::Section::Locale => $f::<$crate::settings::parts::Locale>($($arg),*),
            $crate::settings::Section::Tax => $f::<$crate::settings::parts::Tax>($($arg),*),
            $crate::settings::Section::Hours => $f::<$crate::settings::parts::Hours>($($arg),*),
            $crate::settings::Section::Scheduling => $f::<$crate::settings::parts::Scheduling>($($arg),*),
            $crate::settings::Section::Numbering => $f::<$crate::settings::numbering::Numbering>($($arg),*),
            $crate::settings::Section::CustomFields => $f::<$crate::settings::custom::CustomFields>($($arg),*),
            $crate::settings::Section::Policies => $f::<$crate::settings::policies::Policies>($($arg),*),
            $crate::settings::Section::Ui => $f::<$crate::settings::parts::Ui>($($arg),*),
            $crate::settings::Section::Modules => $f::<$crate::settings::parts::Modules>($($arg),*),
            $crate::settings::Section::Access => $f::<$crate::settings::parts::Access>($($arg),*),
        }
    };
}
pub(crate) use with_part;

/// White label: how letters and pages look.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Brand {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logo: Option<DocumentId>,
    /// By name: `primary` → `#0a7cff`.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 20))]
    pub colours: BTreeMap<String, Colour>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub sender_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 300), extend("format" = "uri"))]
    pub terms_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 300), extend("format" = "uri"))]
    pub privacy_url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Colour(#[schemars(regex(pattern = r"^#[0-9a-fA-F]{6}$"))] pub String);

impl Part for Brand {
    const SECTION: Section = Section::Brand;
    fn first(_: Country) -> Self {
        Self::default()
    }
    /// What prints need.
    fn publish(&self, gate: &mut TenantGate) {
        let colour = self.colours.get("primary").map(|c| c.0.clone());
        for (name, value) in [("brand.logo", self.logo.map(|l| l.to_string())), ("brand.colour", colour)] {
            match value {
                Some(value) => gate.policies.insert(name.into(), value.into()),
                None => gate.policies.remove(name),
            };
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Locale {
    /// BCP 47.
    #[schemars(regex(pattern = r"^[a-z]{2,3}(-[A-Z]{2})?$"))]
    pub language: String,
    /// IANA.
    #[schemars(length(max = 60))]
    pub time_zone: String,
    pub currency: Currency,
    #[serde(default)]
    #[schemars(length(max = 10), extend("uniqueItems" = true))]
    pub extra_currencies: Vec<Currency>,
    #[schemars(regex(pattern = r"^(DD|MM|YYYY)([/.-])(DD|MM)([/.-])(DD|YYYY)$"))]
    pub date_format: String,
    /// 1 = Monday … 7 = Sunday.
    #[schemars(range(min = 1, max = 7))]
    pub first_weekday: u8,
}

impl Part for Locale {
    const SECTION: Section = Section::Locale;
    fn first(country: Country) -> Self {
        Self {
            language: country.language().into(),
            time_zone: country.time_zone().into(),
            currency: country.currency(),
            extra_currencies: vec![],
            date_format: "DD/MM/YYYY".into(),
            first_weekday: 1,
        }
    }
    fn check(&mut self, _: &Self, _: &TenantGate) -> Result<()> {
        match TimeZone::get(&self.time_zone) {
            Ok(_) => Ok(()),
            Err(_) => Err(Error::field(
                "time-zone",
                "/time_zone",
                format!("{:?} is no time zone: write Africa/Lagos", self.time_zone),
            )),
        }
    }
    fn publish(&self, gate: &mut TenantGate) {
        gate.language = self.language.clone();
        gate.time_zone = self.time_zone.clone();
        gate.currency = self.currency.to_string();
    }
}

/// Per cent with two decimals, by the day from which they hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tax {
    #[schemars(length(max = 50))]
    pub rates: Vec<TaxRate>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaxRate {
    pub from: Date,
    #[schemars(regex(pattern = r"^(100\.00|[0-9]{1,2}\.[0-9]{2})$"))]
    pub tax_rate: String,
    /// Of medical services and products.
    #[schemars(regex(pattern = r"^(100\.00|[0-9]{1,2}\.[0-9]{2})$"))]
    pub medical_rate: String,
}

#[derive(Deserialize)]
struct TaxTable {
    rates: BTreeMap<String, Vec<TaxRate>>,
}

impl Part for Tax {
    const SECTION: Section = Section::Tax;
    fn first(country: Country) -> Self {
        let table: TaxTable =
            serde_json::from_str(include_str!("../../data/tax.json")).expect("read by this crate's tests");
        Self { rates: table.rates.get(country.code()).cloned().unwrap_or_default() }
    }
    fn check(&mut self, _: &Self, _: &TenantGate) -> Result<()> {
        self.rates.sort_by_key(|r| r.from);
        match self.rates.windows(2).position(|pair| pair[0].from == pair[1].from) {
            Some(at) => {
                Err(Error::field("repeated", format!("/rates/{}", at + 1), "two rates begin on the same day"))
            }
            None => Ok(()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    pub from: Time,
    /// Before `from`: it ends on the next day.
    pub to: Time,
}

/// When it is open: per weekday up to four spans, which may pass midnight.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Hours {
    #[serde(default)]
    pub operating_hours: Week,
    #[serde(default)]
    #[schemars(length(max = 100), extend("uniqueItems" = true))]
    pub holidays: Vec<Date>,
}

macro_rules! week {
    ($($day:ident),+) => {
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
        pub struct Week { $(#[serde(default)] #[schemars(length(max = 4))] pub $day: Vec<Span>),+ }
        impl Week {
            fn days(&self) -> [(&'static str, &[Span]); 7] { [$((stringify!($day), &self.$day[..])),+] }
        }
    };
}
week!(monday, tuesday, wednesday, thursday, friday, saturday, sunday);

impl Hours {
    /// Spans of one day do not overlap, and none is empty.
    pub fn faults(&self, at: &str) -> Vec<Fault> {
        let mut faults = vec![];
        for (day, spans) in self.operating_hours.days() {
            for (n, span) in spans.iter().enumerate() {
                let here = format!("{at}/operating_hours/{day}/{n}");
                if span.from == span.to {
                    faults.push(Fault::new(&here, "empty", "begins when it ends"));
                }
                if spans[..n].iter().any(|other| overlap(other, span)) {
                    faults.push(Fault::new(&here, "overlap", "overlaps another span of the day"));
                }
            }
        }
        faults
    }
}

fn overlap(a: &Span, b: &Span) -> bool {
    let minutes = |t: Time| i32::from(t.hour()) * 60 + i32::from(t.minute());
    let of = |s: &Span| {
        let (from, to) = (minutes(s.from), minutes(s.to));
        (from, if to <= from { to + 24 * 60 } else { to })
    };
    let ((a0, a1), (b0, b1)) = (of(a), of(b));
    a0 < b1 && b0 < a1
}

impl Part for Hours {
    const SECTION: Section = Section::Hours;
    fn first(_: Country) -> Self {
        Self::default()
    }
    fn check(&mut self, _: &Self, _: &TenantGate) -> Result<()> {
        self.holidays.sort_unstable();
        faultless(self.faults(""))
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scheduling {
    #[schemars(range(min = 5, max = 240))]
    pub appointment_slot_minutes: u16,
}

impl Part for Scheduling {
    const SECTION: Section = Section::Scheduling;
    fn first(_: Country) -> Self {
        Self { appointment_slot_minutes: 15 }
    }
    fn publish(&self, gate: &mut TenantGate) {
        gate.policies
            .insert("scheduling.appointment_slot_minutes".into(), self.appointment_slot_minutes.into());
    }
}

/// Screens and widgets that a role does not see. Convenience only, never a permission.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Ui(pub BTreeMap<String, Vec<String>>);

impl Part for Ui {
    const SECTION: Section = Section::Ui;
    fn first(_: Country) -> Self {
        Self::default()
    }
    fn check(&mut self, _: &Self, _: &TenantGate) -> Result<()> {
        let unknown = |role: &String| authz::role(role).is_none() && !role.starts_with("x_");
        let wrong = self
            .0
            .keys()
            .filter(|r| unknown(r))
            .map(|r| Fault::new(format!("/{r}"), "role-unknown", "there is no such role"));
        faultless(wrong.collect())
    }
}

/// Modules that are switched, inside what the plan gives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Modules {
    /// By module; what is not named is on.
    #[serde(default)]
    pub switched: BTreeMap<String, bool>,
    /// Every step of AI is done by hand.
    #[serde(default)]
    pub ai_manual: bool,
}

impl Part for Modules {
    const SECTION: Section = Section::Modules;
    fn first(_: Country) -> Self {
        Self::default()
    }
    fn check(&mut self, _: &Self, gate: &TenantGate) -> Result<()> {
        for (name, on) in &self.switched {
            let at = format!("/switched/{name}");
            if !crate::plan::catalogue::is_module(name) {
                return Err(Error::field("module-unknown", at, "there is no such module"));
            }
            if CORE.contains(&name.as_str()) && !on {
                return Err(Error::field("module-core", at, "this module is never switched off"));
            }
            if *on && !CORE.contains(&name.as_str()) && !gate.licensed.contains(name) {
                let plans = gate.lifted_by.get(name).cloned().unwrap_or_default();
                let detail = format!("the plan {} does not include {name}", gate.plan);
                return Err(Error::forbidden("module-not-licensed", detail)
                    .with("module", name)
                    .with("plans", plans));
            }
        }
        Ok(())
    }
    fn publish(&self, gate: &mut TenantGate) {
        let runs = |m: &&String| BUILT.contains(&m.as_str()) && self.switched.get(*m) != Some(&false);
        gate.on = gate.licensed.iter().filter(runs).cloned().collect();
        gate.policies.insert("modules.ai_manual".into(), self.ai_manual.into());
    }
}

/// From where browsers and partners may call.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Access {
    #[serde(default)]
    #[schemars(length(max = 20), extend("uniqueItems" = true))]
    pub cors_origins: Vec<Origin>,
    /// CIDR; empty = from anywhere.
    #[serde(default)]
    #[schemars(length(max = 50), inner(length(max = 43)))]
    pub api_allow: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Origin(
    #[schemars(regex(pattern = r"^https://[a-z0-9.-]{3,250}(:[0-9]{2,5})?$"))]
    pub String,
);

impl Part for Access {
    const SECTION: Section = Section::Access;
    fn first(_: Country) -> Self {
        Self::default()
    }
    fn check(&mut self, _: &Self, _: &TenantGate) -> Result<()> {
        let wrong = self.api_allow.iter().enumerate().filter(|(_, n)| n.parse::<IpNet>().is_err());
        faultless(
            wrong
                .map(|(n, _)| Fault::new(format!("/api_allow/{n}"), "cidr", "write a network: 10.1.0.0/16"))
                .collect(),
        )
    }
}

/// The first values of a section, and the gate with what they publish.
pub fn first(section: Section, country: Country, gate: &TenantGate) -> (Value, TenantGate) {
    fn of<P: Part>(country: Country, gate: &TenantGate) -> (Value, TenantGate) {
        let (part, mut gate) = (P::first(country), gate.clone());
        part.publish(&mut gate);
        (serde_json::to_value(part).unwrap_or_else(|_| json!({})), gate)
    }
    with_part!(section, of(country, gate))
}
