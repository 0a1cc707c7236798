//! Words that many findings share, as numbers.

use rustc_hash::FxHashMap;

use crate::domain::RowId;

/// The words of all findings so far, by column.
#[derive(Default)]
pub struct Words<'a> {
    /// Users, in order of first appearance; the code of the first is 1.
    pub users: Vec<&'a RowId>,
    user_codes: FxHashMap<&'a RowId, u32>,
    /// What the table shows as action.
    pub actions: Dictionary,
    /// Token counts.
    pub tokens: Dictionary,
    /// Causes.
    pub causes: Dictionary,
    users_sent: usize,
}

impl<'a> Words<'a> {
    /// The code of a user; 0 for none.
    pub fn user(&mut self, user: Option<&'a RowId>) -> u32 {
        let Some(user) = user else { return 0 };
        *self.user_codes.entry(user).or_insert_with(|| {
            self.users.push(user);
            code(self.users.len())
        })
    }

    /// The users since the last call.
    pub fn new_users(&mut self) -> Vec<String> {
        let new = self.users[self.users_sent..].iter().map(|user| user.to_string()).collect();
        self.users_sent = self.users.len();
        new
    }
}

/// Words of one column with their codes, from 1 in order of first appearance.
#[derive(Default)]
pub struct Dictionary {
    codes: FxHashMap<String, u32>,
    new: Vec<String>,
}

impl Dictionary {
    /// The code of a word; 0 for the empty one.
    pub fn code(&mut self, word: &str) -> u32 {
        if word.is_empty() {
            return 0;
        }
        if let Some(known) = self.codes.get(word) {
            return *known;
        }
        let next = code(self.codes.len() + 1);
        self.codes.insert(word.to_owned(), next);
        self.new.push(word.to_owned());
        next
    }

    /// The words since the last call.
    pub fn take_new(&mut self) -> Vec<String> {
        std::mem::take(&mut self.new)
    }
}

fn code(place: usize) -> u32 {
    u32::try_from(place).expect("a page of limited size holds fewer words than 2^32")
}
