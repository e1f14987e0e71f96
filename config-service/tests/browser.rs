//! The web page in a real browser.

mod callers;
mod driver;
mod money;

use crate::common::{ARN, SECRET, TOKEN, TestService, channel, channel_with};
use bedrock_simulator::{Key, Simulator};
use driver::{Browser, LAPTOP, PHONE, browse};
use fantoccini::key::Key as Press;
use serde_json::json;

#[tokio::test]
async fn nobody_can_log_in_without_a_token() {
    let service = TestService::start().await;
    browse(&service, LAPTOP, async |browser: Browser| {
        browser.go("/history").await;
        browser.fill("#token", "wrong").await;
        browser.click("button.primary").await;
        browser.wait_text("#refused", "not a valid token").await;
        browser.picture("login").await;
        browser.fill("#token", TOKEN).await;
        browser.click("button.primary").await;
        // On to the page that was requested.
        browser.wait_text("h1", "History").await;
        browser.click(".who button").await;
        browser.wait("#token").await;
        browser.go("/channels").await;
        browser.wait("#token").await;
    })
    .await;
}

#[tokio::test]
async fn channels_are_listed_searched_and_switched() {
    let service = TestService::start().await;
    let team = json!({"inference_profile_arn_map": {"claude-sonnet-4-5": ARN}});
    let id = service.create(&channel_with("team-a", &team)).await;
    let europe = json!({"region": "eu-west-1", "models": ["nova-pro"]});
    service.create(&channel_with("team-b", &europe)).await;
    browse(&service, LAPTOP, async |browser: Browser| {
        browser.log_in().await;
        assert_eq!(browser.count("table.channels tbody tr").await, 2);
        browser.wait_text("#fleet", "active on 0 of 0 Envoys").await;
        browser.picture("channels").await;
        browser.fill("#q", "nova").await;
        browser.click(".search button").await;
        browser.wait_text("table.channels", "team-b").await;
        assert_eq!(browser.count("table.channels tbody tr").await, 1);
        browser.go("/channels").await;
        browser.click("[data-channel=team-a] .inline button").await;
        browser.wait("[data-channel=team-a].off").await;
        let view = service.get(&format!("/api/channels/{id}")).await.json();
        assert_eq!(view["enabled"], false);
        browser.click("[data-channel=team-a] .inline button").await;
        browser.wait("[data-channel=team-a]:not(.off)").await;
    })
    .await;
}

#[tokio::test]
async fn a_channel_is_created_with_its_faults_shown_at_their_lines() {
    let service = TestService::start().await;
    browse(&service, LAPTOP, async |browser: Browser| {
        browser.log_in().await;
        browser.click("a.button.primary").await;
        browser.fill("#name", "team a").await;
        browser.fill("#region", "us-east-1").await;
        browser.fill("#access_key_id", "AKIDEXAMPLE").await;
        browser.fill("#secret_access_key", SECRET).await;
        // While typing.
        browser.wait_text("#name-notes", "letters, digits").await;
        let map = "{\"claude-sonnet-4-5\": \"arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdef123456\",\n\"other\": \"\"}";
        browser.fill("#inference_profile_arn_map", map).await;
        browser.wait_text("#inference_profile_arn_map-notes", "line 2: `other`").await;
        browser.picture("faults").await;
        // The same after saving; no entry but the secret is lost.
        browser.click(".actions button").await;
        browser.wait_text("#faults", "Nothing was saved").await;
        assert_eq!(browser.value("#name").await, "team a");
        assert_eq!(browser.value("#inference_profile_arn_map").await, map);
        assert_eq!(browser.value("#secret_access_key").await, "");
        browser.fill("#name", "team-a").await;
        browser.fill("#secret_access_key", SECRET).await;
        let map = format!("{{\"claude-sonnet-4-5\": \"{ARN}\"}}");
        browser.fill("#inference_profile_arn_map", &map).await;
        browser.click(".actions button").await;
        browser.wait_text("[data-channel=team-a]", "saved").await;
    })
    .await;
    let list = service.get("/api/channels").await.json();
    let stored = &list["channels"][0];
    assert_eq!(
        stored["inference_profile_arn_map"]["claude-sonnet-4-5"],
        ARN
    );
    assert_eq!(stored["enabled"], true);
}

#[tokio::test]
async fn text_and_table_of_a_map_stay_in_step() {
    let service = TestService::start().await;
    let fields = json!({"inference_profile_arn_map": {"claude-sonnet-4-5": ARN}});
    let id = service.create(&channel_with("one", &fields)).await;
    browse(&service, LAPTOP, async |browser: Browser| {
        browser.log_in().await;
        browser.go(&format!("/channels/{id}")).await;
        let text = "#inference_profile_arn_map";
        let map = "[data-map=inference_profile_arn_map]";
        browser.click(&format!("{map} [data-table]")).await;
        assert_eq!(
            browser.value(&format!("{map} tbody input")).await,
            "claude-sonnet-4-5"
        );
        browser.picture("edit").await;
        browser.click(&format!("{map} div > button")).await;
        browser
            .fill(
                &format!("{map} tbody tr:nth-child(2) td:nth-child(1) input"),
                "nova \"pro\"",
            )
            .await;
        browser
            .fill(
                &format!("{map} tbody tr:nth-child(2) td:nth-child(2) input"),
                "amazon.nova-pro-v1:0",
            )
            .await;
        let written: serde_json::Value = serde_json::from_str(&browser.value(text).await).unwrap();
        assert_eq!(written["nova \"pro\""], "amazon.nova-pro-v1:0");
        browser
            .click(&format!("{map} tbody tr:nth-child(1) button"))
            .await;
        browser
            .fill(text, "{\"a\":\"amazon.nova-lite-v1:0\"}")
            .await;
        browser.wait(&format!("{map} tbody tr:only-child")).await;
        assert_eq!(browser.value(&format!("{map} tbody input")).await, "a");
        browser.click(&format!("{map} [data-format]")).await;
        assert_eq!(
            browser.value(text).await,
            "{\n  \"a\": \"amazon.nova-lite-v1:0\"\n}"
        );
        // Neither drops one of two equal keys; the service reports them.
        let equal = "{\n  \"b\": \"amazon.nova-pro-v1:0\",\n  \"1\": \"x\",\n  \"b\": \"amazon.nova-lite-v1:0\"\n}";
        browser.fill(text, equal).await;
        browser.click(&format!("{map} [data-format]")).await;
        assert_eq!(browser.value(text).await, equal);
        browser.wait(&format!("{map} tbody tr:nth-child(3)")).await;
        assert_eq!(browser.count(&format!("{map} tbody tr")).await, 3);
        // Nor does the table flatten a value that is not a string.
        let nested = "{\"a\": {\"b\": \"c\"}}";
        browser.fill(text, nested).await;
        browser.click(&format!("{map} [data-format]")).await;
        assert_eq!(browser.value(text).await, nested);
        assert_eq!(browser.count(&format!("{map} tbody tr")).await, 0);
        // Text that is not JSON is left as it is, with a message.
        browser.fill(text, "{\"a\":").await;
        browser.click(&format!("{map} [data-format]")).await;
        assert_eq!(browser.value(text).await, "{\"a\":");
        browser.wait_text(&format!("{text}-notes"), "line 1").await;
        assert!(browser.text("#credentials").await.contains("fingerprint"));
    })
    .await;
}

#[tokio::test]
async fn an_edit_over_somebody_elses_is_refused_with_the_difference() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    browse(&service, LAPTOP, async |browser: Browser| {
        browser.log_in().await;
        browser.go(&format!("/channels/{id}")).await;
        browser.fill("#priority", "7").await;
        let other = json!({"model_mapping": {"gpt-4o": "claude-sonnet-4-5"}});
        service.patch(&id, &other).await;
        browser.click(".actions button").await;
        browser.wait_text("#conflict", "Somebody else edited").await;
        let told = browser.text("#conflict").await;
        assert!(
            told.contains("/model_mapping") && told.contains("/priority"),
            "{told}"
        );
        browser.picture("conflict").await;
        let view = service.get(&format!("/api/channels/{id}")).await.json();
        assert_eq!(view["priority"], 0);
        // The entries are still there, and can replace what is stored.
        assert_eq!(browser.value("#priority").await, "7");
        browser.click(".actions button").await;
        browser.wait_text("[data-channel=one]", "saved").await;
        let view = service.get(&format!("/api/channels/{id}")).await.json();
        assert_eq!(view["priority"], 7);
        assert_eq!(view["model_mapping"], json!({}));
    })
    .await;
}

#[tokio::test]
async fn the_history_shows_what_changed_and_can_roll_back() {
    let service = TestService::start().await;
    let id = service.create(&channel("one")).await;
    service.patch(&id, &json!({"region": "eu-west-1"})).await;
    browse(&service, LAPTOP, async |browser: Browser| {
        browser.log_in().await;
        browser.go(&format!("/channels/{id}/history")).await;
        browser.wait_text("[data-revision='2']", "eu-west-1").await;
        browser.picture("history").await;
        browser.click("[data-revision='1'] form button").await;
        browser
            .wait_text("[data-revision='3']", "back to revision 1")
            .await;
    })
    .await;
    let view = service.get(&format!("/api/channels/{id}")).await.json();
    assert_eq!(view["region"], "us-east-1");
}

#[tokio::test]
async fn a_channel_is_tested_and_a_request_explained() {
    let service = TestService::start().await;
    let bedrock = Simulator::builder().credentials(Key::new("AKIDEXAMPLE", SECRET));
    let bedrock = bedrock.region("us-east-1").start().await.unwrap();
    let fields = json!({
        "endpoint": bedrock.url(),
        "credentials": {"type": "static", "access_key_id": "AKIDEXAMPLE", "secret_access_key": SECRET},
        "inference_profile_arn_map": {"claude-sonnet-4-5": ARN},
    });
    let id = service.create(&channel_with("one", &fields)).await;
    browse(&service, LAPTOP, async |browser: Browser| {
        browser.log_in().await;
        browser.go(&format!("/channels/{id}/test")).await;
        browser.click(".actions button").await;
        browser.wait("#report").await;
        assert_eq!(browser.count("[data-ok=true]").await, 2);
        browser.picture("test").await;
        for protocol in ["openai_responses", "anthropic_messages"] {
            browser
                .click(&format!("#protocol option[value={protocol}]"))
                .await;
            browser.click(".actions button").await;
            browser
                .wait(&format!("#report[data-protocol={protocol}]"))
                .await;
            assert_eq!(browser.count("[data-ok=true]").await, 2, "{protocol}");
        }
        let wrong = json!({"credentials": {"type": "static", "access_key_id": "AKIDEXAMPLE",
            "secret_access_key": "mistyped"}});
        service.patch(&id, &wrong).await;
        browser.click(".actions button").await;
        browser.wait_text("#report", "secret_access_key").await;

        browser.go("/explain").await;
        browser.fill("#request", "claude-sonnet-4-5").await;
        browser.click(".actions button").await;
        browser.wait_text("#explanation", ARN).await;
        browser
            .wait_text("#upstream-body", "anthropic_version")
            .await;
        browser.picture("explain").await;
        browser
            .fill(
                "#request",
                "{\"model\": \"claude-sonnet-4-5\", \"input\": \"From responses\"}",
            )
            .await;
        browser
            .click("#protocol option[value=openai_responses]")
            .await;
        browser.click(".actions button").await;
        browser.wait_text("#upstream-body", "From responses").await;
        browser.fill("#request", "{\"model\": ").await;
        browser.click(".actions button").await;
        browser.wait_text("[role=alert]", "not valid JSON").await;
    })
    .await;
}

#[tokio::test]
async fn an_account_is_asked_and_its_profiles_are_mapped() {
    let bedrock = Simulator::builder()
        .credentials(Key::new("AKIDEXAMPLE", SECRET))
        .region("us-east-1")
        .inference_profile(ARN, "anthropic.claude-sonnet-4-5-20250929-v1:0");
    let (service, bedrock) = (TestService::start().await, bedrock.start().await.unwrap());
    let fields = json!({
        "endpoint": bedrock.url(),
        "credentials": {"type": "static", "access_key_id": "AKIDEXAMPLE", "secret_access_key": SECRET},
    });
    let id = service.create(&channel_with("one", &fields)).await;
    for look in [LAPTOP, PHONE] {
        browse(&service, look, async |browser: Browser| {
            browser.log_in().await;
            browser.go(&format!("/channels/{id}/discovery")).await;
            if look.is_dark {
                // Asked already, from the laptop.
                browser.wait_text("#discovery", "Asked").await;
                let script = "return document.documentElement.scrollWidth - window.innerWidth";
                let beyond = browser.client.execute(script, Vec::new()).await.unwrap();
                assert!(beyond.as_i64().unwrap() <= 0, "{beyond}");
                browser.picture("phone-account").await;
            } else {
                browser.wait_text("#discovery", "never been asked").await;
            }
            browser.click("button.primary").await;
            browser.wait_text("#offers", "team abcdef123456").await;
            assert_eq!(
                browser.value(".offer input[type=text]").await,
                "claude-sonnet-4-5"
            );
            if !look.is_dark {
                browser.picture("account").await;
            }
        })
        .await;
    }
    browse(&service, LAPTOP, async |browser: Browser| {
        browser.log_in().await;
        browser.go(&format!("/channels/{id}/discovery")).await;
        browser.fill(".offer input[type=text]", "house").await;
        browser.click(".offer button").await;
        browser
            .wait_text("#discovery", "Profiles of the account")
            .await;
        assert_eq!(browser.count("#offers").await, 0);
    })
    .await;
    let view = service.get(&format!("/api/channels/{id}")).await.json();
    assert_eq!(view["inference_profile_arn_map"], json!({"house": ARN}));
    assert_eq!(view["warnings"], json!([]));
}

#[tokio::test]
async fn it_works_on_a_phone_in_the_dark_and_by_keyboard() {
    let service = TestService::start().await;
    let fields = json!({"inference_profile_arn_map": {"claude-sonnet-4-5": ARN}});
    let id = service.create(&channel_with("team-a", &fields)).await;
    browse(&service, PHONE, async |browser: Browser| {
        browser.go("/login").await;
        browser.fill("#token", TOKEN).await;
        let token = browser.wait("#token").await;
        token.send_keys(&Press::Enter.to_string()).await.unwrap();
        browser.wait("table.channels").await;
        browser.picture("phone-channels").await;
        for path in [
            "/channels".to_owned(),
            format!("/channels/{id}"),
            "/explain".to_owned(),
            "/history".to_owned(),
        ] {
            browser.go(&path).await;
            browser.wait("h1").await;
            browser.fits().await;
        }
        browser.go(&format!("/channels/{id}")).await;
        browser.picture("phone-edit").await;
    })
    .await;
}
