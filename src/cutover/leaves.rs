//! Does a partition take a label?

use crate::repair::constraint::{Admission, admission};
use crate::source::postgres::leaves::{Condition, Leaf};

/// What the partitions of a table say of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// Wherever rows with it may go, they are taken.
    Yes,
    /// Nowhere; what refuses it.
    No(String),
    /// It depends on other columns, or cannot be told: by what.
    Unknown(String),
}

/// What refuses a label that no partition is made for.
pub(super) const NOWHERE: &str = "the bounds of all partitions";

/// Where rows of different columns go to different partitions, of which some take the label and others do
/// not, nobody can tell which ones new rows will reach.
pub(super) fn taken(leaves: &[Leaf], column: &str, label: &str) -> Taken {
    let mut reached = Vec::new();
    for leaf in leaves {
        let bounds = all_of(&leaf.bounds, column, label);
        if !matches!(bounds, Taken::No(_)) {
            reached.push((bounds, all_of(&leaf.checks, column, label)));
        }
    }
    if reached.is_empty() {
        return Taken::No(NOWHERE.to_owned());
    }
    if let Some((_, first)) = reached.first()
        && reached.iter().all(|(_, checks)| matches!(checks, Taken::No(_)))
    {
        return first.clone();
    }
    let doubt =
        reached.into_iter().flat_map(|(bounds, checks)| [bounds, checks]).find_map(|said| match said {
            Taken::Yes => None,
            Taken::No(by) | Taken::Unknown(by) => Some(by),
        });
    doubt.map_or(Taken::Yes, Taken::Unknown)
}

/// What conditions that all have to hold say of a label.
fn all_of(conditions: &[Condition], column: &str, label: &str) -> Taken {
    let mut all = Taken::Yes;
    for condition in conditions {
        let said = match condition.answers.get(label) {
            Some(true) => Admission::Accepts,
            Some(false) => Admission::Refuses,
            None => admission(&condition.definition, column, label),
        };
        match said {
            Admission::Refuses => return Taken::No(condition.by.clone()),
            Admission::Unknown if all == Taken::Yes => all = Taken::Unknown(condition.by.clone()),
            // A condition on other columns says nothing of labels.
            Admission::Unknown | Admission::Accepts | Admission::Silent => {}
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(by: &str, definitions: &[&str]) -> Vec<Condition> {
        let condition = |definition: &&str| Condition {
            by: by.to_owned(),
            definition: format!("CHECK ({definition})"),
            answers: Default::default(),
        };
        definitions.iter().map(condition).collect()
    }

    fn leaf(bounds: &[&str], checks: &[&str]) -> Leaf {
        Leaf {
            name: "public.p".to_owned(),
            bounds: conditions("bounds", bounds),
            checks: conditions("check", checks),
        }
    }

    #[test]
    fn a_label_needs_a_partition_that_takes_it() {
        let (of_x, of_y) = ("(a = 'x'::text)", "(a = 'y'::text)");
        let (of_june, of_july) = ("(m = 6)", "(m = 7)");
        let no = |by: &str| Taken::No(by.to_owned());
        let unknown = |by: &str| Taken::Unknown(by.to_owned());
        let cases = [
            ("none", vec![], no(NOWHERE)),
            ("its own", vec![leaf(&[of_y], &[]), leaf(&[of_x], &[])], Taken::Yes),
            ("of others", vec![leaf(&[of_y], &[])], no(NOWHERE)),
            ("the rest", vec![leaf(&[of_y], &[]), leaf(&["NOT (a = 'y'::text)"], &[])], Taken::Yes),
            ("its own refuses", vec![leaf(&[of_x], &[of_y]), leaf(&[of_y], &[])], no("check")),
            (
                "another one refuses",
                vec![leaf(&[of_x], &[]), leaf(&[of_y], &["(a <> 'x'::text)"])],
                Taken::Yes,
            ),
            ("by month", vec![leaf(&[of_june], &[]), leaf(&[of_july], &[])], Taken::Yes),
            ("a month refuses", vec![leaf(&[of_june], &[of_y]), leaf(&[of_july], &[])], unknown("check")),
            ("all months refuse", vec![leaf(&[of_june], &[of_y]), leaf(&[of_july], &[of_y])], no("check")),
            ("both", vec![leaf(&[of_x, of_june], &[]), leaf(&[of_y, of_june], &[])], Taken::Yes),
            ("cannot be read", vec![leaf(&["(lower(a) = 'x'::text)"], &[])], unknown("bounds")),
            ("a check of more", vec![leaf(&[of_x], &["(length(a) > m)"])], unknown("check")),
            ("a check of others", vec![leaf(&[of_x], &["(n > 0)"])], Taken::Yes),
        ];
        for (what, leaves, expected) in cases {
            assert_eq!(taken(&leaves, "a", "x"), expected, "{what}");
        }
    }

    #[test]
    fn what_the_server_answered_counts_more_than_the_text() {
        let mut hashed = leaf(&["satisfies_hash_partition('1'::oid, 2, 0, a)"], &[]);
        assert_eq!(taken(&[hashed.clone()], "a", "x"), Taken::Unknown("bounds".to_owned()));
        hashed.bounds[0].answers.insert("x".to_owned(), true);
        assert_eq!(taken(&[hashed.clone()], "a", "x"), Taken::Yes);
        hashed.bounds[0].answers.insert("x".to_owned(), false);
        assert_eq!(taken(&[hashed], "a", "x"), Taken::No(NOWHERE.to_owned()));
    }
}
