//! Images of the request, in the form that Bedrock takes: base64 with the right media type.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

use crate::bedrock::shared::base64::Base64;
use crate::chat::{At, Error, Field, Place, Source, media};
use crate::json::Verbatim;

/// An image inside a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::bedrock) struct Image<'a> {
    /// `image/png`, `image/jpeg`, `image/gif` or `image/webp`.
    pub(in crate::bedrock) media_type: &'static str,
    pub(in crate::bedrock) data: Base64<'a>,
}

/// Media types that models on Bedrock read, with the first bytes of their files.
///
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ImageBlock.html>
const MEDIA_TYPES: &[(&str, &[u8])] = &[
    ("image/png", b"\x89PNG\r\n\x1a\n"),
    ("image/jpeg", b"\xff\xd8\xff"),
    ("image/gif", b"GIF8"),
    ("image/webp", b"RIFF"),
];

/// Length of base64 text that decodes to enough bytes to recognise a file.
const HEAD_LEN: usize = 16;

impl<'a> Image<'a> {
    /// Reads an image.
    ///
    /// The file's own first bytes win over the declared type, because clients often mislabel images and Bedrock then
    /// refuses them.
    ///
    /// # Errors
    ///
    /// A 400 when it is not base64, or of a type that models do not read.
    pub(in crate::bedrock) fn read(source: &'a Source<'_>, at: At) -> Result<Self, Error> {
        let place = Place::Block(at, Field::Image);
        let (declared, data) = match source {
            Source::Base64 { media_type, data } => (&**media_type, &**data),
            Source::Uri(uri) if uri.starts_with("http://") || uri.starts_with("https://") => {
                let message = "Bedrock does not fetch images; send the image itself as a data URI \
                               (data:image/png;base64,…).";
                return Err(Error::unsupported(place, message));
            }
            Source::Uri(uri) => media::split_data_uri(uri).ok_or_else(|| {
                let message = "The image is not a base64 data URI (data:image/png;base64,…).";
                Error::invalid(place.clone(), message)
            })?,
        };
        let Some(data) = Base64::parse(data) else {
            return Err(Error::invalid(place, "The image is not valid base64."));
        };
        let media_type = sniff(&data).or_else(|| known(declared)).ok_or_else(|| {
            let message =
                "The image is of a type that models do not read; use PNG, JPEG, GIF or WebP.";
            Error::unsupported(place, message)
        })?;
        Ok(Self { media_type, data })
    }
}

/// Whether an image is of a type that models read, as far as that can be told.
pub(in crate::bedrock) fn is_read(source: &Source<'_>) -> bool {
    let (declared, data) = match source {
        Source::Base64 { media_type, data } => (&**media_type, &**data),
        Source::Uri(uri) => match media::split_data_uri(uri) {
            Some(parts) => parts,
            None => return true,
        },
    };
    known(declared).is_some() || Base64::parse(data).is_none_or(|data| sniff(&data).is_some())
}

/// An image, written as a data URI without building the whole string first.
pub(in crate::bedrock) struct DataUri<'a>(pub(in crate::bedrock) &'a Image<'a>);

impl Serialize for DataUri<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Image { media_type, data } = self.0;
        Verbatim(format_args!("data:{media_type};base64,{data}")).serialize(serializer)
    }
}

fn sniff(data: &str) -> Option<&'static str> {
    let head = STANDARD.decode(data.get(..HEAD_LEN)?).ok()?;
    MEDIA_TYPES
        .iter()
        .find(|(_, magic)| head.starts_with(magic))
        .map(|(media_type, _)| *media_type)
}

fn known(declared: &str) -> Option<&'static str> {
    let declared = match declared {
        jpg if jpg.eq_ignore_ascii_case("image/jpg") => "image/jpeg",
        other => other,
    };
    MEDIA_TYPES
        .iter()
        .find(|(media_type, _)| media_type.eq_ignore_ascii_case(declared))
        .map(|(media_type, _)| *media_type)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Part;

    const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

    const AT: At = At {
        message: 0,
        part: Part::Content(1),
    };

    #[track_caller]
    fn check(uri: &str, media_type: &str, data: &str) {
        let source = Source::Uri(uri.into());
        let image = Image::read(&source, AT).unwrap();
        assert_eq!((image.media_type, &*image.data), (media_type, data));
    }

    #[test]
    fn the_bytes_win_over_the_declared_type() {
        for declared in ["image/png", "image/jpeg", "application/octet-stream"] {
            check(&format!("data:{declared};base64,{PNG}"), "image/png", PNG);
        }
        check("data:image/jpg;base64,AAAA", "image/jpeg", "AAAA");
        check("DATA:Image/PNG;Base64,AAAA", "image/png", "AAAA");
    }

    #[test]
    fn wrapped_base64_is_joined() {
        check("data:image/png;base64,AA\nAA", "image/png", "AAAA");
    }

    #[test]
    fn what_bedrock_cannot_read_is_refused_with_a_remedy() {
        for (url, text) in [
            ("https://example.com/a.png", "data URI"),
            ("data:image/png,AAAA", "data URI"),
            ("data:image/png;base64,", "base64"),
            ("data:image/png;base64,?", "base64"),
            ("data:image/tiff;base64,AAAA", "PNG, JPEG, GIF or WebP"),
            ("nonsense", "data URI"),
        ] {
            let source = Source::Uri(url.into());
            let error = Image::read(&source, AT).unwrap_err();
            assert!(error.message.contains(text), "{url}: {error}");
            assert_eq!(error.param, Some(Place::Block(AT, Field::Image)));
        }
    }
}
