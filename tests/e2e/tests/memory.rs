//! Memory under a flood of long requests: Envoy's own, and what the filter holds for another attempt.

use std::collections::HashSet;
use std::future::pending;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex};

use bedrock_simulator::{Fault, Pace};
use bytes::Bytes;
use e2e::{Channel, Reply, Stack, eventually, run, simulator};
use futures::{StreamExt as _, stream};
use reqwest::{Body, Client};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::limits::{body_of, memory};

const MIB: u64 = 1024 * 1024;

/// How far Envoy may exceed its limit: what arrives before it notices, and what is freed but not returned.
/// docs/OPERATIONS.md promises it.
const SLACK: u64 = 256 * MIB;

/// Posts to chat completions on a separate connection.
fn post(stack: &Stack, client: &Client) -> reqwest::RequestBuilder {
    client.post(format!("{}/v1/chat/completions", stack.envoy.url()))
}

/// A client with a separate connection for each request.
fn client(http2: bool, address: Ipv4Addr) -> Client {
    let builder = Client::builder().local_address(IpAddr::V4(address));
    let builder = if http2 {
        builder.http2_prior_knowledge()
    } else {
        builder.pool_max_idle_per_host(0)
    };
    builder.build().expect("a client")
}

/// Clients in a flood; each sends a long body that never ends.
const CLIENTS: usize = 40;

/// Pieces of such a body, 1 MiB each.
const PIECES: usize = 31;

/// Pieces that all clients together may send between two answers from Envoy's admin interface.
///
/// Envoy measures its heap every 100 ms, on the thread that answers there. [`eventually`] asks at most every
/// 20 ms, so this is what arrives between two measurements at 10 Gbit/s, however slow the machine is.
const GRANT: usize = 25;

/// Clients that send long bodies that never end, each once.
struct Flood {
    tasks: JoinSet<()>,
    replies: Arc<Mutex<Vec<Reply>>>,
    may_send: Arc<Semaphore>,
    /// Numbers of the clients that have sent everything, or were refused.
    at_rest: Arc<Mutex<HashSet<usize>>>,
}

impl Flood {
    fn start(stack: &Stack, http2: bool) -> Self {
        let mut flood = Self {
            tasks: JoinSet::new(),
            replies: Arc::default(),
            may_send: Arc::new(Semaphore::new(0)),
            at_rest: Arc::default(),
        };
        for number in 0..CLIENTS {
            let request = post(stack, &client(http2, Ipv4Addr::LOCALHOST));
            let request = request.body(flood.endless(number));
            let (replies, at_rest) = (Arc::clone(&flood.replies), Arc::clone(&flood.at_rest));
            flood.tasks.spawn(async move {
                // In a flood, connections are expected to break.
                if let Ok(response) = request.send().await {
                    let reply = Reply::read(response).await;
                    replies.lock().expect("no panic").push(reply);
                }
                at_rest.lock().expect("no panic").insert(number);
            });
        }
        flood
    }

    /// One client's pieces, each as soon as it may be sent.
    fn endless(&self, client: usize) -> Body {
        let (may_send, at_rest) = (Arc::clone(&self.may_send), Arc::clone(&self.at_rest));
        let piece = Bytes::from(vec![b' '; MIB as usize]);
        let pieces = stream::iter(0..=PIECES).then(move |number| {
            let (may_send, at_rest) = (Arc::clone(&may_send), Arc::clone(&at_rest));
            let piece = piece.clone();
            async move {
                if number == PIECES {
                    at_rest.lock().expect("no panic").insert(client);
                    return pending().await;
                }
                may_send.acquire().await.expect("it stays open").forget();
                Ok::<_, std::io::Error>(piece)
            }
        });
        Body::wrap_stream(pieces)
    }

    fn at_rest(&self) -> usize {
        self.at_rest.lock().expect("no panic").len()
    }

    async fn stop(mut self) -> Vec<Reply> {
        self.tasks.shutdown().await;
        self.replies.lock().expect("no panic").clone()
    }
}

/// Sum of Envoy's statistics with this name.
async fn counted(stack: &Stack, name: &str) -> u64 {
    let page = stack
        .envoy
        .admin_page(&format!("/stats?filter={name}"))
        .await;
    let values = page.lines().filter_map(|line| line.rsplit_once(": "));
    values
        .filter_map(|(_, value)| value.parse::<u64>().ok())
        .sum()
}

/// Checks that both workers answer small chats.
async fn serves_again(stack: &Stack, channel: &Channel) {
    let client = client(false, Ipv4Addr::LOCALHOST);
    let mut in_a_row = 0;
    eventually("small chats are answered", async || {
        let sent = post(stack, &client)
            .json(&channel.ask("Hi"))
            .send()
            .await
            .ok()?;
        in_a_row = if sent.status() == 200 {
            in_a_row + 1
        } else {
            0
        };
        (in_a_row == 10).then_some(())
    })
    .await;
}

/// One flood, until every client that Envoy admitted has sent everything or was refused.
async fn flood(stack: &Stack, http2: bool, sheds: &str) -> Vec<Reply> {
    const ACCEPTED: &str = "http.openai.downstream_cx_total";
    let (shed, accepted) = (counted(stack, sheds).await, counted(stack, ACCEPTED).await);
    let flood = Flood::start(stack, http2);
    eventually("Envoy sheds the load", async || {
        let has_shed = counted(stack, sheds).await > shed;
        let let_in = counted(stack, ACCEPTED).await - accepted;
        flood.may_send.add_permits(GRANT);
        (has_shed && flood.at_rest() as u64 >= let_in).then_some(())
    })
    .await;
    flood.stop().await
}

async fn check_floods(http2: bool, sheds: &str) {
    const LIMIT: u64 = 512 * MIB;
    let stack = Stack::builder().heap_limit(LIMIT).start().await;
    let bedrock = simulator().await;
    let channel = stack.channel(&bedrock).await;
    serves_again(&stack, &channel).await;
    let before = stack.envoy.memory("VmRSS");
    for _ in 0..3 {
        for reply in flood(&stack, http2, sheds).await {
            reply.error(503, "server_error", "overloaded");
            assert_eq!(reply.header("retry-after"), "2", "{reply:?}");
        }
        serves_again(&stack, &channel).await;
    }
    let peak = stack.envoy.memory("VmHWM");
    assert!(
        peak < before + LIMIT + SLACK,
        "{} MiB before, {} MiB at the peak",
        before / MIB,
        peak / MIB
    );
}

#[test]
fn a_flood_of_long_requests_stays_within_the_heap_limit() {
    run(check_floods(
        false,
        "http1_server_abort_dispatch.shed_load_count",
    ));
}

#[test]
fn a_flood_over_http2_stays_within_the_heap_limit() {
    run(check_floods(true, "reset_high_memory_stream.count"));
}

#[test]
fn one_client_cannot_take_the_memory_that_others_need() {
    const MAX_REQUEST: usize = 4 * MIB as usize;
    const HELD: usize = 4 * MAX_REQUEST;
    const WORKERS: usize = 2;
    run(async {
        let stack = Stack::builder().failover(3);
        let stack = stack
            .max_request_bytes(MAX_REQUEST)
            .max_held_bytes(HELD)
            .start()
            .await;
        let (slow, quick) = (simulator().await, simulator().await);
        let (slow_channel, channel) = (stack.channel(&slow).await, stack.channel(&quick).await);
        let never = Pace {
            before_headers_ms: 3_600_000,
            ..Pace::default()
        };
        slow.inject(Fault::paced(never).times(u32::MAX));
        let long = Bytes::from(body_of(&slow_channel, MAX_REQUEST - 1024));
        let greedy = client(false, Ipv4Addr::LOCALHOST);
        let mut requests = JoinSet::new();
        for _ in 0..8 * HELD / MAX_REQUEST {
            let request = post(&stack, &greedy).body(long.clone());
            requests
                .spawn(async move { Reply::read(request.send().await.expect("an answer")).await });
        }
        // Alone it can take half.
        let refused = 8 * HELD / MAX_REQUEST - WORKERS * HELD / MAX_REQUEST / 2;
        for _ in 0..refused {
            let reply = requests
                .join_next()
                .await
                .expect("requests")
                .expect("a reply");
            let message = reply.error(503, "server_error", "overloaded");
            assert!(message.contains("your address"), "{message}");
            assert_eq!(reply.header("retry-after"), "2", "{reply:?}");
        }
        let page = stack.envoy.admin_page("/stats/prometheus").await;
        // Envoy 1.36 counts per cluster, for the one on which it first created the VM.
        let is_counted = |line: &str| {
            line.contains("bedrock_overloads_total") && line.contains(r#"reason="client""#)
        };
        assert!(page.lines().any(is_counted), "{page}");
        // Others are served, whichever worker they reach, and what is held stays within bounds.
        let other = client(false, Ipv4Addr::new(127, 0, 0, 2));
        for _ in 0..20 {
            let sent = post(&stack, &other).json(&channel.ask("Hi")).send().await;
            let reply = Reply::read(sent.expect("an answer")).await;
            assert_eq!(reply.status, 200, "{reply:?}");
        }
        let most = WORKERS * (HELD + 4 * MAX_REQUEST) + 2 * 8 * MIB as usize;
        let held = memory(&stack).await;
        assert!(held < most as u64, "{} MiB", held / MIB);
        requests.shutdown().await;
        serves_again(&stack, &channel).await;
    });
}
