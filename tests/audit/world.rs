//! A made-up ledger with its history: which row was there when.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Where everything begins.
const FIRST_YEAR: i32 = 2024;

/// A row of the unified table, and from which month (0 is January 2024) to which it was there.
#[derive(Debug, Clone)]
pub struct Row {
    pub id: String,
    pub user: String,
    pub action: &'static str,
    pub tokens: i64,
    pub failed: bool,
    pub paid: bool,
    /// Month, day and second of the day of `created_at`.
    pub at: (usize, u32, u32),
    pub arrives: usize,
    pub vanishes: Option<usize>,
}

/// The whole ledger.
pub struct World {
    pub rows: Vec<Row>,
}

/// Users whose names a spreadsheet or a shell would trip over are among them.
pub const USERS: [&str; 12] =
    ["=1+1", "007", "a,b", "\"quoted\"", "@sum", "-5", "'=x", "u1", "u2", "u3", "é漢字", "9007199254740993"];

/// A row of numbers that looks random and is the same every time.
pub struct Numbers(u64);

impl Numbers {
    pub fn new(seed: u64) -> Numbers {
        Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

impl Row {
    pub fn is_grant(&self) -> bool {
        self.action.ends_with("_grant") || self.action.ends_with("_purchase")
    }

    /// What it adds to a balance; failed rows add nothing.
    pub fn effect(&self) -> i128 {
        match (self.failed, self.is_grant()) {
            (true, _) => 0,
            (false, true) => i128::from(self.tokens),
            (false, false) => -i128::from(self.tokens),
        }
    }

    /// Is it in the table when the pack of a month is made?
    pub fn is_there(&self, month: usize) -> bool {
        self.arrives <= month && self.vanishes.is_none_or(|gone| month < gone)
    }

    fn created_at(&self) -> String {
        let (month, day, second) = self.at;
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        format!("{}-{day:02}T{hour:02}:{minute:02}:{second:02}.000001Z", month_name(month))
    }
}

/// `2024-01` is 0.
pub fn month_name(month: usize) -> String {
    format!("{}-{:02}", FIRST_YEAR + month as i32 / 12, month % 12 + 1)
}

/// First and last day.
pub fn days(month: usize) -> (String, String) {
    let leap = (FIRST_YEAR + month as i32 / 12) % 4 == 0;
    let last = match month % 12 + 1 {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (format!("{}-01", month_name(month)), format!("{}-{last}", month_name(month)))
}

impl World {
    /// Rows over `months`; of some the arrival is late, some vanish.
    pub fn new(months: usize, with_changes: bool) -> World {
        let mut numbers = Numbers::new(7);
        let mut rows = Vec::new();
        for month in 0..months {
            for (number, user) in USERS.iter().enumerate() {
                if month < number / 3 {
                    continue;
                }
                for _ in 0..2 + numbers.below(3) {
                    rows.push(row(rows.len(), month, user, with_changes, &mut numbers));
                }
            }
        }
        World { rows }
    }

    /// Writes what is there when the pack of a month is made, with a configuration.
    pub fn write(&self, folder: &Path, month: usize, balances: &str) {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let mut unified =
            "id,user_id,action_type,tokens_used,success,created_at,payment,legacy_id\n".to_owned();
        let mut legacy = "id,user_id,action_type,tokens_used,created_at,payment\n".to_owned();
        for row in self.rows.iter().filter(|row| row.is_there(month)) {
            let payment = if row.paid { quoted(&format!("pi_{}", row.id)) } else { String::new() };
            let (user, at) = (quoted(&row.user), row.created_at());
            let copied = row.action == "subscription_grant" && !row.failed;
            let link = if copied { quoted(&format!("{}l", row.id)) } else { String::new() };
            let (id, action, tokens, succeeded) = (quoted(&row.id), row.action, row.tokens, !row.failed);
            writeln!(unified, "{id},{user},{action},{tokens},{succeeded},{at},{payment},{link}").unwrap();
            if copied {
                writeln!(legacy, "{link},{user},{action},{tokens},{at},{payment}").unwrap();
            }
        }
        fs::write(folder.join("unified.csv"), unified).unwrap();
        fs::write(folder.join("legacy.csv"), legacy).unwrap();
        fs::write(folder.join("reckon.toml"), format!("{CONFIG}\n{balances}\n")).unwrap();
    }
}

fn row(number: usize, month: usize, user: &str, with_changes: bool, numbers: &mut Numbers) -> Row {
    let actions = [
        "subscription_grant",
        "trial_grant",
        "token_pack_purchase",
        "admin_deduct",
        "chat_conversation",
        "image_generation",
        "chat_conversation",
    ];
    let action = actions[numbers.below(7) as usize];
    let arrives = match (with_changes, numbers.below(9)) {
        (true, 0) => month + 1 + numbers.below(3) as usize,
        _ => month,
    };
    let vanishes = match (with_changes, numbers.below(11)) {
        (true, 0) => Some(arrives + 1 + numbers.below(4) as usize),
        _ => None,
    };
    let day = match numbers.below(8) {
        0 => 1,
        1 => days(month).1[8..].parse().unwrap(),
        _ => 2 + numbers.below(20) as u32,
    };
    let second = if numbers.below(6) == 0 { 86_399 } else { numbers.below(86_400) as u32 };
    let is_use = action.contains("chat") || action.contains("image");
    let failed = is_use && numbers.below(6) == 0;
    Row {
        id: format!("r{number:05}"),
        user: user.to_owned(),
        action,
        tokens: 1 + numbers.below(if is_use { 400 } else { 2_000 }) as i64,
        failed,
        paid: action == "token_pack_purchase" || (action == "subscription_grant" && number.is_multiple_of(2)),
        at: (month, day, second),
        arrives,
        vanishes,
    }
}

const CONFIG: &str = r#"
[legacy]
path = "legacy.csv"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens_used"
created_at = "created_at"
payment = ["payment"]
[legacy.actions]
subscription_grant = "subscription_grant"
[unified]
path = "unified.csv"
id = "id"
user = "user_id"
action = "action_type"
amount = "tokens_used"
created_at = "created_at"
success = "success"
payment = ["payment"]
link = "legacy_id"
grants = ["subscription_grant", "trial_grant", "token_pack_purchase"]
deductions = ["admin_deduct"]
unified_only = ["trial_grant", "token_pack_purchase"]
[audit]
folder = "packs"
"#;
