//! A list that is mostly of one thing: findings are many, and nearly all name one row a side.

use std::ops::{Deref, DerefMut};

/// A list that needs no memory of its own while it holds one thing or none.
#[derive(Clone)]
pub enum Few<T> {
    /// One.
    One([T; 1]),
    /// None, or several.
    Many(Vec<T>),
}

impl<T> Few<T> {
    /// None.
    pub fn new() -> Few<T> {
        Few::Many(Vec::new())
    }

    /// Adds one at the end.
    pub fn push(&mut self, item: T) {
        *self = match std::mem::take(self) {
            Few::Many(list) if list.is_empty() => Few::One([item]),
            Few::Many(mut list) => {
                list.push(item);
                Few::Many(list)
            }
            Few::One([first]) => Few::Many(vec![first, item]),
        };
    }
}

impl<T> Default for Few<T> {
    fn default() -> Few<T> {
        Few::new()
    }
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Few::One(one) => one,
            Few::Many(list) => list,
        }
    }
}

impl<T> DerefMut for Few<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match self {
            Few::One(one) => one,
            Few::Many(list) => list,
        }
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Few<T> {
        let mut few = Few::new();
        items.into_iter().for_each(|item| few.push(item));
        few
    }
}

impl<T> From<Vec<T>> for Few<T> {
    fn from(list: Vec<T>) -> Few<T> {
        list.into_iter().collect()
    }
}

impl<'a, T> IntoIterator for &'a Few<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: PartialEq> PartialEq for Few<T> {
    fn eq(&self, other: &Few<T>) -> bool {
        **self == **other
    }
}

impl<T: Eq> Eq for Few<T> {}

impl<T: PartialOrd> PartialOrd for Few<T> {
    fn partial_cmp(&self, other: &Few<T>) -> Option<std::cmp::Ordering> {
        (**self).partial_cmp(&**other)
    }
}

impl<T: Ord> Ord for Few<T> {
    fn cmp(&self, other: &Few<T>) -> std::cmp::Ordering {
        (**self).cmp(&**other)
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Few<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_list_whatever_its_length() {
        for length in 0..5 {
            let list: Vec<u32> = (0..length).rev().collect();
            let mut few: Few<u32> = list.iter().copied().collect();
            assert_eq!((&*few, &few), (&list[..], &Few::from(list.clone())));
            assert_eq!(matches!(few, Few::One(_)), length == 1);
            few.sort_unstable();
            few.push(9);
            let expected: Vec<u32> = (0..length).chain([9]).collect();
            assert_eq!(*few, expected[..]);
            assert_eq!(few.cmp(&Few::from(vec![1])), expected[..].cmp(&[1]));
        }
    }
}
