//! `[balances]`, `[balances.expiry]`, `[balances.rollover]` and `[[balances.policy]]`: the rules of
//! balances, each set with the instant from which it is in force.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_spanned::Spanned;

use super::error::Fault;
use super::raw::{RawBalances, RawExpiry, RawPolicy, Text};
use super::section::{Section, duration, known_label, known_labels};
use super::value::parse_instant;
use super::{BalancePolicy, ExpiryOrder, Floor, UnifiedConfig};
use crate::domain::{Instant, Span};

/// What one set of keys says; a key that is not there leaves what was before.
struct Written<'a> {
    section: Section,
    failed_usage: Option<&'a Text>,
    opening_tokens: Option<&'a Spanned<i64>>,
    reset_actions: Option<&'a Spanned<Vec<Text>>>,
    floor: Option<&'a Text>,
    expiry: &'a RawExpiry,
    rollover: Option<&'a BTreeMap<Text, Spanned<i64>>>,
}

/// The plain keys first, then each `[[balances.policy]]` on top of what was in force before it.
pub(super) fn policies(raw: &RawBalances, unified: &UnifiedConfig) -> Result<Vec<BalancePolicy>, Fault> {
    let grants: Vec<&str> = unified.grants.iter().map(String::as_str).collect();
    let nothing = BalancePolicy {
        from: Instant::MIN,
        count_failed_usage: false,
        opening_tokens: 0,
        reset_actions: Vec::new(),
        floor: Floor::Debt,
        expiry_order: ExpiryOrder::EarliestExpiry,
        expiry_after: BTreeMap::new(),
        priority: Vec::new(),
        rollover: BTreeMap::new(),
    };
    let plain = Written {
        section: Section { name: "balances", span: 0..0 },
        failed_usage: raw.failed_usage.as_ref(),
        opening_tokens: raw.opening_tokens.as_ref(),
        reset_actions: raw.reset_actions.as_ref(),
        floor: raw.floor.as_ref(),
        expiry: &raw.expiry,
        rollover: raw.rollover.as_ref(),
    };
    let mut policies = vec![plain.on_top_of(nothing, &grants)?];
    for written in raw.policy.iter().flatten() {
        let before = policies.last().expect("the plain keys are there").clone();
        let next = later(written, &before, &grants)?;
        policies.push(next);
    }
    Ok(policies)
}

fn later(
    written: &Spanned<RawPolicy>,
    before: &BalancePolicy,
    grants: &[&str],
) -> Result<BalancePolicy, Fault> {
    let raw = written.get_ref();
    let section = Section { name: "balances.policy", span: written.span() };
    let from = section.needs("from", "the instant from which it is in force", raw.from.as_ref())?;
    let at = instant(from)?;
    if at <= before.from {
        return Err(Fault::new(
            from.span(),
            format!(
                "[balances.policy] from: {} is not later than that of the policy before it: write the policies in the order of time",
                at.rfc3339()
            ),
        ));
    }
    let written = Written {
        section,
        failed_usage: raw.failed_usage.as_ref(),
        opening_tokens: raw.opening_tokens.as_ref(),
        reset_actions: raw.reset_actions.as_ref(),
        floor: raw.floor.as_ref(),
        expiry: &raw.expiry,
        rollover: raw.rollover.as_ref(),
    };
    written.on_top_of(BalancePolicy { from: at, ..before.clone() }, grants)
}

/// RFC 3339, a TOML date-time with a zone, or a date (its midnight in UTC).
fn instant(value: &Spanned<toml::Value>) -> Result<Instant, Fault> {
    let text = match value.get_ref() {
        toml::Value::String(text) => text.clone(),
        toml::Value::Datetime(at) => at.to_string(),
        other => other.to_string(),
    };
    let is_date = text.len() == 10 && text.bytes().filter(|byte| *byte == b'-').count() == 2;
    let whole = if is_date { format!("{text}T00:00:00Z") } else { text };
    parse_instant(&whole).map_err(|why| Fault::new(value.span(), format!("[balances.policy] from: {why}")))
}

impl Written<'_> {
    fn on_top_of(&self, mut policy: BalancePolicy, grants: &[&str]) -> Result<BalancePolicy, Fault> {
        let section = &self.section;
        let name = section.name;
        if let Some(word) = self.failed_usage {
            policy.count_failed_usage =
                section.word("failed_usage", word, &[("ignore", false), ("count", true)])?;
        }
        if let Some(tokens) = self.opening_tokens {
            if *tokens.get_ref() < 0 {
                let message = format!(
                    "[{name}] opening_tokens is negative: write how many tokens a user is given at sign-up, or remove the key"
                );
                return Err(Fault::new(tokens.span(), message));
            }
            policy.opening_tokens = *tokens.get_ref();
        }
        if let Some(actions) = self.reset_actions {
            policy.reset_actions = known_labels(&format!("[{name}] reset_actions"), Some(actions), grants)?;
        }
        if let Some(word) = self.floor {
            let words = [("debt", Floor::Debt), ("clamp", Floor::Clamp), ("write_off", Floor::WriteOff)];
            policy.floor = section.word("floor", word, &words)?;
        }
        self.expiry(&mut policy, grants)?;
        self.rollover(&mut policy, grants)?;
        Ok(policy)
    }

    fn expiry(&self, policy: &mut BalancePolicy, grants: &[&str]) -> Result<(), Fault> {
        let name = if self.section.name == "balances" { "balances.expiry" } else { "balances.policy.expiry" };
        let section = Section { name, span: self.section.span.clone() };
        let orders = [
            ("fifo", ExpiryOrder::Fifo),
            ("earliest_expiry", ExpiryOrder::EarliestExpiry),
            ("priority", ExpiryOrder::Priority),
        ];
        if let Some(word) = &self.expiry.order {
            policy.expiry_order = section.word("order", word, &orders)?;
        }
        if let Some(after) = &self.expiry.after {
            policy.expiry_after.clear();
            for (action, after) in after {
                known_label(&format!("[{name}] after"), action, grants)?;
                let key = format!("after.{}", action.get_ref());
                let life = duration(name, &key, Some(after), Span(0))?;
                policy.expiry_after.insert(action.get_ref().clone(), life);
            }
        }
        if let Some(list) = &self.expiry.priority {
            policy.priority = known_labels(&format!("[{name}] priority"), Some(list), grants)?;
            if policy.expiry_order != ExpiryOrder::Priority {
                let message = format!(
                    "[{name}] priority has no meaning without order = \"priority\": add it, or remove the list"
                );
                return Err(Fault::new(list.span(), message));
            }
        }
        if policy.expiry_order == ExpiryOrder::Priority && policy.priority.is_empty() {
            let span: Range<usize> = self.expiry.order.as_ref().map_or(section.span, Spanned::span);
            let message = format!(
                "[{name}] order = \"priority\" needs `priority`: a list of grant actions, the one that is burnt first stands first"
            );
            return Err(Fault::new(span, message));
        }
        Ok(())
    }

    fn rollover(&self, policy: &mut BalancePolicy, grants: &[&str]) -> Result<(), Fault> {
        let name =
            if self.section.name == "balances" { "balances.rollover" } else { "balances.policy.rollover" };
        if let Some(rollover) = self.rollover {
            policy.rollover.clear();
            for (action, cap) in rollover {
                known_label(&format!("[{name}]"), action, grants)?;
                if *cap.get_ref() < 0 {
                    let message = format!(
                        "[{name}] {}: a cap below zero has no meaning: write the most tokens that are carried over",
                        action.get_ref()
                    );
                    return Err(Fault::new(cap.span(), message));
                }
                policy.rollover.insert(action.get_ref().clone(), *cap.get_ref());
            }
        }
        let Some(both) = policy.reset_actions.iter().find(|action| policy.rollover.contains_key(*action))
        else {
            return Ok(());
        };
        let span = self
            .rollover
            .and_then(|rollover| rollover.iter().find(|(action, _)| action.get_ref() == both))
            .map(|(_, cap)| cap.span())
            .or_else(|| self.reset_actions.map(Spanned::span))
            .unwrap_or_else(|| self.section.span.clone());
        let message = format!(
            "[{name}] {both}: a grant in reset_actions replaces the whole balance, so nothing of it is carried over: remove it from one of the two"
        );
        Err(Fault::new(span, message))
    }
}
