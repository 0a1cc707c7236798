//! Numbers that do not depend on the order in which things came: ids and texts ascending.

use super::intern::{Ids, Texts};
use crate::domain::RowId;

/// The distinct values of several lists, ascending, and for each list the numbers of its values
/// among them.
pub(super) type Numbered<T> = (Vec<T>, Vec<Vec<u32>>);

/// Numbers ids. Each distinct id is found by its hash first, so that only those are sorted.
pub(super) fn number_ids(lists: Vec<Vec<RowId>>) -> Numbered<RowId> {
    let mut ids = Ids::default();
    let maps: Vec<Vec<u32>> =
        lists.into_iter().map(|list| list.into_iter().map(|id| ids.id(id)).collect()).collect();
    let all = ids.into_all();
    let order = ascending_ids(all.len(), |at| &all[at]);
    renumbered(all, &order, maps)
}

/// Numbers texts.
pub(super) fn number_texts(lists: Vec<Vec<Box<str>>>) -> Numbered<Box<str>> {
    let mut texts = Texts::default();
    let maps: Vec<Vec<u32>> =
        lists.iter().map(|list| list.iter().map(|text| texts.number(text)).collect()).collect();
    drop(lists);
    let all = texts.into_all();
    let order = ascending_texts(&all);
    renumbered(all, &order, maps)
}

/// Puts things into an order, and their old numbers in `maps` right.
fn renumbered<T>(all: Vec<T>, order: &[u32], mut maps: Vec<Vec<u32>>) -> Numbered<T> {
    let mut places = vec![0; all.len()];
    for (place, &number) in order.iter().enumerate() {
        places[number as usize] = place as u32;
    }
    maps.iter_mut().flatten().for_each(|number| *number = places[*number as usize]);
    (in_order(all, order).collect(), maps)
}

/// Things in the order of their numbers in `order`.
pub(super) fn in_order<T>(all: Vec<T>, order: &[u32]) -> impl Iterator<Item = T> {
    let mut all: Vec<Option<T>> = all.into_iter().map(Some).collect();
    order.iter().filter_map(move |&number| all[number as usize].take())
}

/// The positions of `len` ids, ascending by id; those of equal ids ascending. Where all are UUIDs
/// their first eight bytes are sorted, and the rest is looked at where those are equal.
pub(crate) fn ascending_ids<'a>(len: usize, id: impl Fn(usize) -> &'a RowId) -> Vec<u32> {
    let key = |at: usize| match id(at) {
        RowId::Uuid([a, b, c, d, e, f, g, h, ..]) => {
            Some(u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]))
        }
        RowId::Text(_) => None,
    };
    let keys: Option<Vec<(u64, u32)>> = (0..len).map(|at| key(at).map(|key| (key, at as u32))).collect();
    let compare = |a: u32, b: u32| id(a as usize).cmp(id(b as usize)).then(a.cmp(&b));
    let Some(keys) = keys else {
        let mut order: Vec<u32> = (0..len as u32).collect();
        order.sort_unstable_by(|&a, &b| compare(a, b));
        return order;
    };
    sorted_by_prefix(keys, compare)
}

/// The positions of texts, ascending.
fn ascending_texts(texts: &[Box<str>]) -> Vec<u32> {
    let key = |text: &str| {
        let mut first = [0; 16];
        let bytes = &text.as_bytes()[..text.len().min(16)];
        first[..bytes.len()].copy_from_slice(bytes);
        u128::from_be_bytes(first)
    };
    let keys = texts.iter().enumerate().map(|(at, text)| (key(text), at as u32)).collect();
    sorted_by_prefix(keys, |a, b| texts[a as usize].cmp(&texts[b as usize]))
}

/// Sorts by a prefix of what is compared, then by all of it where prefixes are equal.
fn sorted_by_prefix<K: Ord + Copy>(
    mut keys: Vec<(K, u32)>,
    compare: impl Fn(u32, u32) -> std::cmp::Ordering,
) -> Vec<u32> {
    keys.sort_unstable();
    for equal in keys.chunk_by_mut(|a, b| a.0 == b.0).filter(|equal| equal.len() > 1) {
        equal.sort_by(|a, b| compare(a.1, b.1));
    }
    keys.into_iter().map(|(_, at)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_texts_are_numbered_in_their_order_from_whatever_list() {
        let uuid = |last: &str| format!("00000000-0000-4000-8000-00000000000{last}");
        type Case = (Vec<Vec<String>>, Vec<Vec<u32>>);
        let cases: [Case; 4] = [
            (vec![vec![], vec![]], vec![vec![], vec![]]),
            (vec![vec![uuid("3"), uuid("1")], vec![uuid("2"), uuid("1")]], vec![vec![2, 0], vec![1, 0]]),
            (vec![vec!["9".into(), uuid("1"), "10".into(), "9".into()]], vec![vec![2, 0, 1, 2]]),
            (
                vec![vec!["pi_0123456789abcdef_2".into()], vec!["pi_0123456789abcdef_1".into(), "pi".into()]],
                vec![vec![2], vec![1, 0]],
            ),
        ];
        for (lists, expected) in cases {
            let ids = lists.iter().map(|list| list.iter().map(|text| RowId::parse(text)).collect()).collect();
            let texts = lists.iter().map(|list| list.iter().map(|text| text.as_str().into()).collect());
            let ((ids, of_ids), (texts, of_texts)) = (number_ids(ids), number_texts(texts.collect()));
            assert_eq!((&of_ids, &of_texts), (&expected, &expected));
            assert!(ids.is_sorted() && texts.is_sorted());
            for (list, numbers) in lists.iter().zip(&expected) {
                for (text, &number) in list.iter().zip(numbers) {
                    assert_eq!(
                        (ids[number as usize].to_string(), &*texts[number as usize]),
                        (text.clone(), &**text)
                    );
                }
            }
        }
    }
}
