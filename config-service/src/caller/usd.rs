//! Money.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

use crate::fault::Fault;
use crate::reader::{Kind, mismatch};
use crate::setting::{Input, SettingType};

/// US dollars, to the cent. It is written as a number of dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Usd {
    cents: u64,
}

/// The most that fits into a JSON number without losing a cent.
const MAX_CENTS: u64 = 1 << 52;

impl Usd {
    /// So many cents.
    #[must_use]
    pub fn from_cents(cents: u64) -> Self {
        Self { cents }
    }

    /// The least amount that is not less than so many dollars.
    pub(crate) fn at_least(dollars: f64) -> Self {
        // Not for the error of a binary fraction.
        let cents = (dollars * 100.0 - 1e-6).ceil();
        let cents = cents.clamp(0.0, MAX_CENTS as f64);
        Self {
            cents: cents as u64,
        }
    }

    /// Whether it is exactly so many dollars.
    pub(crate) fn is(self, dollars: f64) -> bool {
        (self.cents as f64 - dollars * 100.0).abs() < 1e-6
    }

    /// How many cents.
    #[must_use]
    pub fn cents(self) -> u64 {
        self.cents
    }

    /// Reads digits with at most two after a point.
    fn parse(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !are_digits(whole) || !are_digits(part) || part.len() > 2 {
            return None;
        }
        let whole: u64 = whole.parse().ok()?;
        let part: u64 = format!("{part:0<2}").parse().ok()?;
        let cents = whole.checked_mul(100)?.checked_add(part)?;
        (cents <= MAX_CENTS).then_some(Self { cents })
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.cents / 100, self.cents % 100);
        if part == 0 {
            write!(f, "{whole}")
        } else {
            write!(f, "{whole}.{part:02}")
        }
    }
}

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.cents.is_multiple_of(100) {
            serializer.serialize_u64(self.cents / 100)
        } else {
            // Both digits after the point survive.
            serializer.serialize_f64(self.to_string().parse().unwrap_or_default())
        }
    }
}

impl<'de> Deserialize<'de> for Usd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = serde_json::Number::deserialize(deserializer)?;
        let read = Self::parse(&number.to_string());
        read.ok_or_else(|| serde::de::Error::custom("expected dollars and cents"))
    }
}

impl SettingType for Option<Usd> {
    const INPUT: Input = Input::Number;

    fn read(raw: &RawValue, at: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        match Kind::of(raw) {
            Kind::Null => Some(None),
            Kind::String if raw.get() == "\"\"" => Some(None),
            Kind::Number => {
                let read = Usd::parse(raw.get());
                if read.is_none() {
                    let message = "must be US dollars that are not negative, with at most two digits after the point";
                    faults.push(Fault::new(at, "out_of_range", message));
                }
                read.map(Some)
            }
            kind => mismatch(kind, "a number, \"\" or null", at, faults),
        }
    }

    fn schema() -> Schema {
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::Number, Type::Null]))
            .minimum(Some(0))
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_of_a_cent_is_a_cent() {
        for (dollars, cents) in [
            (0.0, 0),
            (0.0001, 1),
            (1.1, 110),
            (2.675, 268),
            (f64::MAX, MAX_CENTS),
        ] {
            let least = Usd::at_least(dollars);
            assert_eq!(least.cents(), cents, "{dollars}");
            assert_eq!(
                least.is(dollars),
                [0.0, 1.1].contains(&dollars),
                "{dollars}"
            );
        }
    }

    #[test]
    fn dollars_keep_their_cents() {
        for (text, cents) in [
            ("0", Some(0)),
            ("12", Some(1200)),
            ("12.5", Some(1250)),
            ("0.01", Some(1)),
            ("1.999", None),
            ("-1", None),
            ("1e3", None),
            ("99999999999999999999", None),
        ] {
            let read = Usd::parse(text);
            assert_eq!(read.map(Usd::cents), cents, "{text}");
            if let Some(read) = read {
                assert_eq!(Usd::at_least(text.parse().unwrap()), read);
                let json = serde_json::to_string(&read).unwrap();
                assert_eq!(serde_json::from_str::<Usd>(&json).unwrap(), read);
                assert_eq!(Usd::parse(&read.to_string()), Some(read));
            }
        }
    }
}
