//! Content blocks and tools of Converse as those of Messages.

use serde_json::{Value, json};

use crate::family::{field, image, list};

/// The blocks; a cache point becomes a mark on the block before it.
pub(super) fn translate(blocks: &[Value]) -> Vec<Value> {
    let mut out = Vec::new();
    for block in blocks {
        match block.get("cachePoint") {
            Some(point) => mark(&mut out, point),
            None => out.extend(translate_block(block)),
        }
    }
    out
}

/// The tools; likewise.
pub(super) fn tools(tools: &[Value]) -> Vec<Value> {
    let mut out = Vec::new();
    for tool in tools {
        if let Some(point) = tool.get("cachePoint") {
            mark(&mut out, point);
        }
        if let Some(spec) = tool.get("toolSpec") {
            let mut tool = json!({"name": spec.get("name"), "input_schema": spec.pointer("/inputSchema/json")});
            for name in ["description", "strict"] {
                if let (Some(value), Some(fields)) = (spec.get(name), tool.as_object_mut()) {
                    fields.insert(name.to_owned(), value.clone());
                }
            }
            out.push(tool);
        }
    }
    out
}

fn mark(out: &mut [Value], point: &Value) {
    let mut control = json!({"type": "ephemeral"});
    if let (Some(ttl), Some(fields)) = (point.get("ttl"), control.as_object_mut()) {
        fields.insert("ttl".to_owned(), ttl.clone());
    }
    if let Some(fields) = out.last_mut().and_then(Value::as_object_mut) {
        fields.insert("cache_control".to_owned(), control);
    }
}

fn translate_block(block: &Value) -> Option<Value> {
    let (kind, inner) = block.as_object()?.iter().next()?;
    Some(match kind.as_str() {
        "text" => json!({"type": "text", "text": inner}),
        "image" => {
            let media_type = format!("image/{}", field(inner, "format")?);
            let data = inner.pointer("/source/bytes")?;
            json!({"type": "image", "source": {"type": "base64", "media_type": media_type, "data": data}})
        }
        "document" => document(inner)?,
        "toolUse" => {
            json!({"type": "tool_use", "id": inner.get("toolUseId"), "name": inner.get("name"), "input": inner.get("input")})
        }
        "toolResult" => {
            let content = translate(list(inner, "content"));
            let failed = field(inner, "status") == Some("error");
            json!({"type": "tool_result", "tool_use_id": inner.get("toolUseId"), "content": content, "is_error": failed})
        }
        "json" => json!({"type": "text", "text": inner.to_string()}),
        "reasoningContent" => reasoning(inner)?,
        "guardContent" => json!({"type": "text", "text": inner.pointer("/text/text")?}),
        "citationsContent" => {
            let texts = list(inner, "content")
                .iter()
                .filter_map(|part| field(part, "text"));
            json!({"type": "text", "text": texts.collect::<String>()})
        }
        "searchResult" => {
            let content = translate(list(inner, "content"));
            json!({"type": "search_result", "source": inner.get("source"), "title": inner.get("title"), "content": content})
        }
        _ => return None,
    })
}

fn document(document: &Value) -> Option<Value> {
    let source = document.get("source")?;
    let title = document.get("name");
    let text = |text: &str| {
        let source = json!({"type": "text", "media_type": "text/plain", "data": text});
        json!({"type": "document", "title": title, "source": source})
    };
    if let Some(plain) = field(source, "text") {
        return Some(text(plain));
    }
    let data = field(source, "bytes")?;
    if field(document, "format") == Some("pdf") {
        let source = json!({"type": "base64", "media_type": "application/pdf", "data": data});
        return Some(json!({"type": "document", "title": title, "source": source}));
    }
    let bytes = image::decode(data)?;
    Some(text(&String::from_utf8_lossy(&bytes)))
}

/// Redacted thinking is wrapped in base64 once more.
fn reasoning(content: &Value) -> Option<Value> {
    if let Some(blob) = field(content, "redactedContent") {
        let data = image::decode(blob).and_then(|bytes| String::from_utf8(bytes).ok());
        return Some(json!({"type": "redacted_thinking", "data": data.unwrap_or_default()}));
    }
    let inner = content.get("reasoningText")?;
    let signature = field(inner, "signature").unwrap_or_default();
    Some(json!({"type": "thinking", "thinking": inner.get("text"), "signature": signature}))
}
