use super::*;
use crate::contract::term::next_period;
use kernel::{EapServiceId, Id, Ulid};
use serde_json::json;

fn contract(more: serde_json::Value) -> Contract {
    let mut body = json!({
        "client": "clo_01ARZ3NDEKTSV4RRFFQ69G5FAV", "title": "T", "start_date": "2026-01-31", "end_date": "2027-01-30",
        "billing_amount": {"amount": "1200000.00", "currency": "NGN"}, "anchor_day": 31, "zone": "Africa/Lagos",
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(body).unwrap()
}

fn service(n: u64) -> EapServiceId {
    EapServiceId::of(Ulid::from_parts(n, 0))
}

fn session(n: u64, person: &str) -> Charge {
    Charge { service: Some(service(n)), event: None, fee: None, person: Some(person.into()) }
}

fn billed(
    c: &Contract,
    to: &str,
    headcounts: Option<Vec<u64>>,
    charges: Vec<Charge>,
    smallest: usize,
) -> Sums {
    let period =
        next_period(c.start_date, 31, c.billing_frequency.months(), None, to.parse().unwrap()).unwrap();
    let services = [(service(1), "Counselling".to_string()), (service(2), "Legal".to_string())].into();
    sums(&Facts { contract: c, period, headcounts, charges, services, smallest }).unwrap()
}

/// Story 4.
#[test]
fn ten_days_of_thirty_one_are_ten_thirty_firsts_to_the_kobo() {
    let c = contract(json!({"start_date": "2026-03-31", "anchor_day": 1}));
    let march = crate::contract::term::Period {
        from: "2026-03-01".parse().unwrap(),
        to: "2026-03-10".parse().unwrap(),
        whole_to: "2026-03-31".parse().unwrap(),
    };
    let facts = Facts {
        contract: &c,
        period: march,
        headcounts: None,
        charges: vec![],
        services: [].into(),
        smallest: 10,
    };
    assert_eq!(sums(&facts).unwrap().total.amount(), "387096.77");
}

#[test]
fn tax_is_of_the_sum_rounded_half_up() {
    let c = contract(json!({"tax_rate": 7.5, "billing_amount": {"amount": "0.20", "currency": "NGN"}}));
    let sums = billed(&c, "2026-02-27", None, vec![], 10);
    assert_eq!((sums.tax.amount(), sums.total.amount()), ("0.02".into(), "0.22".into()));
}

#[test]
fn heads_are_summed_over_the_months_and_without_any_the_bill_is_held() {
    let more = json!({"pricing": "per_capita", "rate": {"amount": "150.00", "currency": "NGN"}, "billing_frequency": "quarterly"});
    let c = contract(more);
    let sums = billed(&c, "2026-04-29", Some(vec![400, 410, 420]), vec![], 10);
    assert_eq!((sums.lines[0].quantity, sums.total.amount()), (1230, "184500.00".into()));
    let none = billed(&c, "2026-04-29", None, vec![], 10);
    assert_eq!((none.held, none.lines.len()), (Some("no-headcount"), 0));
}

/// Story 18, first half.
#[test]
fn lines_with_few_persons_become_one() {
    let c =
        contract(json!({"pricing": "fee_per_session", "rate": {"amount": "20000.00", "currency": "NGN"}}));
    let persons = |n: u64, many: u64| (0..many).map(move |p| session(n, &format!("p{p}")));
    let event =
        Charge { service: None, event: Some("Outreach".into()), fee: Some("5000".parse_ngn()), person: None };
    let few: Vec<Charge> = persons(1, 12).chain(persons(2, 4)).chain([event.clone()]).collect();
    let sums = billed(&c, "2026-02-27", None, few, 10);
    assert_eq!(sums.lines.len(), 1);
    assert_eq!((sums.lines[0].label.as_str(), sums.lines[0].quantity), (MERGED, 1));
    assert_eq!(sums.total.amount(), "325000.00");
    let many: Vec<Charge> = persons(1, 12).chain(persons(2, 10)).chain([event]).collect();
    let sums = billed(&c, "2026-02-27", None, many, 10);
    let lines: Vec<(&str, u64)> = sums.lines.iter().map(|l| (l.label.as_str(), l.quantity)).collect();
    assert_eq!(lines, [("Counselling", 12), ("Legal", 10), ("Outreach", 1)]);
    // Ten sessions of one person are one person.
    let one: Vec<Charge> = (0..10).map(|_| session(1, "p")).collect();
    assert_eq!(billed(&c, "2026-02-27", None, one, 10).lines[0].label, MERGED);
}

trait Ngn {
    fn parse_ngn(&self) -> Money;
}
impl Ngn for &str {
    fn parse_ngn(&self) -> Money {
        Money::parse(self, kernel::money::Currency::NGN).unwrap()
    }
}
