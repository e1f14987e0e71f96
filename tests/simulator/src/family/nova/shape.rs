//! The schema of the body.

use crate::family::converse::shape::{TOOL_CHOICE, TOOL_ID, TOOL_NAME};
use crate::family::schema::{COUNT, FILLED, FRACTION, Key, MAY, MUST, Shape, TEXT};

const MANY: usize = usize::MAX;

const CACHE_POINT: Key = (
    "cachePoint",
    MAY,
    Shape::Object(&[("type", MUST, Shape::OneOf(&["default"]))]),
);
const SYSTEM: Shape = Shape::Object(&[("text", MUST, FILLED), CACHE_POINT]);

const S3: Shape = Shape::Object(&[("uri", MUST, FILLED), ("bucketOwner", MAY, TEXT)]);
const BYTES: Shape = Shape::Object(&[("bytes", MUST, FILLED)]);
const IMAGE: Shape = Shape::Object(&[
    (
        "format",
        MUST,
        Shape::OneOf(&["png", "jpeg", "gif", "webp"]),
    ),
    ("source", MUST, BYTES),
]);
const VIDEO: Shape = Shape::Object(&[
    (
        "format",
        MUST,
        Shape::OneOf(&[
            "mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp",
        ]),
    ),
    (
        "source",
        MUST,
        Shape::Union(&[("bytes", MAY, FILLED), ("s3Location", MAY, S3)], &[]),
    ),
]);
const TOOL_USE: Shape = Shape::Object(&[
    ("toolUseId", MUST, TOOL_ID),
    ("name", MUST, TOOL_NAME),
    ("input", MUST, Shape::Json),
]);
const RESULT: Shape = Shape::Union(
    &[
        ("text", MAY, TEXT),
        ("json", MAY, Shape::Any),
        ("image", MAY, IMAGE),
    ],
    &[],
);
const TOOL_RESULT: Shape = Shape::Object(&[
    ("toolUseId", MUST, TOOL_ID),
    ("content", MUST, Shape::List(1, MANY, &RESULT)),
    ("status", MAY, Shape::OneOf(&["success", "error"])),
]);
const REASONING: Shape = Shape::Object(&[(
    "reasoningText",
    MUST,
    Shape::Object(&[("text", MUST, TEXT), ("signature", MAY, TEXT)]),
)]);
const BLOCK: Shape = Shape::Union(
    &[
        ("text", MAY, TEXT),
        ("image", MAY, IMAGE),
        ("video", MAY, VIDEO),
        ("toolUse", MAY, TOOL_USE),
        ("toolResult", MAY, TOOL_RESULT),
        ("reasoningContent", MAY, REASONING),
    ],
    &[CACHE_POINT],
);
const MESSAGE: Shape = Shape::Object(&[
    ("role", MUST, Shape::OneOf(&["user", "assistant"])),
    ("content", MUST, Shape::List(1, MANY, &BLOCK)),
]);

const TOOL: Shape = Shape::Object(&[(
    "toolSpec",
    MUST,
    Shape::Object(&[
        ("name", MUST, TOOL_NAME),
        ("description", MAY, FILLED),
        (
            "inputSchema",
            MUST,
            Shape::Object(&[("json", MUST, Shape::Json)]),
        ),
    ]),
)]);

const REASONING_CONFIG: Key = (
    "reasoningConfig",
    MAY,
    Shape::Object(&[
        ("type", MUST, Shape::OneOf(&["enabled", "disabled"])),
        (
            "maxReasoningEffort",
            MAY,
            Shape::OneOf(&["low", "medium", "high"]),
        ),
    ]),
);
const TOP_K: Key = ("topK", MAY, Shape::Integer(0, 128));
const INFERENCE: Shape = Shape::Object(&[
    ("maxTokens", MAY, COUNT),
    ("max_new_tokens", MAY, COUNT),
    ("temperature", MAY, Shape::Number(0.000_01, 1.0)),
    ("topP", MAY, FRACTION),
    TOP_K,
    ("stopSequences", MAY, Shape::List(0, MANY, &FILLED)),
    REASONING_CONFIG,
]);

pub(super) const BODY: Shape = Shape::Object(&[
    ("schemaVersion", MAY, Shape::OneOf(&["messages-v1"])),
    ("system", MAY, Shape::List(1, MANY, &SYSTEM)),
    ("messages", MUST, Shape::List(1, MANY, &MESSAGE)),
    ("inferenceConfig", MAY, INFERENCE),
    (
        "toolConfig",
        MAY,
        Shape::Object(&[
            ("tools", MUST, Shape::List(1, MANY, &TOOL)),
            ("toolChoice", MAY, TOOL_CHOICE),
        ]),
    ),
]);

/// `additionalModelRequestFields` of Converse.
pub(crate) const ADDITIONAL: Shape = Shape::Object(&[
    ("inferenceConfig", MAY, Shape::Object(&[TOP_K])),
    REASONING_CONFIG,
]);
