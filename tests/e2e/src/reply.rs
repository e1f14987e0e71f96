//! An answer as a client finally has it: complete, or broken off.

use reqwest::Response;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// Everything that arrived.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body, as far as it arrived.
    pub text: String,
    /// Whether the connection ended before the body did.
    pub is_cut: bool,
}

impl Reply {
    /// Reads a response to its end.
    pub async fn read(mut response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        let is_cut = loop {
            match response.chunk().await {
                Ok(Some(piece)) => body.extend(piece),
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        let text = String::from_utf8(body).expect("answers are UTF-8");
        Self {
            status,
            headers,
            text,
            is_cut,
        }
    }

    /// A header; `""` if it is absent.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("ASCII headers"))
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    /// The first choice of a 200.
    #[track_caller]
    pub fn choice(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()["choices"][0].clone()
    }

    /// The text of a 200's first choice.
    #[track_caller]
    pub fn text_of_answer(&self) -> String {
        let choice = self.choice();
        let content = choice["message"]["content"].as_str();
        content
            .unwrap_or_else(|| panic!("no text: {self:?}"))
            .to_owned()
    }

    /// Checks that it is an error in OpenAI's format, and returns its message.
    #[track_caller]
    pub fn error(&self, status: u16, kind: &str, code: &str) -> String {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        check_error(&self.json(), kind, code)
    }

    /// The events of a stream, without `[DONE]` and comments.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(
            self.header("content-type"),
            "text/event-stream; charset=utf-8",
            "{self:?}"
        );
        let parse = |event: &str| {
            let data = event.strip_prefix("data: ");
            data.and_then(|data| serde_json::from_str(data).ok())
                .unwrap_or_else(|| panic!("no event: {event:?}"))
        };
        let events = self.text.split_terminator("\n\n");
        events
            .filter(|event| *event != "data: [DONE]" && !event.starts_with(':'))
            .map(parse)
            .collect()
    }

    /// Whether a stream is complete, according to itself.
    pub fn is_done(&self) -> bool {
        self.text.ends_with("data: [DONE]\n\n")
    }

    /// The text of a stream.
    #[track_caller]
    pub fn streamed_text(&self) -> String {
        let events = self.events();
        let deltas = events.iter().map(|event| &event["choices"][0]["delta"]);
        deltas
            .filter_map(|delta| delta["content"].as_str())
            .collect()
    }

    /// The finish reason of a stream.
    #[track_caller]
    pub fn finish_reason(&self) -> String {
        let events = self.events();
        let mut reasons = events
            .iter()
            .filter_map(|event| event["choices"][0]["finish_reason"].as_str());
        let reason = reasons.next().map(str::to_owned);
        reason.unwrap_or_else(|| panic!("no finish reason: {self:?}"))
    }

    /// Checks that a stream ends with an error event and not with `[DONE]`; returns the message.
    #[track_caller]
    pub fn stream_error(&self, kind: &str, code: &str) -> String {
        assert!(!self.text.contains("[DONE]"), "{self:?}");
        let events = self.events();
        let errors: Vec<_> = events
            .iter()
            .filter(|event| !event["error"].is_null())
            .collect();
        assert_eq!(errors.len(), 1, "{self:?}");
        assert_eq!(events.last(), Some(errors[0]), "{self:?}");
        check_error(errors[0], kind, code)
    }

    /// The text, without this answer's id and time.
    #[track_caller]
    pub fn without_identity(&self) -> String {
        let events = self.events();
        let id = events[0]["id"].as_str().expect("an id");
        let created = format!("\"created\":{}", events[0]["created"]);
        self.text.replace(id, "ID").replace(&created, "CREATED")
    }
}

#[track_caller]
fn check_error(body: &Value, kind: &str, code: &str) -> String {
    let error = &body["error"];
    assert_eq!(error["type"], kind, "{body}");
    assert_eq!(error["code"], code, "{body}");
    assert!(error.get("param").is_some(), "{body}");
    let message = error["message"].as_str().unwrap_or_default().to_owned();
    assert!(!message.is_empty(), "{body}");
    message
}
