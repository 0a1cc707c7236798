//! Amounts in which a point may part thousands: `250.000` is 250 to a program and 250 thousand to half the world.

/// What the amounts of a column say of their points.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Points {
    /// The least that may be either, as `250.000`; without its point.
    either: Option<i64>,
    /// The least that can only be grouped by thousands, as `2.500`; without its points.
    grouped: Option<i64>,
    /// Some can only be a number with decimals, or have four digits in a row.
    plain: bool,
}

/// Amounts that nobody can be sure of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// One of them, as it is written.
    pub example: String,
    /// What it is read as.
    pub read_as: i64,
    /// One that no number with decimals would be written as, if there is one.
    pub grouped: Option<String>,
}

impl Points {
    /// Nothing that follows can bring a doubt.
    pub fn are_plain(&self) -> bool {
        self.plain
    }

    /// Notes an amount in text.
    pub fn note(&mut self, text: &str) {
        let text = text.trim_ascii();
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let Some((whole, rest)) = digits.split_once('.') else {
            self.plain |= digits.len() > 3 && is_number(digits);
            return;
        };
        if whole.is_empty() || !is_number(whole) {
            return;
        }
        let mut groups = rest.split('.');
        let fits = whole.len() <= 3 && !whole.starts_with('0');
        if fits && groups.all(|group| group.len() == 3 && is_number(group)) {
            let Ok(value) = digits.replace('.', "").parse::<i64>() else { return };
            let place = if rest == "000" { &mut self.either } else { &mut self.grouped };
            *place = Some(place.map_or(value, |known| known.min(value)));
        } else {
            self.plain |= is_number(rest);
        }
    }

    /// Adds what was seen elsewhere.
    pub fn merge(&mut self, other: Points) {
        self.plain |= other.plain;
        for (own, other) in [(&mut self.either, other.either), (&mut self.grouped, other.grouped)] {
            *own = [*own, other].into_iter().flatten().min();
        }
    }

    /// What is in doubt: some amounts may be either, and none shows which is meant.
    pub fn doubt(&self) -> Option<Doubt> {
        let value = self.either.filter(|_| !self.plain)?;
        Some(Doubt { example: written(value), read_as: value / 1_000, grouped: self.grouped.map(written) })
    }
}

/// A number with a point before each three digits.
fn written(value: i64) -> String {
    match value {
        0..1_000 => value.to_string(),
        _ => format!("{}.{:03}", written(value / 1_000), value % 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::Points;

    #[test]
    fn three_zeros_behind_a_point_are_in_doubt_unless_another_amount_shows_what_is_meant() {
        type Found<'a> = Option<(&'a str, i64, Option<&'a str>)>;
        let cases: [(&[&str], Found<'_>); 15] = [
            (&["500.000", "-250.000", "40"], Some(("250.000", 250, None))),
            (&["1.000", "2.500"], Some(("1.000", 1, Some("2.500")))),
            (&["1.000", "1.234.567"], Some(("1.000", 1, Some("1.234.567")))),
            (&["1.000.000"], None),
            (&["250.000", "1000"], None),
            (&["250.000", "1250.000"], None),
            (&["250.000", "0.000"], None),
            (&["250.000", "0.500"], None),
            (&["250.000", "7.0"], None),
            (&["250.000", "12."], None),
            (&["250.000", "7.25"], None),
            (&["250", "7"], None),
            (&["2.500"], None),
            (&["250.000", "1,000", "x.000", "", ".000"], Some(("250.000", 250, None))),
            (&["+999.000 "], Some(("999.000", 999, None))),
        ];
        for (texts, expected) in cases {
            let mut all = Points::default();
            texts.iter().for_each(|text| all.note(text));
            let doubt = all.doubt();
            let found = doubt.as_ref().map(|it| (it.example.as_str(), it.read_as, it.grouped.as_deref()));
            assert_eq!(found, expected, "{texts:?}");
            let mut merged = Points::default();
            for text in texts {
                let mut one = Points::default();
                one.note(text);
                merged.merge(one);
            }
            assert_eq!(merged, all, "{texts:?}");
        }
    }
}
