//! Reads the folders of `tests/golden`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Answer, CHAT, Case, frames};

/// The request id of every answer.
pub(crate) const REQUEST_ID: &str = "11111111-2222-3333-4444-555555555555";

/// The cases that have a folder.
#[must_use]
pub fn folders() -> Vec<Case> {
    let families = children(&root());
    let cases: Vec<_> = families
        .iter()
        .flat_map(|family| children(family))
        .map(load)
        .collect();
    assert!(!cases.is_empty(), "no cases below {}", root().display());
    cases
}

/// The files of one name, of every folder that has one, in order.
#[must_use]
pub fn texts(file: &str) -> Vec<String> {
    let mut cases = folders();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    let paths = cases.iter().filter_map(|case| case.folder.as_ref());
    let texts = paths.filter_map(|folder| fs::read_to_string(folder.join(file)).ok());
    texts.collect()
}

/// A file in `tests/golden`; panics if it does not exist.
pub(crate) fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../golden")
}

fn children(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_dir()).collect()
}

fn load(folder: PathBuf) -> Case {
    let file = |name: &str| fs::read_to_string(folder.join(name)).ok();
    let answer = match (file("answer.events"), file("answer.http")) {
        (Some(events), None) => Some(streamed(&events)),
        (None, Some(whole)) => Some(parse_http(&whole)),
        (None, None) => None,
        (Some(_), Some(_)) => panic!("{} has two answers", folder.display()),
    };
    Case {
        name: name(&folder),
        path: file("request.path").map_or_else(|| CHAT.to_owned(), |path| path.trim().to_owned()),
        request: fs::read(folder.join("request.json")).unwrap(),
        answer,
        upstream: file("upstream.http"),
        response: file("response.http"),
        folder: Some(folder),
    }
}

fn name(folder: &Path) -> String {
    let mut parts = folder.components().rev().map(|part| part.as_os_str());
    let (case, family) = (parts.next().unwrap(), parts.next().unwrap());
    format!("{}/{}", family.display(), case.display())
}

/// An answer made of the events in `answer.events`.
pub(crate) fn streamed(events: &str) -> Answer {
    let headers = [
        ("content-type", "application/vnd.amazon.eventstream"),
        ("x-amzn-requestid", REQUEST_ID),
    ];
    Answer {
        status: 200,
        headers: owned(headers),
        body: frames(events),
    }
}

fn owned<const N: usize>(headers: [(&str, &str); N]) -> Vec<(String, String)> {
    headers
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

/// Reads `status`, headers, a blank line and the body.
#[must_use]
pub fn parse_http(text: &str) -> Answer {
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let mut lines = head.lines();
    let status = lines.next().unwrap().parse().unwrap();
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    Answer {
        status,
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: compact(body.trim_end()).into_bytes(),
    }
}

/// Compact JSON, as servers send it; the files are indented for people.
fn compact(text: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    text.chars()
        .filter(|c| {
            let keep = in_string || !c.is_whitespace() || !is_json;
            in_string = if in_string {
                escaped || *c != '"'
            } else {
                *c == '"'
            };
            escaped = in_string && !escaped && *c == '\\';
            keep
        })
        .collect()
}
