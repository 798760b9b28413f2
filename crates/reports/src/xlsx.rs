//! The XLSX of a workbook: a coloured head that stays, widths that fit, numbers that can be summed.
use std::fmt::Write;

use jiff::civil::{Date, DateTime, date};
use kernel::money::Currency;

use crate::{
    Column, Error, Kind, Language, Sheet, Value, Workbook,
    package::{Package, XML, properties, xml},
};

mod parts;

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const LONGEST: usize = 32_767;

/// Cell formats in the order of `cellXfs`; those of currencies follow.
const HEAD: usize = 1;
const TEXT: usize = 2;
const QUOTED: usize = 3;
const INTEGER: usize = 4;
const DECIMAL: usize = 5;
const DATE: usize = 6;
const DATE_TIME: usize = 7;
const PERCENT: usize = 8;
const HEAD_OF_NUMBERS: usize = 9;
const MONEY: usize = 10;

/// The workbook as XLSX.
pub fn xlsx(workbook: &Workbook) -> Result<Vec<u8>, Error> {
    workbook.check()?;
    let names = names(&workbook.sheets);
    let currencies = currencies(workbook);
    let mut package = Package::default();
    package.add("[Content_Types].xml", parts::types(names.len()).as_bytes());
    properties(&mut package, "xl/workbook.xml", &workbook.title, &workbook.author);
    package.add("xl/workbook.xml", parts::book(workbook, &names).as_bytes());
    package.add("xl/_rels/workbook.xml.rels", parts::relations(names.len()).as_bytes());
    package.add("xl/styles.xml", parts::styles(workbook, &currencies).as_bytes());
    for (n, sheet) in workbook.sheets.iter().enumerate() {
        let body =
            Writer { language: workbook.language, currencies: &currencies, out: String::new() }.sheet(sheet);
        package.add(&format!("xl/worksheets/sheet{}.xml", n + 1), body.as_bytes());
    }
    Ok(package.finish())
}

struct Writer<'a> {
    language: Language,
    currencies: &'a [Currency],
    out: String,
}

impl Writer<'_> {
    fn sheet(mut self, sheet: &Sheet) -> String {
        let last = letters(sheet.columns.len() - 1);
        let rows = sheet.rows.len() + 1;
        self.out.push_str(XML);
        self.put(format_args!(
            "<worksheet xmlns=\"{MAIN}\"><sheetPr><pageSetUpPr fitToPage=\"1\"/></sheetPr>\
             <dimension ref=\"A1:{last}{rows}\"/><sheetViews><sheetView workbookViewId=\"0\"><pane ySplit=\"1\" \
             topLeftCell=\"A2\" activePane=\"bottomLeft\" state=\"frozen\"/><selection pane=\"bottomLeft\"/>\
             </sheetView></sheetViews><sheetFormatPr defaultRowHeight=\"15\"/><cols>"
        ));
        for (n, column) in sheet.columns.iter().enumerate() {
            let wide = column
                .width
                .filter(|wide| wide.is_finite())
                .unwrap_or_else(|| self.measure(column, sheet, n));
            let (n, wide) = (n + 1, wide.clamp(4.0, 120.0));
            self.put(format_args!("<col min=\"{n}\" max=\"{n}\" width=\"{wide:.2}\" customWidth=\"1\"/>"));
        }
        self.out.push_str("</cols><sheetData><row r=\"1\" ht=\"20\" customHeight=\"1\">");
        for (n, column) in sheet.columns.iter().enumerate() {
            let words = matches!(column.kind, Kind::Text | Kind::YesNo);
            self.text(&letters(n), 1, if words { HEAD } else { HEAD_OF_NUMBERS }, &column.title);
        }
        self.out.push_str("</row>");
        for (n, row) in sheet.rows.iter().enumerate() {
            let r = n + 2;
            self.put(format_args!("<row r=\"{r}\">"));
            for (n, value) in row.iter().enumerate() {
                self.cell(&letters(n), r, value);
            }
            self.out.push_str("</row>");
        }
        self.put(format_args!(
            "</sheetData><autoFilter ref=\"A1:{last}{rows}\"/><pageMargins left=\"0.5\" right=\"0.5\" top=\"0.6\" \
             bottom=\"0.6\" header=\"0.3\" footer=\"0.3\"/><pageSetup paperSize=\"9\" orientation=\"landscape\" \
             fitToHeight=\"0\"/></worksheet>"
        ));
        self.out
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing into a string cannot fail.
        let _ = self.out.write_fmt(text);
    }

    fn cell(&mut self, column: &str, row: usize, value: &Value) {
        match value {
            Value::Empty => {}
            Value::Text(text) => {
                let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']);
                self.text(column, row, if risky { QUOTED } else { TEXT }, text);
            }
            Value::Integer(n) if n.unsigned_abs() > 999_999_999_999_999 => {
                self.text(column, row, QUOTED, &n.to_string());
            }
            Value::Integer(n) => self.number(column, row, INTEGER, n),
            Value::Decimal(n) => self.float(column, row, DECIMAL, *n),
            Value::Percent(n) => self.float(column, row, PERCENT, *n),
            Value::Money(money) => {
                let at =
                    self.currencies.iter().position(|known| *known == money.currency()).unwrap_or_default();
                self.number(column, row, MONEY + at, money.amount());
            }
            Value::Date(day) => match serial(*day) {
                Some(serial) => self.number(column, row, DATE, serial),
                None => self.text(column, row, TEXT, &day.to_string()),
            },
            Value::DateTime(at) => match serial(at.date()) {
                Some(serial) => self.number(column, row, DATE_TIME, moment(serial, *at)),
                None => self.text(column, row, TEXT, &at.to_string()),
            },
            Value::YesNo(yes) => self.text(column, row, TEXT, self.language.yes_no(*yes)),
        }
    }

    fn float(&mut self, column: &str, row: usize, style: usize, n: f64) {
        // What is no number is left empty: a spreadsheet has no cell for it.
        if n.is_finite() {
            self.number(column, row, style, n);
        }
    }

    fn number(&mut self, column: &str, row: usize, style: usize, n: impl std::fmt::Display) {
        self.put(format_args!("<c r=\"{column}{row}\" s=\"{style}\"><v>{n}</v></c>"));
    }

    fn text(&mut self, column: &str, row: usize, style: usize, text: &str) {
        let text = xml(&literal(text));
        self.put(format_args!(
            "<c r=\"{column}{row}\" s=\"{style}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{text}</t></is></c>"
        ));
    }

    /// Wide enough for nearly everything in it, never so wide that it pushes the others off the screen.
    fn measure(&self, column: &Column, sheet: &Sheet, n: usize) -> f32 {
        let longest = |value: &Value| match value {
            Value::Text(text) => text.lines().map(|line| line.chars().take(60).count()).max().unwrap_or(0),
            Value::Integer(n) => self.language.integer(*n).chars().count(),
            Value::Money(money) => self.language.money(*money).chars().count() + 1,
            Value::Date(_) => 11,
            Value::DateTime(_) => 17,
            _ => 8,
        };
        let cells = sheet.rows.iter().filter_map(|row| row.get(n)).map(longest).max().unwrap_or(0);
        // The head has a button for its filter.
        let head = column.title.chars().count() + 3;
        (cells.max(head) as f32 * 1.08 + 1.5).clamp(9.0, 60.0)
    }
}

/// `_x0041_` is an A to Excel: a text that looks like this is written so that it stays what it is.
fn literal(text: &str) -> String {
    let mut kept: String = text.chars().take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        kept.pop();
        kept.push('…');
    }
    let coded = |rest: &str| {
        let bytes = rest.as_bytes();
        bytes.len() >= 7
            && bytes[1] == b'x'
            && bytes[6] == b'_'
            && bytes[2..6].iter().all(u8::is_ascii_hexdigit)
    };
    let places: Vec<_> = kept.match_indices('_').map(|(at, _)| at).filter(|at| coded(&kept[*at..])).collect();
    for at in places.into_iter().rev() {
        kept.insert_str(at, "_x005F");
    }
    kept
}

/// Days since the eve of 1900 as Excel counts them; before March 1900 it counts wrongly.
fn serial(day: Date) -> Option<i32> {
    let days = (day - date(1899, 12, 30)).get_days();
    (61..=2_958_465).contains(&days).then_some(days)
}

/// The day and its part: `.5` is noon.
fn moment(day: i32, at: DateTime) -> f64 {
    let seconds = i32::from(at.hour()) * 3600 + i32::from(at.minute()) * 60 + i32::from(at.second());
    f64::from(day) + f64::from(seconds) / 86_400.0
}

/// `A`, …, `Z`, `AA`, …
fn letters(mut n: usize) -> String {
    let mut name = vec![];
    loop {
        name.push(char::from(b'A' + (n % 26) as u8));
        if n < 26 {
            return name.into_iter().rev().collect();
        }
        n = n / 26 - 1;
    }
}

fn names(sheets: &[Sheet]) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for sheet in sheets {
        let plain: String = sheet
            .name
            .chars()
            .map(|c| {
                if matches!(c, '[' | ']' | ':' | '*' | '?' | '/' | '\\') || c.is_control() { ' ' } else { c }
            })
            .collect();
        let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        let plain = plain.trim_matches('\'');
        let plain = if plain.is_empty() || plain.eq_ignore_ascii_case("history") { "Sheet" } else { plain };
        let wanted: String = plain.chars().take(31).collect();
        let taken = |name: &str| names.iter().any(|known| known.to_lowercase() == name.to_lowercase());
        let free = (2..).map(|n| format!("{} ({n})", plain.chars().take(24).collect::<String>().trim_end()));
        let name = std::iter::once(wanted).chain(free).find(|name| !taken(name));
        names.push(name.unwrap_or_default());
    }
    names
}

fn currencies(workbook: &Workbook) -> Vec<Currency> {
    let mut all: Vec<Currency> = vec![];
    for value in workbook.sheets.iter().flat_map(|sheet| &sheet.rows).flatten() {
        if let Value::Money(money) = value
            && !all.contains(&money.currency())
        {
            all.push(money.currency());
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_as_in_a_spreadsheet() {
        assert_eq!([0, 25, 26, 701, 702, 16_383].map(letters), ["A", "Z", "AA", "ZZ", "AAA", "XFD"]);
    }

    #[test]
    fn days_are_counted_as_excel_counts_them() {
        assert_eq!(serial(date(2026, 11, 29)), Some(46_355));
        assert_eq!(serial(date(1900, 3, 1)), Some(61));
        assert_eq!(serial(date(1899, 1, 1)), None);
        assert_eq!(moment(46_355, date(2026, 11, 29).at(12, 0, 0, 0)), 46_355.5);
        assert_eq!(moment(46_355, date(2026, 11, 29).at(9, 30, 0, 0)).to_string(), "46355.395833333336");
    }

    #[test]
    fn sheets_have_names_that_excel_takes() {
        let sheet = |name: &str| Sheet { name: name.into(), ..Sheet::default() };
        let long = "a very long name of a sheet that nobody needs";
        let all =
            [sheet("a/b"), sheet("A B"), sheet(""), sheet(long), sheet(long), sheet("'x'"), sheet("History")];
        let names = names(&all);
        assert_eq!(names[..3], ["a b", "A B (2)", "Sheet"]);
        assert!(names.iter().all(|name| name.chars().count() <= 31), "{names:?}");
        assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), 7, "{names:?}");
    }

    #[test]
    fn a_text_that_looks_like_a_code_of_excel_stays_a_text() {
        assert_eq!(literal("_x0041_ _x41_ __x00e9_"), "_x005F_x0041_ _x41_ __x005F_x00e9_");
        assert_eq!(literal(&"ọ".repeat(40_000)).chars().count(), LONGEST);
    }
}
