#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "tests")]

use serde_json::{Value, json};

use super::*;
use crate::routes::testing::routes;

const ARN: &str =
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdefghijkl";

fn listed(channels: &[Value], shape: Shape, query: &str) -> Value {
    let body = list(routes(channels, None).permitted(None), shape, Some(query)).unwrap();
    serde_json::from_slice(&body).unwrap()
}

fn described(name: &str, shape: Shape) -> Value {
    let body = one(routes(&[json!({})], None).permitted(None), shape, name).unwrap();
    serde_json::from_slice(&body).unwrap()
}

fn ids(list: &Value) -> Vec<&str> {
    let data = list["data"].as_array().unwrap();
    data.iter().map(|own| own["id"].as_str().unwrap()).collect()
}

#[test]
fn openais_clients_get_openais_fields_and_what_pickers_read() {
    assert_eq!(
        described("claude-sonnet-4-5", Shape::OpenAi),
        json!({
            "id": "claude-sonnet-4-5",
            "object": "model",
            "created": 1_759_104_000,
            "owned_by": "anthropic",
            "name": "Claude Sonnet 4.5",
            "context_length": 200_000,
            "architecture": {
                "input_modalities": ["text", "image", "file"],
                "output_modalities": ["text"],
            },
            "pricing": {
                "prompt": "0.000003",
                "completion": "0.000015",
                "input_cache_read": "0.0000003",
                "input_cache_write": "0.00000375",
            },
            "top_provider": {"context_length": 200_000, "max_completion_tokens": 64_000},
            "supported_parameters": [
                "max_tokens", "temperature", "top_p", "stop", "tools", "tool_choice",
                "response_format", "structured_outputs", "reasoning",
            ],
            "expiration_date": "2027-04-08",
        })
    );
}

#[test]
fn anthropics_clients_get_anthropics_fields() {
    let model = described("claude-sonnet-4-5", Shape::Anthropic);
    let own = json!({
        "id": "claude-sonnet-4-5",
        "type": "model",
        "display_name": "Claude Sonnet 4.5",
        "created_at": "2025-09-29T00:00:00Z",
        "lifecycle": "deprecated",
        "retires_at": "2027-04-08T00:00:00Z",
        "max_input_tokens": 200_000,
        "max_tokens": 64_000,
    });
    for (field, value) in own.as_object().unwrap() {
        assert_eq!(model[field], *value, "{field}");
    }
    assert_eq!(model.get("object"), None);
    let other = described("nova-pro", Shape::Anthropic);
    assert_eq!(other["created_at"], "1970-01-01T00:00:00Z");
    assert_eq!(
        (&other["lifecycle"], &other["retires_at"]),
        (&json!("active"), &Value::Null)
    );
}

#[test]
fn a_name_of_the_house_shows_its_model_and_no_arn() {
    let channel = json!({
        "allow_model_ids": "none",
        "inference_profile_arn_map": {"house": ARN, "claude-sonnet-4-5": ARN},
        "model_families": {"house": "anthropic"},
    });
    let list = listed(&[channel], Shape::OpenAi, "");
    assert_eq!(ids(&list), ["claude-sonnet-4-5", "house"]);
    assert!(!list.to_string().contains("arn:"), "{list}");
    assert_eq!(list["data"][0]["name"], "Claude Sonnet 4.5");
    assert_eq!(list["data"][1]["name"], "house");
    assert_eq!(list["data"][1]["owned_by"], "amazon-bedrock");
    assert_eq!(list["data"][1].get("context_length"), None);
}

/// A model picker offers what is listed, so nothing is that every request would be refused for.
#[test]
fn what_is_not_served_at_all_is_neither_listed_nor_shown() {
    for channel in [
        json!({}),
        json!({"api": "converse"}),
        json!({"api": "invoke"}),
    ] {
        let list = listed(std::slice::from_ref(&channel), Shape::OpenAi, "");
        let ids = ids(&list);
        assert!(ids.contains(&"claude-sonnet-4-5"));
        for name in [
            "gpt-5.5",
            "openai.gpt-5.5",
            "us.openai.gpt-5.5",
            "pegasus-1-2",
        ] {
            assert!(!ids.contains(&name), "{name}");
            let routes = routes(std::slice::from_ref(&channel), None);
            let error = one(routes.permitted(None), Shape::OpenAi, name).unwrap_err();
            assert_eq!(
                (error.status.as_u16(), error.code),
                (404, Some("model_not_found"))
            );
            assert!(
                error.message.contains("neither InvokeModel nor Converse"),
                "{error}"
            );
        }
    }
}

#[test]
fn only_what_a_request_can_carry_is_promised() {
    let reads = |name: &str| {
        let model = described(name, Shape::OpenAi);
        model["architecture"]["input_modalities"].clone()
    };
    assert_eq!(reads("nova-pro"), json!(["text", "image", "file"]));
    assert_eq!(reads("voxtral-mini-3b-2507"), json!(["text"]));
    for model in crate::catalog::models() {
        let said = entry::Entry::new("x", Some(model), Shape::OpenAi);
        let said = serde_json::to_value(&said).unwrap();
        let said = said["architecture"]["input_modalities"]
            .as_array()
            .unwrap()
            .clone();
        assert!(said.contains(&json!("text")), "{}", model.id);
        let carried = [json!("text"), json!("image"), json!("file")];
        assert!(
            said.iter().all(|kind| carried.contains(kind)),
            "{}",
            model.id
        );
    }
}

#[test]
fn prices_are_written_without_an_exponent() {
    let price = |name: &str| described(name, Shape::OpenAi)["pricing"].clone();
    assert_eq!(price("nova-micro")["input_cache_read"], "0.00000000875");
    assert_eq!(price("nova-micro").get("input_cache_write"), None);
    assert_eq!(price("titan-tg1-large"), Value::Null);
}

#[test]
fn anthropics_list_has_pages() {
    let names = ["a", "b", "c", "d", "e"];
    let mapping: Value = names
        .map(|name| (name.to_owned(), json!("nova-pro")))
        .into_iter()
        .collect::<serde_json::Map<_, _>>()
        .into();
    let channel = json!({"allow_model_ids": "none", "model_mapping": mapping});
    let check = |query: &str, expected: &[&str], has_more: bool| {
        let list = listed(std::slice::from_ref(&channel), Shape::Anthropic, query);
        assert_eq!(ids(&list), expected, "{query}");
        assert_eq!(list["has_more"], has_more, "{query}");
        assert_eq!(
            list["first_id"].as_str(),
            expected.first().copied(),
            "{query}"
        );
        assert_eq!(
            list["last_id"].as_str(),
            expected.last().copied(),
            "{query}"
        );
    };
    check("", &names, false);
    check("limit=2", &["a", "b"], true);
    check("limit=2&after_id=b", &["c", "d"], true);
    check("limit=2&after_id=d", &["e"], false);
    check("after_id=e", &[], false);
    check("limit=2&before_id=d", &["b", "c"], true);
    check("limit=2&before_id=%63", &["a", "b"], false);
    check(
        "lifecycle=active&lifecycle=retired&beta=true",
        &names,
        false,
    );
    check("lifecycle%5B%5D=deprecated", &[], false);
}

#[test]
fn a_query_that_asks_for_no_page_is_refused() {
    let routes = routes(&[json!({})], None);
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("after_id=nobody", "after_id"),
        ("before_id=", "before_id"),
    ] {
        let error = list(routes.permitted(None), Shape::Anthropic, Some(query)).unwrap_err();
        assert_eq!(error.status, 400, "{query}");
        assert!(error.message.starts_with(field), "{error}");
    }
    // OpenAI's has none.
    assert!(list(routes.permitted(None), Shape::OpenAi, Some("limit=0")).is_ok());
}

#[test]
fn every_model_says_what_it_is_called_and_when_it_goes() {
    for model in crate::catalog::models() {
        assert!(!model.name.is_empty(), "{}", model.id);
        assert!(matches!(model.price.len(), 0 | 2..=4), "{}", model.id);
        let is_a_day = |day: &str| {
            let parts: Vec<_> = day.split('-').map(str::len).collect();
            parts == [4, 2, 2] && day.bytes().all(|b| b == b'-' || b.is_ascii_digit())
        };
        assert!(model.retires.is_none_or(is_a_day), "{}", model.id);
    }
}
