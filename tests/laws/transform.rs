//! What the laws do to ledgers.

use super::ledger::{GRANTS, LEGACY_ACTIONS, Ledgers, PURCHASE, Row, Rules, Said};

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

/// Rows that both tables can hold alike: subscriptions and refunds that say nothing of a payment or
/// of where they come from, all in time.
pub fn mirrorable(ledgers: Ledgers) -> Ledgers {
    let mut plain = without_marks(without_ties_between_users(ledgers));
    plain.rules = Rules { tolerance: plain.rules.tolerance, window: plain.rules.window, ..Rules::default() };
    for (rows, refund, grant) in
        [(&mut plain.legacy, "refund", "sub"), (&mut plain.unified, "admin_deduct", "subscription_grant")]
    {
        for row in rows.iter_mut() {
            row.label = if row.label == refund { refund } else { grant }.into();
            (row.payment, row.failed) = (false, false);
        }
    }
    plain
}

/// Such rows, each table in the other's place.
pub fn mirrored(plain: &Ledgers) -> Ledgers {
    let other = |label: &str| match label {
        "refund" => "admin_deduct",
        "admin_deduct" => "refund",
        "sub" => "subscription_grant",
        _ => "sub",
    };
    let turned = |rows: &[Row]| -> Vec<Row> {
        rows.iter().map(|row| Row { label: other(&row.label).into(), ..row.clone() }).collect()
    };
    let (legacy, unified) = (turned(&plain.unified), turned(&plain.legacy));
    Ledgers { rules: plain.rules.clone(), legacy, unified }
}

/// The ledgers after the executable repairs of what was said.
pub fn repaired(ledgers: &Ledgers, said: &[Said]) -> Ledgers {
    let mut after = ledgers.clone();
    for said in said {
        let legacy = ledgers.legacy.iter().find(|row| said.legacy.first() == Some(&row.id));
        match (said.repair.as_str(), legacy) {
            ("dedupe", _) => after.unified.retain(|row| !said.unified.contains(&row.id)),
            ("backfill", Some(legacy)) => after.unified.push(backfilled(legacy, &ledgers.rules)),
            ("update", _) => {
                let row = after.unified.iter_mut().find(|row| said.unified.contains(&row.id)).unwrap();
                match (said.class.as_str(), legacy) {
                    ("mislabelled_purchase", _) => row.label = PURCHASE.into(),
                    ("action_mismatch", Some(legacy)) => row.label = mapped(&legacy.label).into(),
                    ("amount_mismatch", Some(legacy)) => row.amount = legacy.amount.map(i64::abs),
                    ("time_mismatch", Some(legacy)) => row.at = legacy.at,
                    _ => panic!("{said:?}"),
                }
            }
            _ => {}
        }
    }
    after
}

fn mapped(label: &str) -> &'static str {
    LEGACY_ACTIONS.iter().find(|(known, _)| *known == label).map(|(_, action)| *action).unwrap()
}

fn backfilled(legacy: &Row, rules: &Rules) -> Row {
    let paid = if rules.reference_is_payment { !legacy.refs.is_empty() } else { legacy.payment };
    let action = mapped(&legacy.label);
    let purchase = paid && GRANTS.contains(&action);
    Row {
        id: format!("b-{}", legacy.id),
        label: if purchase { PURCHASE } else { action }.into(),
        amount: legacy.amount.map(i64::abs),
        link: Some(legacy.id.clone()),
        migrated: true,
        ..legacy.clone()
    }
}
