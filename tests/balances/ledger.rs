//! Random ledgers with gaps planted in them.

use std::fmt::Write as _;
use std::path::Path;

use super::keep::{Event, Policies, What, keep};

/// What makes a user's gap, beside the policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Planted {
    Nothing,
    /// A number that nothing explains.
    Noise,
    /// A grant is missing in the unified table.
    Missing,
    /// A grant is there twice.
    Doubled,
    /// Two are missing.
    TwoMissing,
    /// One is missing, and a number that nothing explains.
    MissingAndNoise,
    /// Use is never taken off.
    NotDeducted,
}

impl Planted {
    pub const ALL: [Planted; 7] = [
        Planted::Nothing,
        Planted::Noise,
        Planted::Missing,
        Planted::Doubled,
        Planted::TwoMissing,
        Planted::MissingAndNoise,
        Planted::NotDeducted,
    ];
}

/// One user with what is true of it.
pub struct User {
    pub id: String,
    pub planted: Planted,
    pub stored: i128,
    pub noise: i128,
    /// Sum of the unified rows.
    pub sum: i128,
    /// Tokens of the use that counts.
    pub used: i64,
}

/// Two tables, a table of balances and a configuration.
pub struct Ledger {
    pub users: Vec<User>,
    legacy: String,
    unified: String,
    policies: Policies,
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as i64
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as i64) as usize]
    }
}

const DAY: i64 = 86_400;
const END: i64 = 365 * DAY;

/// Seconds since 2025-01-01.
fn instant(at: i64) -> String {
    chrono::DateTime::from_timestamp(1_735_689_600 + at, 0).unwrap().to_rfc3339()
}

fn label(what: What) -> &'static str {
    match what {
        What::Subscription => "subscription_grant",
        What::Trial => "trial_grant",
        What::Pack => "token_pack_purchase",
        What::Use | What::FailedUse => "chat",
    }
}

fn events(random: &mut Random) -> (Vec<Event>, Vec<Event>) {
    let first = random.below(100 * DAY);
    let mut at = first;
    let mut grants = Vec::new();
    if random.below(10) < 6 {
        grants.push(Event { at, what: What::Trial, tokens: 50_000 });
    }
    for _ in 0..1 + random.below(4) {
        at += (5 + random.below(50)) * DAY + random.below(DAY);
        let what = random.of(&[What::Subscription, What::Subscription, What::Pack]);
        let sizes = if what == What::Pack { [1_000_000, 2_500_000] } else { [100_000, 250_000] };
        grants.push(Event { at, what, tokens: random.of(&sizes) });
    }
    let heavy = if random.below(10) < 3 { 5 } else { 1 };
    let used = (0..random.below(25)).map(|_| Event {
        at: first + 1 + random.below(END - first - 1),
        what: if random.below(10) == 0 { What::FailedUse } else { What::Use },
        tokens: heavy * (1 + random.below(40_000)),
    });
    let used = used.collect();
    (grants, used)
}

impl Ledger {
    pub fn new(seed: u64, policies: Policies, users: usize) -> Ledger {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let mut ledger =
            Ledger { users: Vec::new(), legacy: String::new(), unified: String::new(), policies };
        for number in 0..users {
            // Half of all balances follow the policies and nothing else.
            let planted = if random.below(2) == 0 { Planted::Nothing } else { random.of(&Planted::ALL) };
            ledger.add(number, planted, &mut random);
        }
        ledger
    }

    fn add(&mut self, number: usize, planted: Planted, random: &mut Random) {
        let (grants, used) = events(random);
        let id = format!("user{number:04}");
        let chosen = random.below(grants.len() as i64) as usize;
        let copies = |at: usize| match planted {
            Planted::Missing | Planted::MissingAndNoise => usize::from(at != chosen),
            Planted::TwoMissing => usize::from(at > 1),
            Planted::Doubled => 1 + usize::from(at == chosen),
            _ => 1,
        };
        let mut sum = 0;
        for (at, grant) in grants.iter().enumerate() {
            let (what, time, legacy) = (label(grant.what), instant(grant.at), format!("L-{id}-{at}"));
            writeln!(self.legacy, "{legacy},{id},{what},{},{time}", grant.tokens).unwrap();
            for copy in 0..copies(at) {
                sum += i128::from(grant.tokens);
                writeln!(
                    self.unified,
                    "U-{id}-{at}-{copy},{id},{what},{},true,{legacy},{time}",
                    grant.tokens
                )
                .unwrap();
            }
        }
        let mut counted = 0;
        for (at, event) in used.iter().enumerate() {
            let succeeded = event.what == What::Use;
            counted += if succeeded || self.policies.failed { event.tokens } else { 0 };
            let time = instant(event.at);
            writeln!(self.unified, "V-{id}-{at},{id},chat,{},{succeeded},,{time}", event.tokens).unwrap();
        }
        let mut truth = grants;
        if planted != Planted::NotDeducted {
            truth.extend(used);
        }
        let noise = match planted {
            Planted::Noise | Planted::MissingAndNoise => (3 + random.below(20_000)) * random.of(&[-1, 1]),
            _ => 0,
        };
        self.users.push(User {
            id,
            planted,
            stored: i128::from(keep(&truth, self.policies, END) + noise),
            noise: i128::from(noise),
            sum: sum - i128::from(counted),
            used: counted,
        });
    }

    /// Writes the files of a run.
    pub fn write(&self, folder: &Path) {
        let write = |file: &str, text: String| std::fs::write(folder.join(file), text).unwrap();
        write("legacy.csv", format!("id,user,action,tokens,at\n{}", self.legacy));
        write("unified.csv", format!("id,user,action,tokens,success,link,at\n{}", self.unified));
        let stored = self.users.iter().map(|user| format!("{},{}\n", user.id, user.stored));
        write("stored.csv", format!("user,balance\n{}", stored.collect::<String>()));
        write("reckon.toml", self.configuration());
    }

    fn configuration(&self) -> String {
        let Policies { opening, failed, clamp, reset, expiry } = self.policies;
        let floor = if clamp { "clamp" } else { "debt" };
        let failed = if failed { "count" } else { "ignore" };
        let reset = if reset { "\"subscription_grant\"" } else { "" };
        let expiry = if expiry { "[balances.expiry]\nafter = { trial_grant = \"56d\" }\n" } else { "" };
        format!(
            r#"as_of = "{as_of}"
[legacy]
path = "legacy.csv"
id = "id"
user = "user"
action = "action"
amount = "tokens"
created_at = "at"
[legacy.actions]
subscription_grant = "subscription_grant"
trial_grant = "trial_grant"
token_pack_purchase = "token_pack_purchase"
[unified]
path = "unified.csv"
id = "id"
user = "user"
action = "action"
amount = "tokens"
created_at = "at"
success = "success"
link = "link"
grants = ["subscription_grant", "trial_grant", "token_pack_purchase"]
[balances]
stored = {{ path = "stored.csv", user = "user", balance = "balance" }}
opening_tokens = {opening}
failed_usage = "{failed}"
floor = "{floor}"
reset_actions = [{reset}]
{expiry}"#,
            as_of = instant(END)
        )
    }
}
