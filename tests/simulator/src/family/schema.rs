//! Body schemas as data, and the two ways AWS words a violation.

mod check;
mod fault;

/// What a JSON value must look like.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// Any JSON at all.
    Any,
    /// Any JSON object.
    Json,
    Null,
    Boolean,
    /// A string with at least and at most this many characters.
    Text(usize, usize),
    /// A string of this set.
    OneOf(&'static [&'static str]),
    /// A string that a predicate accepts, with the pattern that it implements.
    Pattern(fn(&str) -> bool, &'static str),
    Number(f64, f64),
    Integer(i64, i64),
    /// At least and at most this many items of one shape.
    List(usize, usize, &'static Shape),
    /// An object with these keys and no others.
    Object(&'static [Key]),
    /// Exactly one of the first keys, and any of the second.
    Union(&'static [Key], &'static [Key]),
    /// An object with keys of the client's choice.
    Map(&'static Shape),
    /// One of several shapes.
    Either(&'static [Shape]),
}

/// Name, whether it must be there, shape.
pub(crate) type Key = (&'static str, Need, Shape);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Must,
    May,
}

pub(crate) const MUST: Need = Need::Must;
pub(crate) const MAY: Need = Need::May;
/// A string of any length.
pub(crate) const TEXT: Shape = Shape::Text(0, usize::MAX);
/// A string with at least one character.
pub(crate) const FILLED: Shape = Shape::Text(1, usize::MAX);
pub(crate) const FRACTION: Shape = Shape::Number(0.0, 1.0);
pub(crate) const COUNT: Shape = Shape::Integer(1, i64::MAX);
/// An object without keys.
pub(crate) const EMPTY: Shape = Shape::Object(&[]);
