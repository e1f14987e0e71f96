//! An Envoy whose connection stays, but has nobody at its end: a machine that lost power, or a network that
//! drops everything.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;
use tonic::transport::Channel;

use crate::common::TestService;
use crate::common::envoy::{ECDS, Envoy, Service as At};

/// Far more than the 20 seconds that are promised, for busy machines.
const DEADLINE: Duration = Duration::from_secs(120);

/// A way to the xDS server on which, from some time on, nothing arrives any more.
async fn way_to(service: &TestService) -> (Channel, watch::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap());
    let server = service.xds_addr();
    let (cut, mut is_cut) = watch::channel(false);
    tokio::spawn(async move {
        let (mut envoy, _) = listener.accept().await.unwrap();
        let mut server = TcpStream::connect(server).await.unwrap();
        tokio::select! {
            _ = copy_bidirectional(&mut envoy, &mut server) => {}
            _ = is_cut.wait_for(|cut| *cut) => {}
        }
        // Both stay open.
        std::future::pending::<()>().await;
    });
    let endpoint = Channel::from_shared(uri).unwrap();
    (endpoint.connect().await.unwrap(), cut)
}

#[tokio::test]
async fn an_envoy_that_vanishes_leaves_the_status() {
    let service = TestService::start().await;
    let (channel, cut) = way_to(&service).await;
    let envoy = Envoy::connect_over(channel, "e1", At::Extensions).await;
    let mut envoy = envoy.unwrap();
    envoy.subscribe(ECDS, "").await;
    let plugin = envoy.receive(ECDS).await;
    envoy.ack(&plugin).await;
    let active = |status: &Value| status["envoys"][0]["state"] == "active";
    service.wait_for("active", active).await;
    cut.send_replace(true);
    let deadline = Instant::now() + DEADLINE;
    while service.status().await["envoys"] != json!([]) {
        assert!(Instant::now() < deadline, "it is there for ever");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
