//! Disjoint sets of numbered things, which are joined one pair at a time.

/// Each thing is in one set; a set is known by its least number.
#[derive(Debug, Default)]
pub(super) struct Disjoint {
    parent: Vec<usize>,
}

impl Disjoint {
    /// So many things, each in a set of its own.
    pub(super) fn of(count: usize) -> Disjoint {
        Disjoint { parent: (0..count).collect() }
    }

    /// One thing more, in a set of its own; its number.
    pub(super) fn add(&mut self) -> usize {
        self.parent.push(self.parent.len());
        self.parent.len() - 1
    }

    /// The set of a thing.
    pub(super) fn root(&mut self, mut at: usize) -> usize {
        while self.parent[at] != at {
            self.parent[at] = self.parent[self.parent[at]];
            at = self.parent[at];
        }
        at
    }

    /// Makes the sets of two things one.
    pub(super) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.parent[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_by_steps_is_one_set_known_by_its_least() {
        let mut sets = Disjoint::of(5);
        sets.join(4, 2);
        sets.join(3, 4);
        assert_eq!(sets.add(), 5);
        let roots: Vec<usize> = (0..6).map(|at| sets.root(at)).collect();
        assert_eq!(roots, [0, 1, 2, 2, 2, 5]);
        sets.join(1, 3);
        assert_eq!((sets.root(4), sets.root(2)), (1, 1));
    }
}
