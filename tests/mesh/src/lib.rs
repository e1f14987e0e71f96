//! The harness of the tests on a real Istio: `istiod`, agents with an Envoy each, and a Kubernetes API without nodes.
//!
//! Nothing runs pods here, so the harness does by hand what Kubernetes would do for a gateway: it creates the pod's
//! object and its token, and starts the agent with the variables that the pod would have. Ports that are the same in
//! every pod are different ones here, because all share the machine's network.
//!
//! | module | owns |
//! |---|---|
//! | `programs` | what `cargo xtask test` prepared |
//! | `kubernetes` | a client of the Kubernetes API |
//! | `plane` | etcd, the API server and `istiod`, which all tests share |
//! | `workload` | a pod: an agent and its Envoy |
//! | `case` | the kinds of gateways and sidecars that manifests are for |
//! | `team` | what teams have on their gateways besides the filter |
//! | `bench` | one test's namespace, config-service and Bedrock |

mod bench;
mod case;
mod kubernetes;
mod plane;
mod programs;
pub mod team;
mod workload;

pub use bench::Bench;
pub use case::Case;
pub use kubernetes::Kubernetes;
pub use plane::{Plane, plane};
pub use workload::{Kind, Setup, Workload};
