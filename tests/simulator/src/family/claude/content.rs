//! Content blocks: which are known, where they may be, what they contain.

use super::node::{Check, Node};
use serde_json::Value;

use super::{thinking, tools};
use crate::error::AwsError;
use crate::family::image;

/// Where a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    User,
    Assistant,
    System,
    /// Inside a `tool_result`.
    Result,
}

const BLOCKS: [&str; 11] = [
    "document",
    "image",
    "redacted_thinking",
    "search_result",
    "server_tool_use",
    "text",
    "thinking",
    "tool_reference",
    "tool_result",
    "tool_search_tool_result",
    "tool_use",
];
const IMAGES: [&str; 4] = ["image/gif", "image/jpeg", "image/png", "image/webp"];

/// The `content` of one message.
pub(super) fn check_message(message: &Node<'_>, place: Place) -> Check {
    let content = message.require("content")?;
    if let Some(text) = content.value.as_str() {
        if text.is_empty() {
            return Err(message.refuse("all messages must have non-empty content"));
        }
        return check_text(text, "messages");
    }
    let blocks = content.items()?;
    if blocks.is_empty() {
        return Err(message.refuse("all messages must have non-empty content"));
    }
    blocks
        .iter()
        .try_for_each(|block| check_block(block, place))
}

/// Text must say something.
pub(super) fn check_text(text: &str, field: &str) -> Check {
    match text {
        "" => Err(AwsError::validation(format!(
            "{field}: text content blocks must be non-empty"
        ))),
        blank if blank.trim().is_empty() => Err(AwsError::validation(format!(
            "{field}: text content blocks must contain non-whitespace text"
        ))),
        _ => Ok(()),
    }
}

pub(super) fn check_block(block: &Node<'_>, place: Place) -> Check {
    let tag = block.tag(&BLOCKS)?;
    let inner = block.tagged(tag);
    let belongs = match tag {
        "text" => true,
        "image" | "document" | "search_result" => matches!(place, Place::User | Place::Result),
        "tool_result" => place == Place::User,
        "tool_reference" => place == Place::Result,
        _ => place == Place::Assistant,
    };
    if !belongs {
        return Err(block.refuse(&format!("`{tag}` blocks are not allowed here")));
    }
    check_cache_control(&inner)?;
    if let Some(citations) = inner.get("citations").filter(|own| own.value.is_null()) {
        return Err(citations.refuse("Input should be a valid list"));
    }
    match tag {
        "text" => check_text_block(&inner, place),
        "image" => check_image(&inner),
        "document" => check_document(&inner),
        "tool_use" => tools::check_use(&inner),
        "tool_result" => check_result(&inner),
        "thinking" => {
            strings(&inner, &["thinking", "signature"])?;
            thinking::check_signed(block)
        }
        "server_tool_use" | "tool_search_tool_result" | "tool_reference" => Ok(()),
        "redacted_thinking" => {
            strings(&inner, &["data"])?;
            let data = inner.require("data")?;
            if data.text()?.is_empty() {
                return Err(data.refuse("Field required"));
            }
            thinking::check_redacted(block)
        }
        _ => inner.only(&[
            "type",
            "source",
            "title",
            "content",
            "citations",
            "cache_control",
        ]),
    }
}

fn check_text_block(block: &Node<'_>, place: Place) -> Check {
    block.only(&["type", "text", "cache_control", "citations"])?;
    let field = match place {
        Place::System => "system",
        _ => "messages",
    };
    check_text(block.require("text")?.text()?, field)
}

/// A block with these string fields and no others.
fn strings(block: &Node<'_>, fields: &[&str]) -> Check {
    block.only(&[&["type"], fields].concat())?;
    fields
        .iter()
        .try_for_each(|field| block.require(field)?.text().map(drop))
}

fn check_result(block: &Node<'_>) -> Check {
    block.only(&[
        "type",
        "tool_use_id",
        "content",
        "is_error",
        "cache_control",
    ])?;
    tools::check_id(&block.require("tool_use_id")?)?;
    if let Some(flag) = block.get("is_error") {
        flag.boolean()?;
    }
    let has_failed = block
        .get("is_error")
        .is_some_and(|flag| flag.value == &Value::Bool(true));
    let lacks_text = "content cannot be empty if `is_error` is true";
    match block.get("content") {
        None if has_failed => Err(block.refuse(lacks_text)),
        None => Ok(()),
        Some(content) if content.value.is_string() => match content.text()? {
            "" if has_failed => Err(block.refuse(lacks_text)),
            _ => Ok(()),
        },
        Some(content) => {
            let items = content.items()?;
            if has_failed && items.is_empty() {
                return Err(block.refuse(lacks_text));
            }
            let is_text =
                |inner: &Node<'_>| inner.value.get("type").is_some_and(|own| own == "text");
            if has_failed && !items.iter().all(is_text) {
                return Err(block.refuse("all content must be type `text` if `is_error` is true"));
            }
            items
                .iter()
                .try_for_each(|inner| check_block(inner, Place::Result))
        }
    }
}

fn check_cache_control(block: &Node<'_>) -> Check {
    let Some(control) = block.get("cache_control") else {
        return Ok(());
    };
    control.tag(&["ephemeral"])?;
    control.only(&["type", "ttl"])?;
    match control.get("ttl") {
        Some(ttl) if !matches!(ttl.text()?, "5m" | "1h") => {
            Err(ttl.refuse("Input should be '5m' or '1h'"))
        }
        _ => Ok(()),
    }
}

fn check_image(block: &Node<'_>) -> Check {
    block.only(&["type", "source", "cache_control"])?;
    let source = block.require("source")?;
    source.tag(&["base64"])?;
    let source = source.tagged("base64");
    source.only(&["type", "media_type", "data"])?;
    let media_type = source.require("media_type")?;
    let declared = media_type.text()?;
    if !IMAGES.contains(&declared) {
        return Err(media_type
            .refuse("Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'"));
    }
    let data = source.require("data")?;
    match image::sniff(&decode(&source, &data)?) {
        None => Err(data.refuse("Could not process image")),
        Some(found) if found != declared => Err(data.refuse(&format!(
            "The image was specified using the {declared} media type, but the image appears to be a {found} image"
        ))),
        Some(_) => Ok(()),
    }
}

fn check_document(block: &Node<'_>) -> Check {
    block.only(&[
        "type",
        "source",
        "title",
        "context",
        "citations",
        "cache_control",
    ])?;
    let source = block.require("source")?;
    match source.tag(&["base64", "content", "text"])? {
        "base64" => {
            let source = source.tagged("base64");
            source.only(&["type", "media_type", "data"])?;
            let media_type = source.require("media_type")?;
            if media_type.text()? != "application/pdf" {
                return Err(media_type.refuse("Input should be 'application/pdf'"));
            }
            let data = source.require("data")?;
            match decode(&source, &data)?.starts_with(b"%PDF") {
                true => Ok(()),
                false => Err(data.refuse("The PDF specified was not valid.")),
            }
        }
        "text" => strings(&source, &["media_type", "data"]),
        _ => source.only(&["type", "content"]),
    }
}

fn decode(source: &Node<'_>, data: &Node<'_>) -> Result<Vec<u8>, AwsError> {
    image::decode(data.text()?).ok_or_else(|| source.refuse("invalid base64 data"))
}
