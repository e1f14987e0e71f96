//! A case sent by the official client, which must read the answer as what it is.

use e2e::{PythonWorker, run};
use golden_cases::Case;
use serde_json::{Value, json};
use tokio::sync::{Mutex, OnceCell};

use crate::envoy::{Site, recorded, split};

/// Whether the client can send the request: it sends JSON only.
pub(crate) fn can_play(case: &Case) -> bool {
    crate::envoy::can_play(case) && serde_json::from_slice::<Value>(&case.request).is_ok()
}

pub(crate) fn check(case: &Case) -> Result<(), String> {
    static WORKER: OnceCell<Mutex<PythonWorker>> = OnceCell::const_new();
    let expected = expected(case.response.as_deref().ok_or("no response.http")?);
    let seen = run(async {
        let site = Site::get().await;
        if let Some(answer) = &case.answer {
            site.bedrock.inject(recorded(answer));
        }
        let base_url = format!("{}/v1", site.stack.envoy.url());
        let start = || async move {
            let input = json!({"base_url": base_url});
            Mutex::new(PythonWorker::start("golden.py", &input))
        };
        let mut worker = WORKER.get_or_init(start).await.lock().await;
        // As text, which keeps the order of its members.
        worker
            .ask(&json!(String::from_utf8_lossy(&case.request)))
            .await
    });
    if seen == json!(expected) {
        Ok(())
    } else {
        Err(format!("the client took {seen} for {expected}"))
    }
}

/// What the client is to take a response for.
fn expected(response: &str) -> String {
    let (status, body) = split(response);
    match (status, body.contains("data: {\"error\"")) {
        ("200", false) => "answer".to_owned(),
        ("200", true) => "stream error".to_owned(),
        (status, _) => status.to_owned(),
    }
}
