//! Command lines that are taken and refused.

use bedrock_filter::config::{ProtocolName, UnknownParameters};

use super::*;

fn parse(extra: &[&str]) -> Result<Args, clap::Error> {
    let fixed = ["config-service", "--admin-token", "t0ken"];
    match Cli::try_parse_from(fixed.iter().chain(extra))? {
        Cli::Serve(args) => Ok(*args),
        Cli::Command(command) => panic!("{command:?}"),
    }
}

#[test]
fn a_subcommand_needs_no_option_for_serving() {
    let cli = Cli::try_parse_from(["config-service", "seal", "generate-key"]).unwrap();
    assert!(matches!(
        cli,
        Cli::Command(Command::Seal(SealCommand::GenerateKey))
    ));
    assert!(Cli::try_parse_from(["config-service"]).is_err());
}

#[test]
fn a_broken_key_is_not_repeated() {
    let args = parse(&["--wasm", "a", "--seal-key", "k1:c2VjcmV0"]).unwrap();
    let error = args.seal_key.keys().unwrap_err().to_string();
    assert!(error.contains("BEDROCK_SEAL_KEY"), "{error}");
    assert!(!error.contains("c2VjcmV0"), "{error}");
    assert!(!format!("{args:?}").contains("c2VjcmV0"));
}

#[test]
fn defaults_are_the_documented_ones() {
    let args = parse(&["--wasm-path-in-envoy", "/filter.wasm"]).unwrap();
    assert_eq!(args.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(args.xds.address().to_string(), "127.0.0.1:18000");
    let (database, create) = args.database();
    assert_eq!(database.to_string_lossy(), "config-service.db");
    assert_eq!(create, Creation::IfNeverUsed);
    assert_eq!(args.upstream_ca_file, "/etc/ssl/certs/ca-certificates.crt");
    assert_eq!(args.max_request_bytes, 32 * 1024 * 1024);
    assert_eq!(args.max_held_bytes, 256 * 1024 * 1024);
    assert!(!format!("{args:?}").contains("t0ken"));
    let folders = args.aws.token_file_dirs.iter().map(|it| format!("{it:?}"));
    assert_eq!(
        folders
            .filter(|it| it.contains("/var/run/secrets/"))
            .count(),
        3
    );
}

#[test]
fn token_folders_are_checked_at_start() {
    let folders = |list: &str| parse(&["--wasm", "a", "--token-file-dirs", list]);
    assert_eq!(folders("/a,/b/c").unwrap().aws.token_file_dirs.len(), 2);
    for list in ["/a,/proc", "/", "tokens", ""] {
        let error = folders(list).unwrap_err().to_string();
        assert!(error.contains("absolute path"), "{error}");
    }
}

#[test]
fn proxy_networks_are_checked_at_start() {
    let proxies = |list: &str| parse(&["--wasm", "a", "--trusted-proxies", list]);
    assert_eq!(proxies("10.0.0.0/8,::1").unwrap().trusted_proxies.len(), 2);
    for (list, reason) in [
        ("10.0.0.0/8,proxy", "must be an address"),
        ("10.0.0.0/8,0.0.0.0/0", "any address"),
    ] {
        let error = proxies(list).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn numbers_must_be_in_range() {
    for (flag, good, bad) in [
        ("--max-attempts", ["1", "8"], ["0", "9"]),
        ("--drain-seconds", ["0", "86400"], ["-1", "86401"]),
        ("--envoy-timeout-seconds", ["15", "3600"], ["14", "3601"]),
    ] {
        let with = |value: &str| parse(&["--wasm", "a", &format!("{flag}={value}")]);
        assert!(good.iter().all(|value| with(value).is_ok()), "{flag}");
        assert!(bad.iter().all(|value| with(value).is_err()), "{flag}");
    }
}

#[test]
fn words_that_mean_nothing_are_refused() {
    let with = |flag: &str, value: &str| parse(&["--wasm", "a", &format!("{flag}={value}")]);
    let some = with("--protocols", "openai_responses,anthropic_messages").unwrap();
    let named = [
        ProtocolName::OpenaiResponses,
        ProtocolName::AnthropicMessages,
    ];
    assert_eq!(some.clients.protocols, named);
    let refuse = with("--unknown-parameters", "refuse").unwrap();
    assert_eq!(refuse.clients.unknown_parameters, UnknownParameters::Refuse);
    for (flag, wrong, known) in [
        ("--protocols", "openai", "openai_chat"),
        ("--protocols", "openai_chat,", "anthropic_messages"),
        ("--protocols", "OPENAI_CHAT", "openai_chat"),
        ("--unknown-parameters", "drop", "leave_out"),
        ("--path-prefixes", "/a,openai", "must be `/`"),
        ("--cors-origins", "https://a.example/", "must be an origin"),
    ] {
        let error = with(flag, wrong).unwrap_err().to_string();
        assert!(error.contains(known), "{error}");
    }
}

#[test]
fn the_module_comes_from_exactly_one_place() {
    assert!(parse(&[]).is_err());
    assert!(parse(&["--wasm", "a", "--wasm-path-in-envoy", "b"]).is_err());
    assert!(parse(&["--wasm", "a"]).is_ok());
}
