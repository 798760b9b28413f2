use calamine::{Data, Reader, Xlsx};
use jiff::civil::date;
use kernel::money::{Currency, Money};
use reports::{Column, Kind, Language, Sheet, Value, Workbook, xlsx};

use crate::reader::entries;

fn book(rows: Vec<Vec<Value>>) -> Workbook {
    let columns = vec![
        Column::text("Name").wide(30.0),
        Column::new("Count", Kind::Integer),
        Column::new("Sum", Kind::Money),
        Column::new("Day", Kind::Date),
        Column::new("Share", Kind::Percent),
        Column::new("Active", Kind::YesNo),
    ];
    let sheet = Sheet { name: "Staff/2026".into(), columns, rows };
    Workbook { title: "Staff".into(), language: Language::Fr, sheets: vec![sheet], ..Workbook::default() }
}

fn rows(bytes: Vec<u8>) -> Vec<Vec<Data>> {
    let mut book = Xlsx::new(std::io::Cursor::new(bytes)).unwrap();
    let name = book.sheet_names()[0].clone();
    assert_eq!(name, "Staff 2026");
    book.worksheet_range(&name).unwrap().rows().map(<[Data]>::to_vec).collect()
}

#[test]
fn a_spreadsheet_holds_values_of_their_types() {
    let row = vec![
        "Ọlá & <Ada>\n\"two\"".into(),
        7.into(),
        Money::minor(-125_050, Currency::NGN).into(),
        date(2026, 11, 29).into(),
        Value::Percent(0.125),
        true.into(),
    ];
    let rows = rows(xlsx(&book(vec![row, vec![Value::Empty, 8.into()]])).unwrap());
    assert_eq!(rows[0][0], Data::String("Name".into()));
    assert_eq!(rows[1][0], Data::String("Ọlá & <Ada>\n\"two\"".into()));
    assert_eq!(rows[1][1], Data::Float(7.0));
    assert_eq!(rows[1][2], Data::Float(-1250.5));
    let Data::DateTime(day) = &rows[1][3] else { panic!("{:?}", rows[1][3]) };
    assert_eq!(day.as_f64(), 46_355.0);
    assert_eq!(rows[1][4], Data::Float(0.125));
    assert_eq!(rows[1][5], Data::String("Oui".into()));
    assert_eq!((&rows[2][0], &rows[2][1]), (&Data::Empty, &Data::Float(8.0)));
}

#[test]
fn no_text_becomes_a_formula_and_codes_stay_texts() {
    let texts = ["=1+1", "=HYPERLINK(\"x\")", "+1", "-1", "@SUM(A1)", "\t=1", "'x", "_x003D_1", "<f>1</f>"];
    let bytes = xlsx(&book(texts.iter().map(|text| vec![Value::text(*text)]).collect())).unwrap();
    let sheet = String::from_utf8(entries(&bytes)["xl/worksheets/sheet1.xml"].clone()).unwrap();
    assert!(!sheet.contains("<f>") && !sheet.contains("<f "));
    for (row, text) in rows(bytes).iter().skip(1).zip(texts) {
        assert_eq!(row[0], Data::String(text.to_owned()));
    }
}

#[test]
fn the_same_workbook_is_the_same_bytes() {
    let make = || xlsx(&book(vec![vec!["a".into(), 1.into()]])).unwrap();
    assert_eq!(make(), make());
}

#[test]
fn numbers_that_spreadsheets_would_round_are_written_as_text() {
    let rows = rows(xlsx(&book(vec![vec![Value::Empty, i64::MAX.into()]])).unwrap());
    assert_eq!(rows[1][1], Data::String("9223372036854775807".into()));
}

#[test]
fn cells_of_the_wrong_type_and_rows_too_long_are_refused() {
    for rows in [vec![vec![Value::Integer(1)]], vec![vec![Value::Empty; 7]]] {
        assert_eq!(xlsx(&book(rows)).unwrap_err().code(), "workbook-invalid");
    }
    assert!(xlsx(&Workbook::default()).is_err());
}
