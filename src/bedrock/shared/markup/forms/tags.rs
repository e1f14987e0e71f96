//! Calls between tags like those of XML, whose values are bare text.

use super::{json, some};
use crate::bedrock::shared::markup::calls::{Call, Dsml, Offer};
use crate::bedrock::shared::markup::typed::Object;

/// `<tool_call>…</tool_call>`, with JSON, a function or a name and keys inside.
pub(in crate::bedrock::shared::markup) fn tool_call(
    text: &str,
    offer: Offer<'_>,
) -> Option<Vec<Call>> {
    const TAG: &str = "<tool_call>";
    let inside = text.strip_prefix(TAG).unwrap_or(text).trim_start();
    if inside.starts_with(['{', '[']) {
        return json(text, offer);
    }
    if inside.starts_with("<function=") {
        let calls = inside.split("<function=").skip(1);
        return some(calls.map(|call| function(call, offer)));
    }
    let calls = text.split(TAG).skip(1);
    some(calls.map(|call| keys(call, offer)))
}

/// `NAME><parameter=KEY>VALUE</parameter>…</function>`
fn function(call: &str, offer: Offer<'_>) -> Option<Call> {
    let (name, rest) = call.split_once('>')?;
    let name = offer.name(name)?;
    let mut arguments = Object::of(name, offer);
    for parameter in rest.split("<parameter=").skip(1) {
        let (key, value) = parameter.split_once('>')?;
        let value = match value.rsplit_once("</parameter>") {
            Some((value, _)) => value,
            None => before(value, "</function>"),
        };
        arguments.add(key.trim(), line(value));
    }
    Some(arguments.call())
}

/// `NAME<arg_key>KEY</arg_key><arg_value>VALUE</arg_value>…</tool_call>`
fn keys(call: &str, offer: Offer<'_>) -> Option<Call> {
    let call = before(call, "</tool_call>");
    let mut pairs = call.split("<arg_key>");
    let name = offer.name(pairs.next()?.trim())?;
    let mut arguments = Object::of(name, offer);
    for pair in pairs {
        let (key, rest) = pair.split_once("</arg_key>")?;
        let (_, value) = rest.split_once("<arg_value>")?;
        arguments.add(key.trim(), line(before(value, "</arg_value>")));
    }
    Some(arguments.call())
}

/// `<invoke name="NAME"><parameter name="KEY">VALUE</parameter>…</invoke>`, any number of them. Some say whether a
/// value is a string.
pub(in crate::bedrock::shared::markup) fn invoke(
    text: &str,
    offer: Offer<'_>,
) -> Option<Vec<Call>> {
    let text = Dsml::plain(text);
    let calls = text.split("<invoke name=").skip(1);
    some(calls.map(|call| {
        let (name, rest) = quoted(call)?;
        let name = offer.name(name)?;
        let mut arguments = Object::of(name, offer);
        for parameter in before(rest, "</invoke>").split("<parameter name=").skip(1) {
            let (key, rest) = quoted(parameter)?;
            let (attributes, value) = rest.split_once('>')?;
            let value = line(before(value, "</parameter>"));
            match attributes.trim() {
                r#"string="true""# => arguments.add_string(key, value),
                r#"string="false""# => arguments.add_json(key, value),
                _ => arguments.add(key, value),
            }
        }
        Some(arguments.call())
    }))
}

/// The text in quotes, and what follows them.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    text.get(1..)?.split_once(quote)
}

/// The text before the last such tag, or all of it if the model forgot the tag.
fn before<'t>(text: &'t str, tag: &str) -> &'t str {
    text.rsplit_once(tag).map_or(text, |(before, _)| before)
}

/// A value without the line breaks that the template puts around it.
fn line(value: &str) -> &str {
    let value = value.strip_prefix('\n').unwrap_or(value);
    value.strip_suffix('\n').unwrap_or(value)
}
