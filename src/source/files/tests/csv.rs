use std::io::Write;

use super::*;
use crate::source::input::Packing;

fn gzip(contents: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(contents).unwrap();
    encoder.finish().unwrap()
}

const LEDGER: &str = "\u{feff}id,user_id,tokens,action,at,ok,note,metadata
g1,u1,100,grant,2026-01-01,true,,\"{\"\"ref\"\": \"\"pi_1\"\", \"\"legacy\"\": {\"\"id\"\": 7}}\"
n1,u1,7,usage,2026-01-02,true,\"two
lines, \"\"quoted\"\"\",not json but never asked for
g2,\"\",-50,grant,2026-01-03,false,ü,\"\"
,u2,1.5,usage,2026-01-04,,,
g3,u3,,grant,\"2026-01-05\",t,,{}
";

const LEDGER_ROWS: [&str; 5] = [
    "u1 grant 100 2026-01-01 true | g1 pi_1 7 | l.csv line 2",
    "u1 usage 7 2026-01-02 true -",
    "u2 usage 1.5 2026-01-04 ~ | ~ ~ ~ | l.csv line 6",
    "u3 grant ~ 2026-01-05 t | g3 ~ ~ | l.csv line 7",
    "~ grant -50 2026-01-03 false | g2 ~ ~ | l.csv line 5",
];

#[test]
fn a_csv_gives_keys_of_all_rows_and_details_of_the_selected() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "l.csv", LEDGER.as_bytes());
    let (lines, provenance) = record(&columns(folder.path(), "l.csv"), 1, false).unwrap();
    assert_eq!(lines, LEDGER_ROWS);
    assert_eq!((provenance.kind, provenance.name.as_str()), ("csv", "l.csv"));
    assert_eq!(provenance.control, Total { rows: 5, tokens: 57 });
    assert_eq!(provenance.files[0].bytes, LEDGER.len() as u64);
}

#[test]
fn line_ends_compression_and_a_missing_last_newline_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = LEDGER.replace('\n', "\r\n").replace("two\r\n", "two\n");
    let (head, tail) = ledger.split_at(100);
    let two_members = [gzip(head.as_bytes()), gzip(tail.as_bytes())].concat();
    write(folder.path(), "crlf.csv", ledger.as_bytes());
    write(folder.path(), "cut.csv", LEDGER.trim_end().as_bytes());
    write(folder.path(), "two.csv.gz", &two_members);
    write(folder.path(), "z.csv.zst", &zstd::encode_all(LEDGER.as_bytes(), 1).unwrap());
    write(folder.path(), "blank.csv", LEDGER.replace("\n,u2", "\n\n\n,u2").as_bytes());
    for (name, blank_lines) in
        [("crlf.csv", 0), ("cut.csv", 0), ("two.csv.gz", 0), ("z.csv.zst", 0), ("blank.csv", 2)]
    {
        let (lines, provenance) = record(&columns(folder.path(), name), 2, false).unwrap();
        let expected = LEDGER_ROWS.map(|row| {
            let row = row.replace("l.csv", name);
            if blank_lines == 0 {
                return row;
            }
            row.replace("line 7", "line 9").replace("line 6", "line 8")
        });
        assert_eq!(lines, expected, "{name}");
        assert_eq!(provenance.control, Total { rows: 5, tokens: 57 }, "{name}");
        let bytes = std::fs::metadata(folder.path().join(name)).unwrap().len();
        assert_eq!(provenance.files[0].bytes, bytes, "{name}: the digest is that of the whole file");
    }
}

#[test]
fn threads_and_order_of_files_do_not_change_what_the_sinks_get() {
    let folder = tempfile::tempdir().unwrap();
    let row =
        |n: u32| format!("i{n},u{n},{n},{},t,true,\n", if n.is_multiple_of(3) { "grant" } else { "usage" });
    for part in 0..3 {
        let rows: String = (part * 1000..part * 1000 + 1000).map(row).collect();
        let text = format!("id,user_id,tokens,action,at,ok,metadata\n{rows}");
        write(folder.path(), &format!("p{part}.csv"), text.as_bytes());
    }
    let mut expected: Vec<String> = (0..3000)
        .map(|n| {
            let line = n % 1000 + 2;
            match n % 3 {
                0 => format!("u{n} grant {n} t true | i{n} ~ ~ | p{}.csv line {line}", n / 1000),
                _ => format!("u{n} usage {n} t true -"),
            }
        })
        .collect();
    expected.sort();
    for threads in [1, 2, 5] {
        let (lines, provenance) = record(&columns(folder.path(), "p*.csv"), threads, false).unwrap();
        assert_eq!(lines, expected, "{threads} threads");
        assert_eq!(provenance.control, Total { rows: 3000, tokens: 4_498_500 });
        let paths: Vec<&str> = provenance.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["p0.csv", "p1.csv", "p2.csv"]);
    }
}

#[test]
fn what_is_no_whole_ledger_is_an_error_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let header = "id,user_id,tokens,action,at,ok,metadata\n";
    let good = "a,u,1,grant,t,true,{}\n";
    let cases: [(&str, Vec<u8>, &str); 16] = [
        ("empty", b"".to_vec(), "x.csv:1: is empty"),
        ("only a mark", b"\xef\xbb\xbf".to_vec(), "x.csv:1: is empty"),
        ("utf-16", b"\xff\xfei\0d\0".to_vec(), "x.csv:1: is UTF-16"),
        ("latin-1 header", b"id,\xfcser\n".to_vec(), "x.csv:1: the header is not UTF-8"),
        (
            "a column less",
            b"id,user,tokens,action,at,ok\n".to_vec(),
            "x.csv: has no column user_id; the nearest is user; columns: id, user, tokens",
        ),
        ("a column twice", format!("id,{header}").into(), "x.csv: the column id stands twice"),
        ("semicolons", header.replace(',', ";").into(), "parted by commas"),
        (
            "too few fields",
            format!("{header}{good}\n{good}a,u,1\n").into(),
            "x.csv:5: 3 fields where the header has 7",
        ),
        (
            "too many fields",
            format!("{header}{good}a,u,1,grant,t,true,{{}},x,y\n").into(),
            "x.csv:3: 9 fields where",
        ),
        (
            "latin-1",
            [header.as_bytes(), good.as_bytes(), b"a,\xfc,1,grant,t,true,\n"].concat(),
            "x.csv:3: text that is not UTF-8",
        ),
        (
            "open quote",
            format!("{header}{good}{good}a,\"u,1\n{good}").into(),
            "x.csv:4: a quote is opened here and never closed",
        ),
        (
            "a quote that closes within a field, records further on",
            format!("{header}{good}a,u,1,grant,t,true,\"x\n{good}b,u,1,grant,t,true,say \"so\" twice\n")
                .into(),
            "x.csv:5: a quote neither begins nor ends a field here",
        ),
        (
            "text behind a closing quote",
            format!("{header}{good}\"a\"b,u,1,grant,t,true,{{}}\n").into(),
            "x.csv:3: a quote neither begins nor ends a field here",
        ),
        (
            "a quote within a field that has none",
            format!("{header}{good}{good}a,u,1,5\" grant,t,true,{{}}\n").into(),
            "x.csv:4: a quote neither begins nor ends a field here",
        ),
        (
            "in the header",
            b"id,\"user\"_id,tokens,action,at,ok\n".to_vec(),
            "x.csv:1: a quote neither begins nor ends a field here",
        ),
        (
            "broken json",
            format!("{header}{good}a,u,1,grant,t,true,{{'ref': 1}}\n").into(),
            "x.csv:3: column metadata holds text that is not JSON",
        ),
    ];
    for (name, contents, expected) in cases {
        write(folder.path(), "x.csv", &contents);
        let error = record(&columns(folder.path(), "x.csv"), 2, false).unwrap_err().to_string();
        assert!(error.contains(expected), "{name}: {error}");
    }
}

#[test]
fn a_cut_off_archive_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let gz = gzip(LEDGER.as_bytes());
    let zst = zstd::encode_all(LEDGER.as_bytes(), 1).unwrap();
    write(folder.path(), "x.csv.gz", &gz[..gz.len() - 9]);
    write(folder.path(), "x.csv.zst", &zst[..zst.len() - 9]);
    write(folder.path(), "tail.csv.gz", &[gz.as_slice(), b"rubbish"].concat());
    for name in ["x.csv.gz", "x.csv.zst", "tail.csv.gz"] {
        let error = record(&columns(folder.path(), name), 1, false).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot read {name}")), "{error}");
    }
}

/// As [`record`], in blocks of a given size.
fn record_in_blocks(columns: &Columns, bytes: usize, threads: usize) -> Result<Vec<String>, SourceError> {
    let (request, shape) = LedgerShape::of(columns);
    let (_, input) = find(&columns.origin)?;
    let new_take = || LedgerTake::new(&shape, Recorder::default());
    let format = crate::source::csv::Format { delimiter: b',', packing: Packing::Plain };
    let progress = Progress::hidden();
    let read = crate::source::csv::read_in_blocks;
    let (takes, _) = read(&input.files, format, bytes, &request, threads, &new_take, &progress)?;
    let mut lines: Vec<String> = takes.into_iter().flat_map(|take| take.sink.lines).collect();
    lines.sort();
    Ok(lines)
}

#[test]
fn where_the_text_is_cut_does_not_change_what_the_sinks_get() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "l.csv", LEDGER.as_bytes());
    for bytes in (1..LEDGER.len()).step_by(3) {
        let lines = record_in_blocks(&columns(folder.path(), "l.csv"), bytes, 2).unwrap();
        assert_eq!(lines, LEDGER_ROWS, "blocks of {bytes} bytes");
    }
}

#[test]
fn the_first_error_is_reported_whatever_thread_meets_it() {
    let folder = tempfile::tempdir().unwrap();
    let good = "a,u,1,grant,t,true,{}\n".repeat(2_000);
    let text = format!("id,user_id,tokens,action,at,ok,metadata\n{good}short,1\n{good}shorter\n\"{good}");
    write(folder.path(), "x.csv", text.as_bytes());
    for bytes in [500, 5_000, 50_000, 500_000] {
        let error = record_in_blocks(&columns(folder.path(), "x.csv"), bytes, 3).unwrap_err().to_string();
        assert!(error.starts_with("x.csv:2002: 2 fields"), "{error}");
    }
}

#[test]
fn a_column_with_the_dotted_name_wins_over_the_path() {
    let folder = tempfile::tempdir().unwrap();
    let text = "id,user_id,tokens,action,at,ok,metadata,metadata.ref\n\
                a,u,1,grant,t,true,\"{\"\"ref\"\": \"\"below\"\"}\",beside\n";
    write(folder.path(), "x.csv", text.as_bytes());
    let (lines, _) = record(&columns(folder.path(), "x.csv"), 1, true).unwrap();
    assert_eq!(lines, ["u grant 1 t true | a beside ~ | x.csv line 2"]);
}

#[test]
fn stored_balances_are_read_by_user_and_unknown_is_not_zero() {
    let folder = tempfile::tempdir().unwrap();
    let balances = |pattern: &str| {
        let config = Stored {
            origin: origin(folder.path(), pattern),
            user: field("user"),
            balance: field("tokens"),
            sum_rows: false,
        };
        stored(&config, &Progress::hidden())
    };
    write(folder.path(), "b.csv", b"tokens,user\n5,u2\n-3,u1\n,u3\n7.00,u1\n");
    let found: Vec<(String, Option<i64>)> = balances("b.csv")
        .unwrap()
        .balances
        .into_iter()
        .map(|row| (row.user.to_string(), row.tokens))
        .collect();
    let expected = [("u1", Some(-3)), ("u1", Some(7)), ("u2", Some(5)), ("u3", None)];
    assert_eq!(found, expected.map(|(user, tokens)| (user.to_owned(), tokens)));
    let cases = [
        ("tokens,user\n5,\n", "b.csv line 2: a stored balance without a user"),
        (
            "tokens,user\n5,a\n1.5,b\n",
            "b.csv line 3: the stored balance is not an integer within ±9223372036854775807",
        ),
        (
            "tokens,user\n9223372036854775808,b\n",
            "b.csv line 2: the stored balance is not an integer within ±9223372036854775807",
        ),
        (
            "tokens,user\n-9223372036854775808,b\n",
            "b.csv line 2: the stored balance is not an integer within ±9223372036854775807",
        ),
    ];
    for (text, expected) in cases {
        write(folder.path(), "b.csv", text.as_bytes());
        let error = balances("b.csv").unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn a_file_whose_last_line_has_no_end_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let ended = LEDGER.as_bytes().to_vec();
    let open = LEDGER.trim_end().as_bytes().to_vec();
    let old = LEDGER.replace('\n', "\r").into_bytes();
    let cases = [
        ("ended.csv", ended, false),
        ("open.csv", open.clone(), true),
        ("open.csv.gz", gzip(&open), true),
        ("header.csv", b"id,user_id,tokens,action,at,ok,metadata".to_vec(), true),
        ("old.csv", old, false),
    ];
    for (name, contents, is_told) in cases {
        write(folder.path(), name, &contents);
        let notes = record(&columns(folder.path(), name), 2, false).unwrap().1.notes;
        let expected = format!("the last line of {name} has no line end: the file may be cut off there");
        assert_eq!(notes.len(), usize::from(is_told), "{name}");
        assert!(notes.iter().all(|note| note.starts_with(&expected)), "{notes:?}");
    }
}

#[test]
fn what_is_no_csv_is_named_by_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let packed = gzip(LEDGER.as_bytes());
    let utf16: Vec<u8> =
        LEDGER.trim_start_matches('\u{feff}').encode_utf16().flat_map(u16::to_le_bytes).collect();
    let broken = "x.csv.gz: its gzip data is cut off or damaged, or other bytes stand behind it (";
    let cases: [(&str, Vec<u8>, &str); 8] = [
        ("x.csv", packed.clone(), "x.csv:1: is gzip data: let its name end in .gz"),
        ("x.csv.gz", gzip(&packed), "x.csv.gz:1: is gzip data: let its name end in .gz"),
        ("x.csv", zstd::encode_all(LEDGER.as_bytes(), 1).unwrap(), "x.csv:1: is zstd data"),
        ("x.csv", b"PAR1\x15\x04\x15\x10".to_vec(), "x.csv:1: is Parquet: let its name end in .parquet"),
        ("x.csv", utf16, "x.csv:1: has bytes of zero, as UTF-16 without a byte-order mark has"),
        ("x.csv.gz", packed[..packed.len() - 20].to_vec(), broken),
        ("x.csv.gz", [packed.clone(), b"xyz".to_vec()].concat(), broken),
        ("x.csv.gz", LEDGER.as_bytes().to_vec(), broken),
    ];
    for (name, contents, expected) in cases {
        write(folder.path(), name, &contents);
        let error = record(&columns(folder.path(), name), 2, false).unwrap_err().to_string();
        assert!(error.trim_start_matches("cannot read ").starts_with(expected), "{error}");
    }
}

#[test]
fn a_file_that_both_sides_name_is_refused_by_whatever_path() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    for name in ["a.csv", "b.csv", "sub/c.csv"] {
        write(folder.path(), name, b"id\n1\n");
    }
    std::os::unix::fs::symlink(folder.path().join("a.csv"), folder.path().join("sub/link.csv")).unwrap();
    let cases = [
        ("a.csv", "b.csv", None),
        ("*.csv", "sub/c.csv", None),
        ("a.csv", "./a.csv", Some("a.csv")),
        ("*.csv", "b.csv", Some("b.csv")),
        ("a.csv", "sub/*.csv", Some("sub/link.csv")),
        ("none.csv", "none.csv", None),
    ];
    for (legacy, unified, expected) in cases {
        let error = apart(&origin(folder.path(), legacy), &origin(folder.path(), unified)).err();
        let error = error.map(|error| error.to_string());
        assert_eq!(error.is_some(), expected.is_some(), "{legacy} {unified}: {error:?}");
        if let (Some(error), Some(name)) = (error, expected) {
            assert!(
                error.ends_with("let each name the files of its own table") && error.contains(name),
                "{error}"
            );
        }
    }
}

#[test]
fn a_file_holds_rows_or_a_header_alone() {
    let folder = tempfile::tempdir().unwrap();
    let header = "id,user_id,tokens,action,at,ok,metadata\n";
    for (text, expected) in
        [(header.to_owned(), false), (format!("{header}\n\n"), false), (LEDGER.to_owned(), true)]
    {
        write(folder.path(), "x.csv", text.as_bytes());
        let holds = holds_rows(&columns(folder.path(), "*.csv"), "x.csv", &Progress::hidden());
        assert_eq!(holds.unwrap(), expected, "{text}");
    }
}
