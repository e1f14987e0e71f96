//! The parameters of an API by name, and the ranges that its reference gives them.

use std::ops::RangeInclusive;

use super::error::missing;
use crate::chat::{Asked, Error, Param};

/// Declares the parameters of an API whose body is read as a `$body`. A line has a parameter's name, what it is in
/// the chat vocabulary, and whether a body asks for something with it; of two names for one thing, the usual one
/// comes last.
///
/// Makes `PARAMS`, all of them, and `asked`, which lists those that a body asks for something with.
macro_rules! params {
    ($body:ident: $($name:literal $param:ident $is_set:expr;)*) => {
        const PARAMS: &[$crate::chat::Asked] = &[
            $($crate::chat::Asked { param: $crate::chat::Param::$param, name: $name },)*
        ];

        pub(super) fn asked(body: &$body<'_>) -> Vec<$crate::chat::Asked> {
            let mut asked = Vec::with_capacity(8);
            $(
                let is_set: fn(&$body<'_>) -> bool = $is_set;
                if is_set(body) {
                    asked.push($crate::chat::Asked { param: $crate::chat::Param::$param, name: $name });
                }
            )*
            asked
        }
    };
}

pub(in crate::protocol) use params;

/// The API's name for a parameter: the last in its table, or the vocabulary's own if the table has none.
pub(in crate::protocol) fn name(params: &[Asked], param: Param) -> &'static str {
    let known = params.iter().rfind(|own| own.param == param);
    known.map_or(param.name(), |own| own.name)
}

/// Whether a table has a parameter of this name.
pub(in crate::protocol) fn has(params: &[Asked], name: &str) -> bool {
    params.iter().any(|own| own.name == name)
}

/// Refuses a request without a parameter that it needs.
///
/// # Errors
///
/// A 400 that names the parameter.
pub(in crate::protocol) fn needed<T>(param: &'static str, value: Option<&T>) -> Result<(), Error> {
    match value {
        Some(_) => Ok(()),
        None => Err(missing(param.to_owned())),
    }
}

/// Refuses a number outside its range.
///
/// # Errors
///
/// A 400 that names the parameter.
pub(in crate::protocol) fn within(
    param: &'static str,
    value: Option<f64>,
    range: &RangeInclusive<f64>,
) -> Result<(), Error> {
    match value {
        Some(value) if !range.contains(&value) => {
            let (min, max) = (range.start(), range.end());
            let message = format!("'{param}' is {value}; it must be between {min} and {max}.");
            Err(Error::invalid(param, message))
        }
        _ => Ok(()),
    }
}

/// Refuses a count of nothing.
///
/// # Errors
///
/// A 400 that names the parameter.
pub(in crate::protocol) fn at_least_one(
    param: &'static str,
    value: Option<u32>,
) -> Result<(), Error> {
    if value == Some(0) {
        let message = format!("'{param}' must be at least 1.");
        return Err(Error::invalid(param, message));
    }
    Ok(())
}
