//! What a patient is found by. Values are normalised here and blinded by the store.

use super::{Demographics, Membership, Patient};
use crate::spelling;
use store::Token;

/// Words that are indexed; more names than that nobody types.
const WORDS: usize = 8;

/// Everything that leads to this record.
pub fn tokens(patient: &Patient) -> Vec<Token> {
    let person = &patient.person;
    let mut all: Vec<Token> = words(person).into_iter().take(WORDS).map(Token::Word).collect();
    all.extend(
        exact(person, &patient.members.0).into_iter().map(|(field, value)| Token::Exact(field, value)),
    );
    all
}

/// Words of every name, the first of each longest part first.
pub fn words(person: &Demographics) -> Vec<String> {
    let names = [Some(person.family()), Some(person.given())]
        .into_iter()
        .chain([&person.middle_names, &person.preferred_name].map(|n| n.as_ref().map(|n| n.0.as_str())))
        .flatten()
        .chain(person.previous_names.iter().map(String::as_str));
    let mut words: Vec<String> = vec![];
    for word in names.map(spelling::name).collect::<Vec<_>>().join(" ").split(' ') {
        if !word.is_empty() && !words.iter().any(|w| w == word) {
            words.push(word.into());
        }
    }
    words
}

/// Whole values, under which both the search and the duplicate search look; best first.
pub fn exact(person: &Demographics, members: &[Membership]) -> Vec<(&'static str, String)> {
    let mut all: Vec<(&'static str, String)> = vec![];
    all.extend(person.phones.iter().map(|p| ("phone", p.number.clone())));
    if !person.unidentified() {
        all.extend(keys(person));
    }
    all.extend(members.iter().map(|m| ("member", member(m))));
    all.extend(person.email.iter().map(|e| ("email", e.0.clone())));
    all.extend(person.legacy_numbers.iter().map(|l| ("legacy", l.value.clone())));
    all
}

pub fn member(m: &Membership) -> String {
    format!("{}|{}", m.payer, kernel::identifier::comparable(&m.number))
}

/// Combinations that two records of one person are likely to share, even where one part is wrong.
fn keys(person: &Demographics) -> Vec<(&'static str, String)> {
    let Some(born) = person.born() else { return vec![] };
    let family = spelling::name(person.family());
    let given = spelling::name(person.given());
    let first = spelling::first(&given);
    let (low, high) =
        if family.as_str() <= first { (family.as_str(), first) } else { (first, family.as_str()) };
    let mut all = vec![
        ("k1", format!("{family}|{first}|{born}")),
        ("k2", format!("{}|{born}", spelling::sound(&family))),
        ("k4", format!("{low}|{high}|{}", born.year())),
    ];
    if !first.is_empty() {
        all.push(("k3", format!("{first}|{born}")));
    }
    all.extend(person.phones.iter().map(|p| ("k5", format!("{family}|{first}|{}", p.number))));
    all
}
