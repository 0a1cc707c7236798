//! Binary values into arrow builders.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Int64Builder, StringBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, DictionaryArray, FixedSizeBinaryArray, Float64Array, Int32Array, Int64Array,
    StringArray, TimestampMicrosecondArray,
};
use arrow_buffer::{NullBuffer, NullBufferBuilder};
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
    Uuid(Plain<u8>),
    Integer(Plain<i64>),
    Numeric(Int64Builder, Option<StringBuilder>),
    Float(Plain<f64>),
    Boolean(BooleanBuilder),
    Zoned(Plain<i64>),
    Wall(Plain<i64>),
    Date(Plain<i64>),
    Text(StringBuilder),
    Label(Labels),
}

impl Builder {
    pub fn new(wire: Wire) -> Builder {
        match wire {
            Wire::Uuid => Builder::Uuid(Plain::default()),
            Wire::Small | Wire::Integer => Builder::Integer(Plain::default()),
            Wire::Numeric => Builder::Numeric(Int64Builder::new(), None),
            Wire::Float => Builder::Float(Plain::default()),
            Wire::Boolean => Builder::Boolean(BooleanBuilder::new()),
            Wire::Zoned => Builder::Zoned(Plain::default()),
            Wire::Wall => Builder::Wall(Plain::default()),
            Wire::Date => Builder::Date(Plain::default()),
            Wire::Text => Builder::Text(StringBuilder::new()),
            Wire::Label => Builder::Label(Labels::default()),
        }
    }

    /// Appends values, one kind of column in one loop; `None` is null.
    ///
    /// # Errors
    /// The bytes are not of the column's type.
    pub fn extend<'a>(&mut self, mut values: impl Iterator<Item = Option<&'a [u8]>>) -> Result<(), Mangled> {
        match self {
            Builder::Uuid(uuids) => values.try_for_each(|value| {
                uuids.append(value.map(fixed::<UUID_BYTES>).transpose()?);
                Ok(())
            }),
            Builder::Integer(integers) => integers.extend(values, integer),
            Builder::Numeric(integers, texts) => values.try_for_each(|value| {
                match (value, &mut *texts) {
                    (Some(bytes), _) => append_numeric(integers, texts, bytes)?,
                    (None, Some(texts)) => texts.append_null(),
                    (None, None) => integers.append_null(),
                }
                Ok(())
            }),
            Builder::Float(floats) => floats.extend(values, |bytes| match bytes.len() {
                4 => Ok(f64::from(f32::from_be_bytes(fixed(bytes)?))),
                _ => Ok(f64::from_be_bytes(fixed(bytes)?)),
            }),
            Builder::Boolean(flags) => values.try_for_each(|value| {
                let flag = value.map(|bytes| bytes.first().ok_or(Mangled)).transpose()?;
                flags.append_option(flag.map(|flag| *flag != 0));
                Ok(())
            }),
            Builder::Zoned(times) | Builder::Wall(times) => {
                times.extend(values, |bytes| Ok(since_1970(i64::from_be_bytes(fixed(bytes)?))))
            }
            Builder::Date(times) => times.extend(values, |bytes| {
                Ok(match i32::from_be_bytes(fixed(bytes)?) {
                    i32::MAX => i64::MAX,
                    i32::MIN => i64::MIN,
                    days => since_1970(i64::from(days) * DAY_MICROS),
                })
            }),
            Builder::Text(texts) => values.try_for_each(|value| {
                texts.append_option(value.map(std::str::from_utf8).transpose().map_err(|_| Mangled)?);
                Ok(())
            }),
            Builder::Label(labels) => values.try_for_each(|value| labels.append(value)),
        }
    }

    /// Appends one value.
    ///
    /// # Errors
    /// As [`Builder::extend`].
    pub fn append(&mut self, value: Option<&[u8]>) -> Result<(), Mangled> {
        self.extend(std::iter::once(value))
    }

    /// The column; the builder is empty again.
    pub fn finish(&mut self) -> ArrayRef {
        match self {
            Builder::Uuid(uuids) => {
                let (bytes, nulls) = uuids.finish();
                Arc::new(FixedSizeBinaryArray::new(UUID_BYTES as i32, bytes.into(), nulls))
            }
            Builder::Integer(integers) => {
                let (values, nulls) = integers.finish();
                Arc::new(Int64Array::new(values.into(), nulls))
            }
            Builder::Numeric(integers, texts) => match texts.take() {
                Some(mut texts) => Arc::new(texts.finish()),
                None => Arc::new(integers.finish()),
            },
            Builder::Float(floats) => {
                let (values, nulls) = floats.finish();
                Arc::new(Float64Array::new(values.into(), nulls))
            }
            Builder::Boolean(flags) => Arc::new(flags.finish()),
            Builder::Zoned(times) => Arc::new(times_of(times).with_timezone("UTC")),
            Builder::Wall(times) | Builder::Date(times) => Arc::new(times_of(times)),
            Builder::Text(texts) => Arc::new(texts.finish()),
            Builder::Label(labels) => labels.finish(),
        }
    }
}

fn times_of(times: &mut Plain<i64>) -> TimestampMicrosecondArray {
    let (values, nulls) = times.finish();
    TimestampMicrosecondArray::new(values.into(), nulls)
}

const UUID_BYTES: usize = 16;

/// Values of fixed size, and which of them are null.
#[derive(Debug)]
pub(super) struct Plain<T> {
    values: Vec<T>,
    nulls: NullBufferBuilder,
}

impl<T> Default for Plain<T> {
    fn default() -> Self {
        Plain { values: Vec::new(), nulls: NullBufferBuilder::new(0) }
    }
}

impl<T: Copy + Default> Plain<T> {
    /// Appends what makes up one value.
    fn append<const N: usize>(&mut self, value: Option<[T; N]>) {
        self.values.extend_from_slice(&value.unwrap_or([T::default(); N]));
        self.nulls.append(value.is_some());
    }

    fn extend<'a>(
        &mut self,
        mut values: impl Iterator<Item = Option<&'a [u8]>>,
        read: impl Fn(&[u8]) -> Result<T, Mangled>,
    ) -> Result<(), Mangled> {
        values.try_for_each(|value| {
            self.append(value.map(|bytes| read(bytes).map(|value| [value])).transpose()?);
            Ok(())
        })
    }

    fn finish(&mut self) -> (Vec<T>, Option<NullBuffer>) {
        let next = Vec::with_capacity(self.values.len());
        (std::mem::replace(&mut self.values, next), self.nulls.finish())
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
    keys: Plain<i32>,
    known: FxHashMap<Box<[u8]>, i32>,
    /// Labels by a few of their bytes: most rows have one of a few labels.
    seen: Vec<Option<(Box<[u8]>, i32)>>,
    list: StringBuilder,
    /// The list as an array, until a new label comes.
    values: Option<Arc<StringArray>>,
}

/// Above this many distinct labels the list starts anew with each chunk.
const LABELS_KEPT: usize = 1024;

/// Places for labels by a few of their bytes.
const SEEN: usize = 256;

impl Labels {
    fn append(&mut self, label: Option<&[u8]>) -> Result<(), Mangled> {
        let Some(bytes) = label else {
            self.keys.append::<1>(None);
            return Ok(());
        };
        let place = place_of(bytes);
        let key = match self.seen.get(place) {
            Some(Some((label, key))) if **label == *bytes => *key,
            _ => self.look_up(bytes, place)?,
        };
        self.keys.append(Some([key]));
        Ok(())
    }

    /// The key of a label that does not lie in its place.
    fn look_up(&mut self, bytes: &[u8], place: usize) -> Result<i32, Mangled> {
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
        self.seen.resize(SEEN, None);
        self.seen[place].get_or_insert_with(|| (bytes.into(), key));
        Ok(key)
    }

    fn finish(&mut self) -> ArrayRef {
        let (keys, nulls) = self.keys.finish();
        let values = self.values.take().unwrap_or_else(|| Arc::new(self.list.finish_cloned()));
        if values.len() > LABELS_KEPT {
            self.known.clear();
            self.seen.clear();
            self.list = StringBuilder::new();
        } else {
            self.values = Some(values.clone());
        }
        let array = DictionaryArray::<Int32Type>::try_new(Int32Array::new(keys.into(), nulls), values);
        Arc::new(array.expect("every key was given when its label was listed"))
    }
}

/// Length, first and last bytes tell the usual labels of a table apart.
fn place_of(label: &[u8]) -> usize {
    let [first, .., last] = label else { return label.len() };
    let middle = label[label.len() / 2];
    (label.len() + 31 * usize::from(*first) + 7 * usize::from(*last) + 3 * usize::from(middle)) % SEEN
}
