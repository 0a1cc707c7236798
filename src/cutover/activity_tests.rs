use super::*;

const HOUR: i64 = 3_600_000_000;
const QUIET: Span = Span(24 * HOUR);

/// Counters at an hour: inserted, sequential scans, index scans.
fn at(hour: i64, inserted: i64, sequential: i64, by_index: i64) -> TableActivity {
    TableActivity {
        table: "public.t".to_owned(),
        identity: "app/5/16385".to_owned(),
        at: Instant(hour * HOUR),
        stats_reset: Some(Instant(-100 * HOUR)),
        kept_since: Some(Instant(-200 * HOUR)),
        n_tup_ins: inserted,
        n_tup_upd: 0,
        n_tup_del: 0,
        seq_scan: sequential,
        idx_scan: by_index,
        last_seq_scan: None,
        last_idx_scan: None,
        counts: true,
    }
}

/// What the counters say: `still`, `possible`, `certain` or `unknown`.
fn said(seen: &Seen) -> &'static str {
    use crate::source::postgres::dependencies::Certainty;
    match seen {
        Err(_) => "unknown",
        Ok((evidence, _)) if evidence.is_empty() => "still",
        Ok((evidence, _)) if evidence.iter().any(|found| found.certainty == Certainty::Certain) => "certain",
        Ok(_) => "possible",
    }
}

/// Two nights and now; each run reads twice sequentially.
fn nights() -> Vec<TableActivity> {
    vec![
        at(0, 5, 10, 3),
        at(1, 5, 12, 3),
        at(24, 5, 12, 3),
        at(25, 5, 14, 3),
        at(49, 5, 14, 3),
        at(50, 5, 16, 3),
    ]
}

#[test]
fn what_is_counted_between_runs_was_done_by_others() {
    type Change = fn(&mut Vec<TableActivity>);
    let cases: [(&str, Change, &str, &str); 12] = [
        ("nobody", |_| {}, "still", "still"),
        ("a row between the nights, before the baseline", |all| all[0].n_tup_ins = 4, "still", "still"),
        ("a row since the baseline", |all| all[4].n_tup_ins = 6, "certain", "still"),
        ("a row while this run reads", |all| all[5].n_tup_ins = 6, "certain", "still"),
        (
            "a row while the run of the baseline read",
            |all| all[..3].iter_mut().for_each(|run| run.n_tup_ins = 4),
            "certain",
            "still",
        ),
        ("a dump", |all| all[4].seq_scan = 15, "still", "possible"),
        ("a look-up", |all| all[4].idx_scan = 4, "still", "certain"),
        ("the end of the baseline is not known", |all| all[3].counts = false, "still", "unknown"),
        (
            "lost in a crash and counted up again",
            |all| all[4..].iter_mut().for_each(|run| run.kept_since = Some(Instant(30 * HOUR))),
            "unknown",
            "unknown",
        ),
        (
            "lost in a crash before the baseline",
            |all| all[..2].iter_mut().for_each(|run| run.kept_since = Some(Instant(-300 * HOUR))),
            "still",
            "still",
        ),
        (
            "manifests that do not say since when",
            |all| all[..4].iter_mut().for_each(|run| run.kept_since = None),
            "still",
            "still",
        ),
        ("set back", |all| all[4].stats_reset = Some(Instant(30 * HOUR)), "unknown", "unknown"),
    ];
    for (what, change, writes, reads) in cases {
        let mut all = nights();
        change(&mut all);
        // Later readings have seen what was counted before them.
        for later in 1..all.len() {
            all[later].n_tup_ins = all[later].n_tup_ins.max(all[later - 1].n_tup_ins);
            all[later].seq_scan = all[later].seq_scan.max(all[later - 1].seq_scan);
            all[later].idx_scan = all[later].idx_scan.max(all[later - 1].idx_scan);
        }
        let end = |reading: &'static TableActivity| reading.counts.then_some(reading);
        let all: &'static [TableActivity] = all.leak();
        let moments =
            vec![Moment { start: &all[0], end: end(&all[1]) }, Moment { start: &all[2], end: end(&all[3]) }];
        let before = baseline(moments, &all[4], QUIET);
        let counted = Counted { now: &all[4], end: Some(&all[5]), before };
        assert_eq!(said(&written(&counted, QUIET)), writes, "writes: {what}");
        assert_eq!(said(&read(&counted, QUIET)), reads, "reads: {what}");
    }
}

#[test]
fn counters_that_fell_are_no_baseline() {
    let (old, now) = (at(0, 5, 1, 0), at(30, 0, 0, 0));
    let moments = vec![Moment { start: &old, end: Some(&old) }];
    let why = baseline(moments, &now, QUIET).err().unwrap_or_default();
    assert!(why.contains("set back"), "{why}");
}

#[test]
fn without_a_run_that_is_old_enough_only_counters_that_never_moved_tell() {
    let recent = at(10, 0, 0, 0);
    let cases = [
        ("never counted, watched for days", at(12, 0, 0, 0), "still", "still"),
        ("rows were written at some time", at(12, 1, 0, 0), "unknown", "still"),
        ("rows were read at some time", at(12, 0, 1, 0), "still", "unknown"),
        (
            "set back an hour ago",
            TableActivity { stats_reset: Some(Instant(11 * HOUR)), ..at(12, 0, 0, 0) },
            "unknown",
            "unknown",
        ),
        (
            "not known since when",
            TableActivity { stats_reset: None, ..at(12, 0, 0, 0) },
            "unknown",
            "unknown",
        ),
        (
            "the last scan is old",
            TableActivity { last_seq_scan: Some(Instant(-20 * HOUR)), ..at(12, 0, 7, 0) },
            "still",
            "still",
        ),
        (
            "the last scan is new",
            TableActivity { last_seq_scan: Some(Instant(11 * HOUR)), ..at(12, 0, 7, 0) },
            "still",
            "unknown",
        ),
        (
            "one of two is not known",
            TableActivity { last_seq_scan: Some(Instant(-20 * HOUR)), ..at(12, 0, 7, 1) },
            "still",
            "unknown",
        ),
    ];
    for (what, now, writes, reads) in cases {
        let before = baseline(vec![Moment { start: &recent, end: Some(&recent) }], &now, QUIET);
        let counted = Counted { now: &now, end: None, before };
        assert_eq!(said(&written(&counted, QUIET)), writes, "writes: {what}");
        assert_eq!(said(&read(&counted, QUIET)), reads, "reads: {what}");
    }
}
