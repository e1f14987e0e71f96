//! Ends of cached prefixes: as many and as long as a model takes.

use crate::catalog::Caching;
use crate::chat::{CacheControl, CacheTtl};

/// Most marks in one request.
///
/// <https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>
const MAX_MARKS: usize = 4;

/// Decides, place by place in the order tools, system, messages, which marks are set.
pub(in crate::bedrock) struct CachePoints {
    caching: Caching,
    /// Ends that are left out because later ones, which cache more, need their place.
    surplus: usize,
}

impl CachePoints {
    /// For a request that wants this many marks.
    pub(in crate::bedrock) fn new(caching: Caching, wanted: usize) -> Self {
        Self {
            caching,
            surplus: wanted.saturating_sub(MAX_MARKS),
        }
    }

    /// How long to cache up to a place where the client may have put a mark; `None` sets none.
    pub(in crate::bedrock) fn next(&mut self, wanted: Option<CacheControl>) -> Option<CacheTtl> {
        let wanted = wanted.filter(|_| self.caching != Caching::None)?;
        if self.surplus > 0 {
            self.surplus -= 1;
            return None;
        }
        Some(match self.caching {
            Caching::Hour => wanted.ttl,
            _ => CacheTtl::Default,
        })
    }
}
