//! What few users have.

use std::ops::{Deref, DerefMut};

use super::{Explanations, GapCause};

/// A value that takes no room where it is what [`Common::common`] says, as it is for most users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rare<T>(Option<Box<T>>);

/// A value of which most have the same.
pub trait Common: Default + 'static {
    /// The value; equal to the default.
    fn common() -> &'static Self;
}

impl Common for [i128; GapCause::COUNT] {
    fn common() -> &'static Self {
        &[0; GapCause::COUNT]
    }
}

impl Common for Explanations {
    fn common() -> &'static Self {
        static NONE: Explanations = Explanations { shown: Vec::new(), others: Vec::new(), more: 0 };
        &NONE
    }
}

impl<T> Default for Rare<T> {
    fn default() -> Rare<T> {
        Rare(None)
    }
}

impl<T: Common + PartialEq> From<T> for Rare<T> {
    fn from(value: T) -> Rare<T> {
        Rare((value != *T::common()).then(|| Box::new(value)))
    }
}

impl<T: Common> Deref for Rare<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::common())
    }
}

impl<T: Common> DerefMut for Rare<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_have_takes_no_room_and_reads_as_it_is() {
        let mut causes = Rare::<[i128; GapCause::COUNT]>::default();
        assert_eq!((causes.iter().sum::<i128>(), causes.0.is_some()), (0, false));
        causes[2] += 7;
        assert_eq!((causes.iter().sum::<i128>(), causes.0.is_some()), (7, true));
        assert_eq!(Rare::from(Explanations::default()), Rare::default());
        let more = Explanations { more: 1, ..Explanations::default() };
        assert_eq!(*Rare::from(more.clone()), more);
    }
}
