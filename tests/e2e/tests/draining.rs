//! Envoys that are to stop let their streams finish: the chart's pods, and the containers of `envoy/Dockerfile`.

use std::fs::File;
use std::process::{Command, ExitStatus};

use bedrock_simulator::{Fault, Simulator};
use e2e::{
    Artefacts, Bootstrap, Channel, SEAL_KEY, Scratch, Stack, eventually, repository, run, simulator,
};
use reqwest::{Client, Response};
use xtask::ports::Ports;
use xtask::process::Process;

#[test]
fn an_envoy_that_is_to_stop_waits_for_its_streams() {
    run(async {
        let (stack, bedrock) = (Stack::start().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        bedrock.inject(Fault::held(3));
        let body = channel.ask_stream("a text of several words, one by one");
        let mut response = stack.envoy.chat_request(&body).send().await.unwrap();
        let mut text = response.chunk().await.unwrap().unwrap().to_vec();

        let script = repository().join("deploy/helm/bedrock-filter/files/drain.sh");
        let (scratch, mut drain) = (Scratch::new(), Command::new("bash"));
        let trace = scratch.join("trace");
        drain
            .arg("-x")
            .arg(script)
            .arg("600")
            .stderr(File::create(&trace).unwrap())
            .env(
                "ENVOY_ADMIN",
                format!("127.0.0.1/{}", stack.envoy.admin_port()),
            )
            .env("DRAIN_PAUSE", "0");
        let draining = tokio::task::spawn_blocking(move || drain.status().unwrap().success());
        eventually("the script has seen the stream and waits", async || {
            assert!(!draining.is_finished(), "it did not wait");
            let trace = std::fs::read_to_string(&trace).unwrap();
            trace.contains("+ sleep 1").then_some(())
        })
        .await;
        bedrock.release();
        text.extend(response.bytes().await.unwrap());
        assert!(text.ends_with(b"[DONE]\n\n"));
        assert!(draining.await.unwrap());
        // Clients are told to go elsewhere, but whoever still comes is served.
        let late = stack.envoy.chat(&channel.ask("Hi")).await;
        assert_eq!(late.status, 200);
        assert_eq!(late.header("connection"), "close");
    });
}

#[test]
fn nothing_is_waited_for_where_there_is_no_envoy() {
    let script = repository().join("deploy/helm/bedrock-filter/files/drain.sh");
    let port = xtask::ports::free_port().unwrap();
    let mut drain = Command::new("bash");
    drain.arg(script).arg("600");
    drain.env("ENVOY_ADMIN", format!("127.0.0.1/{port}"));
    assert!(drain.env("DRAIN_PAUSE", "0").status().unwrap().success());
}

/// One more Envoy of a stack's, started as its image does.
struct Container {
    process: Process,
    ports: Ports,
    client: Client,
    _scratch: Scratch,
}

impl Container {
    async fn start(stack: &Stack, seconds: &str) -> Self {
        let (scratch, own) = (Scratch::new(), Ports::free().unwrap());
        let ports = Ports {
            admin_api: stack.ports.admin_api,
            xds: stack.ports.xds,
            ..own
        };
        let bootstrap = Bootstrap::dynamic(&ports).document.to_string();
        let mut entrypoint = Command::new(repository().join("envoy/entrypoint.sh"));
        entrypoint
            .args(["--disable-hot-restart", "--concurrency", "2"])
            .env("PATH", path(&scratch))
            .env("TMPDIR", scratch.path())
            .env("ENVOY_TEMPLATE", scratch.write("template.yaml", &bootstrap))
            .env("ENVOY_DRAIN", repository().join("envoy/drain.sh"))
            .env("ENVOY_ADMIN", format!("127.0.0.1/{}", ports.envoy_admin))
            .env("BEDROCK_ENVOY_STOP_SECONDS", seconds)
            .env("BEDROCK_SEAL_KEY", SEAL_KEY);
        let log = scratch.join("container.log");
        let mut started = Self {
            process: Process::spawn("the container", &mut entrypoint, &log).unwrap(),
            ports,
            client: Client::new(),
            _scratch: scratch,
        };
        started.wait_ready().await;
        started
    }

    async fn wait_ready(&mut self) {
        eventually("the container is ready", async || {
            self.process.check_alive().unwrap();
            let url = format!("http://127.0.0.1:{}/health/readiness", self.ports.envoy);
            let answer = self.client.get(url).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// Begins a stream that then stands still, and returns it with its first piece.
    async fn stream(&self, bedrock: &Simulator, channel: &Channel) -> (Response, Vec<u8>) {
        bedrock.inject(Fault::held(3));
        let url = format!("http://127.0.0.1:{}/v1/chat/completions", self.ports.envoy);
        let body = channel.ask_stream("a text of several words, one by one");
        let mut response = self.client.post(url).json(&body).send().await.unwrap();
        let first = response.chunk().await.unwrap().unwrap();
        (response, first.to_vec())
    }

    /// What a runtime sends to the container's first process.
    fn stop(&self) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", "TERM", &id]).status();
        assert!(sent.unwrap().success());
    }

    async fn wait_draining(&self) {
        eventually("it drains", async || {
            let url = format!("http://127.0.0.1:{}/ready", self.ports.envoy_admin);
            let answer = self.client.get(url).send().await.ok()?;
            (answer.status() == 503).then_some(())
        })
        .await;
    }

    async fn wait_end(&mut self) -> ExitStatus {
        eventually("the container ends", async || self.process.exited()).await
    }
}

/// One in which the program is called `envoy`.
fn path(scratch: &Scratch) -> String {
    let binary = Artefacts::from_environment().envoy;
    std::os::unix::fs::symlink(binary, scratch.join("envoy")).unwrap();
    let others = std::env::var("PATH").unwrap();
    format!("{}:{others}", scratch.path().display())
}

/// All that arrives, whether or not it is cut.
async fn rest((mut response, mut text): (Response, Vec<u8>)) -> String {
    while let Ok(Some(piece)) = response.chunk().await {
        text.extend(piece);
    }
    String::from_utf8(text).unwrap()
}

#[test]
fn a_container_that_is_to_stop_waits_for_its_streams() {
    run(async {
        let (stack, bedrock) = (Stack::start().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        let mut container = Container::start(&stack, "600").await;
        let stream = container.stream(&bedrock, &channel).await;
        container.stop();
        container.wait_draining().await;
        bedrock.release();
        let text = rest(stream).await;
        assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
        let status = container.wait_end().await;
        assert!(status.success(), "{status}");
    });
}

#[test]
fn a_second_signal_and_the_end_of_its_patience_cut_them() {
    run(async {
        let (stack, bedrock) = (Stack::start().await, simulator().await);
        let channel = stack.channel(&bedrock).await;
        for (seconds, signals) in [("600", 2), ("0", 1)] {
            let mut container = Container::start(&stack, seconds).await;
            let stream = container.stream(&bedrock, &channel).await;
            container.stop();
            if signals == 2 {
                container.wait_draining().await;
                container.stop();
            }
            let text = rest(stream).await;
            assert!(!text.contains("[DONE]"), "{seconds} {text}");
            container.wait_end().await;
        }
    });
}
