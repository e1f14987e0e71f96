//! An endpoint's name that has no address for a while, or another one with every answer.

use bedrock_simulator::Simulator;
use e2e::{Channel, Dns, Lookup, RawUpstream, Stack, run, simulator};
use serde_json::json;

/// Everything but a good answer.
const TROUBLES: [Lookup; 4] = [
    Lookup::NoSuchName,
    Lookup::NoAddress,
    Lookup::Fails,
    Lookup::Silent,
];

/// Clusters with a name where two channels back each other up: each endpoint's, and each channel's own pool.
const CLUSTERS: usize = 4;

struct Named {
    stack: Stack,
    dns: Dns,
    upstream: RawUpstream,
    channel: Channel,
    _bedrock: Simulator,
}

/// A channel whose endpoint has a name, which is looked up like this at first.
async fn start(lookup: Lookup) -> Named {
    let (dns, bedrock) = (Dns::start(lookup).await, simulator().await);
    let upstream = RawUpstream::before(bedrock.addr()).await;
    let endpoint = format!("http://one.bedrock.test:{}", upstream.port());
    let stack = Stack::builder()
        .resolver(dns.port())
        .argument(format!("--trusted-endpoints={endpoint}"))
        .start()
        .await;
    let fields = json!({ "endpoint": endpoint });
    let channel = stack.channel_with(&bedrock, &fields).await;
    Named {
        stack,
        dns,
        upstream,
        channel,
        _bedrock: bedrock,
    }
}

impl Named {
    async fn ask(&self) -> u16 {
        let reply = self.stack.envoy.chat(&self.channel.ask("Hi")).await;
        reply.status
    }
}

#[test]
fn the_last_good_address_is_kept() {
    run(async {
        let named = start(Lookup::Found).await;
        for trouble in TROUBLES {
            named.dns.becomes(trouble).await;
            for _ in 0..4 {
                assert_eq!(named.ask().await, 200, "{trouble:?}");
            }
        }
    });
}

/// Each of Envoy's workers has a pool of its own, and every chat goes to any of them.
#[test]
fn another_address_moves_no_connection_that_works() {
    const WORKERS: usize = 2;
    run(async {
        let named = start(Lookup::Found).await;
        for _ in 0..4 {
            named.dns.becomes(Lookup::Rotating).await;
            for _ in 0..6 {
                assert_eq!(named.ask().await, 200);
            }
        }
        let connections = named.upstream.connections();
        assert!(connections <= WORKERS, "{connections} connections");
    });
}

#[test]
fn an_endpoint_is_served_as_soon_as_its_name_has_an_address() {
    run(async {
        let named = start(Lookup::NoSuchName).await;
        assert_eq!(named.ask().await, 503);
        named.dns.becomes(Lookup::Found).await;
        assert_eq!(named.ask().await, 200);
    });
}

/// Two channels that back each other up, and whose endpoints have names.
struct Pooled {
    stack: Stack,
    dns: Dns,
    upstream: RawUpstream,
    _bedrock: Simulator,
}

async fn pooled() -> Pooled {
    let (dns, bedrock) = (Dns::start(Lookup::Found).await, simulator().await);
    let upstream = RawUpstream::before(bedrock.addr()).await;
    let endpoints =
        ["one", "two"].map(|name| format!("http://{name}.bedrock.test:{}", upstream.port()));
    let stack = Stack::builder()
        .resolver(dns.port())
        .argument(format!("--trusted-endpoints={}", endpoints.join(",")))
        .failover(2)
        .start()
        .await;
    for endpoint in endpoints {
        let fields = json!({
            "endpoint": endpoint,
            "models": ["shared"],
            "model_mapping": {"shared": "claude-sonnet-4-5"},
        });
        stack.channel_with(&bedrock, &fields).await;
    }
    Pooled {
        stack,
        dns,
        upstream,
        _bedrock: bedrock,
    }
}

impl Pooled {
    /// Asks; which attempt served.
    async fn ask(&self) -> String {
        let body = json!({"model": "shared", "messages": [{"role": "user", "content": "Hi"}]});
        let reply = self.stack.envoy.chat(&body).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.header("x-bedrock-attempts").to_owned()
    }
}

#[test]
fn a_pool_keeps_the_last_good_addresses() {
    run(async {
        let pooled = pooled().await;
        assert_eq!(pooled.ask().await, "1");
        for trouble in TROUBLES {
            pooled.dns.becomes_for(trouble, CLUSTERS).await;
            for _ in 0..4 {
                assert_eq!(pooled.ask().await, "1", "{trouble:?}");
            }
        }
    });
}

#[test]
fn another_address_moves_no_connection_of_a_pool() {
    run(async {
        // One for each channel in each worker.
        const MOST: usize = 4;
        let pooled = pooled().await;
        for _ in 0..4 {
            pooled.dns.becomes_for(Lookup::Rotating, CLUSTERS).await;
            for _ in 0..8 {
                pooled.ask().await;
            }
        }
        let connections = pooled.upstream.connections();
        assert!(connections <= MOST, "{connections} connections");
    });
}
