//! Header maps, and proxy-wasm's encoding of them.
//!
//! A map is the number of its pairs, the lengths of every name and value, then names and values, each
//! followed by a NUL; numbers are 32 bits, little-endian:
//! <https://github.com/proxy-wasm/spec/blob/main/abi-versions/v0.2.1/README.md>.

/// A header map: names and values in the order of arrival.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs(pub Vec<(Vec<u8>, Vec<u8>)>);

impl Pairs {
    /// A map of strings.
    #[must_use]
    pub fn of(pairs: &[(&str, &str)]) -> Self {
        let pair =
            |(name, value): &(&str, &str)| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
        Self(pairs.iter().map(pair).collect())
    }

    /// The first value of a name.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let found = self.0.iter().find(|(own, _)| own == name)?;
        Some(&found.1)
    }

    /// The first value of a name, as text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.get(name.as_bytes())?).ok()
    }

    /// Adds a pair.
    pub fn add(&mut self, name: Vec<u8>, value: Vec<u8>) {
        self.0.push((name, value));
    }

    /// Replaces all pairs with this name by one.
    pub fn replace(&mut self, name: Vec<u8>, value: Vec<u8>) {
        self.remove(&name);
        self.add(name, value);
    }

    /// Removes a name.
    pub fn remove(&mut self, name: &[u8]) {
        self.0.retain(|(own, _)| own != name);
    }

    /// The map in proxy-wasm's encoding.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = length(self.0.len()).to_vec();
        for (name, value) in &self.0 {
            bytes.extend(length(name.len()));
            bytes.extend(length(value.len()));
        }
        for text in self.0.iter().flat_map(|(name, value)| [name, value]) {
            bytes.extend_from_slice(text);
            bytes.push(0);
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] writes; `None` if it is something else.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut lengths = bytes;
        let count = take_length(&mut lengths)?;
        let mut texts = lengths.get(count.checked_mul(8)?..)?;
        let mut pairs = Vec::with_capacity(count);
        for _ in 0..count {
            let (name, value) = (take_length(&mut lengths)?, take_length(&mut lengths)?);
            pairs.push((take_text(&mut texts, name)?, take_text(&mut texts, value)?));
        }
        Some(Self(pairs))
    }
}

fn length(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

fn take_length(bytes: &mut &[u8]) -> Option<usize> {
    let (length, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    usize::try_from(u32::from_le_bytes(*length)).ok()
}

fn take_text(bytes: &mut &[u8], length: usize) -> Option<Vec<u8>> {
    let (text, rest) = bytes.split_at_checked(length)?;
    let (nul, rest) = rest.split_first()?;
    *bytes = rest;
    (*nul == 0).then(|| text.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_reads_what_it_wrote() {
        let pairs = Pairs::of(&[(":path", "/v1/models"), ("accept", ""), ("accept", "*/*")]);
        assert_eq!(Pairs::from_bytes(&pairs.to_bytes()), Some(pairs));
    }

    #[test]
    fn a_broken_map_is_none() {
        let bytes = Pairs::of(&[("accept", "*/*")]).to_bytes();
        for end in 0..bytes.len() {
            assert_eq!(
                Pairs::from_bytes(bytes.get(..end).unwrap_or_default()),
                None
            );
        }
    }
}
