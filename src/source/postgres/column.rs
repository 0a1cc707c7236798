//! Binary values into arrow builders.

use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, FixedSizeBinaryBuilder, Float64Builder, Int32Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, StringArray};
use rustc_hash::FxHashMap;

use super::fields::Wire;
use super::numeric::{self, Number};

/// Microseconds from 1970-01-01 to PostgreSQL's epoch, 2000-01-01.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
const DAY_MICROS: i64 = 86_400_000_000;

/// A column that is being filled.
///
/// The infinities of PostgreSQL become the two ends of the 64-bit range, as they are on the wire.
/// A `numeric` column with a value that is no 64-bit integer becomes text as a whole, so that the
/// value can be shown where it is rejected.
#[derive(Debug)]
pub(super) enum Builder {
    Uuid(FixedSizeBinaryBuilder),
    Integer(Int64Builder),
    Numeric(Int64Builder, Option<StringBuilder>),
    Float(Float64Builder),
    Boolean(BooleanBuilder),
    Zoned(TimestampMicrosecondBuilder),
    Wall(TimestampMicrosecondBuilder),
    Date(TimestampMicrosecondBuilder),
    Text(StringBuilder),
    Label(Labels),
}

impl Builder {
    pub fn new(wire: Wire) -> Builder {
        match wire {
            Wire::Uuid => Builder::Uuid(FixedSizeBinaryBuilder::new(16)),
            Wire::Small | Wire::Integer => Builder::Integer(Int64Builder::new()),
            Wire::Numeric => Builder::Numeric(Int64Builder::new(), None),
            Wire::Float => Builder::Float(Float64Builder::new()),
            Wire::Boolean => Builder::Boolean(BooleanBuilder::new()),
            Wire::Zoned => Builder::Zoned(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            Wire::Wall => Builder::Wall(TimestampMicrosecondBuilder::new()),
            Wire::Date => Builder::Date(TimestampMicrosecondBuilder::new()),
            Wire::Text => Builder::Text(StringBuilder::new()),
            Wire::Label => Builder::Label(Labels::default()),
        }
    }

    /// Appends a value; `None` is null.
    ///
    /// # Errors
    /// The bytes are not of the column's type.
    pub fn append(&mut self, value: Option<&[u8]>) -> Result<(), Mangled> {
        let Some(bytes) = value else {
            self.append_null();
            return Ok(());
        };
        match self {
            Builder::Uuid(builder) => builder.append_value(bytes).map_err(|_| Mangled)?,
            Builder::Integer(builder) => builder.append_value(integer(bytes)?),
            Builder::Numeric(integers, texts) => append_numeric(integers, texts, bytes)?,
            Builder::Float(builder) => builder.append_value(match bytes.len() {
                4 => f64::from(f32::from_be_bytes(fixed(bytes)?)),
                _ => f64::from_be_bytes(fixed(bytes)?),
            }),
            Builder::Boolean(builder) => builder.append_value(*bytes.first().ok_or(Mangled)? != 0),
            Builder::Zoned(builder) | Builder::Wall(builder) => {
                builder.append_value(since_1970(i64::from_be_bytes(fixed(bytes)?)));
            }
            Builder::Date(builder) => {
                let micros = match i32::from_be_bytes(fixed(bytes)?) {
                    i32::MAX => i64::MAX,
                    i32::MIN => i64::MIN,
                    days => since_1970(i64::from(days) * DAY_MICROS),
                };
                builder.append_value(micros);
            }
            Builder::Text(builder) => builder.append_value(std::str::from_utf8(bytes).map_err(|_| Mangled)?),
            Builder::Label(labels) => labels.append(bytes)?,
        }
        Ok(())
    }

    fn append_null(&mut self) {
        match self {
            Builder::Uuid(builder) => builder.append_null(),
            Builder::Integer(builder) => builder.append_null(),
            Builder::Numeric(_, Some(texts)) => texts.append_null(),
            Builder::Numeric(integers, None) => integers.append_null(),
            Builder::Float(builder) => builder.append_null(),
            Builder::Boolean(builder) => builder.append_null(),
            Builder::Zoned(builder) | Builder::Wall(builder) | Builder::Date(builder) => {
                builder.append_null()
            }
            Builder::Text(builder) => builder.append_null(),
            Builder::Label(labels) => labels.keys.append_null(),
        }
    }

    /// The column; the builder is empty again.
    pub fn finish(&mut self) -> ArrayRef {
        match self {
            Builder::Uuid(builder) => Arc::new(builder.finish()),
            Builder::Integer(builder) => Arc::new(builder.finish()),
            Builder::Numeric(integers, texts) => match texts.take() {
                Some(mut texts) => Arc::new(texts.finish()),
                None => Arc::new(integers.finish()),
            },
            Builder::Float(builder) => Arc::new(builder.finish()),
            Builder::Boolean(builder) => Arc::new(builder.finish()),
            Builder::Zoned(builder) => {
                let array = builder.finish();
                Arc::new(if array.timezone().is_some() { array } else { array.with_timezone("UTC") })
            }
            Builder::Wall(builder) | Builder::Date(builder) => Arc::new(builder.finish()),
            Builder::Text(builder) => Arc::new(builder.finish()),
            Builder::Label(labels) => labels.finish(),
        }
    }
}

/// Bytes that are not what the column's type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mangled;

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Mangled> {
    bytes.try_into().map_err(|_| Mangled)
}

fn integer(bytes: &[u8]) -> Result<i64, Mangled> {
    match bytes.len() {
        2 => Ok(i64::from(i16::from_be_bytes(fixed(bytes)?))),
        4 => Ok(i64::from(i32::from_be_bytes(fixed(bytes)?))),
        _ => Ok(i64::from_be_bytes(fixed(bytes)?)),
    }
}

/// From PostgreSQL's epoch; its infinities stay the ends of the range.
fn since_1970(micros: i64) -> i64 {
    match micros {
        i64::MAX | i64::MIN => micros,
        // Times after the year 294246 do not fit: they are as good as infinite.
        micros => micros.saturating_add(EPOCH_MICROS),
    }
}

fn append_numeric(
    integers: &mut Int64Builder,
    texts: &mut Option<StringBuilder>,
    bytes: &[u8],
) -> Result<(), Mangled> {
    match (numeric::decode(bytes).ok_or(Mangled)?, &mut *texts) {
        (Number::Integer(value), None) => integers.append_value(value),
        (Number::Integer(value), Some(texts)) => texts.append_value(value.to_string()),
        (Number::Other(text), Some(texts)) => texts.append_value(text),
        (Number::Other(text), None) => {
            let mut all = StringBuilder::new();
            all.extend(integers.finish().iter().map(|value| value.map(|value| value.to_string())));
            all.append_value(text);
            *texts = Some(all);
        }
    }
    Ok(())
}

/// Labels are interned: a chunk's column is keys into the list of distinct labels.
#[derive(Debug, Default)]
pub(super) struct Labels {
    keys: Int32Builder,
    known: FxHashMap<Box<[u8]>, i32>,
    list: StringBuilder,
    /// The list as an array, until a new label comes.
    values: Option<Arc<StringArray>>,
}

/// Above this many distinct labels the list starts anew with each chunk.
const LABELS_KEPT: usize = 1024;

impl Labels {
    fn append(&mut self, bytes: &[u8]) -> Result<(), Mangled> {
        let key = match self.known.get(bytes) {
            Some(key) => *key,
            None => {
                let key = i32::try_from(self.known.len()).map_err(|_| Mangled)?;
                self.list.append_value(std::str::from_utf8(bytes).map_err(|_| Mangled)?);
                self.known.insert(bytes.into(), key);
                self.values = None;
                key
            }
        };
        self.keys.append_value(key);
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        let keys = self.keys.finish();
        let values = self.values.take().unwrap_or_else(|| Arc::new(self.list.finish_cloned()));
        if values.len() > LABELS_KEPT {
            self.known.clear();
            self.list = StringBuilder::new();
        } else {
            self.values = Some(values.clone());
        }
        let array = DictionaryArray::<Int32Type>::try_new(keys, values);
        Arc::new(array.expect("every key was given when its label was listed"))
    }
}
