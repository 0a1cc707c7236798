//! Configured fields among the columns that a file has.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, make_array};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::DataType;

use super::control;
use super::json::{self, BrokenJson, texts};
use super::{SourceError, request::Request};
use crate::config::Field;

/// The columns of one file that serve a request.
#[derive(Debug)]
pub(super) struct Located {
    pub keys: Vec<Group>,
    pub details: Vec<Group>,
    /// The field of [`Request::id`] alone.
    pub id: Option<Group>,
}

/// A column with the fields that are in it.
#[derive(Debug)]
pub(super) struct Group {
    /// Position among the file's columns.
    pub column: usize,
    /// Name, for messages.
    pub name: String,
    /// Position in the request, and the path below the column; an empty path is the column itself.
    pub fields: Vec<(usize, Vec<String>)>,
}

impl Located {
    /// Finds the fields among the columns of the file `shown`.
    ///
    /// # Errors
    /// A column that is not there or stands twice: names the file, the nearest column and all.
    pub fn new(request: &Request, header: &[&str], shown: &str) -> Result<Located, SourceError> {
        let keys = groups(&request.keys, header, shown)?;
        let details = groups(&request.details, header, shown)?;
        let id = match request.id {
            Some(id) => groups(&request.details[id..=id], header, shown)?.pop(),
            None => None,
        };
        Ok(Located { keys, details, id })
    }
}

fn groups(fields: &[Field], header: &[&str], shown: &str) -> Result<Vec<Group>, SourceError> {
    let mut groups: Vec<Group> = Vec::new();
    for (at, field) in fields.iter().enumerate() {
        let (column, path) = locate(field, header, shown)?;
        match groups.iter_mut().find(|group| group.column == column) {
            Some(group) => group.fields.push((at, path)),
            None => {
                groups.push(Group { column, name: header[column].to_owned(), fields: vec![(at, path)] });
            }
        }
    }
    Ok(groups)
}

/// A column with the whole dotted name wins over a path into a column.
fn locate(field: &Field, header: &[&str], shown: &str) -> Result<(usize, Vec<String>), SourceError> {
    let find = |name: &str| -> Result<Option<usize>, SourceError> {
        let mut places = (0..header.len()).filter(|at| header[*at] == name);
        match (places.next(), places.next()) {
            (Some(_), Some(_)) => {
                Err(wrong(shown, format!("the column {name} stands twice: rename one of them")))
            }
            (first, _) => Ok(first),
        }
    };
    if let Some(column) = find(&field.written)? {
        return Ok((column, Vec::new()));
    }
    if !field.path.is_empty()
        && let Some(column) = find(&field.column)?
    {
        return Ok((column, field.path.clone()));
    }
    let name = &field.column;
    if let Some(blank) = header.iter().find(|other| other.trim() == name.trim()) {
        return Err(wrong(
            shown,
            format!(
                "has no column {name:?}, but {blank:?}: take the blanks around the names out of the header, or \
                 write the name as it stands there"
            ),
        ));
    }
    let likeness =
        |other: &&&str| (strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase()) * 1e6) as u64;
    let nearest = match header.iter().max_by_key(likeness) {
        Some(nearest) => format!("; the nearest is {nearest}"),
        None => String::new(),
    };
    Err(wrong(shown, format!("has no column {name}{nearest}; columns: {}", header.join(", "))))
}

fn wrong(shown: &str, message: String) -> SourceError {
    SourceError::Malformed { place: shown.to_owned(), message }
}

impl Group {
    /// Hands the column's array to its fields, paths followed.
    ///
    /// # Errors
    /// The first row whose text is no JSON.
    pub fn deliver(&self, array: &ArrayRef, fields: &mut [Option<ArrayRef>]) -> Result<(), BrokenJson> {
        let (mut places, mut paths) = (Vec::new(), Vec::new());
        for (at, path) in &self.fields {
            let (below, rest) = descend(array, path);
            if rest.is_empty() {
                fields[*at] = Some(below);
            } else if Arc::ptr_eq(&below, array) {
                places.push(*at);
                paths.push(rest);
            } else {
                fields[*at] = json_column(&below, &[rest])?.pop();
            }
        }
        if !paths.is_empty() {
            for (at, column) in places.into_iter().zip(json_column(array, &paths)?) {
                fields[at] = Some(column);
            }
        }
        Ok(())
    }
}

/// A column that holds no text (a file without any row gives the type null) has nothing below it.
fn json_column(array: &ArrayRef, paths: &[&[String]]) -> Result<Vec<ArrayRef>, BrokenJson> {
    match texts(array.as_ref()) {
        Some(texts) => json::follow(texts, paths),
        None => json::follow(std::iter::repeat_n(None, array.len()), paths),
    }
}

/// Follows a path through structs as far as they go.
fn descend<'p>(array: &ArrayRef, path: &'p [String]) -> (ArrayRef, &'p [String]) {
    let (mut array, mut path) = (array.clone(), path);
    while let (DataType::Struct(_), [key, rest @ ..]) = (array.data_type(), path) {
        let structs = array.as_struct();
        let Some(below) = structs.column_by_name(key) else { break };
        // A member of a struct that is null is null, whatever stands in its array.
        let nulls = NullBuffer::union(structs.nulls(), below.nulls());
        let data = below.to_data().into_builder().nulls(nulls).build();
        array = match data {
            Ok(data) => make_array(data),
            Err(_) => below.clone(),
        };
        path = rest;
    }
    (array, path)
}

/// The rows of a column of ids that have none: null, text of no length, or a number that is no integer.
/// `None`: all have one.
pub(super) fn missing(ids: &dyn Array) -> Option<BooleanBuffer> {
    let missing = match texts(ids) {
        Some(texts) => BooleanBuffer::from_iter(texts.map(|text| text.is_none_or(str::is_empty))),
        None if is_number(ids.data_type()) => {
            BooleanBuffer::from_iter(control::amounts(ids).map(|id| id.is_none()))
        }
        None => !ids.logical_nulls()?.inner(),
    };
    (missing.count_set_bits() > 0).then_some(missing)
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_integer()
        || matches!(data_type, DataType::Float32 | DataType::Float64 | DataType::Decimal128(_, _))
}

/// The arrays of a request, all there.
pub(super) fn complete(fields: Vec<Option<ArrayRef>>) -> Vec<ArrayRef> {
    fields.into_iter().map(|field| field.expect("every field of a request has a group")).collect()
}
