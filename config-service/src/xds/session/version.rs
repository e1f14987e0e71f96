//! What an Envoy has of a type, as the version of a response says it.
//!
//! Envoys send the version that they took last with their first request on a new stream, also to another
//! process than the one that it comes from. So it tells what they run: which revision, with which content,
//! and which pools' filters.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use bedrock_filter::config::Generation;

/// Says that a filter was taken before its module was there.
const UNCONFIRMED: char = '?';

/// Identifies a content: two contents of one revision differ in their digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) revision: u64,
    pub(super) digest: String,
}

/// The filters that an Envoy has taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Filters {
    /// The listeners' one.
    pub(super) plugin: Option<Content>,
    /// Whether it is known to have found its module.
    pub(super) is_confirmed: bool,
    /// Those of pools, by digest.
    pub(super) stages: BTreeMap<Generation, String>,
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.revision, self.digest)
    }
}

impl FromStr for Content {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (revision, digest) = text.split_once('-').unwrap_or((text, ""));
        Ok(Self {
            revision: revision.parse().map_err(drop)?,
            digest: digest.to_owned(),
        })
    }
}

impl fmt::Display for Filters {
    /// `7-1a2b3c4d 0123456789abcdef=5e6f7a8b`, with a `?` behind the first part if it is not confirmed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.plugin {
            Some(plugin) if self.is_confirmed => write!(f, "{plugin}")?,
            Some(plugin) => write!(f, "{plugin}{UNCONFIRMED}")?,
            None => f.write_str("-")?,
        }
        for (generation, digest) in &self.stages {
            write!(f, " {generation}={digest}")?;
        }
        Ok(())
    }
}

impl Filters {
    /// Reads what an Envoy brings; what makes no sense is as good as nothing.
    pub(super) fn read(version: &str) -> Self {
        let mut parts = version.split(' ');
        let plugin = parts.next().unwrap_or_default();
        let stages = parts.filter_map(|part| {
            let (generation, digest) = part.split_once('=')?;
            Some((generation.parse().ok()?, digest.to_owned()))
        });
        Self {
            is_confirmed: !plugin.ends_with(UNCONFIRMED),
            plugin: plugin.trim_end_matches(UNCONFIRMED).parse().ok(),
            stages: stages.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, plugin: Option<(u64, &str)>, is_confirmed: bool, stages: &[(u64, &str)]) {
        let plugin = plugin.map(|(revision, digest)| Content {
            revision,
            digest: digest.to_owned(),
        });
        let stages = stages.iter();
        let stages =
            stages.map(|(number, digest)| (Generation::new(*number), (*digest).to_owned()));
        let filters = Filters {
            plugin,
            is_confirmed,
            stages: stages.collect(),
        };
        assert_eq!(filters.to_string(), text);
        assert_eq!(Filters::read(text), filters);
    }

    #[test]
    fn a_version_tells_all_filters() {
        check("7-1a2b", Some((7, "1a2b")), true, &[]);
        check("7-1a2b?", Some((7, "1a2b")), false, &[]);
        check("- 0000000000000001=5e6f", None, true, &[(1, "5e6f")]);
        let stages = [(1, "5e"), (2, "6f")];
        let text = "7-1a2b 0000000000000001=5e 0000000000000002=6f";
        check(text, Some((7, "1a2b")), true, &stages);
    }

    #[test]
    fn versions_of_others_tell_what_they_can() {
        assert_eq!(Filters::read("").plugin, None);
        assert_eq!(Filters::read("7.transition").plugin, None);
        let plain = Filters::read("7").plugin.unwrap();
        assert_eq!((plain.revision, plain.digest.as_str()), (7, ""));
        assert_eq!(Filters::read("7 x=y 1=2").stages, BTreeMap::new());
    }
}
