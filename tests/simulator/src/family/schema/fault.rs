//! A violation of a schema and its wordings.

use serde_json::Value;

use crate::error::AwsError;

/// Where a body breaks its schema, and how.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    /// Keys and indexes from the root.
    pub(super) path: Vec<String>,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Extraneous(String),
    Missing(String),
    Type {
        expected: &'static str,
        found: &'static str,
    },
    Below(f64, f64),
    Above(f64, f64),
    TooShort(usize, usize),
    TooLong(usize, usize),
    TooFew(usize, usize),
    TooMany(usize, usize),
    NoneOf(String, &'static [&'static str]),
    Pattern(String, &'static str),
    /// Not exactly one member of a union: how many there are.
    Members(usize),
}

impl Fault {
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            path: Vec::new(),
            kind,
        }
    }

    /// The same fault, seen from one level further out.
    pub(super) fn under(mut self, name: &str) -> Self {
        self.path.insert(0, name.to_owned());
        self
    }

    /// In the words of `InvokeModel`:
    /// <https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html>.
    pub(crate) fn on_invoke(&self) -> AwsError {
        let place = self
            .path
            .iter()
            .fold("#".to_owned(), |place, name| format!("{place}/{name}"));
        AwsError::validation(format!(
            "Malformed input request: {place}: {}, please reformat your input and try again.",
            self.kind.on_invoke()
        ))
    }

    /// In the words of Converse, whose shapes AWS's front door checks:
    /// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html>.
    pub(crate) fn on_converse(&self) -> AwsError {
        let place = self.path.join(".");
        match self.kind.constraint() {
            Some(text) => AwsError::validation(format!(
                "1 validation error detected: Value at '{place}' failed to satisfy constraint: {text}"
            )),
            None => AwsError::new(
                400,
                "SerializationException",
                format!("{place}: {}", self.kind.on_invoke()),
            ),
        }
    }
}

impl Kind {
    fn on_invoke(&self) -> String {
        match self {
            Self::Extraneous(key) => format!("extraneous key [{key}] is not permitted"),
            Self::Missing(key) => format!("required key [{key}] not found"),
            Self::Type { expected, found } => format!("expected type: {expected}, found: {found}"),
            Self::Below(least, got) => format!("{got} is not greater or equal to {least}"),
            Self::Above(most, got) => format!("{got} is not less or equal to {most}"),
            Self::TooShort(least, got) => format!("expected minLength: {least}, actual: {got}"),
            Self::TooLong(most, got) => format!("expected maxLength: {most}, actual: {got}"),
            Self::TooFew(least, got) => {
                format!("expected minimum item count: {least}, found: {got}")
            }
            Self::TooMany(most, got) => {
                format!("expected maximum item count: {most}, found: {got}")
            }
            Self::NoneOf(got, _) => format!("{got} is not a valid enum value"),
            Self::Pattern(got, pattern) => {
                format!("string [{got}] does not match pattern {pattern}")
            }
            Self::Members(count) => {
                format!("expected exactly one member of a union, found: {count}")
            }
        }
    }

    /// The constraint of Smithy it breaks; none for what does not parse.
    fn constraint(&self) -> Option<String> {
        Some(match self {
            Self::Missing(key) => format!("Member '{key}' must not be null"),
            Self::Below(least, _) => {
                format!("Member must have value greater than or equal to {least}")
            }
            Self::Above(most, _) => format!("Member must have value less than or equal to {most}"),
            Self::TooShort(least, _) | Self::TooFew(least, _) => {
                format!("Member must have length greater than or equal to {least}")
            }
            Self::TooLong(most, _) | Self::TooMany(most, _) => {
                format!("Member must have length less than or equal to {most}")
            }
            Self::NoneOf(_, set) => {
                format!("Member must satisfy enum value set: [{}]", set.join(", "))
            }
            Self::Pattern(_, pattern) => {
                format!("Member must satisfy regular expression pattern: {pattern}")
            }
            Self::Extraneous(_) | Self::Type { .. } | Self::Members(_) => return None,
        })
    }
}

/// The name of a JSON type, as AWS's validator says it.
pub(super) fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "Null",
        Value::Bool(_) => "Boolean",
        Value::Number(number) if number.is_f64() => "Double",
        Value::Number(_) => "Integer",
        Value::String(_) => "String",
        Value::Array(_) => "JSONArray",
        Value::Object(_) => "JSONObject",
    }
}
