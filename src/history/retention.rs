//! Which runs of a history go when a new one is there: `[history] keep`.

use std::collections::HashSet;

use super::PastRun;
use crate::config::Keep;
use crate::domain::Instant;

/// The runs that `keep` does not keep, ascending by time. `latest` is the name of the newest run.
///
/// A run goes only where the newest one remembers it in its `runs.csv` (`remembered`: digests of
/// manifests), so that the trend survives its runs. The newest run itself always stays. An age counts
/// from its as-of, or from when it was made where the as-of lies ahead of that.
pub fn removable<'a>(
    runs: &'a [PastRun],
    latest: &str,
    remembered: &HashSet<&str>,
    keep: Keep,
) -> Vec<&'a PastRun> {
    let mut here: Vec<&PastRun> = runs.iter().filter(|run| run.is_here).collect();
    here.sort_by_key(|run| run.order());
    let as_of = here.iter().find(|run| run.name == latest).map(|run| run.as_of.min(run.started));
    let (Some(as_of), Some(newest)) = (as_of, here.last().map(|run| run.name.as_str())) else {
        return Vec::new();
    };
    let stays: Box<dyn Fn(usize, Instant) -> bool> = match keep {
        Keep::All => Box::new(|_, _| true),
        // From the newest back; so many fit a usize, or none goes.
        Keep::Runs(runs) => {
            let all = here.len();
            Box::new(move |at, _| (all - at) as u64 <= runs)
        }
        Keep::For(span) => Box::new(move |_, run| as_of.minus(span) <= run),
    };
    let goes = |(at, run): &(usize, &&PastRun)| {
        !stays(*at, run.as_of)
            && ![latest, newest].contains(&run.name.as_str())
            && remembered.contains(run.manifest_digest.as_str())
    };
    here.iter().enumerate().filter(goes).map(|(_, run)| *run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::RunVerdict;
    use crate::domain::{Span, Total};
    use crate::history::runs::Gone;

    const DAY: i64 = 86_400_000_000;

    fn run(day: i64) -> PastRun {
        PastRun {
            name: format!("run-{day}"),
            as_of: Instant(day * DAY),
            started: Instant(day * DAY),
            verdict: RunVerdict::Clean,
            blocking: Some(0),
            new: 0,
            open: 0,
            resolved: 0,
            reopened: 0,
            waived: 0,
            legacy: Total::default(),
            unified: Total::default(),
            users_with_gap: None,
            gap_tokens: None,
            unexplained_tokens: None,
            gone: Gone::default(),
            manifest_digest: format!("digest-{day}"),
            previous_digest: None,
            tables: None,
            is_here: true,
            altered: None,
        }
    }

    #[test]
    fn what_goes_is_what_is_not_kept_and_never_the_newest() {
        let days: Vec<PastRun> = (0..10).map(run).collect();
        let cases = [
            (Keep::All, "run-9", vec![]),
            (Keep::Runs(1), "run-9", vec![0, 1, 2, 3, 4, 5, 6, 7, 8]),
            (Keep::Runs(7), "run-9", vec![0, 1, 2]),
            (Keep::Runs(10), "run-9", vec![]),
            (Keep::Runs(11), "run-9", vec![]),
            (Keep::For(Span(3 * DAY)), "run-9", vec![0, 1, 2, 3, 4, 5]),
            (Keep::For(Span(0)), "run-9", vec![0, 1, 2, 3, 4, 5, 6, 7, 8]),
            // A run over the past was made last: it stays, and nothing is measured from others.
            (Keep::Runs(2), "run-4", vec![0, 1, 2, 3, 5, 6, 7]),
            (Keep::For(Span(2 * DAY)), "run-4", vec![0, 1]),
            (Keep::Runs(1), "run-no", vec![]),
        ];
        let all: Vec<String> = days.iter().map(|run| run.manifest_digest.clone()).collect();
        let remembered: HashSet<&str> = all.iter().map(String::as_str).collect();
        for (keep, latest, expected) in cases {
            let gone = removable(&days, latest, &remembered, keep);
            let names: Vec<&str> = gone.iter().map(|run| run.name.as_str()).collect();
            let expected: Vec<String> = expected.iter().map(|day| format!("run-{day}")).collect();
            assert_eq!(names, expected, "{keep:?} {latest}");
        }
    }

    #[test]
    fn a_run_over_the_future_makes_no_other_older() {
        let mut days: Vec<PastRun> = (0..10).map(run).collect();
        let ahead = PastRun { as_of: Instant(4_000 * DAY), ..run(10) };
        days.push(ahead);
        let all: Vec<String> = days.iter().map(|run| run.manifest_digest.clone()).collect();
        let remembered: HashSet<&str> = all.iter().map(String::as_str).collect();
        let gone = removable(&days, "run-10", &remembered, Keep::For(Span(8 * DAY)));
        assert_eq!(gone.iter().map(|run| run.name.as_str()).collect::<Vec<_>>(), ["run-0", "run-1"]);
    }

    #[test]
    fn a_run_that_nobody_remembers_or_that_has_gone_stays_out() {
        let mut days: Vec<PastRun> = (0..4).map(run).collect();
        days[0].is_here = false;
        let remembered = HashSet::from(["digest-0", "digest-2"]);
        let gone = removable(&days, "run-3", &remembered, Keep::Runs(1));
        assert_eq!(gone.iter().map(|run| run.name.as_str()).collect::<Vec<_>>(), ["run-2"]);
    }
}
