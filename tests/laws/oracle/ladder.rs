//! "The ladder": eight rungs in order. A row taken on a higher rung is gone from the lower ones.

use std::collections::{BTreeMap, BTreeSet};

use super::leftover;
use super::optimum::{self, Group, Verdict};
use super::population::{Books, Entry};
use crate::laws::ledger::{PURCHASE, Rules};

/// Rows that were put together, and by which rung.
#[derive(Debug, Clone)]
pub struct Taken {
    pub rule: &'static str,
    pub group: Group,
    /// The worst of its own and of what its rows went through.
    pub verdict: Verdict,
}

/// What the ladder did.
#[derive(Debug, Clone, Default)]
pub struct Paired {
    pub taken: Vec<Taken>,
    /// The worst verdict of the rungs that each row was left over by.
    pub legacy_verdict: Vec<Verdict>,
    pub unified_verdict: Vec<Verdict>,
    pub legacy_free: Vec<bool>,
    pub unified_free: Vec<bool>,
    /// Rows whose payment has had its grant: none before rung 3.
    pub legacy_spent: Vec<bool>,
    pub unified_spent: Vec<bool>,
}

/// Climbs down the ladder.
pub fn climb(books: &Books, rules: &Rules) -> Paired {
    let mut paired = Paired {
        taken: Vec::new(),
        legacy_verdict: vec![Verdict::Forced; books.legacy.len()],
        unified_verdict: vec![Verdict::Forced; books.unified.len()],
        legacy_free: vec![true; books.legacy.len()],
        unified_free: vec![true; books.unified.len()],
        legacy_spent: vec![false; books.legacy.len()],
        unified_spent: vec![false; books.unified.len()],
    };
    let mut shaken = Shaken::default();
    for rule in RULES {
        if rule == "stamped" {
            let mut left = free(&books.unified, &paired.unified_free);
            shaken.stamps = left.any(|row| is_stamped(row, &books.unified));
        }
        let groups = match rule {
            "user" => other_user(books, &paired, rules),
            "split" => splits(books, &paired, rules),
            _ => pairs(rule, books, &paired, rules),
        };
        take(rule, groups, books, &mut paired, &mut shaken);
        if rule == "reference" {
            find_spent(books, &mut paired);
        }
    }
    shaken.spread(books, &mut paired, rules);
    paired
}

const RULES: [&str; 8] = ["link", "reference", "exact", "near", "user", "split", "mismatch", "stamped"];

/// A row left by rungs 1 and 2 is spent when another of its side says the same, has the same reference and was
/// paired with one that has it too.
fn find_spent(books: &Books, paired: &mut Paired) {
    let says = |row: &Entry| (row.user.clone(), row.effective.clone(), row.tokens);
    let is_spent = |row: &Entry, taken: &Taken, of_legacy: bool| {
        let (legacy, unified) =
            (&books.legacy[taken.group.legacy[0]], &books.unified[taken.group.unified[0]]);
        let own = if of_legacy { legacy } else { unified };
        let both =
            |reference: &&String| legacy.refs.contains(*reference) && unified.refs.contains(*reference);
        says(own) == says(row) && row.refs.iter().any(|reference| both(&reference))
    };
    let spent = |rows: &[Entry], free: &[bool], of_legacy: bool| -> Vec<bool> {
        let all = rows.iter().zip(free);
        all.map(|(row, free)| *free && paired.taken.iter().any(|taken| is_spent(row, taken, of_legacy)))
            .collect()
    };
    let legacy = spent(&books.legacy, &paired.legacy_free, true);
    let unified = spent(&books.unified, &paired.unified_free, false);
    (paired.legacy_spent, paired.unified_spent) = (legacy, unified);
}

/// "Not paired from rung 3 on": one of the two is spent, and the other has another payment.
fn is_barred(books: &Books, paired: &Paired, legacy: usize, unified: usize) -> bool {
    (paired.legacy_spent[legacy] || paired.unified_spent[unified])
        && books.legacy[legacy].has_other_payment(&books.unified[unified])
}

/// Takes the best groups of a rung.
fn take(rule: &'static str, groups: Vec<Group>, books: &Books, paired: &mut Paired, shaken: &mut Shaken) {
    let decision = optimum::decide(&groups, &books.legacy, &books.unified);
    for (group, verdict) in decision.chosen {
        let of_legacy = group.legacy.iter().map(|row| paired.legacy_verdict[*row]);
        let of_unified = group.unified.iter().map(|row| paired.unified_verdict[*row]);
        let verdict = of_legacy.chain(of_unified).fold(verdict, Verdict::max);
        group.legacy.iter().for_each(|row| paired.legacy_free[*row] = false);
        group.unified.iter().for_each(|row| paired.unified_free[*row] = false);
        paired.taken.push(Taken { rule, group, verdict });
    }
    let spent = |rows: &[Entry], spent: &[bool]| -> Vec<String> {
        rows.iter().zip(spent).filter(|(_, spent)| **spent).map(|(row, _)| row.user.clone()).collect()
    };
    let mut of_spent = spent(&books.legacy, &paired.legacy_spent);
    of_spent.extend(spent(&books.unified, &paired.unified_spent));
    let legacy = books.legacy.iter().zip(&decision.legacy);
    for (row, verdict) in legacy.chain(books.unified.iter().zip(&decision.unified)) {
        // Rows of one exact key are alike to the rungs below, unless payments count there.
        let is_open = rule != "exact" || of_spent.contains(&row.user);
        if *verdict == Verdict::Contested && is_open {
            shaken.users.entry(row.user.clone()).or_insert(rule);
        }
    }
    for (mine, new) in paired.legacy_verdict.iter_mut().zip(decision.legacy) {
        *mine = (*mine).max(new);
    }
    for (mine, new) in paired.unified_verdict.iter_mut().zip(decision.unified) {
        *mine = (*mine).max(new);
    }
}

/// "What rests on a contested choice is contested": users of whom a rung might have left other rows over.
#[derive(Default)]
struct Shaken {
    /// The first such rung of each.
    users: BTreeMap<String, &'static str>,
    /// A row that the rungs above `stamped` left might be a stamped copy.
    stamps: bool,
}

impl Shaken {
    /// Contested rows make contested what lower rungs did with rows of their user within a window, and so on.
    fn spread(&self, books: &Books, paired: &mut Paired, rules: &Rules) {
        let place = |rule: &str| RULES.iter().position(|other| *other == rule);
        // Rows by side and position, with what took them.
        let all: Vec<(bool, usize)> = (0..books.legacy.len())
            .map(|row| (true, row))
            .chain((0..books.unified.len()).map(|row| (false, row)))
            .collect();
        let entry = |(is_legacy, row): (bool, usize)| {
            if is_legacy { &books.legacy[row] } else { &books.unified[row] }
        };
        let taken: Vec<Option<usize>> = all
            .iter()
            .map(|(is_legacy, row)| {
                let has = |taken: &Taken| {
                    let rows = if *is_legacy { &taken.group.legacy } else { &taken.group.unified };
                    rows.contains(row)
                };
                paired.taken.iter().position(has)
            })
            .collect();
        let verdict = |at: usize| match taken[at] {
            Some(taken) => paired.taken[taken].verdict,
            None if all[at].0 => paired.legacy_verdict[all[at].1],
            None => paired.unified_verdict[all[at].1],
        };
        let rung =
            |at: usize| taken[at].and_then(|taken| place(paired.taken[taken].rule)).unwrap_or(RULES.len());
        let mut doubted: BTreeSet<usize> = (0..all.len())
            .filter(|&at| self.users.contains_key(&entry(all[at]).user) && verdict(at) == Verdict::Contested)
            .collect();
        let below: Vec<usize> = (0..all.len())
            .filter(|&at| {
                let first = self.users.get(&entry(all[at]).user).and_then(|rule| place(rule));
                first.is_some_and(|first| rung(at) > first) && verdict(at) != Verdict::Contested
            })
            .collect();
        loop {
            let reaches = |a: usize, b: usize| {
                let (one, other) = (entry(all[a]), entry(all[b]));
                let alike = one.effective == other.effective && one.tokens == other.tokens;
                let near = (one.at - other.at).abs() <= rules.window || (self.stamps && alike);
                (one.user == other.user && near) || (taken[a].is_some() && taken[a] == taken[b])
            };
            let next = below
                .iter()
                .copied()
                .find(|&at| !doubted.contains(&at) && doubted.iter().any(|&from| reaches(from, at)));
            let Some(next) = next else { break };
            doubted.insert(next);
        }
        for at in below.into_iter().filter(|at| doubted.contains(at)) {
            match (taken[at], all[at]) {
                (Some(taken), _) => paired.taken[taken].verdict = Verdict::Contested,
                (None, (true, row)) => paired.legacy_verdict[row] = Verdict::Contested,
                (None, (false, row)) => paired.unified_verdict[row] = Verdict::Contested,
            }
        }
    }
}

/// "The partner of an earlier legacy row may lie later (than as-of), up to the window." Two late rows
/// may pair in silence, so that an earlier legacy row does not take a late one's partner; a late
/// legacy row never takes an early unified one.
fn may_pair(legacy: &Entry, unified: &Entry, rules: &Rules) -> bool {
    match (legacy.at > rules.as_of, unified.at > rules.as_of) {
        (false, false) | (true, true) => true,
        (false, true) => unified.at - legacy.at <= rules.window,
        (true, false) => false,
    }
}

/// In what two rows differ. Time counts only beyond tolerance.
pub struct Differences {
    pub user: bool,
    /// The actions that evidence makes of each row by itself.
    pub effective: bool,
    /// The unified row has another action than the one expected of the pair.
    pub action: bool,
    pub amount: bool,
    pub time: bool,
}

/// Compares two rows.
pub fn differences(legacy: &Entry, unified: &Entry, rules: &Rules) -> Differences {
    Differences {
        user: legacy.user != unified.user,
        effective: legacy.effective != unified.effective,
        action: unified.action != expected_action(legacy, unified),
        amount: legacy.tokens != unified.tokens,
        time: (unified.at - legacy.at).abs() > rules.tolerance,
    }
}

/// "Payment evidence makes `token_pack_purchase` the expected action of the row and of its pair."
pub fn expected_action<'a>(legacy: &'a Entry, unified: &Entry) -> &'a str {
    let paid = (legacy.paid || unified.paid) && legacy.grant && unified.grant;
    if paid { PURCHASE } else { &legacy.action }
}

/// The rungs that take pairs.
fn pairs(rule: &str, books: &Books, paired: &Paired, rules: &Rules) -> Vec<Group> {
    let mut groups = Vec::new();
    for (l, legacy) in books.legacy.iter().enumerate().filter(|(l, _)| paired.legacy_free[*l]) {
        for (u, unified) in books.unified.iter().enumerate().filter(|(u, _)| paired.unified_free[*u]) {
            let lag = (unified.at - legacy.at).abs();
            let differs = differences(legacy, unified, rules);
            let same_user = !differs.user;
            let same_content = same_user && !differs.effective && !differs.amount;
            // A label that a payment shows to be wrong parts no rows.
            let action = if rule == "mismatch" { differs.effective } else { differs.action };
            let count = u32::from(action) + u32::from(differs.amount) + u32::from(differs.time);
            let fits = match rule {
                "link" => unified.link.as_ref() == Some(&legacy.id),
                "reference" => same_user && legacy.shares_reference(unified),
                "exact" => same_content && lag == 0,
                "near" => same_content && !differs.time,
                "mismatch" => same_user && lag <= rules.window && (1..=2).contains(&count),
                _ => same_content && is_stamped(unified, &books.unified),
            };
            if fits && may_pair(legacy, unified, rules) && !is_barred(books, paired, l, u) {
                let differs = count + u32::from(differs.user);
                groups.push(Group { legacy: vec![l], unified: vec![u], differs, lag });
            }
        }
    }
    groups
}

/// Shares its instant with at least 20 other rows, taken or free.
pub fn is_stamped(row: &Entry, all: &[Entry]) -> bool {
    all.iter().filter(|other| other.at == row.at).count() > 20
}

/// Rung 5: the one free row of a key on each side, under two users.
fn other_user(books: &Books, paired: &Paired, rules: &Rules) -> Vec<Group> {
    let key = |row: &Entry| (row.effective.clone(), row.tokens, row.at);
    let free_with = |wanted: &Entry, rows: &[Entry], free: &[bool]| {
        (0..rows.len()).filter(|at| free[*at] && key(&rows[*at]) == key(wanted)).collect::<Vec<_>>()
    };
    let kept = leftover::kept(books, paired);
    let mut groups = Vec::new();
    for (l, legacy) in books.legacy.iter().enumerate().filter(|(l, _)| paired.legacy_free[*l]) {
        let here = free_with(legacy, &books.legacy, &paired.legacy_free);
        let there = free_with(legacy, &books.unified, &paired.unified_free);
        let ([_], [u]) = (here.as_slice(), there.as_slice()) else { continue };
        let unified = &books.unified[*u];
        let repeats_its_own = kept.iter().any(|kept| {
            books.unified[kept.unified].user == unified.user
                && leftover::repeats(unified, kept, books, rules).is_some()
        });
        let shifted = constant_lags(books, paired, rules).iter().any(|(lag, count)| {
            let own = |a: &Entry, b: &Entry| may_be_shifted(a, b, rules) && b.at - a.at == *lag;
            let here = free(&books.unified, &paired.unified_free).any(|other| own(legacy, other));
            let there = free(&books.legacy, &paired.legacy_free).any(|other| own(other, unified));
            if *count > 20 { here || there } else { here && there }
        });
        let is_another = unified.user != legacy.user && !repeats_its_own && !shifted;
        if is_another && may_pair(legacy, unified, rules) && !is_barred(books, paired, l, *u) {
            groups.push(Group { legacy: vec![l], unified: vec![*u], differs: 1, lag: 0 });
        }
    }
    groups
}

fn free<'a>(rows: &'a [Entry], is_free: &'a [bool]) -> impl Iterator<Item = &'a Entry> {
    rows.iter().zip(is_free).filter(|(_, free)| **free).map(|(row, _)| row)
}

/// The same but for time, within the window.
fn may_be_shifted(legacy: &Entry, unified: &Entry, rules: &Rules) -> bool {
    let same = |row: &Entry| (row.user.clone(), row.effective.clone(), row.tokens);
    same(legacy) == same(unified) && (unified.at - legacy.at).abs() <= rules.window
}

/// Lags at which at least three free legacy rows have a free row of their own user, with how many.
fn constant_lags(books: &Books, paired: &Paired, rules: &Rules) -> Vec<(i64, usize)> {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for legacy in free(&books.legacy, &paired.legacy_free) {
        let lags: BTreeSet<i64> = free(&books.unified, &paired.unified_free)
            .filter(|unified| may_be_shifted(legacy, unified, rules))
            .map(|unified| unified.at - legacy.at)
            .collect();
        lags.into_iter().filter(|lag| *lag != 0).for_each(|lag| *counts.entry(lag).or_default() += 1);
    }
    counts.into_iter().filter(|(_, count)| *count >= 3).collect()
}

/// Rung 6: one row on a side, two to six on the other, with the same sum.
fn splits(books: &Books, paired: &Paired, rules: &Rules) -> Vec<Group> {
    let mut groups = Vec::new();
    let sides = [
        (&books.legacy, &paired.legacy_free, &books.unified, &paired.unified_free, true),
        (&books.unified, &paired.unified_free, &books.legacy, &paired.legacy_free, false),
    ];
    for (ones, one_free, parts, part_free, one_is_legacy) in sides {
        for one in (0..ones.len()).filter(|one| one_free[*one]) {
            let fits = |part: usize| {
                let (a, b) = (&ones[one], &parts[part]);
                let (legacy, unified) = if one_is_legacy { (a, b) } else { (b, a) };
                let differs = differences(legacy, unified, rules);
                let names_another = unified.link.as_ref().is_some_and(|link| *link != legacy.id);
                let other_payment = unified.link.is_none() && unified.has_other_payment(legacy);
                !(differs.user || differs.effective || differs.time || names_another || other_payment)
                    && may_pair(legacy, unified, rules)
            };
            let candidates: Vec<usize> =
                (0..parts.len()).filter(|part| part_free[*part] && fits(*part)).collect();
            for chosen in subsets(&candidates) {
                if chosen.iter().map(|part| parts[*part].tokens).sum::<i64>() == ones[one].tokens {
                    let lag = chosen.iter().map(|part| (parts[*part].at - ones[one].at).abs()).sum();
                    let (legacy, unified) =
                        if one_is_legacy { (vec![one], chosen) } else { (chosen, vec![one]) };
                    groups.push(Group { legacy, unified, differs: 0, lag });
                }
            }
        }
    }
    groups
}

/// All subsets of two to six.
fn subsets(rows: &[usize]) -> Vec<Vec<usize>> {
    let mut all: Vec<Vec<usize>> = vec![Vec::new()];
    for row in rows {
        let longer: Vec<Vec<usize>> =
            all.iter().filter(|set| set.len() < 6).map(|set| [set.as_slice(), &[*row]].concat()).collect();
        all.extend(longer);
    }
    all.retain(|set| set.len() >= 2);
    all
}
