//! The version of a response, which says what an Envoy has of a type.
//!
//! With their first request on a new stream, Envoys send the version that they last accepted, even to a
//! process other than the one that it came from. So it says which revision they run, and with which content.
//!
//! It says nothing about the pools' filters: a version outlives the subscriptions that it was accepted for,
//! and an Envoy that asks for a filter again may not have it.

use std::fmt;
use std::str::FromStr;

/// Marks that a filter was accepted before its module was there.
const UNCONFIRMED: char = '?';

/// Means that the Envoy does not have a plugin configuration.
const NOTHING: &str = "-";

/// Identifies the content: two contents of the same revision differ in their digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) revision: u64,
    pub(super) digest: String,
}

/// The plugin configuration that an Envoy has accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Plugin {
    /// The configuration; `None` if it has accepted none.
    pub(super) content: Option<Content>,
    /// Whether it is known to have found its module.
    pub(super) is_confirmed: bool,
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

impl fmt::Display for Plugin {
    /// `7-1a2b3c4d`, followed by `?` if it is not confirmed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Some(content) if self.is_confirmed => write!(f, "{content}"),
            Some(content) => write!(f, "{content}{UNCONFIRMED}"),
            None => f.write_str(NOTHING),
        }
    }
}

impl Plugin {
    /// Parses what an Envoy brings; nonsense counts as nothing.
    pub(super) fn read(version: &str) -> Self {
        // Earlier releases added the pools' filters after a space.
        let plugin = version.split(' ').next().unwrap_or_default();
        Self {
            is_confirmed: !plugin.ends_with(UNCONFIRMED),
            content: plugin.trim_end_matches(UNCONFIRMED).parse().ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, content: Option<(u64, &str)>, is_confirmed: bool) {
        let content = content.map(|(revision, digest)| Content {
            revision,
            digest: digest.to_owned(),
        });
        let plugin = Plugin {
            content,
            is_confirmed,
        };
        assert_eq!(plugin.to_string(), text);
        assert_eq!(Plugin::read(text), plugin);
    }

    #[test]
    fn a_version_names_the_plugin_configuration() {
        check("7-1a2b", Some((7, "1a2b")), true);
        check("7-1a2b?", Some((7, "1a2b")), false);
        check("-", None, true);
    }

    #[test]
    fn versions_from_other_releases_are_read_as_far_as_possible() {
        assert_eq!(Plugin::read("").content, None);
        assert_eq!(Plugin::read("7.transition").content, None);
        let plain = Plugin::read("7").content.unwrap();
        assert_eq!((plain.revision, plain.digest.as_str()), (7, ""));
        let earlier = Plugin::read("7-1a2b 0000000000000001=5e6f");
        assert_eq!(earlier, Plugin::read("7-1a2b"));
    }
}
