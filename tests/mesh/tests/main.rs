//! Exported manifests on a real Istio; see `src/lib.rs`.

mod istio_real;
