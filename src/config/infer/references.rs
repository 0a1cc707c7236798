//! Which columns that have the name of a reference are none, by their values.

use std::collections::BTreeMap;

use super::SideRoles;
use super::labels::{Direction, direction};
use super::roles::plain;

/// So many rows (in per cent) that repeat a value on another day are the rule, and no copies of a row.
const RULE_PERCENT: u64 = 20;
/// Fewer rows that repeat a value are a slip, however few there are.
const FEWEST: u64 = 3;

/// How often the values of a field come back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repeated {
    /// Rows with a value.
    pub filled: u64,
    /// Days beyond the first on which a user has the same value on the same label.
    pub again: u64,
}

/// By field and label.
pub type Repeats = BTreeMap<String, BTreeMap<String, Repeated>>;

/// Takes fields out of the references that name no payment: a customer or a subscription has one id, which
/// comes back with each of its grants. As a reference it would pair the grants of one month with those of
/// another, and take one that is missing for a copy. What is none in one table is none in the other.
pub fn drop_repeated(legacy: (&mut SideRoles, &Repeats), unified: (&mut SideRoles, &Repeats)) {
    let is_none = |roles: &SideRoles, repeats: &Repeats| -> Vec<String> {
        let fields = roles.more.reference.iter();
        fields.filter(|field| comes_back(grants(repeats, field))).map(|field| last(field)).collect()
    };
    let mut none = is_none(legacy.0, legacy.1);
    none.extend(is_none(unified.0, unified.1));
    for (roles, repeats) in [legacy, unified] {
        let (out, kept) =
            roles.more.reference.drain(..).partition(|field: &String| none.contains(&last(field)));
        roles.more.reference = kept;
        let out: Vec<String> = out;
        roles.more.no_reference = out
            .into_iter()
            .map(|field| {
                let repeated = grants(repeats, &field);
                (field, repeated)
            })
            .collect();
    }
}

/// The rows that are not plain use.
fn grants(repeats: &Repeats, field: &str) -> Repeated {
    let mut all = Repeated::default();
    for (label, repeated) in repeats.get(field).into_iter().flatten() {
        if direction(label) != Direction::Uses {
            all.filled = all.filled.saturating_add(repeated.filled);
            all.again = all.again.saturating_add(repeated.again);
        }
    }
    all
}

fn comes_back(repeated: Repeated) -> bool {
    repeated.again >= FEWEST
        && repeated.again.saturating_mul(100) >= repeated.filled.saturating_mul(RULE_PERCENT)
}

/// The name of a field without the column that it is in, for comparison.
fn last(field: &str) -> String {
    plain(field.rsplit('.').next().unwrap_or(field))
}
