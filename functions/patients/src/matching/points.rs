//! The table of points, a row per function. In a row only the best line counts, once.

use super::{Member, Person};
use crate::{patient::Gender, spelling};
use jiff::civil::Date;
use kernel::identifier::comparable;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::HashMap, sync::LazyLock};

/// What one row gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Factor {
    pub field: String,
    pub points: i64,
    /// In words: `agree`, `same sound`, …
    pub why: String,
}

/// What a comparison leaves out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// A newborn has its mother's name and telephone: they say nothing.
    pub newborn: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Score {
    /// 0–100.
    pub points: i64,
    /// One identity number is the same.
    pub strong: bool,
    pub factors: Vec<Factor>,
    /// Family, date and telephone are the same and the first name is not: twins, perhaps.
    pub twins: bool,
    /// The same identity number, and almost nothing else.
    pub conflict: bool,
}

type Line = Option<(i64, &'static str)>;

pub fn score(a: &Person, b: &Person, options: Options) -> Score {
    let documents = documents(a, b);
    let (family, given) = names(a, b, options);
    let phone = if options.newborn { None } else { phone(a, b) };
    let birth = birth(a, b);
    let rows: [(&str, Line); 9] = [
        ("identifier", documents.line),
        ("coverage", coverage(&a.members, &b.members)),
        ("birth_date", birth),
        ("phone", phone),
        ("email", email(a, b)),
        ("gender", gender(a.gender, b.gender)),
        ("address", address(a, b)),
        ("family_name", family),
        ("given_names", given),
    ];
    let mut factors: Vec<Factor> = vec![];
    for (field, line) in rows {
        if let Some((points, why)) = line {
            factors.push(Factor { field: field.into(), points, why: why.into() });
        }
    }
    let sum: i64 = factors.iter().map(|f| f.points).sum();
    let twins = family == Some((20, AGREE))
        && birth == Some((30, AGREE))
        && phone.is_some_and(|(p, _)| p > 0)
        && given.is_some_and(|(p, _)| p < 0);
    let points = sum.clamp(0, 100);
    Score { points, strong: documents.strong, factors, twins, conflict: documents.strong && sum < 20 }
}

const AGREE: &str = "agree";

struct Documents {
    strong: bool,
    line: Line,
}

/// A number given for life agrees or speaks against; another document only ever agrees.
fn documents(a: &Person, b: &Person) -> Documents {
    let (mut strong, mut against) = (false, false);
    for x in &a.documents {
        for y in b.documents.iter().filter(|y| y.scheme == x.scheme && y.issuer == x.issuer) {
            if comparable(&x.value) == comparable(&y.value) {
                strong = true;
            } else if x.scheme.is_strong() {
                against = true;
            }
        }
    }
    let line = match (strong, against) {
        (true, _) => Some((0, "the same identity number")),
        (false, true) => Some((-40, "two different identity numbers")),
        _ => None,
    };
    Documents { strong, line }
}

fn coverage(a: &[Member], b: &[Member]) -> Line {
    let same = |x: &Member, y: &Member| x.payer == y.payer && comparable(&x.number) == comparable(&y.number);
    let pairs = || a.iter().flat_map(|x| b.iter().map(move |y| (x, y))).filter(|(x, y)| same(x, y));
    if pairs().any(|(x, y)| x.relation == y.relation && x.ordinal == y.ordinal) {
        return Some((60, "the same member"));
    }
    pairs().next().map(|_| (10, "the same principal, another member"))
}

fn birth(a: &Person, b: &Person) -> Line {
    let (x, y) = (a.birth?, b.birth?);
    let estimated = a.estimated() || b.estimated();
    let years = (i32::from(x.year()) - i32::from(y.year())).abs();
    let same_day = x.month() == y.month() && x.day() == y.day();
    Some(match () {
        () if x == y => (30, AGREE),
        () if x.year() == y.year() && x.month() == y.day() && x.day() == y.month() => {
            (20, "day and month swapped")
        }
        () if digits_apart(x, y) == 1 => (15, "one digit differs"),
        () if same_day && matches!(years, 1 | 10) => (15, "another year, the same day"),
        () if estimated && apart(x, y, 2) => (10, "estimated, within two years"),
        () if estimated && apart(x, y, 5) => return None,
        () => (-20, "differ"),
    })
}

fn digits_apart(x: Date, y: Date) -> usize {
    let (x, y) = (x.to_string(), y.to_string());
    x.bytes().zip(y.bytes()).filter(|(a, b)| a != b).count()
}

fn apart(x: Date, y: Date, years: i16) -> bool {
    let (early, late) = if x < y { (x, y) } else { (y, x) };
    early.saturating_add(jiff::Span::new().years(years)) >= late
}

/// Both rows of the name; or, where family and given name stand in each other's place, one for both.
fn names(a: &Person, b: &Person, options: Options) -> (Line, Line) {
    let given = given(a, b);
    if options.newborn {
        return (None, given);
    }
    let family = family(a, b);
    let points = |line: Line| line.map_or(0, |(p, _)| p);
    let alike = |x: &str, y: &str| !x.is_empty() && !y.is_empty() && strsim::jaro_winkler(x, y) >= 0.92;
    let swapped = alike(&a.family, b.first_given()) && alike(a.first_given(), &b.family);
    if swapped && points(family) + points(given) < 34 {
        return (Some((34, "family and given name swapped")), None);
    }
    (family, given)
}

fn family(a: &Person, b: &Person) -> Line {
    let (x, y) = (&a.family, &b.family);
    if x.is_empty() || y.is_empty() {
        return None;
    }
    let previous = |of: &Person, name: &String| {
        of.previous.iter().any(|p| p == name || p.split(' ').any(|word| word == name))
    };
    Some(match () {
        () if x == y => (20, AGREE),
        () if strsim::jaro_winkler(x, y) >= 0.92 => (14, "similar"),
        () if previous(a, y) || previous(b, x) => (14, "a previous name"),
        () if a.sound() == b.sound() => (10, "same sound"),
        () => (-10, "differ"),
    })
}

fn given(a: &Person, b: &Person) -> Line {
    let (x, y) = (a.first_given(), b.first_given());
    if x.is_empty() || y.is_empty() {
        return None;
    }
    let among = |name: &str, of: &Person| of.given.iter().chain(&of.middle).any(|n| n == name);
    let initial = |x: &str, y: &str| x.chars().count() == 1 && y.starts_with(x);
    Some(match () {
        () if x == y => (20, AGREE),
        () if among(x, b) || among(y, a) => (14, "one of the given names"),
        () if strsim::jaro_winkler(x, y) >= 0.90 => (12, "similar"),
        () if nicknames(x, y) => (10, "a short form"),
        () if spelling::sound(x) == spelling::sound(y) => (8, "same sound"),
        () if initial(x, y) || initial(y, x) => (5, "the initial"),
        () => (-10, "differ"),
    })
}

/// Names to the groups they belong to; one may be a short form of several.
static NICKNAMES: LazyLock<HashMap<String, Vec<usize>>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct File {
        groups: Vec<Vec<String>>,
    }
    let file: File =
        serde_json::from_str(include_str!("../../data/nicknames.json")).expect("our own data file");
    let mut all: HashMap<String, Vec<usize>> = HashMap::new();
    for (group, names) in file.groups.into_iter().enumerate() {
        names.into_iter().for_each(|name| all.entry(name).or_default().push(group));
    }
    all
});

fn nicknames(x: &str, y: &str) -> bool {
    let groups = |name: &str| NICKNAMES.get(name).map(Vec::as_slice).unwrap_or_default();
    groups(x).iter().any(|g| groups(y).contains(g))
}

fn phone(a: &Person, b: &Person) -> Line {
    let pairs = || a.phones.iter().flat_map(|x| b.phones.iter().map(move |y| (x, y)));
    let same = || pairs().filter(|(x, y)| x.number == y.number);
    if same().any(|(x, y)| !x.relative && !y.relative) {
        return Some((25, AGREE));
    }
    same().next().map(|_| (10, "a relative's number"))
}

fn email(a: &Person, b: &Person) -> Line {
    (a.email.is_some() && a.email == b.email).then_some((15, AGREE))
}

fn gender(a: Option<Gender>, b: Option<Gender>) -> Line {
    match (a?, b?) {
        (Gender::Unknown, _) | (_, Gender::Unknown) => None,
        (x, y) if x == y => Some((2, AGREE)),
        _ => Some((-15, "differ")),
    }
}

fn address(a: &Person, b: &Person) -> Line {
    let same = |x: &Option<String>, y: &Option<String>| x.is_some() && x == y;
    let lga = same(&a.lga, &b.lga);
    if same(&a.postcode, &b.postcode) || (lga && same(&a.city, &b.city)) {
        return Some((4, AGREE));
    }
    lga.then_some((2, "the same local government area"))
}
