use super::*;
use crate::{
    patient::{Gender, Precision},
    spelling,
};
use kernel::identifier::Scheme;

fn person(given: &str, family: &str, born: &str, phone: &str, gender: Gender) -> Person {
    Person {
        family: spelling::name(family),
        given: spelling::name(given).split(' ').filter(|w| !w.is_empty()).map(String::from).collect(),
        birth: born.parse().ok(),
        precision: Some(Precision::Day),
        gender: Some(gender),
        phones: own(phone),
        ..Person::default()
    }
}
fn own(phone: &str) -> Vec<Number> {
    if phone.is_empty() { vec![] } else { vec![Number { number: phone.into(), relative: false }] }
}
fn ngozi() -> Person {
    person("Ngozi", "Okonkwo", "1990-05-17", "+2348031234567", Gender::Female)
}
fn points(a: &Person, b: &Person) -> i64 {
    score(a, b, Options::default()).points
}
fn row(a: &Person, b: &Person, field: &str) -> i64 {
    let all = score(a, b, Options::default()).factors;
    all.iter().find(|f| f.field == field).map_or(0, |f| f.points)
}

#[test]
fn the_worked_examples_of_the_specification_come_out_as_written() {
    let a = ngozi();
    assert_eq!(points(&a, &ngozi()), 97, "name, date, telephone, sex");

    let without = person("Ngozi", "Okonkwo", "1990-05-17", "", Gender::Female);
    assert_eq!(points(&a, &without), 72, "without telephone");

    // 0.93 by Jaro–Winkler, as in the specification's example.
    let misspelt = person("Ngozi", "Okonwko", "1990-05-17", "+2348031234567", Gender::Female);
    let similarity = strsim::jaro_winkler("okonkwo", "okonwko");
    assert!((0.92..1.0).contains(&similarity), "{similarity}");
    assert_eq!(points(&a, &misspelt), 91, "surname spelt otherwise");

    let twin = person("Amara", "Okonkwo", "1990-05-17", "+2348031234567", Gender::Female);
    let twins = score(&a, &twin, Options::default());
    assert_eq!((twins.points, twins.twins), (67, true));
    assert_eq!(Thresholds::default().band(&twins), Some(Band::Possible));

    let mut child = person("Chidi", "Okonkwo", "2019-02-03", "", Gender::Male);
    child.phones = vec![Number { number: "+2348031234567".into(), relative: true }];
    assert_eq!(points(&a, &child), 0, "mother and child on one telephone");
}

#[test]
fn bands_begin_at_their_thresholds() {
    let of = |points| Score { points, strong: false, factors: vec![], twins: false, conflict: false };
    let bands = |t: Thresholds| [44, 45, 69, 70, 94, 95].map(|p| t.band(&of(p)).map(|b| b.to_string()));
    let shown = |b: [Option<String>; 6]| b.map(|b| b.unwrap_or_else(|| "-".into())).join(" ");
    assert_eq!(shown(bands(Thresholds::default())), "- possible possible probable probable certain");
    assert_eq!(Thresholds::new(10, 5), Thresholds { probable: 60, certain: 60 });
    assert_eq!(Thresholds::new(99, 99), Thresholds { probable: 95, certain: 99 });
}

#[test]
fn birth_dates_have_their_own_ladder() {
    let of = |a: &str, b: &str| {
        row(&person("", "", a, "", Gender::Unknown), &person("", "", b, "", Gender::Unknown), "birth_date")
    };
    assert_eq!(of("1990-05-17", "1990-05-17"), 30);
    assert_eq!(of("1990-05-11", "1990-11-05"), 20);
    assert_eq!(of("1990-05-17", "1990-05-18"), 15);
    assert_eq!(of("1990-05-17", "1991-05-17"), 15);
    assert_eq!(of("1990-05-17", "2000-05-17"), 15);
    assert_eq!(of("1990-05-17", "1992-08-29"), -20);
    let mut guessed = person("", "", "1990-07-01", "", Gender::Unknown);
    guessed.precision = Some(Precision::Estimated);
    let known = |d| person("", "", d, "", Gender::Unknown);
    assert_eq!(row(&guessed, &known("1992-03-09"), "birth_date"), 10);
    assert_eq!(row(&guessed, &known("1994-03-09"), "birth_date"), 0);
    assert_eq!(row(&guessed, &known("1999-03-09"), "birth_date"), -20);
}

#[test]
fn names_have_their_own_ladder() {
    let of = |a: (&str, &str), b: (&str, &str)| {
        let (a, b) = (person(a.0, a.1, "", "", Gender::Unknown), person(b.0, b.1, "", "", Gender::Unknown));
        (row(&a, &b, "family_name"), row(&a, &b, "given_names"))
    };
    assert_eq!(of(("Ada", "Bello"), ("Ada", "Bello")), (20, 20));
    assert_eq!(of(("Ada Mary", "Okaphor"), ("Mary", "Okafor")), (10, 14));
    assert_eq!(of(("Emeka", "Musa"), ("Chukwuemeka", "Lawal")), (-10, 10));
    assert_eq!(of(("E", "Musa"), ("Emeka", "Musa")), (20, 5));
    assert_eq!(of(("Okafor", "Ada"), ("Ada", "Okafor")), (34, 0));
    let mut married = person("Aisha", "Musa", "", "", Gender::Female);
    married.previous = vec!["bello".into()];
    assert_eq!(row(&married, &person("Aisha", "Bello", "", "", Gender::Female), "family_name"), 14);
}

#[test]
fn one_identity_number_makes_it_certain_and_two_different_ones_speak_against() {
    let nin = |p: &mut Person, v: &str| {
        p.documents = vec![Document { scheme: Scheme::Nin, issuer: String::new(), value: v.into() }]
    };
    let (mut a, mut b) = (ngozi(), ngozi());
    nin(&mut a, "12345678901");
    nin(&mut b, "12345678901");
    let same = score(&a, &b, Options::default());
    assert!(same.strong && !same.conflict);
    nin(&mut b, "99999999999");
    assert_eq!(points(&a, &b), 57);
    let mut stranger = person("Tunde", "Lawal", "1960-01-02", "", Gender::Male);
    nin(&mut stranger, "12345678901");
    let odd = score(&a, &stranger, Options::default());
    assert_eq!(Thresholds::default().band(&odd), Some(Band::Certain));
    assert!(odd.conflict, "the card may be somebody else's");
    let passport =
        |v: &str| vec![Document { scheme: Scheme::Passport, issuer: "NG".into(), value: v.into() }];
    (a.documents, b.documents) = (passport("A1"), passport("A2"));
    assert_eq!(points(&a, &b), 97, "another passport says nothing");
}

#[test]
fn cover_and_relatives_telephones_count_as_written() {
    let member = |relation: &str, ordinal| {
        vec![Member { payer: "nhia".into(), number: "AB/1".into(), relation: relation.into(), ordinal }]
    };
    let (mut a, mut b) = (ngozi(), ngozi());
    (a.members, b.members) = (member("child", 1), member("child", 1));
    assert_eq!(row(&a, &b, "coverage"), 60);
    b.members = member("child", 2);
    assert_eq!(row(&a, &b, "coverage"), 10);
    b.phones[0].relative = true;
    assert_eq!(row(&a, &b, "phone"), 10);
}

#[test]
fn a_newborn_is_not_its_mother() {
    let child = person("Baby", "Okonkwo", "2026-11-20", "+2348031234567", Gender::Female);
    let sibling = person("Kelechi", "Okonkwo", "2026-11-20", "+2348031234567", Gender::Female);
    let plain = score(&child, &sibling, Options::default()).points;
    let born = score(&child, &sibling, Options { newborn: true }).points;
    assert!(born < 45 && born < plain, "{born} {plain}");
}

#[test]
fn scoring_is_the_same_in_both_directions() {
    let all = [
        ngozi(),
        person("Amara", "Okonkwo", "1990-05-17", "+2348031234567", Gender::Female),
        person("O", "Ngozi", "1991-05-17", "", Gender::Male),
    ];
    for a in &all {
        for b in &all {
            assert_eq!(points(a, b), points(b, a));
        }
    }
}
