//! What the application uses tokens for: many small chats, few large pictures; in bursts.

use super::calendar::{HOUR, SECOND, moment};
use super::random::Random;
use super::rows::Usage;

/// An action with how often it occurs among a thousand, its tokens from and to (small ones are more
/// frequent), its model, and micro-dollars a thousand tokens.
pub(super) struct Action {
    pub(super) name: &'static str,
    share: i64,
    least: i64,
    most: i64,
    pub(super) model: &'static str,
    pub(super) price: i64,
}

const fn action(
    name: &'static str,
    share: i64,
    least: i64,
    most: i64,
    model: &'static str,
    price: i64,
) -> Action {
    Action { name, share, least, most, model, price }
}

/// All actions; the shares add up to 1,000.
pub(super) const ACTIONS: [Action; 12] = [
    action("chat_conversation", 430, 120, 6_000, "gpt-4o-mini", 600),
    action("prompt_suggestions", 140, 40, 900, "gpt-4o-mini", 600),
    action("vision_generation", 110, 1_500, 14_000, "gpt-4o", 10_000),
    action("image_generation", 90, 4_000, 25_000, "gpt-image-1", 40_000),
    action("vision_refinement", 70, 600, 8_000, "gpt-4o", 10_000),
    action("transcription", 50, 300, 12_000, "whisper-1", 6_000),
    action("assessment_scoring", 40, 800, 3_500, "gpt-4o-mini", 600),
    action("audio_generation", 30, 2_000, 30_000, "tts-1-hd", 30_000),
    action("blueprint_generation", 20, 8_000, 40_000, "gpt-4o", 10_000),
    action("frequency_flip", 10, 200, 1_500, "gpt-4o-mini", 600),
    action("life_vision_category_summary", 7, 2_000, 9_000, "gpt-4o", 10_000),
    action("life_vision_master_assembly", 3, 20_000, 60_000, "gpt-4o", 10_000),
];

/// How much a user uses beside an average one, in quarters: half of all users one, one of 128
/// sixteen times as much.
pub(super) fn appetite(random: &mut Random) -> i64 {
    1 << random.next().trailing_ones().min(6)
}

/// Usage within a time, `rows` rows of at most `budget` tokens together; a hundredth fails.
pub(super) fn spend(
    random: &mut Random,
    (from, to): (i64, i64),
    rows: i64,
    mut budget: i64,
    usage: &mut Vec<Usage>,
) {
    if from >= to {
        return;
    }
    let mut at = from;
    let mut burst = 0;
    for left in (0..rows).rev() {
        if budget <= left {
            return;
        }
        if burst == 0 {
            burst = random.between(1, 9);
            at = moment(random, from, to);
        } else {
            at = (at + random.between(3 * SECOND, 240 * SECOND)).min(to - 1);
        }
        burst -= 1;
        let action = draw_action(random);
        let Action { least, most, .. } = ACTIONS[usize::from(action)];
        let tokens = least + lower_half(random, most - least);
        let tokens = tokens.min(budget - left).max(1);
        let failed = random.chance(0.01);
        budget -= tokens;
        usage.push(Usage { id: random.uuid(), other: None, action, tokens, at, failed });
    }
}

/// From 0 up to `width`; a half of all lies in the first quarter.
fn lower_half(random: &mut Random, width: i64) -> i64 {
    let (a, b) = (random.between(0, width), random.between(0, width));
    ((i128::from(a) * i128::from(b)) / i128::from(width)) as i64
}

fn draw_action(random: &mut Random) -> u8 {
    let mut rest = random.between(0, 1_000);
    for (at, action) in ACTIONS.iter().enumerate() {
        rest -= action.share;
        if rest < 0 {
            return at as u8;
        }
    }
    0
}

/// When usage after a grant may lie: from eight hours on, so that a grant that a defect moves by some
/// hours still comes before what it pays for, for forty days.
pub(super) fn reach(granted: i64, as_of: i64) -> (i64, i64) {
    let from = granted + 8 * HOUR;
    (from, (granted + 40 * 24 * HOUR).min(as_of - HOUR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_whole() {
        assert_eq!(ACTIONS.iter().map(|action| action.share).sum::<i64>(), 1_000);
    }

    #[test]
    fn no_budget_is_exceeded_and_no_row_is_empty() {
        let mut random = Random::of_part(3, 3);
        for budget in [0, 1, 5, 100, 45_000] {
            let mut usage = Vec::new();
            spend(&mut random, (0, 40 * 24 * HOUR), 30, budget, &mut usage);
            assert!(usage.iter().map(|row| row.tokens).sum::<i64>() <= budget);
            assert!(usage.iter().all(|row| row.tokens > 0));
        }
    }

    #[test]
    fn few_users_use_most() {
        let mut random = Random::of_part(8, 0);
        let mut all: Vec<i64> = (0..10_000).map(|_| appetite(&mut random)).collect();
        all.sort_unstable();
        let tenth: i64 = all[9_000..].iter().sum();
        assert!(tenth * 3 > all.iter().sum::<i64>(), "a tenth of the users has {tenth}");
    }
}
