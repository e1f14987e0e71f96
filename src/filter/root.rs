//! One root context for each plugin configuration.

use std::sync::Arc;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;

use super::environment;
use super::host;
use super::http::FilterHttp;
use super::stage::FilterStage;
use crate::config::{PluginConfig, lint};
use crate::exchange::Exchange;
use crate::routes::Routes;
use crate::seal::{KEY_VARIABLE, SealKeys};

/// Holds the compiled configuration.
#[derive(Default)]
pub(super) struct FilterRoot {
    routes: Option<Arc<Routes>>,
}

impl Context for FilterRoot {}

impl RootContext for FilterRoot {
    /// Compiles the configuration. Refusing it keeps Envoy's last good one. The outcome depends on
    /// the bytes and Envoy's environment alone: Envoy takes a configuration that fails on one worker only for a fatal fault.
    fn on_configure(&mut self, size: usize) -> bool {
        let json = host::plugin_configuration(size);
        let routes = PluginConfig::from_json(&json)
            .inspect(warn_of_handwritten)
            .map_err(|error| vec![error])
            .and_then(|config| config.open(&seal_keys()))
            .and_then(Routes::compile);
        match routes {
            Ok(routes) => {
                log::info!(
                    "plugin configuration of revision {} is active",
                    routes.revision()
                );
                self.routes = Some(Arc::new(routes));
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
        let routes = self.routes.clone()?;
        if routes.failover().is_some() {
            return Some(Box::new(FilterStage::new(routes)));
        }
        Some(Box::new(FilterHttp::new(Exchange::new(routes))))
    }
}

/// Says what is suspicious in a configuration that nobody else has looked at.
fn warn_of_handwritten(config: &PluginConfig) {
    if config.revision != 0 {
        return;
    }
    for channel in &config.channels {
        for warning in lint::warnings(channel) {
            let (name, path) = (&channel.name, &warning.path);
            log::warn!("channel {name}, {path}: {}", warning.message);
        }
    }
}

/// The keys of Envoy's environment; a configuration without sealed secrets needs none.
fn seal_keys() -> SealKeys {
    let text = environment::variable(KEY_VARIABLE).unwrap_or_default();
    text.parse().unwrap_or_else(|error| {
        log::error!("{KEY_VARIABLE} of Envoy's environment is ignored: {error}");
        SealKeys::default()
    })
}
