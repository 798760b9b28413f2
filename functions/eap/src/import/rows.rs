//! The rows of an eligibility file: what is good, and of each bad one why. Nothing is looked up for it, so that the
//! answer is the same whoever is on the list already.

use super::csv;
use crate::{
    beneficiary::{Beneficiary, Source, Status, folded},
    words::Relation,
};
use jiff::civil::Date;
use kernel::{BeneficiaryId, ClientOrgId, Error, JobId, Result};
use schemars::JsonSchema;
use seal::Sealed;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Columns of a file; the first two are required.
const COLUMNS: [&str; 10] = [
    "employee_number",
    "name",
    "relation",
    "birth_date",
    "unit",
    "email",
    "phone",
    "language",
    "eligible_from",
    "eligible_to",
];
/// Rows of one file.
pub const MOST: usize = 50_000;

/// What is wrong with a row. Says no value of it: the answer is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowError {
    /// As a spreadsheet numbers it; the heading is 1.
    pub row: usize,
    pub column: String,
    pub code: String,
    pub detail: String,
}

/// A good row.
#[derive(Clone, Debug, PartialEq)]
pub struct Good {
    pub row: usize,
    /// Of the employee, also on a dependant's row.
    pub number: String,
    pub relation: Relation,
    pub name: String,
    pub birth_date: Option<Date>,
    pub unit: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub language: Option<String>,
    pub eligible_from: Option<Date>,
    pub eligible_to: Option<Date>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checked {
    /// Employees first, then dependants, each in the file's order.
    pub good: Vec<Good>,
    pub errors: Vec<RowError>,
    pub rows: usize,
}

/// What a file is held against.
pub struct Rules<'a> {
    /// Codes of the client's units; any, where it has none.
    pub units: &'a [String],
    pub today: Date,
}

/// 422 if the file as a whole cannot be read.
pub fn check(text: &str, rules: &Rules<'_>) -> Result<Checked> {
    let lines = csv::lines(text);
    let Some(((_, heading), rows)) = lines.split_first() else {
        return Err(bad("empty", "the file has no rows"));
    };
    let columns = columns(heading)?;
    if rows.len() > MOST {
        return Err(bad("too-many-rows", &format!("a file holds at most {MOST} rows: send it in parts")));
    }
    let mut out = Checked { rows: rows.len(), ..Checked::default() };
    let mut read = vec![];
    for (row, cells) in rows {
        let cell =
            |name: &str| columns.get(name).and_then(|at| cells.get(*at)).map(String::as_str).unwrap_or("");
        match one(*row, &cell, rules) {
            Ok(good) => read.push(good),
            Err(mut errors) => out.errors.append(&mut errors),
        }
    }
    sort_out(read, &mut out);
    out.errors.sort_by_key(|e| e.row);
    Ok(out)
}

fn bad(code: &'static str, detail: &str) -> Error {
    Error::field(code, "/csv", detail)
}

fn columns(heading: &[String]) -> Result<BTreeMap<String, usize>> {
    let mut columns = BTreeMap::new();
    for (at, name) in heading.iter().enumerate() {
        let name = name.trim().to_lowercase().replace([' ', '-'], "_");
        if !COLUMNS.contains(&name.as_str()) {
            return Err(bad(
                "unknown-column",
                &format!("column {} is none of {}", at + 1, COLUMNS.join(", ")),
            ));
        }
        if columns.insert(name, at).is_some() {
            return Err(bad("repeated-column", &format!("column {} stands there twice", at + 1)));
        }
    }
    match COLUMNS[..2].iter().find(|name| !columns.contains_key(**name)) {
        Some(name) => Err(bad("missing-column", &format!("the heading needs a column {name}"))),
        None => Ok(columns),
    }
}

/// One row by itself: all that is wrong with it at once.
fn one<'a>(row: usize, cell: &dyn Fn(&str) -> &'a str, rules: &Rules<'_>) -> Result<Good, Vec<RowError>> {
    let mut errors = vec![];
    let mut wrong = |column: &str, code: &str, detail: &str| {
        errors.push(RowError { row, column: column.into(), code: code.into(), detail: detail.into() });
    };
    let (number, name) = (cell("employee_number").to_string(), cell("name"));
    if number.is_empty() || number.chars().count() > 40 {
        wrong("employee_number", "length", "1 to 40 characters; on a dependant's row the employee's");
    }
    let name = match kernel::text::line(name, 200) {
        Ok(name) if name.chars().any(char::is_alphabetic) => name,
        _ => {
            wrong("name", "format", "a name of 1 to 200 characters");
            String::new()
        }
    };
    let relation = match cell("relation").to_lowercase().as_str() {
        "" => Relation::Employee,
        word => word.parse().unwrap_or_else(|()| {
            wrong("relation", "enum", "one of employee, spouse, child, other");
            Relation::Employee
        }),
    };
    let mut date = |column: &str| -> Option<Date> {
        let text = cell(column);
        let read = if text.is_empty() { None } else { text.parse::<Date>().ok() };
        if read.is_none() && !text.is_empty() {
            wrong(column, "format", "a date such as 1990-05-17");
        }
        read
    };
    let (birth_date, eligible_from, eligible_to) =
        (date("birth_date"), date("eligible_from"), date("eligible_to"));
    if birth_date.is_some_and(|b| b >= rules.today || b.year() < 1900) {
        wrong("birth_date", "range", "a day before today, after 1899");
    }
    if let (Some(from), Some(to)) = (eligible_from, eligible_to)
        && to < from
    {
        wrong("eligible_to", "range", "not before eligible_from");
    }
    let email = Some(cell("email")).filter(|e| !e.is_empty()).and_then(|e| match kernel::text::email(e) {
        Ok(email) => Some(email),
        Err(_) => {
            wrong("email", "format", "an e-mail address");
            None
        }
    });
    let unit = Some(cell("unit").to_string()).filter(|u| !u.is_empty());
    if unit.as_ref().is_some_and(|u| !rules.units.is_empty() && !rules.units.contains(u)) {
        wrong("unit", "unknown", "none of the client's reporting units");
    }
    let short = |column: &str, most: usize| {
        Some(cell(column).to_string()).filter(|t| !t.is_empty() && t.len() <= most)
    };
    let (phone, language) = (short("phone", 50), short("language", 20));
    if errors.is_empty() {
        Ok(Good {
            row,
            number,
            relation,
            name,
            birth_date,
            unit,
            email,
            phone,
            language,
            eligible_from,
            eligible_to,
        })
    } else {
        Err(errors)
    }
}

/// Rows against one another: a number once, and a dependant's employee in the same file.
fn sort_out(read: Vec<Good>, out: &mut Checked) {
    let (employees, dependants): (Vec<Good>, Vec<Good>) =
        read.into_iter().partition(|g| g.relation == Relation::Employee);
    let error = |row, column: &str, code: &str, detail: String| RowError {
        row,
        column: column.into(),
        code: code.into(),
        detail,
    };
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for good in employees {
        match numbers.get(&folded(&good.number)) {
            Some(first) => {
                let detail = format!("row {first} has this number already");
                out.errors.push(error(good.row, "employee_number", "duplicate-row", detail));
            }
            None => {
                numbers.insert(folded(&good.number), good.row);
                out.good.push(good);
            }
        }
    }
    let mut seen = BTreeSet::new();
    for good in dependants {
        if !numbers.contains_key(&folded(&good.number)) {
            let detail = "no good row of this file is this dependant's employee".to_string();
            out.errors.push(error(good.row, "employee_number", "employee-missing", detail));
        } else if !seen.insert((folded(&good.number), good.relation, folded(&good.name), good.birth_date)) {
            let detail = "another row is the same dependant".to_string();
            out.errors.push(error(good.row, "name", "duplicate-row", detail));
        } else {
            out.good.push(good);
        }
    }
}

impl Good {
    /// As a new beneficiary.
    pub fn fresh(
        &self,
        client: ClientOrgId,
        employee: Option<BeneficiaryId>,
        batch: JobId,
        day: Date,
    ) -> Beneficiary {
        let number = Some(Sealed(self.number.clone())).filter(|_| self.relation == Relation::Employee);
        let blank = Beneficiary {
            client,
            relation: self.relation,
            employee,
            name: Sealed(self.name.clone()),
            birth_date: None,
            email: None,
            phone: None,
            safe_contact: None,
            employee_number: number,
            unit: None,
            language: None,
            eligible_from: Some(day),
            eligible_to: None,
            user: None,
            source: Source::Import,
            status: Status::Eligible,
            batch: Some(batch),
        };
        self.onto(&blank, day)
    }

    /// An existing one as this row says: what the row leaves open stays as it is; who stands in a file is eligible.
    pub fn onto(&self, old: &Beneficiary, day: Date) -> Beneficiary {
        let mut new = old.clone();
        new.name = Sealed(self.name.clone());
        new.birth_date = self.birth_date.map(Sealed).or(new.birth_date);
        new.email = self.email.clone().map(Sealed).or(new.email);
        new.phone = self.phone.clone().map(Sealed).or(new.phone);
        new.unit = self.unit.clone().or(new.unit);
        new.language = self.language.clone().or(new.language);
        new.eligible_from = self.eligible_from.or(new.eligible_from);
        // A row brings back who was ended, unless it says itself when they end.
        new.eligible_to = self.eligible_to.or(new.eligible_to.filter(|_| old.status == Status::Eligible));
        let over = new.eligible_to.is_some_and(|to| to < day);
        new.status = if over { Status::Ended } else { Status::Eligible };
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use kernel::Id;

    fn rules() -> Rules<'static> {
        Rules { units: &[], today: date(2026, 11, 29) }
    }

    fn codes(text: &str) -> Vec<(usize, String, String)> {
        let checked = check(text, &rules()).unwrap();
        checked.errors.into_iter().map(|e| (e.row, e.column, e.code)).collect()
    }

    #[test]
    fn each_bad_row_is_named_with_all_that_is_wrong() {
        let text = "employee_number,name,birth_date,relation,email\nE1,Ada Obi,1990-01-31,,ada@zenith.example\n\
                    ,Bola,31/01/1990,cousin,nowhere\ne 1,Chi,,,\nE9,Son,,child,\nE1,Son,,child,\nE1,son,,child,\n";
        let got = codes(text);
        let want = [
            (3, "employee_number", "length"),
            (3, "relation", "enum"),
            (3, "birth_date", "format"),
            (3, "email", "format"),
            (4, "employee_number", "duplicate-row"),
            (5, "employee_number", "employee-missing"),
            (7, "name", "duplicate-row"),
        ];
        assert_eq!(got, want.map(|(r, c, w)| (r, c.to_string(), w.to_string())));
        let checked = check(text, &rules()).unwrap();
        assert_eq!((checked.rows, checked.good.len()), (6, 2));
        assert!(!format!("{:?}", checked.errors).contains("nowhere"), "no value is told");
    }

    #[test]
    fn a_heading_that_is_not_understood_is_refused_whole() {
        for (text, code) in [
            ("", "empty"),
            ("name\nAda", "missing-column"),
            ("employee_number,name,salary\n", "unknown-column"),
            ("employee_number,name,name\n", "repeated-column"),
        ] {
            assert_eq!(check(text, &rules()).unwrap_err().code(), code, "{text}");
        }
    }

    #[test]
    fn a_row_changes_only_what_it_says_and_brings_back_who_was_ended() {
        let text = "employee_number,name,unit\nE1,Ada Obi,LAG\n";
        let row = &check(text, &rules()).unwrap().good[0];
        let (client, batch) =
            (ClientOrgId::at(jiff::Timestamp::UNIX_EPOCH), JobId::at(jiff::Timestamp::UNIX_EPOCH));
        let day = date(2026, 11, 29);
        let fresh = row.fresh(client, None, batch, day);
        assert_eq!((fresh.eligible_from, fresh.status), (Some(day), Status::Eligible));
        let old = Beneficiary { email: Some("ada@zenith.example".into()), ..fresh.clone() };
        assert_eq!(row.onto(&old, day), old, "the same row twice changes nothing");
        let ended =
            Beneficiary { status: Status::Ended, eligible_to: Some(date(2026, 6, 30)), ..old.clone() };
        assert_eq!(row.onto(&ended, day), old);
    }

    #[test]
    fn units_are_those_of_the_client() {
        let rules = Rules { units: &["LAG".to_string()], ..rules() };
        let checked = check("employee_number,name,unit\nE1,Ada,LAG\nE2,Bola,ABV\nE3,Chi,\n", &rules).unwrap();
        assert_eq!((checked.good.len(), checked.errors[0].code.as_str()), (2, "unknown"));
    }
}
