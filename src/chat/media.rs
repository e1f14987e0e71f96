//! Media types of files, and data URIs.

/// Media types of the files that models read, with their file name extensions.
///
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html>
const DOCUMENTS: &[(&str, &str)] = &[
    ("application/pdf", "pdf"),
    ("text/plain", "txt"),
    ("text/csv", "csv"),
    ("application/msword", "doc"),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "docx",
    ),
    ("application/vnd.ms-excel", "xls"),
    (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "xlsx",
    ),
    ("text/html", "html"),
    ("text/markdown", "md"),
];

/// The file name extension for the media type of a file.
#[must_use]
pub fn ending(media_type: &str) -> Option<&'static str> {
    let known = DOCUMENTS.iter().find(|(own, _)| *own == media_type);
    known.map(|(_, ending)| *ending)
}

/// The media type of a file: the declared one, or else that of its extension.
#[must_use]
pub fn document(declared: &str, name: Option<&str>) -> Option<&'static str> {
    let ending = name
        .and_then(|name| name.rsplit_once('.'))
        .map(|(_, ending)| ending);
    DOCUMENTS
        .iter()
        .find(|(media_type, _)| media_type.eq_ignore_ascii_case(declared))
        .or_else(|| {
            let same = |own: &str| ending.is_some_and(|e| e.eq_ignore_ascii_case(own));
            DOCUMENTS.iter().find(|(_, own)| same(own))
        })
        .map(|(media_type, _)| *media_type)
}

/// The media type and the base64 of a data URI; what comes before the data is not case-sensitive.
///
/// <https://www.rfc-editor.org/rfc/rfc2397>
#[must_use]
pub fn split_data_uri(uri: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = uri.split_at_checked("data:".len())?;
    if !scheme.eq_ignore_ascii_case("data:") {
        return None;
    }
    let (head, data) = rest.split_once(',')?;
    let (head, encoding) = head.rsplit_once(';')?;
    if !encoding.eq_ignore_ascii_case("base64") {
        return None;
    }
    let media_type = head.split(';').next().unwrap_or(head);
    Some((media_type, data))
}
