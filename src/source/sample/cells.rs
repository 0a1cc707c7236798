//! Values of Parquet files as text, as those of text files are.

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, TimeUnit};

use crate::config::infer::Shape;
use crate::domain::RowId;

/// The shape that a type says; text may hold anything.
pub(super) fn shape_of(data_type: &DataType) -> Shape {
    match data_type {
        DataType::Boolean => Shape::Boolean,
        DataType::Timestamp(_, Some(_)) => Shape::Zoned,
        DataType::Timestamp(_, None) | DataType::Date32 => Shape::Unzoned,
        DataType::Float32 | DataType::Float64 => Shape::Decimal,
        DataType::Decimal128(_, 0) => Shape::Integer,
        DataType::Decimal128(..) => Shape::Decimal,
        DataType::FixedSizeBinary(16) => Shape::Uuid,
        DataType::Struct(_) => Shape::Members,
        other if other.is_integer() => Shape::Integer,
        _ => Shape::Text,
    }
}

/// The values of a row.
pub(super) fn row_of(batch: &RecordBatch, at: usize) -> Vec<Option<Cow<'_, str>>> {
    batch.columns().iter().map(|column| cell(column.as_ref(), at)).collect()
}

/// Stands for a value that has no text.
const VALUE: &str = "value";

/// A value as text, a struct as the JSON that would say the same. Of types that no role has, only that there
/// is a value.
fn cell(array: &dyn Array, at: usize) -> Option<Cow<'_, str>> {
    if array.is_null(at) {
        return None;
    }
    macro_rules! number {
        ($type:ty) => {
            Some(Cow::Owned(array.as_primitive::<$type>().value(at).to_string()))
        };
    }
    macro_rules! time {
        ($type:ty) => {
            match array.as_primitive::<$type>().value_as_datetime(at) {
                Some(time) => time.to_string(),
                None => VALUE.to_owned(),
            }
        };
    }
    match array.data_type() {
        DataType::Utf8 => Some(array.as_string::<i32>().value(at).into()),
        DataType::LargeUtf8 => Some(array.as_string::<i64>().value(at).into()),
        DataType::Utf8View => Some(array.as_string_view().value(at).into()),
        DataType::Dictionary(key, _) if **key == DataType::Int32 => {
            let dictionary = array.as_dictionary::<Int32Type>();
            cell(dictionary.values().as_ref(), dictionary.key(at)?)
        }
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float64 => number!(Float64Type),
        DataType::Decimal128(..) => {
            Some(Cow::Owned(array.as_primitive::<Decimal128Type>().value_as_string(at)))
        }
        DataType::Boolean => Some(Cow::Borrowed(if array.as_boolean().value(at) { "true" } else { "false" })),
        DataType::Timestamp(unit, _) => Some(Cow::Owned(match unit {
            TimeUnit::Second => time!(TimestampSecondType),
            TimeUnit::Millisecond => time!(TimestampMillisecondType),
            TimeUnit::Microsecond => time!(TimestampMicrosecondType),
            TimeUnit::Nanosecond => time!(TimestampNanosecondType),
        })),
        DataType::Date32 => Some(Cow::Owned(match array.as_primitive::<Date32Type>().value_as_date(at) {
            Some(date) => date.to_string(),
            None => VALUE.to_owned(),
        })),
        DataType::FixedSizeBinary(16) => {
            let id = array.as_fixed_size_binary().value(at).try_into().map(RowId::Uuid);
            Some(id.map_or(Cow::Borrowed(VALUE), |id| Cow::Owned(id.to_string())))
        }
        DataType::Struct(members) => {
            let values = array.as_struct().columns();
            let object: serde_json::Map<String, serde_json::Value> = members
                .iter()
                .zip(values)
                .map(|(member, values)| {
                    (member.name().clone(), cell(values.as_ref(), at).map(Cow::into_owned).into())
                })
                .collect();
            Some(Cow::Owned(serde_json::Value::Object(object).to_string()))
        }
        _ => Some(Cow::Borrowed(VALUE)),
    }
}
