//! Clients of the chat API.

use futures::future::join_all;
use reqwest::Method;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use super::Street;
use crate::load;
use crate::story::{Story, words};
use crate::world::MAX_REQUEST_BYTES;

/// Number of the Envoy that lives for the whole run.
pub(super) const STEADY: usize = 0;

/// Loopback has many addresses, so these clients count as different from the load.
const ELSEWHERE: &str = "127.0.0.2:0";

pub(super) async fn big_bodies(street: &Street, chats: u32, bytes: usize) {
    let url = street.doors.chat(STEADY);
    let chat = |_| load::ask(&street.story, (&street.client, &url), STEADY, bytes);
    join_all((0..chats).map(chat)).await;
}

pub(super) async fn too_big(street: &Street) -> Result<(), String> {
    let body = load::body(street.story.number(), false, MAX_REQUEST_BYTES);
    expect(
        street,
        Method::POST,
        "/v1/chat/completions",
        body.to_string(),
        &[413],
    )
    .await
}

pub(super) async fn nonsense(street: &Street) -> Result<(), String> {
    let words = words(street.story.number());
    let chats = "/v1/chat/completions";
    let unfinished = format!(
        "{{\"model\": \"{}\", \"messages\": [\"{words}\"], ",
        load::MODEL
    );
    expect(street, Method::POST, chats, unfinished, &[400]).await?;
    let role = format!(
        "{{\"model\": \"{}\", \"messages\": [{{\"role\": \"{words}\"}}]}}",
        load::MODEL
    );
    expect(street, Method::POST, chats, role, &[400]).await?;
    let unknown = load::body(street.story.number(), false, 0)
        .to_string()
        .replace(load::MODEL, "none");
    expect(street, Method::POST, chats, unknown, &[404]).await?;
    expect(street, Method::DELETE, chats, String::new(), &[405]).await?;
    let made_up = Method::from_bytes(b"BREW").expect("a method");
    expect(street, made_up, chats, String::new(), &[400, 405]).await?;
    expect(street, Method::GET, "/v1/none", String::new(), &[404]).await
}

/// Checks that the answer is a JSON error with one of these statuses, and that the
/// request reaches no region.
async fn expect(
    street: &Street,
    method: Method,
    path: &str,
    body: String,
    statuses: &[u16],
) -> Result<(), String> {
    let url = format!("http://127.0.0.1:{}{path}", street.doors.port(STEADY));
    let request = street.client.request(method.clone(), url).body(body);
    let sent = request
        .header("content-type", "application/json")
        .send()
        .await;
    let response = sent.map_err(|error| format!("{method} {path}: {error:?}"))?;
    let reply = e2e::Reply::read(response).await;
    let is_error = reply.text.starts_with(r#"{"error":{"#);
    if !statuses.contains(&reply.status) || !is_error {
        return Err(format!(
            "{method} {path}: not {statuses:?} in OpenAI's format, but {reply:?}"
        ));
    }
    Ok(())
}

pub(super) async fn half_requests(street: &Street, clients: u32) {
    for _ in 0..clients {
        let number = street.story.number();
        let body = load::body(number, false, 0).to_string();
        let (half, _) = body.split_at(body.len() / 2);
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", street.doors.port(STEADY))).await {
            let _ = stream.write_all(format!("{head}{half}").as_bytes()).await;
        }
    }
}

pub(super) async fn half_answers(street: &Street, clients: u32) {
    for client in 0..clients {
        let number = street.story.number();
        // The result does not matter.
        street.story.ledger.open(number);
        street.story.ledger.close(number, true);
        let request = street.client.post(street.doors.chat(STEADY));
        let request = request.json(&load::body(number, client % 2 == 0, 0));
        if let Ok(mut response) = request.send().await {
            let _ = response.chunk().await;
        }
    }
}

/// Clients that stay in the middle of their headers for a while.
pub(super) async fn half_heads(street: &Street, port: u16, (clients, answers): (u32, u32)) {
    let connect = |_| half_head(port);
    let held: Vec<_> = join_all((0..clients).map(connect)).await;
    wait(&street.story, answers).await;
    drop(held);
}

async fn wait(story: &Story, answers: u32) {
    story.wait_answered(answers).await;
}

async fn half_head(port: u16) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.bind(ELSEWHERE.parse().ok()?).ok()?;
    let mut stream = socket.connect(([127, 0, 0, 1], port).into()).await.ok()?;
    stream
        .write_all(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-")
        .await
        .ok()?;
    Some(stream)
}
