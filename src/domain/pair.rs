//! A legacy row and the unified row that stands for it.

/// Which rung of the ladder took the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The unified row names the legacy id.
    Link,
    /// Both carry the same reference.
    Reference,
    /// Same user, action, amount, microsecond.
    Exact,
    /// Same user, action, amount, within tolerance.
    Near,
    /// Same action, amount, microsecond under another user.
    User,
    /// One row on one side is several on the other.
    Split,
    /// Same user, within the window, one or two attributes differ.
    Mismatch,
    /// Copies that share one instant.
    Stamped,
    /// No pair.
    None,
}

impl Rule {
    /// The rungs that make pairs, in order.
    pub const PAIRING: [Rule; 8] = [
        Rule::Link,
        Rule::Reference,
        Rule::Exact,
        Rule::Near,
        Rule::User,
        Rule::Split,
        Rule::Mismatch,
        Rule::Stamped,
    ];

    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Link => "link",
            Rule::Reference => "reference",
            Rule::Exact => "exact",
            Rule::Near => "near",
            Rule::User => "user",
            Rule::Split => "split",
            Rule::Mismatch => "mismatch",
            Rule::Stamped => "stamped",
            Rule::None => "none",
        }
    }
}

/// In what a pair differs. Time counts only beyond tolerance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Differences {
    /// Another user.
    pub user: bool,
    /// Another action.
    pub action: bool,
    /// Another amount.
    pub amount: bool,
    /// A lag beyond tolerance.
    pub time: bool,
}

impl Differences {
    /// How many attributes differ.
    pub fn count(self) -> u32 {
        u32::from(self.user) + u32::from(self.action) + u32::from(self.amount) + u32::from(self.time)
    }
}

/// One legacy row and one unified row, by position in their ledgers' entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Position in the legacy entries.
    pub legacy: u32,
    /// Position in the unified entries.
    pub unified: u32,
    /// The rung.
    pub rule: Rule,
    /// In what the two differ.
    pub differs: Differences,
    /// Could the rows have been paired otherwise?
    pub verdict: super::Verdict,
}
