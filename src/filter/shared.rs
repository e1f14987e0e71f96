//! Values that all workers of an Envoy share.

use proxy_wasm::hostcalls;
use proxy_wasm::types::Status;

use crate::limits::Counters;

/// How often a value is replaced anew because another worker was faster. With a handful of workers, one is hardly ever
/// unlucky twice.
const TRIES: usize = 100;

/// Envoy's shared data.
pub(super) struct SharedData;

impl Counters for SharedData {
    fn update(&self, key: &str, change: &mut dyn FnMut(&mut Vec<u8>)) {
        for _ in 0..TRIES {
            let Ok((value, version)) = hostcalls::get_shared_data(key) else {
                break;
            };
            let mut value = value.unwrap_or_default();
            change(&mut value);
            match hostcalls::set_shared_data(key, Some(&value), version) {
                Ok(()) => return,
                Err(Status::CasMismatch) => {}
                Err(_) => break,
            }
        }
        log::error!("Envoy refused to count for a limit");
    }
}
