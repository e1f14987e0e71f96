//! The marks of cached prefixes: which stay, and how long what they mark is kept.

use super::facts::Facts;
use super::list::List;
use crate::bedrock::CachePoints;
use crate::catalog::Caching;
use crate::chat::{CacheControl, CacheTtl};
use crate::json::PieceWriter;
use crate::protocol::anthropic_messages::{Asked, Member, Object};

/// What becomes of a request's marks, in the order of their places.
#[derive(Debug)]
pub(super) struct Marks {
    facts: Facts,
    /// How long each lasts; `None` for one that is not set.
    lifetimes: Vec<Option<CacheTtl>>,
    /// How many of them have been passed.
    passed: usize,
}

impl Marks {
    /// Those of a request.
    pub(super) fn of(asked: &Asked<'_>, facts: Facts) -> Self {
        let wanted: Vec<CacheControl> = asked.marks().collect();
        let mut points = CachePoints::new(facts.caching(), wanted.iter().copied());
        let lifetimes = wanted.into_iter().map(|mark| points.next(Some(mark)));
        Self {
            facts,
            lifetimes: lifetimes.collect(),
            passed: 0,
        }
    }

    /// The mark of the place that comes next, if the client put one there.
    pub(super) fn next(&mut self, object: &Object<'_>) -> Mark {
        let Some(own) = object.object("cache_control") else {
            return Mark::Same;
        };
        let set = self.lifetimes.get(self.passed).copied().flatten();
        self.passed += 1;
        if set.is_some() && self.is_as_written(own, set) {
            Mark::Same
        } else {
            Mark::Set(set)
        }
    }

    /// How many marks have been passed.
    pub(super) fn passed(&self) -> usize {
        self.passed
    }

    /// Goes back to where so many marks had been passed.
    pub(super) fn pass_again(&mut self, passed: usize) {
        self.passed = passed;
    }

    /// Whether a mark says what it is to say, and nothing that Bedrock does not know.
    fn is_as_written(&self, mark: &Object<'_>, set: Option<CacheTtl>) -> bool {
        let is_known = |own: &Member<'_>| match &*own.name {
            "type" => true,
            "ttl" => self.facts.caching() == Caching::Hour && !own.value.is_null(),
            _ => false,
        };
        let is_hour = mark.text("ttl").is_some_and(|ttl| &**ttl == "1h");
        mark.members.iter().all(is_known) && is_hour == (set == Some(CacheTtl::Hour))
    }
}

/// What becomes of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// It stays as it is; also if the block has no mark.
    Same,
    /// It is set anew, or left out.
    Set(Option<CacheTtl>),
}

/// Writes a mark as a member.
pub(super) fn write_mark(set: Option<CacheTtl>, list: &mut List, out: &mut PieceWriter<'_>) {
    let json = match set {
        None => return,
        Some(CacheTtl::Default) => "{\"type\":\"ephemeral\"}",
        Some(CacheTtl::Hour) => "{\"type\":\"ephemeral\",\"ttl\":\"1h\"}",
    };
    list.member("cache_control", out);
    out.raw(json);
}
