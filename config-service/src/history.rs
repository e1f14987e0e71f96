//! What changed with each edit. Nothing here contains a secret: the store masks them.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::fault::child;
use crate::store::{AuditEntry, CallerAuditEntry, ChoiceAuditEntry, CredentialAuditEntry};

/// One accepted edit.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = HistoryEntry)]
pub struct Entry {
    /// The revision that it created.
    pub revision: u64,
    /// When, RFC 3339 in UTC.
    #[schema(format = DateTime)]
    pub at: String,
    /// Who.
    pub actor: String,
    /// `create`, `update` or `delete`.
    #[schema(schema_with = action)]
    pub action: String,
    /// The revision that it rolled back to, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, required = false)]
    pub restored: Option<u64>,
    /// The channel's id; empty if the edit was of a shared credential.
    pub channel_id: String,
    /// The channel's name after the edit, or its last one.
    pub channel_name: String,
    /// The shared credential's name, if the edit was of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub credential: Option<String>,
    /// What it changed.
    pub changes: Vec<Difference>,
}

/// A value that an edit changed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Difference {
    /// JSON pointer (RFC 6901) into the channel.
    pub pointer: String,
    /// The value before; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The value after the edit; absent if the edit removed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

fn action() -> ObjectBuilder {
    let actions = ["create", "update", "delete"];
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(actions))
}

impl From<&AuditEntry> for Entry {
    fn from(entry: &AuditEntry) -> Self {
        Self {
            revision: entry.revision.unsigned_abs(),
            at: entry.at.clone(),
            actor: entry.actor.clone(),
            action: entry.action.clone(),
            restored: entry.restored.map(i64::unsigned_abs),
            channel_id: entry.channel_id.clone(),
            channel_name: entry.channel_name.clone(),
            credential: entry.credential.clone(),
            changes: changes(entry.before.as_deref(), entry.after.as_deref()),
        }
    }
}

/// One accepted edit of a caller, or of what applies to all of them.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = CallerHistoryEntry)]
pub struct CallerEntry {
    /// The revision that it created.
    pub revision: u64,
    /// When, RFC 3339 in UTC.
    #[schema(format = DateTime)]
    pub at: String,
    /// Who.
    pub actor: String,
    /// `create`, `update` or `delete`.
    #[schema(schema_with = action)]
    pub action: String,
    /// The revision that it rolled back to, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, required = false)]
    pub restored: Option<u64>,
    /// The caller's id; absent if the edit was of what applies to all callers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub caller_id: Option<String>,
    /// The caller's name after the edit, or its last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub caller_name: Option<String>,
    /// What it changed; keys are listed by id.
    pub changes: Vec<Difference>,
}

impl From<&CallerAuditEntry> for CallerEntry {
    fn from(entry: &CallerAuditEntry) -> Self {
        Self {
            revision: entry.revision.unsigned_abs(),
            at: entry.at.clone(),
            actor: entry.actor.clone(),
            action: entry.action.clone(),
            restored: entry.restored.map(i64::unsigned_abs),
            caller_id: entry.caller_id.clone(),
            caller_name: entry.caller_name.clone(),
            changes: changes(entry.before.as_deref(), entry.after.as_deref()),
        }
    }
}

/// One accepted edit of a credential.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = CredentialHistoryEntry)]
pub struct CredentialEntry {
    /// The revision that it created.
    pub revision: u64,
    /// When, RFC 3339 in UTC.
    #[schema(format = DateTime)]
    pub at: String,
    /// Who.
    pub actor: String,
    /// `create`, `update` or `delete`.
    #[schema(schema_with = action)]
    pub action: String,
    /// The revision that it rolled back to, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, required = false)]
    pub restored: Option<u64>,
    /// What it changed; secrets appear as fingerprints.
    pub changes: Vec<Difference>,
}

impl From<&CredentialAuditEntry> for CredentialEntry {
    fn from(entry: &CredentialAuditEntry) -> Self {
        Self {
            revision: entry.revision.unsigned_abs(),
            at: entry.at.clone(),
            actor: entry.actor.clone(),
            action: entry.action.clone(),
            restored: entry.restored.map(i64::unsigned_abs),
            changes: changes(entry.before.as_deref(), entry.after.as_deref()),
        }
    }
}

/// One accepted edit of a name that chooses a model.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ModelChoiceHistoryEntry)]
pub struct ChoiceEntry {
    /// The revision that it created.
    pub revision: u64,
    /// When, RFC 3339 in UTC.
    #[schema(format = DateTime)]
    pub at: String,
    /// Who.
    pub actor: String,
    /// `create`, `update` or `delete`.
    #[schema(schema_with = action)]
    pub action: String,
    /// The revision that it rolled back to, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, required = false)]
    pub restored: Option<u64>,
    /// What it changed.
    pub changes: Vec<Difference>,
}

impl From<&ChoiceAuditEntry> for ChoiceEntry {
    fn from(entry: &ChoiceAuditEntry) -> Self {
        Self {
            revision: entry.revision.unsigned_abs(),
            at: entry.at.clone(),
            actor: entry.actor.clone(),
            action: entry.action.clone(),
            restored: entry.restored.map(i64::unsigned_abs),
            changes: changes(entry.before.as_deref(), entry.after.as_deref()),
        }
    }
}

/// Where two recorded documents differ.
fn changes(before: Option<&str>, after: Option<&str>) -> Vec<Difference> {
    let document = |text: Option<&str>| serde_json::from_str::<Value>(text?).ok();
    differences(document(before).as_ref(), document(after).as_ref())
}

/// Where two documents differ: objects are compared by member, everything else as a whole.
#[must_use]
pub fn differences(before: Option<&Value>, after: Option<&Value>) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    found
}

fn compare(
    pointer: &str,
    before: Option<&Value>,
    after: Option<&Value>,
    found: &mut Vec<Difference>,
) {
    if before == after {
        return;
    }
    let (one, other) = (
        before.and_then(Value::as_object),
        after.and_then(Value::as_object),
    );
    let is_document = pointer.is_empty();
    if one.is_none() && other.is_none() || !is_document && (one.is_none() || other.is_none()) {
        found.push(Difference {
            pointer: pointer.to_owned(),
            before: before.cloned(),
            after: after.cloned(),
        });
        return;
    }
    let names = one
        .into_iter()
        .chain(other)
        .flat_map(|fields| fields.keys());
    let names: std::collections::BTreeSet<_> = names.collect();
    for name in names {
        let field = |fields: Option<&'_ serde_json::Map<String, Value>>| {
            fields.and_then(|fields| fields.get(name)).cloned()
        };
        compare(
            &child(pointer, name),
            field(one).as_ref(),
            field(other).as_ref(),
            found,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Compares differences written as `pointer before after`.
    #[track_caller]
    fn check(before: Option<&Value>, after: Option<&Value>, expected: &[&str]) {
        let shown = |value: &Option<Value>| {
            value
                .as_ref()
                .map_or_else(|| "-".to_owned(), Value::to_string)
        };
        let seen: Vec<_> = differences(before, after)
            .iter()
            .map(|own| {
                format!(
                    "{} {} {}",
                    own.pointer,
                    shown(&own.before),
                    shown(&own.after)
                )
            })
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn fields_and_entries_of_maps_are_told_apart() {
        let before = json!({"name": "a", "map": {"x": "1", "y": "2"}, "list": [1], "same": {}});
        let after = json!({"name": "b", "map": {"y": "3", "z/": "4"}, "list": [1, 2], "same": {}});
        check(
            Some(&before),
            Some(&after),
            &[
                "/list [1] [1,2]",
                r#"/map/x "1" -"#,
                r#"/map/y "2" "3""#,
                r#"/map/z~1 - "4""#,
                r#"/name "a" "b""#,
            ],
        );
        check(Some(&before), Some(&before), &[]);
    }

    #[test]
    fn an_object_in_place_of_something_else_is_one_difference() {
        let (before, after) = (json!({"g": null}), json!({"g": {"id": 1}}));
        check(Some(&before), Some(&after), &[r#"/g null {"id":1}"#]);
    }

    #[test]
    fn a_new_channel_is_new_in_every_field() {
        let after = json!({"name": "a", "map": {}});
        check(None, Some(&after), &["/map - {}", r#"/name - "a""#]);
        check(Some(&after), None, &["/map {} -", r#"/name "a" -"#]);
    }
}
