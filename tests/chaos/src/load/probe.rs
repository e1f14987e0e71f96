//! Whether requests fail over, as seen by clients.

use e2e::Reply;
use reqwest::Client;

use super::{MODEL, body};
use crate::story::Story;
use crate::wait::until;

/// How many answers in a row show that every Envoy worker has a configuration; new connections are spread
/// among workers.
const IN_A_ROW: usize = 20;

/// Waits until every Envoy worker lets requests fail over. Then answers say which channels were tried,
/// whatever the outcome.
///
/// # Errors
///
/// They do not.
pub async fn wait_failover(story: &Story, port: u16) -> Result<(), String> {
    let fails_over = |reply: &Reply| reply.headers.contains_key("x-bedrock-attempts");
    let what = "every worker lets requests fail over";
    wait_answers(story, port, (MODEL, what), fails_over).await
}

/// Waits until every Envoy worker, and the filters on its clusters, know a name for the model.
///
/// # Errors
///
/// They do not.
pub async fn wait_model(story: &Story, port: u16, model: &str) -> Result<(), String> {
    let serves = |reply: &Reply| reply.status == 200;
    let what = format!("every worker serves {model}");
    wait_answers(story, port, (model, &what), serves).await
}

async fn wait_answers(
    story: &Story,
    port: u16,
    (model, what): (&str, &str),
    is_meant: impl Fn(&Reply) -> bool,
) -> Result<(), String> {
    let client = Client::builder()
        .pool_max_idle_per_host(0)
        .build()
        .expect("a client");
    let url = format!("http://127.0.0.1:{port}/v1/chat/completions");
    let mut in_a_row = 0;
    until(what, async || {
        let number = story.number();
        story.ledger.open(number);
        let mut body = body(number, false, 0);
        body["model"] = model.into();
        let answer = client.post(&url).json(&body).send().await;
        story.ledger.close(number, true);
        let reply = Reply::read(answer.ok()?).await;
        in_a_row = if is_meant(&reply) { in_a_row + 1 } else { 0 };
        (in_a_row == IN_A_ROW).then_some(())
    })
    .await
}
