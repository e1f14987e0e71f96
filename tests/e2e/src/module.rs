//! Other editions of the filter's module: the same code, and yet another module to Envoy.

use std::fs;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{Artefacts, Stack, eventually};

/// Name of the file that a stack with [`crate::Module::ServedCopy`] serves.
const FILE: &str = "filter.wasm";

impl Stack {
    /// Puts an edition of the module in the place of the one that is served, restarts the config-service
    /// with it and waits until Envoy's listener runs it. Edition 0 is the module as it was built.
    pub async fn serve_edition(&mut self, edition: u8) {
        let sha256 = self.write_edition(edition);
        self.config.restart_with(|_| ()).await;
        self.wait_module(&sha256).await;
    }

    /// Writes an edition without telling the config-service; returns its SHA-256.
    pub fn write_edition(&self, edition: u8) -> String {
        let module = Artefacts::from_environment().module;
        let mut module = fs::read(module).expect("the module");
        if edition > 0 {
            // A custom section without content changes nothing but the hash.
            module.extend([0, 5, 4, b'e', b'd', b'.', edition]);
        }
        fs::write(self.scratch.join(FILE), &module).expect("the scratch folder is writable");
        Sha256::digest(&module)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Waits until Envoy's listener has a filter with this module.
    pub async fn wait_module(&self, sha256: &str) {
        let page = "/config_dump?resource=ecds_filters";
        eventually("Envoy runs the module", async || {
            let dump = self.envoy.try_admin_page(page).await?;
            let dump: Value = serde_json::from_str(&dump).ok()?;
            let filters = dump["configs"].as_array()?;
            let of_listener = filters
                .iter()
                .map(|filter| &filter["ecds_filter"])
                .filter(|filter| filter["name"] == "bedrock");
            let mut modules = of_listener.map(|filter| {
                let code = &filter["typed_config"]["config"]["vm_config"]["code"];
                code["remote"]["sha256"] == sha256
            });
            modules.next()?.then_some(())
        })
        .await;
    }
}
