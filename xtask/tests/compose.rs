//! `docker-compose.yml` agrees with the programs, bootstraps and Dockerfiles it is made of.
//!
//! Rules of the file: <https://docs.docker.com/reference/compose-file/>.

mod file;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::support::{root, text, yaml};
use serde_json::Value;
use xtask::ports::Ports;

use file::{build, compose, flag, flags, published, services, strings};

/// A service whose program is ours: its name and the variable that holds the executable.
const PROGRAMS: [(&str, &str); 2] = [
    ("config-service", "CONFIG_SERVICE_BIN"),
    ("simulator", "BEDROCK_SIMULATOR_BIN"),
];

/// Ports of what is started with the profile `observability`.
const PROMETHEUS: u16 = 9090;
const GRAFANA: u16 = 3000;

/// What `program --help` says.
fn help(variable: &str) -> String {
    let program = std::env::var_os(variable)
        .unwrap_or_else(|| panic!("{variable} is not set: run `cargo xtask test`"));
    let output = Command::new(program).arg("--help").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn keys_are_those_of_the_specification() {
    let top = ["name", "services", "volumes"];
    let service = [
        "build",
        "cap_drop",
        "command",
        "depends_on",
        "entrypoint",
        "environment",
        "healthcheck",
        "image",
        "ports",
        "profiles",
        "read_only",
        "restart",
        "security_opt",
        "tmpfs",
        "volumes",
    ];
    let healthcheck = ["test", "interval", "timeout", "retries"];
    let check = |value: &Value, known: &[&str]| {
        for key in value.as_object().unwrap().keys() {
            assert!(known.contains(&key.as_str()), "unknown key {key}");
        }
    };
    check(&compose(), &top);
    for value in services().values() {
        check(value, &service);
        assert_ne!(value.get("build").is_some(), value.get("image").is_some());
        if let Some(health) = value.get("healthcheck") {
            check(health, &healthcheck);
            assert_eq!(health["test"][0], "CMD");
        }
    }
}

#[test]
fn every_build_context_and_dockerfile_exists() {
    for (name, service) in services() {
        if let Some((context, dockerfile)) = build(&service) {
            assert!(context.is_dir(), "{name}: {}", context.display());
            assert!(dockerfile.is_file(), "{name}: {}", dockerfile.display());
        }
    }
}

#[test]
fn every_file_that_a_dockerfile_copies_exists() {
    for (name, service) in services() {
        let Some((context, dockerfile)) = build(&service) else {
            continue;
        };
        for line in std::fs::read_to_string(dockerfile).unwrap().lines() {
            let words: Vec<_> = line.split_whitespace().collect();
            if words.first() != Some(&"COPY") || line.contains("--from=") {
                continue;
            }
            let paths: Vec<_> = words[1..]
                .iter()
                .filter(|word| !word.starts_with("--"))
                .collect();
            for path in &paths[..paths.len() - 1] {
                assert!(context.join(path).exists(), "{name}: {line}");
            }
        }
    }
}

#[test]
fn every_mount_is_a_declared_volume_or_an_existing_file() {
    let document = compose();
    let declared = document["volumes"].as_object().unwrap();
    for (name, service) in services() {
        for mount in strings(&service["volumes"]) {
            let source = mount.split(':').next().unwrap();
            let exists = if source.starts_with('.') {
                root().join(source).exists()
            } else {
                declared.contains_key(source)
            };
            assert!(exists, "{name}: {mount}");
        }
    }
}

#[test]
fn every_dependency_exists_and_has_a_health_check_to_wait_for() {
    let services = services();
    for (name, service) in &services {
        let dependencies = service.get("depends_on").and_then(Value::as_object);
        for (other, condition) in dependencies.into_iter().flatten() {
            let dependency = services
                .get(other)
                .unwrap_or_else(|| panic!("{name}: {other}"));
            if condition["condition"] == "service_healthy" {
                assert!(dependency.get("healthcheck").is_some(), "{name}: {other}");
            }
        }
    }
}

#[test]
fn published_ports_are_the_defaults_on_loopback() {
    let published: BTreeSet<_> = services()
        .values()
        .flat_map(published)
        .map(|(address, port, target)| {
            assert_eq!(address, "127.0.0.1");
            assert_eq!(port, target);
            port
        })
        .collect();
    let defaults = Ports::DEFAULT;
    let ours = [defaults.envoy, defaults.admin_api, defaults.simulator];
    let expected = ours.into_iter().chain([PROMETHEUS, GRAFANA]).collect();
    assert_eq!(published, expected);
}

#[test]
fn programs_listen_on_their_default_ports_inside() {
    let services = services();
    for (name, variable) in PROGRAMS {
        let help = help(variable);
        // The port for metrics has no default; see `observability`.
        let flags = flags(&services[name]).into_iter();
        for (flag, value) in flags.filter(|(flag, _)| flag != "--metrics-listen") {
            if let Some(port) = value.strip_prefix("0.0.0.0:") {
                let default = default_of(&help, &flag);
                assert_eq!(default, format!("127.0.0.1:{port}"), "{name} {flag}");
            }
        }
    }
}

#[test]
fn the_documented_ports_are_those_of_programs_and_bootstraps() {
    let Ports {
        envoy,
        envoy_admin,
        envoy_metrics,
        admin_api,
        xds,
        simulator,
    } = Ports::DEFAULT;
    let service = help("CONFIG_SERVICE_BIN");
    assert_eq!(
        default_of(&service, "--listen"),
        format!("127.0.0.1:{admin_api}")
    );
    assert_eq!(
        default_of(&service, "--xds-listen"),
        format!("127.0.0.1:{xds}")
    );
    let help = help("BEDROCK_SIMULATOR_BIN");
    assert_eq!(
        default_of(&help, "--listen"),
        format!("127.0.0.1:{simulator}")
    );
    let bootstrap = yaml("envoy/envoy.yaml");
    let port = |owner: &str| {
        let address = format!("{owner}/address/socket_address/port_value");
        bootstrap.pointer(&address).unwrap().as_u64().unwrap()
    };
    let upstream = |index| {
        port(&format!(
            "/static_resources/clusters/{index}/load_assignment/endpoints/0/lb_endpoints/0/endpoint"
        ))
    };
    assert_eq!(port("/static_resources/listeners/0"), u64::from(envoy));
    assert_eq!(
        port("/static_resources/listeners/1"),
        u64::from(envoy_metrics)
    );
    assert_eq!(port("/admin"), u64::from(envoy_admin));
    assert_eq!(upstream(0), u64::from(xds));
    assert_eq!(upstream(1), u64::from(admin_api));
}

#[test]
fn every_flag_and_variable_is_one_that_the_program_has() {
    let services = services();
    for (name, variable) in PROGRAMS {
        let help = help(variable);
        for (flag, value) in flags(&services[name]) {
            let declared = if value.is_empty() {
                format!("{flag}\n")
            } else {
                format!("{flag} <")
            };
            assert!(help.contains(&declared), "{name} has no {flag}");
        }
        let environment = services[name].get("environment").and_then(Value::as_object);
        for key in environment.into_iter().flatten().map(|(key, _)| key) {
            assert!(
                help.contains(&format!("[env: {key}")),
                "{name} has no {key}"
            );
        }
    }
    let environment = services["envoy"]["environment"].as_object().unwrap();
    // The filter reads this one from Envoy's environment itself.
    for key in environment.keys().filter(|key| *key != "BEDROCK_SEAL_KEY") {
        assert!(
            text("envoy/entrypoint.sh").contains(&format!("${{{key}:-")),
            "{key}"
        );
    }
}

#[test]
fn health_checks_use_the_port_that_the_service_listens_on() {
    let services = services();
    let port = |name: &str| strings(&services[name]["healthcheck"]["test"]).join(" ");
    assert!(port("envoy").contains(&format!("/127.0.0.1/{} ", Ports::DEFAULT.envoy)));
    assert!(port("config-service").contains(&format!("/127.0.0.1/{} ", Ports::DEFAULT.admin_api)));
    assert!(port("simulator").ends_with(&format!("/127.0.0.1/{}", Ports::DEFAULT.simulator)));
}

#[test]
fn files_named_in_commands_are_put_there_by_the_dockerfile() {
    let services = services();
    let service = &services["config-service"];
    let dockerfile = text("config-service/Dockerfile");
    assert!(dockerfile.contains(&format!(" {}\n", flag(service, "--wasm"))));
    let database = flag(service, "--database");
    let folder = Path::new(&database).parent().unwrap().to_str().unwrap();
    assert!(dockerfile.contains(&format!("VOLUME {folder}\n")));
    // The group that a Kubernetes volume must have.
    assert!(dockerfile.contains("USER 65532:65532\n"));
    assert_eq!(strings(&service["volumes"]), [format!("channels:{folder}")]);
}

#[test]
fn the_seeded_channel_leads_to_the_simulator_with_its_key() {
    let services = services();
    let seed = &services["seed"];
    let channel: Value =
        serde_json::from_str(seed["environment"]["CHANNEL"].as_str().unwrap()).unwrap();
    let simulator = &services["simulator"];
    let credentials = &channel["credentials"];
    assert_eq!(
        channel["endpoint"],
        format!("http://simulator:{}", Ports::DEFAULT.simulator)
    );
    assert_eq!(channel["region"], flag(simulator, "--region"));
    assert_eq!(
        credentials["access_key_id"],
        flag(simulator, "--access-key-id")
    );
    assert_eq!(
        credentials["secret_access_key"],
        flag(simulator, "--secret-access-key")
    );
    let url = format!(
        "http://config-service:{}/api/channels",
        Ports::DEFAULT.admin_api
    );
    assert!(strings(&seed["command"])[0].contains(&url));
    let token = &services["config-service"]["environment"]["BEDROCK_ADMIN_TOKEN"];
    assert_eq!(&seed["environment"]["BEDROCK_ADMIN_TOKEN"], token);
}

#[test]
fn images_are_pinned_and_nothing_runs_as_root() {
    for service in services().values() {
        let Some((_, dockerfile)) = build(service) else {
            let image = service["image"].as_str().unwrap();
            assert!(
                image.contains(':') && !image.ends_with(":latest"),
                "{image}"
            );
            continue;
        };
        let text = std::fs::read_to_string(&dockerfile).unwrap();
        for line in text.lines().filter(|line| line.starts_with("FROM ")) {
            let image = line.split(' ').nth(1).unwrap();
            assert!(
                image.contains(':') && !image.ends_with(":latest"),
                "{image}"
            );
        }
        let last_user = text
            .lines()
            .rfind(|line| line.starts_with("USER "))
            .unwrap();
        assert!(!last_user.starts_with("USER 0") && !last_user.contains("root"));
        assert_eq!(service["read_only"], true, "{}", dockerfile.display());
    }
}

#[test]
fn prometheus_scrapes_what_listens_and_grafana_asks_prometheus() {
    let services = services();
    for name in ["prometheus", "grafana"] {
        assert_eq!(services[name]["profiles"][0], "observability", "{name}");
    }
    let config = yaml("deploy/prometheus/prometheus.yml");
    let jobs = config["scrape_configs"].as_array().unwrap();
    let target = |job: &str| {
        let own = jobs.iter().find(|own| own["job_name"] == job).unwrap();
        own["static_configs"][0]["targets"][0].clone()
    };
    let envoy = format!("envoy:{}", Ports::DEFAULT.envoy_metrics);
    assert_eq!(target("envoy"), envoy);
    let listens = flag(&services["config-service"], "--metrics-listen");
    let port = listens.strip_prefix("0.0.0.0:").unwrap();
    assert_eq!(target("config-service"), format!("config-service:{port}"));
    let source = yaml("deploy/grafana/provisioning/datasources/prometheus.yml");
    let url = format!("http://prometheus:{PROMETHEUS}");
    assert_eq!(source["datasources"][0]["url"], url);
    let provider = yaml("deploy/grafana/provisioning/dashboards/bedrock.yml");
    let folder = provider["providers"][0]["options"]["path"]
        .as_str()
        .unwrap();
    let mounts = strings(&services["grafana"]["volumes"]);
    assert!(
        mounts.contains(&format!("./deploy/grafana:{folder}:ro")),
        "{mounts:?}"
    );
}

#[test]
fn the_image_of_envoy_is_the_version_that_is_tested() {
    let image = format!("FROM envoyproxy/envoy:v{}\n", xtask::envoy::DEFAULT_VERSION);
    assert!(text("envoy/Dockerfile").contains(&image));
}

/// A flag's `[default: …]` in a help text.
fn default_of(help: &str, flag: &str) -> String {
    let (_, after) = help
        .split_once(&format!(" {flag} <"))
        .unwrap_or_else(|| panic!("no {flag} in the help"));
    let (_, after) = after.split_once("[default: ").unwrap();
    after.split(']').next().unwrap().to_owned()
}
