//! Host calls that the filter needs, without their panics and `String`s.

use std::iter;
use std::time::SystemTime;

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType};

use crate::call::Headers;
use crate::exchange::Reply;
use crate::relay::Client;

/// The plugin configuration, `size` bytes long.
pub(super) fn plugin_configuration(size: usize) -> Vec<u8> {
    read(BufferType::PluginConfiguration, size)
}

/// A whole header map.
pub(super) fn headers(map: MapType) -> Headers {
    Headers(hostcalls::get_map_bytes(map).unwrap_or_default())
}

/// Replaces a whole header map; Envoy chooses the route anew after it.
pub(super) fn set_headers(map: MapType, headers: &Headers) {
    let pairs = headers
        .0
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_slice()))
        .collect();
    if hostcalls::set_map_bytes(map, pairs).is_err() {
        log::error!("Envoy did not take the headers");
    }
}

/// The first `size` bytes of a buffer.
pub(super) fn read(buffer: BufferType, size: usize) -> Vec<u8> {
    hostcalls::get_buffer(buffer, 0, size)
        .ok()
        .flatten()
        .unwrap_or_default()
}

/// Replaces the first `size` bytes of a buffer, which are all that it has, by these pieces.
pub(super) fn replace<'p>(buffer: BufferType, size: usize, pieces: impl Iterator<Item = &'p [u8]>) {
    // What begins at the end of a buffer or behind it is appended.
    let places = iter::once((0, size)).chain(iter::repeat((usize::MAX, 0)));
    for ((start, length), piece) in places.zip(pieces) {
        if hostcalls::set_buffer(buffer, start, length, piece).is_err() {
            log::error!("Envoy did not take the body");
            return;
        }
    }
}

/// Answers the client.
pub(super) fn reply(reply: &Reply) {
    let mut headers = vec![("content-type", "application/json")];
    let own = reply.headers.iter();
    // The SDK takes text only; what is none is not worth a fault.
    headers.extend(own.filter_map(|(name, value)| {
        let value = std::str::from_utf8(value.as_bytes()).ok()?;
        Some((name.as_str(), value))
    }));
    let status = u32::from(reply.status.as_u16());
    if hostcalls::send_http_response(status, headers, Some(&reply.body)).is_err() {
        log::error!("Envoy did not take the reply");
    }
}

/// Whose request it is.
pub(super) fn client() -> Client {
    let address = hostcalls::get_property(vec!["source", "address"]);
    Client::at(&address.ok().flatten().unwrap_or_default())
}

/// The time of day; the module itself has no clock.
pub(super) fn now() -> SystemTime {
    hostcalls::get_current_time().unwrap_or(SystemTime::UNIX_EPOCH)
}
