//! What a check says, as a digest that its waiver is bound to.

use super::activity::CALLS;
use super::checks::{Answer, Check, Evidence};
use crate::sha256::Sha256;
use crate::source::postgres::dependencies::Certainty;

/// `sha256:` and a digest over the answer, the evidence that weighs, and what was not looked at: a check
/// that finds another object is another one. Words and counts that change from day to day are not part
/// of it.
pub(super) fn content(check: &Check) -> String {
    let answer = match check.ok {
        Answer::Ok => "ok",
        Answer::No => "no",
        Answer::NotTested => "not_tested",
    };
    let mut found: Vec<[&str; 4]> = check.evidence.iter().filter_map(said).collect();
    found.sort_unstable();
    // Each night on which the table was scanned has an entry of its own.
    found.dedup_by(|a, b| a == b && a[1] == SCANS);
    let mut unread: Vec<&str> = check.unread.iter().map(String::as_str).collect();
    unread.sort_unstable();
    let found = found.into_iter().flatten();
    let parts = [check.check, answer].into_iter().chain(found).chain(["unread"]).chain(unread);
    let mut hash = Sha256::default();
    for part in parts {
        // With their lengths, so that no text can pass for another.
        hash.update_text(part);
    }
    format!("sha256:{}", hash.finish().hex())
}

/// The kind of evidence that comes once a night.
const SCANS: &str = "scans";

/// What counts of a piece of evidence; a note does not.
fn said(found: &Evidence) -> Option<[&str; 4]> {
    let certainty = match found.certainty {
        Certainty::Certain => "certain",
        Certainty::Possible => "possible",
        Certainty::Note => return None,
    };
    // A statement has no name of its own: it is its text, without the count of its calls.
    let text = match found.kind.as_str() {
        "statement" => found.detail.split_once(CALLS).map_or(found.detail.as_str(), |(_, text)| text),
        _ => "",
    };
    Some([certainty, &found.kind, &found.name, text])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn possible(kind: &str, name: &str, detail: &str) -> Evidence {
        Evidence::possible(kind, name.to_owned(), detail.to_owned())
    }

    fn of(evidence: Vec<Evidence>) -> String {
        content(&Check::fails("functions", "in words".to_owned(), evidence))
    }

    #[test]
    fn another_object_is_another_check_and_another_night_is_not() {
        let f = || possible("function", "public.f", "line 1");
        let statement = |detail: &str| possible("statement", "role app", detail);
        let scans = |detail: &str| possible("scans", "public.t", detail);
        let note = Evidence::note("function", "public.h".to_owned(), String::new());
        let same = [
            (vec![f()], vec![possible("function", "public.f", "line 2")]),
            (vec![f()], vec![f(), note]),
            (vec![f(), scans("a")], vec![scans("b"), f()]),
            (vec![scans("one")], vec![scans("one"), scans("two")]),
            (vec![statement("3 calls so far: select 1")], vec![statement("4 calls so far: select 1")]),
        ];
        for (before, after) in same {
            assert_eq!(of(before.clone()), of(after.clone()), "{before:?} {after:?}");
        }
        let other = [
            vec![],
            vec![f()],
            vec![f(), f()],
            vec![possible("function", "public.g", "line 1")],
            vec![possible("procedure", "public.f", "line 1")],
            vec![Evidence::certain("function", "public.f".to_owned(), String::new())],
            vec![f(), possible("function", "public.g", "")],
            vec![scans("one")],
            vec![statement("3 calls so far: select 1")],
            vec![statement("3 calls so far: select 2")],
        ];
        let mut seen: Vec<String> = other.into_iter().map(of).collect();
        let unread = |unread: &[&str]| {
            let unread = unread.iter().map(|what| (*what).to_owned()).collect();
            content(&Check { unread, ..Check::not_tested("functions", "no right") })
        };
        seen.extend([unread(&[]), unread(&["f"]), unread(&["f", "g"]), unread(&["fg"])]);
        seen.push(content(&Check::ok("functions", String::new())));
        seen.push(content(&Check::ok("views", String::new())));
        let all = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), all);
    }
}
