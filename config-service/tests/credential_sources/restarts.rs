//! Sources of credentials when the service starts.

use bedrock_filter::config::PluginConfig;
use bedrock_simulator::sts::{Sts, secret, session_token};
use serde_json::Value;

use super::{HOUR, KEY, assume_role, dir, is_served, published, start, wait_published};
use crate::common::{self, DEADLINE, SECRET, TestService, channel, channel_with};

#[tokio::test]
async fn a_restart_serves_what_was_issued_without_asking_aws() {
    let (sts, dir) = (Sts::start(HOUR).await.unwrap(), dir());
    let keys = ["--seal-key", KEY];
    let service = start(&dir, &sts, &keys).await;
    service.create(&channel_with("one", &assume_role())).await;
    let before = wait_published(&service, is_served).await;
    service.shutdown().await;
    sts.fail(Some((503, "ServiceUnavailable", "down")));
    let service = start(&dir, &sts, &keys).await;
    let after = published(&service).await;
    assert_eq!(sts.calls().len(), 1);
    let opened = |config: &Value| {
        let config = PluginConfig::from_json(config.to_string().as_bytes()).unwrap();
        config.open(&KEY.parse().unwrap()).unwrap()
    };
    assert_eq!(opened(&after), opened(&before));
    // Neither what was entered nor what was issued is in clear text anywhere.
    let files = std::fs::read_dir(dir.path()).unwrap();
    let bytes = files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap());
    let on_disk = String::from_utf8_lossy(&bytes.collect::<Vec<_>>()).into_owned();
    let shown = service.get("/api/channels").await.text;
    for text in [&on_disk, &shown, &after.to_string()] {
        for hidden in [SECRET, common::SESSION_TOKEN, &secret(1), &session_token(1)] {
            assert!(!text.contains(hidden), "{hidden}");
        }
    }
}

#[tokio::test]
async fn the_first_configuration_after_a_start_has_every_channel_that_aws_answers_for() {
    let (sts, dir) = (Sts::start(HOUR).await.unwrap(), dir());
    sts.fail(Some((403, "AccessDenied", "no")));
    let service = start(&dir, &sts, &[]).await;
    service.create(&channel_with("one", &assume_role())).await;
    service.shutdown().await;
    sts.fail(None);
    let service = start(&dir, &sts, &[]).await;
    let config = published(&service).await;
    assert!(is_served(&config), "{config}");
    // Different content from that of revision 1.
    assert_eq!(config["revision"], 2);
    service.shutdown().await;
    // The service starts even without AWS.
    std::fs::remove_file(dir.path().join("test.db")).unwrap();
    sts.fail(Some((403, "AccessDenied", "no")));
    let service = start(&dir, &sts, &[]).await;
    assert_eq!(service.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn a_start_does_not_wait_for_an_aws_that_hangs() {
    let (sts, dir) = (Sts::start(HOUR).await.unwrap(), dir());
    sts.fail(Some((403, "AccessDenied", "no")));
    let service = start(&dir, &sts, &[]).await;
    service.create(&channel_with("role", &assume_role())).await;
    service.create(&channel("key")).await;
    service.shutdown().await;
    // Connections are accepted, but nobody answers.
    let hangs = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", hangs.local_addr().unwrap());
    let extra = ["--sts-endpoint", &url];
    let started = TestService::start_in(dir, &extra);
    // Less than a single attempt takes.
    let service = tokio::time::timeout(DEADLINE, started).await.unwrap();
    let config = published(&service).await;
    let kinds = [0, 1].map(|index| config["channels"][index]["credentials"]["type"].clone());
    assert_eq!(kinds, ["unavailable", "static"]);
}
