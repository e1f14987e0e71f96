//! The schema of the request, as AWS's service model has it.

use crate::controls::{LATENCIES, TIERS, is_guardrail, is_version};
use crate::family::schema::{COUNT, EMPTY, FILLED, FRACTION, Key, MAY, MUST, Shape, TEXT};

const MANY: usize = usize::MAX;

pub(crate) const TOOL_ID: Shape = Shape::Pattern(is_tool_id, "[a-zA-Z0-9_.:-]{1,64}");
pub(crate) const TOOL_NAME: Shape = Shape::Pattern(is_tool_name, "[a-zA-Z0-9_-]{1,64}");
pub(crate) const TOOL_CHOICE: Shape = Shape::Union(
    &[
        ("auto", MAY, EMPTY),
        ("any", MAY, EMPTY),
        ("tool", MAY, Shape::Object(&[("name", MUST, TOOL_NAME)])),
    ],
    &[],
);

const S3: Shape = Shape::Object(&[("uri", MUST, FILLED), ("bucketOwner", MAY, TEXT)]);
const BYTES_OR_S3: Shape = Shape::Union(&[("bytes", MAY, FILLED), ("s3Location", MAY, S3)], &[]);
const TEXTS: Shape = Shape::List(1, MANY, &Shape::Object(&[("text", MUST, TEXT)]));
const CITATIONS: Key = (
    "citations",
    MAY,
    Shape::Object(&[("enabled", MUST, Shape::Boolean)]),
);

const IMAGE: Shape = Shape::Object(&[
    (
        "format",
        MUST,
        Shape::OneOf(&["png", "jpeg", "gif", "webp"]),
    ),
    ("source", MUST, BYTES_OR_S3),
]);
const DOCUMENT: Shape = Shape::Object(&[
    (
        "format",
        MAY,
        Shape::OneOf(&[
            "pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md",
        ]),
    ),
    (
        "name",
        MUST,
        Shape::Pattern(is_document_name, "[a-zA-Z0-9\\s\\-()\\[\\]]{1,200}"),
    ),
    (
        "source",
        MUST,
        Shape::Union(
            &[
                ("bytes", MAY, FILLED),
                ("s3Location", MAY, S3),
                ("text", MAY, FILLED),
                ("content", MAY, TEXTS),
            ],
            &[],
        ),
    ),
    ("context", MAY, TEXT),
    CITATIONS,
]);
const VIDEO: Shape = Shape::Object(&[
    (
        "format",
        MUST,
        Shape::OneOf(&[
            "mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp",
        ]),
    ),
    ("source", MUST, BYTES_OR_S3),
]);
const AUDIO: Shape = Shape::Object(&[
    (
        "format",
        MUST,
        Shape::OneOf(&[
            "mp3", "opus", "wav", "aac", "flac", "mp4", "ogg", "mkv", "mka", "x-aac", "m4a",
            "mpeg", "mpga", "pcm", "webm",
        ]),
    ),
    ("source", MUST, BYTES_OR_S3),
]);
const SEARCH_RESULT: Shape = Shape::Object(&[
    ("source", MUST, TEXT),
    ("title", MUST, TEXT),
    ("content", MUST, TEXTS),
    CITATIONS,
]);
const TOOL_USE: Shape = Shape::Object(&[
    ("toolUseId", MUST, TOOL_ID),
    ("name", MUST, TOOL_NAME),
    ("input", MUST, Shape::Json),
    ("type", MAY, Shape::OneOf(&["server_tool_use"])),
]);
const RESULT: Shape = Shape::Union(
    &[
        ("text", MAY, TEXT),
        ("json", MAY, Shape::Any),
        ("image", MAY, IMAGE),
        ("document", MAY, DOCUMENT),
        ("video", MAY, VIDEO),
        ("searchResult", MAY, SEARCH_RESULT),
    ],
    &[],
);
const TOOL_RESULT: Shape = Shape::Object(&[
    ("toolUseId", MUST, TOOL_ID),
    ("content", MUST, Shape::List(0, MANY, &RESULT)),
    ("status", MAY, Shape::OneOf(&["success", "error"])),
    ("type", MAY, TEXT),
]);
const GUARD: Shape = Shape::Union(
    &[
        (
            "text",
            MAY,
            Shape::Object(&[
                ("text", MUST, TEXT),
                (
                    "qualifiers",
                    MAY,
                    Shape::List(
                        0,
                        MANY,
                        &Shape::OneOf(&["grounding_source", "query", "guard_content"]),
                    ),
                ),
            ]),
        ),
        (
            "image",
            MAY,
            Shape::Object(&[
                ("format", MUST, Shape::OneOf(&["png", "jpeg"])),
                ("source", MUST, Shape::Union(&[("bytes", MAY, FILLED)], &[])),
            ]),
        ),
    ],
    &[],
);
const CACHE_POINT: Shape = Shape::Object(&[
    ("type", MUST, Shape::OneOf(&["default"])),
    ("ttl", MAY, Shape::OneOf(&["5m", "1h"])),
]);
const REASONING: Shape = Shape::Union(
    &[
        (
            "reasoningText",
            MAY,
            Shape::Object(&[("text", MUST, TEXT), ("signature", MAY, TEXT)]),
        ),
        ("redactedContent", MAY, FILLED),
    ],
    &[],
);
const CITED: Shape = Shape::Object(&[("content", MAY, TEXTS), ("citations", MAY, Shape::Any)]);
const CHANGE: Shape = Shape::Object(&[("tool", MUST, Shape::Json)]);
const BLOCK: Shape = Shape::Union(
    &[
        ("text", MAY, TEXT),
        ("image", MAY, IMAGE),
        ("document", MAY, DOCUMENT),
        ("video", MAY, VIDEO),
        ("audio", MAY, AUDIO),
        ("toolUse", MAY, TOOL_USE),
        ("toolResult", MAY, TOOL_RESULT),
        ("guardContent", MAY, GUARD),
        ("cachePoint", MAY, CACHE_POINT),
        ("reasoningContent", MAY, REASONING),
        ("citationsContent", MAY, CITED),
        ("searchResult", MAY, SEARCH_RESULT),
        ("toolAddition", MAY, CHANGE),
        ("toolRemoval", MAY, CHANGE),
    ],
    &[],
);
const MESSAGE: Shape = Shape::Object(&[
    ("role", MUST, Shape::OneOf(&["user", "assistant", "system"])),
    ("content", MUST, Shape::List(1, MANY, &BLOCK)),
]);
const SYSTEM: Shape = Shape::Union(
    &[
        ("text", MAY, FILLED),
        ("guardContent", MAY, GUARD),
        ("cachePoint", MAY, CACHE_POINT),
    ],
    &[],
);
const INFERENCE: Shape = Shape::Object(&[
    ("maxTokens", MAY, COUNT),
    ("temperature", MAY, FRACTION),
    ("topP", MAY, FRACTION),
    ("stopSequences", MAY, Shape::List(0, 2500, &FILLED)),
]);
const TOOL: Shape = Shape::Union(
    &[
        (
            "toolSpec",
            MAY,
            Shape::Object(&[
                ("name", MUST, TOOL_NAME),
                ("description", MAY, FILLED),
                (
                    "inputSchema",
                    MUST,
                    Shape::Union(&[("json", MAY, Shape::Json)], &[]),
                ),
                ("strict", MAY, Shape::Boolean),
            ]),
        ),
        (
            "systemTool",
            MAY,
            Shape::Object(&[("name", MUST, TOOL_NAME)]),
        ),
        ("cachePoint", MAY, CACHE_POINT),
    ],
    &[],
);
const TOOL_CONFIG: Shape = Shape::Object(&[
    ("tools", MUST, Shape::List(1, MANY, &TOOL)),
    ("toolChoice", MAY, TOOL_CHOICE),
]);
const IDENTIFIER: Key = (
    "guardrailIdentifier",
    MAY,
    Shape::Pattern(is_guardrail, "[a-z0-9]+ or ARN"),
);
const VERSION: Key = (
    "guardrailVersion",
    MAY,
    Shape::Pattern(is_version, "([1-9][0-9]{0,7})|(DRAFT)"),
);
const TRACE: Key = (
    "trace",
    MAY,
    Shape::OneOf(&["enabled", "disabled", "enabled_full"]),
);
const OUTPUT: Shape = Shape::Object(&[
    (
        "textFormat",
        MAY,
        Shape::Object(&[
            ("type", MUST, Shape::OneOf(&["json_schema"])),
            (
                "structure",
                MUST,
                Shape::Union(
                    &[(
                        "jsonSchema",
                        MAY,
                        Shape::Object(&[
                            ("schema", MUST, FILLED),
                            ("name", MAY, TEXT),
                            ("description", MAY, TEXT),
                        ]),
                    )],
                    &[],
                ),
            ),
        ]),
    ),
    ("effort", MAY, Shape::Text(1, 16)),
]);

const REST: [Key; 11] = [
    ("messages", MUST, Shape::List(1, MANY, &MESSAGE)),
    ("system", MAY, Shape::List(0, MANY, &SYSTEM)),
    ("inferenceConfig", MAY, INFERENCE),
    ("toolConfig", MAY, TOOL_CONFIG),
    ("additionalModelRequestFields", MAY, Shape::Json),
    (
        "additionalModelResponseFieldPaths",
        MAY,
        Shape::List(0, 10, &Shape::Text(1, 256)),
    ),
    (
        "promptVariables",
        MAY,
        Shape::Map(&Shape::Object(&[("text", MUST, TEXT)])),
    ),
    ("requestMetadata", MAY, Shape::Map(&TEXT)),
    (
        "performanceConfig",
        MAY,
        Shape::Object(&[("latency", MAY, Shape::OneOf(LATENCIES))]),
    ),
    (
        "serviceTier",
        MAY,
        Shape::Object(&[("type", MUST, Shape::OneOf(TIERS))]),
    ),
    ("outputConfig", MAY, OUTPUT),
];

const STREAMED: Shape = Shape::Object(&[
    IDENTIFIER,
    VERSION,
    TRACE,
    (
        "streamProcessingMode",
        MAY,
        Shape::OneOf(&["sync", "async"]),
    ),
]);
const PLAIN_KEYS: [Key; 12] = with(Shape::Object(&[IDENTIFIER, VERSION, TRACE]));
const STREAM_KEYS: [Key; 12] = with(STREAMED);

/// The body of Converse.
pub(super) const PLAIN: Shape = Shape::Object(&PLAIN_KEYS);
/// The body of `ConverseStream`.
pub(super) const STREAM: Shape = Shape::Object(&STREAM_KEYS);

/// All fields, with this shape of `guardrailConfig`.
const fn with(guardrail: Shape) -> [Key; 12] {
    let [a, b, c, d, e, f, g, h, i, j, k] = REST;
    [
        a,
        b,
        c,
        d,
        e,
        f,
        g,
        h,
        i,
        j,
        k,
        ("guardrailConfig", MAY, guardrail),
    ]
}

fn is_tool_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

fn is_tool_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

/// Letters, digits, single spaces, hyphens, parentheses and brackets.
fn is_document_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b" -()[]".contains(&byte);
    (1..=200).contains(&text.len()) && text.bytes().all(fits) && !text.contains("  ")
}
