//! Other editions of the filter's module: the same code, but a different module for Envoy.

use std::fs;

use sha2::{Digest as _, Sha256};

use crate::{Artefacts, Stack};

/// Name of the file that a stack with [`crate::Module::ServedCopy`] serves.
const FILE: &str = "filter.wasm";

impl Stack {
    /// Replaces the served module with an edition of it, restarts the config-service and waits until
    /// Envoy's listener runs it. Edition 0 is the module as built.
    pub async fn serve_edition(&mut self, edition: u8) {
        let sha256 = self.write_edition(edition);
        self.config.restart_with(|_| ()).await;
        self.envoy.wait_module(&sha256).await;
    }

    /// Writes an edition without telling the config-service; returns its SHA-256.
    pub fn write_edition(&self, edition: u8) -> String {
        let module = Artefacts::from_environment().module;
        let mut module = fs::read(module).expect("the module");
        if edition > 0 {
            // An empty custom section changes only the hash.
            module.extend([0, 5, 4, b'e', b'd', b'.', edition]);
        }
        fs::write(self.scratch.join(FILE), &module).expect("the scratch folder is writable");
        Sha256::digest(&module)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}
