//! The parts of a request that every response repeats.

use serde::Serialize;
use serde_json::value::RawValue;

use super::request::Body;
use crate::json::{self, Text};

/// Members of a response that say what was asked, as JSON, each with a comma in front.
#[derive(Debug)]
pub(super) struct Echo(Vec<u8>);

impl Echo {
    /// What a request says, or the API's defaults where it says nothing.
    pub(super) fn new(request: &Body<'_>, metadata: &[(Text<'_>, Text<'_>)]) -> Self {
        let mut echo = Self(Vec::with_capacity(512));
        echo.value("instructions", &request.instructions);
        echo.value("max_output_tokens", &request.max_output_tokens);
        echo.labels("metadata", metadata);
        let parallel = request.parallel_tool_calls.unwrap_or(true);
        echo.value("parallel_tool_calls", &parallel);
        echo.raw("prompt_cache_key", request.prompt_cache_key, "null");
        let retention = request.prompt_cache_retention;
        echo.raw("prompt_cache_retention", retention, "null");
        let reasoning = "{\"effort\":null,\"summary\":null}";
        echo.raw("reasoning", request.reasoning, reasoning);
        echo.raw("safety_identifier", request.safety_identifier, "null");
        echo.value("temperature", &request.temperature.unwrap_or(1.0));
        let text = "{\"format\":{\"type\":\"text\"},\"verbosity\":\"medium\"}";
        echo.raw("text", request.text, text);
        echo.raw("tool_choice", request.tool_choice, "\"auto\"");
        echo.raw("tools", request.tools, "[]");
        echo.value("top_p", &request.top_p.unwrap_or(1.0));
        echo.value("user", &request.user);
        echo
    }

    /// The JSON of the members.
    pub(super) fn members(&self) -> &[u8] {
        &self.0
    }

    fn name(&mut self, name: &str) {
        self.0.extend_from_slice(b",\"");
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    fn value(&mut self, name: &str, value: &impl Serialize) {
        self.name(name);
        json::write_or_null(&mut self.0, value);
    }

    fn labels(&mut self, name: &str, labels: &[(Text<'_>, Text<'_>)]) {
        self.name(name);
        self.0.push(b'{');
        for (index, (name, value)) in labels.iter().enumerate() {
            if index > 0 {
                self.0.push(b',');
            }
            json::write_str(&mut self.0, name);
            self.0.push(b':');
            json::write_str(&mut self.0, value);
        }
        self.0.push(b'}');
    }

    /// JSON as the client wrote it, but on one line.
    fn raw(&mut self, name: &str, json: Option<&RawValue>, absent: &str) {
        self.name(name);
        json::write_line(&mut self.0, json.map_or(absent, RawValue::get));
    }
}
