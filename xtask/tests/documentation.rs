//! What `README.md` and `docs/OPERATIONS.md` say about the bootstraps and Envoy is true.

use serde_json::Value;
use xtask::envoy::SUPPORTED;

use crate::bootstraps::MANAGER;
use crate::support::{text, yaml};

#[test]
fn the_supported_versions_are_those_that_are_tested() {
    let minor = |version: &str| version.rsplit_once('.').unwrap().0.to_owned();
    let (oldest, newest) = (minor(SUPPORTED[0]), minor(SUPPORTED[SUPPORTED.len() - 1]));
    let range = format!("{oldest} to {newest}");
    for page in ["README.md", "docs/OPERATIONS.md"] {
        assert!(text(page).contains(&range), "{page} does not say {range}");
    }
}

fn number(value: &Value) -> u64 {
    value
        .as_u64()
        .unwrap_or_else(|| panic!("not a number: {value}"))
}

/// The default in the table of flags, which a test of the config-service compares with the program's.
fn longest_request() -> u64 {
    let page = text("docs/OPERATIONS.md");
    let row = page
        .lines()
        .find(|line| line.contains("| `--max-request-bytes` |"));
    let cells: Vec<_> = row.unwrap().split('|').map(str::trim).collect();
    cells[3].trim_matches('`').parse().unwrap()
}

#[test]
fn envoy_holds_twice_the_longest_request() {
    let twice = 2 * longest_request();
    for file in ["envoy/envoy.yaml", "envoy/static.yaml"] {
        let document = yaml(file);
        let manager = document.pointer(MANAGER).unwrap();
        let listener = &document["static_resources"]["listeners"][0];
        let route = &manager["route_config"]["virtual_hosts"][0]["routes"][0];
        let windows = &manager["http2_protocol_options"];
        for limit in [
            &listener["per_connection_buffer_limit_bytes"],
            &route["request_body_buffer_limit"],
            &windows["initial_stream_window_size"],
            &windows["initial_connection_window_size"],
        ] {
            assert!(number(limit) >= twice, "{file}: {limit}");
        }
    }
}

#[test]
fn the_time_limits_of_the_bootstraps_are_the_documented_ones() {
    let page = text("docs/OPERATIONS.md");
    for file in ["envoy/envoy.yaml", "envoy/static.yaml"] {
        let document = yaml(file);
        let manager = document.pointer(MANAGER).unwrap();
        let action = &manager["route_config"]["virtual_hosts"][0]["routes"][0]["route"];
        let seconds = |owner: &Value, name: &str| {
            let text = owner[name].as_str().unwrap();
            text.strip_suffix('s').unwrap().to_owned()
        };
        let (idle, stalled) = (
            seconds(action, "idle_timeout"),
            seconds(manager, "stream_idle_timeout"),
        );
        // A stream may last as long as it likes.
        assert_eq!(seconds(action, "timeout"), "0", "{file}");
        let headers = seconds(manager, "request_headers_timeout");
        let request = seconds(manager, "request_timeout");
        for row in [
            format!("the route's `idle_timeout`, {idle} s |"),
            format!("`stream_idle_timeout` of the bootstrap, {stalled} s |"),
            format!("`request_headers_timeout` {headers} s, `request_timeout` {request} s of"),
        ] {
            assert!(page.contains(&row), "{file}: the page has no {row}");
        }
    }
}
