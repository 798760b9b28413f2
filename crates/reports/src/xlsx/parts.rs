//! The parts of an XLSX around its sheets: their list, their styles.
use std::fmt::Write;

use kernel::money::Currency;

use super::{MAIN, MONEY, RELATIONS, letters};
use crate::{
    Workbook,
    language::symbol,
    package::{XML, xml},
};

pub(super) fn types(sheets: usize) -> String {
    let office = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    let mut parts = String::new();
    for n in 1..=sheets {
        let _ = write!(
            parts,
            "<Override PartName=\"/xl/worksheets/sheet{n}.xml\" ContentType=\"{office}.worksheet+xml\"/>"
        );
    }
    format!(
        "{XML}<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default \
         Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default \
         Extension=\"xml\" ContentType=\"application/xml\"/><Override PartName=\"/xl/workbook.xml\" \
         ContentType=\"{office}.sheet.main+xml\"/><Override PartName=\"/xl/styles.xml\" \
         ContentType=\"{office}.styles+xml\"/><Override PartName=\"/docProps/core.xml\" \
         ContentType=\"application/vnd.openxmlformats-package.core-properties+xml\"/>{parts}</Types>"
    )
}

pub(super) fn relations(sheets: usize) -> String {
    let mut all = String::new();
    for n in 1..=sheets {
        let _ = write!(
            all,
            "<Relationship Id=\"rId{n}\" Type=\"{RELATIONS}/worksheet\" Target=\"worksheets/sheet{n}.xml\"/>"
        );
    }
    let styles = sheets + 1;
    format!(
        "{XML}<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{all}\
         <Relationship Id=\"rId{styles}\" Type=\"{RELATIONS}/styles\" Target=\"styles.xml\"/></Relationships>"
    )
}

pub(super) fn book(workbook: &Workbook, names: &[String]) -> String {
    let (mut sheets, mut defined) = (String::new(), String::new());
    for (n, (name, sheet)) in names.iter().zip(&workbook.sheets).enumerate() {
        let (id, last, rows) = (n + 1, letters(sheet.columns.len() - 1), sheet.rows.len() + 1);
        let _ = write!(sheets, "<sheet name=\"{}\" sheetId=\"{id}\" r:id=\"rId{id}\"/>", xml(name));
        let quoted = xml(&name.replace('\'', "''"));
        let _ = write!(
            defined,
            "<definedName name=\"_xlnm._FilterDatabase\" localSheetId=\"{n}\" hidden=\"1\">\
             '{quoted}'!$A$1:${last}${rows}</definedName><definedName name=\"_xlnm.Print_Titles\" \
             localSheetId=\"{n}\">'{quoted}'!$1:$1</definedName>"
        );
    }
    format!(
        "{XML}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATIONS}\"><bookViews><workbookView/></bookViews>\
         <sheets>{sheets}</sheets><definedNames>{defined}</definedNames></workbook>"
    )
}

pub(super) fn styles(workbook: &Workbook, currencies: &[Currency]) -> String {
    let mut formats = String::from(
        "<numFmt numFmtId=\"164\" formatCode=\"dd mmm yyyy\"/><numFmt numFmtId=\"165\" \
         formatCode=\"dd mmm yyyy hh:mm\"/><numFmt numFmtId=\"166\" formatCode=\"#,##0.######\"/><numFmt \
         numFmtId=\"167\" formatCode=\"0.##%\"/>",
    );
    let mut cells = String::new();
    for (n, currency) in currencies.iter().enumerate() {
        let id = 168 + n;
        let places = currency.minor_digits() as usize;
        let zeros = if places > 0 { format!(".{}", "0".repeat(places)) } else { String::new() };
        let symbol = xml(&format!("\"{}\"", symbol(*currency)));
        let _ = write!(
            formats,
            "<numFmt numFmtId=\"{id}\" formatCode=\"{symbol}#,##0{zeros};-{symbol}#,##0{zeros}\"/>"
        );
        let _ = write!(cells, "<xf numFmtId=\"{id}\" applyNumberFormat=\"1\"/>");
    }
    let (fill, count) = (workbook.accent.legible().hex(), 4 + currencies.len());
    let kinds: String =
        [3, 166, 164, 165, 167].map(|id| format!("<xf numFmtId=\"{id}\" applyNumberFormat=\"1\"/>")).concat();
    let top = "<alignment vertical=\"top\" wrapText=\"1\"/>";
    let total = MONEY + currencies.len();
    format!(
        "{XML}<styleSheet xmlns=\"{MAIN}\"><numFmts count=\"{count}\">{formats}</numFmts><fonts count=\"2\"><font>\
         <sz val=\"11\"/><name val=\"Calibri\"/></font><font><b/><sz val=\"11\"/><color rgb=\"FFFFFFFF\"/><name \
         val=\"Calibri\"/></font></fonts><fills count=\"3\"><fill><patternFill patternType=\"none\"/></fill><fill>\
         <patternFill patternType=\"gray125\"/></fill><fill><patternFill patternType=\"solid\"><fgColor \
         rgb=\"FF{fill}\"/></patternFill></fill></fills><borders count=\"1\"><border/></borders><cellStyleXfs \
         count=\"1\"><xf/></cellStyleXfs><cellXfs count=\"{total}\"><xf/><xf fontId=\"1\" fillId=\"2\" \
         applyFont=\"1\" applyFill=\"1\"><alignment vertical=\"center\"/></xf><xf applyAlignment=\"1\">{top}</xf><xf \
         quotePrefix=\"1\" applyAlignment=\"1\">{top}</xf>{kinds}<xf fontId=\"1\" \
         fillId=\"2\" applyFont=\"1\" applyFill=\"1\"><alignment horizontal=\"right\" vertical=\"center\"/></xf>{cells}</cellXfs><cellStyles count=\"1\"><cellStyle \
         name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles></styleSheet>"
    )
}
