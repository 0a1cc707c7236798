//! Every holder's balance at both ends of the period, and what moved it.

use crate::domain::RowId;

use super::Movement;

/// The columns of what moved a holder's balance: grants paid for and given apart.
pub const HOLDER_COLUMNS: [(&str, Movement, Option<bool>); 13] = [
    ("granted_paid", Movement::Grant, Some(true)),
    ("granted_free", Movement::Grant, Some(false)),
    ("deductions", Movement::Deduction, None),
    ("usage", Movement::Usage, None),
    ("failed_usage", Movement::FailedUsage, None),
    ("opening_tokens", Movement::OpeningTokens, None),
    ("expired", Movement::Expired, None),
    ("reset", Movement::Reset, None),
    ("rolled_over", Movement::RolledOver, None),
    ("clamped", Movement::Clamped, None),
    ("written_off", Movement::WrittenOff, None),
    ("adjustment", Movement::Adjustment, None),
    ("unattributed", Movement::Unattributed, None),
];

/// One holder of a balance: a user, or the owner of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// At whose row the balance stands.
    pub id: RowId,
    /// The balance before the period: as sealed, where the period before is.
    pub opening: i128,
    /// What moved it, signed, in the order of [`HOLDER_COLUMNS`].
    pub moves: [i128; 13],
    /// The balance at the end.
    pub closing: i128,
    /// What of it is left of paid grants.
    pub closing_paid: i128,
}

/// Position of a movement among [`HOLDER_COLUMNS`].
pub fn column_of(movement: Movement, paid: bool) -> usize {
    let found = HOLDER_COLUMNS.iter().position(|(_, column, of_paid)| {
        *column == movement && of_paid.is_none_or(|of_paid| of_paid == paid)
    });
    found.expect("every movement has a column")
}
