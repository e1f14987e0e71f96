//! The schema of the body. What a model refuses beyond it is in `quirks`.

use crate::family::converse::shape::TOOL_NAME;
use crate::family::schema::{COUNT, FILLED, FRACTION, MAY, MUST, Shape, TEXT};

const MANY: usize = usize::MAX;

const PART: Shape = Shape::Object(&[
    (
        "type",
        MUST,
        Shape::OneOf(&["text", "image_url", "input_audio"]),
    ),
    ("text", MAY, TEXT),
    (
        "image_url",
        MAY,
        Shape::Object(&[
            ("url", MUST, FILLED),
            ("detail", MAY, Shape::OneOf(&["auto", "low", "high"])),
        ]),
    ),
    (
        "input_audio",
        MAY,
        Shape::Object(&[
            ("data", MUST, FILLED),
            ("format", MUST, Shape::OneOf(&["wav", "mp3"])),
        ]),
    ),
]);
const CONTENT: Shape = Shape::Either(&[TEXT, Shape::List(1, MANY, &PART), Shape::Null]);

pub(crate) const TOOL_CALL: Shape = Shape::Object(&[
    ("id", MUST, FILLED),
    ("type", MUST, Shape::OneOf(&["function"])),
    (
        "function",
        MUST,
        Shape::Object(&[("name", MUST, TOOL_NAME), ("arguments", MUST, TEXT)]),
    ),
]);
const MESSAGE: Shape = Shape::Object(&[
    (
        "role",
        MUST,
        Shape::OneOf(&["system", "developer", "user", "assistant", "tool"]),
    ),
    ("content", MAY, CONTENT),
    ("name", MAY, TEXT),
    ("tool_calls", MAY, Shape::List(1, MANY, &TOOL_CALL)),
    ("tool_call_id", MAY, FILLED),
]);

pub(crate) const TOOL: Shape = Shape::Object(&[
    ("type", MUST, Shape::OneOf(&["function"])),
    (
        "function",
        MUST,
        Shape::Object(&[
            ("name", MUST, TOOL_NAME),
            ("description", MAY, TEXT),
            ("parameters", MAY, Shape::Json),
            ("strict", MAY, Shape::Boolean),
        ]),
    ),
]);
const TOOL_CHOICE: Shape = Shape::Either(&[
    Shape::OneOf(&["none", "auto", "required"]),
    Shape::Object(&[
        ("type", MUST, Shape::OneOf(&["function"])),
        (
            "function",
            MUST,
            Shape::Object(&[("name", MUST, TOOL_NAME)]),
        ),
    ]),
]);

const RESPONSE_FORMAT: Shape = Shape::Object(&[
    (
        "type",
        MUST,
        Shape::OneOf(&["text", "json_object", "json_schema"]),
    ),
    (
        "json_schema",
        MAY,
        Shape::Object(&[
            ("name", MUST, FILLED),
            ("schema", MUST, Shape::Json),
            ("description", MAY, TEXT),
            ("strict", MAY, Shape::Boolean),
        ]),
    ),
]);

/// `model`, `stream` and `stream_options` are in the path.
pub(super) const BODY: Shape = Shape::Object(&[
    ("messages", MUST, Shape::List(1, MANY, &MESSAGE)),
    ("max_tokens", MAY, COUNT),
    ("max_completion_tokens", MAY, COUNT),
    ("temperature", MAY, Shape::Number(0.0, 2.0)),
    ("top_p", MAY, FRACTION),
    (
        "stop",
        MAY,
        Shape::Either(&[FILLED, Shape::List(1, 4, &FILLED)]),
    ),
    ("tools", MAY, Shape::List(1, MANY, &TOOL)),
    ("tool_choice", MAY, TOOL_CHOICE),
    ("parallel_tool_calls", MAY, Shape::Boolean),
    ("response_format", MAY, RESPONSE_FORMAT),
    (
        "reasoning_effort",
        MAY,
        Shape::OneOf(&["none", "minimal", "low", "medium", "high", "xhigh", "max"]),
    ),
    ("verbosity", MAY, Shape::OneOf(&["low", "medium", "high"])),
    ("frequency_penalty", MAY, Shape::Number(-2.0, 2.0)),
    ("presence_penalty", MAY, Shape::Number(-2.0, 2.0)),
    ("seed", MAY, Shape::Integer(i64::MIN, i64::MAX)),
    ("user", MAY, TEXT),
]);
