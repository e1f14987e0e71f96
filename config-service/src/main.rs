//! The `config-service` executable: arguments, logging, signals.

use std::io::IsTerminal as _;

use anyhow::Context as _;
use config_service::envoy::{Envoy, EnvoyError, Serving};
use config_service::{Args, Cli, LogFormat, Service, command, listen};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::try_parse_from(std::env::args_os()).unwrap_or_else(|error| error.exit()) {
        Cli::Serve(args) => serve(*args).await,
        Cli::Command(command) => {
            start_logging(LogFormat::Text);
            command::run(command).await
        }
    }
}

async fn serve(args: Args) -> anyhow::Result<()> {
    start_logging(args.log_format);
    listen::take_all_descriptors();
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let launch = args.launch()?;
    let mut service = Service::start(args).await?;
    let mut envoy = match launch {
        Some(launch) => {
            let (xds, api) = (service.xds_addr(), service.admin_addr());
            Some(Envoy::start(&launch, Serving { xds, api })?)
        }
        None => None,
    };
    let failure: Option<anyhow::Error> = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        failure = service.failed() => Some(failure.into()),
        failure = failed(&mut envoy) => Some(failure.into()),
    };
    if let Some(failure) = failure {
        return Err(failure);
    }
    if let Some(envoy) = envoy {
        let again = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        envoy.stop(again).await;
    }
    service.shutdown().await;
    Ok(())
}

/// Waits until Envoy gives up for good; without an Envoy, waits forever.
async fn failed(envoy: &mut Option<Envoy>) -> EnvoyError {
    match envoy {
        Some(envoy) => envoy.failed().await,
        None => std::future::pending().await,
    }
}

/// Logs go to standard error; `RUST_LOG` sets the level, `info` by default.
fn start_logging(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}
