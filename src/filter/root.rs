//! One root context for each plugin configuration.

use std::sync::Arc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::environment;
use super::health;
use super::host;
use super::http::FilterHttp;
use super::metrics;
use super::requests;
use super::streams;
use super::upstream::FilterUpstream;
use super::usage;
use crate::config::{Fault, PluginConfig, Stage, UsageReports, lint};
use crate::exchange::Exchange;
use crate::routes::Routes;
use crate::seal::{KEY_VARIABLE, SealKeys};

/// Holds the compiled configuration, once there is one.
#[derive(Default)]
pub(super) struct FilterRoot {
    configured: Option<Configured>,
    /// Its number among those whose ticks count.
    number: u32,
}

/// What a filter does, depending on its place.
enum Configured {
    /// Requests come in here.
    Listener(Arc<Routes>),
    /// Attempts leave here.
    Upstream,
}

impl Context for FilterRoot {
    fn on_grpc_call_response(&mut self, number: u32, status: u32, size: usize) {
        if let Some(reports) = self.reports() {
            usage::answered(number, status, size, reports);
        }
    }

    /// The context ends, and with it its calls.
    fn on_done(&mut self) -> bool {
        if let Some(reports) = self.reports() {
            usage::close(reports);
        }
        true
    }
}

impl FilterRoot {
    /// Where usage is reported, if it is recorded.
    fn reports(&self) -> Option<&UsageReports> {
        match self.configured.as_ref()? {
            Configured::Listener(routes) => routes.usage(),
            Configured::Upstream => None,
        }
    }
}

impl RootContext for FilterRoot {
    /// Compiles the configuration. Refusing it keeps Envoy's last good one. The result depends only on the bytes and
    /// Envoy's environment: Envoy treats a configuration that fails on just one worker as a fatal fault.
    fn on_configure(&mut self, size: usize) -> bool {
        let json = host::plugin_configuration(size);
        let config = PluginConfig::from_json(&json)
            .inspect(warn_of_handwritten)
            .map_err(|error| vec![error]);
        match config.and_then(configure) {
            Ok(configured) => {
                if let Configured::Listener(routes) = &configured {
                    requests::picker().use_routes(routes);
                    self.number = streams::take_over();
                    if routes.stream_keep_alive_seconds() > 0 || routes.usage().is_some() {
                        host::tick_every_second();
                    }
                    if routes.usage().is_some() {
                        usage::open();
                    }
                    let revision = routes.revision();
                    log::info!("plugin configuration of revision {revision} is active");
                }
                self.configured = Some(configured);
                true
            }
            Err(errors) => {
                for error in errors {
                    log::error!("plugin configuration refused: {error}");
                }
                false
            }
        }
    }

    fn on_tick(&mut self) {
        if streams::is_newest(self.number) {
            streams::tick();
            if let Some(reports) = self.reports() {
                usage::tick(reports);
            }
        }
        metrics::report_events(&requests::picker());
        health::report_attempts(&requests::picker());
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        match self.configured.as_ref()? {
            Configured::Listener(routes) => {
                let picker = requests::picker();
                let mut exchange = Exchange::on_listener(Arc::clone(routes), &picker);
                exchange.set_clock(host::now);
                Some(Box::new(FilterHttp::new(context, exchange)))
            }
            Configured::Upstream => Some(Box::new(FilterUpstream::new(context))),
        }
    }
}

/// Warns about a configuration that the config-service has not checked.
fn warn_of_handwritten(config: &PluginConfig) {
    if config.revision != 0 {
        return;
    }
    for channel in &config.channels {
        let keys = lint::key_warnings(&channel.credentials, &channel.region);
        for warning in lint::warnings(channel).into_iter().chain(keys) {
            log::warn!("channel {}, {warning}", channel.name);
        }
    }
}

fn configure(config: PluginConfig) -> Result<Configured, Vec<Fault>> {
    let keys = seal_keys();
    let (stage, config) = (config.stage, config.open(&keys)?);
    let routes = Routes::compile(config)?.with_keys(keys);
    Ok(match stage {
        Stage::Listener => Configured::Listener(Arc::new(routes)),
        Stage::Upstream => Configured::Upstream,
    })
}

/// The keys in Envoy's environment; a configuration without sealed secrets needs none.
fn seal_keys() -> SealKeys {
    let text = environment::variable(KEY_VARIABLE).unwrap_or_default();
    text.parse().unwrap_or_else(|error| {
        log::error!("{KEY_VARIABLE} of Envoy's environment is ignored: {error}");
        SealKeys::default()
    })
}
