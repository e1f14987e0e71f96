//! The loads to send.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::variant::Variant;

/// One kind of request, and how many are in flight at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// A chat of 1 KB, one at a time.
    Chat1kAlone,
    /// The same, 32 at a time.
    Chat1k,
    /// A chat with 200 KB of history.
    Chat200k,
    /// A chat with an image of 4 MB in base64.
    Image4m,
    /// A message with 200 KB of history, in Anthropic's API.
    Messages200k,
    /// A chat of 1 KB, in OpenAI's Responses API.
    Responses1k,
    /// A stream of 200 tokens that arrive at once.
    StreamBurst,
    /// A stream of 200 tokens that arrive one by one.
    StreamPaced,
}

impl Load {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Chat1kAlone,
        Self::Chat1k,
        Self::Chat200k,
        Self::Image4m,
        Self::Messages200k,
        Self::Responses1k,
        Self::StreamBurst,
        Self::StreamPaced,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat1kAlone => "chat-1k-alone",
            Self::Chat1k => "chat-1k",
            Self::Chat200k => "chat-200k",
            Self::Image4m => "image-4m",
            Self::Messages200k => "messages-200k",
            Self::Responses1k => "responses-1k",
            Self::StreamBurst => "stream-burst",
            Self::StreamPaced => "stream-paced",
        }
    }

    /// Requests in flight at once.
    #[must_use]
    pub fn concurrency(self) -> usize {
        match self {
            Self::Chat1kAlone => 1,
            Self::Chat1k | Self::Responses1k => 32,
            Self::Chat200k | Self::Messages200k => 8,
            Self::Image4m => 4,
            Self::StreamBurst | Self::StreamPaced => 16,
        }
    }

    /// Whether the answer is a stream.
    #[must_use]
    pub fn is_stream(self) -> bool {
        matches!(self, Self::StreamBurst | Self::StreamPaced)
    }

    /// The path of the filter that serves it.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Messages200k => "/v1/messages",
            Self::Responses1k => "/v1/responses",
            _ => "/v1/chat/completions",
        }
    }

    /// The Bedrock operation that it calls.
    #[must_use]
    pub fn operation(self) -> &'static str {
        if self.is_stream() {
            "invoke-with-response-stream"
        } else {
            "invoke"
        }
    }

    /// The model that a client requests.
    #[must_use]
    pub fn model(self, variant: Variant) -> String {
        format!("{}-{}", variant.name(), self.name())
    }

    /// The inference profile that it is mapped to; its last part tells the upstream what to
    /// answer.
    #[must_use]
    pub fn profile(self) -> String {
        let account = "arn:aws:bedrock:us-east-1:123456789012";
        format!(
            "{account}:application-inference-profile/{}",
            self.name().replace('-', "")
        )
    }

    /// The client's request body.
    #[must_use]
    pub fn body(self, variant: Variant) -> Bytes {
        let model = self.model(variant);
        let messages = match self {
            Self::Chat1kAlone | Self::Chat1k => json!([
                {"role": "system", "content": INSTRUCTIONS},
                {"role": "user", "content": prose(800)},
            ]),
            Self::Chat200k | Self::Messages200k => history(100, 2_000),
            Self::Image4m => picture(4 * 1024 * 1024),
            Self::Responses1k => return response(&model),
            Self::StreamBurst | Self::StreamPaced => json!([{"role": "user", "content": "Hi"}]),
        };
        let mut body = json!({
            "model": model,
            "messages": messages,
            "max_tokens": 256,
            "temperature": 0.5,
        });
        if self.is_stream() {
            body["stream"] = Value::Bool(true);
        }
        body.to_string().into()
    }
}

/// The application's system prompt.
const INSTRUCTIONS: &str = "You are a helpful assistant.";

/// The chat of 1 KB in the words of the Responses API.
fn response(model: &str) -> Bytes {
    let body = json!({
        "model": model,
        "instructions": INSTRUCTIONS,
        "input": [{"role": "user", "content": prose(800)}],
        "max_output_tokens": 256,
        "temperature": 0.5,
    });
    body.to_string().into()
}

/// The chat of 1 KB in the words of the Messages API.
#[must_use]
pub fn message(model: &str) -> Bytes {
    let body = json!({
        "model": model,
        "system": INSTRUCTIONS,
        "messages": [{"role": "user", "content": prose(800)}],
        "max_tokens": 256,
        "temperature": 0.5,
    });
    body.to_string().into()
}

/// Typical lines by people and models: a line break about every hundred characters, few quotes.
fn prose(length: usize) -> String {
    const LINES: [&str; 5] = [
        "Envoy reads the request, asks the filter for a channel, and sends what it signed to its region.",
        "A model that answers slowly is no failure: the stream stays open as long as events arrive.",
        "Please compare the two drafts below, list what changed, and say which change you would not keep.",
        "It is late in the quarter; \"good enough\" is what the team wants, so leave the wording alone.",
        "- every account has a quota of its own, counted in tokens and in requests per minute",
    ];
    let mut text = String::with_capacity(length + 128);
    for line in LINES.iter().cycle() {
        if text.len() >= length {
            break;
        }
        text.push_str(line);
        text.push('\n');
    }
    text.truncate(length);
    text
}

fn history(messages: usize, length: usize) -> Value {
    let earlier = (0..messages).map(|index| {
        let role = if index % 2 == 0 { "user" } else { "assistant" };
        json!({"role": role, "content": prose(length)})
    });
    let question = json!({"role": "user", "content": "And which of them first?"});
    earlier.chain([question]).collect()
}

fn picture(length: usize) -> Value {
    // Not all the same, so that nothing on the way can take shortcuts, but beginning like a
    // PNG.
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut state = 1_u32;
    bytes.resize_with(length / 4 * 3, || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    let url = format!("data:image/png;base64,{}", STANDARD.encode(bytes));
    json!([{"role": "user", "content": [
        {"type": "text", "text": "What is in the picture?"},
        {"type": "image_url", "image_url": {"url": url}},
    ]}])
}
