//! A report on paper and as a workbook. Nothing is printed that the record does not show.

use super::{Line, Report, Shown, frame::Dimension};
use reports::{
    Align, Block, Brand, Cell, Column, Document, Kind, Language, Run, Sheet, Table, Value, Workbook,
};
use store::Record;
use web::gate::TenantGate;

const WITHHELD: &str = "withheld";
const NONE: &str = "–";

pub fn document(tenant: &TenantGate, client: &str, report: &Record<Report>) -> Document {
    let body = &report.body;
    let title = format!("Employee assistance, {}", body.period);
    let mut blocks = vec![Block::heading(1, title.clone()), Block::paragraph(client.to_string())];
    let pairs = headline(body)
        .into_iter()
        .map(|(name, shown, sign)| (name.to_string(), vec![text(shown, sign).into()]));
    blocks.push(Block::Pairs(pairs.collect()));
    for (dimensions, lines) in tables(body) {
        blocks.push(Block::heading(2, heading(&dimensions)));
        blocks.push(Block::Table(table(&dimensions, &lines)));
    }
    blocks.push(Block::Paragraph { align: Align::Left, runs: vec![Run::italic(footnote(body))] });
    Document {
        title,
        language: Language::from_tag(&tenant.language).unwrap_or_default(),
        brand: Brand { name: tenant.name.clone(), ..Brand::default() },
        id: Some(report.id.to_string()),
        blocks,
        ..Document::default()
    }
}

pub fn workbook(tenant: &TenantGate, client: &str, report: &Record<Report>) -> Workbook {
    let body = &report.body;
    let column = |title: &str, kind| Column { title: title.into(), kind, width: None };
    let first = Sheet {
        name: "Summary".into(),
        columns: vec![column("Figure", Kind::Text), column("Value", Kind::Text)],
        rows: headline(body)
            .into_iter()
            .map(|(name, shown, sign)| vec![Value::Text(name.into()), Value::Text(text(shown, sign))])
            .collect(),
    };
    let sheet = |(dimensions, lines): (Vec<Dimension>, Vec<&Line>)| Sheet {
        name: heading(&dimensions),
        columns: dimensions
            .iter()
            .map(|dimension| column(&words(dimension.as_str()), Kind::Text))
            .chain([column("People", Kind::Text)])
            .collect(),
        rows: lines
            .into_iter()
            .map(|line| {
                line.by
                    .0
                    .values()
                    .map(|code| Value::Text(words(code)))
                    .chain([Value::Text(text(line.people, ""))])
                    .collect()
            })
            .collect(),
    };
    Workbook {
        title: format!("{client}, {}", body.period),
        author: tenant.name.clone(),
        language: Language::from_tag(&tenant.language).unwrap_or_default(),
        sheets: std::iter::once(first).chain(tables(body).into_iter().map(sheet)).collect(),
        ..Workbook::default()
    }
}

fn headline(report: &Report) -> Vec<(&'static str, Shown, &'static str)> {
    let top = &report.headline;
    vec![
        ("People who used the programme", top.people, ""),
        ("Utilisation, in a year", top.utilisation, " %"),
        ("Sessions a person", top.sessions_per_person, ""),
        ("Missed sessions", top.no_show, " %"),
        ("Satisfied", top.satisfaction, " %"),
    ]
}

/// The lines by what they break down by, in the order of the breakdowns.
fn tables(report: &Report) -> Vec<(Vec<Dimension>, Vec<&Line>)> {
    let mut tables: Vec<(Vec<Dimension>, Vec<&Line>)> = vec![];
    for line in &report.breakdowns {
        let by: Vec<Dimension> = line.by.0.keys().copied().collect();
        match tables.iter_mut().find(|(dimensions, _)| *dimensions == by) {
            Some((_, lines)) => lines.push(line),
            None => tables.push((by, vec![line])),
        }
    }
    tables.sort_by_key(|(dimensions, _)| (dimensions.len(), dimensions.clone()));
    tables
}

fn table(dimensions: &[Dimension], lines: &[&Line]) -> Table {
    let header = dimensions.iter().map(|dimension| words(dimension.as_str())).chain(["People".into()]);
    let row = |line: &&Line| -> Vec<Cell> {
        line.by.0.values().map(|code| words(code)).chain([text(line.people, "")]).map(Cell::from).collect()
    };
    Table {
        align: dimensions.iter().map(|_| Align::Left).chain([Align::Right]).collect(),
        header: header.map(Cell::from).collect(),
        rows: lines.iter().map(row).collect(),
    }
}

fn heading(dimensions: &[Dimension]) -> String {
    let names: Vec<String> = dimensions.iter().map(|dimension| words(dimension.as_str())).collect();
    names.join(" and ")
}

/// `issue_group` as `Issue group`, `30_39` as `30–39`.
fn words(code: &str) -> String {
    let between = if code.chars().all(|c| c.is_ascii_digit() || c == '_') { "–" } else { " " };
    let text = code.replace('_', between);
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn text(shown: Shown, sign: &str) -> String {
    match shown {
        Shown::Number(number) => format!("{number}{sign}"),
        Shown::Withheld { .. } => WITHHELD.into(),
        Shown::Unknown(()) => NONE.into(),
    }
}

fn footnote(report: &Report) -> String {
    format!(
        "Numbers behind which fewer than {} people could be found out are withheld, and others with them where they would \
         tell. A report is never changed; what is entered later counts in the quarter in which it is entered.",
        report.minimum
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_as_words() {
        assert_eq!(
            (words("issue_group"), words("30_39"), words("")),
            ("Issue group".into(), "30–39".into(), String::new())
        );
    }

    #[test]
    fn what_is_withheld_is_a_word_and_no_number() {
        assert_eq!(text(Shown::WITHHELD, " %"), "withheld");
        assert_eq!(
            (text(Shown::Number(17.0), " %"), text(Shown::Unknown(()), " %")),
            ("17 %".into(), "–".into())
        );
    }
}
