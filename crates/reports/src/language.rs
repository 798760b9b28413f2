//! Numbers, dates and the few fixed words, from `data/languages.json`.
use std::{collections::BTreeMap, sync::LazyLock};

use jiff::{Zoned, civil::Date};
use kernel::money::{Currency, Money};
use serde::Deserialize;

/// The languages that pages are printed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    #[default]
    EnGb,
    EnNg,
    Fr,
    Ha,
    Ig,
    Yo,
    Cy,
}

#[derive(Deserialize)]
struct Data {
    symbols: BTreeMap<String, String>,
    languages: Vec<Words>,
}

/// In the order of [`Language::ALL`].
#[derive(Deserialize)]
pub(crate) struct Words {
    tag: String,
    name: String,
    months: Vec<String>,
    date: String,
    group: String,
    decimal: String,
    percent: String,
    money: String,
    page: String,
    pub signature: String,
    pub date_word: String,
    yes: String,
    no: String,
}

static DATA: LazyLock<Data> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/languages.json"))
        .expect("data/languages.json is of this shape")
});

impl Language {
    pub const ALL: [Self; 7] = [Self::EnGb, Self::EnNg, Self::Fr, Self::Ha, Self::Ig, Self::Yo, Self::Cy];

    /// From a tag of BCP 47: the exact one, else its first part (`yo-NG` is Yoruba, `en-US` British English).
    pub fn from_tag(tag: &str) -> Option<Self> {
        let exact = Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(tag));
        let first = tag.split(['-', '_']).next().unwrap_or_default();
        exact.or_else(|| {
            Self::ALL.into_iter().find(|language| {
                language.tag().split('-').next().is_some_and(|own| own.eq_ignore_ascii_case(first))
            })
        })
    }

    pub(crate) fn words(self) -> &'static Words {
        &DATA.languages[self as usize]
    }

    pub fn tag(self) -> &'static str {
        &self.words().tag
    }

    /// What its speakers call it.
    pub fn name(self) -> &'static str {
        &self.words().name
    }

    pub fn yes_no(self, yes: bool) -> &'static str {
        if yes { &self.words().yes } else { &self.words().no }
    }

    /// `Page 2 of 7`.
    pub fn page(self, n: usize, of: usize) -> String {
        self.words().page.replace("{n}", &n.to_string()).replace("{of}", &of.to_string())
    }

    /// What stands before, between and behind the two numbers of [`Self::page`].
    pub(crate) fn page_words(self) -> (&'static str, &'static str, &'static str) {
        let pattern = self.words().page.as_str();
        let (before, rest) = pattern.split_once("{n}").unwrap_or((pattern, ""));
        let (between, after) = rest.split_once("{of}").unwrap_or((rest, ""));
        (before, between, after)
    }

    /// `29 November 2026`.
    pub fn date(self, date: Date) -> String {
        let words = self.words();
        let month = &words.months[usize::from(date.month().unsigned_abs()) - 1];
        let pattern = words.date.replace("{d}", &date.day().to_string()).replace("{m}", month);
        pattern.replace("{y}", &date.year().to_string())
    }

    /// `29 November 2026, 09:46 WAT`: a time on paper names its zone.
    pub fn datetime(self, at: &Zoned) -> String {
        format!("{}, {} {}", self.date(at.date()), at.strftime("%H:%M"), at.strftime("%Z"))
    }

    /// `12,345`.
    pub fn integer(self, n: i64) -> String {
        self.decimal(&n.to_string())
    }

    /// A plain decimal such as `-1234.50` as it is written here; what is no decimal is given back.
    pub fn decimal(self, plain: &str) -> String {
        let (sign, digits) = plain.strip_prefix('-').map_or(("", plain), |rest| ("-", rest));
        let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(whole) || !fraction.is_none_or(is_number) {
            return plain.to_owned();
        }
        let words = self.words();
        let mut grouped = String::from(sign);
        for (at, digit) in whole.char_indices() {
            if at > 0 && (whole.len() - at) % 3 == 0 {
                grouped.push_str(&words.group);
            }
            grouped.push(digit);
        }
        if let Some(fraction) = fraction {
            grouped.push_str(&words.decimal);
            grouped.push_str(fraction);
        }
        grouped
    }

    /// `12.5%` from a plain decimal.
    pub fn percent(self, plain: &str) -> String {
        self.words().percent.replace("{n}", &self.decimal(plain))
    }

    /// `₦1,250.00`, `1 250,00 £`; currencies without a sign here by their code.
    pub fn money(self, money: Money) -> String {
        let amount = self.decimal(&money.amount());
        let (sign, amount) = amount.strip_prefix('-').map_or(("", amount.as_str()), |rest| ("-", rest));
        let code = money.currency();
        match DATA.symbols.get(code.code()) {
            Some(symbol) => {
                let written = self.words().money.replace("{n}", amount).replace("{s}", symbol);
                format!("{sign}{written}")
            }
            None => format!("{sign}{code}\u{a0}{amount}"),
        }
    }
}

/// `₦`, or the code with its space, to stand before an amount.
pub(crate) fn symbol(currency: Currency) -> String {
    DATA.symbols.get(currency.code()).cloned().unwrap_or_else(|| format!("{currency}\u{a0}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_its_words_and_twelve_months() {
        assert_eq!(DATA.languages.len(), Language::ALL.len());
        for language in Language::ALL {
            assert_eq!(language.words().months.len(), 12, "{}", language.tag());
            assert!(language.page(2, 7).contains('2') && language.page(2, 7).contains('7'));
            assert_eq!(Language::from_tag(language.tag()), Some(language));
        }
        assert_eq!(Language::from_tag("yo-NG"), Some(Language::Yo));
        assert_eq!(Language::from_tag("en"), Some(Language::EnGb));
        assert_eq!(Language::from_tag("de"), None);
    }

    #[test]
    fn money_dates_and_numbers_are_written_as_people_write_them() {
        let naira = Money::minor(-123_456_789, Currency::NGN);
        assert_eq!(Language::EnNg.money(naira), "-₦1,234,567.89");
        assert_eq!(Language::Fr.money(naira), "-1\u{202f}234\u{202f}567,89\u{a0}₦");
        assert_eq!(Language::EnGb.money(Money::minor(5, Currency::GBP)), "£0.05");
        assert_eq!(Language::EnGb.money(Money::minor(500, "JPY".parse().unwrap())), "JPY\u{a0}500");
        let day = jiff::civil::date(2026, 11, 9);
        assert_eq!(Language::Cy.date(day), "9 Tachwedd 2026");
        assert_eq!(Language::Ha.date(day), "9 Nuwamba, 2026");
        assert_eq!(Language::Fr.percent("12.5"), "12,5\u{a0}%");
        assert_eq!(Language::EnGb.integer(-1_234), "-1,234");
        assert_eq!(Language::EnGb.decimal("n/a"), "n/a");
    }
}
