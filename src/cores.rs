//! Work that is divided among the processor's cores. Nothing of a result depends on how many there are;
//! a panic of a thread is the caller's.

use std::num::NonZeroUsize;
use std::thread::{self, ScopedJoinHandle};

/// How many threads may run at once.
pub fn count() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// What a thread gave back.
pub fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Does two things at the same time.
pub fn at_once<A: Send, B>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B) -> (A, B) {
    thread::scope(|scope| {
        let a = scope.spawn(a);
        let b = b();
        (joined(a), b)
    })
}

/// Does something with each of a few things, all at the same time; the answers stand in their order.
pub fn each<T: Send, R: Send>(things: impl IntoIterator<Item = T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = things.into_iter().map(|thing| scope.spawn(move || work(thing))).collect();
        threads.into_iter().map(joined).collect()
    })
}

/// Divides a list into as many stretches as there are cores, and does something with each, all at the same
/// time: with the position of its first thing, and with its things. The answers stand in their order; of an
/// empty list there are none.
pub fn in_shares<T: Sync, R: Send>(things: &[T], work: impl Fn(usize, &[T]) -> R + Sync) -> Vec<R> {
    let share = things.len().div_ceil(count()).max(1);
    each(things.chunks(share).enumerate(), |(number, things)| work(number * share, things))
}

/// The same with things that are changed.
pub fn in_shares_mut<T: Send>(things: &mut [T], work: impl Fn(&mut [T]) + Sync) {
    let share = things.len().div_ceil(count()).max(1);
    each(things.chunks_mut(share), work);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_the_whole_list_in_order() {
        for length in [0, 1, 2, 3, 1_000] {
            let things: Vec<usize> = (0..length).collect();
            let shares = in_shares(&things, |first, share| (first, share.to_vec()));
            assert!(shares.len() <= count().min(length));
            assert!(shares.iter().all(|(first, share)| share[0] == *first));
            assert_eq!(shares.into_iter().flat_map(|(_, share)| share).collect::<Vec<_>>(), things);
        }
    }

    #[test]
    fn every_thing_is_changed() {
        for length in [0, 1, 3, 1_000] {
            let mut things = vec![1; length];
            in_shares_mut(&mut things, |share| share.iter_mut().for_each(|thing| *thing += 1));
            assert_eq!(things, vec![2; length]);
        }
    }

    #[test]
    fn answers_stand_in_the_order_of_the_things() {
        assert_eq!(each(0..20, |thing| thing * 2), (0..20).map(|thing| thing * 2).collect::<Vec<_>>());
        assert_eq!(at_once(|| "a", || "b"), ("a", "b"));
    }

    #[test]
    #[should_panic(expected = "of a thread")]
    fn a_panic_of_a_thread_is_the_callers() {
        at_once(|| panic!("of a thread"), || ());
    }
}
