//! A request as it arrived on the wire, before anything is decoded.

use axum::http::request::Parts;
use bytes::Bytes;

/// Method, raw path, raw query, headers and body of one request.
#[derive(Clone, Debug)]
pub(crate) struct WireRequest {
    pub(crate) method: String,
    /// The path as sent, percent-encoding included.
    pub(crate) path: String,
    /// The query as sent, without `?`; empty when there is none.
    pub(crate) query: String,
    /// Lower-case names; one entry per header line, in order of arrival.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl WireRequest {
    /// Puts the parts of an HTTP request together.
    ///
    /// HTTP/2 carries the host in `:authority`; it is kept as `host`, which is
    /// the name SigV4 signs it under.
    pub(crate) fn new(parts: &Parts, body: Bytes) -> Self {
        let mut headers: Vec<(String, String)> = parts
            .headers
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), value)
            })
            .collect();
        if let Some(authority) = parts.uri.authority()
            && !headers.iter().any(|(name, _)| name == "host")
        {
            headers.insert(0, ("host".to_owned(), authority.to_string()));
        }
        Self {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers,
            body,
        }
    }

    /// The first value of a header; `name` in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(candidate, _)| candidate == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every value of a header, in order of arrival.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(candidate, _)| candidate == name)
            .map(|(_, value)| value.as_str())
    }
}
