//! Requests that an HTTP library refuses to send.

use bytes::Bytes;
use h2::{SendStream, client};
use http::{HeaderMap, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::PATIENCE;

/// Sends bytes to a port on loopback and returns what comes back until the server closes the
/// connection; the request should ask for that with `connection: close`.
pub async fn h1_exchange(port: u16, request: &[u8]) -> String {
    let exchange = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        // The server may answer and close before it has read everything.
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        std::io::Result::Ok(answer)
    };
    let answer = timeout(PATIENCE, exchange)
        .await
        .expect("an answer in time");
    String::from_utf8_lossy(&answer.expect("a connection")).into_owned()
}

/// Posts a body that ends with trailers, over HTTP/2; returns status and body.
pub async fn h2_post_with_trailers(
    port: u16,
    path: &str,
    pieces: Vec<Bytes>,
    trailers: HeaderMap,
) -> (u16, String) {
    let stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("a connection");
    let (mut client, connection) = client::handshake(stream).await.expect("HTTP/2");
    let connection = tokio::spawn(connection);
    let request = Request::post(format!("http://127.0.0.1:{port}{path}"))
        .header("content-type", "application/json")
        .body(())
        .expect("a request");
    let exchange = async {
        let (answer, mut body) = client.send_request(request, false)?;
        // Envoy may answer before it has read everything, and takes no more then; what else is wrong, the answer tells.
        let _ = send(&mut body, pieces, trailers);
        let answer = answer.await?;
        let status = answer.status().as_u16();
        let mut body = answer.into_body();
        let mut bytes = Vec::new();
        while let Some(piece) = body.data().await {
            let piece = piece?;
            let _ = body.flow_control().release_capacity(piece.len());
            bytes.extend(piece);
        }
        Ok::<_, h2::Error>((status, String::from_utf8_lossy(&bytes).into_owned()))
    };
    let outcome = timeout(PATIENCE, exchange)
        .await
        .expect("an answer in time");
    connection.abort();
    outcome.expect("an exchange")
}

fn send(
    body: &mut SendStream<Bytes>,
    pieces: Vec<Bytes>,
    trailers: HeaderMap,
) -> Result<(), h2::Error> {
    for piece in pieces {
        body.send_data(piece, false)?;
    }
    body.send_trailers(trailers)
}
