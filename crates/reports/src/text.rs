//! Runs of text cut into lines by their measured widths.
use std::ops::Range;

use crate::{
    Run,
    font::{BOLD, Glyph, ITALIC, REGULAR, shape},
};

/// A glyph and what the breaking of lines must know of it.
#[derive(Clone, Copy)]
struct Atom {
    glyph: Glyph,
    /// Which of the runs it is of.
    run: u32,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    /// A hyphen, a dash, a slash: the line may end behind it.
    Joint,
    Space,
    Feed,
}

/// Glyphs of one run in one face, from `x` on.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub run: usize,
    pub font: u8,
    pub slant: bool,
    pub x: f32,
    pub width: f32,
    pub glyphs: Vec<Glyph>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    pub pieces: Vec<Piece>,
    pub width: f32,
}

/// Text that is measured and waits for a width.
pub(crate) struct Text {
    atoms: Vec<Atom>,
    /// Of each run: leans although its face does not.
    slants: Vec<bool>,
    size: f32,
    /// In one line.
    pub natural: f32,
    /// The longest word.
    pub narrowest: f32,
}

impl Text {
    pub fn new(runs: &[Run], size: f32, bold: bool) -> Self {
        let mut text = Self { atoms: vec![], slants: vec![], size, natural: 0.0, narrowest: 0.0 };
        for (n, run) in runs.iter().enumerate() {
            let bold = bold || run.bold;
            text.slants.push(bold && run.italic);
            text.add(
                &run.text,
                n as u32,
                if bold {
                    BOLD
                } else if run.italic {
                    ITALIC
                } else {
                    REGULAR
                },
            );
        }
        text.measure();
        text
    }

    fn add(&mut self, text: &str, run: u32, font: u8) {
        for (n, line) in text.split('\n').enumerate() {
            if n > 0 {
                let glyph = Glyph { id: 0, font, c: '\n', advance: 0.0, dx: 0.0, dy: 0.0, mark: false };
                self.atoms.push(Atom { glyph, run, kind: Kind::Feed });
            }
            self.atoms.extend(shape(line, font).into_iter().map(|mut glyph| {
                let kind = match glyph.c {
                    ' ' => Kind::Space,
                    '-' | '\u{2010}' | '–' | '—' | '/' => Kind::Joint,
                    '\u{a0}' => {
                        glyph.c = ' ';
                        Kind::Letter
                    }
                    _ => Kind::Letter,
                };
                Atom { glyph, run, kind }
            }));
        }
    }

    fn points(&self, thousandths: f32) -> f32 {
        thousandths * self.size / 1000.0
    }

    fn measure(&mut self) {
        let (mut line, mut word, mut widest, mut longest) = (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32);
        for atom in &self.atoms {
            line += atom.glyph.advance;
            word += atom.glyph.advance;
            match atom.kind {
                Kind::Letter => longest = longest.max(word),
                Kind::Joint => {
                    longest = longest.max(word);
                    word = 0.0;
                }
                Kind::Space => word = 0.0,
                Kind::Feed => (line, word) = (0.0, 0.0),
            }
            widest = widest.max(line);
        }
        // A hair more than needed, so that a text fits into its own width.
        self.natural = self.points(widest) + 0.05;
        self.narrowest = self.points(longest) + 0.05;
    }

    /// The lines in a width; at least one. A word that is too long is cut.
    pub fn lines(&self, width: f32) -> Vec<Line> {
        self.cuts(width * 1000.0 / self.size).into_iter().map(|range| self.line(range)).collect()
    }

    fn cuts(&self, width: f32) -> Vec<Range<usize>> {
        let atoms = &self.atoms;
        let (mut cuts, mut start, mut x, mut chance) = (vec![], 0, 0.0, None);
        for (at, atom) in atoms.iter().enumerate() {
            let advance = atom.glyph.advance;
            if atom.kind == Kind::Feed {
                cuts.push(start..at);
                (start, x, chance) = (at + 1, 0.0, None);
                continue;
            }
            while atom.kind != Kind::Space && advance > 0.0 && x + advance > width && at > start {
                let cut = chance.take().unwrap_or(at);
                cuts.push(start..cut);
                start = cut;
                x = atoms[cut..at].iter().map(|atom| atom.glyph.advance).sum();
            }
            x += advance;
            if matches!(atom.kind, Kind::Space | Kind::Joint) {
                chance = Some(at + 1);
            }
        }
        cuts.push(start..atoms.len());
        cuts
    }

    fn line(&self, range: Range<usize>) -> Line {
        let mut atoms = &self.atoms[range];
        while let [rest @ .., Atom { kind: Kind::Space, .. }] = atoms {
            atoms = rest;
        }
        let mut line = Line::default();
        for atom in atoms {
            let (run, font) = (atom.run as usize, atom.glyph.font);
            let same = line.pieces.last().is_some_and(|piece| piece.run == run && piece.font == font);
            if !same {
                let slant = self.slants[run];
                line.pieces.push(Piece { run, font, slant, x: line.width, width: 0.0, glyphs: vec![] });
            }
            let advance = self.points(atom.glyph.advance);
            if let Some(piece) = line.pieces.last_mut() {
                piece.glyphs.push(atom.glyph);
                piece.width += advance;
            }
            line.width += advance;
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &Line) -> String {
        line.pieces.iter().flat_map(|piece| &piece.glyphs).map(|glyph| glyph.c).collect()
    }

    #[test]
    fn lines_end_at_spaces_hyphens_and_feeds_and_long_words_are_cut() {
        let text = Text::new(&["one two-three\nfour incomprehensibilities".into()], 10.0, false);
        let lines: Vec<_> = text.lines(52.0).iter().map(words).collect();
        assert_eq!(lines[..3], ["one two-", "three", "four"]);
        assert!(text.lines(52.0).iter().all(|line| line.width <= 52.0));
        assert_eq!(lines.concat().replace(' ', ""), "onetwo-threefourincomprehensibilities");
    }

    #[test]
    fn a_width_of_nothing_still_ends() {
        let text = Text::new(&["abc".into()], 10.0, false);
        assert_eq!(text.lines(0.0).len(), 3);
        assert_eq!(Text::new(&[], 10.0, false).lines(-5.0).len(), 1);
    }

    #[test]
    fn a_text_fits_into_its_own_width() {
        let text = Text::new(&["Ọjọ́ àìkú ".into(), Run::bold("ńlá")], 9.5, false);
        assert_eq!(text.lines(text.natural).len(), 1);
        assert!(text.lines(text.narrowest).iter().all(|line| !words(line).contains(' ')));
    }
}
