//! The source's own count of rows and raw tokens, for conservation.
//!
//! Written apart from `normalise` on purpose: what goes in is counted by other code than what comes
//! out, so that a row lost between the two shows.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_schema::DataType;

use super::json::texts;
use crate::domain::{Total, parse_tokens};

/// From here on a double no longer holds every integer.
const EXACT_BELOW: f64 = 9_007_199_254_740_992.0;

/// Adds every row of a column of amounts; a row whose amount is no integer of 64 bits brings no
/// tokens.
pub(super) fn add_amounts(total: &mut Total, column: &dyn Array) {
    // No chunk has 2^63 rows, so that its sum fits.
    let tokens = amounts(column).map(|amount| i128::from(amount.unwrap_or(0))).sum();
    let rows = column.len() as u64;
    *total = total.plus(Total { rows, tokens }).expect("a total of 64-bit amounts fits 128 bits");
}

/// The amount of every row; `None` where there is none, or none that is an integer of 64 bits.
pub(super) fn amounts<'a>(column: &'a dyn Array) -> Box<dyn Iterator<Item = Option<i64>> + 'a> {
    match column.data_type() {
        DataType::Int8 => integers::<Int8Type>(column),
        DataType::Int16 => integers::<Int16Type>(column),
        DataType::Int32 => integers::<Int32Type>(column),
        DataType::Int64 => integers::<Int64Type>(column),
        DataType::UInt8 => integers::<UInt8Type>(column),
        DataType::UInt16 => integers::<UInt16Type>(column),
        DataType::UInt32 => integers::<UInt32Type>(column),
        DataType::UInt64 => integers::<UInt64Type>(column),
        DataType::Float32 => {
            let values = column.as_primitive::<Float32Type>().iter();
            Box::new(values.map(|value| value.and_then(|value| exact(f64::from(value)))))
        }
        DataType::Float64 => {
            Box::new(column.as_primitive::<Float64Type>().iter().map(|value| value.and_then(exact)))
        }
        DataType::Decimal128(_, scale) => decimals(column, *scale),
        _ => match texts(column) {
            Some(texts) => Box::new(texts.map(|text| text.and_then(parse_tokens))),
            None => Box::new((0..column.len()).map(|_| None)),
        },
    }
}

/// The most negative integer has no magnitude, so it is no amount.
fn in_range(value: i128) -> Option<i64> {
    i64::try_from(value).ok().filter(|value| *value != i64::MIN)
}

fn integers<T: ArrowPrimitiveType>(column: &dyn Array) -> Box<dyn Iterator<Item = Option<i64>> + '_>
where
    T::Native: Into<i128>,
{
    Box::new(column.as_primitive::<T>().iter().map(|value| value.and_then(|value| in_range(value.into()))))
}

fn exact(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() < EXACT_BELOW).then_some(value as i64)
}

fn decimals(column: &dyn Array, scale: i8) -> Box<dyn Iterator<Item = Option<i64>> + '_> {
    let unit = 10i128.checked_pow(u32::from(scale.unsigned_abs()));
    let whole = move |value: i128| {
        let unit = unit?;
        let value = if scale <= 0 {
            value.checked_mul(unit)?
        } else if value % unit == 0 {
            value / unit
        } else {
            return None;
        };
        in_range(value)
    };
    Box::new(column.as_primitive::<Decimal128Type>().iter().map(move |value| value.and_then(whole)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{
        ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int32Array, Int64Array, StringArray,
        UInt64Array,
    };

    use super::add_amounts;
    use crate::domain::Total;

    #[test]
    fn every_row_is_counted_and_only_whole_amounts_are_summed() {
        let decimals = |values: Vec<Option<i128>>, scale| {
            Arc::new(Decimal128Array::from(values).with_precision_and_scale(38, scale).unwrap()) as ArrayRef
        };
        let cases: [(&str, ArrayRef, u64, i128); 9] = [
            ("int32", Arc::new(Int32Array::from(vec![Some(5), None, Some(-7)])), 3, -2),
            ("int64, no magnitude", Arc::new(Int64Array::from(vec![i64::MIN, i64::MAX, 1])), 3, 1 << 63),
            ("uint64 beyond 63 bits", Arc::new(UInt64Array::from(vec![u64::MAX, 4])), 2, 4),
            ("text", Arc::new(StringArray::from(vec![Some("12.00"), Some("1.5"), Some("-2"), None])), 4, 10),
            ("double", Arc::new(Float64Array::from(vec![3.0, 0.5, f64::NAN, 1e300])), 4, 3),
            ("decimal(38,2)", decimals(vec![Some(1_200), Some(1_250), None], 2), 3, 12),
            ("decimal(38,-2)", decimals(vec![Some(3)], -2), 1, 300),
            ("decimal beyond 64 bits", decimals(vec![Some(1 << 70), Some(2)], 0), 2, 2),
            ("no amounts at all", Arc::new(BooleanArray::from(vec![true, false])), 2, 0),
        ];
        for (name, amounts, rows, tokens) in cases {
            let mut total = Total { rows: 1, tokens: 1 };
            add_amounts(&mut total, amounts.as_ref());
            assert_eq!(total, Total { rows: rows + 1, tokens: tokens + 1 }, "{name}");
        }
    }
}
