//! Reading `docker-compose.yml`.

use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::support::{root, yaml};

pub(super) fn compose() -> Value {
    let mut document = yaml("docker-compose.yml");
    interpolate(&mut document);
    document
}

pub(super) fn services() -> Map<String, Value> {
    compose()["services"].as_object().unwrap().clone()
}

/// Replaces `${NAME:-default}` with its default, and `$$` with `$`.
fn interpolate(value: &mut Value) {
    match value {
        Value::String(text) => *text = interpolated(text),
        Value::Array(items) => items.iter_mut().for_each(interpolate),
        Value::Object(fields) => fields.values_mut().for_each(interpolate),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn interpolated(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        rest = if let Some(after) = after.strip_prefix('$') {
            result.push('$');
            after
        } else {
            let variable = after
                .strip_prefix('{')
                .and_then(|text| text.split_once('}'));
            let (variable, after) = variable.unwrap_or_else(|| panic!("not escaped: {text}"));
            let default = variable.split_once(":-").map(|(_, default)| default);
            result.push_str(default.unwrap_or_else(|| panic!("no default: {variable}")));
            after
        };
    }
    result + rest
}

/// The flags in a service's command as pairs; a switch has an empty value.
pub(super) fn flags(service: &Value) -> Vec<(String, String)> {
    let words = strings(&service["command"]);
    let pair = |word: &str| {
        let (flag, value) = word.split_once('=').unwrap_or((word, ""));
        (flag.to_owned(), value.to_owned())
    };
    words.iter().map(|word| pair(word)).collect()
}

pub(super) fn flag(service: &Value, name: &str) -> String {
    let found = flags(service).into_iter().find(|(flag, _)| flag == name);
    found.unwrap_or_else(|| panic!("no {name}")).1
}

pub(super) fn strings(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

/// Build context and Dockerfile of a service.
pub(super) fn build(service: &Value) -> Option<(PathBuf, PathBuf)> {
    let (context, dockerfile) = match service.get("build")? {
        Value::String(context) => (context.as_str(), "Dockerfile"),
        build => (
            build["context"].as_str().unwrap(),
            build
                .get("dockerfile")
                .map_or("Dockerfile", |file| file.as_str().unwrap()),
        ),
    };
    let context = root().join(context);
    let dockerfile = context.join(dockerfile);
    Some((context, dockerfile))
}

/// (address, published port, container's port) of each published port.
pub(super) fn published(service: &Value) -> Vec<(String, u16, u16)> {
    let ports = strings(&service["ports"]);
    let parse = |text: &String| {
        let fields: Vec<_> = text.split(':').collect();
        let [address, published, target] = fields[..] else {
            panic!("not address:port:port: {text}");
        };
        (
            address.to_owned(),
            published.parse().unwrap(),
            target.parse().unwrap(),
        )
    };
    ports.iter().map(parse).collect()
}
