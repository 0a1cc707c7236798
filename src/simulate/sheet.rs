//! Rows of one table as text: CSV, or what `COPY … FROM stdin` reads.

use super::columns::Columns;
use super::text;

/// Rows of one table, cell by cell in the order of its columns.
pub(super) enum Sheet {
    /// Fields with commas between them.
    Csv(Lines),
    /// Fields with tabs between them.
    Copy(Lines),
    /// Arrow columns, for Parquet.
    Columns(Columns),
}

/// Lines of text; the last one may lack its end.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) bytes: Vec<u8>,
    has_cell: bool,
}

impl Lines {
    fn cell(&mut self, separator: u8) -> &mut Vec<u8> {
        if std::mem::replace(&mut self.has_cell, true) {
            self.bytes.push(separator);
        }
        &mut self.bytes
    }

    fn end(&mut self) {
        self.bytes.push(b'\n');
        self.has_cell = false;
    }
}

impl Sheet {
    pub(super) fn null(&mut self) -> &mut Sheet {
        match self {
            Sheet::Csv(lines) => drop(lines.cell(b',')),
            Sheet::Copy(lines) => lines.cell(b'\t').extend_from_slice(b"\\N"),
            Sheet::Columns(columns) => columns.null(),
        }
        self
    }

    pub(super) fn uuid(&mut self, id: u128) -> &mut Sheet {
        match self {
            Sheet::Csv(lines) => text::uuid(id, lines.cell(b',')),
            Sheet::Copy(lines) => text::uuid(id, lines.cell(b'\t')),
            Sheet::Columns(columns) => columns.uuid(id),
        }
        self
    }

    /// Text without separators, quotes, backslashes and line ends.
    pub(super) fn text(&mut self, text: &str) -> &mut Sheet {
        match self {
            Sheet::Csv(lines) => lines.cell(b',').extend_from_slice(text.as_bytes()),
            Sheet::Copy(lines) => lines.cell(b'\t').extend_from_slice(text.as_bytes()),
            Sheet::Columns(columns) => columns.text(text),
        }
        self
    }

    /// JSON without backslashes; nothing is null.
    pub(super) fn json(&mut self, json: &str) -> &mut Sheet {
        match self {
            _ if json.is_empty() => return self.null(),
            Sheet::Csv(lines) => {
                let bytes = lines.cell(b',');
                bytes.push(b'"');
                for &byte in json.as_bytes() {
                    // Within a field in quotes, a quote is doubled.
                    bytes.extend_from_slice(if byte == b'"' { b"\"\"" } else { std::slice::from_ref(&byte) });
                }
                bytes.push(b'"');
            }
            Sheet::Copy(lines) => lines.cell(b'\t').extend_from_slice(json.as_bytes()),
            Sheet::Columns(columns) => columns.text(json),
        }
        self
    }

    pub(super) fn number(&mut self, number: i64) -> &mut Sheet {
        match self {
            Sheet::Csv(lines) => text::number(number, lines.cell(b',')),
            Sheet::Copy(lines) => text::number(number, lines.cell(b'\t')),
            Sheet::Columns(columns) => columns.number(number),
        }
        self
    }

    /// A number that cannot be read: text where the form allows it.
    pub(super) fn no_number(&mut self) -> &mut Sheet {
        if matches!(self, Sheet::Csv(_)) { self.text("n/a") } else { self.null() }
    }

    /// A time in UTC microseconds.
    pub(super) fn time(&mut self, at: i64) -> &mut Sheet {
        match self {
            Sheet::Csv(lines) => text::time(at, lines.cell(b',')),
            Sheet::Copy(lines) => text::time(at, lines.cell(b'\t')),
            Sheet::Columns(columns) => columns.number(at),
        }
        self
    }

    pub(super) fn flag(&mut self, flag: bool) -> &mut Sheet {
        match self {
            Sheet::Columns(columns) => columns.flag(flag),
            _ => return self.text(if flag { "true" } else { "false" }),
        }
        self
    }

    pub(super) fn end(&mut self) {
        match self {
            Sheet::Csv(lines) | Sheet::Copy(lines) => lines.end(),
            Sheet::Columns(columns) => columns.end(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_written_as_each_form_wants_them() {
        let cases = [
            (Sheet::Csv(Lines::default()), "-7,,\"{\"\"a\"\":1}\",true,n/a\nx\n"),
            (Sheet::Copy(Lines::default()), "-7\t\\N\t{\"a\":1}\ttrue\t\\N\nx\n"),
        ];
        for (mut sheet, expected) in cases {
            sheet.number(-7).null().json("{\"a\":1}").flag(true).no_number().end();
            sheet.text("x").end();
            let (Sheet::Csv(lines) | Sheet::Copy(lines)) = sheet else { unreachable!("text") };
            assert_eq!(String::from_utf8(lines.bytes).ok().as_deref(), Some(expected));
        }
    }
}
