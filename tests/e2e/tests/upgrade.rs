//! A new module, and failover turned on and off, while requests are in flight: none is lost, and nothing
//! leaves unsigned.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bedrock_simulator::{Effect, Fault, Key, Pace, Recorded, Simulator};
use e2e::{Builder, CDS, ECDS, Load, Module, PATIENCE, Reply, Stack, eventually, run};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::failover::{channel, create, hang};

const MODEL: &str = "claude-sonnet-4-5";

/// Clients in a load.
const CLIENTS: usize = 24;

/// The variable that sets how often the long test changes things.
const ROUNDS: &str = "UPGRADE_ROUNDS";

/// A region that records every request that it refused.
struct Region {
    bedrock: Simulator,
    refused: Arc<Mutex<Vec<Recorded>>>,
}

impl Region {
    async fn start(name: &str) -> Self {
        let (id, secret) = (
            format!("AKID{}", name.to_uppercase()),
            format!("secret-of-{name}"),
        );
        let refused = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&refused);
        let builder = Simulator::builder()
            .credentials(Key::new(id, secret))
            .region("us-east-1")
            .observer(move |request| {
                if !request.was_valid() {
                    log.lock().expect("no panic").push(request.clone());
                }
            });
        Self {
            bedrock: builder.start().await.expect("a simulator"),
            refused,
        }
    }

    #[track_caller]
    fn refused_nothing(&self) {
        let refused = self.refused.lock().expect("no panic");
        assert!(
            refused.is_empty(),
            "{} refused, such as {:#?}",
            refused.len(),
            refused.first()
        );
    }
}

/// A stack whose module can be replaced, with two regions, `a` before `b`.
async fn two_regions(builder: Builder) -> (Stack, Region, Region) {
    let stack = builder.module(Module::ServedCopy).start().await;
    let (a, b) = (Region::start("a").await, Region::start("b").await);
    let channels = [channel("a", 0, &a.bedrock), channel("b", 1, &b.bedrock)];
    create(&stack, &channels).await;
    if let Some(proxy) = &stack.proxy {
        // Clusters, their filter and the listeners' filter come a second apart.
        proxy.delay(CDS, Duration::from_secs(1));
        proxy.delay(ECDS, Duration::from_secs(1));
    }
    (stack, a, b)
}

/// A request with its own words, which is not answered before its first region is gone.
struct UnderWay {
    word: String,
    client: JoinHandle<Reply>,
}

impl UnderWay {
    fn start(stack: &Stack, number: usize) -> Self {
        let word = format!("word-{number}-of-mine");
        let body = json!({
            "model": MODEL,
            "stream": number.is_multiple_of(3),
            "messages": [{"role": "user", "content": word}],
        });
        let url = format!("{}/v1/chat/completions", stack.envoy.url());
        let client = Client::builder().timeout(PATIENCE).build();
        let request = client.expect("a client").post(url).json(&body);
        let client =
            tokio::spawn(
                async move { Reply::read(request.send().await.expect("an answer")).await },
            );
        Self { word, client }
    }

    /// Checks that the second region returned the request's own words.
    async fn expect_served(self) {
        let reply = self.client.await.expect("a client");
        assert_eq!(reply.status, 200, "{reply:?}");
        assert!(reply.text.contains(&self.word), "{}: {reply:?}", self.word);
    }
}

/// Requests whose first attempt ends only after a change move on to the next channel, and so do those that
/// start after it.
async fn under_way(builder: Builder, change: impl AsyncFnOnce(&mut Stack)) {
    let (mut stack, a, b) = two_regions(builder.failover(3)).await;
    a.bedrock.inject(hang().times(1_000));
    let mut requests: Vec<_> = (0..CLIENTS).map(|it| UnderWay::start(&stack, it)).collect();
    let hanging = async |count| {
        eventually("all requests hang in the first region", async || {
            (a.bedrock.requests().len() == count).then_some(())
        })
        .await;
    };
    hanging(CLIENTS).await;
    change(&mut stack).await;
    if fails_over(&stack).await {
        requests.extend((CLIENTS..2 * CLIENTS).map(|it| UnderWay::start(&stack, it)));
        hanging(2 * CLIENTS).await;
    }
    a.refused_nothing();
    // Stopping the region closes its connections, so that Envoy retries.
    drop(a);
    for request in requests {
        request.expect_served().await;
    }
    b.refused_nothing();
}

#[test]
fn requests_retried_after_an_upgrade_are_served() {
    run(under_way(Stack::builder(), async |stack| {
        stack.serve_edition(1).await;
    }));
}

#[test]
fn requests_retried_after_two_upgrades_are_served() {
    run(under_way(Stack::builder(), async |stack| {
        stack.serve_edition(1).await;
        stack.serve_edition(2).await;
    }));
}

#[test]
fn requests_retried_after_a_slow_upgrade_are_served() {
    run(under_way(Stack::builder().delay_xds(), async |stack| {
        stack.serve_edition(1).await;
    }));
}

#[test]
fn requests_retried_after_failover_was_turned_off_are_served() {
    run(under_way(Stack::builder(), async |stack| {
        switch(stack, false).await;
    }));
}

#[test]
fn requests_retried_after_an_edit_of_their_pool_are_served() {
    run(async {
        let third = Region::start("c").await;
        under_way(Stack::builder(), async |stack| {
            create(stack, &[channel("c", 2, &third.bedrock)]).await;
        })
        .await;
        third.refused_nothing();
    });
}

/// Turns failover on or off, and waits until Envoy runs it.
async fn switch(stack: &mut Stack, on: bool) {
    stack
        .config
        .restart_with(|arguments| {
            arguments.retain(|argument| argument != "--failover");
            if on {
                arguments.push("--failover".to_owned());
            }
        })
        .await;
    eventually("failover is switched", async || {
        (fails_over(stack).await == on).then_some(())
    })
    .await;
}

/// Whether the listener's plugin configuration has failover.
async fn fails_over(stack: &Stack) -> bool {
    let page = "/config_dump?resource=ecds_filters";
    let dump: Value = serde_json::from_str(&stack.envoy.admin_page(page).await).expect("JSON");
    let filters = dump["configs"].as_array().expect("filters");
    let mut filters = filters.iter().map(|filter| &filter["ecds_filter"]);
    let listener = filters.find(|filter| filter["name"] == "bedrock");
    listener.is_some_and(|filter| {
        let text = &filter["typed_config"]["config"]["configuration"]["value"];
        text.as_str()
            .is_some_and(|text| text.contains(r#""failover":{"#))
    })
}

/// Makes a region answer after a while and, with failover, fail one request in four.
fn busy(a: &Simulator, throttles: bool) {
    let slow = |fault: Fault| {
        fault.with_pace(Pace {
            before_headers_ms: 30,
            ..Pace::default()
        })
    };
    for _ in 0..1_000 {
        if throttles {
            a.inject(slow(Fault::throttling()));
        }
        a.inject(slow(Fault::new(Effect::None)).times(3));
    }
}

/// Makes changes under load that no client may notice.
async fn under_load(builder: Builder, change: impl AsyncFnOnce(&mut Stack, &Load)) {
    let (mut stack, a, b) = two_regions(builder).await;
    busy(&a.bedrock, fails_over(&stack).await);
    let load = Load::start(&stack, MODEL, CLIENTS);
    load.answered(100).await;
    change(&mut stack, &load).await;
    load.answered(100).await;
    let outcome = load.stop().await;
    a.refused_nothing();
    b.refused_nothing();
    outcome.nothing_is_lost();
}

async fn upgrade_and_roll_back(stack: &mut Stack, load: &Load) {
    stack.serve_edition(1).await;
    load.answered(100).await;
    stack.serve_edition(0).await;
}

#[test]
fn an_upgrade_and_a_rollback_lose_nothing_under_load() {
    run(under_load(
        Stack::builder().failover(3),
        upgrade_and_roll_back,
    ));
}

#[test]
fn a_slow_upgrade_and_a_rollback_lose_nothing_under_load() {
    let builder = Stack::builder().failover(3).delay_xds();
    run(under_load(builder, upgrade_and_roll_back));
}

#[test]
fn an_upgrade_and_a_rollback_lose_nothing_without_failover() {
    run(under_load(Stack::builder(), upgrade_and_roll_back));
}

#[test]
fn turning_failover_on_and_off_loses_nothing_under_load() {
    run(under_load(Stack::builder(), async |stack, load| {
        switch(stack, true).await;
        load.answered(100).await;
        switch(stack, false).await;
    }));
}

/// `UPGRADE_ROUNDS=20 cargo xtask test --  --ignored rounds_of_changes` makes this many upgrades, rollbacks
/// and switches under one load.
#[test]
#[ignore = "takes a minute for each round"]
fn rounds_of_changes_lose_nothing_under_load() {
    let rounds = std::env::var(ROUNDS).ok();
    let rounds: u32 = rounds.map_or(20, |text| text.parse().expect("a number of rounds"));
    run(under_load(Stack::builder(), async |stack, load| {
        for round in 1..=rounds {
            switch(stack, true).await;
            load.answered(100).await;
            upgrade_and_roll_back(stack, load).await;
            load.answered(100).await;
            switch(stack, false).await;
            load.answered(100).await;
            eprintln!(
                "round {round} of {rounds}: {} answered so far",
                load.so_far()
            );
        }
    }));
}
