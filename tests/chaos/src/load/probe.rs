//! Whether requests fail over, as clients can tell.

use e2e::Reply;
use reqwest::Client;

use super::body;
use crate::story::Story;
use crate::wait::until;

/// Answers in a row that say that every worker of an Envoy knows: new connections are spread among them.
const IN_A_ROW: usize = 20;

/// Waits until every worker of an Envoy lets requests fail over: then answers say who was tried, whatever
/// became of the request.
///
/// # Errors
///
/// They do not.
pub async fn wait_failover(story: &Story, port: u16) -> Result<(), String> {
    let client = Client::builder()
        .pool_max_idle_per_host(0)
        .build()
        .expect("a client");
    let url = format!("http://127.0.0.1:{port}/v1/chat/completions");
    let mut in_a_row = 0;
    until("every worker lets requests fail over", async || {
        let number = story.number();
        story.ledger.open(number);
        let answer = client.post(&url).json(&body(number, false, 0)).send().await;
        story.ledger.close(number, true);
        let reply = Reply::read(answer.ok()?).await;
        let relays = reply.headers.contains_key("x-bedrock-attempts");
        in_a_row = if relays { in_a_row + 1 } else { 0 };
        (in_a_row == IN_A_ROW).then_some(())
    })
    .await
}
