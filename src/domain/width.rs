//! Whether the texts of a column are all filled up with blanks to one width.

/// What is known of the texts of a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Width {
    /// There was none.
    #[default]
    None,
    /// All have so many characters; some end in a blank, or none does.
    Same(usize, bool),
    /// They differ.
    Differs,
}

impl Width {
    /// Notes one more text.
    pub fn note(&mut self, text: &str) {
        if *self != Width::Differs {
            let characters = if text.is_ascii() { text.len() } else { text.chars().count() };
            *self = self.with(Width::Same(characters, text.ends_with(' ')));
        }
    }

    /// What is known of both columns' texts together.
    pub fn with(self, other: Width) -> Width {
        match (self, other) {
            (Width::None, known) | (known, Width::None) => known,
            (Width::Same(width, blank), Width::Same(other, other_blank)) if width == other => {
                Width::Same(width, blank || other_blank)
            }
            _ => Width::Differs,
        }
    }

    /// The width to which all are filled up; `None`: they are not.
    pub fn padded(self) -> Option<usize> {
        match self {
            Width::Same(width, true) => Some(width),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Width;

    #[test]
    fn texts_are_padded_where_all_have_one_width_and_some_end_in_a_blank() {
        let cases: [(&[&str], Option<usize>); 7] = [
            (&[], None),
            (&["ab  "], Some(4)),
            (&["ab  ", "abcd", "äb  "], Some(4)),
            (&["abcd", "efgh"], None),
            (&["ab  ", "ab "], None),
            (&["ab  ", "abc", "ab  "], None),
            (&["ab", "ab "], None),
        ];
        for (texts, expected) in cases {
            let mut all = Width::default();
            texts.iter().for_each(|text| all.note(text));
            assert_eq!(all.padded(), expected, "{texts:?}");
            let each = texts.iter().map(|text| {
                let mut width = Width::default();
                width.note(text);
                width
            });
            assert_eq!(each.fold(Width::None, Width::with), all, "{texts:?}");
        }
    }
}
