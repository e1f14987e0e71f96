//! `docs/QUICKSTART_ENVOY.md`: its steps, done to an Envoy that serves something else, with its own commands as proof.

use std::path::Path;
use std::process::Command;

use bedrock_simulator::Simulator;
use e2e::{
    ACCESS_KEY_ID, Artefacts, Bootstrap, SEAL_KEY, SECRET_ACCESS_KEY, Scratch, examples, run,
    simulator,
};
use serde_json::{Value, json};
use xtask::ports::Ports;
use xtask::process::Process;

const PAGE: &str = "docs/QUICKSTART_ENVOY.md";
const MANAGER: &str =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

/// The token that it would generate.
const TOKEN: &str = "quickstart-token-0123456789";

struct Machine {
    artefacts: Artefacts,
    ports: Ports,
    scratch: Scratch,
}

impl Machine {
    /// The examples under a heading, with this machine's ports and files.
    fn examples(&self, heading: &str, language: &str) -> Vec<String> {
        let module = self.artefacts.module.display().to_string();
        let adapted = |text: String| {
            text.replace("$PWD/bedrock_filter.wasm", &module)
                .replace(
                    "127.0.0.1:8080",
                    &format!("127.0.0.1:{}", self.ports.admin_api),
                )
                .replace(
                    "127.0.0.1:10000",
                    &format!("127.0.0.1:{}", self.ports.envoy),
                )
                .replace(
                    "port_value: 18000",
                    &format!("port_value: {}", self.ports.xds),
                )
        };
        let all = examples(PAGE, heading, language);
        all.into_iter().map(adapted).collect()
    }

    fn yaml(&self, heading: &str) -> Vec<Value> {
        let all = self.examples(heading, "yaml").into_iter();
        all.map(|text| serde_saphyr::from_str(&text).unwrap())
            .collect()
    }

    /// Runs a command of the page; returns what it wrote.
    fn shell(&self, command: &str) -> String {
        let programs = self.artefacts.config_service.parent().unwrap();
        let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("bash");
        shell
            .args(["-euc", command])
            .current_dir(self.scratch.path())
            .env("PATH", path)
            .env(
                "BEDROCK_SERVER",
                format!("http://127.0.0.1:{}", self.ports.admin_api),
            )
            .env("BEDROCK_ADMIN_TOKEN", TOKEN);
        let output = shell.output().unwrap();
        let [said, log] =
            [&output.stdout, &output.stderr].map(|own| String::from_utf8_lossy(own).into_owned());
        assert!(output.status.success(), "{command}: {said} {log}");
        said
    }

    /// Step 1, in the environment that its other lines make.
    fn start_service(&self) -> Process {
        let step = &self.examples("## 1. Start the config-service", "sh")[0];
        let line = step
            .lines()
            .find(|line| line.starts_with("config-service "))
            .unwrap();
        let line = line
            .trim_end_matches(" &")
            .replace("$PWD", &self.scratch.path().display().to_string());
        let mut words = line.split_whitespace().map(|word| word.trim_matches('"'));
        words.next();
        let mut command = Command::new(&self.artefacts.config_service);
        command
            .args(words)
            .arg(format!("--listen=127.0.0.1:{}", self.ports.admin_api))
            .arg(format!("--xds-listen=127.0.0.1:{}", self.ports.xds))
            .current_dir(self.scratch.path())
            .env("BEDROCK_ADMIN_TOKEN", TOKEN)
            .env("BEDROCK_SEAL_KEY", SEAL_KEY);
        let log = self.scratch.join("config-service.log");
        Process::spawn("config-service", &mut command, &log).unwrap()
    }

    /// Step 2, with a channel that leads to the simulator.
    fn create_channel(&self, bedrock: &Simulator) {
        let steps = self.examples("## 2. Create a channel", "sh");
        let [create, explain] = &steps[..] else {
            panic!("two commands");
        };
        let endpoint = format!(
            "\"region\": \"us-east-1\", \"endpoint\": \"{}\"",
            bedrock.url()
        );
        let create = create
            .replace("\"region\": \"us-east-1\"", &endpoint)
            .replace("AKIDEXAMPLE", ACCESS_KEY_ID)
            .replace(
                "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                SECRET_ACCESS_KEY,
            );
        self.shell(&create);
        assert!(self.shell(explain).contains("claude-sonnet-4-5"));
    }

    /// The beginning of step 5. Hot restart would make Envoys on one machine share a socket.
    fn start_envoy(&self, start: &str) -> Process {
        let start = start.trim().trim_end_matches(" &");
        let binary = self.artefacts.envoy.display().to_string();
        let start = start.replacen("envoy", &format!("exec {binary}"), 1);
        let mut command = Command::new("bash");
        command
            .args(["-euc", &format!("{start} --disable-hot-restart")])
            .current_dir(self.scratch.path())
            .env("BEDROCK_SEAL_KEY", SEAL_KEY);
        Process::spawn("Envoy", &mut command, &self.scratch.join("envoy.log")).unwrap()
    }

    /// Steps 3 and 4, done to a bootstrap that has nothing of ours.
    fn bootstrap(&self) -> Bootstrap {
        let mut document = existing(&self.ports);
        let parts = self.yaml("## 3. Let Envoy get clusters and the filter");
        let [dynamic, node, clusters] = &parts[..] else {
            panic!("three examples");
        };
        document["dynamic_resources"] = dynamic["dynamic_resources"].clone();
        document["node"] = node["node"].clone();
        extend(&mut document["static_resources"]["clusters"], clusters);
        let parts = self.yaml("## 4. Put the filter and its routes into the listener");
        let [mutation, filter, routes, limit] = &parts[..] else {
            panic!("four examples");
        };
        let listener = &mut document["static_resources"]["listeners"][0];
        let name = "per_connection_buffer_limit_bytes";
        listener[name] = limit[name].clone();
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        let name = "early_header_mutation_extensions";
        manager[name] = mutation[name].clone();
        let filters = manager["http_filters"].as_array_mut().unwrap();
        filters.insert(filters.len() - 1, filter[0].clone());
        let own = manager["route_config"]["virtual_hosts"][0]["routes"]
            .as_array_mut()
            .unwrap();
        own.splice(0..0, routes.as_array().unwrap().iter().cloned());
        Bootstrap { document }
    }
}

/// The first step of an upgrade, which works for whoever installed it like this.
fn backup() -> String {
    let page = std::fs::read_to_string(e2e::repository().join("docs/UPGRADING.md")).unwrap();
    let (_, step) = page.split_once("1. Back up the database: `").unwrap();
    step.split('`').next().unwrap().to_owned()
}

fn extend(list: &mut Value, more: &Value) {
    let list = list.as_array_mut().unwrap();
    list.extend(more.as_array().unwrap().iter().cloned());
}

/// A bootstrap that serves `/team`, and has no `node`, which a static one does not need.
fn existing(ports: &Ports) -> Value {
    let address =
        |port: u16| json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } });
    json!({
        "admin": { "address": address(ports.envoy_admin) },
        "static_resources": {
            "clusters": [],
            "listeners": [{
                "name": "team",
                "address": address(ports.envoy),
                "filter_chains": [{ "filters": [{
                    "name": "envoy.filters.network.http_connection_manager",
                    "typed_config": {
                        "@type": format!("type.googleapis.com/{MANAGER}"),
                        "stat_prefix": "team",
                        "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [{
                            "match": { "prefix": "/team" },
                            "direct_response": { "status": 200, "body": { "inline_string": "ours" } },
                        }] }] },
                        "http_filters": [{ "name": "envoy.filters.http.router", "typed_config": {
                            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
                        } }],
                    },
                }] }],
            }],
        },
    })
}

fn write(path: &Path, bootstrap: &Bootstrap) {
    std::fs::write(path, bootstrap.document.to_string()).unwrap();
}

#[test]
fn five_steps_lead_to_a_chat() {
    xtask::system::find("curl").expect("curl, which the page uses: `apt-get install curl`");
    run(async {
        let machine = Machine {
            artefacts: Artefacts::from_environment(),
            ports: Ports::free().unwrap(),
            scratch: Scratch::new(),
        };
        let bedrock = simulator().await;
        let _service = machine.start_service();
        let first = machine.examples("## 1. Start the config-service", "sh");
        machine.shell(&first[1]);
        machine.create_channel(&bedrock);

        let bootstrap = machine.bootstrap();
        let file = machine.scratch.join("envoy.yaml");
        write(&file, &bootstrap);
        let validate = &machine.examples(
            "## 4. Put the filter and its routes into the listener",
            "sh",
        )[0];
        let envoy = machine.artefacts.envoy.display().to_string();
        machine.shell(&validate.replace("envoy --mode", &format!("{envoy} --mode")));

        let last = machine.examples("## 5. Start Envoy and ask", "sh");
        let [start, ready, chat] = &last[..] else {
            panic!("three commands");
        };
        let _envoy = machine.start_envoy(start);
        machine.shell(ready);
        let answer: Value = serde_json::from_str(&machine.shell(chat)).unwrap();
        assert_eq!(
            answer["choices"][0]["message"]["content"],
            "You said: Hello!"
        );
        assert!(bedrock.requests().iter().all(|own| own.was_valid()));
        machine.shell(&backup());

        let team = format!("http://127.0.0.1:{}/team", machine.ports.envoy);
        let own = reqwest::get(team).await.unwrap().text().await.unwrap();
        assert_eq!(own, "ours");
    });
}

/// Otherwise a header with which clients choose models would get through one and not the other.
#[test]
fn clients_headers_are_those_of_our_own_bootstrap() {
    let parts = e2e::examples(
        PAGE,
        "## 4. Put the filter and its routes into the listener",
        "yaml",
    );
    let name = "early_header_mutation_extensions";
    let page: Value = serde_saphyr::from_str(&parts[0]).unwrap();
    let mut ours = Bootstrap::dynamic(&Ports::free().unwrap());
    assert_eq!(page[name], ours.connection_manager()[name]);
}
