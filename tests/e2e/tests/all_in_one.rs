//! Everything in one container: the config-service starts Envoy, and an environment as in an `.env` file is enough.

use std::path::Path;
use std::process::Command;

use bedrock_simulator::{Fault, Simulator};
use e2e::{
    ACCESS_KEY_ID, Artefacts, REGION, Reply, SEAL_KEY, SECRET_ACCESS_KEY, Scratch, eventually, run,
    simulator,
};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use xtask::ports::{Ports, is_free};
use xtask::process::Process;

/// A config-service with an Envoy of its own.
struct Gateway {
    process: Process,
    ports: Ports,
    client: Client,
    scratch: Scratch,
}

impl Gateway {
    /// Starts it with the variables of an `.env` file for the simulator.
    fn start(bedrock: &Simulator, envoy: &Path) -> Self {
        let (artefacts, scratch) = (Artefacts::from_environment(), Scratch::new());
        let ports = Ports::free().expect("free ports");
        let mut command = Command::new(artefacts.config_service);
        let loopback = |port: u16| format!("127.0.0.1:{port}");
        command
            .env_clear()
            // What the image sets.
            .env("BEDROCK_WITH_ENVOY", envoy)
            .env("BEDROCK_WASM_PATH_IN_ENVOY", artefacts.module)
            .env("BEDROCK_ENVOY_LISTEN", loopback(ports.envoy))
            .env("BEDROCK_LISTEN", loopback(ports.admin_api))
            .env("BEDROCK_DATABASE", scratch.join("channels.db"))
            .env("BEDROCK_INIT", "true")
            .env("BEDROCK_CHANNELS_FROM_ENVIRONMENT", "true")
            .env("BEDROCK_FAILOVER", "true")
            // What the file has.
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
            .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
            .env("BEDROCK_BASE_URL", bedrock.url())
            .env("BEDROCK_MODELS", "claude-sonnet-4-5,nova-pro")
            .env("BEDROCK_SEAL_KEY", SEAL_KEY)
            // What lets tests run side by side.
            .env("BEDROCK_XDS_LISTEN", loopback(ports.xds))
            .env("BEDROCK_ENVOY_ADMIN", loopback(ports.envoy_admin))
            .env("BEDROCK_ENVOY_ARGUMENTS", "--concurrency 2")
            .env("BEDROCK_ENVOY_STOP_SECONDS", "60");
        let log = scratch.join("gateway.log");
        let process = Process::spawn("the gateway", &mut command, &log);
        Self {
            process: process.expect("the gateway starts"),
            ports,
            client: Client::new(),
            scratch,
        }
    }

    fn log(&self) -> String {
        let bytes = std::fs::read(self.scratch.join("gateway.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The process ids of the Envoys that it has started.
    fn envoys(&self) -> Vec<u32> {
        let log = self.log();
        let lines = log.lines().filter(|line| line.contains("Envoy started"));
        let ids = lines.filter_map(|line| line.split_once("pid=")?.1.trim().parse().ok());
        ids.collect()
    }

    async fn ask(&self, body: &Value) -> Option<Response> {
        let url = format!("http://127.0.0.1:{}/v1/chat/completions", self.ports.envoy);
        let answer = self.client.post(url).json(body).send().await.ok()?;
        Some(answer)
    }

    /// Waits until a chat is answered.
    async fn wait_served(&mut self) -> Reply {
        eventually("a chat is answered", async || {
            self.process.check_alive().expect("the gateway runs");
            let answer = self.ask(&chat()).await?;
            let reply = Reply::read(answer).await;
            (reply.status == 200).then_some(reply)
        })
        .await
    }

    fn signal(&self) {
        signal("TERM", self.process.id());
    }
}

fn signal(name: &str, id: u32) {
    let sent = Command::new("kill")
        .args(["-s", name, &id.to_string()])
        .status();
    assert!(sent.expect("kill runs").success());
}

fn is_running(id: u32) -> bool {
    Path::new("/proc").join(id.to_string()).exists()
}

fn chat() -> Value {
    json!({"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "Hi"}]})
}

#[test]
fn it_answers_restarts_a_crashed_envoy_and_lets_streams_finish() {
    run(async {
        let bedrock = simulator().await;
        let mut gateway = Gateway::start(&bedrock, &Artefacts::from_environment().envoy);
        let reply = gateway.wait_served().await;
        assert_eq!(reply.text_of_answer(), "You said: Hi");
        assert_eq!(reply.header("x-bedrock-channel"), "bedrock");
        let [first] = gateway.envoys()[..] else {
            panic!("{}", gateway.log());
        };
        // What AWS issues is for the config-service; Envoy gets it sealed.
        let environment = std::fs::read(format!("/proc/{first}/environ")).unwrap();
        let environment = String::from_utf8_lossy(&environment);
        assert!(environment.contains(SEAL_KEY), "{environment}");
        assert!(!environment.contains(SECRET_ACCESS_KEY), "{environment}");

        signal("KILL", first);
        eventually("Envoy is started again", async || {
            (gateway.envoys().len() == 2).then_some(())
        })
        .await;
        gateway.wait_served().await;

        let second = gateway.envoys()[1];
        bedrock.inject(Fault::held(3));
        let mut body = chat();
        body["stream"] = json!(true);
        body["messages"][0]["content"] = json!("one two three four five six seven eight nine ten");
        let mut stream = gateway.ask(&body).await.expect("a stream");
        let head = stream
            .chunk()
            .await
            .expect("it has begun")
            .expect("a piece");
        gateway.signal();
        eventually("the listener is closed", async || {
            is_free(gateway.ports.envoy).then_some(())
        })
        .await;
        bedrock.release();
        let mut text = String::from_utf8_lossy(&head).into_owned();
        while let Some(piece) = stream.chunk().await.expect("the stream goes on") {
            text.push_str(&String::from_utf8_lossy(&piece));
        }
        assert!(text.contains("data: [DONE]"), "{text}");
        let status = eventually("the gateway ends", async || gateway.process.exited()).await;
        assert!(status.success(), "{status}: {}", gateway.log());
        assert!(!is_running(second));
        assert!(!gateway.log().contains(SECRET_ACCESS_KEY));
    });
}

#[test]
fn an_envoy_that_does_not_stay_up_ends_the_gateway() {
    run(async {
        let bedrock = simulator().await;
        let mut gateway = Gateway::start(&bedrock, Path::new("/bin/false"));
        let status = eventually("the gateway ends", async || gateway.process.exited()).await;
        assert_eq!(status.code(), Some(1));
        let log = gateway.log();
        assert!(log.contains("Envoy ended 5 times in a row"), "{log}");
        assert_eq!(gateway.envoys().len(), 5);
    });
}
