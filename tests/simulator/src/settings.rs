//! What is configurable before the start.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use crate::catalog::Catalog;
use crate::family::Family;
use crate::key::Key;
use crate::recorded::{Observer, Recorded};
use crate::signature::Keyring;
use crate::simulator::{Simulator, StartError};

/// The modelled maximum of a body in bytes:
/// <https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html>.
const MAX_BODY_BYTES: usize = 25_000_000;
const DEFAULT_REGION: &str = "us-east-1";

/// Everything a running simulator consults.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) catalog: Catalog,
    pub(crate) max_body_bytes: usize,
    pub(crate) observer: Observer,
}

/// Certificate chain and private key, both PEM.
pub(crate) struct Pem {
    pub(crate) certificates: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

/// Builds a [`Simulator`].
#[must_use]
pub struct Builder {
    settings: Settings,
    keyring: Keyring,
    listen: SocketAddr,
    pem: Option<Pem>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            settings: Settings {
                catalog: Catalog::default(),
                max_body_bytes: MAX_BODY_BYTES,
                observer: Observer::default(),
            },
            keyring: Keyring::default(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            pem: None,
        }
    }
}

impl Builder {
    /// Adds an access key that may call. May be repeated.
    pub fn credentials(mut self, key: Key) -> Self {
        self.keyring.keys.push(key);
        self
    }

    /// Adds a Bedrock API key (`Authorization: Bearer …`). May be repeated.
    pub fn bearer_key(mut self, key: impl Into<String>) -> Self {
        self.keyring.bearer_keys.push(key.into());
        self
    }

    /// Adds a region that the listener serves; `us-east-1` when none is given.
    /// An AWS host name (`bedrock-runtime.{region}.…`) overrides it.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.keyring.regions.push(region.into());
        self
    }

    /// The address to listen on; a free port of 127.0.0.1 by default.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Serves TLS with this PEM certificate chain and private key.
    pub fn tls(mut self, certificates: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.pem = Some(Pem {
            certificates: certificates.into(),
            key: key.into(),
        });
        self
    }

    /// Makes a base model id callable only through inference profiles.
    pub fn profile_only(mut self, model_id: &str) -> Self {
        self.settings.catalog.set_profile_only(model_id);
        self
    }

    /// Makes a base model id callable directly.
    pub fn on_demand(mut self, model_id: &str) -> Self {
        self.settings.catalog.set_on_demand(model_id);
        self
    }

    /// Says which base model an inference profile ARN serves. ARNs that are
    /// not listed serve the default model.
    pub fn inference_profile(mut self, arn: &str, model_id: &str) -> Self {
        self.settings.catalog.set_profile(arn, model_id);
        self
    }

    /// Says which body shape the ARN of an imported, custom or provisioned
    /// model takes. Only `InvokeModel` serves it. ARNs that are not listed
    /// serve the default model.
    pub fn own_model(mut self, arn: &str, family: Family) -> Self {
        self.settings.catalog.set_own(arn, family);
        self
    }

    /// Takes a base model, and the inference profiles of AWS that contain it, out of the account.
    pub fn without_model(mut self, model_id: &str) -> Self {
        self.settings.catalog.remove(model_id);
        self
    }

    /// Cuts lists of inference profiles into pages of this size, whatever the caller asks for.
    pub fn page_size(mut self, size: usize) -> Self {
        self.settings.catalog.set_page_size(size);
        self
    }

    /// Lowers the limit of request bodies, in bytes.
    pub fn max_body_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_body_bytes = bytes;
        self
    }

    /// Calls `observer` with every request as soon as its verdict is known, before it is answered.
    /// Unlike [`Simulator::requests`] it sees all of them, however many there are.
    pub fn observer(mut self, observer: impl Fn(&Recorded) + Send + Sync + 'static) -> Self {
        self.settings.observer = Observer::new(Arc::new(observer));
        self
    }

    /// Binds the address and starts serving.
    ///
    /// # Errors
    /// The address cannot be bound, or the PEM texts are not a certificate and key.
    pub async fn start(mut self) -> Result<Simulator, StartError> {
        let regions = &mut self.keyring.regions;
        if regions.is_empty() {
            regions.push(DEFAULT_REGION.to_owned());
        }
        Simulator::start(self.settings, self.keyring, self.listen, self.pem).await
    }
}
