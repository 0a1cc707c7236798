//! What each label means.

use std::collections::{BTreeMap, BTreeSet};

use super::{Labels, MOST_LABELS, Seen};

/// Names of the unified actions where the unified table has none that fits.
const SUBSCRIPTION: &str = "subscription_grant";
const TRIAL: &str = "trial_grant";
const PURCHASE: &str = "token_pack_purchase";
const ADMIN: &str = "admin_grant";
const DEDUCTION: &str = "admin_deduct";

const TAKES: [&str; 9] =
    ["deduct", "deduction", "debit", "revoke", "revoked", "revocation", "clawback", "chargeback", "expired"];
const UNCLEAR: [&str; 9] =
    ["refund", "transfer", "adjust", "adjustment", "correction", "reversal", "migration", "unknown", "other"];
const GIVES: [&str; 17] = [
    "grant",
    "granted",
    "grants",
    "purchase",
    "purchased",
    "bonus",
    "credit",
    "topup",
    "reward",
    "gift",
    "promo",
    "promotion",
    "allocation",
    "allowance",
    "referral",
    "renewal",
    "refill",
];
/// Words of use, whatever else a label says.
const SPENDS: [&str; 8] = ["usage", "use", "used", "consume", "consumed", "consumption", "spend", "spent"];
/// Words of what tokens are used for.
const USES: [&str; 34] = [
    "chat",
    "chats",
    "conversation",
    "generation",
    "generate",
    "completion",
    "completions",
    "refinement",
    "vision",
    "flip",
    "image",
    "images",
    "audio",
    "speech",
    "video",
    "transcription",
    "transcribe",
    "embedding",
    "embeddings",
    "scoring",
    "prompt",
    "prompts",
    "suggestions",
    "summary",
    "assembly",
    "message",
    "messages",
    "request",
    "requests",
    "query",
    "translation",
    "analysis",
    "search",
    "inference",
];
/// Words of grants that say nothing alone. Beside a word of use (`image_pack`, `welcome_message`) nobody can
/// tell which of the two is meant.
const OF_GRANTS: [&str; 7] = ["pack", "package", "subscription", "trial", "welcome", "signup", "token"];

/// Does a label of the unified table add, take, use, or can only its owner tell?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Adds,
    Takes,
    Uses,
    Unclear,
}

/// The labels of the unified table, sorted.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    /// Add; the four usual ones first.
    pub grants: Vec<String>,
    /// Take.
    pub deductions: Vec<String>,
    /// Use.
    pub usage: Vec<String>,
    /// Only the owner can tell: a finding until then.
    pub unclear: Vec<String>,
    /// No label looks like a grant: those listed are examples.
    pub examples: bool,
}

/// What a legacy label means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A unified action.
    Action(String),
    /// Usage.
    Usage,
    /// Only the owner can tell.
    Unclear,
}

/// The words of a label, in lower case: `grant/token_pack` is grant, token, pack.
pub(super) fn words(label: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_is_lower = false;
    for c in label.chars() {
        let starts_word = c.is_uppercase() && before_is_lower;
        if !c.is_alphanumeric() || starts_word {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before_is_lower = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

fn any(words: &[String], list: &[&str]) -> bool {
    words.iter().any(|word| list.contains(&word.as_str()))
}

/// What a label of the unified table does, as far as its words tell.
pub(super) fn direction(label: &str) -> Direction {
    let words = words(label);
    let ends_like_a_grant = ["grant", "purchase", "bonus", "credit"].iter().any(|end| label.ends_with(end));
    let uses = any(&words, &USES);
    let is_bare = words == ["subscription"] || words == ["trial"];
    if any(&words, &TAKES) {
        Direction::Takes
    } else if any(&words, &UNCLEAR) {
        Direction::Unclear
    } else if any(&words, &SPENDS) {
        Direction::Uses
    } else if ends_like_a_grant || is_bare || (any(&words, &GIVES) && !uses) {
        Direction::Adds
    } else if uses && !any(&words, &GIVES) && !any(&words, &OF_GRANTS) {
        Direction::Uses
    } else {
        // To take it for use would fold its rows into a sum, and no grant among them would be missed.
        Direction::Unclear
    }
}

/// Labels that were seen or that an enum or CHECK constraint lists.
pub(super) fn all_labels(side: &Seen) -> Labels {
    let mut labels = side.labels.clone();
    labels.retain(|label, _| !label.trim_matches('/').is_empty());
    if let [only] = &side.roles.action[..] {
        let column = side.sample.columns.iter().find(|column| column.name == *only);
        for label in column.iter().flat_map(|column| &column.listed) {
            labels.entry(label.clone()).or_default();
        }
    }
    labels
}

/// A ledger whose grants are all stored above zero: there, what is below zero takes.
fn grants_are_positive(labels: &Labels) -> bool {
    let mut grants = labels.iter().filter(|(label, _)| direction(label) == Direction::Adds).peekable();
    grants.peek().is_some() && grants.all(|(_, count)| count.positive > 0 && count.negative == 0)
}

impl Vocabulary {
    /// Sorts the labels of the unified table. Where no word tells, the sign may: a label that is always below
    /// zero beside grants above it is use, unless the legacy table has it too, since use is written to one
    /// table and a deduction to both.
    pub fn of(legacy: &Seen, unified: &Seen) -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        let labels = all_labels(unified);
        let there = all_labels(legacy);
        let signed = grants_are_positive(&labels);
        for (label, count) in labels {
            let has_words_of_doubt = any(&words(&label), &UNCLEAR);
            let takes = signed && count.negative > 0 && count.negative == count.rows;
            match direction(&label) {
                Direction::Adds => vocabulary.grants.push(label),
                Direction::Takes => vocabulary.deductions.push(label),
                Direction::Uses => vocabulary.usage.push(label),
                Direction::Unclear if takes && !has_words_of_doubt && !there.contains_key(&label) => {
                    vocabulary.usage.push(label);
                }
                Direction::Unclear => vocabulary.unclear.push(label),
            }
        }
        vocabulary
    }

    /// The list of usage has to stand in the configuration: without it every label is usage that does not
    /// look like a grant.
    pub fn lists_usage(&self, unified: &Seen) -> bool {
        let all_seen = unified.sample.whole && unified.labels.len() < MOST_LABELS;
        !self.unclear.is_empty() || !all_seen
    }

    /// Sorts the grants (the usual ones first) and adds what the legacy labels need.
    pub fn complete(&mut self, meanings: &BTreeMap<String, Meaning>) {
        let needed: BTreeSet<&String> = meanings
            .values()
            .filter_map(|meaning| match meaning {
                Meaning::Action(action) => Some(action),
                _ => None,
            })
            .collect();
        for action in needed {
            let list = match direction(action) {
                Direction::Takes => &mut self.deductions,
                _ => &mut self.grants,
            };
            if !list.contains(action) {
                list.push(action.clone());
            }
        }
        if self.grants.is_empty() {
            // A configuration has to name some.
            self.grants = [ADMIN, SUBSCRIPTION, TRIAL, PURCHASE].map(str::to_owned).to_vec();
            self.examples = true;
        }
        let usual = [ADMIN, SUBSCRIPTION, TRIAL, PURCHASE];
        let place = |label: &String| usual.iter().position(|usual| usual == label).unwrap_or(usual.len());
        self.grants.sort_by(|a, b| place(a).cmp(&place(b)).then(a.cmp(b)));
    }

    /// The unified grant with one of these words, or else `usual`.
    fn grant(&self, list: &[&str], usual: &str) -> String {
        if self.grants.iter().any(|label| label == usual) {
            return usual.to_owned();
        }
        self.grants.iter().find(|label| any(&words(label), list)).map_or(usual, String::as_str).to_owned()
    }

    fn deduction(&self) -> String {
        self.deductions
            .iter()
            .find(|label| *label == DEDUCTION)
            .or(self.deductions.first())
            .map_or(DEDUCTION, String::as_str)
            .to_owned()
    }

    /// What a legacy label means. `opposite`: all its rows have the other sign than the grants.
    pub fn meaning(&self, label: &str, opposite: bool) -> Meaning {
        if self.grants.iter().chain(&self.deductions).any(|action| action == label) {
            return Meaning::Action(label.to_owned());
        }
        if self.usage.iter().any(|usage| usage == label) {
            return Meaning::Usage;
        }
        // One name means one thing in both tables.
        if self.unclear.iter().any(|unclear| unclear == label) {
            return Meaning::Unclear;
        }
        let words = words(label);
        if any(&words, &TAKES) {
            return Meaning::Action(self.deduction());
        }
        if any(&words, &["refund", "reversal"]) && opposite {
            return Meaning::Action(self.deduction());
        }
        if any(&words, &UNCLEAR) {
            return Meaning::Unclear;
        }
        self.grant_meaning(&words).unwrap_or_else(|| use_meaning(&words))
    }

    fn grant_meaning(&self, words: &[String]) -> Option<Meaning> {
        let gives = any(words, &GIVES);
        let bare = words.len() == 1;
        let uses = any(words, &SPENDS) || (!gives && any(words, &USES));
        if uses {
            return None;
        }
        let subscription = ["subscription", "renewal", "annual", "monthly", "plan", "yearly", "recurring"];
        let action = if any(words, &["trial"]) && (gives || bare) {
            self.grant(&["trial"], TRIAL)
        } else if any(words, &subscription) && (gives || bare) {
            self.grant(&subscription, SUBSCRIPTION)
        } else if any(words, &["pack", "purchase", "purchased", "topup"])
            || words.windows(2).any(|pair| pair == ["top", "up"])
        {
            self.grant(&["pack", "purchase", "purchased", "topup"], PURCHASE)
        } else if any(words, &["admin", "manual"]) && gives {
            self.grant(&["admin", "manual"], ADMIN)
        } else {
            return None;
        };
        Some(Meaning::Action(action))
    }
}

/// Use where the words say so and none of them speaks of a grant.
fn use_meaning(words: &[String]) -> Meaning {
    let says_use = any(words, &SPENDS) || any(words, &USES);
    if says_use && !any(words, &GIVES) && !any(words, &OF_GRANTS) { Meaning::Usage } else { Meaning::Unclear }
}

/// The meaning of every legacy label.
pub(super) fn meanings(legacy: &Seen, vocabulary: &Vocabulary) -> BTreeMap<String, Meaning> {
    let labels = all_labels(legacy);
    let (mut positive, mut negative) = (0, 0);
    for (label, count) in &labels {
        if direction(label) == Direction::Adds {
            positive += count.positive;
            negative += count.negative;
        }
    }
    labels
        .iter()
        .map(|(label, count)| {
            let opposite = match positive.cmp(&negative) {
                std::cmp::Ordering::Greater => count.negative > 0 && count.positive == 0,
                std::cmp::Ordering::Less => count.positive > 0 && count.negative == 0,
                std::cmp::Ordering::Equal => false,
            };
            (label.clone(), vocabulary.meaning(label, opposite))
        })
        .collect()
}
