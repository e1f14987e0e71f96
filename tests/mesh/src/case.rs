//! What teams have where the filter goes.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{Bench, Kind, Workload, team};

/// A pod with what its team has on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// A gateway for the filter alone, which serves all hosts.
    Own,
    /// A gateway that serves a team's host too, with a `VirtualService`.
    Shared,
    /// A gateway of the Kubernetes Gateway API that serves a team's host too, with an `HTTPRoute`.
    GatewayApi,
    /// The sidecar of an application, which is its HTTP proxy.
    Sidecar,
}

impl Case {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Own, Self::Shared, Self::GatewayApi, Self::Sidecar];

    /// What the team has applied before it heard of the filter.
    pub fn documents(self, bench: &Bench) -> Vec<Value> {
        match self {
            Self::Own => vec![team::gateway(bench)],
            Self::Shared => vec![
                team::gateway(bench),
                team::virtual_service(bench, &bench.pod),
            ],
            Self::GatewayApi => team::gateway_api(bench),
            Self::Sidecar => team::sidecar(bench),
        }
    }

    /// The parameters of the export that name the workload.
    pub fn workload(self, bench: &Bench) -> String {
        let Bench { namespace, pod, .. } = bench;
        let workload = match self {
            Self::Own => format!("selector=app={pod}"),
            Self::Shared => format!("selector=app={pod}&sharing=shared"),
            Self::GatewayApi => format!("gateway={pod}&sharing=shared"),
            Self::Sidecar => format!("selector=app={pod}&context=sidecar"),
        };
        format!("namespace={namespace}&{workload}")
    }

    /// The parameters of `mode=routes` that name what routes are bound to.
    pub fn parents(self, bench: &Bench) -> String {
        match self {
            Self::Own | Self::Shared => format!("gateways={}", bench.pod),
            Self::GatewayApi | Self::Sidecar => String::new(),
        }
    }

    /// What the pod is.
    pub fn kind(self) -> Kind {
        match self {
            Self::Sidecar => Kind::Sidecar,
            _ => Kind::Gateway,
        }
    }

    /// The host that clients of the filter ask for, unless it is the pod's address. Where a route is bound to a gateway, Istio
    /// knows no other hosts; and in a sidecar the address is that of the simulator too, which clients must not ask for.
    pub fn host(self) -> Option<&'static str> {
        match self {
            Self::Own => None,
            Self::Shared | Self::GatewayApi | Self::Sidecar => Some(team::HOST),
        }
    }

    /// Checks that the team's own route still works, if it has one.
    pub async fn check_team(self, pod: &Workload) {
        let expected = match self {
            Self::Shared | Self::Sidecar => 200,
            Self::GatewayApi => 302,
            Self::Own => return,
        };
        let call = pod.request_to(team::HOST, Method::GET, "/team");
        let reply = pod.send(call).await.expect("an answer");
        assert_eq!(reply.status, expected, "{reply:?}");
        if expected == 200 {
            assert_eq!(reply.text, team::ANSWER);
        }
    }
}

/// The labels of every pod; with them istiod finds the gateway of the Gateway API as well.
pub(crate) fn labels(name: &str) -> Value {
    json!({ "app": name, "gateway.networking.k8s.io/gateway-name": name })
}
