//! The lines of a roll-forward.

/// What moves a balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Movement {
    /// A grant adds.
    Grant,
    /// A deduction takes.
    Deduction,
    /// Successful use takes.
    Usage,
    /// Failed use, where it counts.
    FailedUsage,
    /// Tokens given at sign-up without a row.
    OpeningTokens,
    /// The unused part of grants at their end: breakage.
    Expired,
    /// What stood before a grant that replaces the balance.
    Reset,
    /// The part of earlier grants that a new one leaves.
    RolledOver,
    /// Use beyond zero that a balance held at zero does not take.
    Clamped,
    /// Debt that the next grant does not have to pay.
    WrittenOff,
    /// Rows of an earlier sealed period that arrived late, changed or vanished since.
    Adjustment,
    /// What the balance moved by beside all of this. Nothing, unless something is wrong.
    Unattributed,
}

impl Movement {
    /// All, in the order of reports.
    pub const ALL: [Movement; 12] = [
        Movement::Grant,
        Movement::Deduction,
        Movement::Usage,
        Movement::FailedUsage,
        Movement::OpeningTokens,
        Movement::Expired,
        Movement::Reset,
        Movement::RolledOver,
        Movement::Clamped,
        Movement::WrittenOff,
        Movement::Adjustment,
        Movement::Unattributed,
    ];

    /// The name used in files.
    pub fn name(self) -> &'static str {
        match self {
            Movement::Grant => "grant",
            Movement::Deduction => "deduction",
            Movement::Usage => "usage",
            Movement::FailedUsage => "failed_usage",
            Movement::OpeningTokens => "opening_tokens",
            Movement::Expired => "expired",
            Movement::Reset => "reset",
            Movement::RolledOver => "rolled_over",
            Movement::Clamped => "clamped",
            Movement::WrittenOff => "written_off",
            Movement::Adjustment => "adjustment",
            Movement::Unattributed => "unattributed",
        }
    }

    /// The movement of a name.
    pub fn of_name(name: &str) -> Option<Movement> {
        Movement::ALL.into_iter().find(|movement| movement.name() == name)
    }

    /// The movement as a person says it.
    pub fn title(self) -> &'static str {
        match self {
            Movement::Grant => "Grants",
            Movement::Deduction => "Deductions",
            Movement::Usage => "Usage",
            Movement::FailedUsage => "Failed usage that counts",
            Movement::OpeningTokens => "Opening tokens given",
            Movement::Expired => "Expired unused (breakage)",
            Movement::Reset => "Taken by resets",
            Movement::RolledOver => "Beyond the rollover cap",
            Movement::Clamped => "Use below zero, not taken",
            Movement::WrittenOff => "Debt written off",
            Movement::Adjustment => "Adjustments of sealed periods",
            Movement::Unattributed => "Not attributed",
        }
    }
}

/// A line: a movement by action type, paid and free apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line {
    /// What moves the balance.
    pub movement: Movement,
    /// The action type; for an adjustment that of the rows adjusted, or the name of the movement
    /// where that has no action type; else empty.
    pub action: Box<str>,
    /// Paid for, or given; `None` where the question makes no sense.
    pub paid: Option<bool>,
}

impl Line {
    /// A line.
    pub fn new(movement: Movement, action: &str, paid: Option<bool>) -> Line {
        Line { movement, action: action.into(), paid }
    }

    /// The line on which late changes of this one are booked.
    pub fn adjustment(&self) -> Line {
        let action = if self.action.is_empty() { self.movement.name() } else { &self.action };
        Line::new(Movement::Adjustment, action, self.paid)
    }

    /// `paid`, `free` or nothing.
    pub fn paid_name(&self) -> &'static str {
        match self.paid {
            Some(true) => "paid",
            Some(false) => "free",
            None => "",
        }
    }

    /// The value of a name.
    pub fn paid_of_name(name: &str) -> Option<bool> {
        match name {
            "paid" => Some(true),
            "free" => Some(false),
            _ => None,
        }
    }
}
