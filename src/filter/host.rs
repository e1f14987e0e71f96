//! Host calls that the filter needs, without the panics and `String`s of the SDK's own wrappers.

use std::iter;
use std::time::{Duration, SystemTime};

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType};

use crate::call::Headers;
use crate::callers::Property;
use crate::exchange::Reply;
use crate::failover::Client;

/// The plugin configuration, `size` bytes long.
pub(super) fn plugin_configuration(size: usize) -> Vec<u8> {
    read(BufferType::PluginConfiguration, size)
}

/// A whole header map.
pub(super) fn headers(map: MapType) -> Headers {
    let pairs = hostcalls::get_map_bytes(map).unwrap_or_default();
    let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value));
    Headers(pairs.collect())
}

/// Replaces a whole header map; Envoy picks the route again afterwards.
pub(super) fn set_headers(map: MapType, headers: &Headers) {
    let pairs = headers
        .0
        .iter()
        .map(|(name, value)| (&**name, value.as_slice()))
        .collect();
    if hostcalls::set_map_bytes(map, pairs).is_err() {
        log::error!("Envoy refused the headers");
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
    // A piece that starts at the end of a buffer or behind it is appended.
    let places = iter::once((0, size)).chain(iter::repeat((usize::MAX, 0)));
    for ((start, length), piece) in places.zip(pieces) {
        if hostcalls::set_buffer(buffer, start, length, piece).is_err() {
            log::error!("Envoy refused the body");
            return;
        }
    }
}

/// Answers the client.
pub(super) fn reply(reply: &Reply) {
    let mut headers = Vec::with_capacity(8);
    if !reply.body.is_empty() {
        headers.push(("content-type", "application/json"));
    }
    let own = reply.headers.iter();
    // The SDK takes only text; a value that is not is left out.
    headers.extend(own.filter_map(|(name, value)| {
        let value = std::str::from_utf8(value.as_bytes()).ok()?;
        Some((name.as_str(), value))
    }));
    let status = u32::from(reply.status.as_u16());
    if hostcalls::send_http_response(status, headers, Some(&reply.body)).is_err() {
        log::error!("Envoy refused the reply");
    }
}

/// Property that tells the bootstraps' `local_reply_config` under which id a client is answered. Only protocols with
/// an id in their errors set it.
const REPLY_ID: &str = "bedrock.reply_id";

/// Says under which id the client is answered if Envoy has to do that by itself.
pub(super) fn set_reply_id(id: &str) {
    if hostcalls::set_property(vec![REPLY_ID], Some(id.as_bytes())).is_err() {
        log::error!("Envoy refused the id of a reply");
    }
}

/// The identities by which Envoy knows the client; properties that it does not have are left out.
pub(super) fn identities(properties: &[Property]) -> Vec<String> {
    let known = properties.iter().filter_map(|property| {
        let value = hostcalls::get_property(property.path()).ok()??;
        property.identity(&value)
    });
    known.collect()
}

/// Property by which access logs and other filters know the caller: `wasm.caller` in the stream's filter state.
const CALLER: &str = "caller";

/// Says who the caller is.
pub(super) fn set_caller(name: &str) {
    if hostcalls::set_property(vec![CALLER], Some(name.as_bytes())).is_err() {
        log::error!("Envoy refused the name of a caller");
    }
}

/// Says what Envoy's rate limit filter has to know: `wasm.<name>` in the stream's filter state.
pub(super) fn set_claim(name: &str, value: &str) {
    if hostcalls::set_property(vec![name], Some(value.as_bytes())).is_err() {
        log::error!("Envoy refused {name}, so a limit does not count");
    }
}

/// Sets a property of the stream, for the access log and traces.
pub(super) fn set_field(name: &str, value: &str) {
    if hostcalls::set_property(vec![name], Some(value.as_bytes())).is_err() {
        log::error!("Envoy refused the property {name}");
    }
}

/// Envoy's word for why it answers by itself.
pub(super) fn reply_details() -> Vec<u8> {
    let details = hostcalls::get_property(vec!["response", "code_details"]);
    details.ok().flatten().unwrap_or_default()
}

/// Whose request it is.
pub(super) fn client() -> Client {
    let address = hostcalls::get_property(vec!["source", "address"]);
    Client::at(&address.ok().flatten().unwrap_or_default())
}

/// Flags of Envoy's that say that the upstream reset the request (`UR`), ended its connection (`UC`), or broke the
/// rules of HTTP (`UPE`).
///
/// <https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes#response-attributes>
const UPSTREAM_BROKE: u64 = 0x10 | 0x40 | 0x80_0000;

/// Whether the stream whose callback runs ends because the connection to the upstream broke.
pub(super) fn upstream_broke() -> bool {
    let flags = hostcalls::get_property(vec!["response", "flags"]);
    let flags = flags.ok().flatten().and_then(|own| own.try_into().ok());
    flags.is_some_and(|own| u64::from_le_bytes(own) & UPSTREAM_BROKE != 0)
}

/// Has Envoy tell a root context about every second from now on.
pub(super) fn tick_every_second() {
    if hostcalls::set_tick_period(Duration::from_secs(1)).is_err() {
        log::error!("Envoy refused to tick; silent streams show no signs of life");
    }
}

/// Makes the following calls about another stream than the one whose callback runs; `false` if Envoy has none of this
/// number any more.
pub(super) fn turn_to_stream(context: u32) -> bool {
    hostcalls::set_effective_context(context).is_ok()
}

/// Lets go of an answer that Envoy holds back, as soon as the callback has returned.
pub(super) fn resume_answer() {
    if hostcalls::resume_http_response().is_err() {
        log::error!("Envoy refused to let an answer go on");
    }
}

/// The time of day; the module itself has no clock.
pub(super) fn now() -> SystemTime {
    hostcalls::get_current_time().unwrap_or(SystemTime::UNIX_EPOCH)
}
