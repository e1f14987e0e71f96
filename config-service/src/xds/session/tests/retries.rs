//! What happens after refusals.

use super::*;
use crate::fleet::WaitingFor;

#[test]
fn a_refused_plugin_configuration_is_shown_and_sent_again_later() {
    let mut envoy = Envoy::settled(1, &["a"]);
    envoy.publish(snapshot(2, &["a"]));
    let first = envoy.offered;
    assert_eq!(envoy.nack(Kind::Filters, "no"), NOTHING);
    let plugin = envoy.plugin();
    assert_eq!(plugin.active, Some(1));
    let rejection = plugin.rejected.unwrap();
    assert_eq!((rejection.revision, rejection.reason.as_str()), (2, "no"));
    assert_eq!(envoy.wait(), ["plugin 2"]);
    assert_ne!(envoy.offered, first, "Envoy would ignore the same bytes");
    assert!(envoy.plugin().rejected.is_some(), "it still holds");
    envoy.ack(Kind::Filters);
    let plugin = envoy.plugin();
    assert_eq!((plugin.active, plugin.rejected), (Some(2), None));
}

#[test]
fn refused_clusters_hold_the_plugin_configuration_back_and_are_sent_again_later() {
    let mut envoy = Envoy::settled(1, &["a"]);
    envoy.publish(snapshot(2, &["a", "b"]));
    assert_eq!(envoy.nack(Kind::Clusters, "bad b"), NOTHING);
    assert_eq!(envoy.publish(snapshot(3, &["a", "b"])), NOTHING);
    let rejection = envoy.session.progress().clusters.rejected.unwrap();
    assert_eq!(
        (rejection.revision, rejection.reason.as_str()),
        (3, "bad b")
    );
    assert_eq!(envoy.wait(), ["clusters 3 a,b"]);
    envoy.nack(Kind::Clusters, "bad b");
    // Envoy may have applied part of the refused set, so the good one is sent again.
    assert_eq!(envoy.publish(snapshot(4, &["a"])), ["clusters 4 a"]);
    assert_eq!(envoy.ack(Kind::Clusters), ["plugin 4"]);
    assert_eq!(envoy.session.progress().clusters.rejected, None);
}

#[test]
fn clusters_left_behind_are_dropped_when_a_refusal_names_none() {
    let mut envoy = Envoy::settled(1, &["a"]);
    envoy.publish(snapshot(2, &["b"]));
    envoy.ack(Kind::Clusters);
    envoy.ack(Kind::Filters);
    assert_eq!(envoy.publish(snapshot(3, &["c"])), ["clusters 3 a,b,c"]);
    // `a` is left behind, `b` is in force.
    assert_eq!(envoy.nack(Kind::Clusters, "bad a"), ["clusters 3 b,c"]);
    assert_eq!(envoy.nack(Kind::Clusters, "bad b"), ["clusters 3 c"]);
    assert_eq!(envoy.ack(Kind::Clusters), ["plugin 3"]);
}

/// Envoy accepts the clusters that it does not name.
#[test]
fn clusters_left_behind_stay_when_a_refusal_names_another() {
    let mut envoy = Envoy::settled(1, &["a"]);
    envoy.publish(snapshot(2, &["b"]));
    envoy.ack(Kind::Clusters);
    envoy.ack(Kind::Filters);
    envoy.publish(snapshot(3, &["c"]));
    let refusal = "Error adding/updating cluster(s) bedrock|https|c|443: Unable to create";
    assert_eq!(envoy.nack(Kind::Clusters, refusal), NOTHING);
    assert_eq!(envoy.wait(), ["clusters 3 a,b,c"]);
    let refusal = "Error adding/updating cluster(s) bedrock|https|a|443: bad";
    assert_eq!(envoy.nack(Kind::Clusters, refusal), ["clusters 3 b,c"]);
    assert_eq!(envoy.ack(Kind::Clusters), ["plugin 3"]);
}

#[test]
fn an_envoy_that_lacks_the_module_gets_it_with_the_pools_filter() {
    let terms = terms(ModuleDelivery::Fetched);
    let mut envoy = Envoy::with(terms, None, snapshot(1, &["a"]));
    envoy.clusters("");
    envoy.ack(Kind::Clusters);
    envoy.stages.insert(GENERATION);
    assert_eq!(envoy.filters(""), ["stage 7"]);
    for times in 1..=3 {
        assert_eq!(envoy.nack(Kind::Filters, "no module"), NOTHING);
        let (plugin, variant) = (envoy.plugin(), envoy.offered.unwrap().1);
        assert_eq!((plugin.active, plugin.rejected), (None, None), "{times}");
        assert_eq!(
            envoy.session.progress().waiting_for,
            Some(WaitingFor::Module)
        );
        assert_eq!(envoy.wait(), ["stage 7"]);
        assert_eq!(envoy.offered, Some((WithoutModule::Refuse, variant + 1)));
    }
    // Nothing depends on it yet: no listener is open, and no edit is lost.
    assert_eq!(envoy.publish(snapshot(2, &["b"])), NOTHING);
    assert_eq!(envoy.ack(Kind::Filters), ["clusters 2 a,b"]);
    assert_eq!(envoy.ack(Kind::Clusters), ["plugin 2"]);
    assert_eq!(envoy.offered.unwrap().0, WithoutModule::Refuse);
    assert_eq!(envoy.ack(Kind::Filters), NOTHING);
    assert_eq!(envoy.plugin().active, Some(2));
}

#[test]
fn an_envoy_that_lacks_the_key_is_shown_and_never_gets_the_plugin_configuration() {
    let terms = terms(ModuleDelivery::Fetched);
    let mut envoy = Envoy::with(terms, None, snapshot(1, &["a"]));
    envoy.clusters("");
    envoy.ack(Kind::Clusters);
    envoy.stages.insert(GENERATION);
    envoy.filters("");
    for _ in 0..5 {
        assert_eq!(envoy.nack(Kind::Filters, "Unable to create"), NOTHING);
        assert_eq!(envoy.wait(), ["stage 7"]);
    }
    let plugin = envoy.plugin();
    assert_eq!(plugin.active, None);
    assert_eq!(plugin.rejected.unwrap().revision, 1);
}

#[test]
fn an_envoy_that_starts_alone_waits_for_the_module_and_then_gets_its_configuration_confirmed() {
    let mut envoy = Envoy::fetching_alone(1, "");
    assert_eq!(envoy.offered.unwrap().0, WithoutModule::Wait);
    assert_eq!(envoy.ack(Kind::Filters), NOTHING);
    assert_eq!(envoy.plugin().active, None, "it may lack the module");
    assert_eq!(envoy.wait(), ["plugin 1"]);
    assert_eq!(envoy.offered.unwrap().0, WithoutModule::Refuse);
    assert_eq!(envoy.ack(Kind::Filters), NOTHING);
    assert_eq!(envoy.plugin().active, Some(1));
    assert_eq!(envoy.session.wakes_at(), None);
    assert_eq!(envoy.publish(snapshot(2, &["a"])), ["plugin 2"]);
    assert_eq!(envoy.offered.unwrap().0, WithoutModule::Refuse);
}

#[test]
fn an_edit_also_confirms() {
    let mut envoy = Envoy::fetching_alone(1, "");
    envoy.ack(Kind::Filters);
    assert_eq!(envoy.publish(snapshot(2, &["a"])), ["plugin 2"]);
    assert_eq!(envoy.offered.unwrap().0, WithoutModule::Refuse);
    assert_eq!(envoy.ack(Kind::Filters), NOTHING);
    assert_eq!(envoy.session.wakes_at(), None);
}

#[test]
fn what_was_not_confirmed_when_the_stream_ended_is_sent_again() {
    let mut envoy = Envoy::fetching_alone(1, "1-1a2b?");
    assert_eq!(envoy.ack(Kind::Filters), NOTHING);
    assert_eq!(envoy.wait(), ["plugin 1"]);
    assert_eq!(envoy.ack(Kind::Filters), NOTHING);
    assert_eq!(envoy.plugin().active, Some(1));
}

#[test]
fn an_envoy_that_runs_refuses_until_it_has_the_module() {
    let mut envoy = Envoy::fetching_alone(2, "1-1a2b");
    assert_eq!(envoy.offered, Some((WithoutModule::Refuse, 100)));
    for refusals in 1..=3 {
        assert_eq!(envoy.nack(Kind::Filters, "no module"), NOTHING);
        let plugin = envoy.plugin();
        assert_eq!((plugin.active, plugin.rejected), (Some(1), None));
        assert_eq!(envoy.wait(), ["plugin 2"]);
        assert_eq!(envoy.offered, Some((WithoutModule::Refuse, 100 + refusals)));
    }
    assert_eq!(envoy.ack(Kind::Filters), NOTHING);
    assert_eq!(envoy.session.wakes_at(), None);
    assert_eq!(envoy.plugin().active, Some(2));
}

#[test]
fn refusals_that_do_not_end_are_shown_and_a_new_revision_starts_afresh() {
    let mut envoy = Envoy::fetching_alone(2, "1-1a2b");
    for _ in 0..4 {
        envoy.nack(Kind::Filters, "broken");
        envoy.wait();
    }
    assert_eq!(envoy.plugin().rejected.unwrap().revision, 2);
    envoy.nack(Kind::Filters, "broken");
    assert_eq!(envoy.publish(snapshot(3, &["a"])), ["plugin 3"]);
    envoy.nack(Kind::Filters, "no module");
    assert_eq!(envoy.plugin().rejected, None);
}

#[test]
fn reasons_are_one_line_of_limited_length() {
    let mut envoy = Envoy::settled(1, &["a"]);
    envoy.publish(snapshot(2, &["a"]));
    envoy.nack(Kind::Filters, &format!("line\nbreak {}", "é".repeat(1000)));
    let reason = envoy.plugin().rejected.unwrap().reason;
    assert!(reason.starts_with("line break é"), "{reason}");
    assert!(reason.len() <= 1000, "{}", reason.len());
}
