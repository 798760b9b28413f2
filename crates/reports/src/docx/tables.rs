//! Tables and pairs of a DOCX, their columns as wide as those of the PDF.
use super::{LEVELS, Manner, STEP, Writer, twips};
use crate::{Cell, Colour, Error, Run, Table, grid};

impl Writer<'_> {
    pub(super) fn table(&mut self, table: &Table, level: usize) -> Result<(), Error> {
        // To Word a table without rows is damage.
        if table.header.is_empty() && table.rows.is_empty() {
            return Ok(());
        }
        let indent = (level.min(LEVELS) * STEP) as f32 / 20.0;
        let Some(widths) = grid::widths(table, self.column - indent)? else { return Ok(()) };
        let signs = |row: &[Cell]| row.iter().any(|cell| matches!(cell, Cell::Sign(_)));
        let signed = signs(&table.header);
        let ruled = !(signed && table.rows.iter().all(|row| signs(row)));
        self.open_table(&widths, indent, ruled);
        if !table.header.is_empty() {
            self.row(table, &table.header, &widths, !signed);
        }
        for row in &table.rows {
            self.row(table, row, &widths, false);
        }
        self.body.push_str("</w:tbl>");
        self.gap();
        Ok(())
    }

    fn open_table(&mut self, widths: &[f32], indent: f32, ruled: bool) {
        let total = twips(widths.iter().sum());
        let line =
            |side: &str| format!("<w:{side} w:val=\"single\" w:sz=\"4\" w:space=\"0\" w:color=\"C4C7CB\"/>");
        let borders = if ruled { line("bottom") + &line("insideH") } else { String::new() };
        let columns: String =
            widths.iter().map(|width| format!("<w:gridCol w:w=\"{}\"/>", twips(*width))).collect();
        self.body.push_str(&format!(
            "<w:tbl><w:tblPr><w:tblW w:w=\"{total}\" w:type=\"dxa\"/><w:tblInd w:w=\"{}\" w:type=\"dxa\"/>\
             <w:tblBorders>{borders}</w:tblBorders><w:tblLayout w:type=\"fixed\"/><w:tblCellMar><w:top w:w=\"60\" \
             w:type=\"dxa\"/><w:left w:w=\"80\" w:type=\"dxa\"/><w:bottom w:w=\"60\" w:type=\"dxa\"/><w:right \
             w:w=\"80\" w:type=\"dxa\"/></w:tblCellMar></w:tblPr><w:tblGrid>{columns}</w:tblGrid>",
            twips(indent)
        ));
    }

    fn row(&mut self, table: &Table, cells: &[Cell], widths: &[f32], head: bool) {
        let repeated = if head { "<w:tblHeader/>" } else { "" };
        self.body.push_str(&format!("<w:tr><w:trPr><w:cantSplit/>{repeated}</w:trPr>"));
        for (n, width) in widths.iter().enumerate() {
            self.open_cell(*width, head);
            match cells.get(n) {
                Some(Cell::Sign(role)) => self.sign(role, &Manner { style: "Cell", ..Manner::default() }),
                Some(Cell::Text(runs)) => {
                    let style = if head { "CellHead" } else { "Cell" };
                    self.paragraph(&Manner { style, align: table.align(n), ..Manner::default() }, runs);
                }
                None => self.paragraph(&Manner { style: "Cell", ..Manner::default() }, &[]),
            }
            self.body.push_str("</w:tc>");
        }
        self.body.push_str("</w:tr>");
    }

    fn open_cell(&mut self, width: f32, head: bool) {
        let tint = self.document.brand.accent.legible().mixed(Colour(255, 255, 255), 0.88).hex();
        let ground = if head {
            format!("<w:shd w:val=\"clear\" w:color=\"auto\" w:fill=\"{tint}\"/>")
        } else {
            String::new()
        };
        self.body.push_str(&format!(
            "<w:tc><w:tcPr><w:tcW w:w=\"{}\" w:type=\"dxa\"/>{ground}</w:tcPr>",
            twips(width)
        ));
    }

    pub(super) fn pairs(&mut self, pairs: &[(String, Vec<Run>)], level: usize) {
        if pairs.is_empty() {
            return;
        }
        let indent = (level.min(LEVELS) * STEP) as f32 / 20.0;
        let column = self.column - indent;
        let label = grid::label_width(pairs, column);
        self.open_table(&[label, column - label], indent, false);
        for (name, runs) in pairs {
            self.body.push_str("<w:tr><w:trPr><w:cantSplit/></w:trPr>");
            self.open_cell(label, false);
            self.paragraph(&Manner { style: "CellLabel", ..Manner::default() }, &[Run::plain(name)]);
            self.body.push_str("</w:tc>");
            self.open_cell(column - label, false);
            self.paragraph(&Manner { style: "Cell", ..Manner::default() }, runs);
            self.body.push_str("</w:tc></w:tr>");
        }
        self.body.push_str("</w:tbl>");
        self.gap();
    }

    /// Two tables that touch are one to Word.
    fn gap(&mut self) {
        self.paragraph(&Manner { style: "Gap", ..Manner::default() }, &[]);
    }
}
