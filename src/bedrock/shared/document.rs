//! Files of the request, as Bedrock takes them.

use crate::bedrock::shared::base64::Base64;
use crate::bedrock::shared::conversation::{Document, Documents};
use crate::bedrock::shared::image::split_data_uri;
use crate::chat::Error;
use crate::openai::Part;

/// Media types that Converse takes, with the file name endings that say so.
///
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html>
const MEDIA_TYPES: &[(&str, &str)] = &[
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

/// Converse's name of a media type's format.
pub(in crate::bedrock) fn format(media_type: &str) -> &'static str {
    MEDIA_TYPES
        .iter()
        .find(|(own, _)| *own == media_type)
        .map_or("txt", |(_, format)| format)
}

/// Whether an `image_url` part is really a file: some clients send PDFs that way.
pub(in crate::bedrock) fn is_data_uri(part: &Part<'_>) -> bool {
    part.image_url
        .as_ref()
        .and_then(|image| split_data_uri(&image.url))
        .is_some_and(|(media_type, _)| media_type_of(media_type, None).is_some())
}

/// Reads a `file` part.
///
/// # Errors
///
/// A 400 at `param` when the model does not read such a file.
pub(in crate::bedrock) fn parse<'a>(
    part: &'a Part<'_>,
    param: &str,
    accepted: Documents,
) -> Result<Document<'a>, Error> {
    if accepted == Documents::None {
        let message = "This model does not read files; send their text.";
        return Err(Error::unsupported(format!("{param}.type"), message));
    }
    let file = part.file.as_ref();
    if file.is_some_and(|file| file.file_id.is_some()) {
        let message = "Files uploaded to OpenAI are not visible to Bedrock; send 'file_data'.";
        return Err(Error::unsupported(format!("{param}.file.file_id"), message));
    }
    let data = file
        .and_then(|file| file.file_data.as_deref())
        .or_else(|| part.image_url.as_ref().map(|image| &*image.url));
    let Some(data) = data else {
        let param = format!("{param}.file.file_data");
        let message = format!("Missing required parameter: '{param}'.");
        return Err(Error::invalid(param, message).code("missing_required_parameter"));
    };
    let name = file.and_then(|file| file.filename.as_deref());
    let (declared, data) = split_data_uri(data).unwrap_or(("", data));
    let media_type = media_type_of(declared, name)
        .filter(|media_type| accepts(accepted, media_type))
        .ok_or_else(|| {
            let message = match accepted {
                Documents::PdfAndText => "This model reads PDF and plain text files only.",
                _ => "This model reads PDF, Word, Excel, CSV, HTML, Markdown and text files only.",
            };
            Error::unsupported(format!("{param}.file"), message)
        })?;
    let data = Base64::parse(data).ok_or_else(|| {
        let message = "The file is not valid base64.";
        Error::invalid(format!("{param}.file.file_data"), message)
    })?;
    Ok(Document {
        media_type,
        name,
        data,
    })
}

fn accepts(accepted: Documents, media_type: &str) -> bool {
    accepted == Documents::Office || matches!(media_type, "application/pdf" | "text/plain")
}

fn media_type_of(declared: &str, name: Option<&str>) -> Option<&'static str> {
    let ending = name
        .and_then(|name| name.rsplit_once('.'))
        .map(|(_, ending)| ending);
    MEDIA_TYPES
        .iter()
        .find(|(media_type, _)| media_type.eq_ignore_ascii_case(declared))
        .or_else(|| {
            let same = |own: &str| ending.is_some_and(|e| e.eq_ignore_ascii_case(own));
            MEDIA_TYPES.iter().find(|(_, own)| same(own))
        })
        .map(|(media_type, _)| *media_type)
}
