//! What every request and answer needs, whatever the dialect.

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use bedrock_filter::chat::AnswerHead;
use bedrock_filter::config::{Credentials, PluginConfig, SignedBy};
use bedrock_filter::json;
use bedrock_filter::routes::Routes;
use bedrock_filter::secret::Secret;
use bedrock_filter::sign::{Signer, Unsigned};
use bedrock_filter::wire::event_stream::FrameDecoder;
use golden_cases::{PLUGIN_CONFIG, frames};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use sha2::{Digest as _, Sha256};

use crate::Stage;
use crate::dialects::parse;
use crate::golden::GOLDEN;

/// 2026-01-15T12:34:56Z.
pub(crate) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_768_480_496)
}

/// The stages.
#[must_use]
pub fn stages() -> Vec<Stage> {
    vec![
        configure(),
        hash(1_000),
        hash(200_000),
        sign(),
        escape(),
        split_frames(),
        write_chunk(),
    ]
}

fn configure() -> Stage {
    Stage::new("configure", || {
        let config = PluginConfig::from_json(PLUGIN_CONFIG.as_bytes()).expect("a configuration");
        black_box(Routes::compile(config).expect("routes"));
    })
}

fn hash(length: usize) -> Stage {
    let body = vec![b'x'; length];
    Stage::new(format!("hash/{length} B"), move || {
        black_box(Sha256::digest(black_box(&body)));
    })
}

fn sign() -> Stage {
    let credentials = Credentials::Static {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        session_token: None,
        expires_at: None,
    };
    let signer = Signer::new(&credentials, "us-east-1", SignedBy::Filter);
    let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    let body = vec![b'x'; 1_000];
    Stage::new("sign/1000 B", move || {
        let request = Unsigned {
            authority: "bedrock-runtime.us-east-1.amazonaws.com",
            path: "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke",
            headers: &headers,
            body: &[black_box(&body)],
        };
        black_box(signer.sign(request, now()).expect("a signature"));
    })
}

fn escape() -> Stage {
    let text =
        "A line of prose, such as people and models write them in a long chat.\n".repeat(150);
    Stage::new("escape/10 KB", move || {
        let mut out = Vec::new();
        json::write_str(&mut out, black_box(&text));
        black_box(out);
    })
}

fn split_frames() -> Stage {
    let events = GOLDEN.first().map_or("", |golden| golden.events);
    let bytes = frames(events);
    Stage::new("decode frames/a stream", move || {
        let mut decoder = FrameDecoder::default();
        decoder.push(black_box(&bytes));
        while let Some(frame) = decoder.next_frame().expect("frames") {
            black_box(frame.payload);
        }
    })
}

fn write_chunk() -> Stage {
    let head = AnswerHead {
        id: "11111111-2222-3333-4444-555555555555".to_owned(),
        created: 1_768_480_496,
        model: "claude-sonnet-4-5".to_owned(),
        ..AnswerHead::default()
    };
    let body = GOLDEN.first().map_or("", |golden| golden.request);
    let reply = parse(body).reply;
    Stage::new("encode chunk/5 tokens", move || {
        let mut out = reply.stream(&head);
        for _ in 0..5 {
            out.text(black_box(" token"));
        }
        black_box(out.take());
    })
}
