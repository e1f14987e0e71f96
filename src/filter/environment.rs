//! Envoy's environment, as far as `vm_config.environment_variables.host_env_keys` names it, and random bytes.
//!
//! The target has neither in `std`, so Envoy's WASI functions are imported by hand:
//! <https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md#environ_get>.

#![expect(unsafe_code, reason = "the target has no other way to them")]

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn environ_sizes_get(count: *mut usize, size: *mut usize) -> u32;
    fn environ_get(entries: *mut *mut u8, buffer: *mut u8) -> u32;
    fn random_get(buffer: *mut u8, length: usize) -> u32;
}

/// Random bytes; `None` when Envoy has none.
pub(super) fn random<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    // SAFETY: Envoy writes as many bytes as there are.
    let failed = unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) } != 0;
    (!failed).then_some(bytes)
}

/// The value of a variable; `None` when Envoy does not have it or does not pass it on.
pub(super) fn variable(name: &str) -> Option<String> {
    let buffer = read()?;
    let value = buffer
        .split(|byte| *byte == 0)
        .filter_map(|entry| entry.strip_prefix(name.as_bytes()))
        .find_map(|rest| rest.strip_prefix(b"="))?;
    String::from_utf8(value.to_vec()).ok()
}

/// All variables as `NAME=value`, each followed by a NUL.
fn read() -> Option<Vec<u8>> {
    let (mut count, mut size) = (0, 0);
    // SAFETY: both point to integers that live until the call returns, and Envoy writes one each.
    if unsafe { environ_sizes_get(&raw mut count, &raw mut size) } != 0 {
        return None;
    }
    let mut entries = vec![std::ptr::null_mut(); count];
    let mut buffer = vec![0; size];
    // SAFETY: Envoy writes `count` pointers and `size` bytes, as it has just said; its environment cannot change in
    // between. The pointers point into `buffer` and are not used.
    if unsafe { environ_get(entries.as_mut_ptr(), buffer.as_mut_ptr()) } != 0 {
        return None;
    }
    Some(buffer)
}
