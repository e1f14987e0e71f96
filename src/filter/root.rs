//! One root context for each plugin configuration.

use std::sync::Arc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::environment;
use super::host;
use super::http::FilterHttp;
use super::relays;
use super::upstream::FilterUpstream;
use crate::config::{Fault, PluginConfig, Stage, lint};
use crate::exchange::Exchange;
use crate::routes::Routes;
use crate::seal::{KEY_VARIABLE, SealKeys};

/// Holds the compiled configuration, once there is one.
#[derive(Default)]
pub(super) struct FilterRoot {
    configured: Option<Configured>,
}

/// What a filter does, by its place.
enum Configured {
    /// Requests come in here.
    Listener(Arc<Routes>),
    /// Attempts leave here.
    Upstream,
}

impl Context for FilterRoot {}

impl RootContext for FilterRoot {
    /// Compiles the configuration. Refusing it keeps Envoy's last good one. The outcome depends on
    /// the bytes and Envoy's environment alone: Envoy takes a configuration that fails on one worker only for a fatal fault.
    fn on_configure(&mut self, size: usize) -> bool {
        let json = host::plugin_configuration(size);
        let config = PluginConfig::from_json(&json)
            .inspect(warn_of_handwritten)
            .map_err(|error| vec![error]);
        match config.and_then(configure) {
            Ok(configured) => {
                if let Configured::Listener(routes) = &configured {
                    relays::dispatcher().configured(routes);
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

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        match self.configured.as_ref()? {
            Configured::Listener(routes) => {
                let exchange = Exchange::on_listener(Arc::clone(routes), &relays::dispatcher());
                Some(Box::new(FilterHttp::new(exchange)))
            }
            Configured::Upstream => Some(Box::new(FilterUpstream::default())),
        }
    }
}

/// Says what is suspicious in a configuration that nobody else has looked at.
fn warn_of_handwritten(config: &PluginConfig) {
    if config.revision != 0 {
        return;
    }
    for channel in &config.channels {
        for warning in lint::warnings(channel) {
            log::warn!("channel {}, {warning}", channel.name);
        }
    }
}

fn configure(config: PluginConfig) -> Result<Configured, Vec<Fault>> {
    let (stage, config) = (config.stage, config.open(&seal_keys())?);
    let routes = Routes::compile(config)?;
    Ok(match stage {
        Stage::Listener => Configured::Listener(Arc::new(routes)),
        Stage::Upstream => Configured::Upstream,
    })
}

/// The keys of Envoy's environment; a configuration without sealed secrets needs none.
fn seal_keys() -> SealKeys {
    let text = environment::variable(KEY_VARIABLE).unwrap_or_default();
    text.parse().unwrap_or_else(|error| {
        log::error!("{KEY_VARIABLE} of Envoy's environment is ignored: {error}");
        SealKeys::default()
    })
}
