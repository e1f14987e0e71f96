//! Which channels back each other up, and the Envoy clusters of them.
//!
//! A pool is an ordered list of channels. Envoy has a cluster for each, with one endpoint of one
//! priority for every channel, and its retry policy walks them in that order. The filter chooses the
//! pool by the channel that shall come first; which pools there can be follows from the configuration
//! alone, so that the config-service can push their clusters beforehand.

use std::collections::{BTreeMap, BTreeSet};

use super::{CompiledChannel, Routes};
use crate::config::{ModelIds, SignedBy};
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
    /// The pool of those who serve a request when `first` comes first; `candidates` are all who can.
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
        let generation = generation.map(|generation| generation.to_string());
        let names = channels.iter().map(|own| own.channel.name.as_str());
        let parts = generation.as_deref().into_iter().chain(names);
        parts.fold("bedrock|pool".to_owned(), |name, next| {
            format!("{name}|{next}")
        })
    }

    /// Every pool that a request can be sent to, by cluster: those of all who serve a name, and each
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

    /// The sets of channels that serve one name: each name that some channel has an opinion on, and
    /// all other names, of the catalogue or not, which channels without a list of their own serve if
    /// they allow it.
    fn candidate_sets(&self) -> Vec<Vec<&CompiledChannel>> {
        let names: BTreeSet<&str> = self
            .ready()
            .flat_map(|own| {
                let channel = &own.channel;
                let models = channel.models.iter();
                models
                    .chain(channel.model_mapping.keys())
                    .chain(channel.inference_profile_arn_map.keys())
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
        by_name
            .chain([open_to(ModelIds::Catalogue), open_to(ModelIds::Any)])
            .collect()
    }
}

/// Whether two channels can be endpoints of one cluster: a cluster has one kind of transport, checks
/// certificates by name, and signs for nobody or one.
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
    use crate::config::{Failover, Generation};
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

    #[test]
    fn pools_of_two_generations_have_nothing_in_common() {
        let names = |generation| {
            let failover = Failover {
                generation: Some(Generation::new(generation)),
                ..Failover::default()
            };
            let routes = testing::routes(&[json!({"name": "a"})], Some(failover));
            routes.pools().into_keys().collect::<Vec<_>>()
        };
        assert_eq!(names(1), ["bedrock|pool|0000000000000001|a"]);
        assert_eq!(names(2), ["bedrock|pool|0000000000000002|a"]);
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
