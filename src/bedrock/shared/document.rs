//! Files of the request, in the form that Bedrock takes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::base64::Base64;
use crate::chat::{self, At, Error, Field, Place, Source, media};

const PDF: &str = "application/pdf";
const PLAIN: &str = "text/plain";

/// A file inside a request.
pub(in crate::bedrock) struct Document<'a> {
    pub(in crate::bedrock) media_type: &'static str,
    pub(in crate::bedrock) name: Option<&'a str>,
    pub(in crate::bedrock) context: Option<&'a str>,
    pub(in crate::bedrock) data: Base64<'a>,
}

/// How a file reaches a model.
pub(in crate::bedrock) enum Told<'a> {
    /// The file.
    File(Document<'a>),
    /// Its text, marked as a file's, because the model reads no files.
    Text(String),
}

/// Why a model cannot be told a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unread {
    /// It reads none of this kind.
    Kind,
    /// It is not base64.
    NoBase64,
}

/// Which files a model reads. Text files of any kind are told to every model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Documents {
    /// None.
    None,
    /// PDF and plain text.
    PdfAndText,
    /// What Converse takes.
    Office,
}

/// Converse's name for the format of a media type.
pub(in crate::bedrock) fn format(media_type: &str) -> &'static str {
    media::ending(media_type).unwrap_or("txt")
}

/// Reads a file. Text of a kind that the model does not know, such as source code, is plain text.
///
/// # Errors
///
/// A 400 when the model does not read such a file.
pub(in crate::bedrock) fn read<'a>(
    document: &'a chat::Document<'_>,
    at: At,
    accepted: Documents,
) -> Result<Told<'a>, Error> {
    told(document, accepted).map_err(|why| match why {
        Unread::Kind => refused(accepted, at),
        Unread::NoBase64 => no_base64(at),
    })
}

/// Whether a model reads files of a file's kind.
pub(in crate::bedrock) fn is_read(document: &chat::Document<'_>, accepted: Documents) -> bool {
    !matches!(told(document, accepted), Err(Unread::Kind))
}

fn told<'a>(document: &'a chat::Document<'_>, accepted: Documents) -> Result<Told<'a>, Unread> {
    let name = document.name.as_deref();
    let (declared, data) = match &document.source {
        Source::Uri(uri) => media::split_data_uri(uri).unwrap_or(("", uri)),
        Source::Base64 { media_type, data } => (&**media_type, &**data),
    };
    let media_type = media::document(declared, name);
    let file = |media_type, data| {
        Told::File(Document {
            media_type,
            name,
            context: document.context.as_deref(),
            data,
        })
    };
    let data = Base64::parse(data);
    if let Some(media_type) = media_type.filter(|own| accepts(accepted, own)) {
        return Ok(file(media_type, data.ok_or(Unread::NoBase64)?));
    }
    if media_type.is_some_and(|media_type| !is_text(media_type)) {
        return Err(Unread::Kind);
    }
    let data = data.ok_or(Unread::NoBase64)?;
    let text = text(&data).ok_or(Unread::Kind)?;
    Ok(match accepted {
        Documents::None => Told::Text(marked(name, document.context.as_deref(), &text)),
        Documents::PdfAndText | Documents::Office => file(PLAIN, data),
    })
}

/// Whether a file is text, which every model can be told.
pub(in crate::bedrock) fn is_text_file(document: &chat::Document<'_>) -> bool {
    told(document, Documents::None).is_ok()
}

fn accepts(accepted: Documents, media_type: &str) -> bool {
    match accepted {
        Documents::None => false,
        Documents::PdfAndText => matches!(media_type, PDF | PLAIN),
        Documents::Office => true,
    }
}

fn is_text(media_type: &str) -> bool {
    media_type.starts_with("text/")
}

/// What the base64 holds, if that is text.
fn text(data: &Base64<'_>) -> Option<String> {
    let bytes = STANDARD.decode(data.as_bytes()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    (!text.contains('\0')).then_some(text)
}

/// A text between marks that say where the file begins and ends.
fn marked(name: Option<&str>, context: Option<&str>, text: &str) -> String {
    let attribute = |what: &str, value: Option<&str>| {
        let value = value.filter(|value| !value.trim().is_empty());
        value.map_or_else(String::new, |value| {
            format!(" {what}=\"{}\"", value.replace('"', "&quot;"))
        })
    };
    let (name, context) = (attribute("name", name), attribute("context", context));
    let text = text.trim_end();
    format!("<document{name}{context}>\n{text}\n</document>")
}

fn no_base64(at: At) -> Error {
    Error::invalid(
        Place::Block(at, Field::FileData),
        "The file is not valid base64.",
    )
}

fn refused(accepted: Documents, at: At) -> Error {
    let (field, message) = match accepted {
        Documents::None => (
            Field::Kind,
            "This model reads text files only; send the text of this one.",
        ),
        Documents::PdfAndText => (Field::File, "This model reads PDF and text files only."),
        Documents::Office => (
            Field::File,
            "This model reads PDF, Word, Excel, CSV, HTML, Markdown and text files only.",
        ),
    };
    Error::unsupported(Place::Block(at, field), message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Part;

    const AT: At = At {
        message: 0,
        part: Part::Whole,
    };

    /// What a model is told of a file: its media type, its text, or why it is refused.
    fn told(declared: &str, name: &str, bytes: &[u8], accepted: Documents) -> String {
        let document = chat::Document {
            name: Some(name.into()),
            context: None,
            source: Source::Base64 {
                media_type: declared.into(),
                data: STANDARD.encode(bytes).into(),
            },
        };
        match read(&document, AT, accepted) {
            Ok(Told::File(file)) => file.media_type.to_owned(),
            Ok(Told::Text(text)) => text,
            Err(error) => error.message,
        }
    }

    #[test]
    fn text_of_any_kind_is_plain_text_where_its_kind_is_not_known() {
        for (declared, name) in [
            ("text/markdown", "a.md"),
            ("", "a.csv"),
            ("text/html", "a"),
            ("application/json", "a.json"),
            ("text/x-python", "a.py"),
            ("application/octet-stream", "Makefile"),
        ] {
            let plain = told(declared, name, b"x = 1", Documents::PdfAndText);
            assert_eq!(plain, PLAIN, "{declared} {name}");
            let inline = told(declared, name, b"x = 1", Documents::None);
            let expected = format!("<document name=\"{name}\">\nx = 1\n</document>");
            assert_eq!(inline, expected, "{declared} {name}");
        }
        let office = |declared, name| told(declared, name, b"x", Documents::Office);
        assert_eq!(office("text/markdown", "a.md"), "text/markdown");
        assert_eq!(office("text/x-rust", "a.rs"), PLAIN);
    }

    #[test]
    fn what_is_not_text_is_refused() {
        for (declared, bytes) in [
            ("application/zip", &b"PK\x03\x04\0\0"[..]),
            ("text/markdown", &b"\xff\xfe"[..]),
            ("application/msword", &b"words"[..]),
        ] {
            for accepted in [Documents::None, Documents::PdfAndText] {
                let message = told(declared, "a", bytes, accepted);
                assert!(
                    message.ends_with(".") && message.contains("only"),
                    "{message}"
                );
            }
        }
        let pdf = |accepted| told(PDF, "a", b"%PDF", accepted);
        assert_eq!(pdf(Documents::PdfAndText), PDF);
        assert!(pdf(Documents::None).contains("text files only"));
    }

    #[test]
    fn a_name_cannot_end_its_mark() {
        assert_eq!(
            marked(Some("a\">"), Some("\"b\""), "x\n"),
            "<document name=\"a&quot;>\" context=\"&quot;b&quot;\">\nx\n</document>"
        );
        assert_eq!(marked(None, None, ""), "<document>\n\n</document>");
    }
}
