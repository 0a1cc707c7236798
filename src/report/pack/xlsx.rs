//! The workbook: one sheet a table, typed cells, frozen headers, filters, sums as formulas that carry
//! the value they come to.
//!
//! A spreadsheet counts with fifteen digits. A larger number is written as text, and a sum that is
//! larger as text too, so that no digit is lost without a word.

use rust_xlsxwriter::utility::{column_number_to_name, row_col_to_cell};
use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Formula, Workbook, Worksheet,
    XlsxError,
};

use super::table::{Cell, Column, Kind, Table};
use crate::domain::{Instant, Span};

/// Rows of a sheet that hold data: what a spreadsheet has, less header and sum.
pub const SHEET_ROWS_MAX: usize = 1_048_576 - 2;

/// Numbers of more digits lose some of them in a spreadsheet.
const EXACT_MAX: i128 = 999_999_999_999_999;

/// No column of text is wider, in letters: what is longer goes on below or is read in the cell.
const WIDTH_MAX: usize = 60;

/// A cell of a spreadsheet holds so many letters; some are left for what says that it was cut.
const TEXT_MAX: usize = 32_000;

/// Days from the spreadsheet's epoch to 1970-01-01.
const EPOCH_DAYS: f64 = 25_569.0;
const DAY_MICROS: f64 = 86_400_000_000.0;
const MICROS: f64 = 1_000_000.0;

/// The formats of the workbook.
struct Formats {
    header: Format,
    text: Format,
    id: Format,
    number: Format,
    seconds: Format,
    time: Format,
    note: Format,
    strong: [Format; 3],
    sum: Format,
    sum_label: Format,
}

/// The workbook as bytes. `as_of` stands in its properties as the time of making, so that the same
/// figures are the same bytes.
///
/// # Errors
/// [`XlsxError`] when a sheet cannot be made.
pub fn render(tables: &[&Table<'_>], title: &str, as_of: Instant) -> Result<Vec<u8>, XlsxError> {
    render_with(tables, title, as_of, SHEET_ROWS_MAX)
}

/// The same with sheets of at most `rows_max` rows: what does not fit goes on in `Balances (2)`.
///
/// # Errors
/// [`XlsxError`] when a sheet cannot be made.
pub fn render_with<'t>(
    tables: &[&Table<'t>],
    title: &str,
    as_of: Instant,
    rows_max: usize,
) -> Result<Vec<u8>, XlsxError> {
    let formats = Formats::new();
    let mut workbook = Workbook::new();
    let made = ExcelDateTime::from_timestamp(as_of.0.div_euclid(1_000_000))?;
    workbook.set_properties(
        &DocProperties::new().set_title(title).set_author("reckon").set_creation_datetime(&made),
    );
    // What lies beyond the first sheet comes last: the sheets of a pack keep their places.
    let mut more: Vec<Worksheet> = Vec::new();
    for table in tables {
        let mut sheets = sheets(table, tables, &formats, rows_max)?.into_iter();
        workbook.push_worksheet(sheets.next().expect("a table has a sheet"));
        more.extend(sheets);
    }
    more.into_iter().for_each(|sheet| workbook.push_worksheet(sheet));
    workbook.save_to_buffer()
}

/// The names of the sheets that a table fills.
fn names(table: &Table<'_>, rows_max: usize) -> Vec<String> {
    let count = table.len.div_ceil(rows_max).max(1);
    let name = |number: usize| match number {
        1 => table.title.to_owned(),
        number => format!("{} ({number})", table.title),
    };
    (1..=count).map(name).collect()
}

fn sheets<'t>(
    table: &Table<'t>,
    tables: &[&Table<'t>],
    formats: &Formats,
    rows_max: usize,
) -> Result<Vec<Worksheet>, XlsxError> {
    let names = names(table, rows_max);
    let mut sums = vec![Sum::default(); table.columns.len()];
    let mut sheets = Vec::new();
    let mut cells = Vec::new();
    let mut longest = vec![0; table.columns.len()];
    for (number, name) in names.iter().enumerate() {
        let mut sheet = Worksheet::new();
        sheet.set_name(name)?;
        let first = number * rows_max;
        let rows = first..table.len.min(first + rows_max);
        let len = rows.len();
        head(&mut sheet, table, len, formats)?;
        for (line, at) in rows.enumerate() {
            cells.clear();
            (table.row)(at, &mut cells);
            let place =
                Place { row: line as u32 + 1, strong: (table.strong)(at), tables, rows_max, names: &names };
            for (column, cell) in cells.iter().enumerate() {
                put(&mut sheet, &place, column as u16, cell, table.columns[column].kind, formats)?;
                sums[column].add(cell);
                longest[column] = longest[column].max(letters(cell));
            }
        }
        for (at, column) in table.columns.iter().enumerate() {
            sheet.set_column_width(at as u16, width(column, longest[at]))?;
        }
        if number + 1 == names.len() && table.columns.iter().any(|column| column.summed) {
            Foot { sums: &sums, names: &names, rows_max, len }.put(&mut sheet, table, formats)?;
        }
        sheets.push(sheet);
    }
    Ok(sheets)
}

/// The sum of a column.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    value: i128,
    /// Without signs: while this is exact, so is the spreadsheet's own sum, and no cell is text.
    absolute: u128,
    /// Cells that hold a number. Where none does, the sum is not known either.
    known: usize,
}

impl Sum {
    fn add(&mut self, cell: &Cell<'_>) {
        let Some(value) = cell.value() else { return };
        self.known += 1;
        self.value = self.value.saturating_add(value);
        self.absolute = self.absolute.saturating_add(value.unsigned_abs());
    }
}

fn head(sheet: &mut Worksheet, table: &Table<'_>, len: usize, formats: &Formats) -> Result<(), XlsxError> {
    for (at, column) in table.columns.iter().enumerate() {
        sheet.write_string_with_format(0, at as u16, column.name, &formats.header)?;
    }
    sheet.set_row_height(0, 20)?;
    sheet.set_freeze_panes(1, 1)?;
    let last_column = table.columns.len().saturating_sub(1) as u16;
    sheet.autofilter(0, 0, len as u32, last_column)?;
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0).set_repeat_rows(0, 0)?;
    sheet.set_footer("&L&F  &A&RPage &P of &N");
    Ok(())
}

/// Letters of a text; nothing else makes a column wider than its kind.
fn letters(cell: &Cell<'_>) -> usize {
    match cell {
        Cell::Text(text) => text.chars().take(WIDTH_MAX).count(),
        _ => 0,
    }
}

/// The width of a column whose longest text has so many letters.
fn width(column: &Column, longest: usize) -> f64 {
    let least: f64 = match column.kind {
        Kind::Text | Kind::LongText => (longest as f64 + 2.0).clamp(13.0, WIDTH_MAX as f64),
        Kind::Id => 38.0,
        Kind::Number | Kind::Seconds => 15.0,
        Kind::Time => 24.0,
        Kind::Note => 26.0,
    };
    // Room for the name and the sign of the filter.
    least.max(column.name.len() as f64 + 4.0)
}

/// Where a row is drawn, and what formulas may speak of.
struct Place<'p, 't> {
    row: u32,
    strong: bool,
    tables: &'p [&'p Table<'t>],
    rows_max: usize,
    names: &'p [String],
}

fn put(
    sheet: &mut Worksheet,
    place: &Place<'_, '_>,
    column: u16,
    cell: &Cell<'_>,
    kind: Kind,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let format = formats.of(kind, place.strong);
    let row = place.row;
    let formula = match cell {
        Cell::Empty => {
            if place.strong || kind == Kind::Note {
                sheet.write_blank(row, column, format)?;
            }
            return Ok(());
        }
        Cell::Text(text) => {
            sheet.write_string_with_format(row, column, shortened(text), format)?;
            return Ok(());
        }
        Cell::Time(at) => return put_time(sheet, row, column, *at, formats),
        Cell::Seconds(span) => return put_seconds(sheet, row, column, *span, formats),
        Cell::Number(_) => None,
        Cell::SumOf { first, last, .. } if place.names.len() == 1 => {
            let letter = column_number_to_name(column);
            Some(format!("SUM({letter}{}:{letter}{})", first + 2, last + 2))
        }
        Cell::SumOf { .. } => None,
        Cell::Plus { left, right, .. } => {
            let [left, right] = [left, right].map(|at| row_col_to_cell(row, *at as u16));
            Some(format!("{left}+{right}"))
        }
        Cell::Difference { .. } => {
            let [left, right] = [2, 1].map(|back| row_col_to_cell(row, column - back));
            Some(format!("{left}-{right}"))
        }
        Cell::Total { file, column, .. } => {
            place.reference(file, column, |table| (table.len <= place.rows_max).then_some(table.len))
        }
        Cell::Other { file, row, column, .. } => {
            place.reference(file, column, |_| (*row < place.rows_max).then_some(*row))
        }
    };
    let value = cell.value().unwrap_or(0);
    put_number(sheet, (row, column), value, formula, format)
}

impl<'t> Place<'_, 't> {
    /// A cell of another sheet, by the row that `row_of` finds there.
    fn reference(
        &self,
        file: &str,
        column: &str,
        row_of: impl Fn(&Table<'t>) -> Option<usize>,
    ) -> Option<String> {
        let table = self.tables.iter().find(|table| table.file == file)?;
        let cell = row_col_to_cell(row_of(table)? as u32 + 1, table.column(column)? as u16);
        Some(format!("'{}'!{cell}", table.title))
    }
}

/// A number, with the formula that gives it where there is one.
fn put_number(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    value: i128,
    formula: Option<String>,
    format: &Format,
) -> Result<(), XlsxError> {
    if value.unsigned_abs() > EXACT_MAX as u128 {
        sheet.write_string_with_format(row, column, value.to_string(), format)?;
    } else if let Some(formula) = formula {
        let formula = Formula::new(format!("={formula}")).set_result(value.to_string());
        sheet.write_formula_with_format(row, column, formula, format)?;
    } else {
        sheet.write_number_with_format(row, column, value as f64, format)?;
    }
    Ok(())
}

/// A time as the spreadsheet counts them, in days; one that it cannot count stays text.
fn put_time(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    at: Instant,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let days = at.0 as f64 / DAY_MICROS + EPOCH_DAYS;
    // From March 1900 on, when the spreadsheet's calendar agrees with ours, to the year 9999.
    if (61.0..2_958_465.0).contains(&days) {
        sheet.write_number_with_format(row, column, days, &formats.time)?;
    } else {
        sheet.write_string_with_format(row, column, at.rfc3339(), &formats.text)?;
    }
    Ok(())
}

/// Seconds with six decimals; more digits than a spreadsheet counts with stay text.
fn put_seconds(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    span: Span,
    formats: &Formats,
) -> Result<(), XlsxError> {
    if i128::from(span.0).abs() <= EXACT_MAX {
        let seconds = span.0 as f64 / MICROS;
        sheet.write_number_with_format(row, column, seconds, &formats.seconds)?;
    } else {
        sheet.write_string_with_format(row, column, span.seconds(), &formats.text)?;
    }
    Ok(())
}

/// A text that a cell can hold. What is cut says so; the CSV file has it whole.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        None => text.to_owned(),
        Some((at, _)) => format!("{} … (whole in the CSV file)", &text[..at]),
    }
}

/// The sums below a table, over all sheets that it fills.
struct Foot<'f> {
    sums: &'f [Sum],
    names: &'f [String],
    rows_max: usize,
    /// Rows of the last sheet.
    len: usize,
}

impl Foot<'_> {
    fn put(&self, sheet: &mut Worksheet, table: &Table<'_>, formats: &Formats) -> Result<(), XlsxError> {
        let row = self.len as u32 + 1;
        for (at, column) in table.columns.iter().enumerate() {
            let number = at as u16;
            if at == 0 {
                sheet.write_string_with_format(row, 0, "Total", &formats.sum_label)?;
            } else if column.summed && (self.sums[at].known > 0 || table.len == 0) {
                let sum = self.sums[at];
                let is_exact = self.len > 0 && sum.absolute <= EXACT_MAX as u128;
                let formula = is_exact.then(|| self.formula(number));
                put_number(sheet, (row, number), sum.value, formula, &formats.sum)?;
            } else {
                sheet.write_blank(row, number, &formats.sum)?;
            }
        }
        Ok(())
    }

    fn formula(&self, column: u16) -> String {
        let letter = column_number_to_name(column);
        let ranges =
            self.names.iter().enumerate().map(|(number, name)| match number + 1 == self.names.len() {
                true => format!("{letter}2:{letter}{}", self.len + 1),
                false => format!("'{name}'!{letter}2:{letter}{}", self.rows_max + 1),
            });
        format!("SUM({})", ranges.collect::<Vec<_>>().join(","))
    }
}

impl Formats {
    fn new() -> Formats {
        let number = "#,##0;[Red]-#,##0;0";
        let strong = Format::new().set_bold().set_border_top(FormatBorder::Thin);
        let sum = Format::new().set_bold().set_border_top(FormatBorder::Double);
        Formats {
            header: Format::new()
                .set_bold()
                .set_font_color(Color::White)
                .set_background_color(Color::RGB(0x1D4F7C))
                .set_align(FormatAlign::VerticalCenter),
            text: Format::new(),
            id: Format::new().set_font_name("Consolas").set_font_size(9),
            number: Format::new().set_num_format(number),
            seconds: Format::new().set_num_format("#,##0.000000;[Red]-#,##0.000000"),
            time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss.000").set_align(FormatAlign::Left),
            note: Format::new().set_background_color(Color::RGB(0xFFF7DB)).set_border(FormatBorder::Hair),
            strong: [
                strong.clone(),
                strong.clone().set_font_name("Consolas").set_font_size(9),
                strong.set_num_format(number),
            ],
            sum_label: sum.clone(),
            sum: sum.set_num_format(number),
        }
    }

    fn of(&self, kind: Kind, strong: bool) -> &Format {
        match (kind, strong) {
            (Kind::Text | Kind::LongText | Kind::Time, false) => &self.text,
            (Kind::Id, false) => &self.id,
            (Kind::Number, false) => &self.number,
            (Kind::Seconds, _) => &self.seconds,
            (Kind::Id, true) => &self.strong[1],
            (Kind::Number, true) => &self.strong[2],
            (Kind::Text | Kind::LongText | Kind::Time, true) => &self.strong[0],
            (Kind::Note, _) => &self.note,
        }
    }
}

#[cfg(test)]
mod tests;
