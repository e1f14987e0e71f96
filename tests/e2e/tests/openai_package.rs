//! The official `openai` Python package as the client, used the way applications do.

use bedrock_simulator::{Effect, Fault, Key, Simulator};
use e2e::{Shared, run, run_python, shared, simulator};
use serde_json::{Map, Value, json};

use crate::chat::PIXEL;

fn base_url(stack: &Shared) -> String {
    format!("{}/v1", stack.envoy.url())
}

/// The text of streamed chunks.
fn text(chunks: &Value) -> String {
    let chunks = chunks.as_array().unwrap().iter();
    let texts = chunks.filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str());
    texts.collect()
}

#[test]
fn the_openai_package_chats_and_streams() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let input = json!({
            "base_url": base_url(&stack),
            "model": channel.model,
            "image": format!("data:image/png;base64,{PIXEL}"),
        });
        let found = run_python("chats.py", &input).await;
        let answer = "You said: Hi there";
        let plain = &found["plain"]["choices"][0];
        assert_eq!(plain["message"]["content"], answer);
        assert_eq!(plain["finish_reason"], "stop");
        assert_eq!(found["plain"]["usage"]["completion_tokens"], 4);
        assert_eq!(text(&found["stream"]), answer);
        assert_eq!(text(&found["stream_with_usage"]), answer);
        let last = found["stream_with_usage"]
            .as_array()
            .unwrap()
            .last()
            .unwrap();
        assert_eq!(last["usage"], found["plain"]["usage"]);
        assert_eq!(
            found["helper_stream"]["choices"][0]["message"]["content"],
            answer
        );
        assert_eq!(
            found["conversation"]["message"]["content"],
            "You said: Three "
        );
        assert_eq!(found["conversation"]["finish_reason"], "stop");
        assert_eq!(
            found["image"],
            "You said: What is this? I see an image/png of 70 bytes."
        );
        assert_eq!(found["limited"]["finish_reason"], "length");
        for (number, answer) in found["concurrent"].as_array().unwrap().iter().enumerate() {
            assert_eq!(*answer, format!("You said: number {number}"));
        }
        assert!(
            bedrock
                .requests()
                .iter()
                .all(|request| request.leftovers().is_empty())
        );
    });
}

#[test]
fn the_openai_package_calls_tools_and_sends_their_results() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let input = json!({"base_url": base_url(&stack), "model": channel.model});
        let found = run_python("tools.py", &input).await;
        let call = |choice: &Value, index: usize| {
            let function = &choice["message"]["tool_calls"][index]["function"];
            (function["name"].clone(), function["arguments"].clone())
        };
        let expected = |name: &str| (json!(name), json!(r#"{"city":"city"}"#));
        assert_eq!(found["forced"]["finish_reason"], "tool_calls");
        assert_eq!(call(&found["forced"], 0), expected("get_time"));
        assert_eq!(found["round_trip"]["reason"], "tool_calls");
        assert_eq!(
            found["round_trip"]["answer"],
            "The tools answered: get_weather of city; get_time of city."
        );
        assert_eq!(found["streamed"]["finish_reason"], "tool_calls");
        assert_eq!(call(&found["streamed"], 0), expected("get_weather"));
        assert_eq!(call(&found["streamed"], 1), expected("get_time"));
    });
}

#[test]
fn what_the_openai_packages_helpers_return_can_be_sent_back() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let both = ["tools", "structured"];
        let models = [
            ("claude-3-haiku", &both[..]),
            ("claude-3-7-sonnet", &both),
            ("claude-sonnet-4-5", &both),
            ("claude-opus-4-8", &both),
            ("claude-opus-5-5", &both),
            ("claude-sonnet-5-5", &both),
            ("nova-pro", &both),
            ("llama3-3-70b-instruct", &both),
            ("mistral-large-2407", &both),
        ];
        let names = models.map(|(model, _)| (format!("helpers-{model}"), json!(model)));
        let channel = json!({
            "models": names.each_ref().map(|(name, _)| name),
            "model_mapping": Map::from_iter(names.clone()),
        });
        stack.channel_with(&bedrock, &channel).await;
        let loops = models.map(|(model, loops)| (format!("helpers-{model}"), json!(loops)));
        let input = json!({"base_url": base_url(&stack), "models": Map::from_iter(loops)});
        let found = run_python("helpers.py", &input).await;
        let answers = [
            "The tools answered: get_weather of city; get_time of city.",
            "You said: Hi there",
        ];
        for (what, answer) in found.as_object().unwrap() {
            let expected = match what.split(' ').next() {
                Some("tools") => json!(answers),
                _ => json!(["city", "city"]),
            };
            assert_eq!(*answer, expected, "{what}");
        }
        let count = models.map(|(_, loops)| loops.len()).iter().sum::<usize>() * 2;
        assert_eq!(found.as_object().unwrap().len(), count);
    });
}

#[test]
fn both_official_packages_list_and_retrieve_models() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let input = json!({"base_url": base_url(&stack), "model": channel.model});
        let found = run_python("models.py", &input).await;
        let list = found["list"].as_array().unwrap();
        assert!(list.contains(&json!(channel.model)), "{found}");
        assert_eq!(found["one"]["id"], channel.model);
        assert_eq!(found["one"]["object"], "model");
        assert_eq!(found["missing"], "model_not_found");
        let found = &found["anthropic"];
        let list = found["list"].as_array().unwrap();
        assert!(list.contains(&json!(channel.model)), "{found}");
        assert_eq!(found["one"]["id"], channel.model);
        assert_eq!(found["one"]["type"], "model");
        assert_eq!(found["missing"], "not_found_error");
    });
}

/// Channels to one simulator, each with one fault waiting for it.
struct Cases {
    stack: Shared,
    bedrock: Simulator,
    cases: Vec<Value>,
    expected: Vec<Value>,
}

impl Cases {
    /// A chat that meets a fault, and how the package reports it.
    async fn add(&mut self, fault: Option<Fault>, request: Value, expected: Value) {
        let channel = self.stack.channel(&self.bedrock).await;
        if let Some(mut fault) = fault {
            fault.when.model = Some(channel.arn.clone());
            self.bedrock.inject(fault);
        }
        let mut case = json!({"model": channel.model, "request": request});
        case["options"] = expected.get("options").cloned().unwrap_or(json!({}));
        self.cases.push(case);
        self.expected.push(expected);
    }
}

#[test]
fn errors_are_the_openai_packages_own_exceptions() {
    run(async {
        let (stack, bedrock) = (shared().await, simulator().await);
        let mut cases = Cases {
            stack,
            bedrock,
            cases: Vec::new(),
            expected: Vec::new(),
        };
        let error = |class: &str, status: u16, code: &str| json!({"class": class, "status": status, "code": code});
        let (plain, stream) = (json!({}), json!({"stream": true}));
        let throttled = error("RateLimitError", 429, "rate_limit_exceeded");
        cases
            .add(Some(Fault::throttling()), plain.clone(), throttled.clone())
            .await;
        cases
            .add(Some(Fault::throttling()), stream.clone(), throttled)
            .await;
        let denied = Fault::error(403, "AccessDeniedException", "No access.");
        let expected = error("PermissionDeniedError", 403, "access_denied");
        cases.add(Some(denied), plain.clone(), expected).await;
        let expected = error("InternalServerError", 502, "model_error");
        let fault = Fault::error(424, "ModelErrorException", "It failed.");
        cases.add(Some(fault), plain.clone(), expected).await;
        let expected = error("InternalServerError", 502, "unknown_operation");
        cases
            .add(
                Some(Fault::new(Effect::UnknownOperation)),
                plain.clone(),
                expected,
            )
            .await;
        let expected = error("BadRequestError", 400, "invalid_value");
        cases.add(None, json!({"temperature": 9}), expected).await;
        let expected = error("NotFoundError", 404, "model_not_found");
        cases
            .add(None, json!({"model": "no-such-model"}), expected)
            .await;
        // In the middle of a stream there is no longer a status.
        let fault = Fault::exception(4, "modelStreamErrorException", "It broke.");
        let expected = json!({"class": "APIError", "status": null, "code": "stream_error"});
        cases
            .add(Some(fault), stream.clone(), expected.clone())
            .await;
        let fault = Fault::new(Effect::Truncate { after_events: 4 });
        cases.add(Some(fault), stream, expected).await;
        // The package retries by itself what can be retried.
        let fault = Fault::throttling().with_header("retry-after", "0").times(2);
        let answer = json!({"answer": "You said: Hi there", "options": {"max_retries": 2}});
        cases.add(Some(fault), plain, answer).await;
        let input = json!({"base_url": base_url(&cases.stack), "cases": cases.cases});
        let found = run_python("errors.py", &input).await;
        for (found, expected) in found.as_array().unwrap().iter().zip(&cases.expected) {
            for (field, value) in expected.as_object().unwrap() {
                if field != "options" {
                    assert_eq!(found[field], *value, "{field} of {found}");
                }
            }
        }
    });
}

#[test]
fn wrong_credentials_are_a_502_of_the_openai_package() {
    run(async {
        let stack = shared().await;
        let bedrock = Simulator::builder().credentials(Key::new("AKIDEXAMPLE", "another"));
        let bedrock = bedrock.start().await.unwrap();
        let channel = stack.channel(&bedrock).await;
        let input = json!({"base_url": base_url(&stack), "cases": [{"model": channel.model}]});
        let found = run_python("errors.py", &input).await;
        assert_eq!(found[0]["class"], "InternalServerError");
        assert_eq!(found[0]["status"], 502);
        assert_eq!(found[0]["code"], "upstream_authentication_failed");
        assert!(found[0]["request_id"].is_string(), "{found}");
    });
}
