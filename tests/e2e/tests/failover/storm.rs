//! A thousand requests at once while one of three regions fails.

use std::collections::BTreeSet;

use bedrock_simulator::{Effect, Fault, Simulator, Verdict};
use e2e::{Reply, Stack, run};
use serde_json::{Value, json};

use super::{ask, channel, create, hang, region, stack};

/// Longer than any answer takes that arrives at all.
const LONG: u32 = 300;

/// Sends a thousand requests at once to three channels, of which the first fails; each attempt has this
/// many seconds to start its answer.
async fn storm(seconds: u32, first: impl Fn(Value) -> Value, trouble: impl Fn(&Simulator)) {
    let stack = stack().await;
    let regions = [region("a").await, region("b").await, region("c").await];
    let [a, b, c] = &regions;
    let mut channels = [
        first(channel("a", 0, a)),
        channel("b", 0, b),
        channel("c", 0, c),
    ];
    for own in &mut channels {
        own["first_byte_timeout_seconds"] = json!(seconds);
        own["request_timeout_seconds"] = json!(seconds);
    }
    create(&stack, &channels).await;
    trouble(a);
    let client = reqwest::Client::new();
    // All of them are in flight at once.
    let requests = (0..1000).map(|number| one_of_many(&stack, &client, number));
    futures::future::join_all(requests).await;
    // Every signature was for its own region. The clients would not notice otherwise, because a refused
    // attempt is followed by another.
    for own in &regions {
        let requests = own.requests();
        let refused = requests
            .iter()
            .find(|request| matches!(request.verdict, Verdict::Refused { .. }));
        assert!(refused.is_none(), "{refused:?}");
    }
    no_request_was_answered_twice(&regions);
}

/// One request, which must get its own words back and nobody else's.
async fn one_of_many(stack: &Stack, client: &reqwest::Client, number: usize) {
    let stream = number.is_multiple_of(3);
    let word = word(number);
    let mut body = ask(stream);
    body["messages"][0]["content"] = json!(word);
    let url = format!("{}/v1/chat/completions", stack.envoy.url());
    let request = client.post(url).json(&body);
    let reply = Reply::read(request.send().await.expect("an answer")).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let text = if stream {
        assert!(reply.is_done(), "{reply:?}");
        reply.streamed_text()
    } else {
        reply.text_of_answer()
    };
    assert!(text.contains(&word), "{word}: {text}");
}

fn word(number: usize) -> String {
    format!("word-{number}-of-mine")
}

/// Every region that answered a request got it once.
fn no_request_was_answered_twice(regions: &[Simulator]) {
    for own in regions {
        let mut seen = BTreeSet::new();
        for request in own.requests() {
            let body = request.body.as_ref().map(Value::to_string);
            assert!(seen.insert(body), "twice in one region: {request:?}");
        }
    }
}

#[test]
fn a_thousand_at_once_while_a_region_throttles_half() {
    let half = |a: &Simulator| {
        for _ in 0..500 {
            a.inject(Fault::throttling());
            a.inject(Fault::new(Effect::None));
        }
    };
    run(storm(LONG, |a| a, half));
}

#[test]
fn a_thousand_at_once_while_a_region_closes_connections() {
    let close = |a: &Simulator| a.inject(Fault::new(Effect::Close).times(1_000));
    run(storm(LONG, |a| a, close));
}

#[test]
fn a_thousand_at_once_while_a_region_refuses_connections() {
    let gone = |mut a: Value| {
        let port = xtask::ports::free_port().expect("a free port");
        a["endpoint"] = json!(format!("http://127.0.0.1:{port}"));
        a
    };
    run(storm(LONG, gone, |_| ()));
}

#[test]
fn a_thousand_at_once_while_a_region_hangs() {
    // Long enough for the other regions to answer them all.
    run(storm(30, |a| a, |a| a.inject(hang().times(1_000))));
}

#[test]
fn a_thousand_at_once_while_a_region_cuts_answers_before_their_first_word() {
    let cut = |a: &Simulator| a.inject(Fault::new(Effect::Cut { after_events: 0 }).times(1_000));
    run(storm(LONG, |a| a, cut));
}

#[test]
fn a_thousand_at_once_while_a_region_breaks_streams_before_their_first_word() {
    let busy = Fault::exception(0, "serviceUnavailableException", "busy").times(1_000);
    run(storm(LONG, |a| a, |a| a.inject(busy.clone())));
}
