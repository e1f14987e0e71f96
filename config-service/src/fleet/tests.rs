use super::*;
use serde_json::{Value, json};

fn node(id: &str) -> Node {
    Node {
        id: id.to_owned(),
        ..Node::default()
    }
}

fn active(revision: u64) -> Delivery {
    Delivery {
        subscribed: true,
        active: Some(revision),
        is_current: true,
        rejected: None,
    }
}

fn refused(active: u64, revision: u64) -> Delivery {
    Delivery {
        rejected: Some(Rejection {
            revision,
            reason: "no".to_owned(),
        }),
        ..self::active(active)
    }
}

/// A stream for only the plugin configuration.
fn plugin(fleet: &Fleet, id: &str, plugin: Delivery) -> Entry {
    let entry = fleet.connect(node(id), None);
    entry.update(
        &Progress {
            plugin,
            ..Progress::default()
        },
        None,
    );
    entry
}

/// A stream for only clusters.
fn clusters(fleet: &Fleet, id: &str, clusters: Delivery) -> Entry {
    let entry = fleet.connect(node(id), None);
    entry.update(
        &Progress {
            clusters,
            ..Progress::default()
        },
        None,
    );
    entry
}

/// The fleet at revision 2: the summary, then `[id, streams, state, active]` of each Envoy.
fn view(fleet: &Fleet) -> (String, Value) {
    let view = serde_json::to_value(fleet.view(2)).unwrap();
    let envoys = view["envoys"].as_array().unwrap().iter();
    let envoys = envoys.map(|it| {
        json!([
            it["node_id"],
            it["streams"],
            it["state"],
            it["active_revision"]
        ])
    });
    let summary = view["summary"].as_str().unwrap();
    let summary = summary.strip_prefix("revision 2 is active on ").unwrap();
    (summary.to_owned(), envoys.collect())
}

#[track_caller]
fn check(fleet: &Fleet, summary: &str, envoys: Value) {
    assert_eq!(view(fleet), (summary.to_owned(), envoys));
}

#[test]
fn streams_with_the_same_node_are_one_envoy() {
    let fleet = Fleet::default();
    let _clusters = clusters(&fleet, "a", active(2));
    let _other = plugin(&fleet, "b", active(1));
    let plugin = plugin(&fleet, "a", active(2));
    let b = json!(["b", 1, "pending", 1]);
    check(&fleet, "1 of 2 Envoys", json!([["a", 2, "active", 2], b]));
    drop(plugin);
    check(
        &fleet,
        "1 of 2 Envoys",
        json!([["a", 1, "active", null], b]),
    );
}

#[test]
fn of_envoys_with_the_same_id_the_slowest_counts() {
    let fleet = Fleet::default();
    let _first = plugin(&fleet, "a", active(2));
    let second = plugin(&fleet, "a", active(1));
    check(&fleet, "0 of 1 Envoys", json!([["a", 2, "pending", 1]]));
    second.update(
        &Progress {
            plugin: refused(1, 2),
            ..Progress::default()
        },
        None,
    );
    check(&fleet, "0 of 1 Envoys", json!([["a", 2, "rejected", 1]]));
    let _third = plugin(
        &fleet,
        "a",
        Delivery {
            subscribed: true,
            ..Delivery::default()
        },
    );
    check(&fleet, "0 of 1 Envoys", json!([["a", 3, "rejected", null]]));
}

#[test]
fn refused_clusters_on_a_separate_stream_are_a_refusal() {
    let fleet = Fleet::default();
    let _plugin = plugin(&fleet, "a", active(2));
    let _clusters = clusters(&fleet, "a", refused(1, 2));
    check(&fleet, "0 of 1 Envoys", json!([["a", 2, "rejected", 2]]));
}

#[test]
fn streams_without_a_node_are_not_lumped_together() {
    let fleet = Fleet::default();
    let _one = plugin(&fleet, "", active(2));
    let _two = plugin(&fleet, "", active(1));
    let expected = json!([["", 1, "active", 2], ["", 1, "pending", 1]]);
    check(&fleet, "1 of 2 Envoys", expected);
}

#[test]
fn an_envoy_that_keeps_what_it_has_on_one_stream_is_held() {
    let fleet = Fleet::default();
    let _clusters = clusters(&fleet, "a", active(7));
    let plugin = plugin(&fleet, "a", active(7));
    plugin.update(
        &Progress {
            plugin: active(7),
            held: true,
            ..Progress::default()
        },
        None,
    );
    let (summary, envoys) = view(&fleet);
    assert_eq!(envoys, json!([["a", 2, "held", 7]]));
    assert!(
        summary.contains("started without channels, 1 of them keeps"),
        "{summary}"
    );
    assert_eq!(fleet.counts(2).held, 1);
}

#[test]
fn an_envoy_that_stays_behind_is_reported() {
    let fleet = Fleet::default();
    let entry = plugin(&fleet, "a", active(2));
    let behind = Progress {
        plugin: Delivery {
            is_current: false,
            ..active(2)
        },
        waiting_for: Some(WaitingFor::Module),
        ..Progress::default()
    };
    // The same revision with another module is not what is published.
    entry.update(&behind, Some(Instant::now()));
    check(&fleet, "0 of 1 Envoys", json!([["a", 1, "pending", 2]]));
    assert_eq!(fleet.counts(2).stalled, 0);
    let since = Instant::now().checked_sub(STALLED_AFTER);
    entry.update(&behind, since);
    check(
        &fleet,
        "0 of 1 Envoys; 1 stalled",
        json!([["a", 1, "pending", 2]]),
    );
    assert_eq!(fleet.counts(2).stalled, 1);
    let view = serde_json::to_value(fleet.view(2)).unwrap();
    let envoy = &view["envoys"][0];
    assert_eq!(envoy["waiting_for"], "module");
    assert_eq!(envoy["behind_seconds"], 30);
    assert_eq!(envoy["stalled"], true);
}

#[test]
fn an_envoy_has_the_clusters_that_its_latest_list_names() {
    let fleet = Fleet::default();
    let listing = |names: &[&str]| Node {
        clusters: Some(names.iter().map(|name| short_name(name)).collect()),
        ..node("a")
    };
    let missing = |fleet: &Fleet| {
        let view = serde_json::to_value(fleet.view(2).needing(["one", "two"])).unwrap();
        let missing = view["envoys"][0]["missing_clusters"].clone();
        let lacking = ["one", "two"].map(|cluster| fleet.lacking([cluster]).contains("a"));
        (missing, lacking)
    };
    // The filter on pools has a stream of its own, which lists nothing.
    let _pools = fleet.connect(node("a"), None);
    let none = (json!([]), [false, false]);
    assert_eq!(missing(&fleet), none);
    let _listener = fleet.connect(listing(&["one"]), None);
    assert_eq!(missing(&fleet), (json!(["two"]), [false, true]));
    let _next = fleet.connect(listing(&["one", "two"]), None);
    let _pools = fleet.connect(node("a"), None);
    assert_eq!(missing(&fleet), none);
}
