//! Typed views of raw columns: one look at the type a chunk, then plain reads a row.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, FixedSizeBinaryArray, Int64Array, LargeStringArray, StringArray, StringViewArray};
use arrow_schema::{DataType, TimeUnit};
use chrono_tz::Tz;

use crate::domain::{Instant, RowId, is_nothing, parse_tokens};

use super::time;

/// Text of any layout, with a dictionary seen through.
#[derive(Debug)]
pub(super) enum Text<'a> {
    Small(&'a StringArray),
    Large(&'a LargeStringArray),
    View(&'a StringViewArray),
    Dictionary { keys: &'a arrow_array::Int32Array, values: Box<Text<'a>> },
}

impl<'a> Text<'a> {
    /// `None` when the array is no text.
    pub(super) fn of(array: &'a dyn Array) -> Option<Text<'a>> {
        match array.data_type() {
            DataType::Utf8 => Some(Text::Small(array.as_string::<i32>())),
            DataType::LargeUtf8 => Some(Text::Large(array.as_string::<i64>())),
            DataType::Utf8View => Some(Text::View(array.as_string_view())),
            DataType::Dictionary(key, _) if **key == DataType::Int32 => {
                let dictionary = array.as_dictionary::<Int32Type>();
                let values = Text::of(dictionary.values().as_ref())?;
                Some(Text::Dictionary { keys: dictionary.keys(), values: Box::new(values) })
            }
            _ => None,
        }
    }

    /// The text of a row; `None` for null.
    pub(super) fn get(&self, row: usize) -> Option<&'a str> {
        match self {
            Text::Small(array) => array.is_valid(row).then(|| array.value(row)),
            Text::Large(array) => array.is_valid(row).then(|| array.value(row)),
            Text::View(array) => array.is_valid(row).then(|| array.value(row)),
            Text::Dictionary { keys, values } => {
                if keys.is_null(row) {
                    None
                } else {
                    values.get(keys.value(row) as usize)
                }
            }
        }
    }

    /// Number of distinct slots and the slot of a row, where the column is a dictionary.
    pub(super) fn slots(&self) -> Option<usize> {
        match self {
            Text::Dictionary { values, .. } => Some(values.len()),
            _ => None,
        }
    }

    /// The dictionary slot of a row; only where [`Text::slots`] is some.
    pub(super) fn slot(&self, row: usize) -> Option<usize> {
        match self {
            Text::Dictionary { keys, .. } if keys.is_valid(row) => Some(keys.value(row) as usize),
            _ => None,
        }
    }

    /// A dictionary in which every row has a slot.
    pub(super) fn has_no_null_slot(&self) -> bool {
        matches!(self, Text::Dictionary { keys, .. } if keys.null_count() == 0)
    }

    /// The dictionary slot of every row; nothing where the column is no dictionary.
    pub(super) fn slot_numbers(&self) -> &'a [i32] {
        match self {
            Text::Dictionary { keys, .. } => keys.values(),
            _ => &[],
        }
    }

    /// The text in a dictionary slot.
    pub(super) fn slot_text(&self, slot: usize) -> Option<&'a str> {
        match self {
            Text::Dictionary { values, .. } => values.get(slot),
            _ => None,
        }
    }

    fn len(&self) -> usize {
        match self {
            Text::Small(array) => array.len(),
            Text::Large(array) => array.len(),
            Text::View(array) => array.len(),
            Text::Dictionary { keys, .. } => keys.len(),
        }
    }
}

/// Ids of rows and users.
#[derive(Debug)]
pub(super) enum IdColumn<'a> {
    Uuid(&'a FixedSizeBinaryArray),
    Text(Text<'a>),
    Integer(IntegerColumn<'a>),
}

impl<'a> IdColumn<'a> {
    pub(super) fn of(array: &'a dyn Array) -> Option<IdColumn<'a>> {
        if let DataType::FixedSizeBinary(16) = array.data_type() {
            return Some(IdColumn::Uuid(array.as_fixed_size_binary()));
        }
        if let Some(text) = Text::of(array) {
            return Some(IdColumn::Text(text));
        }
        IntegerColumn::of(array).map(IdColumn::Integer)
    }

    /// The text of a row as it stands there, where the column holds text.
    pub(super) fn text(&self, row: usize) -> Option<&'a str> {
        match self {
            IdColumn::Text(text) => text.get(row),
            IdColumn::Uuid(_) | IdColumn::Integer(_) => None,
        }
    }

    /// The row has an id.
    fn has(&self, row: usize) -> bool {
        match self {
            IdColumn::Uuid(array) => array.is_valid(row),
            IdColumn::Text(text) => text.get(row).is_some_and(|text| !text.is_empty()),
            IdColumn::Integer(_) => self.get(row).is_some(),
        }
    }

    /// The row has a user: [`IdColumn::user`] gives one.
    pub(super) fn has_user(&self, row: usize) -> bool {
        match self {
            IdColumn::Text(text) => text.get(row).is_some_and(|text| !is_nothing(text)),
            IdColumn::Uuid(_) | IdColumn::Integer(_) => self.has(row),
        }
    }

    /// The id of a row, where it is that of a user: a word for nothing is none.
    pub(super) fn user(&self, row: usize) -> Option<RowId> {
        if self.has_user(row) { self.get(row) } else { None }
    }

    /// The id of a row; `None` for null, empty text, or a number that is no integer.
    pub(super) fn get(&self, row: usize) -> Option<RowId> {
        match self {
            IdColumn::Uuid(array) => {
                array.is_valid(row).then(|| RowId::Uuid(array.value(row).try_into().expect("16 bytes")))
            }
            IdColumn::Text(text) => text.get(row).filter(|text| !text.is_empty()).map(RowId::parse),
            IdColumn::Integer(numbers) => match numbers.get(row) {
                Amount::Tokens(value) => Some(RowId::from_integer(value)),
                Amount::Missing | Amount::Unreadable(_) => None,
            },
        }
    }
}

/// An amount as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Amount {
    /// Tokens as stored, with their sign.
    Tokens(i64),
    /// Null or empty.
    Missing,
    /// Not an integer of 64 bits; its text.
    Unreadable(String),
}

impl Amount {
    /// The tokens, where they can be read.
    pub(super) fn tokens(self) -> Option<i64> {
        match self {
            Amount::Tokens(tokens) => Some(tokens),
            Amount::Missing | Amount::Unreadable(_) => None,
        }
    }
}

/// A column of whole numbers, whatever its type.
#[derive(Debug)]
pub(super) enum IntegerColumn<'a> {
    Int64(&'a Int64Array),
    Decimal { array: &'a arrow_array::Decimal128Array, unit: i128, scale: i8 },
    Text(Text<'a>),
    Other(&'a dyn Array),
}

impl<'a> IntegerColumn<'a> {
    pub(super) fn of(array: &'a dyn Array) -> Option<IntegerColumn<'a>> {
        if let Some(text) = Text::of(array) {
            return Some(IntegerColumn::Text(text));
        }
        match array.data_type() {
            DataType::Int64 => Some(IntegerColumn::Int64(array.as_primitive())),
            DataType::Decimal128(_, scale) => {
                let unit = 10i128.checked_pow(u32::from(scale.unsigned_abs()))?;
                Some(IntegerColumn::Decimal { array: array.as_primitive(), unit, scale: *scale })
            }
            DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::UInt64
            | DataType::Float32
            | DataType::Float64
            | DataType::Null => Some(IntegerColumn::Other(array)),
            _ => None,
        }
    }

    /// The amounts of all rows, where every row has one that can be read, and that is quick to see.
    pub(super) fn all(&self) -> Option<Cow<'a, [i64]>> {
        match self {
            IntegerColumn::Int64(array) => {
                let fine = array.null_count() == 0 && !array.values().contains(&i64::MIN);
                fine.then(|| Cow::Borrowed(&array.values()[..]))
            }
            IntegerColumn::Other(array) if *array.data_type() == DataType::Int32 => {
                let array = array.as_primitive::<Int32Type>();
                let wide = || array.values().iter().map(|&value| i64::from(value)).collect();
                (array.null_count() == 0).then(wide)
            }
            _ => None,
        }
    }

    /// The amount of a row.
    pub(super) fn get(&self, row: usize) -> Amount {
        match self {
            IntegerColumn::Int64(array) => {
                if array.is_null(row) {
                    Amount::Missing
                } else {
                    whole(i128::from(array.value(row)))
                }
            }
            IntegerColumn::Decimal { array, unit, scale } => {
                if array.is_null(row) {
                    return Amount::Missing;
                }
                let value = array.value(row);
                if *scale <= 0 {
                    return value
                        .checked_mul(*unit)
                        .map_or(Amount::Unreadable(array.value_as_string(row)), whole);
                }
                if value % unit == 0 {
                    whole(value / unit)
                } else {
                    Amount::Unreadable(array.value_as_string(row))
                }
            }
            IntegerColumn::Text(text) => match text.get(row) {
                None => Amount::Missing,
                Some(text) if text.trim_ascii().is_empty() => Amount::Missing,
                Some(text) => match parse_tokens(text) {
                    Some(tokens) => Amount::Tokens(tokens),
                    None => Amount::Unreadable(text.to_owned()),
                },
            },
            IntegerColumn::Other(array) => other_number(*array, row),
        }
    }
}

/// Amounts have a magnitude, so the most negative integer is none.
fn whole(value: i128) -> Amount {
    match i64::try_from(value) {
        Ok(tokens) if tokens != i64::MIN => Amount::Tokens(tokens),
        _ => Amount::Unreadable(value.to_string()),
    }
}

fn other_number(array: &dyn Array, row: usize) -> Amount {
    if array.is_null(row) || *array.data_type() == DataType::Null {
        return Amount::Missing;
    }
    match array.data_type() {
        DataType::Int8 => whole(i128::from(array.as_primitive::<Int8Type>().value(row))),
        DataType::Int16 => whole(i128::from(array.as_primitive::<Int16Type>().value(row))),
        DataType::Int32 => whole(i128::from(array.as_primitive::<Int32Type>().value(row))),
        DataType::UInt8 => whole(i128::from(array.as_primitive::<UInt8Type>().value(row))),
        DataType::UInt16 => whole(i128::from(array.as_primitive::<UInt16Type>().value(row))),
        DataType::UInt32 => whole(i128::from(array.as_primitive::<UInt32Type>().value(row))),
        DataType::UInt64 => whole(i128::from(array.as_primitive::<UInt64Type>().value(row))),
        DataType::Float32 => float(f64::from(array.as_primitive::<Float32Type>().value(row))),
        _ => float(array.as_primitive::<Float64Type>().value(row)),
    }
}

/// Data frames store integers with gaps as floats: such a value is taken when it is exact.
fn float(value: f64) -> Amount {
    const EXACT_BELOW: f64 = 9_007_199_254_740_992.0; // 2^53
    if value.is_nan() {
        Amount::Missing
    } else if value.fract() == 0.0 && value.abs() < EXACT_BELOW {
        Amount::Tokens(value as i64)
    } else {
        Amount::Unreadable(value.to_string())
    }
}

/// A time as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Moment {
    /// A point in time.
    At(Instant),
    /// Null or empty.
    Missing,
    /// Not a time; its text.
    Unreadable(String),
}

impl Moment {
    /// The point in time, where it can be read.
    pub(super) fn at(self) -> Option<Instant> {
        match self {
            Moment::At(at) => Some(at),
            Moment::Missing | Moment::Unreadable(_) => None,
        }
    }
}

/// A column of times.
#[derive(Debug)]
pub(super) enum TimeColumn<'a> {
    Text(Text<'a>, Tz),
    Utc(&'a dyn Array, TimeUnit),
    Wall(&'a dyn Array, TimeUnit, Tz),
    Days(&'a arrow_array::Date32Array, Tz),
    Nothing,
}

impl<'a> TimeColumn<'a> {
    pub(super) fn of(array: &'a dyn Array, zone: Tz) -> Option<TimeColumn<'a>> {
        if let Some(text) = Text::of(array) {
            return Some(TimeColumn::Text(text, zone));
        }
        match array.data_type() {
            DataType::Timestamp(unit, Some(_)) => Some(TimeColumn::Utc(array, *unit)),
            DataType::Timestamp(unit, None) => Some(TimeColumn::Wall(array, *unit, zone)),
            DataType::Date32 => Some(TimeColumn::Days(array.as_primitive::<Date32Type>(), zone)),
            DataType::Null => Some(TimeColumn::Nothing),
            _ => None,
        }
    }

    /// The times of all rows in UTC microseconds, where every row has one that can be read, and that
    /// is quick to see.
    pub(super) fn all(&self) -> Option<Cow<'a, [i64]>> {
        let array = match self {
            TimeColumn::Utc(array, TimeUnit::Microsecond) => *array,
            TimeColumn::Wall(array, TimeUnit::Microsecond, Tz::UTC) => *array,
            _ => return None,
        };
        let values = array.as_primitive::<TimestampMicrosecondType>().values();
        let fine = array.null_count() == 0 && values.iter().all(|at| time::READABLE.contains(at));
        fine.then(|| Cow::Borrowed(&values[..]))
    }

    /// The time of a row names no zone of its own: it is read in the configured one.
    pub(super) fn is_wall_time(&self, row: usize) -> bool {
        match self {
            TimeColumn::Text(text, _) => text.get(row).is_some_and(|text| !time::has_zone(text)),
            TimeColumn::Wall(..) | TimeColumn::Days(..) => true,
            TimeColumn::Utc(..) | TimeColumn::Nothing => false,
        }
    }

    /// The time of a row.
    pub(super) fn get(&self, row: usize) -> Moment {
        match self {
            TimeColumn::Text(text, zone) => match text.get(row) {
                None => Moment::Missing,
                Some(text) if text.trim_ascii().is_empty() => Moment::Missing,
                Some(text) => match time::parse_instant(text, *zone) {
                    Some(at) => Moment::At(at),
                    None => Moment::Unreadable(text.to_owned()),
                },
            },
            TimeColumn::Utc(array, unit) => match micros(*array, *unit, row) {
                Micros::Value(value) if time::READABLE.contains(&value) => Moment::At(Instant(value)),
                Micros::Value(value) => Moment::Unreadable(time::unreadable(value, true)),
                other => other.failed(),
            },
            TimeColumn::Wall(array, unit, zone) => match micros(*array, *unit, row) {
                Micros::Value(value) => match time::from_wall_micros(value, *zone) {
                    Some(at) => Moment::At(at),
                    None => Moment::Unreadable(time::unreadable(value, false)),
                },
                other => other.failed(),
            },
            TimeColumn::Days(array, zone) => {
                if array.is_null(row) {
                    return Moment::Missing;
                }
                let days = i64::from(array.value(row));
                // Its ends are infinities, and further than microseconds reach.
                let Some(wall) = days.checked_mul(86_400_000_000) else {
                    return Moment::Unreadable(format!("day {days}"));
                };
                match time::from_wall_micros(wall, *zone) {
                    Some(at) => Moment::At(at),
                    None => Moment::Unreadable(time::unreadable(wall, false)),
                }
            }
            TimeColumn::Nothing => Moment::Missing,
        }
    }
}

enum Micros {
    Value(i64),
    Null,
    Beyond(i64),
}

impl Micros {
    fn failed(self) -> Moment {
        match self {
            Micros::Beyond(i64::MAX) => Moment::Unreadable("infinity".to_owned()),
            Micros::Beyond(i64::MIN) => Moment::Unreadable("-infinity".to_owned()),
            Micros::Beyond(value) => Moment::Unreadable(value.to_string()),
            Micros::Null | Micros::Value(_) => Moment::Missing,
        }
    }
}

/// Microseconds of a timestamp of any unit. The two ends of the range are PostgreSQL's infinities.
fn micros(array: &dyn Array, unit: TimeUnit, row: usize) -> Micros {
    if array.is_null(row) {
        return Micros::Null;
    }
    let (value, scaled) = match unit {
        TimeUnit::Second => {
            let value = array.as_primitive::<TimestampSecondType>().value(row);
            (value, value.checked_mul(1_000_000))
        }
        TimeUnit::Millisecond => {
            let value = array.as_primitive::<TimestampMillisecondType>().value(row);
            (value, value.checked_mul(1_000))
        }
        TimeUnit::Microsecond => {
            let value = array.as_primitive::<TimestampMicrosecondType>().value(row);
            (value, Some(value))
        }
        TimeUnit::Nanosecond => {
            let value = array.as_primitive::<TimestampNanosecondType>().value(row);
            (value, Some(value.saturating_add(500).div_euclid(1_000)))
        }
    };
    match scaled {
        Some(scaled) if value != i64::MAX && value != i64::MIN => Micros::Value(scaled),
        _ => Micros::Beyond(value),
    }
}
