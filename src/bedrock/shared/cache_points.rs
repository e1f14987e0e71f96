//! The ends of cached prefixes: as many and as long as a model supports.

use std::vec::IntoIter;

use crate::catalog::Caching;
use crate::chat::{CacheControl, CacheTtl};

/// Most cache points in one request.
///
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>
const MAX_CACHE_POINTS: usize = 4;

/// Decides, place by place in the order tools, system, messages, which cache points are set.
#[derive(Debug)]
pub struct CachePoints {
    caching: Caching,
    /// Ends that are left out because later ones, which cache more, need their place.
    surplus: usize,
    /// How long to cache up to each point.
    lifetimes: IntoIter<CacheTtl>,
}

impl CachePoints {
    /// For a request that asks for these points, in the order of their places.
    ///
    /// A prefix that is kept long cannot follow one that is kept for a short time. Clients do not know the order of
    /// places, so each point lasts as long as the longest after it.
    #[must_use]
    pub fn new(caching: Caching, wanted: impl IntoIterator<Item = CacheControl>) -> Self {
        let mut lifetimes: Vec<_> = wanted.into_iter().map(|mark| mark.ttl).collect();
        let mut longest = CacheTtl::Default;
        for lifetime in lifetimes.iter_mut().rev() {
            longest = longest.max(*lifetime);
            *lifetime = longest;
        }
        Self {
            caching,
            surplus: lifetimes.len().saturating_sub(MAX_CACHE_POINTS),
            lifetimes: lifetimes.into_iter(),
        }
    }

    /// How long to cache up to a place for which the client may have asked; `None` sets no point.
    pub fn next(&mut self, wanted: Option<CacheControl>) -> Option<CacheTtl> {
        let wanted = wanted.filter(|_| self.caching != Caching::None)?;
        let lifetime = self.lifetimes.next().unwrap_or(wanted.ttl);
        if self.surplus > 0 {
            self.surplus -= 1;
            return None;
        }
        Some(match self.caching {
            Caching::Hour => lifetime,
            _ => CacheTtl::Default,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CacheTtl::{Default, Hour};

    #[track_caller]
    fn check(caching: Caching, wanted: &[CacheTtl], set: &[Option<CacheTtl>]) {
        let marks = wanted.iter().map(|ttl| CacheControl { ttl: *ttl });
        let mut points = CachePoints::new(caching, marks.clone());
        let seen: Vec<_> = marks.map(|mark| points.next(Some(mark))).collect();
        assert_eq!(seen, set, "{wanted:?}");
        assert_eq!(points.next(None), None);
    }

    #[test]
    fn a_mark_lasts_as_long_as_the_longest_behind_it() {
        check(
            Caching::Hour,
            &[Default, Hour, Default],
            &[Some(Hour), Some(Hour), Some(Default)],
        );
        check(
            Caching::Hour,
            &[Hour, Default],
            &[Some(Hour), Some(Default)],
        );
        check(
            Caching::Minutes,
            &[Default, Hour],
            &[Some(Default), Some(Default)],
        );
        check(Caching::None, &[Hour], &[None]);
    }

    #[test]
    fn the_last_marks_are_set() {
        check(
            Caching::Hour,
            &[Hour, Default, Default, Hour, Default],
            &[None, Some(Hour), Some(Hour), Some(Hour), Some(Default)],
        );
    }
}
