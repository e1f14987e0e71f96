//! A case sent by the official clients, which must read the answer correctly.

use e2e::{OfficialPackages, PythonWorker, run};
use golden_cases::{CHAT, Case};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard, OnceCell};

use crate::envoy::{Site, recorded, split};

/// Whether the clients can send the request: they send JSON only.
pub(crate) fn can_play(case: &Case) -> bool {
    crate::envoy::can_play(case) && serde_json::from_slice::<Value>(&case.request).is_ok()
}

pub(crate) fn check(case: &Case) -> Result<(), String> {
    let expected = expected(case.response.as_deref().ok_or("no response.http")?);
    // Chat is older than all of the versions, and has not changed.
    let versions = match case.path.as_str() {
        CHAT => &OfficialPackages::ALL[..1],
        _ => &OfficialPackages::ALL[..],
    };
    for version in versions {
        let seen = run(ask(*version, case));
        if seen != json!(expected) {
            return Err(format!("{version:?} took {seen} for {expected}"));
        }
    }
    Ok(())
}

/// What the packages say to the answer.
async fn ask(version: OfficialPackages, case: &Case) -> Value {
    let site = Site::get().await;
    if let Some(answer) = &case.answer {
        site.bedrock.inject(recorded(answer));
    }
    let base_url = format!("{}/v1", site.stack.envoy.url());
    let mut worker = worker(version, &base_url).await;
    // As text, to keep the order of its members.
    let request = String::from_utf8_lossy(&case.request);
    worker.ask(&json!([case.path, request])).await
}

async fn worker(version: OfficialPackages, base_url: &str) -> MutexGuard<'static, PythonWorker> {
    static WORKERS: [OnceCell<Mutex<PythonWorker>>; OfficialPackages::ALL.len()] =
        [const { OnceCell::const_new() }; OfficialPackages::ALL.len()];
    let start = || async {
        let input = json!({"base_url": base_url});
        Mutex::new(PythonWorker::start(version, "golden.py", &input))
    };
    let mut all = OfficialPackages::ALL.iter().zip(&WORKERS);
    let (_, worker) = all.find(|(own, _)| **own == version).unwrap();
    worker.get_or_init(start).await.lock().await
}

/// How the client must interpret a response.
fn expected(response: &str) -> String {
    let (status, body) = split(response);
    let marks = ["data: {\"error\"", "event: response.failed", "event: error"];
    let is_broken = marks.iter().any(|mark| body.contains(mark));
    match (status, is_broken) {
        ("200", false) => "answer".to_owned(),
        ("200", true) => "stream error".to_owned(),
        (status, _) => status.to_owned(),
    }
}
