//! Files of the request, as Bedrock takes them.

use super::base64::Base64;
use super::conversation::{Document, Documents};
use crate::chat::{self, At, Error, Field, Place, Source, media};

/// Converse's name of a media type's format.
pub(in crate::bedrock) fn format(media_type: &str) -> &'static str {
    media::ending(media_type).unwrap_or("txt")
}

/// Reads a file.
///
/// # Errors
///
/// A 400 when the model does not read such a file.
pub(in crate::bedrock) fn read<'a>(
    document: &'a chat::Document<'_>,
    at: At,
    accepted: Documents,
) -> Result<Document<'a>, Error> {
    if accepted == Documents::None {
        let message = "This model does not read files; send their text.";
        return Err(Error::unsupported(Place::Block(at, Field::Kind), message));
    }
    let name = document.name.as_deref();
    let (declared, data) = match &document.source {
        Source::Uri(uri) => media::split_data_uri(uri).unwrap_or(("", uri)),
        Source::Base64 { media_type, data } => (&**media_type, &**data),
    };
    let media_type = media::document(declared, name)
        .filter(|media_type| accepts(accepted, media_type))
        .ok_or_else(|| {
            let message = match accepted {
                Documents::PdfAndText => "This model reads PDF and plain text files only.",
                _ => "This model reads PDF, Word, Excel, CSV, HTML, Markdown and text files only.",
            };
            Error::unsupported(Place::Block(at, Field::File), message)
        })?;
    let data = Base64::parse(data).ok_or_else(|| {
        let message = "The file is not valid base64.";
        Error::invalid(Place::Block(at, Field::FileData), message)
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
