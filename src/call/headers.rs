//! Header maps as Envoy has them: names in lower case, values as bytes.

use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue};

use crate::chat::Error;

/// A header map with its pseudo-headers. Values are bytes, because clients may send what is no UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, Vec<u8>)>);

impl Headers {
    /// What an error says besides its body.
    #[must_use]
    pub fn of_error(error: &Error) -> Self {
        let mut headers = Self::default();
        if let Some(seconds) = error.retry_after {
            headers.add(RETRY_AFTER.as_str(), seconds.to_string());
        }
        headers
    }

    /// First value of a header; names are compared as they are, in lower case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_slice())
    }

    /// First value of a header, if it is UTF-8.
    #[must_use]
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name)
            .and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Adds a header.
    pub fn add(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        self.0.push((name.to_owned(), value.into()));
    }

    /// Adds a header that there is.
    pub(crate) fn add_some(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    /// Adds headers in their order.
    pub fn extend<'h>(&mut self, more: impl IntoIterator<Item = &'h (HeaderName, HeaderValue)>) {
        for (name, value) in more {
            self.add(name.as_str(), value.as_bytes());
        }
    }

    /// The headers proper, without pseudo-headers and without what HTTP cannot carry.
    #[must_use]
    pub fn fields(&self) -> Vec<(HeaderName, HeaderValue)> {
        let fields = self.0.iter().filter_map(|(name, value)| {
            // A colon is in no header's name.
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_bytes(value).ok()?))
        });
        fields.collect()
    }

    /// Removes the headers that `unwanted` names; whether there were any.
    pub fn remove(&mut self, unwanted: impl Fn(&str) -> bool) -> bool {
        let before = self.0.len();
        self.0.retain(|(name, _)| !unwanted(name));
        self.0.len() < before
    }
}
