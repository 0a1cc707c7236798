use std::io::Cursor;

use calamine::{Data, Reader as _, Xlsx};

use super::*;

fn book(table: &Table<'_>, rows_max: usize) -> Xlsx<Cursor<Vec<u8>>> {
    let bytes = render_with(&[table], "A title", Instant(0), rows_max).unwrap();
    Xlsx::new(Cursor::new(bytes)).unwrap()
}

fn numbers(values: Vec<i128>) -> Table<'static> {
    let rows = values.into_iter().map(|value| vec![Cell::text("a user"), Cell::Number(value)]).collect();
    let columns = vec![Column::new("user_id", Kind::Id), Column::summed("tokens")];
    Table::of_rows("Balances", "balances.csv", columns, rows)
}

#[test]
fn a_long_table_goes_on_in_another_sheet_and_its_sum_is_over_both() {
    let table = numbers((1..=7).collect());
    let mut book = book(&table, 3);
    assert_eq!(book.sheet_names(), ["Balances", "Balances (2)", "Balances (3)"]);
    let last = book.worksheet_range("Balances (3)").unwrap();
    let rows: Vec<String> = last.rows().map(|row| format!("{} {}", row[0], row[1])).collect();
    assert_eq!(rows, ["user_id tokens", "a user 7", "Total 28"]);
    let formulas = book.worksheet_formula("Balances (3)").unwrap();
    assert_eq!(formulas.get_value((2, 1)).unwrap(), "SUM('Balances'!B2:B4,'Balances (2)'!B2:B4,B2:B2)");
}

#[test]
fn numbers_that_a_spreadsheet_would_round_are_text_and_so_is_their_sum() {
    let large = 9_007_199_254_740_993;
    let mut book = book(&numbers(vec![large, 5, EXACT_MAX]), 100);
    let range = book.worksheet_range("Balances").unwrap();
    let cells: Vec<&Data> = (1..=4).map(|row| range.get_value((row, 1)).unwrap()).collect();
    let text = |number: i128| Data::String(number.to_string());
    let expected =
        [text(large), Data::Float(5.0), Data::Float(EXACT_MAX as f64), text(large + 5 + EXACT_MAX)];
    assert_eq!(cells, expected.iter().collect::<Vec<_>>());
    let formulas = book.worksheet_formula("Balances").unwrap();
    assert!(formulas.get_value((4, 1)).is_none_or(String::is_empty), "no formula over text");
}

#[test]
fn a_sum_of_numbers_that_nobody_knows_is_not_known_either() {
    let unknown = |name| vec![Cell::text(name), Cell::Empty, Cell::Number(5)];
    let columns = vec![Column::new("user_id", Kind::Id), Column::summed("stored"), Column::summed("used")];
    let table = Table::of_rows("Balances", "balances.csv", columns.clone(), vec![unknown("a"), unknown("b")]);
    let mut book = book(&table, 100);
    let range = book.worksheet_range("Balances").unwrap();
    let total = |column| range.get_value((3, column)).unwrap();
    assert_eq!([total(1), total(2)], [&Data::Empty, &Data::Float(10.0)]);
    assert!(book.worksheet_formula("Balances").unwrap().get_value((3, 1)).is_none_or(String::is_empty));
}

#[test]
fn a_column_is_as_wide_as_its_longest_text_and_seconds_are_numbers() {
    let label = Column::new("action_type", Kind::LongText);
    assert_eq!([0, 20, 500].map(|longest| width(&label, longest)), [15.0, 22.0, 60.0]);
    let spans = [Span(-1_500_001), Span(i64::MAX)];
    let rows = spans.iter().map(|span| vec![Cell::Seconds(*span)]).collect();
    let table = Table::of_rows("Lags", "lags.csv", vec![Column::new("lag_seconds", Kind::Seconds)], rows);
    let range = book(&table, 100).worksheet_range("Lags").unwrap();
    assert_eq!(range.get_value((1, 0)), Some(&Data::Float(-1.500001)));
    assert_eq!(range.get_value((2, 0)), Some(&Data::String("9223372036854.775807".to_owned())));
}

#[test]
fn times_are_days_of_the_spreadsheet_where_it_has_them() {
    let at = |text: &str| Instant(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros());
    let times = [at("2026-03-01T12:00:00Z"), at("0800-01-01T00:00:00Z")];
    let rows = times.iter().map(|time| vec![Cell::Time(*time)]).collect();
    let table = Table::of_rows("Times", "times.csv", vec![Column::new("at", Kind::Time)], rows);
    let mut book = book(&table, 100);
    let range = book.worksheet_range("Times").unwrap();
    let Some(Data::DateTime(first)) = range.get_value((1, 0)) else {
        panic!("{:?}", range.get_value((1, 0)))
    };
    assert_eq!(first.as_f64(), 46_082.5);
    assert_eq!(range.get_value((2, 0)), Some(&Data::String("0800-01-01T00:00:00.000000Z".to_owned())));
}

#[test]
fn an_empty_table_and_letters_that_xml_does_not_have_make_a_workbook() {
    let empty = numbers(Vec::new());
    let range = book(&empty, 100).worksheet_range("Balances").unwrap();
    assert_eq!(range.get_value((1, 0)), Some(&Data::String("Total".to_owned())));
    let long = "x".repeat(40_000);
    let rows = vec![vec![Cell::text("a\u{1}b\n=c")], vec![Cell::text(long)]];
    let table = Table::of_rows("Text", "text.csv", vec![Column::new("text", Kind::LongText)], rows);
    let range = book(&table, 100).worksheet_range("Text").unwrap();
    let cut = range.get_value((2, 0)).unwrap().to_string();
    assert!(cut.len() < 32_767 && cut.ends_with("(whole in the CSV file)"), "{}", cut.len());
    assert!(range.get_value((1, 0)).unwrap().to_string().ends_with("b\n=c"));
}
