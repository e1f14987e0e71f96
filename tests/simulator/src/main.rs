//! `bedrock-simulator`: the simulator as a separate process.

use std::ffi::OsString;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use bedrock_simulator::{Key, Simulator};
use clap::Parser;
use secret_source::{Name, Source, SourceError};

/// The secret in AWS's examples.
const EXAMPLE_SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A strict local Amazon Bedrock Runtime.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Address to listen on.
    #[arg(long, env = "SIMULATOR_LISTEN", default_value = "127.0.0.1:9000")]
    listen: SocketAddr,
    /// Region that requests must be signed for; may be repeated.
    #[arg(
        long,
        env = "SIMULATOR_REGION",
        default_value = "us-east-1",
        value_delimiter = ','
    )]
    region: Vec<String>,
    /// Access key id that may call.
    #[arg(long, env = "SIMULATOR_ACCESS_KEY_ID", default_value = "AKIDEXAMPLE")]
    access_key_id: String,
    /// Secret of that access key; by default the one in AWS's examples.
    #[arg(long, env = "SIMULATOR_SECRET_ACCESS_KEY", hide_env_values = true)]
    secret_access_key: Option<String>,
    /// File that contains that secret, instead.
    #[arg(long, env = "SIMULATOR_SECRET_ACCESS_KEY_FILE", value_name = "FILE")]
    secret_access_key_file: Option<OsString>,
    /// Session token, for temporary credentials.
    #[arg(long, env = "SIMULATOR_SESSION_TOKEN", hide_env_values = true)]
    session_token: Option<String>,
    /// File that contains that token, instead.
    #[arg(long, env = "SIMULATOR_SESSION_TOKEN_FILE", value_name = "FILE")]
    session_token_file: Option<OsString>,
    /// Bedrock API key that may call (`Authorization: Bearer …`).
    #[arg(long, env = "SIMULATOR_BEARER_KEY", hide_env_values = true)]
    bearer_key: Option<String>,
    /// File that contains that key, instead.
    #[arg(long, env = "SIMULATOR_BEARER_KEY_FILE", value_name = "FILE")]
    bearer_key_file: Option<OsString>,
    /// PEM file with the certificate chain: serves TLS.
    #[arg(long, env = "SIMULATOR_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// PEM file with the private key of the certificate.
    #[arg(long, env = "SIMULATOR_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let simulator = start(Args::parse()).await?;
    writeln!(
        std::io::stdout(),
        "bedrock-simulator listens on {}",
        simulator.url()
    )?;
    wait_for_signal().await
}

async fn start(args: Args) -> anyhow::Result<Simulator> {
    let secrets = args.secrets()?;
    let mut key = Key::new(args.access_key_id, secrets.secret_access_key);
    key.session_token = secrets.session_token;
    let mut builder = Simulator::builder().listen(args.listen).credentials(key);
    for region in args.region {
        builder = builder.region(region);
    }
    if let Some(bearer) = secrets.bearer_key {
        builder = builder.bearer_key(bearer);
    }
    if let (Some(certificates), Some(key)) = (&args.tls_cert, &args.tls_key) {
        let read = |path: &PathBuf| {
            std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
        };
        builder = builder.tls(read(certificates)?, read(key)?);
    }
    Ok(builder.start().await?)
}

struct Secrets {
    secret_access_key: String,
    session_token: Option<String>,
    bearer_key: Option<String>,
}

impl Args {
    fn secrets(&self) -> Result<Secrets, SourceError> {
        let read = |flag, variable, value: &Option<String>, file: &Option<OsString>| {
            let source = Source {
                name: Name { flag, variable },
                value: value.as_deref(),
                file: file.as_deref(),
            };
            source.read()
        };
        let secret = read(
            "--secret-access-key",
            "SIMULATOR_SECRET_ACCESS_KEY",
            &self.secret_access_key,
            &self.secret_access_key_file,
        )?;
        Ok(Secrets {
            secret_access_key: secret.unwrap_or_else(|| EXAMPLE_SECRET.to_owned()),
            session_token: read(
                "--session-token",
                "SIMULATOR_SESSION_TOKEN",
                &self.session_token,
                &self.session_token_file,
            )?,
            bearer_key: read(
                "--bearer-key",
                "SIMULATOR_BEARER_KEY",
                &self.bearer_key,
                &self.bearer_key_file,
            )?,
        })
    }
}

/// Ctrl-C, or the SIGTERM that containers are stopped with.
async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
