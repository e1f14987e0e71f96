//! Each dialect's work: parsing and encoding a request, decoding an answer, translating a
//! stream.

use std::hint::black_box;
use std::sync::Arc;

use bedrock_filter::bedrock::{self, Dialect, EncodedRequest, Options, ResponseStream, Target};
use bedrock_filter::chat::{AnswerHead, Request};
use bedrock_filter::config::PluginConfig;
use bedrock_filter::protocol::openai_chat::Chat;
use bedrock_filter::protocol::{Parsed, Protocol as _, Said};
use bedrock_filter::routes::Routes;
use golden_cases::{PLUGIN_CONFIG, frames, parse_http};

use crate::Stage;
use crate::golden::{GOLDEN, Golden};

/// The stages of every dialect.
#[must_use]
pub fn stages() -> Vec<Stage> {
    let routes = routes();
    GOLDEN
        .iter()
        .flat_map(|golden| of(golden, &routes))
        .collect()
}

pub(crate) fn routes() -> Arc<Routes> {
    let config = PluginConfig::from_json(PLUGIN_CONFIG.as_bytes()).expect("a configuration");
    Arc::new(Routes::compile(config).expect("routes"))
}

fn of(golden: &'static Golden, routes: &Arc<Routes>) -> [Stage; 4] {
    let stage =
        |what: &str, run: Box<dyn Fn()>| Stage::new(format!("{what}/{}", golden.dialect), run);
    let own = Arc::clone(routes);
    let parsed = parse(golden.request);
    let parse = || {
        black_box(parse(golden.request));
    };
    let encode = move || {
        black_box(encode(&own, &parsed.request));
    };
    [
        stage("parse", Box::new(parse)),
        stage("encode", Box::new(encode)),
        stage("decode", Box::new(decode(golden, routes))),
        stage("stream", Box::new(stream(golden, routes))),
    ]
}

pub(crate) fn parse(body: &str) -> Parsed<'_> {
    Chat.parse(black_box(body).as_bytes(), &Said::default())
        .expect("a request")
}

pub(crate) fn encode(
    routes: &Routes,
    request: &Request<'_>,
) -> (&'static dyn Dialect, EncodedRequest) {
    let route = routes.find(&request.model).expect("a route");
    let dialect = bedrock::dialect_for(route.serving(), request).expect("a dialect");
    let options = Options::of(request, None).expect("options");
    let target = Target {
        model: route.model,
        family: route.family,
        model_id: &route.model_id,
        options: &options,
    };
    let encoded = dialect.encode_request(request, &target);
    (dialect, encoded.expect("an upstream request"))
}

fn decode(golden: &'static Golden, routes: &Routes) -> impl Fn() + use<> {
    let Parsed { request, reply, .. } = parse(golden.request);
    let (dialect, encoded) = encode(routes, &request);
    let body = parse_http(golden.answer).body;
    let head = head();
    move || {
        let completion = dialect.decode_response(black_box(&body), &encoded.answer);
        let completion = completion.expect("an answer");
        black_box(reply.whole(&completion, &head));
    }
}

fn stream(golden: &'static Golden, routes: &Routes) -> impl Fn() + use<> {
    let Parsed { request, reply, .. } = parse(golden.stream_request);
    let (dialect, encoded) = encode(routes, &request);
    let bytes = frames(golden.events);
    let head = head();
    move || {
        let decoder = dialect.stream_decoder(encoded.answer.clone());
        let mut stream = ResponseStream::new(decoder, reply.stream(&head));
        black_box(stream.push(black_box(&bytes)));
        black_box(stream.finish());
    }
}

fn head() -> AnswerHead {
    AnswerHead {
        id: "11111111-2222-3333-4444-555555555555".to_owned(),
        created: 1_768_480_496,
        model: "the-model".to_owned(),
        ..AnswerHead::default()
    }
}
