//! What an administrator says about a name that chooses; every fault is reported at once.

use std::collections::BTreeMap;

use bedrock_filter::config::{ChoiceRule, DetailedChoice, ModelChoice, When};
use serde_json::value::RawValue;

use crate::fault::{Fault, child};
use crate::reader::{self, Kind, Object, SyntaxError};

/// The members of a body; the last ones are what a read adds.
const FIELDS: [&str; 7] = [
    "name",
    "choice",
    "source",
    "revision",
    "created_at",
    "updated_at",
    "warnings",
];

/// What may stand in place of a list.
const FORMS: &str = "a list of models, or an object with `weighted`, or with `rules` and `else`";

/// What a body says about a name that chooses.
#[derive(Debug, Default)]
pub(crate) struct ChoiceEdit {
    name: Option<String>,
    choice: Option<ModelChoice>,
}

impl ChoiceEdit {
    /// Reads a body. Faults of its members are added to `faults`.
    ///
    /// # Errors
    ///
    /// When the body is not well-formed JSON in UTF-8.
    pub(crate) fn parse(body: &[u8], faults: &mut Vec<Fault>) -> Result<Self, SyntaxError> {
        let mut edit = Self::default();
        reader::fields(body, faults, |name, value, faults| {
            edit.read_member(name, value, faults);
        })?;
        Ok(edit)
    }

    fn read_member(&mut self, name: &str, raw: &RawValue, faults: &mut Vec<Fault>) {
        let at = child("", name);
        let at = at.as_str();
        match name {
            "name" => self.name = reader::text(raw, at, faults),
            "choice" => self.choice = choice(raw, at, faults),
            "revision" => reader::read_only(raw, Kind::Number, at, faults),
            "source" | "created_at" | "updated_at" => {
                reader::read_only(raw, Kind::String, at, faults);
            }
            "warnings" => reader::read_only(raw, Kind::Array, at, faults),
            _ => faults.push(reader::unknown(name, at, &FIELDS)),
        }
    }

    /// What the name in the path is to choose from: as much as could be read, if there are faults.
    pub(crate) fn apply(self, name: &str, faults: &mut Vec<Fault>) -> Option<ModelChoice> {
        if self.name.is_some_and(|own| own != name) {
            let message =
                "is not the name in the path; a name cannot be changed, so create another one";
            faults.push(Fault::new("/name", "name_mismatch", message));
        }
        let is_faulty = faults.iter().any(|fault| fault.touches("/choice"));
        if self.choice.is_none() && !is_faulty {
            faults.push(Fault::new("/choice", "required", "is required"));
        }
        self.choice
    }
}

fn choice(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<ModelChoice> {
    match Kind::of(raw) {
        Kind::Array => reader::texts(raw, at, faults).map(ModelChoice::Ordered),
        Kind::Object => detailed(raw, at, faults).map(ModelChoice::Detailed),
        kind => reader::mismatch(kind, FORMS, at, faults),
    }
}

fn detailed(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<DetailedChoice> {
    let own = Object::read(raw, at, &["weighted", "rules", "else"], faults)?;
    let mut choice = DetailedChoice::default();
    if let Some((raw, at)) = own.get("weighted") {
        choice.weighted = Some(weights(raw, &at, faults).unwrap_or_default());
    }
    if let Some((raw, at)) = own.get("rules") {
        choice.rules = Some(rules(raw, &at, faults).unwrap_or_default());
    }
    if let Some((raw, at)) = own.get("else") {
        choice.otherwise = Some(reader::text(raw, &at, faults).unwrap_or_default());
    }
    Some(choice)
}

fn weights(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<BTreeMap<String, u32>> {
    let kind = Kind::of(raw);
    if kind != Kind::Object {
        let expected = "an object with a share for each model";
        return reader::mismatch(kind, expected, at, faults);
    }
    let own = Object::named_freely(raw, at, faults)?;
    let shares = own.members().filter_map(|(model, raw, at)| {
        let share = reader::number(raw, &at, faults)?;
        Some((model.to_owned(), share))
    });
    Some(shares.collect())
}

fn rules(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Vec<ChoiceRule>> {
    let kind = Kind::of(raw);
    if kind != Kind::Array {
        return reader::mismatch(kind, "a list of rules", at, faults);
    }
    // It is well-formed, as part of the body.
    let all: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
    let all = all.into_iter().enumerate();
    // One that cannot be read keeps its place, so that others are named by theirs.
    let all = all
        .map(|(index, raw)| rule(raw, &child(at, &index.to_string()), faults).unwrap_or_default());
    Some(all.collect())
}

fn rule(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<ChoiceRule> {
    let kind = Kind::of(raw);
    if kind != Kind::Object {
        return reader::mismatch(kind, "an object with `when` and `use`", at, faults);
    }
    let own = Object::read(raw, at, &["when", "use"], faults)?;
    let when = match own.get("when") {
        Some((raw, at)) => conditions(raw, &at, faults),
        None => {
            faults.push(Fault::new(child(at, "when"), "required", "is required"));
            None
        }
    };
    Some(ChoiceRule {
        when: when.unwrap_or_default(),
        target: own.text("use", faults).unwrap_or_default(),
    })
}

fn conditions(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<When> {
    const KNOWN: [&str; 5] = ["tag", "images", "tools", "reasoning", "prompt_tokens_over"];
    let kind = Kind::of(raw);
    if kind != Kind::Object {
        return reader::mismatch(kind, "an object with conditions", at, faults);
    }
    let own = Object::read(raw, at, &KNOWN, faults)?;
    let mut switch = |name: &str| {
        let (raw, at) = own.get(name)?;
        reader::boolean(raw, &at, faults)
    };
    let (images, tools, reasoning) = (switch("images"), switch("tools"), switch("reasoning"));
    Some(When {
        tag: own
            .get("tag")
            .and_then(|(raw, at)| reader::text(raw, &at, faults)),
        images,
        tools,
        reasoning,
        prompt_tokens_over: own
            .get("prompt_tokens_over")
            .and_then(|(raw, at)| reader::number(raw, &at, faults)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// What a body says, and its faults as `pointer code`.
    fn read(body: &str) -> (Value, Vec<String>) {
        let mut faults = Vec::new();
        let edit = ChoiceEdit::parse(body.as_bytes(), &mut faults).unwrap();
        let choice = edit.apply("auto", &mut faults);
        let shown = faults
            .iter()
            .map(|own| format!("{} {}", own.pointer, own.code));
        (serde_json::to_value(choice).unwrap(), shown.collect())
    }

    #[test]
    fn every_form_is_read_as_it_is_shown() {
        for choice in [
            json!(["nova-lite", "claude-haiku-4-5"]),
            json!({"weighted": {"nova-lite": 3, "nova-pro": 1}}),
            json!({
                "rules": [
                    {"when": {"tag": "high"}, "use": "smart"},
                    {"when": {"images": true, "tools": false, "reasoning": true, "prompt_tokens_over": 9}, "use": "x"},
                ],
                "else": "fast",
            }),
        ] {
            let body = json!({"name": "auto", "choice": choice, "source": "stored", "revision": 3,
                "created_at": "t", "updated_at": "t", "warnings": []});
            assert_eq!(read(&body.to_string()), (choice, vec![]));
        }
    }

    #[test]
    fn every_fault_is_named() {
        let check = |body: &str, expected: &[&str]| assert_eq!(read(body).1, expected, "{body}");
        check("{}", &["/choice required"]);
        check("[]", &[" not_an_object"]);
        check(
            r#"{"name": "b", "choice": ["m"]}"#,
            &["/name name_mismatch"],
        );
        check(
            r#"{"choice": ["m", 5, ""], "x": 1}"#,
            &[
                "/choice/1 not_a_string",
                "/choice/2 empty_value",
                "/x unknown_field",
            ],
        );
        check(r#"{"choice": "m"}"#, &["/choice invalid_type"]);
        check(r#"{"choice": null}"#, &["/choice not_clearable"]);
        check(
            r#"{"choice": {"weighted": {"a": 1, "b": "x", "a": 2, "c": -1}, "rule": []}}"#,
            &[
                "/choice/rule unknown_field",
                "/choice/weighted/a duplicate_key",
                "/choice/weighted/b invalid_type",
                "/choice/weighted/c out_of_range",
            ],
        );
        check(
            r#"{"choice": {"rules": [5, {"when": {"image": true}}, {"use": "m", "when": {"tools": "yes"}}], "else": 5}}"#,
            &[
                "/choice/rules/0 invalid_type",
                "/choice/rules/1/when/image unknown_field",
                "/choice/rules/1/use required",
                "/choice/rules/2/when/tools invalid_type",
                "/choice/else invalid_type",
            ],
        );
    }
}
