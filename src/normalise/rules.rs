//! What the configuration says about one side, ready to be applied to rows.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono_tz::Tz;

use super::kept::Room;
use super::usage_log::MEMORY_BOUND_BYTES;
use crate::config::{Config, LegacyMeaning, SignPolicy};
use crate::domain::{ActionNo, Instant, Kind, RowId, Side};
use crate::source::{DetailRule, looks_like_a_grant};

/// What a label means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A grant or deduction.
    Action(ActionNo, Kind),
    /// Usage.
    Usage,
    /// Left out.
    Ignored,
    /// Unknown.
    Unmapped,
}

/// The rules of one side.
#[derive(Debug, Clone)]
pub struct Rules {
    pub(super) side: Side,
    pub(super) zone: Tz,
    pub(super) sign: SignPolicy,
    pub(super) as_of: Instant,
    pub(super) columns: Names,
    /// Payments stand in other fields than references.
    pub(super) has_other_payments: bool,
    /// Rows of usage of this user are kept one by one, not only summed.
    pub(super) keep_usage_of: Option<RowId>,
    /// Bytes that the usage logs of all workers hold in memory.
    pub(super) log_bytes: Arc<AtomicUsize>,
    /// What the folders of both sides may hold.
    pub(super) room: Arc<Room>,
    listed: HashMap<String, Meaning>,
    otherwise: Otherwise,
}

/// Names of the columns, for messages.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) user: String,
    pub(super) action: String,
    pub(super) amount: String,
    pub(super) created_at: String,
    pub(super) success: String,
}

/// What a label means that is not listed.
#[derive(Debug, Clone, Copy)]
enum Otherwise {
    Unmapped,
    UsageUnlessLikeAGrant,
}

/// The unified actions in configured order, grants first.
pub(super) fn actions(config: &Config) -> Vec<Box<str>> {
    let unified = &config.unified;
    unified.grants.iter().chain(&unified.deductions).map(|label| label.as_str().into()).collect()
}

impl Rules {
    /// The same rules for folders that may hold no more than this together.
    pub fn within(mut self, room: Arc<Room>) -> Rules {
        // The log has no bound of its own to be told: what it may not take counts as taken.
        let taken = MEMORY_BOUND_BYTES.saturating_sub(room.log());
        self.log_bytes.store(taken, Ordering::Relaxed);
        self.room = room;
        self
    }

    /// The rules of the legacy side.
    pub fn legacy(config: &Config, as_of: Instant) -> Rules {
        let known = known_actions(config);
        let listed = config
            .legacy
            .actions
            .iter()
            .map(|(label, meaning)| {
                let meaning = match meaning {
                    LegacyMeaning::Action(action) => known.get(action).copied().unwrap_or(Meaning::Unmapped),
                    LegacyMeaning::Usage => Meaning::Usage,
                    LegacyMeaning::Ignore => Meaning::Ignored,
                };
                (label.clone(), meaning)
            })
            .collect();
        Rules {
            side: Side::Legacy,
            zone: config.legacy.columns.timezone,
            sign: config.legacy.sign,
            as_of,
            columns: names(&config.legacy.columns),
            has_other_payments: config.legacy.columns.payment != config.legacy.columns.reference,
            keep_usage_of: None,
            log_bytes: Arc::default(),
            room: Arc::new(Room::unbounded()),
            listed,
            otherwise: Otherwise::Unmapped,
        }
    }

    /// The rules of the unified side. The usage of one user can be kept row by row, as bystanders;
    /// of all others it is only summed.
    pub fn unified(config: &Config, as_of: Instant, keep_usage_of: Option<&RowId>) -> Rules {
        let mut listed = known_actions(config);
        let otherwise = match &config.unified.usage {
            Some(usage) => {
                listed.extend(usage.iter().map(|label| (label.clone(), Meaning::Usage)));
                Otherwise::Unmapped
            }
            None => Otherwise::UsageUnlessLikeAGrant,
        };
        Rules {
            side: Side::Unified,
            zone: config.unified.columns.timezone,
            sign: SignPolicy::ByAction,
            as_of,
            columns: names(&config.unified.columns),
            has_other_payments: config.unified.columns.payment != config.unified.columns.reference,
            keep_usage_of: keep_usage_of.cloned(),
            log_bytes: Arc::default(),
            room: Arc::new(Room::unbounded()),
            listed,
            otherwise,
        }
    }

    /// Which rows' details are ever needed: of the legacy side all, of the unified side all but
    /// plain usage, unless it is that of the one user.
    pub fn detail_rule(config: &Config, side: Side, keep_usage_of: Option<&RowId>) -> DetailRule {
        match side {
            Side::Legacy => DetailRule::All,
            Side::Unified => DetailRule::Labels {
                listed: config.unified.grants.iter().chain(&config.unified.deductions).cloned().collect(),
                usage: config.unified.usage.clone(),
                user: keep_usage_of.cloned(),
            },
        }
    }

    /// What a label means.
    pub(super) fn meaning(&self, label: &str) -> Meaning {
        match (self.listed.get(label), self.otherwise) {
            (Some(&meaning), _) => meaning,
            (None, Otherwise::Unmapped) => Meaning::Unmapped,
            (None, Otherwise::UsageUnlessLikeAGrant) => {
                let listed = self.listed.keys().map(String::as_str);
                if looks_like_a_grant(label, listed) { Meaning::Unmapped } else { Meaning::Usage }
            }
        }
    }
}

fn known_actions(config: &Config) -> HashMap<String, Meaning> {
    let grants = config.unified.grants.len();
    actions(config)
        .iter()
        .enumerate()
        .map(|(at, label)| {
            let kind = if at < grants { Kind::Grant } else { Kind::Deduction };
            let no = ActionNo(u16::try_from(at).expect("fewer than 65,536 actions"));
            (label.to_string(), Meaning::Action(no, kind))
        })
        .collect()
}

fn names(columns: &crate::config::Columns) -> Names {
    let action = columns.action.iter().map(|field| field.written.as_str()).collect::<Vec<_>>().join("/");
    Names {
        user: columns.user.written.clone(),
        action,
        amount: columns.amount.written.clone(),
        created_at: columns.created_at.written.clone(),
        success: columns.success.as_ref().map_or_else(String::new, |field| field.written.clone()),
    }
}
