//! The filter's map: each room with those that it may use.

/// The filter, from top to bottom: each of its rooms, and those further down that it knows.
pub(super) const FILTER: &[(&str, &[&str])] = &[
    (
        "filter",
        &[
            "exchange",
            "failover",
            "call",
            "health",
            "limits",
            "telemetry",
            "usage",
            "routes",
            "callers",
            "config",
            "chat",
            "seal",
        ],
    ),
    (
        "exchange",
        &[
            "failover",
            "models",
            "call",
            "health",
            "limits",
            "telemetry",
            "usage",
            "routes",
            "callers",
            "passthrough",
            "bedrock",
            "protocol",
            "config",
            "wire",
            "chat",
            "json",
        ],
    ),
    // What can be asked for.
    ("models", &["routes", "catalog", "chat"]),
    // One request on several channels.
    (
        "failover",
        &[
            "call",
            "health",
            "limits",
            "telemetry",
            "routes",
            "callers",
            "protocol",
            "config",
            "catalog",
            "chat",
        ],
    ),
    // A request as Bedrock gets it.
    (
        "call",
        &[
            "routes",
            "passthrough",
            "bedrock",
            "protocol",
            "sign",
            "config",
            "seal",
            "catalog",
            "chat",
            "json",
        ],
    ),
    // Client and model speak one format: what the client wrote goes on, by rules.
    (
        "passthrough",
        &[
            "bedrock", "protocol", "config", "catalog", "wire", "chat", "json",
        ],
    ),
    // How the channels are doing.
    ("health", &["routes"]),
    // What is measured of requests.
    ("telemetry", &["callers", "chat"]),
    // What requests used.
    ("usage", &["chat"]),
    (
        "routes",
        &[
            "callers", "bedrock", "sign", "config", "seal", "catalog", "endpoint", "arn", "chat",
        ],
    ),
    // Who calls, and what they may use.
    ("callers", &["limits", "config", "chat"]),
    // What callers take from their limits.
    ("limits", &["config", "chat"]),
    // What models speak; it knows no protocol.
    (
        "bedrock",
        &["config", "catalog", "wire", "chat", "json", "vectors"],
    ),
    // What clients speak; it knows no model.
    ("protocol", &["chat", "wire", "json"]),
    ("sign", &["config", "secret"]),
    (
        "config",
        &["catalog", "endpoint", "arn", "seal", "secret", "json"],
    ),
    ("seal", &["secret"]),
    ("catalog", &["chat"]),
    // The vocabulary that protocols and dialects share.
    ("chat", &["json"]),
    ("wire", &["json"]),
    ("json", &["vectors"]),
    ("vectors", &[]),
    ("endpoint", &[]),
    ("arn", &[]),
    ("secret", &[]),
];
