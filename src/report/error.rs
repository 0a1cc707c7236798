//! Why a report could not be made.

use super::place::PlaceError;

/// Why a report could not be made. Every one means exit 2.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A directory or file could not be written.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A JSON file could not be made.
    #[error("cannot make {file}: {source}")]
    Json {
        /// The file.
        file: &'static str,
        /// Why.
        source: serde_json::Error,
    },
    /// The workbook could not be made.
    #[error("cannot make audit.xlsx: {0}")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// The page of a pack could not be made.
    #[error("cannot make audit.html: {0}")]
    PackPage(#[from] askama::Error),
    /// The page of a certificate could not be made.
    #[error("cannot make certificate.html: {0}")]
    Certificate(askama::Error),
    /// The page could not be made.
    #[error("cannot make report.html: {0}")]
    Html(std::io::Error),
}
