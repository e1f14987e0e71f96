use std::time::SystemTime;

use serde_json::json;

use super::*;
use crate::callers::Callers;
use crate::config::KeyDigest;
use crate::telemetry::metric::{COOLDOWNS, MEMORY, OVERLOADS};
use crate::telemetry::{Called, CountedCaller, Ending, Fault};

/// Keeps what would be Envoy's.
#[derive(Default)]
struct Fake {
    defined: Vec<String>,
    values: Vec<Vec<u64>>,
}

impl Meter for Fake {
    fn define(&mut self, _kind: Kind, statistic: &str) -> Option<u32> {
        self.defined.push(statistic.to_owned());
        self.values.push(Vec::new());
        u32::try_from(self.defined.len() - 1).ok()
    }

    fn add(&mut self, number: u32, by: u64) {
        self.values[number as usize].push(by);
    }

    fn record(&mut self, number: u32, value: u64) {
        self.values[number as usize].push(value);
    }
}

impl Fake {
    fn all(&self) -> Vec<(&str, &[u64])> {
        let names = self.defined.iter().map(String::as_str);
        names.zip(self.values.iter().map(Vec::as_slice)).collect()
    }
}

fn report() -> Report {
    Report {
        at: SystemTime::UNIX_EPOCH,
        protocol: "openai_chat",
        ending: Ending::Answered,
        fault: None,
        called: Some(Called {
            channel: "a".to_owned(),
            model: "nova-lite".to_owned(),
            profile: "abc123".to_owned(),
            base_model: None,
            tier: None,
            attempts: 1,
        }),
        duration: Some(Duration::from_millis(1200)),
        first_token: Some(Duration::from_millis(200)),
        so_far: None,
        usage: Some(Usage {
            input: 3,
            cache_read: 4,
            output: 11,
            ..Usage::default()
        }),
        unknown_reason: None,
        attempt: None,
        caller: None,
    }
}

/// The same of a caller, of whom so many are counted.
fn report_of(name: &str, most: u32) -> Report {
    let digest = KeyDigest::of(b"k").to_string();
    let entry = json!({"name": name, "keys": [{"sha256": digest}]});
    let settings = json!({"mode": "required", "headers": ["x-api-key"], "entries": [entry]});
    let callers = Callers::new(Some(serde_json::from_value(settings).unwrap()));
    let headers = [("x-api-key", b"k".as_slice())].into_iter();
    let caller = callers.identify(&headers, &[], None).unwrap().unwrap();
    Report {
        caller: Some(CountedCaller { caller, most }),
        ..report()
    }
}

#[test]
fn callers_are_counted_by_name_up_to_so_many() {
    let (mut book, mut meter) = (Book::default(), Fake::default());
    for name in ["a", "b", "c", "a", "d"] {
        book.enter(&report_of(name, 2), &mut meter);
    }
    let all = meter.all().into_iter();
    let counted: Vec<_> = all.filter(|(name, _)| name.contains("_w.")).collect();
    let of = |caller: &str, count: usize| {
        let metric = |name: &str, label: &str, value: u64| {
            let name = format!("bedrock_caller_{name}_total_w.{caller}.__{label}._");
            (name, vec![value; count])
        };
        [
            metric("requests", "o.answered", 1),
            metric("tokens", "k.input", 7),
            metric("tokens", "k.output", 11),
            metric("tokens", "k.cache_read", 4),
        ]
    };
    let expected: Vec<_> = [of("a", 2), of("b", 1), of("other", 2)].concat();
    let counted: Vec<_> = counted
        .into_iter()
        .map(|(name, values)| (name.to_owned(), values.to_vec()))
        .collect();
    assert_eq!(counted, expected);
}

#[test]
fn an_answered_request_is_counted_and_measured() {
    let (mut book, mut meter) = (Book::default(), Fake::default());
    book.enter(&report(), &mut meter);
    let pair = "_c.a.__m.nova-lite._";
    let expected: [(String, &[u64]); 9] = [
        (
            format!("bedrock_requests_total{pair}_p.openai_chat.__o.answered._"),
            &[1],
        ),
        (
            "gen_ai.client.token.usage_m.nova-lite.__k.input._".to_owned(),
            &[7],
        ),
        (format!("bedrock_tokens_total{pair}_k.input._"), &[7]),
        (
            "gen_ai.client.token.usage_m.nova-lite.__k.output._".to_owned(),
            &[11],
        ),
        (format!("bedrock_tokens_total{pair}_k.output._"), &[11]),
        (format!("bedrock_tokens_total{pair}_k.cache_read._"), &[4]),
        (
            format!("gen_ai.server.request.duration_milliseconds{pair}"),
            &[1200],
        ),
        (
            format!("gen_ai.server.time_to_first_token_milliseconds{pair}"),
            &[200],
        ),
        (
            format!("gen_ai.server.time_per_output_token_milliseconds{pair}"),
            &[100],
        ),
    ];
    let expected: Vec<_> = expected.iter().map(|(name, all)| (&**name, *all)).collect();
    assert_eq!(meter.all(), expected);
    book.enter(&report(), &mut meter);
    assert_eq!(meter.defined.len(), 9, "each is defined once");
    assert!(meter.values.iter().all(|own| own.len() == 2));
}

#[test]
fn a_request_that_reached_no_channel_is_only_counted() {
    let (mut book, mut meter) = (Book::default(), Fake::default());
    let refused = Report {
        ending: Ending::Refused,
        called: None,
        ..report()
    };
    book.enter(&refused, &mut meter);
    let name = "bedrock_requests_total_p.openai_chat.__o.refused._";
    assert_eq!(meter.all(), [(name, &[1][..])]);
}

#[test]
fn too_many_models_become_others() {
    let (mut book, mut meter) = (Book::default(), Fake::default());
    let mut last = report();
    for number in 0..2 * MAX_PAIRS {
        if let Some(called) = &mut last.called {
            called.model = format!("model-{number}");
        }
        book.enter(&last, &mut meter);
    }
    let requests = meter.all();
    let requests = requests.iter().filter(|own| own.0.contains("requests"));
    assert!(requests.clone().count() <= MAX_PAIRS);
    let sum: usize = requests.map(|own| own.1.len()).sum();
    assert_eq!(sum, 2 * MAX_PAIRS, "none is lost");
}

#[test]
fn an_arn_is_shown_without_its_account() {
    let arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123";
    assert_eq!(short(arn), "abc123");
    assert_eq!(
        short("us.amazon.nova-lite-v1:0"),
        "us.amazon.nova-lite-v1:0"
    );
}

#[test]
fn only_a_word_becomes_a_label_and_only_so_many() {
    assert_eq!(plain("Model_Bored-2"), "model_bored-2");
    for text in ["a b", "a.b", &"a".repeat(41)] {
        assert_eq!(plain(text), OTHER);
    }
    let (mut book, mut meter) = (Book::default(), Fake::default());
    for number in 0..2 * MAX_REASONS {
        let word = Some(format!("word-{number}"));
        book.enter(
            &Report {
                unknown_reason: word,
                ..report()
            },
            &mut meter,
        );
    }
    let all = meter.all();
    let reasons: Vec<_> = all.iter().filter(|own| own.0.contains("reasons")).collect();
    assert_eq!(reasons.len(), MAX_REASONS + 1);
    let other = reasons.last().unwrap();
    let name = "bedrock_unknown_finish_reasons_total_c.a.__r.other._";
    assert_eq!((other.0, other.1.len()), (name, MAX_REASONS));
}

#[test]
fn events_have_the_labels_that_are_known() {
    let (mut book, mut meter) = (Book::default(), Fake::default());
    book.event(&COOLDOWNS, Some("a"), "throttled", &mut meter);
    book.event(&OVERLOADS, None, "all", &mut meter);
    book.add(&MEMORY, 65_536, &mut meter);
    let expected: [(&str, &[u64]); 3] = [
        ("bedrock_cooldowns_total_c.a.__r.throttled._", &[1]),
        ("bedrock_overloads_total_r.all._", &[1]),
        ("bedrock_memory_bytes", &[65_536]),
    ];
    assert_eq!(meter.all(), expected);
}

#[test]
fn refusals_are_counted_by_their_code_unless_a_channel_made_them() {
    let mut fake = Fake::default();
    let mut book = Book::default();
    let refused = |status, code, called: Option<Called>| Report {
        ending: Ending::Refused,
        fault: Some(Fault {
            status,
            code: Some(code),
            model: None,
        }),
        called,
        ..report()
    };
    for (status, code) in [
        (StatusCode::UNAUTHORIZED, "missing_api_key"),
        (StatusCode::FORBIDDEN, "unknown_identity"),
        (StatusCode::NOT_FOUND, "model_not_found"),
        (StatusCode::BAD_REQUEST, "invalid_json"),
    ] {
        book.enter(&refused(status, code, None), &mut fake);
    }
    let upstream = refused(StatusCode::FORBIDDEN, "access_denied", report().called);
    book.enter(&upstream, &mut fake);
    let names = fake.defined.iter().map(String::as_str);
    let names: Vec<_> = names.filter(|own| own.contains("refusals")).collect();
    let expected = [
        "bedrock_refusals_total_r.missing_api_key._",
        "bedrock_refusals_total_r.unknown_identity._",
        "bedrock_refusals_total_r.model_not_found._",
    ];
    assert_eq!(names, expected);
}
