//! The file itself: <https://github.com/envoyproxy/ratelimit#configuration>. It is JSON, which is YAML too.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// What all rules are for; the same as in Envoy's configuration.
pub const DOMAIN: &str = "bedrock";

/// The entry of a question that names the caller.
pub const CALLER: &str = "caller";

/// What a limit limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Requests a minute.
    Requests,
    /// Tokens a minute.
    Tokens,
}

/// A value of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LimitValue {
    /// What it limits.
    pub kind: Kind,
    /// How many in a minute.
    pub value: u32,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Requests, Self::Tokens];

    /// The entry of a question with the limit, and the name by which the filter tells limits apart.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Requests => "rpm",
            Self::Tokens => "tpm",
        }
    }

    /// The kind with this entry.
    pub(crate) fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.key() == key)
    }

    /// What applies to a value without a rule. It must not be unlimited.
    fn default_limit(self) -> u32 {
        match self {
            Self::Requests => 60,
            Self::Tokens => 10_000,
        }
    }
}

/// A rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// What it limits.
    pub kind: Kind,
    /// The value that it is for; `None` for all that have no rule.
    pub value: Option<u32>,
    /// How much it allows a caller in a minute.
    pub limit: u32,
}

/// The rules for these values, and those for all others.
pub(super) fn rules(values: &BTreeSet<LimitValue>) -> impl Iterator<Item = Rule> {
    let own = values.iter().map(|own| (own.kind, Some(own.value)));
    let others = Kind::ALL.map(|kind| (kind, None));
    own.chain(others).map(|(kind, value)| Rule {
        kind,
        value,
        limit: value.unwrap_or_else(|| kind.default_limit()),
    })
}

#[derive(Serialize, Deserialize)]
struct Document {
    domain: String,
    descriptors: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    descriptors: Vec<PerCaller>,
}

#[derive(Serialize, Deserialize)]
struct PerCaller {
    key: String,
    rate_limit: RateLimit,
    /// Counts, and denies nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    shadow_mode: bool,
}

#[derive(Serialize, Deserialize)]
struct RateLimit {
    name: String,
    unit: String,
    requests_per_unit: u32,
}

/// The text of a file with the rules for these values, and those for all others.
pub(super) fn write(values: &BTreeSet<LimitValue>, is_shadow: bool) -> String {
    let document = Document {
        domain: DOMAIN.to_owned(),
        descriptors: rules(values).map(|rule| entry(rule, is_shadow)).collect(),
    };
    let text = serde_json::to_string_pretty(&document);
    // Strings and numbers always serialise.
    text.unwrap_or_default() + "\n"
}

fn entry(rule: Rule, is_shadow: bool) -> Entry {
    Entry {
        key: rule.kind.key().to_owned(),
        value: rule.value.map(|own| own.to_string()),
        descriptors: vec![PerCaller {
            key: CALLER.to_owned(),
            rate_limit: RateLimit {
                name: rule.kind.key().to_owned(),
                unit: "minute".to_owned(),
                requests_per_unit: rule.limit,
            },
            shadow_mode: is_shadow,
        }],
    }
}

/// The values for which a file has rules; nothing if it is another kind of file.
pub(super) fn values(text: &str) -> Option<BTreeSet<LimitValue>> {
    let document: Document = serde_json::from_str(text).ok()?;
    if document.domain != DOMAIN {
        return None;
    }
    let mut values = BTreeSet::new();
    for rule in document.descriptors {
        let kind = Kind::of_key(&rule.key)?;
        if let Some(value) = rule.value {
            let value = value.parse().ok()?;
            values.insert(LimitValue { kind, value });
        }
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn value(kind: Kind, value: u32) -> LimitValue {
        LimitValue { kind, value }
    }

    #[test]
    fn each_value_has_a_rule_and_all_others_have_the_default() {
        let values = [value(Kind::Requests, 600), value(Kind::Tokens, 50_000)];
        let text = write(&values.into(), false);
        let read: Value = serde_json::from_str(&text).unwrap();
        let rule = |kind: &str, value: Option<&str>, limit: u32| {
            let limit = json!({"name": kind, "unit": "minute", "requests_per_unit": limit});
            let mut rule = json!({
                "key": kind, "descriptors": [{"key": "caller", "rate_limit": limit}],
            });
            if let Some(value) = value {
                rule["value"] = json!(value);
            }
            rule
        };
        let expected = json!({"domain": "bedrock", "descriptors": [
            rule("rpm", Some("600"), 600),
            rule("tpm", Some("50000"), 50_000),
            rule("rpm", None, 60),
            rule("tpm", None, 10_000),
        ]});
        assert_eq!(read, expected);
    }

    #[test]
    fn a_dry_run_counts_without_denying() {
        let text = write(&BTreeSet::new(), true);
        assert_eq!(text.matches("\"shadow_mode\": true").count(), 2, "{text}");
        assert_eq!(super::values(&text), Some(BTreeSet::new()));
    }

    #[test]
    fn what_was_written_is_read() {
        let values = BTreeSet::from([value(Kind::Requests, 1), value(Kind::Tokens, u32::MAX)]);
        assert_eq!(super::values(&write(&values, false)), Some(values));
        for other in [
            "",
            "[]",
            "{}",
            "{\"domain\":\"bedrock\",\"descriptors\":[{\"key\":\"x\",\"descriptors\":[]}]}",
        ] {
            assert_eq!(super::values(other), None, "{other}");
        }
    }
}
