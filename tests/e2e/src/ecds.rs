//! A small ECDS server (gRPC) that sends whatever a test wants, right or wrong.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use envoy_types::pb::envoy::config::core::v3::TypedExtensionConfig;
use envoy_types::pb::envoy::config::core::v3::async_data_source::Specifier as Code;
use envoy_types::pb::envoy::config::core::v3::data_source::Specifier as Source;
use envoy_types::pb::envoy::config::core::v3::{AsyncDataSource, DataSource};
use envoy_types::pb::envoy::extensions::filters::http::wasm::v3::Wasm;
use envoy_types::pb::envoy::extensions::wasm::v3::plugin_config::Vm;
use envoy_types::pb::envoy::extensions::wasm::v3::{PluginConfig, VmConfig};
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use envoy_types::pb::envoy::service::extension::v3::extension_config_discovery_service_server::{
    ExtensionConfigDiscoveryService, ExtensionConfigDiscoveryServiceServer,
};
use envoy_types::pb::google::protobuf::{BoolValue, StringValue};
use envoy_types::util::pack_any;
use futures::{Stream, StreamExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_stream::Empty;
use tokio_stream::wrappers::{TcpListenerStream, WatchStream};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming, async_trait};

use crate::Artefacts;

/// Sends the filter with one plugin configuration after the other.
#[derive(Debug)]
pub struct EcdsServer {
    port: u16,
    versions: watch::Sender<DiscoveryResponse>,
    refusals: Refusals,
    module: String,
    task: JoinHandle<()>,
}

/// Versions that Envoy refused, with its reasons.
type Refusals = Arc<Mutex<Vec<(String, String)>>>;

impl EcdsServer {
    /// Listens on loopback; the first configuration is version `1`.
    pub async fn start(artefacts: &Artefacts, plugin_config: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let module = artefacts.module.display().to_string();
        let (versions, received) = watch::channel(response("1", &module, plugin_config));
        let refusals = Refusals::default();
        let service = Service {
            versions: received,
            refusals: Arc::clone(&refusals),
        };
        let server =
            Server::builder().add_service(ExtensionConfigDiscoveryServiceServer::new(service));
        let task = tokio::spawn(async move {
            let _ = server
                .serve_with_incoming(TcpListenerStream::new(listener))
                .await;
        });
        Self {
            port,
            versions,
            refusals,
            module,
            task,
        }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends another configuration.
    pub fn send(&self, version: &str, plugin_config: &str) {
        let response = response(version, &self.module, plugin_config);
        self.versions.send_replace(response);
    }

    /// Envoy's reason for refusing a version, if it did.
    pub fn refusal(&self, version: &str) -> Option<String> {
        let refusals = self.refusals.lock().expect("no panic");
        let found = refusals.iter().find(|(refused, _)| refused == version);
        found.map(|(_, reason)| reason.clone())
    }
}

impl Drop for EcdsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn response(version: &str, module: &str, plugin_config: &str) -> DiscoveryResponse {
    let code = DataSource {
        specifier: Some(Source::Filename(module.to_owned())),
        ..DataSource::default()
    };
    let vm = VmConfig {
        vm_id: "bedrock".to_owned(),
        runtime: "envoy.wasm.runtime.v8".to_owned(),
        code: Some(AsyncDataSource {
            specifier: Some(Code::Local(code)),
        }),
        ..VmConfig::default()
    };
    let plugin = PluginConfig {
        name: "bedrock".to_owned(),
        root_id: "bedrock".to_owned(),
        vm: Some(Vm::VmConfig(vm)),
        configuration: Some(pack_any(StringValue {
            value: plugin_config.to_owned(),
        })),
        allow_on_headers_stop_iteration: Some(BoolValue { value: true }),
        ..PluginConfig::default()
    };
    let resource = TypedExtensionConfig {
        name: "bedrock".to_owned(),
        typed_config: Some(pack_any(Wasm {
            config: Some(plugin),
        })),
    };
    let resource = pack_any(resource);
    DiscoveryResponse {
        version_info: version.to_owned(),
        nonce: version.to_owned(),
        type_url: resource.type_url.clone(),
        resources: vec![resource],
        ..DiscoveryResponse::default()
    }
}

struct Service {
    versions: watch::Receiver<DiscoveryResponse>,
    refusals: Refusals,
}

type Responses = Pin<Box<dyn Stream<Item = Result<DiscoveryResponse, Status>> + Send>>;

#[async_trait]
impl ExtensionConfigDiscoveryService for Service {
    type StreamExtensionConfigsStream = Responses;
    type DeltaExtensionConfigsStream = Empty<Result<DeltaDiscoveryResponse, Status>>;

    async fn stream_extension_configs(
        &self,
        request: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Responses>, Status> {
        let (mut answers, refusals) = (request.into_inner(), Arc::clone(&self.refusals));
        tokio::spawn(async move {
            while let Some(Ok(answer)) = answers.next().await {
                if let Some(error) = answer.error_detail {
                    let refusal = (answer.response_nonce, error.message);
                    refusals.lock().expect("no panic").push(refusal);
                }
            }
        });
        let responses = WatchStream::new(self.versions.clone()).map(Ok);
        Ok(Response::new(Box::pin(responses)))
    }

    async fn delta_extension_configs(
        &self,
        _: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<Self::DeltaExtensionConfigsStream>, Status> {
        Err(Status::unimplemented("the state of the world only"))
    }

    async fn fetch_extension_configs(
        &self,
        _: Request<DiscoveryRequest>,
    ) -> Result<Response<DiscoveryResponse>, Status> {
        Err(Status::unimplemented("streams only"))
    }
}
