use proptest::prelude::*;

use super::*;

fn naira(amount: &str) -> Money {
    Money::parse(amount, Currency::NGN).unwrap()
}

fn currency(code: &str) -> Currency {
    code.parse().unwrap()
}

#[test]
fn an_amount_is_written_with_all_minor_digits_of_its_currency() {
    let written = |amount, code| Money::parse(amount, currency(code)).unwrap().amount();
    assert_eq!(written("1250", "NGN"), "1250.00");
    assert_eq!(written("1250.5", "NGN"), "1250.50");
    assert_eq!(written("-0.05", "GBP"), "-0.05");
    assert_eq!(written("0", "GBP"), "0.00");
    assert_eq!(written("-0.00", "GBP"), "0.00");
    assert_eq!(written("7", "JPY"), "7");
    assert_eq!(written("7.1", "TND"), "7.100");
    assert_eq!(naira("1250").to_string(), "NGN 1250.00");
}

#[test]
fn an_amount_that_is_no_plain_decimal_is_refused() {
    for wrong in [
        "", "-", ".", ".5", "5.", "-.5", "1,250.00", "1 250", "+5", "--5", "1e3", "0x1", "01", "00", "1.2.3",
        "٣", "½", " 5", "NaN",
    ] {
        let refusal = Money::parse(wrong, Currency::NGN).unwrap_err();
        assert_eq!(refusal.code(), "amount-not-decimal", "{wrong}");
    }
}

#[test]
fn an_amount_is_never_rounded_while_it_is_read() {
    assert_eq!(Money::parse("1.005", Currency::NGN), Err(MoneyError::TooPrecise(2)));
    assert_eq!(Money::parse("1.0", currency("JPY")), Err(MoneyError::TooPrecise(0)));
    assert_eq!(Money::parse("1.000", Currency::NGN).unwrap_err().code(), "amount-too-precise");
}

#[test]
fn fourteen_whole_digits_are_the_limit() {
    assert_eq!(naira("99999999999999.99").in_minor(), 9_999_999_999_999_999);
    assert_eq!(Money::parse("100000000000000", Currency::NGN).unwrap_err().code(), "amount-too-large");
    assert_eq!(Money::parse(&"9".repeat(1_000_000), Currency::NGN), Err(MoneyError::TooLarge));
}

#[test]
fn two_currencies_are_never_added_or_compared() {
    let (a, b) = (naira("1"), Money::zero(Currency::GBP));
    for refusal in [a.plus(b).unwrap_err(), a.minus(b).unwrap_err(), a.compare(b).unwrap_err()] {
        assert_eq!(refusal, MoneyError::MixedCurrencies(Currency::NGN, Currency::GBP));
        assert_eq!(refusal.code(), "currencies-differ");
    }
    assert_ne!(Money::zero(Currency::NGN), Money::zero(Currency::GBP));
}

#[test]
fn arithmetic_that_would_overflow_is_refused() {
    let most = Money::minor(i64::MAX, Currency::NGN);
    let least = Money::minor(i64::MIN, Currency::NGN);
    let one = Money::minor(1, Currency::NGN);
    for refusal in
        [most.plus(one), least.minus(one), most.times(2), least.negated(), most.share(2, 1, Rounding::Down)]
    {
        assert_eq!(refusal, Err(MoneyError::TooLarge));
    }
    assert_eq!(one.share(1, 0, Rounding::Down), Err(MoneyError::TooLarge));
    assert_eq!(least.amount(), "-92233720368547758.08");
}

#[test]
fn a_share_rounds_as_it_was_told() {
    let share =
        |minor, n, d, rounding| Money::minor(minor, Currency::NGN).share(n, d, rounding).unwrap().in_minor();
    assert_eq!(share(10_000, 75, 1000, Rounding::HalfUp), 750);
    for (minor, half_up, half_even, down) in
        [(5, 3, 2, 2), (7, 4, 4, 3), (-5, -3, -2, -2), (-7, -4, -4, -3), (4, 2, 2, 2)]
    {
        assert_eq!(share(minor, 1, 2, Rounding::HalfUp), half_up, "{minor}");
        assert_eq!(share(minor, 1, 2, Rounding::HalfEven), half_even, "{minor}");
        assert_eq!(share(minor, 1, 2, Rounding::Down), down, "{minor}");
        assert_eq!(share(minor, -1, -2, Rounding::HalfUp), half_up, "{minor}");
        assert_eq!(share(minor, 1, -2, Rounding::HalfUp), -half_up, "{minor}");
    }
    assert_eq!(share(2, 1, 3, Rounding::HalfUp), 1);
    assert_eq!(share(1, 1, 3, Rounding::HalfEven), 0);
    assert_eq!(share(2, 1, 3, Rounding::Down), 0);
}

#[test]
fn a_split_loses_nothing_and_is_fair() {
    let parts = naira("100.00").split(3);
    assert_eq!(parts, [naira("33.34"), naira("33.33"), naira("33.33")]);
    assert_eq!(naira("-0.05").split(2), [naira("-0.03"), naira("-0.02")]);
    assert!(naira("1").split(0).is_empty());
}

#[test]
fn signs_and_zero_are_told_apart() {
    let (plus, zero, minus) = (naira("0.01"), naira("0"), naira("-0.01"));
    assert_eq!([plus, zero, minus].map(Money::is_negative), [false, false, true]);
    assert_eq!([plus, zero, minus].map(Money::is_zero), [false, true, false]);
    assert_eq!(minus.compare(plus), Ok(Ordering::Less));
}

#[test]
fn json_is_an_object_of_two_strings() {
    let fee = naira("1250.00");
    let json = serde_json::to_string(&fee).unwrap();
    assert_eq!(json, r#"{"amount":"1250.00","currency":"NGN"}"#);
    assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), fee);
    for wrong in [
        r#"{"amount":1250,"currency":"NGN"}"#,
        r#"{"amount":"1250"}"#,
        r#"{"amount":"1250","currency":"NGN","rate":1}"#,
        r#"{"amount":"1250","currency":"ngn"}"#,
        r#"{"amount":"1250.001","currency":"NGN"}"#,
    ] {
        assert!(serde_json::from_str::<Money>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_schema_says_what_is_read() {
    let schema = serde_json::to_value(schemars::schema_for!(Money)).unwrap();
    assert_eq!(schema["required"], serde_json::json!(["amount", "currency"]));
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["properties"]["currency"]["pattern"], "^[A-Z]{3}$", "inline, without a reference");
    let pattern = schema["properties"]["amount"]["pattern"].as_str().unwrap();
    let pattern = regex_lite::Regex::new(pattern).unwrap();
    for amount in ["1250", "1250.5", "-0.05", "0", "99999999999999.99"] {
        assert!(pattern.is_match(amount) && Money::parse(amount, Currency::NGN).is_ok(), "{amount}");
    }
    for amount in ["", "01", "5.", ".5", "1e3", "+5", "100000000000000", "1 250"] {
        assert!(!pattern.is_match(amount) && Money::parse(amount, Currency::NGN).is_err(), "{amount}");
    }
}

#[test]
fn the_table_of_currencies_is_in_order_and_agrees_with_the_named_ones() {
    let all: Vec<_> = Currency::all().collect();
    assert_eq!(all.len(), CURRENCIES.len());
    assert!(all.windows(2).all(|pair| pair[0].code() < pair[1].code()));
    for named in [Currency::NGN, Currency::GBP, Currency::EUR, Currency::USD] {
        assert_eq!(named.code().parse(), Ok(named));
    }
    assert_eq!(["JPY", "XOF", "KWD", "UGX"].map(|code| currency(code).minor_digits()), [0, 0, 3, 0]);
    assert_eq!("NGNN".parse::<Currency>().unwrap_err().code(), "currency-unknown");
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(minor in -9_999_999_999_999_999i64..=9_999_999_999_999_999, at in 0usize..150) {
        let all: Vec<_> = Currency::all().collect();
        let money = Money::minor(minor / 100, all[at % all.len()]);
        prop_assert_eq!(Money::parse(&money.amount(), money.currency()), Ok(money));
        let json = serde_json::to_string(&money).unwrap();
        prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
    }

    #[test]
    fn parts_sum_to_the_whole_and_differ_by_one_at_most(minor in any::<i64>(), count in 1u32..200) {
        let parts = Money::minor(minor, Currency::NGN).split(count);
        prop_assert_eq!(parts.len(), count as usize);
        let sum = parts.iter().try_fold(Money::zero(Currency::NGN), |sum, part| sum.plus(*part)).unwrap();
        prop_assert_eq!(sum.in_minor(), minor);
        let sizes: Vec<_> = parts.iter().map(|p| p.in_minor()).collect();
        prop_assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1);
    }

    #[test]
    fn a_share_is_within_one_minor_unit_of_the_exact_one(minor in any::<i32>(), n in 0i64..1000, d in 1i64..1000) {
        for rounding in [Rounding::HalfUp, Rounding::HalfEven, Rounding::Down] {
            let share = Money::minor(minor.into(), Currency::NGN).share(n, d, rounding).unwrap().in_minor();
            let off = (i128::from(share) * i128::from(d) - i128::from(minor) * i128::from(n)).abs();
            let bound = if rounding == Rounding::Down { i128::from(d) - 1 } else { i128::from(d) / 2 };
            prop_assert!(off <= bound);
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".*") {
        let _ = Money::parse(&text, Currency::NGN);
    }
}
