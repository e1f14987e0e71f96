//! What is sent.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::variant::Variant;

/// One kind of request, and how many are under way at once.
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
    /// A stream of 200 tokens that come at once.
    StreamBurst,
    /// A stream of 200 tokens that come one by one.
    StreamPaced,
}

impl Load {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Chat1kAlone,
        Self::Chat1k,
        Self::Chat200k,
        Self::Image4m,
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
            Self::StreamBurst => "stream-burst",
            Self::StreamPaced => "stream-paced",
        }
    }

    /// Requests under way at once.
    #[must_use]
    pub fn concurrency(self) -> usize {
        match self {
            Self::Chat1kAlone => 1,
            Self::Chat1k => 32,
            Self::Chat200k => 8,
            Self::Image4m => 4,
            Self::StreamBurst | Self::StreamPaced => 16,
        }
    }

    /// Whether the answer is a stream.
    #[must_use]
    pub fn is_stream(self) -> bool {
        matches!(self, Self::StreamBurst | Self::StreamPaced)
    }

    /// Bedrock's operation behind it.
    #[must_use]
    pub fn operation(self) -> &'static str {
        if self.is_stream() {
            "invoke-with-response-stream"
        } else {
            "invoke"
        }
    }

    /// The model that a client asks for.
    #[must_use]
    pub fn model(self, variant: Variant) -> String {
        format!("{}-{}", variant.name(), self.name())
    }

    /// The inference profile that it stands for; its last part tells the upstream what to answer.
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
        let messages = match self {
            Self::Chat1kAlone | Self::Chat1k => json!([
                {"role": "system", "content": "You are a helpful assistant."},
                {"role": "user", "content": prose(800)},
            ]),
            Self::Chat200k => history(100, 2_000),
            Self::Image4m => picture(4 * 1024 * 1024),
            Self::StreamBurst | Self::StreamPaced => json!([{"role": "user", "content": "Hi"}]),
        };
        let mut body = json!({
            "model": self.model(variant),
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

/// Lines as people and models write them: a line break about every hundred characters, few quotes.
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
    // Not all alike, so that nothing along the way can be clever; what a PNG begins with is.
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
