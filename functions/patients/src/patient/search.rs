//! Who is this? By number, telephone, document, e-mail or name; and the plain list of the register.

use super::{
    Patient, Status,
    card::Card,
    number::{Numbering, Place},
};
use crate::{care, flag::FlagFact, spelling};
use futures::future::{join, try_join_all};
use jiff::{Timestamp, civil::Date};
use kernel::{Error, PatientId, Result, SiteId, country::Country, identifier::comparable, phone::E164};
use schemars::JsonSchema;
use serde::Deserialize;
use store::{Entity, Key, Prefix, Record, Wanted, facts};
use web::{Answer, Ctx, Query, Reach, Reached, noun::Pages};

/// Cards that one answer holds.
const MOST: usize = 100;
/// Letters below which a name finds half the town.
const LETTERS: usize = 3;

#[derive(Debug, Default, Deserialize, JsonSchema)]
pub struct Asked {
    /// Anything: a number, a telephone, a document, an e-mail address, words of a name.
    #[schemars(length(min = 1, max = 100))]
    pub q: Option<String>,
    #[schemars(length(min = 1, max = 40))]
    pub number: Option<String>,
    #[schemars(length(min = 3, max = 40))]
    pub phone: Option<String>,
    #[schemars(length(min = 3, max = 60))]
    pub identifier: Option<String>,
    #[schemars(length(min = 1, max = 100))]
    pub name: Option<String>,
    /// Narrows a name.
    pub birth_date: Option<Date>,
    /// `me`: patients under the caller's care.
    pub assigned: Option<Mine>,
    pub site: Option<SiteId>,
    pub status: Option<Status>,
    /// Registered then or later.
    pub registered_from: Option<Timestamp>,
    pub registered_to: Option<Timestamp>,
    pub deleted: Option<bool>,
    #[schemars(range(min = 1, max = 100))]
    pub limit: Option<i32>,
    #[schemars(length(min = 1, max = 1000))]
    pub cursor: Option<String>,
}

kernel::words! { pub enum Mine { Me = "me" } }

/// What to look for, read from what was typed.
#[derive(Debug, PartialEq, Eq)]
pub enum Sought {
    /// Unique numbers in the order of preference.
    Number(Vec<String>),
    Phone(String),
    /// A telephone, or an identity number of so many digits.
    PhoneOrDocument(Option<String>, Vec<String>),
    Email(String),
    Name(Vec<String>),
}

pub async fn list(ctx: Ctx, Query(asked): Query<Asked>) -> Answer {
    let form = sought(&ctx, &asked).await?;
    let by_name = matches!(form, Some(Sought::Name(_)));
    let ids = if asked.assigned.is_some() {
        care::of(&ctx, &ctx.actor().user, MOST).await?
    } else {
        match &form {
            None => return page(&ctx, asked).await,
            Some(sought) => find(&ctx, sought).await?,
        }
    };
    let words = asked.name.as_deref().or(asked.q.as_deref()).map(words).unwrap_or_default();
    let fits = |record: &Record<Patient>| !by_name || named(record, &words, asked.birth_date);
    cards(&ctx, ids, fits).await
}

/// The one form of search that was asked for; nothing, for the plain list.
async fn sought(ctx: &Ctx, asked: &Asked) -> Result<Option<Sought>> {
    let forms = [&asked.q, &asked.number, &asked.phone, &asked.identifier, &asked.name].map(Option::is_some);
    match forms.iter().filter(|f| **f).count() {
        0 if asked.birth_date.is_some() => {
            Err(Error::invalid("?birth_date", "birth-date-alone", "a birth date narrows a name; give both"))
        }
        0 => Ok(None),
        1 => one(ctx, asked).await.map(Some),
        _ => Err(Error::invalid(
            "?",
            "unsupported-filter",
            "search by one of q, number, phone, identifier, name",
        )),
    }
}

async fn one(ctx: &Ctx, asked: &Asked) -> Result<Sought> {
    let home = ctx.tenant()?.country.parse().unwrap_or(Country::NG);
    if let Some(number) = &asked.number {
        return Ok(Sought::Number(vec![number.trim().to_ascii_uppercase()]));
    }
    if let Some(phone) = &asked.phone {
        let number = E164::parse(phone, home);
        return number
            .map(|n| Sought::Phone(n.to_string()))
            .map_err(|e| Error::Invalid(vec![e.fault("?phone")]));
    }
    if let Some(identifier) = &asked.identifier {
        return Ok(Sought::PhoneOrDocument(None, vec![comparable(identifier)]));
    }
    if let Some(name) = &asked.name {
        return Ok(Sought::Name(words(name)));
    }
    let numbering = Numbering::of_patients(ctx);
    let place = Place::of(ctx, &numbering, main(ctx)).await.ok();
    read(asked.q.as_deref().unwrap_or_default(), &numbering, place.as_ref(), home)
}

/// The site whose numbers a running part alone can mean.
fn main(ctx: &Ctx) -> SiteId {
    match &ctx.actor().sites {
        Reached::These(all) => all.first().copied(),
        Reached::All => None,
    }
    .unwrap_or(kernel::Id::of(kernel::Ulid::nil()))
}

/// What somebody may have meant.
pub fn read(typed: &str, numbering: &Numbering, place: Option<&Place>, home: Country) -> Result<Sought> {
    let typed = typed.trim();
    let upper = typed.to_ascii_uppercase();
    let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
    let only = |allowed: &str| typed.chars().all(|c| c.is_ascii_digit() || allowed.contains(c));
    if typed.contains('@') {
        return Ok(Sought::Email(typed.to_lowercase()));
    }
    if typed.len() == 10 && typed.parse::<Date>().is_ok() {
        return Err(Error::invalid(
            "?q",
            "birth-date-alone",
            "too many people share a birth date: search by name with birth_date",
        ));
    }
    if numbering.fits(&upper) {
        return Ok(Sought::Number(vec![upper]));
    }
    if only("") && digits.len() <= 7 {
        return Ok(Sought::Number(running(&digits, numbering, place)));
    }
    if only("+ -()") && (typed.starts_with('+') || digits.len() >= 7) {
        let phone = E164::parse(typed, home).ok().map(|n| n.to_string());
        let documents = if matches!(digits.len(), 10 | 11) { vec![digits] } else { vec![] };
        return Ok(Sought::PhoneOrDocument(phone, documents));
    }
    if !digits.is_empty() {
        return Ok(Sought::Number(vec![upper]));
    }
    let words = words(typed);
    let longest = words.iter().map(|w| w.chars().count()).max().unwrap_or_default();
    if longest < LETTERS {
        return Err(Error::invalid(
            "?q",
            "query-too-short",
            "type three letters at least; a shorter name is found by name= when it is whole",
        ));
    }
    Ok(Sought::Name(words))
}

/// This year's number, then last year's.
fn running(digits: &str, numbering: &Numbering, place: Option<&Place>) -> Vec<String> {
    let (Ok(value), Some(place)) = (digits.parse::<u64>(), place) else { return vec![] };
    let of = |day: Date| numbering.render(value, day, &place.site, &place.facility);
    let before = place.day.saturating_sub(jiff::Span::new().years(1));
    let mut all = vec![of(place.day), of(before), digits.to_string()];
    all.dedup();
    all
}

fn words(typed: &str) -> Vec<String> {
    let normal = spelling::name(typed);
    normal.split(' ').filter(|w| !w.is_empty()).map(String::from).collect()
}

async fn find(ctx: &Ctx, sought: &Sought) -> Result<Vec<PatientId>> {
    let store = ctx.store();
    let most = i32::try_from(MOST).unwrap_or(i32::MAX);
    match sought {
        Sought::Number(numbers) => by_number(ctx, numbers).await,
        Sought::Phone(phone) => store.find_exact::<Patient>("phone", phone, most).await,
        Sought::Email(email) => store.find_exact::<Patient>("email", email, most).await,
        Sought::PhoneOrDocument(phone, documents) => {
            let phones = async {
                match phone {
                    Some(phone) => store.find_exact::<Patient>("phone", phone, most).await,
                    None => Ok(vec![]),
                }
            };
            let (phones, documents) = join(phones, by_document(ctx, documents)).await;
            let mut all = documents?;
            all.extend(phones?);
            Ok(all)
        }
        Sought::Name(words) => {
            let longest = words.iter().max_by_key(|w| w.chars().count());
            match longest {
                Some(word) => store.find_word::<Patient>(Prefix(word), most).await,
                None => Ok(vec![]),
            }
        }
    }
}

/// Patient numbers, hospital numbers and those of earlier systems; the first that exists.
async fn by_number(ctx: &Ctx, numbers: &[String]) -> Result<Vec<PatientId>> {
    let guards: Vec<(&str, String)> =
        numbers.iter().flat_map(|n| [("number", n.clone()), ("hospital_number", n.clone())]).collect();
    let legacy = numbers.iter().map(|n| ctx.store().find_exact::<Patient>("legacy", n, 10));
    let (held, legacy) = join(ctx.store().guarded_many::<Patient>(&guards), try_join_all(legacy)).await;
    match held?.into_iter().flatten().next() {
        Some(first) => Ok(vec![first]),
        None => Ok(legacy?.into_iter().flatten().collect()),
    }
}

/// Numbers given for life, and member numbers of the national insurance; documents that are unique only with
/// their issuer are tried as Nigerian and British ones.
async fn by_document(ctx: &Ctx, documents: &[String]) -> Result<Vec<PatientId>> {
    let forms = |value: &String| {
        let bare = ["nin", "nhs"].map(|s| format!("{s}||{value}"));
        let issued = ["passport", "drivers_licence", "voters_card", "national_id"];
        let issued = issued.into_iter().flat_map(move |s| ["ng", "gb"].map(|i| format!("{s}|{i}|{value}")));
        bare.into_iter().chain(issued).map(|v| ("identifier", v)).collect::<Vec<_>>()
    };
    let guards: Vec<(&str, String)> = documents.iter().flat_map(forms).collect();
    let members = documents.iter().map(|v| ctx.store().find_exact::<Patient>("member", v, 25));
    let held = async {
        if guards.is_empty() { Ok(vec![]) } else { ctx.store().guarded_many::<Patient>(&guards).await }
    };
    let nhia: Vec<String> = documents.iter().map(|v| format!("nhia|{v}")).collect();
    let insured = nhia.iter().map(|v| ctx.store().find_exact::<Patient>("member", v, 25));
    let (held, members) = join(held, try_join_all(members.chain(insured))).await;
    Ok(held?.into_iter().flatten().chain(members?.into_iter().flatten()).collect())
}

/// Every word begins one of the names, in any order.
fn named(record: &Record<Patient>, words: &[String], born: Option<Date>) -> bool {
    let names = super::index::words(&record.body.person);
    let whole = |word: &String| word.chars().count() < LETTERS;
    let begins = |word: &String| {
        names.iter().any(|n| if whole(word) { n == word } else { n.starts_with(word.as_str()) })
    };
    words.iter().all(begins) && born.is_none_or(|b| record.body.person.born() == Some(b))
}

/// Reads the records and the flags on their cards in one wave.
async fn cards(ctx: &Ctx, mut ids: Vec<PatientId>, fits: impl Fn(&Record<Patient>) -> bool) -> Answer {
    let mut seen = std::collections::BTreeSet::new();
    ids.retain(|id| seen.insert(*id));
    ids.truncate(MOST);
    let keys: Vec<Key> = ids.iter().map(|id| Key::fact(facts::FLAGS, id)).collect();
    let records =
        async { if ids.is_empty() { Ok(vec![]) } else { ctx.store().get_many::<Patient>(&ids).await } };
    let flags = async { if ids.is_empty() { Ok(vec![]) } else { ctx.store().read_many(&keys).await } };
    let (records, flags) = join(records, flags).await;
    let flags = flags?;
    let mut data = vec![];
    for (record, from) in survivors(ctx, records?).await? {
        if record.deleted_at.is_some() || !fits(&record) {
            continue;
        }
        let Some(mut card) = Card::seen(&record, ctx.reach(), ctx.actor(), ctx.today()) else { continue };
        if !card.restricted {
            let at = ids.iter().position(|id| *id == from.unwrap_or(record.id));
            let fact = at.and_then(|at| flags.get(at).cloned().flatten());
            let fact: FlagFact = fact.and_then(|f| serde_json::from_value(f).ok()).unwrap_or_default();
            card.flags = Some(fact.on_card());
        }
        card.merged_from = from;
        data.push(card);
    }
    ctx.looked_at::<Patient>(data.iter().map(|c| c.id)).await?;
    web::ok(&Pages { data, next: None })
}

/// Merged records give way to their survivors; further waves only where one was found by its own number.
async fn survivors(
    ctx: &Ctx,
    all: Vec<Record<Patient>>,
) -> Result<Vec<(Record<Patient>, Option<PatientId>)>> {
    let mut all: Vec<(Record<Patient>, Option<PatientId>)> = all.into_iter().map(|r| (r, None)).collect();
    loop {
        let moved: Vec<PatientId> = all.iter().filter_map(|(r, _)| r.body.merged_into).collect();
        if moved.is_empty() {
            break;
        }
        let found = ctx.store().get_many::<Patient>(&moved).await?;
        let stands = |(r, from): (Record<Patient>, Option<PatientId>)| match r.body.merged_into {
            None => Some((r, from)),
            Some(into) => found.iter().find(|s| s.id == into).map(|s| (s.clone(), from.or(Some(r.id)))),
        };
        all = all.into_iter().filter_map(stands).collect();
    }
    let mut seen = std::collections::BTreeSet::new();
    all.retain(|(r, _)| seen.insert(r.id));
    Ok(all)
}

/// The plain list: of a site, or of the whole organisation for those who reach it.
async fn page(ctx: &Ctx, asked: Asked) -> Answer {
    let limit = asked.limit.unwrap_or(25);
    let deleted = asked.deleted.unwrap_or(false);
    if deleted {
        ctx.need("patient.delete")?;
    }
    let site = asked.site.or(only_site(ctx)?);
    let (from, to) = (asked.registered_from.map(id_at), asked.registered_to.map(id_at));
    if (from.is_some() || to.is_some()) && site.is_some() && asked.status.is_none() {
        let detail = "within a site, registered_from and registered_to follow a status";
        return Err(Error::invalid("?registered_from", "unsupported-filter", detail).into());
    }
    if asked.status.is_some() && site.is_none() {
        return Err(
            Error::invalid("?status", "unsupported-filter", "a status follows a site: add site=").into()
        );
    }
    let (list, by, then) = match site {
        Some(site) => {
            (&Patient::LISTS[0], vec![site.to_string()], asked.status.iter().map(Status::to_string).collect())
        }
        None => (&Patient::LISTS[1], vec![], vec![]),
    };
    let wanted = Wanted { by, then, from, to, deleted, limit, cursor: asked.cursor, ..Wanted::default() };
    let found = ctx.store().list(list, &wanted).await?;
    let seen = |r: &Record<Patient>| Card::seen(r, ctx.reach(), ctx.actor(), ctx.today());
    let data: Vec<Card> =
        found.data.iter().filter(|r| r.body.merged_into.is_none()).filter_map(seen).collect();
    ctx.looked_at::<Patient>(data.iter().map(|c| c.id)).await?;
    web::ok(&Pages { data, next: found.next })
}

/// Staff of one site see its list; staff of several say which.
fn only_site(ctx: &Ctx) -> Result<Option<SiteId>> {
    match (&ctx.actor().sites, ctx.reach()) {
        (_, Reach::All) | (Reached::All, Reach::Site | Reach::Team) => Ok(None),
        (Reached::These(all), Reach::Site | Reach::Team) if all.len() == 1 => Ok(all.first().copied()),
        (Reached::These(_), Reach::Site | Reach::Team) => {
            Err(Error::invalid("?site", "required", "you work at several sites: say which"))
        }
        _ => Err(Error::invalid(
            "?assigned",
            "required",
            "your role sees the patients in its care: assigned=me",
        )),
    }
}

/// The first id that could have been given at this time: ids begin with it.
fn id_at(at: Timestamp) -> String {
    let ulid = kernel::Ulid::from_parts(u64::try_from(at.as_millisecond()).unwrap_or_default(), 0);
    format!("pat_{}", &ulid.to_string()[..10])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patient::number::Reset;

    fn sought(typed: &str) -> Result<Sought> {
        let numbering = Numbering { format: "PT-{YYYY}-{SEQ:5}".into(), reset: Reset::Year };
        let place =
            Place { day: "2026-11-20".parse().unwrap(), site: String::new(), facility: String::new() };
        read(typed, &numbering, Some(&place), Country::NG)
    }

    #[test]
    fn what_is_typed_is_read_as_what_it_looks_like() {
        let number = |all: &[&str]| Sought::Number(all.iter().map(|s| s.to_string()).collect());
        assert_eq!(sought("42").unwrap(), number(&["PT-2026-00042", "PT-2025-00042", "42"]));
        assert_eq!(sought("pt-2026-00042").unwrap(), number(&["PT-2026-00042"]));
        assert_eq!(sought("GH/22/17").unwrap(), number(&["GH/22/17"]));
        let phone = Some("+2348031234567".to_string());
        assert_eq!(
            sought("08031234567").unwrap(),
            Sought::PhoneOrDocument(phone.clone(), vec!["08031234567".into()])
        );
        assert_eq!(sought("+234 803 123 4567").unwrap(), Sought::PhoneOrDocument(phone, vec![]));
        assert_eq!(sought("12345678901").unwrap(), Sought::PhoneOrDocument(None, vec!["12345678901".into()]));
        assert_eq!(sought("Ada@Example.org").unwrap(), Sought::Email("ada@example.org".into()));
        assert_eq!(sought("Emeka OKO").unwrap(), Sought::Name(vec!["emeka".into(), "oko".into()]));
    }

    #[test]
    fn too_little_is_refused() {
        for (typed, code) in
            [("1990-05-17", "birth-date-alone"), ("ok", "query-too-short"), ("o k", "query-too-short")]
        {
            let Err(Error::Invalid(faults)) = sought(typed) else { panic!("{typed}") };
            assert_eq!(faults[0].code, code, "{typed}");
        }
    }
}
