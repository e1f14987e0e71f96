//! Which module the two stages of a request run in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Names a module, and with it the VM of a worker in which both stages of a request meet.
///
/// It is part of the names of the pools' clusters: a request that began in one VM is tried to its end on clusters
/// whose filter runs in the same VM, although newer requests already use another. As text, it has sixteen hexadecimal
/// digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u64);

/// A text that is not a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a generation: 16 hexadecimal digits are expected")]
pub struct InvalidGeneration;

impl Generation {
    /// The generation of this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Generation {
    type Err = InvalidGeneration;

    fn from_str(text: &str) -> Result<Self, InvalidGeneration> {
        let is_whole = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u64::from_str_radix(text, 16).ok().filter(|_| is_whole);
        number.map(Self).ok_or(InvalidGeneration)
    }
}

impl Serialize for Generation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Generation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_number_are_one() {
        let generation = Generation::new(0x0123_4567_89ab_cdef);
        assert_eq!(generation.to_string(), "0123456789abcdef");
        assert_eq!("0123456789abcdef".parse(), Ok(generation));
        assert_eq!(Generation::new(1).to_string(), "0000000000000001");
        for text in [
            "",
            "1",
            "0123456789abcdeg",
            "+123456789abcdef",
            "0123456789abcdef0",
        ] {
            assert_eq!(text.parse::<Generation>(), Err(InvalidGeneration), "{text}");
        }
    }
}
