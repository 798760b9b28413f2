//! From what was typed to what is kept: every field in one form, and every fault of it at once.

use super::{Demographics, Identifier, Precision, Registration, Source};
use jiff::civil::{Date, Time};
use kernel::{
    Error, Fault, Result,
    country::{Country, nigerian_state},
    identifier::Scheme,
    phone::E164,
    text,
};
use seal::Sealed;

/// Where and when somebody writes: the country's rules, and the day after which nobody is born.
#[derive(Clone, Copy, Debug)]
pub struct Desk {
    pub country: Country,
    pub today: Date,
}

impl Desk {
    pub fn of(ctx: &web::Ctx) -> Self {
        let country = ctx.tenant().ok().and_then(|t| t.country.parse().ok()).unwrap_or(Country::NG);
        Self { country, today: ctx.today() }
    }
}

/// 422 with all faults, under the code of the first.
pub fn sensible(faults: Vec<Fault>) -> Result<()> {
    let Some(first) = faults.first() else { return Ok(()) };
    let code = CODES.iter().find(|c| **c == first.code).copied().unwrap_or("invalid-field");
    let detail = match faults.len() {
        1 => first.detail.clone(),
        n => format!("{n} things make no sense; all are listed in errors"),
    };
    Err(faults.into_iter().fold(Error::unprocessable(code, detail), Error::at))
}

/// Codes that a refusal of a whole request may carry; the others stand beside their fields only.
const CODES: &[&str] = &[
    "invalid-birth-date",
    "invalid-nin",
    "invalid-nhs-number",
    "vnin-not-storable",
    "invalid-identifier",
    "invalid-member-number",
    "invalid-name",
    "invalid-email",
    "phone-required",
    "phone-characters",
    "phone-country-code",
    "phone-length",
    "phone-nigerian",
    "phone-british",
    "name-required",
    "issuer-required",
    "hidden-character",
    "repeated",
];

/// Brings everything into its kept form; what is wrong is listed with its place.
pub fn normalise(person: &mut Demographics, desk: Desk) -> Vec<Fault> {
    let mut faults = vec![];
    names(person, &mut faults);
    birth(person, desk, &mut faults);
    phones(person, desk, &mut faults);
    identifiers(person, &mut faults);
    contact(person, &mut faults);
    address(person, &mut faults);
    findings(person);
    faults
}

fn names(p: &mut Demographics, faults: &mut Vec<Fault>) {
    if p.registration == Registration::Unidentified {
        // Whoever knows a name registers provisionally; the placeholder is made from the number.
        (p.given_names, p.family_name, p.single_name) = (None, None, false);
    }
    let mut clean = |name: &mut Option<Sealed<String>>, at: &str| {
        if let Some(typed) = name {
            match text::person_name(typed) {
                Ok(kept) => typed.0 = kept,
                Err(e) => faults.push(e.fault(at)),
            }
        }
    };
    clean(&mut p.given_names, "/given_names");
    clean(&mut p.middle_names, "/middle_names");
    clean(&mut p.family_name, "/family_name");
    clean(&mut p.preferred_name, "/preferred_name");
    for (n, name) in p.previous_names.iter_mut().enumerate() {
        match text::person_name(name) {
            Ok(kept) => *name = kept,
            Err(e) => faults.push(e.fault(format!("/previous_names/{n}"))),
        }
    }
    if let Some(title) = &mut p.title {
        match text::line(title, 30) {
            Ok(kept) => title.0 = kept,
            Err(e) => faults.push(e.fault("/title")),
        }
    }
    if p.registration == Registration::Unidentified {
        return;
    }
    if p.family_name.is_none() {
        faults.push(Fault::new(
            "/family_name",
            "name-required",
            "say the family name; somebody with one name has it here",
        ));
    }
    if p.given_names.is_none() && !p.single_name {
        let detail = "say the given names, or `single_name: true` for somebody with one name only";
        faults.push(Fault::new("/given_names", "name-required", detail));
    }
    if p.given_names.is_some() && p.single_name {
        faults.push(Fault::new(
            "/single_name",
            "name-required",
            "somebody with one name has it in family_name alone",
        ));
    }
}

fn birth(p: &mut Demographics, desk: Desk, faults: &mut Vec<Fault>) {
    let wrong = |detail: &str| Fault::new("/birth_date", "invalid-birth-date", detail);
    let Some(typed) = &mut p.birth_date else {
        return faults.push(wrong("say the date of birth, or age_years where only the age is known"));
    };
    let date: Option<Date> = (typed.len() == 10).then(|| typed.parse().ok()).flatten();
    match date {
        None => faults.push(wrong("there is no such day: write YYYY-MM-DD")),
        Some(d) if d > desk.today => faults.push(wrong("this day has not come yet")),
        Some(d) if d.year() < 1900 => faults.push(wrong("nobody living was born before 1900")),
        Some(d) if p.birth_date_precision == Precision::Estimated => {
            *typed = Sealed(mid_year(d, desk.today).to_string())
        }
        Some(d) => *typed = Sealed(d.to_string()),
    }
    if let Some(time) = &mut p.birth_time {
        match time.parse::<Time>() {
            Ok(t) => time.0 = t.strftime("%H:%M").to_string(),
            Err(_) => faults.push(Fault::new("/birth_time", "invalid-birth-date", "expected a time: HH:MM")),
        }
    }
    if p.multiple_birth.is_some_and(|m| m.ordinal > m.of) {
        faults.push(Fault::new("/multiple_birth/ordinal", "range", "the second of one is not possible"));
    }
}

/// Estimated dates are 1 July of their year, or today if that has not come yet.
pub fn mid_year(date: Date, today: Date) -> Date {
    jiff::civil::date(date.year(), 7, 1).min(today)
}

fn phones(p: &mut Demographics, desk: Desk, faults: &mut Vec<Fault>) {
    for (n, phone) in p.phones.iter_mut().enumerate() {
        match E164::parse(&phone.number, desk.country) {
            Ok(number) => phone.number = number.to_string(),
            Err(e) => faults.push(e.fault(format!("/phones/{n}/number"))),
        }
    }
    let twice = (1..p.phones.len()).find(|n| p.phones[..*n].iter().any(|q| q.number == p.phones[*n].number));
    if let Some(n) = twice {
        faults.push(Fault::new(format!("/phones/{n}/number"), "repeated", "is there already"));
    }
    if p.phones.iter().filter(|q| q.primary).count() > 1 {
        faults.push(Fault::new("/phones", "repeated", "one telephone is the primary one"));
    } else if p.phones.iter().all(|q| !q.primary)
        && let Some(first) = p.phones.first_mut()
    {
        first.primary = true;
    }
    let needed = p.registration == Registration::Full;
    if needed && p.phones.is_empty() && p.no_phone_reason.is_none() {
        faults.push(Fault::new("/phones", "phone-required", "give a telephone number, or no_phone_reason"));
    }
    if !p.phones.is_empty() {
        p.no_phone_reason = None;
    }
}

fn identifiers(p: &mut Demographics, faults: &mut Vec<Fault>) {
    for (n, identifier) in p.identifiers.iter_mut().enumerate() {
        let Identifier { scheme, value, issuer, .. } = identifier;
        match scheme.check(value) {
            Ok(kept) => *value = kept,
            Err(e) => faults.push(e.fault(format!("/identifiers/{n}/value"))),
        }
        if scheme.needs_issuer() && issuer.as_deref().is_none_or(|i| i.trim().is_empty()) {
            faults.push(Fault::new(
                format!("/identifiers/{n}/issuer"),
                "issuer-required",
                "say who issued it, such as NG",
            ));
        }
    }
    for n in 1..p.identifiers.len() {
        let (before, this) = (&p.identifiers[..n], &p.identifiers[n]);
        let single = matches!(this.scheme, Scheme::Nin | Scheme::Nhs);
        if before
            .iter()
            .any(|i| i.scheme == this.scheme && (single || i.issuer == this.issuer && i.value == this.value))
        {
            faults.push(Fault::new(format!("/identifiers/{n}"), "repeated", "is there already"));
        }
    }
}

fn contact(p: &mut Demographics, faults: &mut Vec<Fault>) {
    if let Some(email) = &mut p.email {
        match text::email(email) {
            Ok(kept) => email.0 = kept,
            Err(e) => faults.push(e.fault("/email")),
        }
    }
    for (n, legacy) in p.legacy_numbers.iter_mut().enumerate() {
        legacy.value = legacy.value.trim().to_ascii_uppercase();
        if legacy.value.is_empty() {
            faults.push(Fault::new(format!("/legacy_numbers/{n}/value"), "empty", "this may not be empty"));
        }
    }
    if let Some(number) = &mut p.hospital_number {
        *number = number.trim().to_ascii_uppercase();
    }
}

fn address(p: &mut Demographics, faults: &mut Vec<Fault>) {
    let state_unknown = |code: &str| format!("{code} is no state's code, such as LA for Lagos");
    if let Some(address) = &mut p.address {
        let country = address.country.as_ref().map(|c| c.parse::<Country>());
        match country {
            Some(Err(e)) => faults.push(e.fault("/address/country")),
            Some(Ok(Country::NG)) => {
                if let Some(state) = &address.state
                    && nigerian_state(state).is_none()
                {
                    faults.push(Fault::new("/address/state", "state-unknown", state_unknown(state)));
                }
            }
            _ => {}
        }
    }
    if let Some(origin) = &p.state_of_origin
        && nigerian_state(origin).is_none()
    {
        faults.push(Fault::new("/state_of_origin", "state-unknown", state_unknown(origin)));
    }
    if let Some(nationality) = &p.nationality
        && let Err(e) = nationality.parse::<Country>()
    {
        faults.push(e.fault("/nationality"));
    }
}

/// Who says nothing about the source only reports.
fn findings(p: &mut Demographics) {
    p.blood_group_source = p.blood_group.as_ref().map(|_| p.blood_group_source.unwrap_or(Source::Reported));
    p.genotype_source = p.genotype.as_ref().map(|_| p.genotype_source.unwrap_or(Source::Reported));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn desk() -> Desk {
        Desk { country: Country::NG, today: "2026-11-20".parse().unwrap() }
    }
    fn person(change: Value) -> Demographics {
        let mut body = json!({
            "given_names": "Ngozi", "family_name": "Okonkwo", "birth_date": "1990-05-17", "gender": "female",
            "phones": [{"number": "0803 123 4567"}]
        });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        serde_json::from_value(body).unwrap()
    }
    fn codes(change: Value) -> Vec<String> {
        normalise(&mut person(change), desk())
            .into_iter()
            .map(|f| format!("{} {}", f.pointer, f.code))
            .collect()
    }

    #[test]
    fn what_is_typed_is_kept_in_one_form() {
        let mut p = person(
            json!({"email": "Ngozi@Example.ORG", "identifiers": [{"type": "nhs", "value": "943 476 5919"}]}),
        );
        assert!(normalise(&mut p, desk()).is_empty());
        assert_eq!(p.phones[0].number, "+2348031234567");
        assert!(p.phones[0].primary);
        assert_eq!(p.email.unwrap().0, "ngozi@example.org");
        assert_eq!(p.identifiers[0].value, "9434765919");
    }

    #[test]
    fn a_birth_date_is_a_day_that_was() {
        for bad in ["2026-11-21", "1899-12-31", "2026-02-31", "17/05/1990", "1990-5-7", "20261120"] {
            assert_eq!(codes(json!({"birth_date": bad})), ["/birth_date invalid-birth-date"], "{bad}");
        }
        assert!(codes(json!({"birth_date": "2026-11-20"})).is_empty());
        let mut p = person(json!({"birth_date": "1990-02-03", "birth_date_precision": "estimated"}));
        normalise(&mut p, desk());
        assert_eq!(p.birth_date.unwrap().0, "1990-07-01");
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let all = codes(json!({
            "given_names": "N5", "family_name": "a@b", "phones": [{"number": "12"}], "email": "x",
            "identifiers": [{"type": "nin", "value": "1234567890"}, {"type": "passport", "value": "A123"}],
            "nationality": "XX", "address": {"country": "NG", "state": "ZZ"}
        }));
        let wanted = [
            "/given_names invalid-name",
            "/family_name invalid-name",
            "/phones/0/number phone-nigerian",
            "/identifiers/0/value invalid-nin",
            "/identifiers/1/issuer issuer-required",
            "/email invalid-email",
            "/address/state state-unknown",
            "/nationality country-unknown",
        ];
        for fault in wanted {
            assert!(all.iter().any(|f| f == fault), "{fault} is missing in {all:?}");
        }
    }

    #[test]
    fn identity_numbers_follow_the_rules_of_their_schemes() {
        let of =
            |scheme: &str, value: &str| codes(json!({"identifiers": [{"type": scheme, "value": value}]}));
        assert_eq!(of("nin", "1234567890"), ["/identifiers/0/value invalid-nin"]);
        assert_eq!(of("nhs", "9434765918"), ["/identifiers/0/value invalid-nhs-number"]);
        assert_eq!(of("other", "AB012345678901YZ"), ["/identifiers/0/value vnin-not-storable"]);
        assert!(of("nin", "12345678901").is_empty());
    }

    #[test]
    fn one_name_is_enough_where_it_is_said_so() {
        assert_eq!(codes(json!({"given_names": null})), ["/given_names name-required"]);
        assert!(codes(json!({"given_names": null, "single_name": true})).is_empty());
        assert_eq!(codes(json!({"phones": []})), ["/phones phone-required"]);
        assert!(codes(json!({"phones": [], "no_phone_reason": "has none"})).is_empty());
    }
}
