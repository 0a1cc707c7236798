//! The configured rules of balances, by number of action instead of by name.

use crate::config::{BalancePolicy, Config, ExpiryOrder, Floor};
use crate::domain::{ActionNo, Books, Instant, Span};

/// The rules that are in force from an instant on. A hypothetical policy is a copy with other
/// values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// In force from here on, inclusive.
    pub from: Instant,
    /// Tokens given without a row at the user's first row.
    pub opening_tokens: i64,
    /// Failed operations take tokens.
    pub count_failed_usage: bool,
    /// By action: a grant replaces the balance.
    pub resets: Vec<bool>,
    /// What becomes of a balance below zero.
    pub floor: Floor,
    /// Lots end at all; a hypothetical policy may say that they do not.
    pub expires: bool,
    /// Order in which lots are burnt.
    pub order: ExpiryOrder,
    /// By action: rank under [`ExpiryOrder::Priority`], the least is burnt first.
    pub ranks: Vec<u32>,
    /// By action: life of a grant whose row does not say when it ends.
    pub after: Vec<Option<Span>>,
    /// By action: the most tokens of earlier grants of the same action that a new one leaves.
    pub rollover: Vec<Option<i64>>,
}

/// The policies of all times, ascending by [`Policy::from`]; the first is in force since ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policies(Vec<Policy>);

impl Policies {
    /// Takes them ascending by [`Policy::from`]; the first begins at [`Instant::MIN`].
    ///
    /// # Panics
    /// In debug builds when they are not.
    pub fn new(policies: Vec<Policy>) -> Policies {
        debug_assert!(policies.first().is_some_and(|first| first.from == Instant::MIN));
        debug_assert!(policies.windows(2).all(|pair| pair[0].from < pair[1].from));
        Policies(policies)
    }

    /// The configured ones.
    pub fn configured(config: &Config, books: &Books) -> Policies {
        Policies::new(config.balances.policies.iter().map(|policy| resolved(policy, books)).collect())
    }

    /// Additions and nothing else: no opening tokens, reset, floor, expiry, cap or failed use. The
    /// balance under it is the sum of the rows.
    pub fn plain(books: &Books) -> Policies {
        let actions = books.actions.len();
        Policies::new(vec![Policy {
            from: Instant::MIN,
            opening_tokens: 0,
            count_failed_usage: false,
            resets: vec![false; actions],
            floor: Floor::Debt,
            expires: false,
            order: ExpiryOrder::Fifo,
            ranks: vec![0; actions],
            after: vec![None; actions],
            rollover: vec![None; actions],
        }])
    }

    /// The same with every policy changed: a hypothesis.
    pub fn with(&self, change: impl FnMut(&mut Policy)) -> Policies {
        let mut policies = self.clone();
        policies.0.iter_mut().for_each(change);
        policies
    }

    /// All of them, ascending.
    pub fn all(&self) -> &[Policy] {
        &self.0
    }

    /// Position of the one in force at an instant.
    pub(super) fn position_at(&self, at: Instant) -> usize {
        self.0.partition_point(|policy| policy.from <= at) - 1
    }

    /// The one in force at an instant.
    pub fn at(&self, at: Instant) -> &Policy {
        &self.0[self.position_at(at)]
    }
}

impl Policy {
    /// When a grant ends that was given under this policy. `own_end` is what its row says.
    pub fn end_of(&self, action: ActionNo, granted_at: Instant, own_end: End) -> Option<Instant> {
        match own_end {
            _ if !self.expires => None,
            End::At(Instant(i64::MAX)) | End::Unreadable => None,
            End::At(at) => Some(at.max(granted_at)),
            End::NotSaid => self.after[usize::from(action.0)].map(|life| granted_at.plus(life)),
        }
    }
}

/// What the rows say of the end of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing: the policy says it.
    NotSaid,
    /// Something that is no instant. Unknown is not zero: the grant is taken not to end.
    Unreadable,
    /// At this instant; it is the first one at which nothing of it can be used.
    At(Instant),
}

fn resolved(policy: &BalancePolicy, books: &Books) -> Policy {
    let named = |names: &[String], action: &str| names.iter().any(|name| name == action);
    let actions = || books.actions.iter().map(|action| &**action);
    let rank = |action: &str| {
        let position = policy.priority.iter().position(|name| name == action);
        u32::try_from(position.unwrap_or(policy.priority.len())).expect("fewer than 65,536 actions")
    };
    Policy {
        from: policy.from,
        opening_tokens: policy.opening_tokens,
        count_failed_usage: policy.count_failed_usage,
        resets: actions().map(|action| named(&policy.reset_actions, action)).collect(),
        floor: policy.floor,
        expires: true,
        order: policy.expiry_order,
        ranks: actions().map(rank).collect(),
        after: actions().map(|action| policy.expiry_after.get(action).copied()).collect(),
        rollover: actions().map(|action| policy.rollover.get(action).copied()).collect(),
    }
}
