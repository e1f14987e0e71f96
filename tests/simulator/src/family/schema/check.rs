//! Does a value fit a shape?

use serde_json::{Map, Value};

use super::fault::{Fault, Kind, name_of};
use super::{Key, Need, Shape};
use crate::error::AwsError;

type Check = Result<(), Fault>;

impl Shape {
    /// Checks a body of `InvokeModel`.
    ///
    /// # Errors
    /// `ValidationException` with the first violation.
    pub(crate) fn check_invoke(&self, body: &Value) -> Result<(), AwsError> {
        if !body.is_object() {
            return Err(AwsError::validation(
                "Malformed input request, please reformat your input and try again.",
            ));
        }
        self.check(body).map_err(|fault| fault.on_invoke())
    }

    /// The first violation.
    ///
    /// # Errors
    /// Where `value` breaks the shape, and how.
    pub(crate) fn check(&self, value: &Value) -> Check {
        match self {
            Self::Any => Ok(()),
            Self::Json => object(value).map(drop),
            Self::Null => expect(value.is_null(), "Null", value),
            Self::Boolean => expect(value.is_boolean(), "Boolean", value),
            Self::Text(least, most) => length(text(value)?.chars().count(), *least, *most),
            Self::OneOf(set) => match text(value)? {
                known if set.contains(&known) => Ok(()),
                other => Err(Fault::new(Kind::NoneOf(other.to_owned(), set))),
            },
            Self::Pattern(fits, pattern) => match text(value)? {
                good if fits(good) => Ok(()),
                other => Err(Fault::new(Kind::Pattern(other.to_owned(), pattern))),
            },
            Self::Number(least, most) => number(value, "Number", (*least, *most)),
            Self::Integer(least, most) => {
                expect(value.is_i64() || value.is_u64(), "Integer", value)?;
                number(value, "Integer", (as_float(*least), as_float(*most)))
            }
            Self::List(least, most, item) => list(value, (*least, *most), item),
            Self::Object(keys) => fields(object(value)?, &[keys]),
            Self::Union(members, extras) => union(object(value)?, members, extras),
            Self::Map(shape) => object(value)?
                .iter()
                .try_for_each(|(key, inner)| shape.check(inner).map_err(|f| f.under(key))),
            Self::Either(shapes) => either(value, shapes),
        }
    }
}

fn expect(fits: bool, expected: &'static str, value: &Value) -> Check {
    let found = name_of(value);
    match fits {
        true => Ok(()),
        false => Err(Fault::new(Kind::Type { expected, found })),
    }
}

fn object(value: &Value) -> Result<&Map<String, Value>, Fault> {
    let expected = "JSONObject";
    let found = name_of(value);
    let object = value.as_object();
    object.ok_or_else(|| Fault::new(Kind::Type { expected, found }))
}

fn text(value: &Value) -> Result<&str, Fault> {
    let expected = "String";
    let found = name_of(value);
    let text = value.as_str();
    text.ok_or_else(|| Fault::new(Kind::Type { expected, found }))
}

fn length(got: usize, least: usize, most: usize) -> Check {
    match got {
        short if short < least => Err(Fault::new(Kind::TooShort(least, got))),
        long if long > most => Err(Fault::new(Kind::TooLong(most, got))),
        _ => Ok(()),
    }
}

fn number(value: &Value, expected: &'static str, (least, most): (f64, f64)) -> Check {
    let found = name_of(value);
    let got = value
        .as_f64()
        .ok_or_else(|| Fault::new(Kind::Type { expected, found }))?;
    match got {
        low if low < least => Err(Fault::new(Kind::Below(least, got))),
        high if high > most => Err(Fault::new(Kind::Above(most, got))),
        _ => Ok(()),
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "limits are small, or the largest integer"
)]
fn as_float(limit: i64) -> f64 {
    limit as f64
}

fn list(value: &Value, (least, most): (usize, usize), item: &Shape) -> Check {
    let (expected, found) = ("JSONArray", name_of(value));
    let items = value
        .as_array()
        .ok_or_else(|| Fault::new(Kind::Type { expected, found }))?;
    match items.len() {
        few if few < least => return Err(Fault::new(Kind::TooFew(least, few))),
        many if many > most => return Err(Fault::new(Kind::TooMany(most, many))),
        _ => {}
    }
    let mut numbered = items.iter().enumerate();
    numbered.try_for_each(|(index, inner)| {
        item.check(inner)
            .map_err(|fault| fault.under(&index.to_string()))
    })
}

fn fields(object: &Map<String, Value>, groups: &[&[Key]]) -> Check {
    let keys = || groups.iter().copied().flatten();
    if let Some(extra) = object
        .keys()
        .find(|key| !keys().any(|(name, _, _)| name == key))
    {
        return Err(Fault::new(Kind::Extraneous(extra.clone())));
    }
    for (name, need, shape) in keys() {
        match object.get(*name) {
            Some(value) => shape.check(value).map_err(|fault| fault.under(name))?,
            None if *need == Need::Must => {
                return Err(Fault::new(Kind::Missing((*name).to_owned())));
            }
            None => {}
        }
    }
    Ok(())
}

fn union(object: &Map<String, Value>, members: &[Key], extras: &[Key]) -> Check {
    fields(object, &[members, extras])?;
    let present = members
        .iter()
        .filter(|(name, _, _)| object.contains_key(*name));
    match present.count() {
        1 => Ok(()),
        count => Err(Fault::new(Kind::Members(count))),
    }
}

/// The fault of the shape that came furthest.
fn either(value: &Value, shapes: &[Shape]) -> Check {
    let mut deepest: Option<Fault> = None;
    for shape in shapes {
        match shape.check(value) {
            Ok(()) => return Ok(()),
            Err(fault) => {
                let is_type = |fault: &Fault| {
                    fault.path.is_empty() && matches!(fault.kind, Kind::Type { .. })
                };
                if deepest.as_ref().is_none_or(&is_type) {
                    deepest = Some(fault);
                }
            }
        }
    }
    deepest.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{FRACTION, MAY, MUST, TEXT};
    use super::*;

    const INNER: Shape = Shape::Object(&[("text", MUST, Shape::Text(1, 3))]);
    const BODY: Shape = Shape::Object(&[
        ("prompt", MUST, TEXT),
        ("temperature", MAY, FRACTION),
        ("max", MAY, Shape::Integer(1, 9)),
        ("role", MAY, Shape::OneOf(&["a", "b"])),
        ("items", MAY, Shape::List(1, 2, &INNER)),
        (
            "one",
            MAY,
            Shape::Union(&[("x", MAY, TEXT), ("y", MAY, TEXT)], &[("z", MAY, TEXT)]),
        ),
        (
            "stop",
            MAY,
            Shape::Either(&[TEXT, Shape::List(0, 1, &TEXT)]),
        ),
    ]);

    #[test]
    fn the_first_violation_is_worded_as_aws_does() {
        for (body, text) in [
            (
                json!({"prompt": "a", "temperature": 1, "max": 9, "stop": ["a"]}),
                "",
            ),
            (
                json!({"prompt": "a", "stop": "a", "one": {"x": "a", "z": "b"}}),
                "",
            ),
            (json!({}), "#: required key [prompt] not found"),
            (
                json!({"prompt": "a", "n": 1}),
                "#: extraneous key [n] is not permitted",
            ),
            (
                json!({"prompt": 1}),
                "#/prompt: expected type: String, found: Integer",
            ),
            (
                json!({"prompt": "a", "temperature": 1.5}),
                "#/temperature: 1.5 is not less or equal to 1",
            ),
            (
                json!({"prompt": "a", "max": 0}),
                "#/max: 0 is not greater or equal to 1",
            ),
            (
                json!({"prompt": "a", "max": 1.5}),
                "#/max: expected type: Integer, found: Double",
            ),
            (
                json!({"prompt": "a", "role": "c"}),
                "#/role: c is not a valid enum value",
            ),
            (
                json!({"prompt": "a", "items": []}),
                "#/items: expected minimum item count: 1, found: 0",
            ),
            (
                json!({"prompt": "a", "items": [{"text": ""}]}),
                "#/items/0/text: expected minLength: 1, actual: 0",
            ),
            (
                json!({"prompt": "a", "one": {"x": "a", "y": "b"}}),
                "#/one: expected exactly one member of a union, found: 2",
            ),
            (
                json!({"prompt": "a", "one": {"z": "b"}}),
                "#/one: expected exactly one member of a union, found: 0",
            ),
            (
                json!({"prompt": "a", "stop": ["a", "b"]}),
                "#/stop: expected maximum item count: 1, found: 2",
            ),
        ] {
            let got = BODY.check_invoke(&body).err().map(|error| error.message);
            let want = (!text.is_empty()).then(|| {
                format!(
                    "Malformed input request: {text}, please reformat your input and try again."
                )
            });
            assert_eq!(got, want, "{body}");
        }
    }
}
