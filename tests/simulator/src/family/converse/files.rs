//! Images and documents in the messages.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::catalog::Model;
use crate::error::AwsError;
use crate::family::{field, image, list};

type Check = Result<(), AwsError>;

/// Documents of one request, and bytes of one document:
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference.html>.
const MAX_DOCUMENTS: usize = 5;
const MAX_DOCUMENT: usize = 4_500_000;
/// Media that only some models take.
const MEDIA: [&str; 3] = ["image", "video", "audio"];

pub(super) fn check(model: &Model, body: &Value) -> Check {
    let mut names = BTreeSet::new();
    for (at, message) in list(body, "messages").iter().enumerate() {
        let blocks = list(message, "content");
        let nested = blocks
            .iter()
            .filter_map(|block| block.get("toolResult"))
            .flat_map(|result| list(result, "content"));
        for block in blocks.iter().chain(nested) {
            check_media(model, block)?;
            if let Some(document) = block.get("document") {
                check_document(model, document)?;
                if !names.insert(field(document, "name").unwrap_or_default()) {
                    return Err(AwsError::validation("Document names must be unique."));
                }
            }
        }
        check_companion(at, blocks)?;
    }
    match names.len() > MAX_DOCUMENTS {
        true => Err(AwsError::validation(format!(
            "Too many documents: a request takes at most {MAX_DOCUMENTS}."
        ))),
        false => Ok(()),
    }
}

/// A message with a document says what to do with it.
fn check_companion(at: usize, blocks: &[Value]) -> Check {
    let has = |kind: &str| blocks.iter().any(|block| block.get(kind).is_some());
    match has("document") && !has("text") {
        true => Err(AwsError::validation(format!(
            "messages.{at}.content: a text block must accompany a document."
        ))),
        false => Ok(()),
    }
}

fn check_media(model: &Model, block: &Value) -> Check {
    for kind in MEDIA {
        if block.get(kind).is_some() && !model.can(kind) {
            return Err(AwsError::validation(format!(
                "This model doesn't support the {kind} field. Remove {kind} and try again."
            )));
        }
    }
    block.get("image").map_or(Ok(()), check_image)
}

/// An image is base64 of the format that it says it is.
pub(crate) fn check_image(image: &Value) -> Check {
    let Some(text) = image.pointer("/source/bytes").and_then(Value::as_str) else {
        return Ok(());
    };
    let said = format!("image/{}", field(image, "format").unwrap_or_default());
    let bytes = image::decode(text)
        .ok_or_else(|| AwsError::validation("The provided image bytes are not valid base64."))?;
    match image::sniff(&bytes) {
        Some(found) if found == said => Ok(()),
        Some(found) => Err(AwsError::validation(format!(
            "The image was specified using the {said} media type, but the image appears to be a {found} image"
        ))),
        None => Err(AwsError::validation("Could not process image")),
    }
}

fn check_document(model: &Model, document: &Value) -> Check {
    let format = field(document, "format");
    if format == Some("pdf") && !model.can("pdf") {
        return Err(AwsError::validation(
            "This model doesn't support documents. Remove document and try again.",
        ));
    }
    let Some(text) = document.pointer("/source/bytes").and_then(Value::as_str) else {
        return Ok(());
    };
    if format.is_none() {
        return Err(AwsError::validation(
            "The format field of a document with bytes must not be null.",
        ));
    }
    let bytes = image::decode(text)
        .ok_or_else(|| AwsError::validation("The provided document bytes are not valid base64."))?;
    // Large PDF files are for Claude and Nova, the models with `pdf`.
    if bytes.len() > MAX_DOCUMENT && format != Some("pdf") {
        return Err(AwsError::validation(
            "The document exceeds the maximum size of 4.5 MB.",
        ));
    }
    match format == Some("pdf") && !bytes.starts_with(b"%PDF") {
        true => Err(AwsError::validation("The PDF specified was not valid.")),
        false => Ok(()),
    }
}
