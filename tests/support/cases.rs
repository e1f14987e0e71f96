//! The golden cases as they lie in `tests/golden`: what goes in.
//!
//! Used by the tests of the pure filter and by those on a real Envoy.

use std::fs;
use std::path::{Path, PathBuf};

/// One case: a request, and what Bedrock answers to it.
pub struct Case {
    /// Where its files are.
    pub folder: PathBuf,
    /// `request.json`.
    pub request: Vec<u8>,
    /// `answer.http` or `answer.events`; none when the filter answers itself.
    pub answer: Option<Answer>,
}

/// An answer of Bedrock's.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Case {
    /// `family/case`.
    pub fn name(&self) -> String {
        let mut parts = self.folder.components().rev().map(|part| part.as_os_str());
        let (case, family) = (parts.next().unwrap(), parts.next().unwrap());
        format!("{}/{}", family.display(), case.display())
    }

    /// One of its files, if it is there.
    pub fn file(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.folder.join(name)).ok()
    }
}

/// Every case below `tests/golden`, in order.
pub fn cases(root: &Path) -> Vec<Case> {
    let mut cases: Vec<_> = folders(root)
        .iter()
        .flat_map(|family| folders(family))
        .map(load)
        .collect();
    cases.sort_by(|a, b| a.folder.cmp(&b.folder));
    assert!(!cases.is_empty(), "no cases below {}", root.display());
    cases
}

fn folders(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.is_dir()).collect()
}

fn load(folder: PathBuf) -> Case {
    let request = fs::read(folder.join("request.json")).unwrap();
    let events = fs::read_to_string(folder.join("answer.events")).ok();
    let whole = fs::read_to_string(folder.join("answer.http")).ok();
    let answer = match (events, whole) {
        (Some(events), None) => Some(Answer {
            status: 200,
            headers: owned(&[
                ("content-type", "application/vnd.amazon.eventstream"),
                ("x-amzn-requestid", "11111111-2222-3333-4444-555555555555"),
            ]),
            body: frames(&events),
        }),
        (None, Some(whole)) => Some(parse_http(&whole)),
        (None, None) => None,
        (Some(_), Some(_)) => panic!("{} has two answers", folder.display()),
    };
    Case {
        folder,
        request,
        answer,
    }
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// Reads `status`, headers, a blank line and the body.
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

/// JSON as servers send it; the files are indented for people.
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

/// One frame of an event stream.
pub fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut head = Vec::new();
    for (name, value) in headers {
        head.push(u8::try_from(name.len()).unwrap());
        head.extend_from_slice(name.as_bytes());
        head.push(7);
        head.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        head.extend_from_slice(value.as_bytes());
    }
    let total = u32::try_from(16 + head.len() + payload.len()).unwrap();
    let mut frame = total.to_be_bytes().to_vec();
    frame.extend_from_slice(&u32::try_from(head.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame.extend_from_slice(&head);
    frame.extend_from_slice(payload);
    frame.extend_from_slice(&crc32fast::hash(&frame).to_be_bytes());
    frame
}

/// The frames of `answer.events`: each line an event, as JSON; `@name {json}` for an event of
/// Converse's; or `!name {json}` for an exception.
pub fn frames(events: &str) -> Vec<u8> {
    use base64::Engine as _;
    let json = (":content-type", "application/json");
    let mut out = Vec::new();
    for line in events.lines().filter(|line| !line.trim().is_empty()) {
        let bytes = if let Some(exception) = line.strip_prefix('!') {
            let (name, payload) = exception.split_once(' ').unwrap();
            let kind = (":message-type", "exception");
            frame(&[(":exception-type", name), json, kind], payload.as_bytes())
        } else if let Some(event) = line.strip_prefix('@') {
            let (name, payload) = event.split_once(' ').unwrap();
            let kind = (":message-type", "event");
            frame(&[(":event-type", name), json, kind], payload.as_bytes())
        } else {
            let event = base64::engine::general_purpose::STANDARD.encode(line);
            let payload = format!(r#"{{"bytes":"{event}","p":"abcdefgh"}}"#);
            let kind = (":message-type", "event");
            frame(&[(":event-type", "chunk"), json, kind], payload.as_bytes())
        };
        out.extend(bytes);
    }
    out
}
