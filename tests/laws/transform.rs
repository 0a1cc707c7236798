//! What the laws do to ledgers.

use super::ledger::{Ledgers, Row};

/// The same rows in another order.
pub fn turned(mut ledgers: Ledgers, by: usize) -> Ledgers {
    for rows in [&mut ledgers.legacy, &mut ledgers.unified] {
        rows.reverse();
        let length = rows.len().max(1);
        rows.rotate_left(by % length);
    }
    ledgers
}

/// Users share no amount, reference or link, and all amounts have one sign, so that no rule looks
/// from one user to another.
pub fn without_ties_between_users(mut ledgers: Ledgers) -> Ledgers {
    let factor = |user: &str| match user {
        "ann" => 1,
        "bob" => 7,
        _ => 11,
    };
    let user_of = |id: &str, rows: &[Row]| rows.iter().find(|row| row.id == id).map(|row| row.user.clone());
    for rows in [&mut ledgers.legacy, &mut ledgers.unified] {
        for row in rows.iter_mut() {
            if row.user.is_empty() {
                row.user = "ann".into();
            }
            row.amount = row.amount.map(|amount| amount.abs() * factor(&row.user));
            row.refs = row.refs.iter().map(|reference| format!("{}-{reference}", row.user)).collect();
        }
    }
    for row in &mut ledgers.unified {
        let named = row.link.as_ref().and_then(|id| user_of(id, &ledgers.legacy));
        row.link = row.link.take().filter(|_| named.as_ref() == Some(&row.user));
    }
    ledgers
}

/// One pair of ledgers for each user.
pub fn by_user(ledgers: &Ledgers) -> Vec<Ledgers> {
    let rows = |rows: &[Row], user: &str| rows.iter().filter(|row| row.user == user).cloned().collect();
    ["ann", "bob", "cyd"]
        .iter()
        .map(|user| Ledgers {
            rules: ledgers.rules.clone(),
            legacy: rows(&ledgers.legacy, user),
            unified: rows(&ledgers.unified, user),
        })
        .collect()
}

/// Rows that say nothing of where they come from.
pub fn without_marks(mut ledgers: Ledgers) -> Ledgers {
    for row in &mut ledgers.unified {
        row.migrated = false;
        row.link = None;
    }
    ledgers
}

/// The legacy rows as unified rows and the reverse; only for plain subscription grants.
pub fn swapped(ledgers: &Ledgers) -> Ledgers {
    let relabelled = |rows: &[Row], label: &str| {
        rows.iter().map(|row| Row { label: label.into(), ..row.clone() }).collect()
    };
    Ledgers {
        rules: ledgers.rules.clone(),
        legacy: relabelled(&ledgers.unified, "sub"),
        unified: relabelled(&ledgers.legacy, "subscription_grant"),
    }
}
