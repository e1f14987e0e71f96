//! Which headers clients get: ours, and only those of the upstream's that are meant for them.

use bedrock_simulator::{Effect, Fault};
use e2e::{Reply, Stack, run, simulator};

use crate::failover;

/// All that an answer may carry: the filter's own, then what Envoy adds to every answer.
const ALLOWED: [&str; 10] = [
    "cache-control",
    "content-length",
    "content-type",
    "retry-after",
    "x-amzn-requestid",
    "x-request-id",
    "connection",
    "date",
    "server",
    "transfer-encoding",
];

/// The headers that say which channel served a request.
const OF_FAILOVER: [&str; 2] = ["x-bedrock-channel", "x-bedrock-attempts"];

/// The same fault with headers that clients must not see, or that only the filter may set.
fn with_headers(fault: Fault) -> Fault {
    [
        ("set-cookie", "session=of-a-proxy"),
        ("location", "https://elsewhere.example/"),
        ("x-bedrock-channel", "forged"),
        ("x-bedrock-attempts", "9"),
        ("x-bedrock-cluster", "forged"),
        ("x-amzn-bedrock-trace", "innards"),
        ("x-powered-by", "a proxy"),
        ("www-authenticate", "Basic"),
        ("content-encoding", "identity"),
        ("x-envoy-upstream-service-time", "1"),
        ("retry-after", "7"),
    ]
    .into_iter()
    .fold(fault, |fault, (name, value)| fault.with_header(name, value))
}

#[track_caller]
fn check(reply: &Reply, allowed: &[&str], what: &str) {
    for (name, value) in &reply.headers {
        assert!(
            allowed.contains(&name.as_str()),
            "{what}: {name}: {value:?}"
        );
    }
    // An unreadable answer has become the filter's own error.
    if reply.status != 502 {
        assert_eq!(reply.header("retry-after"), "7", "{what}: {reply:?}");
    }
}

async fn check_all(stack: &Stack, allowed: &[&str]) {
    let bedrock = simulator().await;
    let channel = stack.channel(&bedrock).await;
    for body in [channel.ask("Hi"), channel.ask_stream("Hi")] {
        for fault in [
            Fault::new(Effect::None),
            Fault::error(400, "ValidationException", "No."),
            Fault::error(429, "ThrottlingException", "Slow down."),
            Fault::error(503, "ServiceUnavailableException", "busy"),
            Fault::raw(200, "text/html", "<html>Welcome!</html>"),
            Fault::raw(302, "text/html", "<html>Elsewhere</html>"),
            Fault::empty(502),
        ] {
            let what = format!("{fault:?}");
            bedrock.inject(with_headers(fault));
            let reply = stack.envoy.chat(&body).await;
            check(&reply, allowed, &what);
            for name in OF_FAILOVER {
                let value = reply.header(name);
                assert!(!["forged", "9"].contains(&value), "{what}: {reply:?}");
            }
        }
    }
}

/// What was left out of a request is reported, and the report cannot inject anything else.
async fn check_left_out(stack: &Stack) {
    let bedrock = simulator().await;
    let channel = stack.channel(&bedrock).await;
    for mut body in [channel.ask("Hi"), channel.ask_stream("Hi")] {
        let reply = stack.envoy.chat(&body).await;
        assert_eq!(reply.header("x-bedrock-left-out"), "", "{reply:?}");
        body["a\r\nset-cookie: b"] = 1.into();
        body["min_p"] = 0.1.into();
        let reply = stack.envoy.chat(&body).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let told = reply.header("x-bedrock-left-out");
        assert_eq!(told, "a??set-cookie??b, min_p", "{reply:?}");
        assert_eq!(reply.header("set-cookie"), "", "{reply:?}");
    }
}

#[test]
fn clients_get_no_upstream_header_that_is_not_meant_for_them() {
    run(async {
        let stack = Stack::start().await;
        check_all(&stack, &ALLOWED).await;
        check_left_out(&stack).await;
    });
}

#[test]
fn clients_get_no_such_header_through_a_pool_either() {
    run(async {
        let stack = failover::stack().await;
        let allowed = [&ALLOWED[..], &OF_FAILOVER].concat();
        check_all(&stack, &allowed).await;
        check_left_out(&stack).await;
    });
}
