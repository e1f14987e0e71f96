//! In which order resources are sent.

use super::*;
use crate::fleet::WaitingFor;

#[test]
fn clusters_come_first_then_their_filter_then_the_plugin_configuration() {
    let mut envoy = Envoy::new(1, &["a"]);
    assert_eq!(envoy.clusters(""), ["clusters 1 a"]);
    assert_eq!(
        envoy.session.progress().waiting_for,
        Some(WaitingFor::Clusters)
    );
    assert_eq!(envoy.ack(Kind::Clusters), NOTHING);
    envoy.stages.insert(GENERATION);
    assert_eq!(envoy.filters(""), ["stage 7"]);
    assert_eq!(
        envoy.session.progress().waiting_for,
        Some(WaitingFor::Module)
    );
    assert_eq!(envoy.ack(Kind::Filters), ["plugin 1"]);
    let waiting_for = envoy.session.progress().waiting_for;
    assert_eq!(waiting_for, Some(WaitingFor::PluginConfiguration));
    assert_eq!(envoy.ack(Kind::Filters), NOTHING);
    assert_eq!(envoy.session.progress().waiting_for, None);
}

#[test]
fn clusters_that_wait_for_their_filter_hold_nothing_up() {
    let mut envoy = Envoy::new(1, &["a"]);
    envoy.clusters("");
    // Envoy acknowledges clusters once they are ready, for which they need the filter.
    envoy.stages.insert(GENERATION);
    assert_eq!(envoy.filters(""), ["stage 7"]);
    assert_eq!(envoy.publish(snapshot(2, &["a", "b"])), NOTHING);
    assert_eq!(envoy.publish(snapshot(3, &["c"])), NOTHING);
    assert_eq!(envoy.ack(Kind::Filters), NOTHING);
    assert_eq!(envoy.ack(Kind::Clusters), ["clusters 3 a,c"]);
    assert_eq!(envoy.ack(Kind::Clusters), ["plugin 3"]);
    assert_eq!(envoy.ack(Kind::Filters), NOTHING);
    assert_eq!(envoy.wait(), ["clusters 3 c"]);
}

#[test]
fn an_edit_that_moves_the_endpoint_makes_before_it_breaks() {
    let mut envoy = Envoy::settled(1, &["a"]);
    assert_eq!(envoy.publish(snapshot(2, &["b"])), ["clusters 2 a,b"]);
    assert_eq!(envoy.ack(Kind::Clusters), ["plugin 2"]);
    assert_eq!(envoy.ack(Kind::Filters), NOTHING);
    assert_eq!(envoy.session.progress().waiting_for, None);
    // Requests that began before it end on the old endpoint.
    let acknowledged = envoy.now;
    assert_eq!(envoy.wait(), ["clusters 2 b"]);
    assert_eq!(envoy.now, acknowledged + DRAIN_TIME);
    assert_eq!(envoy.ack(Kind::Clusters), NOTHING);
}

#[test]
fn an_edit_that_leaves_the_endpoints_alone_sends_the_plugin_configuration_only() {
    let mut envoy = Envoy::settled(1, &["a"]);
    assert_eq!(envoy.publish(snapshot(2, &["a"])), ["plugin 2"]);
    assert!(!envoy.plugin().is_current);
    envoy.ack(Kind::Filters);
    let progress = envoy.session.progress();
    assert_eq!(progress.plugin.active, Some(2));
    assert!(progress.plugin.is_current);
    assert_eq!(progress.clusters.active, Some(2));
}

#[test]
fn a_cluster_that_returns_while_being_removed_is_created_again_first() {
    let mut envoy = Envoy::settled(1, &["a", "b"]);
    envoy.publish(snapshot(2, &["b"]));
    envoy.ack(Kind::Filters);
    assert_eq!(envoy.wait(), ["clusters 2 b"]);
    assert_eq!(envoy.publish(snapshot(3, &["a", "b"])), NOTHING);
    assert_eq!(envoy.ack(Kind::Clusters), ["clusters 3 a,b"]);
    assert_eq!(envoy.ack(Kind::Clusters), ["plugin 3"]);
}

#[test]
fn a_cluster_that_returns_while_left_behind_just_stays() {
    let mut envoy = Envoy::settled(1, &["a", "b"]);
    envoy.publish(snapshot(2, &["b"]));
    envoy.ack(Kind::Filters);
    assert_eq!(envoy.publish(snapshot(3, &["a", "b"])), ["plugin 3"]);
    envoy.ack(Kind::Filters);
    assert_eq!(envoy.session.wakes_at(), None);
}

#[test]
fn revisions_that_arrive_faster_than_answers_are_skipped() {
    let mut envoy = Envoy::settled(1, &["a"]);
    assert_eq!(envoy.publish(snapshot(2, &["a"])), ["plugin 2"]);
    assert_eq!(envoy.publish(snapshot(3, &["a"])), NOTHING);
    assert_eq!(envoy.publish(snapshot(4, &["a"])), NOTHING);
    assert_eq!(envoy.ack(Kind::Filters), ["plugin 4"]);
}

#[test]
fn clusters_of_skipped_revisions_are_never_sent() {
    let mut envoy = Envoy::settled(1, &["a"]);
    envoy.publish(snapshot(2, &["a", "b"]));
    assert_eq!(envoy.publish(snapshot(3, &["a", "c"])), NOTHING);
    assert_eq!(envoy.publish(snapshot(4, &["a", "d"])), NOTHING);
    assert_eq!(envoy.ack(Kind::Clusters), ["clusters 4 a,b,d"]);
}

#[test]
fn a_plugin_configuration_that_is_refused_keeps_its_clusters() {
    let mut envoy = Envoy::settled(1, &["a"]);
    envoy.publish(snapshot(2, &["b"]));
    envoy.ack(Kind::Clusters);
    envoy.nack(Kind::Filters, "no");
    // The old configuration is still in force, and so are its clusters.
    let wakes_at = envoy.session.wakes_at().unwrap();
    assert!(wakes_at < envoy.now + DRAIN_TIME);
    assert_eq!(envoy.publish(snapshot(3, &["b"])), ["plugin 3"]);
    assert_eq!(envoy.ack(Kind::Filters), NOTHING);
    assert_eq!(envoy.wait(), ["clusters 3 b"]);
    assert_eq!(envoy.plugin().rejected, None);
}

#[test]
fn outdated_nonces_are_ignored() {
    let mut envoy = Envoy::settled(1, &["a"]);
    let old = envoy.nonces.clone();
    assert_eq!(envoy.publish(snapshot(2, &["a"])), ["plugin 2"]);
    let new = std::mem::replace(&mut envoy.nonces, old);
    assert_eq!(envoy.nack(Kind::Filters, "late"), NOTHING);
    assert_eq!(envoy.plugin().rejected, None);
    envoy.nonces = new;
    envoy.ack(Kind::Filters);
    assert_eq!(envoy.plugin().active, Some(2));
}

#[test]
fn a_repeated_request_is_answered_once_more() {
    let mut envoy = Envoy::settled(1, &["a"]);
    assert_eq!(envoy.filters(""), ["stage 7"]);
    assert_eq!(envoy.ack(Kind::Filters), ["plugin 1"]);
    assert_eq!(envoy.ack(Kind::Filters), NOTHING);
    assert_eq!(envoy.clusters(""), ["clusters 1 a"]);
    assert_eq!(envoy.ack(Kind::Clusters), NOTHING);
}

#[test]
fn other_filters_get_no_answer() {
    let terms = terms(ModuleDelivery::Local);
    let mut envoy = Envoy::with(terms, Some(Kind::Filters), snapshot(1, &["a"]));
    envoy.plugin = false;
    assert_eq!(envoy.filters(""), NOTHING);
    assert_eq!(envoy.publish(snapshot(2, &["a"])), NOTHING);
    assert!(!envoy.plugin().subscribed);
    envoy.plugin = true;
    assert_eq!(envoy.filters(""), ["plugin 2"]);
    envoy.ack(Kind::Filters);
    envoy.plugin = false;
    assert_eq!(envoy.filters(""), NOTHING);
    assert_eq!(envoy.publish(snapshot(3, &["a"])), NOTHING);
}

/// An Envoy whose earlier stream ended with these versions.
fn back(target: Snapshot, clusters: &str, filters: &str) -> (Envoy, Vec<String>) {
    let mut envoy = Envoy::with(terms(ModuleDelivery::Local), None, target);
    let sent = envoy.clusters(clusters);
    envoy.stages.insert(GENERATION);
    assert_eq!(envoy.filters(filters), ["stage 7"]);
    (envoy, sent)
}

#[test]
fn an_envoy_that_reconnects_keeps_what_it_runs() {
    let mut target = snapshot(3, &["c"]);
    target.retired = vec![cluster("b"), cluster("a")];
    let (mut envoy, sent) = back(target, "1-9c8d", "1-1a2b");
    assert_eq!(sent, ["clusters 3 a,b,c"]);
    assert_eq!(envoy.plugin().active, Some(1));
    assert!(!envoy.plugin().is_current);
    assert_eq!(envoy.ack(Kind::Clusters), NOTHING);
    assert_eq!(envoy.ack(Kind::Filters), ["plugin 3"]);
    assert_eq!(envoy.ack(Kind::Filters), NOTHING);
    assert_eq!(envoy.wait(), ["clusters 3 c"]);
}

#[test]
fn an_envoy_that_reconnects_up_to_date_is_offered_everything_once_more() {
    let mut target = snapshot(3, &["c"]);
    target.retired = vec![cluster("b")];
    let before = Envoy::with(terms(ModuleDelivery::Local), None, snapshot(3, &["c"])).session;
    let clusters = before.clusters_version(&before.target_clusters);
    let filters = before.plugin_content.to_string();
    let (mut envoy, sent) = back(target, &clusters, &filters);
    assert_eq!(sent, ["clusters 3 c"]);
    assert!(envoy.plugin().is_current);
    assert_eq!(envoy.ack(Kind::Clusters), NOTHING);
    assert_eq!(envoy.ack(Kind::Filters), ["plugin 3"]);
    assert_eq!(envoy.ack(Kind::Filters), NOTHING);
    assert_eq!(envoy.session.progress().waiting_for, None);
}

#[test]
fn the_same_revision_with_other_content_is_sent() {
    let (mut envoy, _) = back(snapshot(3, &["c"]), "3-1a2b", "3-1a2b");
    assert_eq!(envoy.plugin().active, Some(3));
    assert!(!envoy.plugin().is_current);
    envoy.ack(Kind::Clusters);
    assert_eq!(envoy.ack(Kind::Filters), ["plugin 3"]);
}

#[test]
fn an_envoy_whose_clusters_are_not_ready_is_recognised_by_their_filter() {
    let mut envoy = Envoy::new(3, &["c"]);
    // It asks for clusters only once they are ready.
    envoy.stages.insert(GENERATION);
    assert_eq!(envoy.filters(""), ["stage 7"]);
    assert_eq!(envoy.ack(Kind::Filters), NOTHING);
    assert_eq!(envoy.clusters("1-1a2b"), ["clusters 3 c"]);
    assert_eq!(envoy.ack(Kind::Clusters), ["plugin 3"]);
}

#[test]
fn filters_of_earlier_modules_stay_with_the_envoy_and_hold_nothing_up() {
    let (one, two) = (Generation::new(1), Generation::new(2));
    let mut envoy = Envoy::new(3, &["c"]);
    envoy.clusters("2-1a2b");
    envoy.stages = BTreeSet::from([one, two, GENERATION]);
    // It may have them, with requests in progress, or be waiting for them: its request is the same in both cases.
    assert_eq!(envoy.filters("2-1a2b"), ["stage 7"]);
    assert_eq!(envoy.ack(Kind::Filters), ["earlier 1"]);
    let refusal = "Error: filter config has type URL";
    assert_eq!(envoy.nack(Kind::Filters, refusal), ["earlier 2"]);
    assert_eq!(envoy.nack(Kind::Filters, refusal), NOTHING);
    assert_eq!(envoy.plugin().rejected, None);
    assert_eq!(envoy.ack(Kind::Clusters), ["plugin 3"]);
    assert_eq!(envoy.ack(Kind::Filters), NOTHING);
}

#[test]
fn the_pools_filter_is_sent_on_every_stream_whatever_a_version_says() {
    // Earlier releases recorded it in the version. That was true when the Envoy accepted the filter, but is not if
    // it has since dropped the filter together with this module's clusters, before this module came back.
    let mut envoy = Envoy::new(1, &["a"]);
    envoy.clusters("1-1a2b");
    envoy.stages = BTreeSet::from([GENERATION]);
    let version = format!("1-1a2b {GENERATION}=5e6f");
    assert_eq!(envoy.filters(&version), ["stage 7"]);
    assert_eq!(envoy.ack(Kind::Clusters), NOTHING);
    assert_eq!(envoy.ack(Kind::Filters), ["plugin 1"]);
}

#[test]
fn a_listener_that_was_removed_and_added_meanwhile_gets_its_filter() {
    let before = Envoy::new(1, &["a"]).session.plugin_content.to_string();
    let mut envoy = Envoy::with(
        terms(ModuleDelivery::Fetched),
        Some(Kind::Filters),
        snapshot(1, &["a"]),
    );
    // The version is that of the previous listener.
    assert_eq!(envoy.filters(&before), ["plugin 1"]);
    assert_eq!(envoy.offered.unwrap().0, WithoutModule::Refuse);
    assert_eq!(envoy.plugin().active, Some(1));
    assert_eq!(envoy.ack(Kind::Filters), NOTHING);
    assert!(envoy.plugin().is_current);
}

#[test]
fn without_clusters_on_the_stream_the_plugin_configuration_does_not_wait() {
    for only in [None, Some(Kind::Filters)] {
        let terms = terms(ModuleDelivery::Local);
        let mut envoy = Envoy::with(terms, only, snapshot(1, &["a"]));
        assert_eq!(envoy.filters(""), ["plugin 1"]);
        envoy.ack(Kind::Filters);
        assert_eq!(envoy.publish(snapshot(2, &["b"])), ["plugin 2"]);
    }
}

#[test]
fn clusters_on_their_own_stream_follow_the_target_and_stay_for_a_while() {
    let terms = terms(ModuleDelivery::Local);
    let mut envoy = Envoy::with(terms, Some(Kind::Clusters), snapshot(1, &["a"]));
    assert_eq!(envoy.clusters(""), ["clusters 1 a"]);
    envoy.ack(Kind::Clusters);
    assert_eq!(envoy.publish(snapshot(2, &["b"])), ["clusters 2 a,b"]);
    envoy.ack(Kind::Clusters);
    assert_eq!(envoy.wait(), ["clusters 2 b"]);
}

#[test]
fn no_channels_means_no_clusters_and_still_a_plugin_configuration() {
    let mut envoy = Envoy::new(0, &[]);
    assert_eq!(envoy.clusters(""), ["clusters 0 "]);
    envoy.stages.insert(GENERATION);
    envoy.filters("");
    envoy.ack(Kind::Clusters);
    assert_eq!(envoy.ack(Kind::Filters), ["plugin 0"]);
}

#[test]
fn a_cluster_name_is_never_sent_twice() {
    let mut envoy = Envoy::settled(1, &["a"]);
    let mut moved = snapshot(2, &[]);
    let mut cluster = cluster("a");
    cluster.hosts[0].region = "eu-west-1".to_owned();
    moved.clusters = BTreeSet::from([cluster]);
    assert_eq!(envoy.publish(moved), ["clusters 2 a"]);
    assert_eq!(envoy.ack(Kind::Clusters), ["plugin 2"]);
    assert_eq!(envoy.ack(Kind::Filters), NOTHING);
}
