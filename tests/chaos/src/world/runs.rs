//! Which revision Envoys run.

use e2e::Envoy;
use serde_json::Value;

/// Name of the listener's filter.
const FILTER: &str = "bedrock";

/// Whether what is published is active on these Envoys and there are no others, according to
/// `/api/status`.
pub(super) fn as_published(status: &Value, wanted: &[&str]) -> bool {
    let envoys = status["envoys"].as_array().map_or(&[][..], Vec::as_slice);
    let mut active: Vec<_> = envoys
        .iter()
        .filter(|envoy| {
            envoy["state"] == "active" && envoy["active_revision"] == status["revision"]
        })
        .filter_map(|envoy| envoy["node_id"].as_str())
        .collect();
    active.sort_unstable();
    envoys.len() == wanted.len() && active == wanted
}

/// The revision that an Envoy really runs.
pub(super) async fn revision_of(envoy: &Envoy) -> Option<u64> {
    let dump = envoy
        .try_admin_page("/config_dump?resource=ecds_filters")
        .await?;
    revision_in(&serde_json::from_str(&dump).ok()?)
}

/// The revision in the plugin configuration of a dump.
fn revision_in(dump: &Value) -> Option<u64> {
    let filters = dump["configs"].as_array()?;
    let mut filters = filters.iter().map(|filter| &filter["ecds_filter"]);
    let own = filters.find(|filter| filter["name"] == FILTER)?;
    let configuration = own["typed_config"]["config"]["configuration"]["value"].as_str()?;
    let configuration: Value = serde_json::from_str(configuration).ok()?;
    configuration["revision"].as_u64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(envoys: &[(&str, &str, u64)]) -> Value {
        let envoys = envoys.iter().map(|(node_id, state, revision)| {
            json!({"node_id": node_id, "state": state, "active_revision": revision})
        });
        json!({"revision": 7, "envoys": envoys.collect::<Vec<_>>()})
    }

    #[test]
    fn an_envoy_that_skips_a_revision_is_noticed() {
        let wanted = &["envoy", "mortal"];
        let both = status(&[("mortal", "active", 7), ("envoy", "active", 7)]);
        assert!(as_published(&both, wanted));
        for envoys in [
            &[("envoy", "active", 7)][..],
            &[("envoy", "active", 7), ("mortal", "active", 6)],
            &[("envoy", "active", 7), ("mortal", "pending", 7)],
            &[("envoy", "active", 7), ("envoy", "active", 7)],
            &[
                ("envoy", "active", 7),
                ("mortal", "active", 7),
                ("gone", "active", 7),
            ],
        ] {
            assert!(!as_published(&status(envoys), wanted), "{envoys:?}");
        }
    }

    #[test]
    fn a_dump_has_the_revision_of_the_listeners_filter() {
        let filter = |name: &str, revision: u64| {
            let value = json!({"revision": revision, "channels": []}).to_string();
            json!({"ecds_filter": {
                "name": name,
                "typed_config": {"config": {"configuration": {"value": value}}},
            }})
        };
        let dump = json!({"configs": [filter("bedrock|pool", 5), filter("bedrock", 6)]});
        assert_eq!(revision_in(&dump), Some(6));
        assert_eq!(revision_in(&json!({"configs": [{}]})), None);
        assert_eq!(revision_in(&json!({})), None);
    }
}
