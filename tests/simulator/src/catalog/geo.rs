//! Geographies of cross-region inference profiles and their source regions.
//!
//! <https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html>

/// Every known prefix of a system-defined inference profile.
pub(super) const ALL: [&str; 9] = [
    "us", "eu", "apac", "jp", "au", "ca", "in", "us-gov", "global",
];

/// Whether the profiles of a geography can be called from a region.
pub(super) fn serves(geo: &str, region: &str) -> bool {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| region.starts_with(prefix));
    match geo {
        "us" => starts(&["us-east-", "us-west-", "ca-"]),
        "eu" => starts(&["eu-", "il-"]),
        "apac" => starts(&["ap-", "me-central-"]),
        "jp" => matches!(region, "ap-northeast-1" | "ap-northeast-3"),
        "au" => matches!(
            region,
            "ap-southeast-2" | "ap-southeast-4" | "ap-southeast-6"
        ),
        "ca" => starts(&["ca-"]),
        "in" => starts(&["ap-south-"]),
        "us-gov" => starts(&["us-gov-"]),
        "global" => !starts(&["us-gov-", "cn-", "us-iso", "eu-isoe-", "eusc-"]),
        _ => false,
    }
}
