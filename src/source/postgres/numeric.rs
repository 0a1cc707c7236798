//! PostgreSQL's binary `numeric`: digits of base 10000.

/// A numeric, exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Number {
    /// An integer of 64 bits.
    Integer(i64),
    /// Anything else, as its text.
    Other(String),
}

const NEGATIVE: u16 = 0x4000;
const NOT_A_NUMBER: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const MINUS_INFINITY: u16 = 0xF000;

/// Decodes; `None` when the bytes are no numeric.
pub(super) fn decode(bytes: &[u8]) -> Option<Number> {
    let word = |at: usize| bytes.get(2 * at..2 * at + 2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let count = usize::from(word(0)?);
    let weight = i32::from(word(1)?.cast_signed());
    let (sign, scale) = (word(2)?, usize::from(word(3)?));
    if bytes.len() != 8 + 2 * count {
        return None;
    }
    match sign {
        NOT_A_NUMBER => return Some(Number::Other("NaN".to_owned())),
        INFINITY => return Some(Number::Other("Infinity".to_owned())),
        MINUS_INFINITY => return Some(Number::Other("-Infinity".to_owned())),
        _ => {}
    }
    let digit = |place: i32| -> u16 {
        // Place 0 is worth 10000^0, place −1 the first four decimals.
        usize::try_from(weight - place).ok().filter(|at| *at < count).and_then(|at| word(4 + at)).unwrap_or(0)
    };
    let fraction_places = i32::try_from(count).ok()? - 1 - weight;
    let whole = (1..=fraction_places).all(|place| digit(-place) == 0);
    if whole && weight <= 4 {
        let value =
            (0..=weight.max(-1)).rev().fold(0i128, |sum, place| sum * 10_000 + i128::from(digit(place)));
        let value = if sign == NEGATIVE { -value } else { value };
        if let Ok(value) = i64::try_from(value) {
            return Some(Number::Integer(value));
        }
    }
    Some(Number::Other(as_text(sign == NEGATIVE, weight, scale, &digit)))
}

/// As the server prints it.
fn as_text(negative: bool, weight: i32, scale: usize, digit: &dyn Fn(i32) -> u16) -> String {
    let mut text = String::new();
    for place in (0..=weight.max(0)).rev() {
        if text.is_empty() {
            text = digit(place).to_string();
        } else {
            text.push_str(&format!("{:04}", digit(place)));
        }
    }
    if scale > 0 {
        let mut fraction = String::new();
        let mut place = -1;
        while fraction.len() < scale {
            fraction.push_str(&format!("{:04}", digit(place)));
            place -= 1;
        }
        fraction.truncate(scale);
        text = format!("{text}.{fraction}");
    }
    if negative { format!("-{text}") } else { text }
}
