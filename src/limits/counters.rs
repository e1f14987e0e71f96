//! What the VMs of an Envoy count together.

/// Values that all workers of an Envoy share.
pub trait Counters {
    /// Changes a value in one step: if another worker has replaced it meanwhile, once more. One that is not there yet is
    /// empty.
    fn update(&self, key: &str, change: &mut dyn FnMut(&mut Vec<u8>));
}
