//! SplitMix64: small, quick, and the same numbers on every machine.

/// A stream of numbers that its seed decides.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// The stream of one part of a ledger: parts do not depend on each other.
    pub(super) fn of_part(seed: u64, part: u64) -> Random {
        let mut random = Random(seed);
        let base = random.next();
        let mut random = Random(base ^ part.wrapping_mul(0xd134_2543_de82_ef95));
        random.next();
        random
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from `least` up to, but not including, `end`.
    pub(super) fn between(&mut self, least: i64, end: i64) -> i64 {
        debug_assert!(least < end, "an empty range");
        let width = (end - least) as u128;
        least + ((u128::from(self.next()) * width) >> 64) as i64
    }

    /// True in this share of cases.
    pub(super) fn chance(&mut self, share: f64) -> bool {
        // 53 bits are what a double holds.
        ((self.next() >> 11) as f64) < share * (1u64 << 53) as f64
    }

    pub(super) fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.between(0, all.len() as i64) as usize]
    }

    /// A random UUID (version 4).
    pub(super) fn uuid(&mut self) -> u128 {
        let bits = (u128::from(self.next()) << 64) | u128::from(self.next());
        (bits & !(0xf000 << 64) & !(0xc << 60)) | (0x4000 << 64) | (0x8 << 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_published_generator() {
        // The first three of SplitMix64 with seed 1234567, from its reference implementation.
        let mut random = Random(1_234_567);
        let numbers = [random.next(), random.next(), random.next()];
        assert_eq!(numbers, [6457827717110365317, 3203168211198807973, 9817491932198370423]);
    }

    #[test]
    fn an_id_is_a_uuid_of_version_4() {
        let mut random = Random::of_part(1, 2);
        for _ in 0..100 {
            let id = uuid::Uuid::from_u128(random.uuid());
            assert_eq!((id.get_version_num(), id.get_variant()), (4, uuid::Variant::RFC4122));
        }
    }

    #[test]
    fn numbers_stay_in_their_range_and_reach_its_ends() {
        let mut random = Random::of_part(7, 0);
        let seen: std::collections::BTreeSet<i64> = (0..200).map(|_| random.between(-2, 3)).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [-2, -1, 0, 1, 2]);
        assert!(!random.chance(0.0) && random.chance(1.0));
    }
}
