//! Families that take a prompt: Llama, Mistral, `DeepSeek` R1, Claude 2, Titan,
//! and the first generations.

use serde_json::{Value, json};

use super::{PNG, both, check, texts, with};

const LLAMA_2: &str = "meta.llama2-13b-chat-v1";
const LLAMA_3: &str = "meta.llama3-8b-instruct-v1:0";
const LLAMA_3_2: &str = "us.meta.llama3-2-11b-instruct-v1:0";
const LLAMA_4: &str = "us.meta.llama4-scout-17b-instruct-v1:0";
const MIXTRAL: &str = "mistral.mixtral-8x7b-instruct-v0:1";
const LARGE: &str = "mistral.mistral-large-2402-v1:0";
const R1: &str = "us.deepseek.r1-v1:0";
const CLAUDE_2: &str = "anthropic.claude-v2";
const CLAUDE_2_1: &str = "anthropic.claude-v2:1";
const TITAN: &str = "amazon.titan-text-express-v1";

const PROMPT_3: &str = "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n";
const VISION_3: &str = "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n<|image|>look<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n";
const PROMPT_4: &str = "<|begin_of_text|><|header_start|>user<|header_end|>\n\nHi<|eot|><|header_start|>assistant<|header_end|>\n\n";
const PROMPT_R1: &str = "<｜begin▁of▁sentence｜>Be brief.<｜User｜>Hi<｜Assistant｜><think>\n";
const PROMPT_CLAUDE: &str = "\n\nHuman: Hi\n\nAssistant:";

#[tokio::test]
async fn what_llama_refuses() {
    let good = json!({"prompt": PROMPT_3});
    check(
        "invoke",
        &good,
        vec![
            (
                LLAMA_3,
                json!({"temperature": 1, "top_p": 0, "max_gen_len": 2048}),
                "",
            ),
            (
                LLAMA_3,
                json!({"max_gen_len": 2049}),
                "#/max_gen_len: 2049 is not less or equal to 2048",
            ),
            (
                LLAMA_3,
                json!({"max_gen_len": 0}),
                "0 is not greater or equal to 1",
            ),
            (
                LLAMA_3,
                json!({"temperature": 1.5}),
                "1.5 is not less or equal to 1",
            ),
            (
                LLAMA_3,
                json!({"stop": ["a"]}),
                "Malformed input request: #: extraneous key [stop] is not permitted",
            ),
            (LLAMA_3, json!({"system": "a"}), "extraneous key [system]"),
            (LLAMA_3, json!({"images": [PNG]}), "extraneous key [images]"),
            (
                LLAMA_3,
                json!({"prompt": null}),
                "required key [prompt] not found",
            ),
            (
                LLAMA_3,
                json!({"prompt": "Hi"}),
                "it must begin with <|begin_of_text|>",
            ),
            (
                LLAMA_3,
                json!({"prompt": PROMPT_4}),
                "it must end with the header of the assistant",
            ),
            (
                LLAMA_4,
                json!({}),
                "it must end with the header of the assistant",
            ),
            (
                LLAMA_4,
                json!({"prompt": PROMPT_4, "max_gen_len": 8192}),
                "",
            ),
            (LLAMA_3_2, json!({"prompt": VISION_3, "images": [PNG]}), ""),
            (
                LLAMA_3_2,
                json!({"prompt": VISION_3}),
                "The prompt has 1 image tokens, but there are 0 images.",
            ),
            (
                LLAMA_3_2,
                json!({"prompt": VISION_3, "images": ["!"]}),
                "Could not process image",
            ),
            (LLAMA_2, json!({"prompt": "<s>[INST] Hi [/INST]"}), ""),
            (LLAMA_2, json!({}), "it must begin with <s>[INST]"),
            (
                "meta.llama3-1-405b-instruct-v1:0",
                json!({}),
                "This action doesn't support the model that you provided.",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn llama_answers_with_leading_newlines_and_running_counts() {
    for (model, prompt) in [(LLAMA_3, PROMPT_3), (LLAMA_4, PROMPT_4)] {
        let both = both(model, &json!({"prompt": prompt, "max_gen_len": 2})).await;
        assert_eq!(both.plain["generation"], "\n\nYou said:");
        assert_eq!(both.plain["stop_reason"], "length");
        assert_eq!(
            json!(both.tokens),
            json!([
                both.plain["prompt_token_count"],
                both.plain["generation_token_count"]
            ])
        );
        assert_eq!(texts(&both.events, "/generation"), "\n\nYou said:");
        assert_eq!(
            both.events[0]["prompt_token_count"],
            both.plain["prompt_token_count"]
        );
        assert!(both.events[1]["prompt_token_count"].is_null());
        let end = both.events.last().unwrap();
        assert_eq!(end["generation_token_count"], 2);
        assert_eq!(end["stop_reason"], "length");
    }
    let seen = both(LLAMA_3_2, &json!({"prompt": VISION_3, "images": [PNG]})).await;
    assert_eq!(
        seen.plain["generation"],
        "\n\nYou said: look I see an image/png of 8 bytes."
    );
}

#[tokio::test]
async fn what_mistrals_prompt_refuses() {
    let good = json!({"prompt": "<s>[INST] Hi [/INST]"});
    let many: Vec<String> = (0..11).map(|n| n.to_string()).collect();
    check("invoke", &good, vec![
        (MIXTRAL, json!({"max_tokens": 4096, "temperature": 0.5, "top_p": 0.9, "top_k": 200, "stop": ["X"]}), ""),
        (MIXTRAL, json!({"top_k": 201}), "201 is not less or equal to 200"),
        (LARGE, json!({"top_k": 50}), "top_k is disabled"),
        (MIXTRAL, json!({"stop": many}), "expected maximum item count: 10, found: 11"),
        (MIXTRAL, json!({"max_tokens": 4097}), "exceeds the model limit of 4096"),
        (MIXTRAL, json!({"messages": []}), "extraneous key [messages] is not permitted"),
        (MIXTRAL, json!({"prompt": "Hi"}), "does not follow the instruct template"),
    ]).await;
    let both = both(MIXTRAL, &with(&good, &json!({"stop": ["said"]}))).await;
    assert_eq!(
        both.plain,
        json!({"outputs": [{"text": " You ", "stop_reason": "stop"}]})
    );
    assert_eq!(texts(&both.events, "/outputs/0/text"), " You ");
    assert_eq!(texts(&both.events, "/outputs/0/stop_reason"), "stop");
}

#[tokio::test]
async fn deepseek_r1_always_reasons() {
    let good = json!({"prompt": PROMPT_R1});
    check(
        "invoke",
        &good,
        vec![
            (
                R1,
                json!({"max_tokens": 32_768, "temperature": 1, "top_p": 1, "stop": ["X"]}),
                "",
            ),
            (
                R1,
                json!({"max_tokens": 32_769}),
                "32769 is not less or equal to 32768",
            ),
            (R1, json!({"top_k": 5}), "extraneous key [top_k]"),
            (R1, json!({"tools": []}), "extraneous key [tools]"),
            (
                R1,
                json!({"prompt": "<|begin_of_sentence|><|User|>Hi<|Assistant|>"}),
                "does not follow the template",
            ),
        ],
    )
    .await;
    let open = both(R1, &good).await;
    let text = "The user said: Hi\n</think>\n\nYou said: Hi";
    assert_eq!(open.plain["choices"][0]["text"], text);
    assert_eq!(texts(&open.events, "/choices/0/text"), text);
    let bare = both(
        R1,
        &json!({"prompt": PROMPT_R1.trim_end_matches("<think>\n")}),
    )
    .await;
    assert_eq!(bare.plain["choices"][0]["text"], format!("<think>\n{text}"));
}

#[tokio::test]
async fn a_begun_answer_is_taken_and_continued() {
    let [three, four] = [PROMPT_3, PROMPT_4].map(|prompt| format!("{prompt}One,"));
    let r1 = PROMPT_R1.replace("<think>\n", "One,");
    for (model, prompt, pointer) in [
        (LLAMA_2, "<s>[INST] Hi [/INST] One,", "/generation"),
        (LLAMA_3, three.as_str(), "/generation"),
        (LLAMA_4, four.as_str(), "/generation"),
        (MIXTRAL, "<s>[INST] Hi [/INST] One,", "/outputs/0/text"),
        (R1, r1.as_str(), "/choices/0/text"),
        (CLAUDE_2, "\n\nHuman: Hi\n\nAssistant: One,", "/completion"),
    ] {
        let mut request = json!({ "prompt": prompt });
        if model == CLAUDE_2 {
            request["max_tokens_to_sample"] = json!(9);
        }
        let both = both(model, &request).await;
        let text = both.plain.pointer(pointer).and_then(Value::as_str);
        assert_eq!(text.map(str::trim_start), Some("You said: Hi"), "{model}");
        assert_eq!(Some(texts(&both.events, pointer).as_str()), text, "{model}");
    }
}

#[tokio::test]
async fn what_claudes_text_completions_refuse() {
    let good = json!({"prompt": PROMPT_CLAUDE, "max_tokens_to_sample": 9});
    let system = format!("Be brief.{PROMPT_CLAUDE}");
    check("invoke", &good, vec![
        (CLAUDE_2_1, json!({"max_tokens_to_sample": 4096, "temperature": 1, "top_p": 0.9, "top_k": 500, "stop_sequences": ["\n\nHuman:", "X"], "anthropic_version": "bedrock-2023-05-31"}), ""),
        ("anthropic.claude-instant-v1", json!({}), ""),
        ("anthropic.claude-v1", json!({}), ""),
        (CLAUDE_2, json!({"prompt": null}), "required key [prompt] not found"),
        (CLAUDE_2, json!({"max_tokens_to_sample": null}), "required key [max_tokens_to_sample] not found"),
        (CLAUDE_2, json!({"max_tokens_to_sample": 4097}), "#/max_tokens_to_sample: 4097 is not less or equal to 4096"),
        (CLAUDE_2, json!({"temperature": 1.5}), "1.5 is not less or equal to 1"),
        (CLAUDE_2, json!({"top_p": -1}), "-1 is not greater or equal to 0"),
        (CLAUDE_2, json!({"top_k": 501}), "501 is not less or equal to 500"),
        (CLAUDE_2, json!({"stop_sequences": ["\n\n"]}), "each stop sequence must contain non-whitespace"),
        (CLAUDE_2, json!({"anthropic_version": "2023-06-01"}), "2023-06-01 is not a valid enum value"),
        (CLAUDE_2, json!({"max_tokens": 9}), "extraneous key [max_tokens] is not permitted"),
        (CLAUDE_2, json!({"messages": []}), "extraneous key [messages] is not permitted"),
        (CLAUDE_2, json!({"prompt": "Hi"}), "prompt must start with \"\n\nHuman:\" turn"),
        (CLAUDE_2, json!({"prompt": "\n\nHuman: Hi"}), "prompt must end with \"\n\nAssistant:\" turn"),
        (CLAUDE_2, json!({"prompt": system}), "prompt must start with \"\n\nHuman:\" turn"),
        (CLAUDE_2_1, json!({"prompt": system}), ""),
        ("anthropic.claude-3-haiku-20240307-v1:0", json!({}), "max_tokens"),
    ]).await;
}

#[tokio::test]
async fn claudes_text_completions_say_why_they_stop() {
    let good = json!({"prompt": PROMPT_CLAUDE, "max_tokens_to_sample": 9});
    for (fields, text, reason, stop) in [
        (
            json!({}),
            " You said: Hi",
            "stop_sequence",
            json!("\n\nHuman:"),
        ),
        (
            json!({"stop_sequences": ["said"]}),
            " You ",
            "stop_sequence",
            json!("said"),
        ),
        (
            json!({"max_tokens_to_sample": 1}),
            " You",
            "max_tokens",
            Value::Null,
        ),
    ] {
        let both = both(CLAUDE_2_1, &with(&good, &fields)).await;
        let expected = json!({"type": "completion", "completion": text,
            "stop_reason": reason, "stop": stop});
        assert_eq!(both.plain, expected);
        assert_eq!(texts(&both.events, "/completion"), text);
        let (end, pieces) = both.events.split_last().unwrap();
        assert_eq!(*end, with(&expected, &json!({"completion": ""})));
        assert!(pieces.iter().all(|piece| piece["stop_reason"].is_null()));
    }
}

#[tokio::test]
async fn titan_text() {
    let good = json!({"inputText": "User: Hi\nBot:"});
    let config = |fields: Value| json!({ "textGenerationConfig": fields });
    check("invoke", &good, vec![
        (TITAN, config(json!({"temperature": 0, "topP": 1, "maxTokenCount": 8000, "stopSequences": ["User:", "||"]})), ""),
        (TITAN, config(json!({"maxTokenCount": 8001})), "8001 is not less or equal to 8000"),
        (TITAN, config(json!({"stopSequences": ["END"]})), "string [END] does not match pattern ^(\\|+|User:)$"),
        (TITAN, config(json!({"topK": 1})), "#/textGenerationConfig: extraneous key [topK]"),
        (TITAN, json!({"prompt": "a"}), "extraneous key [prompt]"),
    ]).await;
    let both = both(TITAN, &with(&good, &config(json!({"maxTokenCount": 2})))).await;
    let result = &both.plain["results"][0];
    assert_eq!(
        result,
        &json!({"tokenCount": 2, "outputText": "\nYou said:", "completionReason": "LENGTH"})
    );
    assert_eq!(texts(&both.events, "/outputText"), "\nYou said:");
    let end = both.events.last().unwrap();
    assert_eq!(
        end["inputTextTokenCount"],
        both.plain["inputTextTokenCount"]
    );
    assert_eq!(end["totalOutputTextTokenCount"], 2);
}

#[tokio::test]
async fn the_first_generations_still_answer() {
    let command = both(
        "cohere.command-text-v14",
        &json!({"prompt": "Hi", "max_tokens": 9}),
    )
    .await;
    assert_eq!(command.plain["generations"][0]["text"], "You said: Hi");
    assert_eq!(texts(&command.events, "/text"), "You said: Hi");
    let j2 = both("ai21.j2-mid-v1", &json!({"prompt": "Hi", "maxTokens": 9})).await;
    assert_eq!(
        j2.plain["completions"][0]["finishReason"]["reason"],
        "endoftext"
    );
    assert_eq!(
        texts(&j2.events, "/completions/0/data/text"),
        "You said: Hi"
    );
}
