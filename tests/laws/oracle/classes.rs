//! "Classes, severity, repair": what is said about pairs and about rows left over.

use std::collections::BTreeMap;

use super::Judgement;
use super::ladder::{Paired, Taken, differences, is_stamped};
use super::leftover::{Evidence, Left, Repeat};
use super::optimum::Verdict;
use super::population::{Books, Entry, Unclear};
use crate::laws::ledger::{PURCHASE, Rules, Said, UNIFIED_ONLY};

/// Class, severity, effect and repair of a pair's finding.
type Finding = (&'static str, &'static str, i64, &'static str);

struct Writer<'a> {
    legacy_free: &'a [bool],
    books: &'a Books,
    rules: &'a Rules,
    judgement: Judgement,
}

/// Writes findings, dispositions and totals.
pub fn write(books: &Books, paired: &Paired, left: &Left, rules: &Rules) -> Judgement {
    let judgement = Judgement {
        said: Vec::new(),
        dispositions: BTreeMap::new(),
        pairs: BTreeMap::new(),
        population: books.population.clone(),
    };
    let mut writer = Writer { books, rules, legacy_free: &paired.legacy_free, judgement };
    writer.others();
    paired.taken.iter().for_each(|taken| writer.group(taken));
    left.duplicates.iter().for_each(|repeat| writer.duplicate(repeat));
    writer.legacy_left(paired, left);
    writer.unified_left(paired, left);
    let mut judgement = writer.judgement;
    judgement.said.sort();
    judgement
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Forced => "forced",
        Verdict::Interchangeable => "interchangeable",
        Verdict::Contested => "contested",
    }
}

/// Contested rows are never repaired by SQL.
fn unless_contested(repair: &'static str, verdict: Verdict) -> &'static str {
    match (repair, verdict) {
        ("update" | "dedupe" | "backfill", Verdict::Contested) => "review",
        _ => repair,
    }
}

impl Writer<'_> {
    fn dispose(&mut self, side: &'static str, id: &str, outcome: &str) {
        let before = self.judgement.dispositions.insert((side, id.to_owned()), outcome.to_owned());
        assert_eq!(before, None, "one disposition for {side} {id}");
    }

    #[allow(clippy::too_many_arguments)]
    fn say(
        &mut self,
        (class, severity, repair): (&str, &str, &str),
        legacy: &[String],
        unified: &[String],
        effect: Option<i64>,
        rule: &str,
        verdict: Verdict,
    ) {
        let sorted = |ids: &[String]| {
            let mut ids = ids.to_vec();
            ids.sort();
            ids
        };
        self.judgement.said.push(Said {
            class: class.into(),
            severity: severity.into(),
            legacy: sorted(legacy),
            unified: sorted(unified),
            effect,
            rule: rule.into(),
            verdict: verdict_name(verdict).into(),
            repair: repair.into(),
        });
    }

    /// Rows that cannot be paired.
    fn others(&mut self) {
        for ((side, id), class) in self.books.others.clone() {
            let ids = [id.clone()];
            let (legacy, unified): (&[String], &[String]) =
                if side == "legacy" { (&ids, &[]) } else { (&[], &ids) };
            let finding = match class {
                "rejected" => "rejected_row",
                "unmapped" => "unmapped_action",
                _ => {
                    self.dispose(side, &id, class);
                    continue;
                }
            };
            let severity = if self.books.late.contains(&(side, id.clone())) { "warning" } else { "error" };
            self.say((finding, severity, "review"), legacy, unified, None, "none", Verdict::Forced);
            // Unified rows have a disposition where they are grants or deductions.
            self.dispose(side, &id, finding);
        }
    }

    /// A pair or a split.
    fn group(&mut self, taken: &Taken) {
        let books = self.books;
        let legacy: Vec<&Entry> = taken.group.legacy.iter().map(|at| &books.legacy[*at]).collect();
        let unified: Vec<&Entry> = taken.group.unified.iter().map(|at| &books.unified[*at]).collect();
        let verdict = taken.verdict;
        if legacy.iter().chain(&unified).all(|row| row.at > self.rules.as_of) {
            legacy.iter().for_each(|row| self.dispose("legacy", &row.id, "after_as_of"));
            unified.iter().for_each(|row| self.dispose("unified", &row.id, "after_as_of"));
            return;
        }
        let total = self.judgement.pairs.entry(taken.rule).or_default();
        total.0 += legacy.len() as u64;
        total.1 += legacy.iter().map(|row| row.tokens).sum::<i64>();
        let finding = match (taken.rule, &legacy[..], &unified[..]) {
            ("split", _, _) => Some(("split_grant", "info", 0, "none")),
            (_, [legacy], [unified]) => pair_finding(taken.rule, legacy, unified, self.rules),
            _ => unreachable!("only a split has several rows on a side"),
        };
        let outcome = finding.map_or("paired", |(class, ..)| class);
        legacy.iter().for_each(|row| self.dispose("legacy", &row.id, outcome));
        unified.iter().for_each(|row| self.dispose("unified", &row.id, outcome));
        if let Some((class, severity, effect, repair)) = finding {
            let in_the_future = unified.iter().any(|row| row.at > self.rules.as_of);
            let severity = if in_the_future { "warning" } else { severity };
            let legacy: Vec<String> = legacy.iter().map(|row| row.id.clone()).collect();
            let unified: Vec<String> = unified.iter().map(|row| row.id.clone()).collect();
            let sure = if self.may_be_of_others(taken) { "review" } else { repair };
            let repair = if repair == "update" { sure } else { repair };
            // A time that is not repaired leaves nothing to decide.
            let repair = match (class, unless_contested(repair, verdict)) {
                ("time_mismatch", "review") => "none",
                (_, repair) => repair,
            };
            let effect = if (class, repair) == ("time_mismatch", "none") { 0 } else { effect };
            self.say((class, severity, repair), &legacy, &unified, Some(effect), taken.rule, verdict);
        }
    }

    /// Only nearness says that the two are one grant, and a row that nobody can read or place may be the
    /// other half of one of them.
    fn may_be_of_others(&self, taken: &Taken) -> bool {
        let ([legacy], [unified]) = (&taken.group.legacy[..], &taken.group.unified[..]) else { return false };
        let (legacy, unified) = (&self.books.legacy[*legacy], &self.books.unified[*unified]);
        let window = self.rules.window;
        let may_be = |other: &Unclear, row: &Entry| match taken.rule {
            "stamped" => other.may_be(row, window),
            _ => other.may_be_near(row, window, false),
        };
        let is_copy =
            unified.link.is_none() && self.books.unclear_legacy.iter().any(|other| may_be(other, unified));
        let is_copied = self.books.unclear.iter().any(|other| may_be(other, legacy));
        ["mismatch", "stamped"].contains(&taken.rule) && !unified.paid && (is_copy || is_copied)
    }

    /// People have to judge the pair: an other user's row, or one that differs in much.
    fn is_a_guess(&self, taken: &Taken) -> bool {
        let ([legacy], [unified]) = (&taken.group.legacy[..], &taken.group.unified[..]) else { return false };
        let (legacy, unified) = (&self.books.legacy[*legacy], &self.books.unified[*unified]);
        let finding = pair_finding(taken.rule, legacy, unified, self.rules);
        let is_open = finding.is_some_and(|(class, _, _, repair)| {
            class != "time_mismatch" && unless_contested(repair, taken.verdict) == "review"
        });
        taken.rule == "user" || (taken.rule == "mismatch" && is_open)
    }

    fn duplicate(&mut self, repeat: &Repeat) {
        let books = self.books;
        let extra = &books.unified[repeat.extra];
        let rule = match repeat.evidence {
            Evidence::Link => "link",
            Evidence::Reference => "reference",
            Evidence::Content if extra.at == books.unified[repeat.kept.unified].at => "exact",
            Evidence::Content => "near",
        };
        let legacy: Vec<String> =
            repeat.kept.partners.iter().map(|at| books.legacy[*at].id.clone()).collect();
        let words = ("duplicate", "error", dedupe_or_review(repeat, books, self.rules, self.legacy_free));
        self.say(
            words,
            &legacy,
            std::slice::from_ref(&extra.id),
            Some(-extra.signed()),
            rule,
            repeat.verdict,
        );
        self.dispose("unified", &extra.id, "duplicate");
    }

    /// A row left over that is too young to judge.
    fn pend(&mut self, side: &'static str, row: &Entry) {
        self.dispose(side, &row.id, "pending");
        let from = if row.grant { "grants" } else { "deductions" };
        for (class, sign) in [(from, -1), ("pending", 1)] {
            let total = self.judgement.population.entry((side, class)).or_default();
            *total = (total.0.wrapping_add_signed(sign), total.1 + sign * row.tokens);
        }
    }

    fn legacy_left(&mut self, paired: &Paired, left: &Left) {
        let books = self.books;
        for (at, row) in books.legacy.iter().enumerate() {
            if !paired.legacy_free[at] {
                continue;
            } else if row.at > self.rules.as_of {
                self.dispose("legacy", &row.id, "after_as_of");
            } else if left.pending_legacy.contains(&at) {
                self.pend("legacy", row);
            } else if let Some(verdict) = left.source_duplicates.get(&at) {
                let ids = std::slice::from_ref(&row.id);
                self.say(("source_duplicate", "warning", "none"), ids, &[], Some(0), "reference", *verdict);
                self.dispose("legacy", &row.id, "source_duplicate");
            } else {
                let class = if row.grant { "unmigrated" } else { "unmigrated_deduction" };
                let verdict = paired.legacy_verdict[at];
                // A copy that dedupe.sql removes is not there any more, but its payment may be that of another.
                let stays = |at: usize| {
                    !left.duplicates.iter().any(|repeat| {
                        repeat.extra == at
                            && dedupe_or_review(repeat, books, self.rules, self.legacy_free) == "dedupe"
                    })
                };
                let same_elsewhere = books.unified.iter().enumerate().any(|(at, other)| {
                    let same = other.user == row.user
                        && other.effective == row.effective
                        && other.tokens == row.tokens;
                    // What was stamped together may have lost its label too.
                    let needs_none = UNIFIED_ONLY.contains(&other.action.as_str());
                    let stamped = is_stamped(other, &books.unified)
                        && (other.user == row.user && other.grant == row.grant && other.tokens == row.tokens)
                        && (other.migrated || other.link.is_some() || !needs_none);
                    paired.unified_free[at]
                        && (((same || stamped) && stays(at)) || other.shares_reference(row))
                });
                let guessed = paired.taken.iter().filter(|taken| self.is_a_guess(taken)).any(|taken| {
                    let other = &books.unified[taken.group.unified[0]];
                    (&other.user, &other.effective, other.tokens) == (&row.user, &row.effective, row.tokens)
                });
                let unclear = books.unclear.iter().any(|other| other.may_be(row, self.rules.window));
                let among = left.among_several.contains(&at);
                let elsewhere = same_elsewhere || guessed;
                let doubtful = verdict == Verdict::Contested || row.minority || elsewhere || unclear || among;
                let repair = if doubtful { "review" } else { "backfill" };
                let ids = std::slice::from_ref(&row.id);
                self.say((class, "error", repair), ids, &[], Some(row.signed()), "none", verdict);
                self.dispose("legacy", &row.id, class);
            }
        }
    }

    fn unified_left(&mut self, paired: &Paired, left: &Left) {
        let books = self.books;
        for (at, row) in books.unified.iter().enumerate().filter(|(at, _)| paired.unified_free[*at]) {
            if left.duplicates.iter().any(|repeat| repeat.extra == at) {
                continue;
            }
            let verdict = paired.unified_verdict[at];
            let ids = std::slice::from_ref(&row.id);
            let words = if row.at > self.rules.as_of {
                self.dispose("unified", &row.id, "after_as_of");
                continue;
            } else if left.pending_unified.contains(&at) {
                self.pend("unified", row);
                continue;
            } else if row.migrated || row.link.is_some() {
                ("orphan", "error", "review")
            } else if row.effective != row.action {
                ("mislabelled_purchase", "warning", unless_contested("update", verdict))
            } else if UNIFIED_ONLY.contains(&row.action.as_str()) {
                self.dispose("unified", &row.id, "unified_only");
                continue;
            } else {
                ("orphan", "warning", "none")
            };
            let effect = (words.0 == "mislabelled_purchase").then_some(0);
            self.say(words, &[], ids, effect, "none", verdict);
            self.dispose("unified", &row.id, words.0);
        }
    }
}

/// "`dedupe` when user, action and amount are equal, within the window, and link, mark or reference
/// shows the copy."
fn dedupe_or_review(repeat: &Repeat, books: &Books, rules: &Rules, legacy_free: &[bool]) -> &'static str {
    let (extra, kept) = (&books.unified[repeat.extra], &books.unified[repeat.kept.unified]);
    let says = |row: &Entry| (row.user.clone(), row.action.clone(), row.effective.clone(), row.tokens);
    let equal = says(extra) == says(kept);
    let within = (extra.at - kept.at).abs() <= rules.window;
    let partners = &repeat.kept.partners;
    // A link to another legacy row says that it is no copy of this grant.
    let marked = |row: &Entry| match &row.link {
        Some(link) => partners.iter().any(|at| books.legacy[*at].id == *link),
        None => row.migrated,
    };
    // Two unpaired copies may be those of two legacy rows that wait for them.
    let awaited = partners.is_empty()
        && books.legacy.iter().zip(legacy_free).any(|(row, free)| {
            *free && row.user == extra.user && row.effective == extra.effective && row.tokens == extra.tokens
        });
    // What names another legacy row than its partner, or another payment, is not surely that one's grant.
    let contradicted = partners.iter().any(|at| is_contradicted(&books.legacy[*at], kept));
    let has_payment = |row: &Entry| !row.refs.is_empty();
    let paid_apart = has_payment(extra)
        && (has_payment(kept) || partners.iter().any(|at| has_payment(&books.legacy[*at])));
    let names_another = extra.link.is_some() && !marked(extra);
    // It may be the copy of a row that nobody can read or place.
    let in_its_place = !partners.is_empty()
        && (partners.len() > 1 || (books.legacy[partners[0]].at - kept.at).abs() <= rules.tolerance);
    let of_unclear = extra.link.is_none()
        && books.unclear_legacy.iter().any(|other| match in_its_place {
            true => other.may_be_near(extra, rules.tolerance, true),
            false => other.may_be(extra, rules.window),
        });
    let may_show = !awaited && !paid_apart && !names_another && !of_unclear;
    let shown = !contradicted
        && (repeat.evidence != Evidence::Content || (may_show && (marked(extra) || marked(kept))));
    unless_contested(if equal && within && shown { "dedupe" } else { "review" }, repeat.verdict)
}

/// "A pair of which u names another l, or of which both have a payment of one kind and none in common."
fn is_contradicted(legacy: &Entry, unified: &Entry) -> bool {
    match &unified.link {
        Some(link) => *link != legacy.id,
        None => unified.has_other_payment(legacy),
    }
}

/// "A pair that differs in several ways is one finding of the first of user, action, amount, time."
fn pair_finding(rule: &str, legacy: &Entry, unified: &Entry, rules: &Rules) -> Option<Finding> {
    let differs = differences(legacy, unified, rules);
    // What is only near a purchase is not made one by it: a warning must not hide a missing grant.
    let tied = ["link", "reference"].contains(&rule) || !(differs.amount || differs.time);
    let paid = (legacy.paid || unified.paid) && legacy.grant && unified.grant;
    // A row that is paid for itself has to be called so, whatever it is paired with.
    let miscalled = unified.paid && unified.action != PURCHASE;
    let becomes_purchase = paid && (tied || miscalled || legacy.effective == PURCHASE);
    let expected = if becomes_purchase { PURCHASE } else { legacy.action.as_str() };
    let other_action = unified.action != expected;
    let count = u32::from(other_action) + u32::from(differs.amount) + u32::from(differs.time);
    let shown = (unified.migrated && !is_contradicted(legacy, unified))
        || unified.link.as_ref() == Some(&legacy.id)
        || unified.shares_reference(legacy);
    let repair = if count == 1 && shown { "update" } else { "review" };
    let effect = legacy.signed() - unified.signed();
    // Nothing but user and amount says that it is this grant.
    let is_guess = !["link", "reference"].contains(&rule) && !unified.paid;
    if differs.user {
        Some(("user_mismatch", "error", legacy.signed(), "review"))
    } else if other_action && (!becomes_purchase || differs.amount || (differs.time && is_guess)) {
        Some(("action_mismatch", "error", effect, repair))
    } else if differs.amount {
        Some(("amount_mismatch", "error", effect, repair))
    } else if other_action {
        // Only a label, as a warning must not stand for another amount or user. Where the pair alone
        // shows it to be wrong, the pair must be close.
        let shown = !differs.effective || !differs.time || unified.paid;
        Some(("mislabelled_purchase", "warning", 0, if shown { "update" } else { "review" }))
    } else if differs.time {
        let repair = if rules.repair_time && count == 1 && shown { "update" } else { "none" };
        // Once it is brought before as-of it counts.
        let effect = if unified.at > rules.as_of { legacy.signed() } else { 0 };
        Some(("time_mismatch", "warning", effect, repair))
    } else {
        None
    }
}
