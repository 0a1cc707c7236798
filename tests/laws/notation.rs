//! Ledgers in a few lines of text, for tables in tests and for counterexamples.
//!
//! One row a line: id, user (`-`: none), label, amount (`n/a`: unreadable), time (`-`: null; sums of
//! `d h m s us`, as `1h+2s`), then any of `ref:R`, `link:L`, `marked`, `paid`, `failed`. Ids that
//! begin with `l` are legacy rows, all others unified rows. A line `as-of 5m` sets the as-of, and so
//! do `tolerance`, `window` and `settle`; `reference-is-payment` and `repair-time` switch these on.

use super::ledger::{DAY, HOUR, Ledgers, MINUTE, Row, SECOND};

const UNITS: [(&str, i64); 5] = [("us", 1), ("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND)];

/// Reads a time or span.
pub fn time(text: &str) -> i64 {
    let mut sum = 0;
    for term in text.split('+') {
        let found = UNITS.iter().find_map(|(unit, size)| Some((term.strip_suffix(unit)?, size)));
        sum += match found {
            Some((number, size)) => number.parse::<i64>().unwrap() * size,
            None => term.parse::<i64>().unwrap_or_else(|_| panic!("{term:?} is no time")),
        };
    }
    sum
}

/// Writes a time or span.
pub fn time_text(at: i64) -> String {
    let mut rest = at;
    let mut terms = Vec::new();
    for (unit, size) in [("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND), ("us", 1)] {
        if rest / size != 0 {
            terms.push(format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    if terms.is_empty() { "0".into() } else { terms.join("+") }
}

/// Reads ledgers.
pub fn ledgers(text: &str) -> Ledgers {
    let mut ledgers = Ledgers::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["as-of", at] => ledgers.rules.as_of = time(at),
            ["tolerance", span] => ledgers.rules.tolerance = time(span),
            ["window", span] => ledgers.rules.window = time(span),
            ["settle", span] => ledgers.rules.settle = time(span),
            ["reference-is-payment"] => ledgers.rules.reference_is_payment = true,
            ["repair-time"] => ledgers.rules.repair_time = true,
            [id, user, label, amount, at, ref further @ ..] => {
                let mut row = Row {
                    id: id.into(),
                    user: if user == "-" { "" } else { user }.into(),
                    label: label.into(),
                    amount: amount.parse().ok(),
                    at: (at != "-").then(|| time(at)),
                    ..Row::default()
                };
                for word in further {
                    match word.split_once(':') {
                        Some(("ref", reference)) => drop(row.refs.insert(reference.into())),
                        Some(("link", id)) => row.link = Some(id.into()),
                        _ if *word == "marked" => row.migrated = true,
                        _ if *word == "paid" => row.payment = true,
                        _ if *word == "failed" => row.failed = true,
                        _ => panic!("{word:?} in {line:?}"),
                    }
                }
                let side = if id.starts_with('l') { &mut ledgers.legacy } else { &mut ledgers.unified };
                side.push(row);
            }
            _ => panic!("{line:?} is no row"),
        }
    }
    ledgers
}

/// Writes ledgers, so that [`ledgers`] reads the same.
pub fn text(ledgers: &Ledgers) -> String {
    let rules = &ledgers.rules;
    let mut lines = vec![
        format!("as-of {}", time_text(rules.as_of)),
        format!("tolerance {}", time_text(rules.tolerance)),
        format!("window {}", time_text(rules.window)),
        format!("settle {}", time_text(rules.settle)),
    ];
    lines.extend(rules.reference_is_payment.then(|| "reference-is-payment".to_owned()));
    lines.extend(rules.repair_time.then(|| "repair-time".to_owned()));
    for row in ledgers.legacy.iter().chain(&ledgers.unified) {
        let mut words = vec![
            row.id.clone(),
            if row.user.is_empty() { "-".into() } else { row.user.clone() },
            row.label.clone(),
            row.amount.map_or("n/a".into(), |amount| amount.to_string()),
            row.at.map_or("-".into(), time_text),
        ];
        words.extend(row.refs.iter().map(|reference| format!("ref:{reference}")));
        words.extend(row.link.iter().map(|id| format!("link:{id}")));
        let flags = [("marked", row.migrated), ("paid", row.payment), ("failed", row.failed)];
        words.extend(flags.iter().filter(|(_, set)| *set).map(|(word, _)| (*word).to_owned()));
        lines.push(words.join(" "));
    }
    lines.join("\n") + "\n"
}

#[test]
fn notation_reads_what_it_writes() {
    let written = "as-of 1d+2s\ntolerance 2s\nwindow 1h\nsettle 5m\nreference-is-payment\n\
                   l1 ann sub -100 1h+1us ref:R1\nu1 - bonus n/a - link:l1 marked paid failed\n";
    assert_eq!(text(&ledgers(written)), written);
    assert_eq!(ledgers(written).unified.len(), 1);
}
