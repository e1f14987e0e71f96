//! Header maps in Envoy's form: names in lower case, values as bytes.

use std::borrow::Cow;

use http::{HeaderName, HeaderValue};

use crate::chat::{Error, ErrorKind};

/// The header with the id of a request.
pub(crate) const REQUEST_ID: &str = "x-request-id";

/// A header map with its pseudo-headers. Values are bytes, because clients may send values that are not UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(Cow<'static, str>, Vec<u8>)>);

impl Headers {
    /// None yet, with room for so many.
    pub(crate) fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    /// The headers of an error.
    #[must_use]
    pub fn of_error(error: &Error) -> Self {
        let mut headers = Self::default();
        if let Some(seconds) = error.retry_after {
            headers.add("retry-after", seconds.to_string());
        }
        if error.kind == ErrorKind::Authentication {
            // <https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1>
            headers.add("www-authenticate", "Bearer");
        }
        headers
    }

    /// First value of a header; `name` has to be in lower case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_slice())
    }

    /// The same, to change it.
    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Vec<u8>> {
        let found = self.0.iter_mut().find(|(own, _)| own == name);
        found.map(|(_, value)| value)
    }

    /// First value of a header, if it is UTF-8.
    #[must_use]
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name)
            .and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Adds a header.
    pub fn add(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Vec<u8>>) {
        self.0.push((name.into(), value.into()));
    }

    /// Adds a header, if there is one to add.
    pub(crate) fn add_some(&mut self, name: &'static str, value: Option<String>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    /// Adds the request's id, also in the header in which a protocol's clients look for it.
    pub(crate) fn add_id(&mut self, header: Option<(&'static str, &str)>, id: Option<&str>) {
        let Some(id) = id else {
            return;
        };
        self.add(REQUEST_ID, id);
        if let Some((name, start)) = header {
            self.add(name, [start, id].concat());
        }
    }

    /// Adds headers in their order.
    pub fn extend<'h>(&mut self, more: impl IntoIterator<Item = &'h (HeaderName, HeaderValue)>) {
        for (name, value) in more {
            let name = name.as_str().to_owned();
            self.0.push((name.into(), value.as_bytes().to_vec()));
        }
    }

    /// The headers without pseudo-headers, and without those that HTTP cannot carry.
    #[must_use]
    pub fn fields(&self) -> Vec<(HeaderName, HeaderValue)> {
        let fields = self.0.iter().filter_map(|(name, value)| {
            // No header has a colon in its name.
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_bytes(value).ok()?))
        });
        fields.collect()
    }

    /// Removes the headers whose names are `unwanted`; whether there were any.
    pub fn remove(&mut self, unwanted: impl Fn(&str) -> bool) -> bool {
        let before = self.0.len();
        self.0.retain(|(name, _)| !unwanted(name));
        self.0.len() < before
    }
}
