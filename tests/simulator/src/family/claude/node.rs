//! A JSON value and where it is, so that a refusal can name the place.

use serde_json::{Map, Value};

use crate::error::AwsError;

pub(super) type Check = Result<(), AwsError>;

/// A value with its path in AWS's notation, such as `messages.0.content`.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    path: String,
    pub(super) value: &'a Value,
}

impl<'a> Node<'a> {
    pub(super) fn root(value: &'a Value) -> Self {
        Self {
            path: String::new(),
            value,
        }
    }

    /// A refusal about this place.
    pub(super) fn refuse(&self, message: &str) -> AwsError {
        match self.path.as_str() {
            "" => AwsError::validation(message),
            path => AwsError::validation(format!("{path}: {message}")),
        }
    }

    /// The same value under a longer path: AWS names the kind of a block too.
    pub(super) fn tagged(&self, tag: &str) -> Self {
        Self {
            path: self.join(tag),
            value: self.value,
        }
    }

    pub(super) fn get(&self, name: &str) -> Option<Self> {
        let value = self.value.get(name)?;
        Some(Self {
            path: self.join(name),
            value,
        })
    }

    pub(super) fn require(&self, name: &str) -> Result<Self, AwsError> {
        self.get(name).ok_or_else(|| {
            let missing = self.join(name);
            AwsError::validation(format!("{missing}: Field required"))
        })
    }

    pub(super) fn object(&self) -> Result<&'a Map<String, Value>, AwsError> {
        let object = self.value.as_object();
        object.ok_or_else(|| self.refuse("Input should be an object"))
    }

    /// An object with no other keys than these.
    pub(super) fn only(&self, keys: &[&str]) -> Check {
        match self
            .object()?
            .keys()
            .find(|key| !keys.contains(&key.as_str()))
        {
            Some(key) => {
                let extra = self.join(key);
                Err(AwsError::validation(format!(
                    "{extra}: Extra inputs are not permitted"
                )))
            }
            None => Ok(()),
        }
    }

    pub(super) fn text(&self) -> Result<&'a str, AwsError> {
        let text = self.value.as_str();
        text.ok_or_else(|| self.refuse("Input should be a valid string"))
    }

    pub(super) fn number(&self) -> Result<f64, AwsError> {
        let number = self.value.as_f64();
        number.ok_or_else(|| self.refuse("Input should be a valid number"))
    }

    pub(super) fn integer(&self) -> Result<i64, AwsError> {
        let integer = self.value.as_i64();
        integer.ok_or_else(|| self.refuse("Input should be a valid integer"))
    }

    pub(super) fn boolean(&self) -> Result<bool, AwsError> {
        let boolean = self.value.as_bool();
        boolean.ok_or_else(|| self.refuse("Input should be a valid boolean"))
    }

    pub(super) fn items(&self) -> Result<Vec<Self>, AwsError> {
        let items = self
            .value
            .as_array()
            .ok_or_else(|| self.refuse("Input should be a valid list"))?;
        let node = |(index, value)| Self {
            path: self.join(&format!("{index}")),
            value,
        };
        Ok(items.iter().enumerate().map(node).collect())
    }

    /// The `type` of a tagged object, one of `expected`.
    pub(super) fn tag(&self, expected: &[&str]) -> Result<&'a str, AwsError> {
        self.object()?;
        let tag = self.require("type")?.text()?;
        if expected.contains(&tag) {
            return Ok(tag);
        }
        let list: Vec<String> = expected.iter().map(|name| format!("'{name}'")).collect();
        Err(self.refuse(&format!(
            "Input tag '{tag}' found using 'type' does not match any of the expected tags: {}",
            list.join(", ")
        )))
    }

    fn join(&self, name: &str) -> String {
        match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        }
    }
}
