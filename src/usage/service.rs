//! Where reports go.

use super::proto::message;

/// Full name of the gRPC service, as in `usage.proto`.
pub const SERVICE: &str = "bedrock.usage.v1.Usage";

/// Its method.
pub const METHOD: &str = "Report";

/// The service behind an Envoy cluster, as the bytes of Envoy's `GrpcService`.
///
/// A bare name would do as well, but Envoy refuses that of a cluster that does not exist with a status at which the SDK
/// ends the VM: <https://github.com/envoyproxy/envoy/blob/main/source/extensions/common/wasm/context.cc>
/// (`Context::grpcCall`). This way it is a call that fails.
///
/// <https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/grpc_service.proto>
#[must_use]
pub fn grpc_service(cluster: &str) -> String {
    let (mut envoy_grpc, mut service) = (Vec::new(), Vec::new());
    message(&mut envoy_grpc, 1, cluster.as_bytes());
    message(&mut service, 1, &envoy_grpc);
    // Names are short and ASCII, and so are the lengths before them.
    String::from_utf8_lossy(&service).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_an_envoy_grpc_service() {
        assert_eq!(grpc_service("ab").as_bytes(), b"\x0a\x04\x0a\x02ab");
        let longest = "x".repeat(100);
        let expected = [b"\x0a\x66\x0a\x64", longest.as_bytes()].concat();
        assert_eq!(grpc_service(&longest).as_bytes(), expected);
    }
}
