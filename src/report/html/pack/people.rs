//! Users and their balances, for the page of one user.

use crate::balance::UserBalance;
use crate::domain::{Books, RowId};

use super::super::super::model::Model;
use super::{end_line, push_field, zipped};

/// Users in a block. The script counts on it.
pub const BLOCK_USERS: usize = 4096;

/// Blocks of users: those whom the findings of the page name, in that order, then the others whose
/// stored balance differs or whose balance the repairs change, until the bytes are used up.
pub fn blocks(model: &Model<'_>, named: &[&RowId], max_bytes: usize) -> Vec<String> {
    let mut is_named = vec![false; model.users.len()];
    let mut people: Vec<(&RowId, Option<&UserBalance>)> = Vec::with_capacity(named.len());
    for user in named {
        let place = model.roster.find(user).and_then(|no| place(model.users, no));
        if let Some(place) = place {
            is_named[place] = true;
        }
        people.push((user, place.map(|place| &model.users[place])));
    }
    let others = model.users.iter().zip(&is_named).filter(|(user, named)| !**named && stands_out(user));
    people.extend(others.map(|(user, _)| (model.roster.id(user.user), Some(user))));

    let mut blocks = Vec::new();
    let mut bytes = 0;
    for block in people.chunks(BLOCK_USERS) {
        let mut text = String::new();
        for (id, balance) in block {
            push_line(&mut text, id, *balance, model.books);
        }
        let packed = zipped(text.as_bytes());
        bytes += packed.len();
        if bytes > max_bytes {
            break;
        }
        blocks.push(packed);
    }
    blocks
}

fn place(users: &[UserBalance], no: crate::domain::UserNo) -> Option<usize> {
    users.binary_search_by_key(&no, |balance| balance.user).ok()
}

fn stands_out(user: &UserBalance) -> bool {
    user.gap.is_some_and(|gap| gap != 0) || user.corrected != user.recomputed
}

fn push_line(line: &mut String, id: &RowId, balance: Option<&UserBalance>, books: &Books) {
    push_field(line, &id.to_string());
    if let Some(balance) = balance {
        let known = |value: Option<i128>| value.map(|value| value.to_string()).unwrap_or_default();
        for value in [balance.granted, balance.deducted, balance.used, balance.recomputed, balance.corrected]
        {
            push_field(line, &value.to_string());
        }
        for value in [balance.stored, balance.gap, balance.unexplained] {
            push_field(line, &known(value));
        }
        push_field(line, balance.explanation.map_or("", |explanation| explanation.name()));
        let has_gap = balance.gap.is_some_and(|gap| gap != 0);
        let causes = balance.causes.iter().enumerate().filter(|(_, tokens)| has_gap && **tokens != 0);
        let causes: Vec<String> = causes.map(|(cause, tokens)| format!("{cause}:{tokens}")).collect();
        push_field(line, &causes.join(","));
        push_field(line, &balance.explained_by.shown_words(books));
        push_field(line, &balance.explained_by.other_words(books));
    }
    end_line(line);
}
