//! Clients that speak plain HTTP to a port that speaks HTTPS.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The first byte of every TLS connection: the type of a handshake record
/// (<https://www.rfc-editor.org/rfc/rfc8446#section-5.1>).
const HANDSHAKE: u8 = 22;

/// The most bytes to read from a request after answering it.
const MAX_READ: u64 = 1024 * 1024;

const ANSWER: &str = concat!(
    "HTTP/1.1 400 Bad Request\r\n",
    "content-type: application/problem+json\r\n",
    "content-length: 156\r\n",
    "cache-control: no-store\r\n",
    "x-content-type-options: nosniff\r\n",
    "connection: close\r\n",
    "\r\n",
    r#"{"type":"about:blank","title":"Bad Request","status":400,"#,
    r#""detail":"this port speaks HTTPS, and the request came in plain text: use https:// in the address"}"#,
);

/// Whether the client begins with something other than TLS; waits for its first byte.
pub(super) async fn is_spoken(stream: &TcpStream) -> bool {
    let mut first = [0];
    matches!(stream.peek(&mut first).await, Ok(1)) && first != [HANDSHAKE]
}

/// Explains it in plain HTTP. There is no redirect, because the client would keep sending its token
/// in plain text.
pub(super) async fn refuse(mut stream: TcpStream) {
    // Unread bytes would make the kernel reset the connection, and the answer would be lost.
    let _ = stream.read(&mut [0; 16 * 1024]).await;
    if stream.write_all(ANSWER.as_bytes()).await.is_ok() && stream.shutdown().await.is_ok() {
        let mut rest = stream.take(MAX_READ);
        let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_as_long_as_it_says() {
        let (head, body) = ANSWER.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())));
    }
}
