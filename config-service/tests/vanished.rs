//! An Envoy whose connection stays open although it is gone: a machine that lost power, or a network that
//! drops everything.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;
use tonic::transport::Channel;

use crate::common::envoy::{ECDS, Envoy, Service as At};
use crate::common::{TestService, channel};

/// Far longer than it may take, for busy machines.
const DEADLINE: Duration = Duration::from_secs(120);

/// A connection to the xDS server on which nothing arrives while the sender says so.
async fn connection_to(service: &TestService) -> (Channel, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap());
    let server = service.xds_addr();
    let (silent, mut is_silent) = watch::channel(false);
    tokio::spawn(async move {
        let (mut envoy, _) = listener.accept().await.unwrap();
        let mut server = TcpStream::connect(server).await.unwrap();
        // Both stay open all the time.
        loop {
            tokio::select! {
                _ = copy_bidirectional(&mut envoy, &mut server) => return,
                _ = is_silent.wait_for(|silent| *silent) => {}
            }
            if is_silent.wait_for(|silent| !*silent).await.is_err() {
                return;
            }
        }
    });
    let endpoint = Channel::from_shared(uri).unwrap();
    (endpoint.connect().await.unwrap(), silent)
}

async fn active_envoy(service: &TestService, connection: Channel) -> Envoy {
    let envoy = Envoy::connect_over(connection, "e1", At::Extensions).await;
    let mut envoy = envoy.unwrap();
    envoy.subscribe(ECDS, "").await;
    let plugin = envoy.receive(ECDS).await;
    envoy.ack(&plugin).await;
    let active = |status: &Value| status["envoys"][0]["state"] == "active";
    service.wait_for("active", active).await;
    envoy
}

#[tokio::test]
async fn an_envoy_that_compiles_the_filter_for_long_stays_connected() {
    let service = TestService::start().await;
    let (connection, silent) = connection_to(&service).await;
    let mut envoy = active_envoy(&service, connection).await;
    silent.send_replace(true);
    // Longer than an idle Envoy takes by far; this is what is tested, not how soon anything happens.
    tokio::time::sleep(Duration::from_secs(25)).await;
    service.create(&channel("added")).await;
    silent.send_replace(false);
    let plugin = envoy.receive(ECDS).await;
    envoy.ack(&plugin).await;
}

#[tokio::test]
async fn an_envoy_that_vanishes_leaves_the_status() {
    let timeout = ["--envoy-timeout-seconds", "15"];
    let service = TestService::start_in(Arc::new(TempDir::new().unwrap()), &timeout).await;
    let (connection, silent) = connection_to(&service).await;
    let _envoy = active_envoy(&service, connection).await;
    silent.send_replace(true);
    let deadline = Instant::now() + DEADLINE;
    while service.status().await["envoys"] != json!([]) {
        assert!(Instant::now() < deadline, "it never disappears");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
