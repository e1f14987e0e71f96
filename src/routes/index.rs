//! Which channels a name can lead to, found without asking every channel.

use super::CompiledChannel;
use super::foreign::{Name, Names};
use crate::config::{Channel, ModelIds};

/// How many channels are asked more quickly than found.
const FEW: usize = 4;

/// A channel, by its position in the configuration.
pub(super) type Position = u32;

/// Channels by what leads to them.
///
/// A channel that is found for a name may still not serve it: what is kept of a name is its hash, and whether the
/// name leads to a model is for the channel to say. A channel that is not found does not serve the name.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Names of enabled channels: a hash in the upper half, the channel in the lower. Sorted.
    ///
    /// A channel with a list of names has those alone; any other has the names that it maps.
    names: Vec<u64>,
    /// Enabled channels without a list.
    unlisted: Vec<Position>,
    /// Those of them that serve the catalogue's names.
    catalogue: Vec<Position>,
    /// Those that serve every id that Bedrock takes.
    any: Vec<Position>,
    /// Every enabled channel, if there are few.
    enabled: Vec<Position>,
    /// The own name of every channel, like [`Self::names`].
    channels: Vec<u64>,
}

impl Index {
    pub(super) fn of(channels: &[CompiledChannel]) -> Self {
        let count = channels
            .iter()
            .map(|own| own.channel.written_names().count())
            .sum();
        let mut index = Self {
            names: Vec::with_capacity(count),
            channels: Vec::with_capacity(channels.len()),
            ..Self::default()
        };
        for (position, channel) in (0..).zip(channels) {
            index.channels.push(entry(&channel.channel.name, position));
            if channel.channel.enabled {
                if channels.len() <= FEW {
                    index.enabled.push(position);
                }
                index.add(position, &channel.channel);
            }
        }
        index.names.sort_unstable();
        index.channels.sort_unstable();
        index
    }

    fn add(&mut self, position: Position, channel: &Channel) {
        for name in channel.written_names() {
            self.names.push(entry(name, position));
        }
        if !channel.models.is_empty() {
            return;
        }
        self.unlisted.push(position);
        if channel.allow_model_ids != ModelIds::None {
            self.catalogue.push(position);
        }
        if channel.allow_model_ids.is_any() {
            self.any.push(position);
        }
    }

    /// The enabled channels that may let clients ask for one of these names, in the order of the configuration.
    pub(super) fn admitting<'i>(
        &'i self,
        names: &Names<'_>,
    ) -> impl Iterator<Item = Position> + use<'i> {
        if self.channels.len() <= FEW {
            return merged(Vec::new(), &self.enabled);
        }
        let is_same = self.catalogue.len() == self.any.len();
        let others = if !is_same && names.all.iter().any(Name::is_catalogued) {
            &self.catalogue
        } else {
            &self.any
        };
        merged(self.naming(&names.all), others)
    }

    /// The enabled channels that may know where a name leads, whether or not clients may ask for it.
    pub(super) fn knowing<'i>(
        &'i self,
        name: &Name<'_>,
    ) -> impl Iterator<Item = Position> + use<'i> {
        // What a channel does not map leads somewhere everywhere or nowhere.
        let others = if name.is_model() {
            self.unlisted.as_slice()
        } else {
            &[]
        };
        merged(self.naming(std::slice::from_ref(name)), others)
    }

    /// The channels that may be the one of a name, enabled or not.
    pub(super) fn channel(&self, name: &str) -> impl Iterator<Item = Position> {
        positions(&self.channels, name)
    }

    /// The channels that may list or map one of these names, sorted.
    fn naming(&self, names: &[Name<'_>]) -> Vec<Position> {
        let mut found = Vec::new();
        for position in names
            .iter()
            .flat_map(|name| positions(&self.names, name.text))
        {
            // The positions of one name are sorted, and hardly any name is configured in a second form.
            if let Err(place) = found.binary_search(&position) {
                found.insert(place, position);
            }
        }
        found
    }
}

/// The positions in sorted entries that a name's hash has.
fn positions(entries: &[u64], name: &str) -> impl Iterator<Item = Position> {
    let hash = hash(name);
    let start = entries.partition_point(|entry| hash_in(*entry) < hash);
    let same = entries.iter().skip(start);
    let same = same.take_while(move |entry| hash_in(**entry) == hash);
    same.map(|entry| position_in(*entry))
}

/// Two sorted lists as one, each channel once.
fn merged(some: Vec<Position>, others: &[Position]) -> impl Iterator<Item = Position> + use<'_> {
    let mut some = some.into_iter().peekable();
    let mut others = others.iter().copied().peekable();
    std::iter::from_fn(move || match (some.peek(), others.peek()) {
        (Some(own), Some(other)) if own > other => others.next(),
        (Some(own), _) => {
            others.next_if_eq(own);
            some.next()
        }
        (None, _) => others.next(),
    })
}

fn entry(name: &str, position: Position) -> u64 {
    u64::from(hash(name)) << Position::BITS | u64::from(position)
}

fn hash_in(entry: u64) -> u32 {
    (entry >> Position::BITS) as u32
}

fn position_in(entry: u64) -> Position {
    entry as Position
}

/// A quick hash: a channel that is found in vain costs little, and every name of every channel is hashed.
fn hash(name: &str) -> u32 {
    /// The golden ratio, as a fraction of 2^64.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| (hash.rotate_left(29) ^ word).wrapping_mul(FACTOR);
    let (words, rest) = name.as_bytes().as_chunks();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let rest = rest
        .iter()
        .fold(0, |rest, byte| rest << 8 | u64::from(*byte));
    let hash = words.chain([rest]).fold(name.len() as u64, mix);
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_anywhere_have_different_hashes() {
        let names = (0..1_000).flat_map(|channel| {
            (0..40).map(move |entry| format!("team-{channel:04}-model-{entry:02}"))
        });
        let mut hashes: Vec<_> = names.map(|name| hash(&name)).collect();
        let count = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        // By chance, one in five sets of so many has a pair.
        assert!(count - hashes.len() < 3, "{} of {count}", hashes.len());
        assert_ne!(hash("nova"), hash("nova\0"));
        assert_ne!(hash(""), hash("\0"));
    }

    #[test]
    fn lists_are_merged_in_order() {
        for (some, others, all) in [
            (&[][..], &[][..], &[][..]),
            (&[3], &[], &[3]),
            (&[], &[1, 2], &[1, 2]),
            (&[0, 2, 5], &[1, 2, 3], &[0, 1, 2, 3, 5]),
            (&[4], &[1, 4, 9], &[1, 4, 9]),
        ] {
            let seen: Vec<_> = merged(some.to_vec(), others).collect();
            assert_eq!(seen, all);
        }
    }
}
