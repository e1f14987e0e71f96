//! A small Bedrock client: signs, sends, decodes event streams.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bedrock_simulator::{Builder, Key, Simulator};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub(crate) const HAIKU: &str = "anthropic.claude-3-haiku-20240307-v1%3A0";
pub(crate) const SONNET: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1%3A0";

pub(crate) fn key() -> Key {
    Key::new("AKIDEXAMPLE", SECRET)
}

pub(crate) fn builder() -> Builder {
    Simulator::builder().credentials(key())
}

pub(crate) async fn start() -> Simulator {
    builder().start().await.unwrap()
}

/// An HTTP client. If it supports TLS, as when the whole workspace is built, the process must choose a
/// cryptography provider.
pub(crate) fn http() -> reqwest::ClientBuilder {
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy()
}

/// A body that Bedrock takes.
pub(crate) fn body(text: &str) -> Value {
    json!({
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": text}],
    })
}

/// What a request is signed with; change a field before sending.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    /// With a query, if there is one: sorted, and encoded as it is signed.
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
    pub(crate) key: Key,
    pub(crate) region: &'static str,
    /// Added to the request and signed.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Added to the clock, in seconds.
    pub(crate) skew: i64,
}

impl Call {
    pub(crate) fn new(model: &str, operation: &str, body: &Value) -> Self {
        Self {
            method: "POST",
            path: format!("/model/{model}/{operation}"),
            body: body.to_string().into_bytes(),
            key: key(),
            region: "us-east-1",
            headers: Vec::new(),
            skew: 0,
        }
    }

    /// A call of the control plane.
    pub(crate) fn get(path: &str) -> Self {
        Self {
            method: "GET",
            path: path.to_owned(),
            body: Vec::new(),
            ..Self::new("", "", &Value::Null)
        }
    }

    pub(crate) fn invoke(model: &str, body: &Value) -> Self {
        Self::new(model, "invoke", body)
    }

    pub(crate) fn stream(model: &str, body: &Value) -> Self {
        Self::new(model, "invoke-with-response-stream", body)
    }

    pub(crate) fn converse(model: &str, body: &Value) -> Self {
        Self::new(model, "converse", body)
    }

    pub(crate) fn request(&self, simulator: &Simulator) -> reqwest::RequestBuilder {
        let url = format!("{}{}", simulator.url(), self.path);
        let headers = self.signed_headers(&simulator.addr().to_string());
        let client = http().build().unwrap();
        let method = self.method.parse().unwrap();
        let request = client.request(method, url).body(self.body.clone());
        headers
            .into_iter()
            .filter(|(name, _)| name != "host")
            .fold(request, |request, (name, value)| {
                request.header(name, value)
            })
    }

    pub(crate) async fn send(&self, simulator: &Simulator) -> reqwest::Response {
        self.request(simulator).send().await.unwrap()
    }

    pub(crate) async fn json(&self, simulator: &Simulator) -> (u16, Value) {
        let response = self.send(simulator).await;
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// SigV4, implemented once more, separately from the verifier.
    pub(crate) fn signed_headers(&self, host: &str) -> Vec<(String, String)> {
        let date = now(self.skew);
        let mut headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("host".to_owned(), host.to_owned()),
            ("x-amz-date".to_owned(), date.clone()),
        ];
        if let Some(token) = &self.key.session_token {
            headers.push(("x-amz-security-token".to_owned(), token.clone()));
        }
        let own = self.headers.iter();
        headers.extend(own.map(|(name, value)| ((*name).to_owned(), value.clone())));
        headers.sort();
        let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let lines: String = headers.iter().map(|(n, v)| format!("{n}:{v}\n")).collect();
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let path = path.replace('%', "%25").replace(':', "%3A");
        let body = hex(&Sha256::digest(&self.body));
        let canonical = format!("{}\n{path}\n{query}\n{lines}\n{names}\n{body}", self.method);
        let scope = format!("{}/{}/bedrock/aws4_request", &date[..8], self.region);
        let hash = hex(&Sha256::digest(canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hash}");
        let mut secret = format!("AWS4{}", self.key.secret_access_key).into_bytes();
        for part in scope.split('/') {
            secret = hmac(&secret, part);
        }
        let signature = hex(&hmac(&secret, &to_sign));
        let id = &self.key.access_key_id;
        headers.push((
            "authorization".to_owned(),
            format!(
                "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
            ),
        ));
        headers
    }
}

fn hmac(key: &[u8], message: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(message.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn now(skew: i64) -> String {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let mut rest = i64::try_from(elapsed.as_secs()).unwrap() + skew;
    let (second, minute, hour) = (rest % 60, rest / 60 % 60, rest / 3600 % 24);
    rest /= 86_400;
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    while rest >= 365 + i64::from(leap(year)) {
        rest -= 365 + i64::from(leap(year));
        year += 1;
    }
    let february = 28 + i64::from(leap(year));
    let mut month = 1;
    for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if rest < days {
            break;
        }
        rest -= days;
        month += 1;
    }
    format!(
        "{year:04}{month:02}{:02}T{hour:02}{minute:02}{second:02}Z",
        rest + 1
    )
}

/// One decoded frame.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Frame {
    Event(Value),
    Exception(String, Value),
}

/// Decodes whole frames; the rest is what remains undecoded.
///
/// # Errors
/// The index of the first frame whose checksum is wrong.
pub(crate) fn decode(mut bytes: &[u8]) -> Result<(Vec<Frame>, usize), usize> {
    let mut frames = Vec::new();
    while bytes.len() >= 16 {
        let word = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        let (total, headers) = (word(0) as usize, word(4) as usize);
        if bytes.len() < total {
            break;
        }
        let sums = (word(8), word(total - 4));
        let computed = (
            crc32fast::hash(&bytes[..8]),
            crc32fast::hash(&bytes[..total - 4]),
        );
        if sums != computed {
            return Err(frames.len());
        }
        frames.push(frame(
            &bytes[12..12 + headers],
            &bytes[12 + headers..total - 4],
        ));
        bytes = &bytes[total..];
    }
    Ok((frames, bytes.len()))
}

fn frame(mut headers: &[u8], payload: &[u8]) -> Frame {
    let mut named = std::collections::BTreeMap::new();
    while let [length, rest @ ..] = headers {
        let (name, rest) = rest.split_at(*length as usize);
        assert_eq!(rest[0], 7, "only string headers");
        let size = usize::from(u16::from_be_bytes([rest[1], rest[2]]));
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        named.insert(text(name), text(&rest[3..3 + size]));
        headers = &rest[3 + size..];
    }
    let payload: Value = serde_json::from_slice(payload).unwrap();
    assert_eq!(named[":content-type"], "application/json");
    if named[":message-type"] == "exception" {
        return Frame::Exception(named[":exception-type"].clone(), payload);
    }
    let padding = payload["p"].as_str().unwrap();
    assert!(padding.starts_with('a'), "padding {padding}");
    if named[":event-type"] != "chunk" {
        let mut payload = payload;
        payload.as_object_mut().unwrap().remove("p");
        return Frame::Event(json!({ named[":event-type"].as_str(): payload }));
    }
    let inner = STANDARD.decode(payload["bytes"].as_str().unwrap()).unwrap();
    Frame::Event(serde_json::from_slice(&inner).unwrap())
}

/// The events of a complete stream.
pub(crate) fn events(bytes: &[u8]) -> Vec<Value> {
    let (frames, rest) = decode(bytes).unwrap();
    assert_eq!(rest, 0, "bytes after the last frame");
    let event = |frame| match frame {
        Frame::Event(event) => event,
        Frame::Exception(name, _) => panic!("exception {name}"),
    };
    frames.into_iter().map(event).collect()
}
