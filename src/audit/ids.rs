//! Names and order of findings: the same finding has the same id and place in every run.

use std::collections::HashMap;

use crate::cores;
use crate::domain::{Books, Class, Finding, FindingId, Ledger, Pair, RowId, Side};
use crate::sha256::sha256;

/// Class, user, created_at, ids.
pub(super) fn order(finding: &Finding) -> impl Ord + '_ {
    let at = finding.created_at_legacy.or(finding.created_at_unified);
    (finding.class, finding.user.as_ref(), at, &finding.legacy_ids, &finding.unified_ids, &finding.id)
}

/// Gives an id to each finding that has none, on all cores.
pub(super) fn name_findings(findings: &mut [Finding]) {
    cores::in_shares_mut(findings, |findings| {
        for finding in findings.iter_mut().filter(|finding| finding.id.0.is_empty()) {
            finding.id = finding_id(finding, None);
        }
    });
}

/// The beginning of a finding's key: its class, and the first bytes of its user's id; and its number.
type Placed = ((Class, Option<u64>), u32);

/// Puts findings in their order. They are large, so what is sorted are their numbers with the
/// beginning of their keys, and each finding then moves to its place, without a second list.
pub(super) fn put_in_order(findings: &mut [Finding]) {
    let start = |finding: &Finding| {
        let user = finding.user.as_ref().map(|id| {
            id.with_text(|text| {
                let mut first = [0; 8];
                let bytes = &text.as_bytes()[..text.len().min(8)];
                first[..bytes.len()].copy_from_slice(bytes);
                u64::from_be_bytes(first)
            })
        });
        (finding.class, user)
    };
    let mut places: Vec<Placed> =
        findings.iter().enumerate().map(|(at, finding)| (start(finding), at as u32)).collect();
    // Ids are the last key, so no two are equal.
    let compare = |a: &Placed, b: &Placed| {
        let whole = || order(&findings[a.1 as usize]).cmp(&order(&findings[b.1 as usize]));
        a.0.cmp(&b.0).then_with(whole)
    };
    cores::in_shares_mut(&mut places, |places| places.sort_unstable_by(compare));
    // Merges what is in order already.
    places.sort_by(compare);
    let mut from: Vec<u32> = places.into_iter().map(|(_, at)| at).collect();
    for begin in 0..from.len() {
        // Once round each circle of moves.
        let mut at = begin;
        while from[at] as usize != begin {
            let next = from[at] as usize;
            findings.swap(at, next);
            from[at] = at as u32;
            at = next;
        }
        from[at] = at as u32;
    }
}

/// The first 16 hexadecimal digits of SHA-256 over `class \n legacy ids \n unified ids`, ids sorted
/// and joined with `;`. A finding about a user has the user in place of legacy ids; one about a row
/// without an id has `no_id`.
///
/// Where one of the ids holds a line break or `;`, other ids could give the same text. There all ids are
/// escaped (`\` as `\\`, `;` as `\;`, a line break as `\n`), and a third line break at the end, which no
/// text without escapes has, keeps both kinds apart.
pub(super) fn finding_id(finding: &Finding, no_id: Option<&str>) -> FindingId {
    let has_rows = !finding.legacy_ids.is_empty() || !finding.unified_ids.is_empty();
    let first = if has_rows { &finding.legacy_ids[..] } else { finding.user.as_slice() };
    let no_id = no_id.filter(|_| !has_rows);
    let escapes = first.iter().chain(&finding.unified_ids).any(needs_escape);
    let mut text = String::with_capacity(128);
    text.push_str(finding.class.name());
    text.push('\n');
    match no_id {
        Some(no_id) => text.push_str(no_id),
        None => push_ids(&mut text, first, escapes),
    }
    text.push('\n');
    push_ids(&mut text, &finding.unified_ids, escapes);
    if escapes && no_id.is_none() {
        text.push('\n');
    }
    FindingId(hex16(text.as_bytes()))
}

/// The id holds what parts ids from each other.
fn needs_escape(id: &RowId) -> bool {
    matches!(id, RowId::Text(text) if text.contains(['\n', ';']))
}

fn push_ids(text: &mut String, ids: &[RowId], escapes: bool) {
    for (at, id) in ids.iter().enumerate() {
        if at > 0 {
            text.push(';');
        }
        id.with_text(|id| match escapes {
            false => text.push_str(id),
            true => id.chars().for_each(|char| match char {
                '\n' => text.push_str("\\n"),
                ';' | '\\' => text.extend(['\\', char]),
                char => text.push(char),
            }),
        });
    }
}

/// Pairs whose ids are gathered at a time, before any is digested.
const GATHERED_PAIRS: usize = 256;

/// The id of each pair, by position, on all cores: the first 64 bits of SHA-256 over `pair`, the legacy id and
/// the unified id, parted by zero bytes.
pub fn pair_ids(pairs: &[Pair], books: &Books) -> Vec<u64> {
    let mut ids = vec![0; pairs.len()];
    let share = pairs.len().div_ceil(cores::count()).max(1);
    cores::each(pairs.chunks(share).zip(ids.chunks_mut(share)), |(pairs, ids)| {
        digest_pairs(pairs, books, ids)
    });
    ids
}

/// Unified rows lie anywhere in memory: so many are fetched in one go that their ways overlap.
fn digest_pairs(pairs: &[Pair], books: &Books, ids: &mut [u64]) {
    let (mut fetched, mut text) = (Vec::with_capacity(GATHERED_PAIRS), Vec::new());
    let (legacy, unified) = (&books.legacy.entries, &books.unified.entries);
    for (pairs, ids) in pairs.chunks(GATHERED_PAIRS).zip(ids.chunks_mut(GATHERED_PAIRS)) {
        fetched.clear();
        fetched.extend(pairs.iter().map(|pair| match unified[pair.unified as usize].id {
            RowId::Uuid(id) => Some(RowId::Uuid(id)),
            RowId::Text(_) => None,
        }));
        for ((pair, uuid), id) in pairs.iter().zip(&fetched).zip(ids) {
            let unified = uuid.as_ref().unwrap_or_else(|| &unified[pair.unified as usize].id);
            *id = pair_id(&legacy[pair.legacy as usize].id, unified, &mut text);
        }
    }
}

/// The id of one pair. `text` is where its ids are put together.
fn pair_id(legacy: &RowId, unified: &RowId, text: &mut Vec<u8>) -> u64 {
    text.clear();
    text.extend_from_slice(b"pair\0");
    legacy.push_to(text);
    text.push(0);
    unified.push_to(text);
    sha256(text).first_bits()
}

/// The first 16 hexadecimal digits of SHA-256.
pub(super) fn hex16(bytes: &[u8]) -> String {
    sha256(bytes).hex_of_first(8)
}

/// Pseudo ids of rejected rows without an id: a digest of what the row holds, and a number where
/// several rows hold the same.
pub(super) struct NoIds {
    legacy: Vec<Option<String>>,
    unified: Vec<Option<String>>,
}

impl NoIds {
    pub(super) fn of(books: &Books) -> NoIds {
        let side = |ledger: &Ledger| {
            let mut seen: HashMap<String, u32> = HashMap::new();
            let name = |row: &crate::domain::Rejected| {
                if row.id.is_some() {
                    return None;
                }
                let content = format!(
                    "{}\n{:?}\n{:?}\n{:?}\n{:?}\n{}",
                    ledger.side.name(),
                    row.user,
                    row.label,
                    row.tokens,
                    row.at,
                    row.reason
                );
                let digest = hex16(content.as_bytes());
                let number = seen.entry(digest.clone()).and_modify(|number| *number += 1).or_insert(1);
                Some(format!("no-id:{digest}-{number}"))
            };
            ledger.rejected.iter().map(name).collect()
        };
        NoIds { legacy: side(&books.legacy), unified: side(&books.unified) }
    }

    pub(super) fn in_order(&self) -> impl Iterator<Item = Option<&str>> {
        self.legacy.iter().chain(&self.unified).map(Option::as_deref)
    }

    pub(super) fn of_row(&self, side: Side, at: usize) -> RowId {
        let names = if side == Side::Legacy { &self.legacy } else { &self.unified };
        RowId::Text(names[at].clone().unwrap_or_default().into())
    }
}

/// Matching lists rejected rows in the order of the books: legacy, then unified.
pub(super) fn positions_of_rejected(findings: &[Finding]) -> Vec<usize> {
    (0..findings.len()).filter(|&at| findings[at].class == Class::RejectedRow).collect()
}
