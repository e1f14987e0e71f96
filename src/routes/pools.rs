//! Which channels back each other up, and their Envoy clusters.
//!
//! A pool is an ordered list of channels. Envoy has a cluster for each pool, in which every channel has a priority of its
//! own, and its retry policy walks them in that order. The filter picks the pool by the channel that is to
//! be first. The possible pools follow from the configuration alone, so the config-service can push their clusters
//! beforehand.

mod destination;

pub use destination::Destination;

use std::collections::{BTreeMap, BTreeSet};

use super::{CompiledChannel, Routes};
use crate::config::{Generation, ModelIds, SignedBy};
use crate::endpoint::Endpoint;

/// Channels in the order in which a request is tried on them.
#[derive(Clone, Debug)]
pub struct Pool<'r> {
    /// Envoy cluster.
    pub cluster: String,
    /// At least one.
    pub channels: Vec<&'r CompiledChannel>,
}

impl Routes {
    /// The pool of the channels that serve a request when `first` comes first; `candidates` are all that can.
    #[must_use]
    pub fn pool<'r>(
        &self,
        first: &'r CompiledChannel,
        candidates: &[&'r CompiledChannel],
    ) -> Pool<'r> {
        let most = self.failover().map_or(1, |failover| failover.max_attempts);
        let mut others: Vec<_> = candidates
            .iter()
            .copied()
            .filter(|other| other.channel.name != first.channel.name && goes_with(first, other))
            .collect();
        // Stable, so channels of one priority stay in the order of the configuration.
        others.sort_by_key(|other| other.channel.priority);
        let channels: Vec<_> = std::iter::once(first).chain(others).take(most).collect();
        Pool {
            cluster: self.pool_cluster(&channels),
            channels,
        }
    }

    fn pool_cluster(&self, channels: &[&CompiledChannel]) -> String {
        let generation = self.failover().and_then(|failover| failover.generation);
        let channels = channels.iter();
        let channels = channels.map(|own| (own.channel.name.as_str(), own.destination));
        pool_cluster(generation, channels)
    }

    /// Every pool that a request can be sent to, by cluster: the pools of all channels that serve a name, and each
    /// channel alone.
    #[must_use]
    pub fn pools(&self) -> BTreeMap<String, Vec<&CompiledChannel>> {
        let mut pools = BTreeMap::new();
        let alone = self.ready().map(|channel| vec![channel]);
        for candidates in self.candidate_sets().into_iter().chain(alone) {
            for first in &candidates {
                let pool = self.pool(first, &candidates);
                pools.insert(pool.cluster, pool.channels);
            }
        }
        pools
    }

    /// The channels that serve any of these names, each once: the first name's first.
    #[must_use]
    pub fn channels_of(&self, names: &[&str]) -> Vec<&CompiledChannel> {
        let all = names.iter().flat_map(|name| self.candidates(name));
        let mut seen = BTreeSet::new();
        all.map(|route| route.channel)
            .filter(|own| seen.insert(own.channel.name.clone()))
            .collect()
    }

    /// The sets of channels that serve one name: for each name that some channel configures, for each list from which a
    /// name chooses, and for all other names, in the catalogue or not, which channels without a list of their own serve
    /// if they allow it. And what is left of each for callers that may use only some channels.
    fn candidate_sets(&self) -> Vec<Vec<&CompiledChannel>> {
        let names: BTreeSet<&str> = self
            .ready()
            .flat_map(|own| {
                let channel = &own.channel;
                let models = channel.models.iter();
                models
                    .chain(channel.mapped_names())
                    .chain(channel.model_families.keys())
                    .map(String::as_str)
            })
            .collect();
        let by_name = names
            .into_iter()
            .map(|name| self.candidates(name).map(|route| route.channel).collect());
        let open_to = |least: ModelIds| {
            let is_open = move |own: &&CompiledChannel| {
                own.channel.models.is_empty() && own.channel.allow_model_ids >= least
            };
            self.ready().filter(is_open).collect()
        };
        let of_lists = self.lists().map(|models| self.channels_of(&models));
        let mut sets: Vec<Vec<_>> = by_name
            .chain(of_lists)
            .chain([open_to(ModelIds::Catalogue), open_to(ModelIds::Any)])
            .collect();
        let lists = self.callers().channel_lists();
        let restricted: Vec<_> = lists
            .into_iter()
            .flat_map(|list| sets.iter().map(move |set| among(set, list)))
            .collect();
        sets.extend(restricted);
        sets
    }
}

/// The Envoy cluster of the pool of these channels. Without a generation it is one that somebody wrote by hand.
///
/// Else its name also depends on where each channel sends: whoever has a cluster of the name has the one that is meant,
/// and not one from before an edit, which would send elsewhere what was signed for another host.
#[must_use]
pub fn pool_cluster<'n>(
    generation: Option<Generation>,
    channels: impl IntoIterator<Item = (&'n str, Destination), IntoIter: Clone>,
) -> String {
    let channels = channels.into_iter();
    let mut cluster = "bedrock|pool".to_owned();
    if let Some(generation) = generation {
        cluster.push_str(&format!("|{generation}"));
    }
    for (channel, _) in channels.clone() {
        cluster.push('|');
        cluster.push_str(channel);
    }
    if generation.is_some() {
        let destinations = Destination::joined(channels.map(|(_, destination)| destination));
        cluster.push_str(&format!("|{destinations:08x}"));
    }
    cluster
}

/// The channels of a set that are on a sorted list.
fn among<'r>(set: &[&'r CompiledChannel], list: &[String]) -> Vec<&'r CompiledChannel> {
    let is_listed = |own: &&&CompiledChannel| list.binary_search(&own.channel.name).is_ok();
    set.iter().filter(is_listed).copied().collect()
}

/// Whether two channels can be endpoints of one cluster: a cluster has one kind of transport, checks certificates by
/// name, and signs either for one channel or not at all.
fn goes_with(one: &CompiledChannel, other: &CompiledChannel) -> bool {
    let by_filter = |own: &CompiledChannel| own.channel.signer == SignedBy::Filter;
    let checked_by_name = |own: &Endpoint| !own.is_tls() || !own.is_address();
    by_filter(one)
        && by_filter(other)
        && one.endpoint.is_tls() == other.endpoint.is_tls()
        && checked_by_name(&one.endpoint)
        && checked_by_name(&other.endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Failover;
    use crate::routes::testing;
    use serde_json::{Value, json};

    fn routes(channels: &[Value]) -> Routes {
        testing::routes(channels, Some(Failover::default()))
    }

    #[track_caller]
    fn check(channels: &[Value], expected: &[&str]) {
        let routes = routes(channels);
        let seen: Vec<_> = routes.pools().into_keys().collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|own| format!("bedrock|pool|{own}"))
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn every_channel_comes_first_somewhere_and_the_others_follow_by_priority() {
        check(
            &[
                json!({"name": "a", "priority": 1}),
                json!({"name": "b"}),
                json!({"name": "c"}),
                json!({"name": "off", "enabled": false}),
            ],
            &["a", "a|b|c", "b", "b|c|a", "c", "c|b|a"],
        );
    }

    fn names(generation: u64, channels: &[Value]) -> Vec<String> {
        let failover = Failover {
            generation: Some(Generation::new(generation)),
            ..Failover::default()
        };
        let routes = testing::routes(channels, Some(failover));
        routes.pools().into_keys().collect()
    }

    #[test]
    fn pools_of_two_generations_have_nothing_in_common() {
        let names = |generation| names(generation, &[json!({"name": "a"})]);
        assert_eq!(names(1), ["bedrock|pool|0000000000000001|a|abdfb034"]);
        assert_eq!(names(2), ["bedrock|pool|0000000000000002|a|abdfb034"]);
    }

    #[test]
    fn an_edit_of_where_a_channel_sends_makes_other_pools_of_it_alone() {
        let other = json!({"name": "b"});
        let before = names(1, &[json!({"name": "a"}), other.clone()]);
        assert_eq!(before.len(), 4, "{before:?}");
        for edit in [
            json!({"name": "a", "region": "eu-west-1"}),
            json!({"name": "a", "endpoint": "https://llm.example"}),
            json!({"name": "a", "endpoint": "https://llm.example:8443"}),
        ] {
            let after = names(1, &[edit, other.clone()]);
            let kept: Vec<_> = after.iter().filter(|own| before.contains(own)).collect();
            assert_eq!((after.len(), kept.len()), (4, 1), "{after:?}");
            assert!(kept[0].starts_with("bedrock|pool|0000000000000001|b|"));
        }
        let signed = names(1, &[json!({"name": "a", "signer": "envoy"}), other.clone()]);
        let kept: Vec<_> = signed.iter().filter(|own| before.contains(own)).collect();
        assert_eq!((signed.len(), kept.len()), (2, 1), "{signed:?}");
        let keys =
            json!({"type": "static", "access_key_id": "AKIAOTHER", "secret_access_key": "s"});
        let renewed = [json!({"name": "a", "credentials": keys, "priority": 0, "weight": 2})];
        let renewed = names(1, &[renewed[0].clone(), other]);
        assert_eq!(renewed, before);
    }

    #[test]
    fn only_who_serves_a_name_backs_it_up() {
        check(
            &[
                json!({"name": "a", "models": ["m"], "model_mapping": {"m": "nova-pro"}}),
                json!({"name": "b", "models": ["m", "n"],
                       "model_mapping": {"m": "nova-lite", "n": "nova-pro"}}),
                json!({"name": "c"}),
            ],
            &["a", "a|b", "b", "b|a", "c"],
        );
    }

    #[test]
    fn a_pool_is_no_longer_than_the_attempts() {
        let channels: Vec<_> = (0..5).map(|n| json!({"name": format!("c{n}")})).collect();
        let pools = routes(&channels);
        let pools = pools.pools();
        let lengths = |length| pools.values().filter(|own| own.len() == length).count();
        assert_eq!((pools.len(), lengths(1), lengths(3)), (10, 5, 5));
    }

    #[test]
    fn transports_and_signers_do_not_mix() {
        check(
            &[
                json!({"name": "a"}),
                json!({"name": "b", "signer": "envoy"}),
                json!({"name": "c", "endpoint": "http://127.0.0.1:9000"}),
                json!({"name": "d", "endpoint": "https://127.0.0.1:9000"}),
                json!({"name": "e"}),
            ],
            &["a", "a|e", "b", "c", "d", "e", "e|a"],
        );
    }

    #[test]
    fn a_request_finds_its_pool_among_them() {
        let routes = routes(&[
            json!({"name": "a", "models": ["x"], "model_mapping": {"x": "nova-pro"}}),
            json!({"name": "b"}),
            json!({"name": "c", "inference_profile_arn_map": {"y": "amazon.nova-pro-v1:0"}}),
            json!({"name": "d", "allow_model_ids": "catalogue"}),
            json!({"name": "e", "allow_model_ids": "catalogue", "priority": 1}),
            json!({"name": "f", "allow_model_ids": "none", "model_mapping": {"z": "nova-pro"}}),
        ]);
        let pools = routes.pools();
        for name in [
            "x",
            "y",
            "z",
            "nova-pro",
            "anthropic.claude-next-9-9",
            "amazon.nova-lite-v1:0",
            "claude-sonnet-4-5",
        ] {
            let candidates: Vec<_> = routes.candidates(name).map(|route| route.channel).collect();
            assert!(!candidates.is_empty(), "{name}");
            for first in &candidates {
                let pool = routes.pool(first, &candidates);
                assert!(
                    pools.contains_key(&pool.cluster),
                    "{name}: {}",
                    pool.cluster
                );
            }
        }
    }
}
