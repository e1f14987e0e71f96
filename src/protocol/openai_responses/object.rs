//! JSON objects, read member by member.
//!
//! If each kind of object had a type, the module would contain a reader for each of them. So there is one type, and
//! what a member has to be is said when it is taken.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::chat::Error;
use crate::json::{self, Text};
use crate::protocol::openai::error::missing;
use crate::protocol::openai::value::whole;
use crate::protocol::openai::{body, fault};

/// An object of a request, and where it is.
pub(super) struct Object<'a> {
    members: Members<'a>,
    place: Place,
}

/// Where an object is.
pub(super) enum Place {
    /// It is the body.
    Body,
    /// An item of the input.
    Item(usize),
    /// Anywhere else.
    Path(String),
}

/// Names and values, in their order.
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Object<'a> {
    /// The body of a request.
    ///
    /// # Errors
    ///
    /// A 400 for a body that is not a JSON object.
    pub(super) fn of_body(text: &'a [u8]) -> Result<Self, Error> {
        let (members, _) = body::read(text, "")?;
        let place = Place::Body;
        Self { members, place }.checked()
    }

    /// An object inside it.
    ///
    /// # Errors
    ///
    /// A 400 for a value that is not an object.
    pub(super) fn read(json: &'a RawValue, place: Place) -> Result<Self, Error> {
        let members = match json::read(json.get()) {
            Some(members) => members,
            None => fault::inner(json, &place.path())?,
        };
        Self { members, place }.checked()
    }

    /// Refuses a member that appears twice: it is unclear which one is meant.
    fn checked(self) -> Result<Self, Error> {
        // Hostile objects have millions, those of the API at most about thirty.
        const MAX: usize = 64;
        let members = self.members.0.get(..MAX).unwrap_or(&self.members.0);
        for (index, (name, _)) in members.iter().enumerate() {
            let mut before = members.iter().take(index);
            if before.any(|(other, _)| other == name) {
                let path = self.path(name);
                let message = format!("'{path}' is sent twice; send it once.");
                return Err(Error::invalid(path, message));
            }
        }
        Ok(self)
    }

    /// The names of its members.
    pub(super) fn into_names(self) -> impl Iterator<Item = Cow<'a, str>> {
        self.members.0.into_iter().map(|(name, _)| name)
    }

    /// The path of a member.
    pub(super) fn path(&self, name: &str) -> String {
        match &self.place {
            Place::Body => name.to_owned(),
            place => format!("{}.{name}", place.path()),
        }
    }

    /// A member that is not null.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        let mut members = self.members.0.iter();
        let (_, json) = members.find(|(own, _)| own == name)?;
        (json.get() != "null").then_some(*json)
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Result<Option<Text<'a>>, Error> {
        let Some(json) = self.get(name) else {
            return Ok(None);
        };
        // It is known to be JSON, so it need not be read as such again.
        let text = Text::from_json(json);
        let text = text.or_else(|_| fault::inner(json, &self.path(name)))?;
        Ok(Some(text))
    }

    /// A text that is required.
    pub(super) fn needed_text(&self, name: &str) -> Result<Text<'a>, Error> {
        self.text(name)?.ok_or_else(|| missing(self.path(name)))
    }

    /// A whole number that is not negative.
    pub(super) fn number(&self, name: &str) -> Result<Option<u32>, Error> {
        #[derive(Deserialize)]
        #[serde(transparent)]
        struct Number(#[serde(deserialize_with = "whole")] Option<u32>);

        let number = self.value::<Number>(name)?;
        Ok(number.and_then(|Number(number)| number))
    }

    /// Any number.
    pub(super) fn fraction(&self, name: &str) -> Result<Option<f64>, Error> {
        self.value(name)
    }

    /// True or false.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Error> {
        self.value(name)
    }

    /// A value of any other type.
    pub(super) fn value<T: Deserialize<'a>>(&self, name: &str) -> Result<Option<T>, Error> {
        let Some(json) = self.get(name) else {
            return Ok(None);
        };
        match json::read(json.get()) {
            Some(value) => Ok(Some(value)),
            None => fault::inner(json, &self.path(name)).map(Some),
        }
    }

    /// An object.
    pub(super) fn object(&self, name: &str) -> Result<Option<Self>, Error> {
        let json = self.get(name);
        json.map(|json| Self::read(json, Place::Path(self.path(name))))
            .transpose()
    }
}

impl Place {
    fn path(&self) -> String {
        match self {
            Self::Body => String::new(),
            Self::Item(index) => format!("input[{index}]"),
            Self::Path(path) => path.clone(),
        }
    }
}

/// The elements of an array.
///
/// # Errors
///
/// A 400 for a value that is not an array.
pub(super) fn elements<'a>(json: &'a RawValue, path: &str) -> Result<Vec<&'a RawValue>, Error> {
    match json::read(json.get()) {
        Some(elements) => Ok(elements),
        None => fault::inner(json, path),
    }
}

/// The labels of an object whose values are texts, or numbers and booleans as such.
pub(super) fn labels<'a>(object: &Object<'a>) -> Result<Vec<(Text<'a>, Text<'a>)>, Error> {
    use crate::protocol::openai::value::{Label, label};

    let mut labels = Vec::new();
    for (name, json) in &object.members.0 {
        let value: Label<'a> = fault::inner(json, &object.path(name))?;
        labels.extend(label((name.clone().into_owned(), value)));
    }
    Ok(labels)
}

/// A name, borrowed wherever JSON allows it.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;

        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(name.into()))
            }

            fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(name.to_owned().into()))
            }
        }

        deserializer.deserialize_str(NameVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                // As many as most objects have.
                let mut members = Vec::with_capacity(8);
                while let Some((Name(name), json)) = map.next_entry()? {
                    members.push((name, json));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}
