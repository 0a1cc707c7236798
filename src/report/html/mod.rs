//! `report.html`.
use super::{Model, ReportError, WrittenFile};

/// render
pub fn render(_model: &Model<'_>, _files: &[WrittenFile]) -> Result<String, ReportError> {
    Ok(String::new())
}
