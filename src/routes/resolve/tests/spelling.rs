//! Names that are spelled in another way than the channel spells them.

use super::*;

#[test]
fn an_unknown_name_suggests_the_most_similar_ones() {
    let channel = json!({"model_mapping": {"house-model": "claude-sonnet-4-5"}});
    let routes = routes(&[channel]);
    for (name, says) in [
        ("hous-model", "Did you mean `house-model`?"),
        (
            "anthropic/claude-sonnet-4.5",
            "Did you mean `claude-sonnet-4-5`",
        ),
        ("no-such-thing", "GET /v1/models lists the names"),
    ] {
        let error = routes.find(name).unwrap_err().error();
        assert!(error.message.contains(says), "{error}");
    }
}

#[test]
fn names_from_elsewhere_lead_where_they_do_without_what_is_around_them() {
    let sonnet = "c0 Catalog us.anthropic.claude-sonnet-4-5-20250929-v1:0";
    let opus = "c0 Catalog us.anthropic.claude-opus-4-8";
    for (name, expected) in [
        ("bedrock/claude-sonnet-4-5", sonnet),
        ("anthropic/claude-sonnet-4-5-20250929", sonnet),
        ("bedrock/converse/claude-sonnet-4-5", sonnet),
        ("invoke/anthropic.claude-sonnet-4-5-20250929-v1:0", sonnet),
        ("claude-opus-4-8[1m]", opus),
        ("claude-opus-4-8-20260131", opus),
        ("bedrock/no-such-model", "not found"),
        ("no-such-model-20260131", "not found"),
    ] {
        check(&[json!({})], name, expected);
    }
}

#[test]
fn what_the_administrator_wrote_comes_before_what_a_name_from_elsewhere_says() {
    let channel = json!({"inference_profile_arn_map": {"claude-sonnet-4-5": ARN}});
    let expected = format!("c0 InferenceProfileArnMap {ARN}");
    check(&[channel], "claude-sonnet-4-5-20990101", &expected);
    let dated = "claude-sonnet-4-5-20250929";
    let only = json!({"models": ["claude-sonnet-4-5"]});
    let sonnet = "c0 Catalog us.anthropic.claude-sonnet-4-5-20250929-v1:0";
    check(&[only], dated, sonnet);
    let own = json!({"model_mapping": {"bedrock/mine": "nova-lite"}});
    check(
        &[own],
        "bedrock/mine",
        "c0 Catalog us.amazon.nova-lite-v1:0",
    );
}

#[test]
fn what_nobody_sees_in_a_name_is_named() {
    let routes = routes(&[json!({"allow_model_ids": "catalogue"})]);
    for (name, shown, character) in [
        (
            "claude-sonnet-4-5\u{200b}",
            "`claude-sonnet-4-5<U+200B>`",
            "U+200B (zero width space)",
        ),
        (
            "\u{feff}nova-pro",
            "`<U+FEFF>nova-pro`",
            "U+FEFF (byte order mark)",
        ),
        (
            "claude-sonnet-4-5\u{a0}",
            "`claude-sonnet-4-5<U+00A0>`",
            "U+00A0 (no-break space)",
        ),
        ("nova-pro ", "`nova-pro<U+0020>`", "U+0020 (space)"),
        (
            "nova-\u{ad}pro",
            "`nova-<U+00AD>pro`",
            "U+00AD (soft hyphen)",
        ),
        ("nova-pro\n", "`nova-pro<U+000A>`", "U+000A (line break)"),
    ] {
        let message = routes.find(name).unwrap_err().error().message;
        assert!(
            message.contains(shown) && message.contains(character),
            "{message}"
        );
        assert!(message.contains("Did you mean `"), "{message}");
    }
    let plain = routes.find("no such model").unwrap_err().error().message;
    assert!(!plain.contains("invisible"), "{plain}");
}
