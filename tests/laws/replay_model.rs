//! Balances token by token, tick by tick: every token is a thing of its own that lives in a grant
//! until it is used, ends or is replaced. Slow and plain, written from the rules alone.

use std::collections::BTreeMap;

/// What becomes of a balance below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Floor {
    Debt,
    Clamp,
    WriteOff,
}

/// Order of burning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Fifo,
    EarliestExpiry,
    Priority,
}

/// Rules from a tick on. Labels are numbers.
#[derive(Debug, Clone)]
pub struct Policy {
    pub from: i64,
    pub count_failed: bool,
    pub opening: i64,
    pub resets: Vec<usize>,
    pub floor: Floor,
    pub order: Order,
    pub priority: Vec<usize>,
    pub after: BTreeMap<usize, i64>,
    pub rollover: BTreeMap<usize, i64>,
}

/// A row of the unified table, at a tick.
#[derive(Debug, Clone)]
pub enum Row {
    Grant { id: String, label: usize, tokens: i64, ends: Option<i64> },
    Deduction { id: String, tokens: i64 },
    Use { id: String, tokens: i64, failed: bool },
}

/// A user's row at a tick.
#[derive(Debug, Clone)]
pub struct Happening {
    pub user: usize,
    pub at: i64,
    pub row: Row,
}

/// In a pool from one tick to before another.
#[derive(Debug, Clone)]
pub struct Membership {
    pub user: usize,
    pub pool: usize,
    pub from: i64,
    pub to: Option<i64>,
}

/// Everything that a balance depends on.
#[derive(Debug, Clone)]
pub struct World {
    pub users: usize,
    pub as_of: i64,
    /// Ascending; the first is in force since ever.
    pub policies: Vec<Policy>,
    pub rows: Vec<Happening>,
    pub members: Vec<Membership>,
    /// Owner by pool.
    pub owners: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Live,
    Used,
    Ended,
    Voided,
}

struct Token {
    lot: usize,
    fate: Fate,
}

struct Lot {
    id: String,
    label: Option<usize>,
    at: i64,
    ends: Option<i64>,
    granted: i64,
}

/// What became of a grant: id, granted, used, ended, voided, left.
pub type LotEnd = (String, i64, i64, i64, i64, i64);

/// What the model says of one holder.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Account {
    pub balance: i64,
    pub debt: i64,
    /// Left of grants with the label that is paid for.
    pub paid: i64,
    /// `opening, grant, deduction, usage, failed_usage, expired, reset, rolled_over, clamped,
    /// written_off`, signed.
    pub totals: BTreeMap<&'static str, i64>,
    pub lots: Vec<LotEnd>,
    /// Balance before each mark.
    pub at_marks: Vec<i64>,
    pub first_below: Option<(i64, i64)>,
    pub lowest: Option<(i64, i64)>,
}

/// The label of purchases.
pub const PAID: usize = 2;

impl World {
    fn holder(&self, user: usize, at: i64) -> usize {
        let inside = |m: &&Membership| m.user == user && m.from <= at && m.to.is_none_or(|to| at < to);
        self.members.iter().find(inside).map_or(user, |m| self.owners[m.pool])
    }

    fn policy(&self, at: i64) -> &Policy {
        self.policies.iter().rev().find(|policy| policy.from <= at).unwrap_or(&self.policies[0])
    }

    fn joined(&self, user: usize) -> i64 {
        let own = self.rows.iter().filter(|row| row.user == user && row.at <= self.as_of);
        own.map(|row| row.at).min().unwrap_or(self.as_of)
    }

    /// The account that stands at a user's row.
    pub fn account(&self, holder: usize, marks: &[i64]) -> Account {
        let mut book = Book { account: Account::default(), tokens: Vec::new(), lots: Vec::new() };
        let joined = self.joined(holder);
        for tick in 0..=self.as_of {
            marks.iter().filter(|&&mark| mark == tick).for_each(|_| {
                let balance = book.balance();
                book.account.at_marks.push(balance);
            });
            book.end(tick);
            let policy = self.policy(tick);
            if policy.floor == Floor::Clamp && tick == policy.from {
                book.forgive("clamped");
            }
            if joined == tick && policy.opening > 0 {
                book.note("opening", policy.opening);
                book.give("", None, policy.opening, tick, None);
            }
            let mut now: Vec<&Happening> = self
                .rows
                .iter()
                .filter(|row| row.at == tick && self.holder(row.user, tick) == holder)
                .collect();
            now.sort_by_key(|row| rank(policy, &row.row));
            for row in now {
                book.take(policy, tick, &row.row);
            }
            let balance = book.balance();
            if balance < 0 {
                book.account.first_below.get_or_insert((tick, balance));
                if book.account.lowest.is_none_or(|(_, lowest)| balance < lowest) {
                    book.account.lowest = Some((tick, balance));
                }
            }
        }
        book.close()
    }

    /// Sum of a user's own rows, failed use as the first policy has it.
    pub fn sum_of_rows(&self, user: usize) -> i64 {
        let own = self.rows.iter().filter(|row| row.user == user && row.at <= self.as_of);
        own.map(|row| match &row.row {
            Row::Grant { tokens, .. } => *tokens,
            Row::Use { failed: true, .. } if !self.policies[0].count_failed => 0,
            Row::Deduction { tokens, .. } | Row::Use { tokens, .. } => -tokens,
        })
        .sum()
    }
}

fn rank(policy: &Policy, row: &Row) -> (u8, i64, String) {
    match row {
        Row::Grant { id, label, tokens, .. } if policy.resets.contains(label) => (0, *tokens, id.clone()),
        Row::Grant { id, tokens, .. } => (1, *tokens, id.clone()),
        Row::Deduction { id, tokens } => (2, *tokens, id.clone()),
        Row::Use { id, .. } => (3, 0, id.clone()),
    }
}

struct Book {
    account: Account,
    tokens: Vec<Token>,
    lots: Vec<Lot>,
}

impl Book {
    fn balance(&self) -> i64 {
        self.tokens.iter().filter(|token| token.fate == Fate::Live).count() as i64 - self.account.debt
    }

    fn note(&mut self, kind: &'static str, tokens: i64) {
        if tokens != 0 {
            *self.account.totals.entry(kind).or_default() += tokens;
        }
    }

    fn forgive(&mut self, kind: &'static str) {
        self.note(kind, self.account.debt);
        self.account.debt = 0;
    }

    /// Nothing of a grant can be used at its end or later.
    fn end(&mut self, tick: i64) {
        let mut ended = 0;
        for token in &mut self.tokens {
            if token.fate == Fate::Live && self.lots[token.lot].ends.is_some_and(|ends| ends <= tick) {
                token.fate = Fate::Ended;
                ended += 1;
            }
        }
        self.note("expired", -ended);
    }

    fn give(&mut self, id: &str, label: Option<usize>, tokens: i64, at: i64, ends: Option<i64>) {
        self.lots.push(Lot { id: id.to_owned(), label, at, ends, granted: tokens });
        for _ in 0..tokens {
            let pays = self.account.debt > 0 && ends.is_none_or(|ends| at < ends);
            self.account.debt -= i64::from(pays);
            let fate = if pays { Fate::Used } else { Fate::Live };
            self.tokens.push(Token { lot: self.lots.len() - 1, fate });
        }
        self.end(at);
    }

    fn take(&mut self, policy: &Policy, tick: i64, row: &Row) {
        match row {
            Row::Grant { id, label, tokens, ends } => self.grant(policy, tick, (id, *label, *tokens, *ends)),
            Row::Deduction { tokens, .. } => self.charge(policy, "deduction", *tokens),
            Row::Use { tokens, failed: false, .. } => self.charge(policy, "usage", *tokens),
            Row::Use { tokens, failed: true, .. } if policy.count_failed => {
                self.charge(policy, "failed_usage", *tokens);
            }
            Row::Use { .. } => {}
        }
    }

    fn grant(&mut self, policy: &Policy, tick: i64, row: (&String, usize, i64, Option<i64>)) {
        let (id, label, tokens, ends) = row;
        if policy.floor == Floor::WriteOff {
            self.forgive("written_off");
        }
        if policy.resets.contains(&label) {
            self.forgive("reset");
            let all = self.live(policy, |_| true);
            self.void("reset", &all);
        } else if let Some(&cap) = policy.rollover.get(&label) {
            let own = self.live(policy, |lot| lot.label == Some(label));
            let beyond = (own.len() as i64 - cap).max(0) as usize;
            self.void("rolled_over", &own[..beyond]);
        }
        self.note("grant", tokens);
        let ends = ends.or_else(|| policy.after.get(&label).map(|life| tick + life));
        self.give(id, Some(label), tokens, tick, ends.map(|ends| ends.max(tick)));
    }

    fn void(&mut self, kind: &'static str, tokens: &[usize]) {
        tokens.iter().for_each(|&token| self.tokens[token].fate = Fate::Voided);
        self.note(kind, -(tokens.len() as i64));
    }

    /// Live tokens, the next to be burnt first.
    fn live(&self, policy: &Policy, wanted: impl Fn(&Lot) -> bool) -> Vec<usize> {
        let is_wanted = |at: &usize| {
            let token = &self.tokens[*at];
            token.fate == Fate::Live && wanted(&self.lots[token.lot])
        };
        let mut live: Vec<usize> = (0..self.tokens.len()).filter(is_wanted).collect();
        live.sort_by_key(|&at| {
            let number = self.tokens[at].lot;
            let lot = &self.lots[number];
            let ends = lot.ends.unwrap_or(i64::MAX);
            let rank = lot.label.map_or(usize::MAX, |label| {
                policy.priority.iter().position(|first| *first == label).unwrap_or(policy.priority.len())
            });
            match policy.order {
                // Opening tokens were there before the first row.
                Order::Fifo => (usize::from(lot.label.is_some()), lot.at, ends, number),
                Order::EarliestExpiry => (0, ends, lot.at, number),
                Order::Priority => (rank, ends, lot.at, number),
            }
        });
        live
    }

    fn charge(&mut self, policy: &Policy, kind: &'static str, tokens: i64) {
        self.note(kind, -tokens);
        for _ in 0..tokens {
            match self.live(policy, |_| true).first() {
                Some(&next) => self.tokens[next].fate = Fate::Used,
                None if policy.floor == Floor::Clamp => self.note("clamped", 1),
                None => self.account.debt += 1,
            }
        }
    }

    fn close(mut self) -> Account {
        self.account.balance = self.balance();
        for (number, lot) in self.lots.iter().enumerate() {
            let count = |fate: Fate| {
                self.tokens.iter().filter(|token| token.lot == number && token.fate == fate).count() as i64
            };
            let left = count(Fate::Live);
            if lot.label == Some(PAID) {
                self.account.paid += left;
            }
            let (used, ended, voided) = (count(Fate::Used), count(Fate::Ended), count(Fate::Voided));
            self.account.lots.push((lot.id.clone(), lot.granted, used, ended, voided, left));
        }
        self.account.lots.sort();
        self.account.totals.retain(|_, tokens| *tokens != 0);
        self.account
    }
}
