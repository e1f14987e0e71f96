//! An Envoy with a stream of its own for the pools' filter.

use super::*;
use crate::fleet::WaitingFor;

/// A stream for the listener's filter alone, whose Envoy lacks that of its pools.
fn waiting() -> Envoy {
    let terms = terms(ModuleDelivery::Local);
    let mut envoy = Envoy::with(terms, Some(Kind::Filters), snapshot(1, &["a"]));
    envoy.session.lacks(Lack::Filter, envoy.now);
    assert_eq!(envoy.filters(""), NOTHING);
    let waiting_for = envoy.session.progress().waiting_for;
    assert_eq!(waiting_for, Some(WaitingFor::Module));
    envoy
}

#[test]
fn the_plugin_configuration_waits_until_another_stream_has_the_pools_filter() {
    let mut envoy = waiting();
    envoy.session.lacks(Lack::Filter, envoy.now);
    assert_eq!(envoy.publish(snapshot(2, &["a"])), NOTHING);
    envoy.session.lacks(Lack::Nothing, envoy.now);
    assert_eq!(envoy.receive(), ["plugin 2"]);
    envoy.ack(Kind::Filters);
    assert_eq!(envoy.session.progress().waiting_for, None);
}

#[test]
fn an_envoy_that_runs_something_keeps_it_as_long_as_it_lacks_the_pools_filter() {
    let terms = terms(ModuleDelivery::Local);
    let mut envoy = Envoy::with(terms, Some(Kind::Filters), snapshot(2, &["a"]));
    // On an earlier stream it accepted this.
    envoy.session.request(
        &Request {
            version: "1-0a.0b".to_owned(),
            nonce: String::new(),
            wanted: Wanted::Filters {
                plugin: true,
                stages: BTreeSet::new(),
            },
            error: None,
        },
        envoy.now,
    );
    envoy.session.lacks(Lack::Filter, envoy.now);
    assert_eq!(envoy.receive(), NOTHING);
    assert_eq!(envoy.session.wakes_at(), None);
    envoy.now += Duration::from_secs(3_600);
    envoy.session.lacks(Lack::Filter, envoy.now);
    assert_eq!(envoy.receive(), NOTHING);
    envoy.session.lacks(Lack::Nothing, envoy.now);
    assert_eq!(envoy.receive(), ["plugin 2"]);
}

#[test]
fn an_envoy_that_runs_nothing_does_not_wait_for_ever() {
    let mut envoy = waiting();
    envoy.now = envoy.session.wakes_at().unwrap();
    envoy.session.lacks(Lack::Filter, envoy.now);
    assert_eq!(envoy.receive(), ["plugin 1"]);
}

#[test]
fn edits_do_not_wait_for_a_filter_that_the_envoy_has_had() {
    let mut envoy = waiting();
    envoy.session.lacks(Lack::Nothing, envoy.now);
    assert_eq!(envoy.receive(), ["plugin 1"]);
    envoy.ack(Kind::Filters);
    // The other stream is gone for a moment.
    envoy.session.lacks(Lack::Filter, envoy.now);
    assert_eq!(envoy.publish(snapshot(2, &["a"])), ["plugin 2"]);
}

#[test]
fn an_envoy_that_cannot_fetch_the_module_is_never_told_to() {
    let terms = terms(ModuleDelivery::Fetched);
    let mut envoy = Envoy::with(terms, Some(Kind::Filters), snapshot(1, &["a"]));
    envoy.session.lacks(Lack::Module, envoy.now);
    assert_eq!(envoy.filters(""), NOTHING);
    assert_eq!(envoy.session.wakes_at(), None);
    assert_eq!(envoy.publish(snapshot(2, &["a"])), NOTHING);
    let waiting_for = envoy.session.progress().waiting_for;
    assert_eq!(waiting_for, Some(WaitingFor::Module));
}

#[test]
fn an_envoy_without_the_pools_gets_its_channels_without_failover_at_once() {
    let terms = terms(ModuleDelivery::Local);
    let mut envoy = Envoy::with(terms, Some(Kind::Filters), snapshot(1, &["a"]));
    envoy.session.lacks(Lack::Pools, envoy.now);
    assert_eq!(envoy.filters(""), ["alone 1"]);
    envoy.ack(Kind::Filters);
    assert_eq!(envoy.publish(snapshot(2, &["a"])), ["alone 2"]);
    envoy.ack(Kind::Filters);
    // An edit after which its pools do.
    envoy.session.lacks(Lack::Nothing, envoy.now);
    assert_eq!(envoy.publish(snapshot(3, &["a"])), ["plugin 3"]);
}
