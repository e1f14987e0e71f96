//! The parts of messages: OpenAI's own, and those of other APIs that mean the same.
//!
//! Agents that speak Anthropic's or OpenAI's newer API to some models send its parts here too.
//! <https://docs.claude.com/en/api/messages>, <https://platform.openai.com/docs/api-reference/responses>

use serde_json::value::RawValue;

use super::arguments::input;
use super::blocks::{Spot, blocks};
use super::content::{Content, File, Part as WirePart, PartSource};
use super::error::missing;
use super::fault::inner;
use crate::chat::{
    BlockContent, Document, Error, Field, Place, Source, ToolResult, ToolUse, media,
};
use crate::json::Text;

type Read<'a> = Result<Option<BlockContent<'a>>, Error>;

pub(in crate::protocol) fn system_part(part: WirePart<'_>, at: Spot) -> Read<'_> {
    match &*part.kind {
        "text" | "input_text" => Ok(part.text.map(BlockContent::Text)),
        kind => Err(unsupported_part(kind, at, at.words.system)),
    }
}

pub(in crate::protocol) fn user_part(part: WirePart<'_>, at: Spot) -> Read<'_> {
    match &*part.kind {
        "tool_result" => tool_result(&part, at).map(Some),
        _ => shown_part(part, at),
    }
}

/// What is shown to the model: by the user, or as the result of a tool.
pub(in crate::protocol) fn shown_part(part: WirePart<'_>, at: Spot) -> Read<'_> {
    match &*part.kind {
        "text" | "input_text" | "output_text" => Ok(part.text.map(BlockContent::Text)),
        "image_url" | "input_image" => {
            let source = match part.image_url {
                Some(image) => Source::Uri(image.url),
                None if part.file_id.is_some() => return Err(uploaded(&at.path(), "image_url")),
                None => return Err(missing(format!("{}.image_url", at.path()))),
            };
            Ok(Some(if is_file(&source) {
                BlockContent::Document(Document {
                    name: None,
                    context: None,
                    source,
                })
            } else {
                BlockContent::Image(source)
            }))
        }
        "file" | "input_file" => file(part, at).map(Some),
        "image" => match source(&part, at)? {
            Shown::Bytes(source) => Ok(Some(BlockContent::Image(source))),
            Shown::Text(text) => Ok(Some(BlockContent::Text(text))),
        },
        "document" => {
            let name = part.title.map(|title| text(title, at, "title"));
            Ok(Some(match source(&part, at)? {
                Shown::Bytes(source) => BlockContent::Document(Document {
                    name: name.transpose()?,
                    context: None,
                    source,
                }),
                Shown::Text(text) => BlockContent::Text(text),
            }))
        }
        kind => Err(unsupported_part(kind, at, at.words.user)),
    }
}

pub(in crate::protocol) fn assistant_part(part: WirePart<'_>, at: Spot) -> Read<'_> {
    match &*part.kind {
        "text" | "output_text" | "input_text" => Ok(part.text.map(BlockContent::Text)),
        "refusal" => Ok(part.refusal.map(BlockContent::Text)),
        "thinking" => Ok(Some(thinking(part.thinking, part.signature))),
        "redacted_thinking" => Ok(redacted(part.data)),
        // Without a signature no model takes it back.
        "reasoning" | "reasoning_text" => Ok(None),
        "tool_use" => tool_use(&part, at).map(Some),
        kind => Err(unsupported_part(kind, at, at.words.assistant)),
    }
}

/// Whether an image is really a file: some clients send PDFs that way.
fn is_file(source: &Source<'_>) -> bool {
    let Source::Uri(uri) = source else {
        return false;
    };
    media::split_data_uri(uri)
        .is_some_and(|(media_type, _)| media::document(media_type, None).is_some())
}

fn uploaded(place: &str, instead: &str) -> Error {
    let message = format!("Files uploaded to OpenAI are not visible to Bedrock; send '{instead}'.");
    Error::unsupported(format!("{place}.file_id"), message)
}

/// A file: inside a member of its own, or, in the Responses API, beside the type.
fn file(part: WirePart<'_>, at: Spot) -> Result<BlockContent<'_>, Error> {
    let (place, file) = match part.file {
        Some(file) => (format!("{}.file", at.path()), file),
        None if &*part.kind == "input_file" => {
            let member = |json: Option<_>, name| json.map(|json| text(json, at, name)).transpose();
            let file = File {
                file_data: member(part.file_data, "file_data")?,
                file_id: member(part.file_id, "file_id")?,
                filename: member(part.filename, "filename")?,
            };
            (at.path(), file)
        }
        None => return Err(missing(format!("{}.file", at.path()))),
    };
    if file.file_id.is_some() {
        return Err(uploaded(&place, "file_data"));
    }
    if part.file_url.is_some() && file.file_data.is_none() {
        let message = "Files are not fetched; send their data as 'file_data'.";
        return Err(Error::unsupported(format!("{place}.file_url"), message));
    }
    let data = file.file_data;
    let data = data.ok_or_else(|| missing(format!("{place}.file_data")))?;
    Ok(BlockContent::Document(Document {
        name: file.filename,
        context: None,
        source: Source::Uri(data),
    }))
}

/// What Anthropic's `source` has.
enum Shown<'a> {
    Bytes(Source<'a>),
    Text(Text<'a>),
}

fn source<'a>(part: &WirePart<'a>, at: Spot) -> Result<Shown<'a>, Error> {
    let place = format!("{}.source", at.path());
    let json = part.source.ok_or_else(|| missing(place.clone()))?;
    let source: PartSource<'_> = inner(json, &place)?;
    let data =
        |data: Option<Text<'a>>, name| data.ok_or_else(|| missing(format!("{place}.{name}")));
    match &*source.kind {
        "base64" => Ok(Shown::Bytes(Source::Base64 {
            media_type: source.media_type.unwrap_or_default(),
            data: data(source.data, "data")?,
        })),
        "url" => Ok(Shown::Bytes(Source::Uri(data(source.url, "url")?))),
        "text" => Ok(Shown::Text(data(source.data, "data")?)),
        kind => {
            let message =
                format!("Sources of type '{kind}' are not supported; send the data as 'base64'.");
            Err(Error::unsupported(format!("{place}.type"), message))
        }
    }
}

fn tool_use<'a>(part: &WirePart<'a>, at: Spot) -> Result<BlockContent<'a>, Error> {
    let place = || format!("{}.input", at.path());
    let input = match part.input {
        Some(json) => input(Some(inner(json, &place())?), place)?,
        None => input(None, place)?,
    };
    Ok(BlockContent::ToolUse(ToolUse {
        id: needed(part.id, at, "id")?,
        name: needed(part.name, at, "name")?,
        input,
    }))
}

fn tool_result<'a>(part: &WirePart<'a>, at: Spot) -> Result<BlockContent<'a>, Error> {
    let content: Option<Content<'_>> = match part.content {
        Some(json) => Some(inner(json, &format!("{}.content", at.path()))?),
        None => None,
    };
    Ok(BlockContent::ToolResult(ToolResult {
        id: needed(part.tool_use_id, at, "tool_use_id")?,
        content: blocks(content, at, shown_part)?,
        is_error: part.is_error.is_some_and(|json| json.get() == "true"),
    }))
}

/// A text of which only the JSON was kept.
fn text<'a>(json: &'a RawValue, at: Spot, name: &str) -> Result<Text<'a>, Error> {
    inner(json, &format!("{}.{name}", at.path()))
}

/// The same, where there has to be one.
fn needed<'a>(json: Option<&'a RawValue>, at: Spot, name: &str) -> Result<Text<'a>, Error> {
    let json = json.ok_or_else(|| missing(format!("{}.{name}", at.path())))?;
    text(json, at, name)
}

pub(in crate::protocol) fn thinking<'a>(
    text: Option<Text<'a>>,
    signature: Option<Text<'a>>,
) -> BlockContent<'a> {
    BlockContent::Thinking {
        text: text.unwrap_or_default(),
        signature: signature.unwrap_or_default(),
    }
}

pub(in crate::protocol) fn redacted(data: Option<Text<'_>>) -> Option<BlockContent<'_>> {
    data.map(|data| BlockContent::RedactedThinking { data })
}

fn unsupported_part(kind: &str, at: Spot, supported: &str) -> Error {
    let message =
        format!("Content parts of type '{kind}' are not supported here; use {supported}.");
    Error::unsupported(Place::Block(at.at, Field::Kind), message)
}
