//! The functions that the module imports, by the names of proxy-wasm 0.2.1 and of WASI.
//!
//! <https://github.com/proxy-wasm/spec/blob/main/abi-versions/v0.2.1/README.md>
//!
//! The SDK imports more than the filter calls. A call to a function that is not implemented here fails
//! and names it.

use wasmi::{Caller, Error, ExternType, Linker, Module, Val};

use super::guest::Guest;
use super::pairs::Pairs;
use super::{Host, Reply};

const OK: u32 = 0;
const NOT_FOUND: u32 = 1;
const BAD_ARGUMENT: u32 = 2;
const CAS_MISMATCH: u32 = 8;

type Call<'c> = Caller<'c, Host>;
type Status = Result<u32, Error>;

/// Adds everything that a module imports to a linker.
///
/// # Errors
///
/// When the module imports a function twice.
pub fn link(linker: &mut Linker<Host>, module: &Module) -> Result<(), Error> {
    for import in module.imports() {
        let (space, name) = (import.module(), import.name());
        let ExternType::Func(kind) = import.ty() else {
            continue;
        };
        let message = format!(
            "{name} is not implemented; add it to \
            benches/budget/src/host/abi.rs"
        );
        let fail = move |_: Call<'_>, _: &[Val], _: &mut [Val]| Err(Error::new(message.clone()));
        linker.func_new(space, name, kind.clone(), fail)?;
    }
    linker.allow_shadowing(true);
    link_known(linker)
}

fn link_known(linker: &mut Linker<Host>) -> Result<(), Error> {
    const HOST: &str = "env";
    linker
        .func_wrap(HOST, "proxy_log", log)?
        .func_wrap(HOST, "proxy_get_log_level", log_level)?
        .func_wrap(HOST, "proxy_get_current_time_nanoseconds", current_time)?
        .func_wrap(HOST, "proxy_set_tick_period_milliseconds", tick_period)?
        .func_wrap(HOST, "proxy_get_buffer_bytes", buffer)?
        .func_wrap(HOST, "proxy_set_buffer_bytes", set_buffer)?
        .func_wrap(HOST, "proxy_get_header_map_pairs", map)?
        .func_wrap(HOST, "proxy_set_header_map_pairs", set_map)?
        .func_wrap(HOST, "proxy_get_header_map_value", map_value)?
        .func_wrap(HOST, "proxy_add_header_map_value", add_map_value)?
        .func_wrap(HOST, "proxy_replace_header_map_value", replace_map_value)?
        .func_wrap(HOST, "proxy_remove_header_map_value", remove_map_value)?
        .func_wrap(HOST, "proxy_get_property", property)?
        .func_wrap(HOST, "proxy_set_property", set_property)?
        .func_wrap(HOST, "proxy_get_shared_data", shared_data)?
        .func_wrap(HOST, "proxy_set_shared_data", set_shared_data)?
        .func_wrap(HOST, "proxy_register_shared_queue", register_queue)?
        .func_wrap(HOST, "proxy_enqueue_shared_queue", enqueue)?
        .func_wrap(HOST, "proxy_send_local_response", reply)?
        .func_wrap(HOST, "proxy_define_metric", define_metric)?
        .func_wrap(HOST, "proxy_increment_metric", increment_metric)?
        .func_wrap(HOST, "proxy_record_metric", record_metric)?;
    const WASI: &str = "wasi_snapshot_preview1";
    linker
        .func_wrap(WASI, "environ_sizes_get", environment_sizes)?
        .func_wrap(WASI, "environ_get", environment)?
        .func_wrap(WASI, "random_get", random)?;
    Ok(())
}

fn log(call: Call<'_>, level: u32, text: u32, size: u32) -> Status {
    let mut guest = Guest::enter(call)?;
    let text = guest.read(text, size)?;
    let line = format!("{level}: {}", String::from_utf8_lossy(&text));
    guest.host().log.push(line);
    Ok(OK)
}

fn log_level(call: Call<'_>, level: u32) -> Status {
    const WARNING: u32 = 3;
    Guest::enter(call)?.write_u32(level, WARNING)?;
    Ok(OK)
}

fn current_time(call: Call<'_>, time: u32) -> Status {
    let mut guest = Guest::enter(call)?;
    let now = guest.host().now;
    guest.write(time, &now.to_le_bytes())?;
    Ok(OK)
}

/// No time goes by here.
fn tick_period(call: Call<'_>, _period: u32) -> Status {
    Guest::enter(call)?;
    Ok(OK)
}

/// The buffer with this number; `None` for those that HTTP filters do not have.
fn buffer_of(host: &mut Host, number: u32) -> Option<&mut Vec<u8>> {
    match number {
        0 => Some(&mut host.current()?.request_body),
        1 => Some(&mut host.current()?.response_body),
        7 => Some(&mut host.configuration),
        _ => None,
    }
}

fn buffer(call: Call<'_>, number: u32, start: u32, length: u32, data: u32, size: u32) -> Status {
    let mut guest = Guest::enter(call)?;
    let Some(buffer) = buffer_of(guest.host(), number) else {
        return Ok(NOT_FOUND);
    };
    let wanted = buffer.iter().skip(start as usize).take(length as usize);
    let bytes: Vec<u8> = wanted.copied().collect();
    guest.hand_over(&bytes, data, size)?;
    Ok(OK)
}

/// Envoy prepends, replaces the whole buffer, or appends; it cannot edit the middle.
fn set_buffer(
    call: Call<'_>,
    number: u32,
    start: u32,
    length: u32,
    data: u32,
    size: u32,
) -> Status {
    let mut guest = Guest::enter(call)?;
    let data = guest.read(data, size)?;
    let Some(buffer) = buffer_of(guest.host(), number) else {
        return Ok(NOT_FOUND);
    };
    let (start, length) = (start as usize, length as usize);
    if start == 0 && length == 0 {
        buffer.splice(..0, data);
    } else if start == 0 && length >= buffer.len() {
        *buffer = data;
    } else if start >= buffer.len() {
        buffer.extend(data);
    } else {
        return Ok(BAD_ARGUMENT);
    }
    Ok(OK)
}

/// The header map with this number; `None` for those that are not simulated.
fn map_of(host: &mut Host, number: u32) -> Option<&mut Pairs> {
    let http = host.current()?;
    match number {
        0 => Some(&mut http.request_headers),
        2 => Some(&mut http.response_headers),
        _ => None,
    }
}

fn map(call: Call<'_>, number: u32, data: u32, size: u32) -> Status {
    let mut guest = Guest::enter(call)?;
    let Some(map) = map_of(guest.host(), number) else {
        return Ok(BAD_ARGUMENT);
    };
    let bytes = map.to_bytes();
    guest.hand_over(&bytes, data, size)?;
    Ok(OK)
}

fn set_map(call: Call<'_>, number: u32, data: u32, size: u32) -> Status {
    let mut guest = Guest::enter(call)?;
    let bytes = guest.read(data, size)?;
    match (map_of(guest.host(), number), Pairs::from_bytes(&bytes)) {
        (Some(map), Some(pairs)) => *map = pairs,
        _ => return Ok(BAD_ARGUMENT),
    }
    Ok(OK)
}

fn map_value(
    call: Call<'_>,
    number: u32,
    name: u32,
    name_size: u32,
    data: u32,
    size: u32,
) -> Status {
    let mut guest = Guest::enter(call)?;
    let name = guest.read(name, name_size)?;
    let map = map_of(guest.host(), number);
    let Some(value) = map.and_then(|map| map.get(&name)).map(<[u8]>::to_vec) else {
        return Ok(NOT_FOUND);
    };
    guest.hand_over(&value, data, size)?;
    Ok(OK)
}

fn add_map_value(
    call: Call<'_>,
    number: u32,
    name: u32,
    name_size: u32,
    value: u32,
    value_size: u32,
) -> Status {
    let pair = [(name, name_size), (value, value_size)];
    put_map_value(call, number, pair, Pairs::add)
}

fn replace_map_value(
    call: Call<'_>,
    number: u32,
    name: u32,
    name_size: u32,
    value: u32,
    value_size: u32,
) -> Status {
    let pair = [(name, name_size), (value, value_size)];
    put_map_value(call, number, pair, Pairs::replace)
}

/// Adds a pair to a header map; its parts are given by address and size.
fn put_map_value(
    call: Call<'_>,
    number: u32,
    [name, value]: [(u32, u32); 2],
    put: fn(&mut Pairs, Vec<u8>, Vec<u8>),
) -> Status {
    let mut guest = Guest::enter(call)?;
    let (name, value) = (guest.read(name.0, name.1)?, guest.read(value.0, value.1)?);
    let Some(map) = map_of(guest.host(), number) else {
        return Ok(BAD_ARGUMENT);
    };
    put(map, name, value);
    Ok(OK)
}

fn remove_map_value(call: Call<'_>, number: u32, name: u32, name_size: u32) -> Status {
    let mut guest = Guest::enter(call)?;
    let name = guest.read(name, name_size)?;
    let Some(map) = map_of(guest.host(), number) else {
        return Ok(BAD_ARGUMENT);
    };
    map.remove(&name);
    Ok(OK)
}

fn property(call: Call<'_>, path: u32, path_size: u32, data: u32, size: u32) -> Status {
    let mut guest = Guest::enter(call)?;
    let path = guest.read(path, path_size)?;
    let Some(value) = guest.host().property(&path).map(<[u8]>::to_vec) else {
        return Ok(NOT_FOUND);
    };
    guest.hand_over(&value, data, size)?;
    Ok(OK)
}

fn set_property(call: Call<'_>, path: u32, path_size: u32, value: u32, value_size: u32) -> Status {
    let mut guest = Guest::enter(call)?;
    let (path, value) = (guest.read(path, path_size)?, guest.read(value, value_size)?);
    let taken = guest.host().set_property(path, value);
    Ok(if taken { OK } else { NOT_FOUND })
}

fn shared_data(
    call: Call<'_>,
    key: u32,
    key_size: u32,
    data: u32,
    size: u32,
    version: u32,
) -> Status {
    let mut guest = Guest::enter(call)?;
    let key = guest.read(key, key_size)?;
    let Some((value, stored)) = guest.host().shared.get(&key).cloned() else {
        return Ok(NOT_FOUND);
    };
    guest.hand_over(&value, data, size)?;
    guest.write_u32(version, stored)?;
    Ok(OK)
}

/// Version 0 overwrites whatever is stored.
fn set_shared_data(
    call: Call<'_>,
    key: u32,
    key_size: u32,
    value: u32,
    value_size: u32,
    version: u32,
) -> Status {
    let mut guest = Guest::enter(call)?;
    let (key, value) = (guest.read(key, key_size)?, guest.read(value, value_size)?);
    let (stored, now) = guest.host().shared.entry(key).or_default();
    if version != 0 && version != *now {
        return Ok(CAS_MISMATCH);
    }
    *stored = value;
    *now += 1;
    Ok(OK)
}

/// There is one queue.
fn register_queue(call: Call<'_>, name: u32, name_size: u32, id: u32) -> Status {
    let mut guest = Guest::enter(call)?;
    guest.read(name, name_size)?;
    guest.write_u32(id, 1)?;
    Ok(OK)
}

fn enqueue(call: Call<'_>, _queue: u32, value: u32, size: u32) -> Status {
    let mut guest = Guest::enter(call)?;
    let value = guest.read(value, size)?;
    guest.host().queue.push(value);
    Ok(OK)
}

#[expect(clippy::too_many_arguments, reason = "proxy-wasm has them")]
fn reply(
    call: Call<'_>,
    status: u32,
    details: u32,
    details_size: u32,
    body: u32,
    body_size: u32,
    headers: u32,
    headers_size: u32,
    _grpc_status: u32,
) -> Status {
    let mut guest = Guest::enter(call)?;
    guest.read(details, details_size)?;
    let body = guest.read(body, body_size)?;
    let headers = guest.read(headers, headers_size)?;
    match (Pairs::from_bytes(&headers), guest.host().current()) {
        (Some(headers), Some(http)) => {
            http.reply = Some(Reply {
                status,
                headers,
                body,
            });
        }
        _ => return Ok(BAD_ARGUMENT),
    }
    Ok(OK)
}

fn define_metric(call: Call<'_>, _kind: u32, name: u32, size: u32, number: u32) -> Status {
    let mut guest = Guest::enter(call)?;
    let name = guest.read(name, size)?;
    let metrics = &mut guest.host().metrics;
    let known = metrics.iter().position(|(own, _)| *own == name);
    let index = known.unwrap_or_else(|| {
        metrics.push((name, 0));
        metrics.len() - 1
    });
    guest.write_u32(number, u32::try_from(index).unwrap_or(u32::MAX))?;
    Ok(OK)
}

fn increment_metric(call: Call<'_>, number: u32, by: i64) -> Status {
    change_metric(call, number, |value| value + by)
}

fn record_metric(call: Call<'_>, number: u32, value: i64) -> Status {
    change_metric(call, number, |_| value)
}

fn change_metric(call: Call<'_>, number: u32, change: impl FnOnce(i64) -> i64) -> Status {
    let mut guest = Guest::enter(call)?;
    let Some((_, value)) = guest.host().metrics.get_mut(number as usize) else {
        return Ok(NOT_FOUND);
    };
    *value = change(*value);
    Ok(OK)
}

/// The environment is empty: no exchange needs a seal key.
fn environment_sizes(call: Call<'_>, count: u32, size: u32) -> Status {
    let mut guest = Guest::enter(call)?;
    guest.write_u32(count, 0)?;
    guest.write_u32(size, 0)?;
    Ok(OK)
}

fn environment(call: Call<'_>, _entries: u32, _buffer: u32) -> Status {
    Guest::enter(call)?;
    Ok(OK)
}

/// The same bytes every time.
fn random(call: Call<'_>, buffer: u32, size: u32) -> Status {
    let mut guest = Guest::enter(call)?;
    guest.write(buffer, &vec![0x5a; size as usize])?;
    Ok(OK)
}
