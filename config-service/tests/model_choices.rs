//! Names that choose a model, as edits: over the API, on the page and with commands, down to what Envoys get.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::apply::run;
use crate::common::envoy::{CDS, ECDS, Envoy, Service, cluster_names, plugin_json};
use crate::common::{Reply, TOKEN, TestService, channel, channel_with, receive};
use crate::web::{get, log_in, post};

fn rules(otherwise: &str) -> Value {
    json!({
        "rules": [{"when": {"tag": "high"}, "use": "claude-sonnet-4-5"}],
        "else": otherwise,
    })
}

impl TestService {
    async fn choose(&self, name: &str, choice: &Value) -> Reply {
        let path = format!("/api/model-choices/{name}");
        let body = json!({ "choice": choice }).to_string();
        self.send(Method::PUT, &path, body).await
    }

    /// Names and what they choose from, as the API lists them.
    async fn choices(&self) -> Vec<(String, Value)> {
        let list = self.get("/api/model-choices").await.json();
        let all = list["model_choices"].as_array().unwrap().iter();
        all.map(|own| {
            let name = own["name"].as_str().unwrap().to_owned();
            (name, own["choice"].clone())
        })
        .collect()
    }
}

/// A service whose file has these names.
async fn with_file(dir: &Arc<TempDir>, choices: &Value) -> TestService {
    let file = dir.path().join("choices.json");
    std::fs::write(&file, choices.to_string()).unwrap();
    let arguments = ["--model-choices", file.to_str().unwrap()];
    TestService::start_in(Arc::clone(dir), &arguments).await
}

#[tokio::test]
async fn one_is_created_replaced_and_deleted_and_every_envoy_gets_it() {
    let service = TestService::start().await;
    service.create(&channel("one")).await;
    let mut envoy = Envoy::connect(&service, "e1", Service::Extensions).await;
    envoy.subscribe(ECDS, "").await;
    let first = envoy.receive(ECDS).await;
    assert!(plugin_json(&first).get("model_choices").is_none());
    envoy.ack(&first).await;

    let list = json!(["nova-lite", "claude-haiku-4-5"]);
    let reply = service.choose("fast", &list).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    assert_eq!(reply.header("location"), "/api/model-choices/fast");
    assert_eq!(reply.header("etag"), "\"2\"");
    let own = reply.json();
    assert_eq!((&own["choice"], &own["source"]), (&list, &json!("stored")));
    let pushed = envoy.receive(ECDS).await;
    assert_eq!(plugin_json(&pushed)["model_choices"], json!({"fast": list}));
    envoy.ack(&pushed).await;

    // What a read shows can be sent back; it changes nothing.
    let shown = service.get("/api/model-choices/fast").await.text;
    let path = "/api/model-choices/fast";
    let reply = service.send(Method::PUT, path, shown).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("etag")),
        (200, "\"2\"")
    );

    let weights = json!({"weighted": {"nova-lite": 3, "nova-pro": 1}});
    let reply = service.choose("fast", &weights).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("etag")),
        (200, "\"3\"")
    );
    let pushed = envoy.receive(ECDS).await;
    assert_eq!(plugin_json(&pushed)["model_choices"]["fast"], weights);
    envoy.ack(&pushed).await;

    assert_eq!(service.send(Method::DELETE, path, "").await.status, 204);
    let pushed = envoy.receive(ECDS).await;
    assert!(plugin_json(&pushed).get("model_choices").is_none());
    service.send(Method::DELETE, path, "").await.problem(404);
    service.get(path).await.problem(404);
    assert_eq!(service.choices().await, []);
}

#[tokio::test]
async fn every_fault_is_named_at_once_and_nothing_is_changed() {
    let service = TestService::start().await;
    let reply = service
        .choose(
            "auto",
            &json!({
                "rules": [
                    {"when": {}, "use": "m"},
                    {"when": {"tag": "two words"}, "use": " "},
                    {"when": {"image": true}, "use": "m"},
                ],
                "weighted": {"m": 0},
            }),
        )
        .await;
    assert_eq!(
        reply.problem(422),
        [
            "/choice/rules/2/when/image unknown_field",
            "/choice invalid_choice",
            "/choice/weighted/m out_of_range",
        ]
        .into_iter()
        .chain(["/choice/rules/1/use invalid_model_name"])
        .chain(["/choice/rules/0/when no_condition"])
        .chain(["/choice/rules/1/when/tag invalid_tag"])
        .collect::<Vec<_>>()
    );
    assert!(reply.text.contains("invalid-model-choice"), "{reply:?}");
    let reply = service.choose("%20padded", &json!(["m"])).await;
    assert_eq!(reply.problem(422), ["/name invalid_model_name"]);
    let reply = service
        .send(Method::PUT, "/api/model-choices/a", "{\"choice\":")
        .await;
    reply.problem(400);
    assert_eq!(service.status().await["revision"], 0);
}

#[tokio::test]
async fn an_edit_that_another_choice_could_not_bear_is_refused() {
    let service = TestService::start().await;
    service.choose("fast", &json!(["nova-lite"])).await;
    service.choose("auto", &rules("fast")).await;
    let reply = service.choose("fast", &rules("nova-lite")).await;
    assert_eq!(reply.problem(422), ["/choice nested_rules"]);
    assert!(reply.text.contains("/auto/else"), "{reply:?}");
    assert_eq!(service.status().await["revision"], 2);
}

#[tokio::test]
async fn an_edit_based_on_an_old_read_is_refused() {
    let service = TestService::start().await;
    service.choose("fast", &json!(["nova-lite"])).await;
    service.choose("fast", &json!(["nova-pro"])).await;
    let request = reqwest::Client::new()
        .put(service.url("/api/model-choices/fast"))
        .body(json!({"choice": ["nova-micro"]}).to_string())
        .header("if-match", "\"1\"");
    let reply = receive(request.bearer_auth(TOKEN)).await;
    assert_eq!(reply.problem(412), [""; 0]);
    assert!(
        reply.text.contains("the model choice was edited"),
        "{reply:?}"
    );
}

#[tokio::test]
async fn the_history_has_every_edit_and_a_rollback_brings_back_what_was_deleted() {
    let service = TestService::start().await;
    service.choose("fast", &json!(["nova-lite"])).await;
    service.choose("fast", &rules("nova-lite")).await;
    let path = "/api/model-choices/fast";
    service.send(Method::DELETE, path, "").await;
    let roll_back = |revision: u64| {
        let body = json!({ "revision": revision }).to_string();
        service.send(Method::POST, "/api/model-choices/fast/rollback", body)
    };
    let reply = roll_back(1).await;
    assert_eq!(reply.json()["choice"], json!(["nova-lite"]), "{reply:?}");
    for never in [3, 99] {
        roll_back(never).await.problem(404);
    }
    let history = service.get(&format!("{path}/history")).await.json();
    let entries = history["entries"].as_array().unwrap();
    let seen: Vec<_> = entries
        .iter()
        .map(|own| format!("{} {} {}", own["revision"], own["action"], own["restored"]))
        .collect();
    assert_eq!(
        seen,
        [
            "4 \"create\" 1",
            "3 \"delete\" null",
            "2 \"update\" null",
            "1 \"create\" null"
        ]
    );
    assert_eq!(entries[2]["changes"][0]["before"], json!(["nova-lite"]));
    let page = service.get(&format!("{path}/history?limit=1")).await.json();
    assert_eq!(page["next_before"], 4);
    let never = service.get("/api/model-choices/other/history").await;
    never.problem(404);
}

#[tokio::test]
async fn the_file_counts_more_and_is_not_edited_here() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = TestService::start_in(Arc::clone(&dir), &[]).await;
    service.choose("fast", &json!(["nova-lite"])).await;
    service.choose("own", &json!(["nova-pro"])).await;
    service.shutdown().await;

    let service = with_file(&dir, &json!({"fast": ["nova-micro"]})).await;
    let expected = [
        ("fast".to_owned(), json!(["nova-micro"])),
        ("own".to_owned(), json!(["nova-pro"])),
    ];
    assert_eq!(service.choices().await, expected);
    let one = service.get("/api/model-choices/fast").await.json();
    assert_eq!(one["source"], "file");
    assert!(one.get("revision").is_none(), "{one}");
    service.choose("fast", &json!(["x"])).await.problem(409);
    let path = "/api/model-choices/fast";
    service.send(Method::DELETE, path, "").await.problem(409);
    let (done, exported, error) = run(&service, &["export"]).await;
    assert!(done && exported.contains("own"), "{error}");
    assert!(!exported.contains("nova-micro"), "{exported}");
    service.shutdown().await;

    // Without the file, what was stored chooses again.
    let service = TestService::start_in(dir, &[]).await;
    assert_eq!(service.choices().await[0].1, json!(["nova-lite"]));
}

#[tokio::test]
async fn what_no_channel_serves_is_a_warning() {
    let service = TestService::start().await;
    let models = json!({"models": ["nova-lite"]});
    service.create(&channel_with("one", &models)).await;
    service
        .choose("fast", &json!(["nova-lite", "nova-ultra"]))
        .await;
    let reply = service.choose("auto", &rules("fast")).await.json();
    let warnings = reply["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{reply}");
    assert_eq!(warnings[0]["code"], "unserved_model");
    assert_eq!(warnings[0]["pointer"], "/choice/rules/0/use");
    let fast = service.get("/api/model-choices/fast").await.json();
    assert_eq!(fast["warnings"][0]["pointer"], "/choice/1", "{fast}");
}

/// With failover the models of a list back each other up, so that the clusters follow from it.
#[tokio::test]
async fn clusters_of_new_pools_come_before_the_configuration_that_names_them() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = TestService::start_in(dir, &["--failover"]).await;
    for (name, model) in [("a", "nova-lite"), ("b", "claude-haiku-4-5")] {
        let models = json!({ "models": [model] });
        service.create(&channel_with(name, &models)).await;
    }
    let mut envoy = Envoy::settled(&service, "e1").await;
    service
        .choose("fast", &json!(["nova-lite", "claude-haiku-4-5"]))
        .await;
    let clusters = envoy.receive(CDS).await;
    let names = cluster_names(&clusters);
    assert!(names.iter().any(|own| own.contains("|a|b|")), "{names:?}");
    envoy.ack(&clusters).await;
    let pushed = envoy.receive(ECDS).await;
    assert!(plugin_json(&pushed)["model_choices"]["fast"].is_array());
}

#[tokio::test]
async fn explain_follows_an_edit_at_once() {
    let service = TestService::start().await;
    service.create(&channel("one")).await;
    let ask = || {
        let body = json!({"model": "auto"}).to_string();
        service.send(Method::POST, "/api/explain", body)
    };
    assert!(ask().await.json().get("choice").is_none());
    service.choose("auto", &rules("nova-lite")).await;
    let told = ask().await.json();
    assert_eq!(told["choice"]["model"], "nova-lite", "{told}");
    let because = told["choice"]["because"].as_str().unwrap();
    assert!(because.contains("no rule of `auto` fits"), "{because}");
}

#[tokio::test]
async fn an_export_has_them_and_apply_stores_them() {
    let service = TestService::start().await;
    service.choose("auto", &rules("nova-lite")).await;
    let (done, exported, error) = run(&service, &["export"]).await;
    assert!(done, "{error}");
    let mut document: Value = serde_saphyr::from_str(&exported).unwrap();
    let expected = json!([{"name": "auto", "choice": rules("nova-lite")}]);
    assert_eq!(document["model_choices"], expected);
    let file = service.dir.path().join("all.yaml");
    let path = file.to_str().unwrap();
    std::fs::write(&file, &exported).unwrap();
    let (_, said, error) = run(&service, &["apply", "-f", path]).await;
    assert_eq!(said, "auto: as it was\n", "{error}");
    document["model_choices"][0]["choice"] = rules("nova-pro");
    let all = document["model_choices"].as_array_mut().unwrap();
    all.push(json!({"name": "bad", "choice": []}));
    std::fs::write(&file, document.to_string()).unwrap();
    let (_, said, _) = run(&service, &["apply", "--dry-run", "-f", path]).await;
    assert_eq!(
        said,
        "auto: would change in choice\nbad: would be created\n"
    );
    let (done, said, error) = run(&service, &["apply", "-f", path]).await;
    assert!(
        !done && error.contains("1 model choices were refused"),
        "{error}"
    );
    assert!(said.starts_with("auto: changed by revision 2\n"), "{said}");
    // Nobody serves its models here.
    assert!(said.contains("\n  warning: /choice/else"), "{said}");
    assert!(
        said.contains("\nbad: refused") && said.contains("/choice: "),
        "{said}"
    );
}

#[tokio::test]
async fn the_page_edits_shows_and_takes_back() {
    let service = TestService::start().await;
    service.create(&channel("one")).await;
    let (cookie, csrf) = log_in(&service, TOKEN).await;
    let save = async |name: &str, choice: &str| {
        let fields = [("csrf", csrf.as_str()), ("name", name), ("choice", choice)];
        post(&service, "/model-choices", &cookie, &fields).await
    };
    let reply = save("fast", "nova-lite\r\nnova-ultra").await;
    assert_eq!(reply.header("location"), "/model-choices", "{reply:?}");
    let json = rules("fast").to_string();
    assert_eq!(save("auto", &json).await.status, 303);
    let page = get(&service, "/model-choices", &cookie).await.text;
    assert!(
        page.contains("nova-lite\nnova-ultra") && page.contains("Warning: "),
        "{page}"
    );
    let edit = get(&service, "/model-choices?name=auto", &cookie)
        .await
        .text;
    assert!(edit.contains("name=\"revision\" value=\"3\""), "{edit}");

    // Entries stay in the form.
    for wrong in ["{\"rules\": []}", "{\"rules\": [}"] {
        let reply = save("auto", wrong).await;
        assert!([400, 422].contains(&reply.status.as_u16()), "{reply:?}");
        let shown = wrong.replace('"', "&quot;");
        assert!(
            reply.text.contains("role=\"alert\"") && reply.text.contains(&shown),
            "{reply:?}"
        );
    }
    let old = [
        ("csrf", csrf.as_str()),
        ("name", "auto"),
        ("edited", "auto"),
        ("revision", "1"),
        ("choice", "nova-pro"),
    ];
    let reply = post(&service, "/model-choices", &cookie, &old).await;
    assert_eq!(reply.status, 412, "{reply:?}");

    let own = [("csrf", csrf.as_str())];
    let reply = post(&service, "/model-choices/fast/delete", &cookie, &own).await;
    assert_eq!(reply.status, 303, "{reply:?}");
    let page = get(&service, "/model-choices/fast/history", &cookie)
        .await
        .text;
    assert!(page.contains("Roll back to revision 2"), "{page}");
    let back = [("csrf", csrf.as_str()), ("revision", "2")];
    let reply = post(&service, "/model-choices/fast/rollback", &cookie, &back).await;
    assert_eq!(
        reply.header("location"),
        "/model-choices/fast/history",
        "{reply:?}"
    );
    assert_eq!(service.choices().await[1].0, "fast");
}
