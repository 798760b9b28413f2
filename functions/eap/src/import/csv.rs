//! Reading CSV (RFC 4180), as spreadsheets of different countries write it: comma or semicolon, with or without a
//! byte order mark, any line ends.

/// Lines with their cells, trimmed; a blank line is none. The number is that of the line's first row in the file, from 1.
pub fn lines(text: &str) -> Vec<(usize, Vec<String>)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let separator = separator(text);
    let (mut lines, mut cells, mut cell) = (vec![], vec![], String::new());
    let (mut quoted, mut row, mut began) = (false, 1, 1);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.trim().is_empty() => {
                cell.clear();
                quoted = true;
            }
            '\n' if !quoted => {
                end(&mut lines, &mut cells, &mut cell, began);
                row += 1;
                began = row;
            }
            c if c == separator && !quoted => cells.push(std::mem::take(&mut cell).trim().to_string()),
            '\r' if !quoted => {}
            c => {
                row += usize::from(c == '\n');
                cell.push(c);
            }
        }
    }
    end(&mut lines, &mut cells, &mut cell, began);
    lines
}

fn end(lines: &mut Vec<(usize, Vec<String>)>, cells: &mut Vec<String>, cell: &mut String, row: usize) {
    cells.push(std::mem::take(cell).trim().to_string());
    let cells = std::mem::take(cells);
    if cells.iter().any(|c| !c.is_empty()) {
        lines.push((row, cells));
    }
}

/// Whichever the first line has more of.
fn separator(text: &str) -> char {
    let first = text.lines().next().unwrap_or_default();
    if first.matches(';').count() > first.matches(',').count() { ';' } else { ',' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_separators_and_line_ends() {
        let read = lines("\u{feff}a;b\r\n\"x;\"\"y\"\"\";\"two\nlines\"\r\n\r\n last ;\n");
        let cells = |n: usize| read[n].1.iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!(
            (cells(0), cells(1), cells(2)),
            (vec!["a", "b"], vec!["x;\"y\"", "two\nlines"], vec!["last", ""])
        );
        assert_eq!(read.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 2, 5]);
    }

    #[test]
    fn a_file_of_nothing_has_no_lines() {
        assert!(lines("").is_empty() && lines("\n,,\n").is_empty());
    }
}
