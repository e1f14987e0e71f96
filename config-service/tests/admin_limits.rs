//! Clients of the admin port that send slowly, or nothing, or open many connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::common::envoy::{CDS, ECDS, Envoy, Service as At};
use crate::common::process::ServiceProcess;
use crate::common::{DEADLINE, TOKEN, TestService};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic::transport::Channel;

/// The first half of a request; a flood consists of one of these.
const HALVES: [&str; 4] = [
    "",
    "GET /api/channels HTTP/1.1\r\nhost: x\r\n",
    "POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 99\r\n\r\na=",
    "POST /api/channels HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{",
];

async fn connect(address: SocketAddr, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // It may already have been closed for a later one.
    let _ = stream.write_all(text.as_bytes()).await;
    stream
}

async fn connect_envoy(service: &ServiceProcess) -> Envoy {
    let uri = format!("http://{}", service.xds);
    let channel = Channel::from_shared(uri).unwrap().connect().await.unwrap();
    let envoy = Envoy::connect_over(channel, "flooded", At::Aggregated).await;
    envoy.unwrap()
}

/// Sends a whole request on a connection that stays open, and returns the answer's first line.
async fn ask(stream: &mut TcpStream, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    if stream.write_all(request.as_bytes()).await.is_err() {
        return String::new();
    }
    let mut answer = vec![0; 4096];
    let read = tokio::time::timeout(DEADLINE, stream.read(&mut answer)).await;
    let length = read.expect("an answer in time").unwrap_or_default();
    let text = String::from_utf8_lossy(&answer[..length]);
    text.lines().next().unwrap_or_default().to_owned()
}

/// Everything until the service closes the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut text)).await;
    // A reset also counts as an end.
    let _ = read.expect("the connection ends");
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn a_flood_of_half_sent_requests_stops_neither_probes_nor_envoys() {
    for half in HALVES {
        let service = ServiceProcess::start(256, &[]);
        let mut flood = Vec::new();
        for _ in 0..300 {
            flood.push(connect(service.admin, half).await);
        }
        for path in ["/healthz", "/readyz"] {
            let mut probe = connect(service.admin, "").await;
            let answer = ask(&mut probe, path).await;
            assert_eq!(answer, "HTTP/1.1 200 OK", "{path} after {half:?}");
        }
        let mut envoy = connect_envoy(&service).await;
        envoy.subscribe(ECDS, "").await;
        envoy.receive(ECDS).await;
        let log = service.log();
        assert!(!log.contains("cannot accept"), "{log}");
        assert!(
            log.contains("the admin port gets fewer connections"),
            "{log}"
        );
        drop(flood);
    }
}

#[tokio::test]
async fn a_flood_of_half_open_xds_connections_stops_neither_probes_nor_envoys() {
    let service = ServiceProcess::start(256, &[]);
    let mut envoy = connect_envoy(&service).await;
    envoy.subscribe(ECDS, "").await;
    let served = envoy.receive(ECDS).await;
    for begun in ["", "PRI * HTTP/2.0\r\n"] {
        let mut flood = Vec::new();
        for _ in 0..300 {
            flood.push(connect(service.xds, begun).await);
        }
        let mut probe = connect(service.admin, "").await;
        assert_eq!(ask(&mut probe, "/readyz").await, "HTTP/1.1 200 OK");
        let mut late = connect_envoy(&service).await;
        late.subscribe(ECDS, "").await;
        late.receive(ECDS).await;
    }
    // The existing one is still served.
    envoy.ack(&served).await;
    envoy.subscribe(CDS, "").await;
    envoy.receive(CDS).await;
    let log = service.log();
    assert!(!log.contains("cannot accept"), "{log}");
}

/// How many requests for the login page the service has answered.
async fn pages(service: &ServiceProcess) -> u64 {
    let mut stream = connect(service.admin, "").await;
    let request = format!(
        "GET /metrics HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let metrics = rest(&mut stream).await;
    let mut lines = metrics.lines();
    let line = lines.find(|line| {
        line.starts_with("config_service_http_requests_total{") && line.contains("\"/login\"")
    });
    let count = line.and_then(|line| line.rsplit(' ').next()?.parse().ok());
    count.unwrap_or_default()
}

#[tokio::test]
async fn pipelined_requests_let_others_have_their_turn() {
    const CONNECTIONS: usize = 60;
    let service = ServiceProcess::start(1024, &[]);
    let batch = "GET /login HTTP/1.1\r\nhost: x\r\n\r\n".repeat(400);
    let mut flood = Vec::new();
    for _ in 0..CONNECTIONS {
        flood.push(connect(service.admin, &batch).await);
    }
    // Nobody reads the answers. In the time of one probe every connection gets a few.
    let mut most = 0;
    let mut before = pages(&service).await;
    for _ in 0..5 {
        let after = pages(&service).await;
        most = most.max(after - before);
        before = after;
    }
    assert!(most < 8 * CONNECTIONS as u64, "{most} answers came first");
    drop(flood);
}

#[tokio::test]
async fn an_address_has_limited_connections_and_loses_the_longest_waiting() {
    let service = TestService::start_in(
        Arc::new(TempDir::new().unwrap()),
        &["--max-connections-per-address=3"],
    )
    .await;
    let mut first = connect(service.admin_addr(), "").await;
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut stream = connect(service.admin_addr(), "").await;
        assert_eq!(ask(&mut stream, "/healthz").await, "HTTP/1.1 200 OK");
        kept.push(stream);
    }
    kept.push(connect(service.admin_addr(), "").await);
    assert_eq!(rest(&mut first).await, "");
    for mut stream in kept {
        assert_eq!(ask(&mut stream, "/healthz").await, "HTTP/1.1 200 OK");
    }
}

#[tokio::test]
async fn the_address_for_metrics_has_limits_too() {
    let dir = Arc::new(TempDir::new().unwrap());
    let service = TestService::start_in(dir, &["--metrics-listen=127.0.0.1:0"]).await;
    let url = service.metrics_url();
    let address = url
        .trim_start_matches("http://")
        .trim_end_matches("/metrics");
    let address: SocketAddr = address.parse().unwrap();
    let mut flood = Vec::new();
    for _ in 0..30 {
        flood.push(connect(address, HALVES[1]).await);
    }
    let mut prometheus = connect(address, "").await;
    assert_eq!(ask(&mut prometheus, "/metrics").await, "HTTP/1.1 200 OK");
    assert_eq!(rest(&mut flood[0]).await, "");
}

/// A service that waits one second for every client.
async fn impatient() -> TestService {
    let dir = Arc::new(TempDir::new().unwrap());
    let module = dir.path().join("filter.wasm");
    // More than the kernel's buffers for a connection can hold.
    let mut bytes = b"\0asm".to_vec();
    bytes.resize(64 * 1024 * 1024, 0);
    std::fs::write(&module, bytes).unwrap();
    let extra = [
        "--header-timeout-seconds=1",
        "--body-timeout-seconds=1",
        "--idle-timeout-seconds=1",
        "--wasm",
        module.to_str().unwrap(),
    ];
    TestService::start_in(Arc::clone(&dir), &extra).await
}

/// Sends a byte every now and then until the service closes the connection; returns what it sent.
async fn trickle(mut stream: TcpStream) -> String {
    let (mut read, mut write) = stream.split();
    let dribble = async {
        while write.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        std::future::pending::<()>().await;
    };
    let mut text = Vec::new();
    let said = async {
        let _ = read.read_to_end(&mut text).await;
    };
    tokio::select! {
        () = said => {}
        () = dribble => {}
        () = tokio::time::sleep(DEADLINE) => panic!("the connection stays open"),
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn slow_request_headers_are_cut_off() {
    let service = impatient().await;
    let head = "GET /healthz HTTP/1.1\r\nhost: ";
    let mut silent = connect(service.admin_addr(), "").await;
    let mut stopped = connect(service.admin_addr(), head).await;
    let slow = connect(service.admin_addr(), head).await;
    let (silent, stopped, slow) =
        tokio::join!(rest(&mut silent), rest(&mut stopped), trickle(slow));
    assert_eq!([silent, stopped, slow], ["", "", ""]);
    // So are those of a later request.
    let mut second = connect(service.admin_addr(), "").await;
    ask(&mut second, "/healthz").await;
    second.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(trickle(second).await, "");
}

#[tokio::test]
async fn slow_bodies_are_answered_with_408() {
    let service = impatient().await;
    let form =
        "POST /login HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    let api =
        format!("POST /api/channels HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\n");
    for head in [form, &api] {
        let half = format!("{head}content-length: 99999\r\n\r\na=");
        let mut stopped = connect(service.admin_addr(), &half).await;
        let slow = connect(service.admin_addr(), &half).await;
        for said in <[String; 2]>::from(tokio::join!(rest(&mut stopped), trickle(slow))) {
            assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
            assert!(said.contains("connection: close\r\n"), "{said}");
            assert!(
                said.contains("the body of the request took too long"),
                "{said}"
            );
        }
    }
}

#[tokio::test]
async fn a_body_that_is_slow_but_in_time_is_served() {
    let service = TestService::start().await;
    let body = r#"{"name": "x"}"#;
    let head = format!(
        "POST /api/channels HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    let mut stream = connect(service.admin_addr(), &head).await;
    for byte in body.bytes() {
        stream.write_all(&[byte]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let said = rest(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 422 "), "{said}");
}

#[tokio::test]
async fn connections_without_a_request_are_closed() {
    let service = impatient().await;
    let mut stream = connect(service.admin_addr(), "").await;
    assert_eq!(ask(&mut stream, "/healthz").await, "HTTP/1.1 200 OK");
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_abandoned() {
    let service = impatient().await;
    let sha256 = service.status().await["filter"]["sha256"].clone();
    let path = format!("/filter/{}.wasm", sha256.as_str().unwrap());
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    let mut stream = connect(service.admin_addr(), &request).await;
    // The connection is gone once the service no longer reads from it and refuses what is sent.
    let gone = async {
        while stream
            .write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            .await
            .is_ok()
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, gone)
        .await
        .expect("the connection ends");
    // A client that reads gets all of it, unless the machine is too busy to let it read for a
    // second.
    let url = service.url(&path);
    let whole = async {
        loop {
            let answer = reqwest::get(&url).await.unwrap();
            if let Ok(whole) = answer.bytes().await {
                return whole;
            }
        }
    };
    let whole = tokio::time::timeout(DEADLINE, whole).await;
    assert_eq!(whole.expect("it is read").len(), 64 * 1024 * 1024);
}
